"""Wallets of others against a served demo. Not in the default run: `make interop` installs the packages and asks for the marker."""

import json
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.interop import node
from tests.live.conftest import free_ports
from tests.live.running import Demo

RESULTS = Path(__file__).resolve().parent.parent.parent / "docs" / "interop" / "results.md"
_rows: list[tuple[str, str]] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = node.needed()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.interop)
            if why is not None:
                item.add_marker(pytest.mark.skip(reason=why))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="Write versions and results of the interop run to docs/interop.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and item.get_closest_marker("interop"):
        _rows.append((item.name, report.outcome))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not session.config.getoption("--record", default=False) or not _rows:
        return
    packages = [f"| `{name}` | {version} |" for name, version in node.versions().items()]
    results = [f"| {name.removeprefix('test_').replace('_', ' ')} | {outcome} |" for name, outcome in _rows]
    lines = [
        "# Interoperability: the last recorded run",
        "",
        f"Written by `make interop RECORD=--record` on {datetime.now(UTC):%Y-%m-%d}. What was found: [README](README.md).",
        "",
        "| Package | Version |",
        "|---|---|",
        *packages,
        "",
        "| Case | Result |",
        "|---|---|",
        *results,
        "",
    ]
    RESULTS.write_text("\n".join(lines))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A served demo, as the foreign wallet finds it."""
    with Demo.served(tmp_path_factory.mktemp("interop"), free_ports(4), tls=False) as running:
        yield running


@pytest.fixture(scope="session")
def authorities(demo: Demo) -> dict[str, str]:
    """The certificate authorities a verifier would take from the trust lists, PEM by purpose."""
    files = json.loads((demo.state / "demo.json").read_text())["ca_files"]
    return {f"{use}_cas": Path(files[use]).read_text() for use in ("seal", "document_signer", "status")}
