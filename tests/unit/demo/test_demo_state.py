"""The demo's directory and ports: what is ours is replaced, what is not is left alone and said."""

import socket
import stat
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from demo.build import Addresses
from demo.processes import Running, Service, outbound, require_free, services
from demo.state import MARKER, DemoError, State, claimed
from pki.repository import create_app


def test_a_new_directory_is_made_and_marked(tmp_path: Path) -> None:
    with claimed(tmp_path / "a" / "demo") as state:
        assert (state.root / MARKER).is_file()
        assert stat.S_IMODE(state.root.stat().st_mode) == 0o700
        path = state.write_json("demo.json", {"issuer": "http://localhost:1"})
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_earlier_demo_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    with claimed(tmp_path / "demo") as state:
        state.write_json("demo.json", {})
        (state.root / "mine.txt").write_text("kept", encoding="utf-8")
    with claimed(tmp_path / "demo") as state:
        assert not (state.root / "demo.json").exists()
        assert (state.root / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_a_directory_of_somebody_else_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "issuer").mkdir()
    (tmp_path / "issuer" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(DemoError, match="not empty") as refused, claimed(tmp_path):
        pytest.fail("the directory was claimed")
    assert refused.value.exit_code == 3
    assert (tmp_path / "issuer" / "thesis.txt").is_file()
    assert not (tmp_path / MARKER).exists()


def test_two_demos_do_not_share_a_directory(tmp_path: Path) -> None:
    with claimed(tmp_path / "demo") as state:
        state.write_json("demo.json", {})
        with pytest.raises(DemoError, match="a demo is running") as refused, claimed(tmp_path / "demo"):
            pytest.fail("the directory was claimed twice")
        assert refused.value.exit_code == 3
        assert (state.root / "demo.json").is_file()


def test_a_busy_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(DemoError, match=f"port {port};") as refused:
            require_free([port])
    assert refused.value.exit_code == 3


@pytest.mark.parametrize(("tls", "scheme"), [(False, "http"), (True, "https")])
def test_addresses(tmp_path: Path, tls: bool, scheme: str) -> None:
    addresses = Addresses(tls=tls, port_base=9000)
    files = {"chain": "/c.pem", "key": "/k.pem"}
    assert addresses.issuer == f"{scheme}://localhost:9001"
    assert addresses.repository == "http://localhost:9003"  # RFC 5280 §8
    assert addresses.listen(1, files)["tls"] == ({"certificate": "/c.pem", "key": "/k.pem"} if tls else None)
    assert [service.name for service in services(State(tmp_path), addresses)] == ["repository", "trust-list", "issuer", "verifier"]


def test_a_service_that_ends_by_itself_is_reported_with_its_log(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.logs.mkdir()
    broken = Service(name="issuer", arguments=("demo.no_such_module",), health="http://localhost:9/healthz")
    running = Running(state, outbound(None))
    try:
        with pytest.raises(DemoError, match=r"the issuer ended with code 1; see .*issuer\.log"):
            running.start([broken])
    finally:
        running.stop_all()
    assert not running.processes
    assert b"no_such_module" in (state.logs / "issuer.log").read_bytes()


def test_the_repository_serves_its_files_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "seal-ca.cer").write_bytes(b"0\x03")
    (tmp_path / "secret.pem").write_bytes(b"-----BEGIN")
    client = TestClient(create_app(tmp_path))
    answer = client.get("/seal-ca.cer")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "application/pkix-cert", b"0\x03")
    for path in ("/secret.pem", "/..%2fsecret.pem", "/none.cer"):
        refused = client.get(path)
        assert refused.status_code == 404, path
        assert refused.headers["content-type"] == "application/problem+json"
