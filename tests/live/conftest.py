"""Real processes: every test here is marked `live` and has a state directory and ports of its own."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.running import Demo


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.live)


def free_ports(count: int) -> int:
    """The first of `count` neighbouring ports nobody listens on; each test process looks in a range of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 21000 + worker % 5 * 2000
    for base in range(first, first + 2000, 10):
        try:
            probes = [socket.create_server(("127.0.0.1", base + offset)) for offset in range(count)]
        except OSError:
            continue
        for probe in probes:
            probe.close()
        return base
    raise RuntimeError("no free ports")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A served demo, started as an outsider would start it."""
    with Demo.served(tmp_path_factory.mktemp("demo"), free_ports(4), tls=False) as running:
        yield running
