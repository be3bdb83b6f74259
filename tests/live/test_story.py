"""`portadoc demo` from beginning to end, over real processes."""

import socket
import time
from pathlib import Path

from tests.live.conftest import free_ports
from tests.live.running import portadoc

SECONDS = 30
REFUSALS = {
    "host country not covered",
    "day after the end",
    "altered disclosure",
    "replay",
    "revoked A1",
    "list server down, last list has run out",
    "issuer removed from the list",
    "wallet of an unlisted provider",
    "plain credential request",
    "authorization code twice",
    "DPoP proof twice",
}


def test_the_whole_story(tmp_path: Path) -> None:
    port = free_ports(4)
    begun = time.monotonic()
    done = portadoc("demo", "--json", "--state", str(tmp_path / "demo"), "--port-base", str(port))
    took = time.monotonic() - begun
    steps = done.value["steps"]
    differing = [step for step in steps if step["got"] != step["expected"] or not step["as_expected"]]
    assert not differing
    assert done.value["ok"] is True
    assert done.code == 0
    assert {step["step"] for step in steps} >= REFUSALS
    for step in steps:
        refused = step["got"].startswith(("reject", "refused", "undetermined"))
        assert refused == (step["step"] in REFUSALS), step
    assert took < SECONDS * 2, "under 30 s by itself; a busy machine is granted twice that"
    for offset in range(4):  # everything it started has ended
        with socket.create_server(("127.0.0.1", port + offset)):
            pass


def test_a_busy_port_ends_with_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = portadoc("demo", "--state", str(tmp_path / "demo"), "--port-base", str(port))
    assert done.code == 3
    assert f"port {port}" in done.err
    assert not (tmp_path / "demo").exists()


def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear …", encoding="utf-8")
    done = portadoc("demo", "--state", str(tmp_path), "--port-base", str(free_ports(4)))
    assert done.code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
