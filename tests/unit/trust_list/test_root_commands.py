"""`portadoc trust-list root …`: from the holders' keys to a published root that a verifier follows."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.unit.trust_list.test_cli import ask, run
from trust_list.app import create_app
from trust_list.root import TrustRoot
from trust_list.root_chain import RootStore, payload_of, successor

HOST = "http://localhost:9"


@pytest.fixture
def state(tmp_path: Path) -> str:
    folder = tmp_path / "state"
    folder.mkdir()
    ask("init", "--state", str(folder), "--base-url", HOST)
    ask("publish", "--state", str(folder))
    return str(folder)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, ...]:
    paths = tuple(str(tmp_path / f"{name}.pem") for name in ("one", "two", "three"))
    for path in paths:
        ask("root", "new-key", path)
    return paths


def given(*keys: str) -> tuple[str, ...]:
    return tuple(part for key in keys for part in ("--key", key))


def installed(state: str) -> TrustRoot:
    return TrustRoot.load((Path(state) / "trust-root.json").read_bytes())


def make(state: str, out: Path, *keys: str, threshold: int = 2, signers: tuple[str, ...] = (), **options: str) -> dict[str, Any]:
    """Draft with `keys`, sign with `signers` or with all of them, publish."""
    more = [part for name, value in options.items() for part in (f"--{name}", value)]
    ask("root", "draft", "--state", state, *given(*keys), "--threshold", str(threshold), "--out", f"{out}.json", *more)
    ask("root", "sign", f"{out}.json", *given(*(signers or keys)), "--out", str(out))
    return ask("root", "publish", str(out), "--state", state)


def test_a_key_is_for_its_owner_only_and_never_overwritten(tmp_path: Path, keys: tuple[str, ...]) -> None:
    assert Path(keys[0]).stat().st_mode & 0o077 == 0
    before = Path(keys[0]).read_bytes()
    assert ask("root", "new-key", keys[0], code=3)["outcome"] == "wrong_use"
    assert Path(keys[0]).read_bytes() == before


def test_from_a_plain_root_to_a_chain(state: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    made = make(state, tmp_path / "2.jws", *keys)
    assert (made["version"], made["threshold"], len(made["keys"])) == (2, 2, 3)
    root = installed(state)
    assert (root.version, root.updates) == (2, f"{HOST}/root/")
    made = make(state, tmp_path / "3.jws", keys[1], keys[2])
    assert (made["version"], installed(state).version) == (3, 3)
    assert ask("root", "check", str(tmp_path / "2.jws"), str(tmp_path / "3.jws"))["version"] == 3
    client = TestClient(create_app(Path(state)), base_url=HOST)
    served = client.get("/root/3.jws")
    assert (served.status_code, served.headers["content-type"]) == (200, "application/jose+json")
    assert "immutable" in served.headers["cache-control"]
    assert successor(root, served.content) == installed(state)
    assert client.get("/root/4.jws").status_code == 404
    assert client.get("/root/..%2foperator.key.pem").status_code == 404


def test_holders_sign_one_after_another(state: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    make(state, tmp_path / "2.jws", *keys)
    drafted, signed = str(tmp_path / "3.json"), str(tmp_path / "3.jws")
    ask("root", "draft", "--state", state, *given(*keys), "--threshold", "2", "--out", drafted)
    ask("root", "sign", drafted, *given(keys[0]), "--out", signed)
    assert ask("root", "publish", signed, "--state", state, code=1)["code"] == "root_threshold"
    assert ask("root", "check", str(tmp_path / "2.jws"), signed, code=1)["code"] == "root_threshold"
    assert installed(state).version == 2
    ask("root", "sign", signed, *given(keys[1]), "--out", signed)
    assert ask("root", "publish", signed, "--state", state)["version"] == 3


def test_refusals(state: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    out = tmp_path / "2.jws"
    make(state, out, *keys)
    assert ask("root", "publish", str(out), "--state", state, code=1)["code"] == "root_rollback"
    plain = tmp_path / "plain.jws"
    ask("root", "sign", str(tmp_path / "2.jws.json"), *given(keys[0]), "--out", str(plain))
    assert ask("root", "publish", str(plain), "--state", state, code=1)["code"] == "root_rollback"
    args = ("root", "draft", "--state", state, *given(keys[0]), "--out", str(tmp_path / "x"))
    assert ask(*args, "--threshold", "2", code=1)["code"] == "trust_root"
    assert ask(*args, "--floor", "nothing=1", code=3)["code"] == "list_unknown"
    assert ask(*args, "--floor", "pub-eaa", code=3)["code"] == "config"
    (tmp_path / "bad.pem").write_text("no key")
    assert ask("root", "sign", str(out), *given(str(tmp_path / "bad.pem")), "--out", str(plain), code=1)["code"] == "root_key"
    (tmp_path / "long.pem").write_bytes(b" " * 20_000)
    assert ask("root", "sign", str(out), *given(str(tmp_path / "long.pem")), "--out", str(plain), code=1)["code"] == "root_key"
    (tmp_path / "long.jws").write_bytes(b" " * 2_000_000)
    assert ask("root", "publish", str(tmp_path / "long.jws"), "--state", state, code=1)["code"] == "too_large"


def test_the_first_root_of_a_chain_bears_its_own_signatures(state: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    drafted, signed = str(tmp_path / "2.json"), str(tmp_path / "2.jws")
    ask("root", "draft", "--state", state, *given(*keys), "--threshold", "2", "--out", drafted)
    ask("root", "sign", drafted, *given(keys[0]), "--out", signed)
    assert ask("root", "publish", signed, "--state", state, code=1)["code"] == "root_threshold"
    (tmp_path / "old.json").write_bytes(Path(drafted).read_bytes().replace(b'"version":2', b'"version":1'))
    ask("root", "sign", str(tmp_path / "old.json"), *given(*keys), "--out", signed)
    assert ask("root", "publish", signed, "--state", state, code=1)["code"] == "root_rollback"
    ask("root", "sign", str(Path(state) / "trust-root.json"), *given(*keys), "--out", signed)
    assert ask("root", "publish", signed, "--state", state, code=1)["code"] == "root_unsigned"


def test_floors_stay_unless_given(state: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    make(state, tmp_path / "2.jws", *keys)
    ask("publish", "--state", state, "--list", "pub-eaa")
    made = make(state, tmp_path / "3.jws", *keys)
    assert made["lists"]["pub-eaa"] == 1
    made = make(state, tmp_path / "4.jws", *keys, floor="pub-eaa=2")
    assert made["lists"]["pub-eaa"] == 2
    assert payload_of((tmp_path / "4.jws").read_bytes()) == installed(state)


def test_a_publication_that_was_cut_off_is_finished(state: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    """The immutable file was written, the pointer was not: the same bytes go on, others are refused."""
    make(state, tmp_path / "2.jws", *keys)
    before = (Path(state) / "trust-root.json").read_bytes()
    make(state, tmp_path / "3.jws", *keys)
    (Path(state) / "trust-root.json").write_bytes(before)
    again = tmp_path / "again.jws"
    ask("root", "sign", str(tmp_path / "3.jws.json"), *given(*keys), "--out", str(again))
    assert ask("root", "publish", str(again), "--state", state, code=1)["code"] == "root_conflict"
    assert ask("root", "publish", str(tmp_path / "3.jws"), "--state", state)["version"] == 3


def test_a_verifier_finds_the_chain_in_the_publishers_files(state: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    make(state, tmp_path / "2.jws", *keys)
    begun = installed(state)
    make(state, tmp_path / "3.jws", *keys)
    assert RootStore(Path(state)).latest(begun).version == 3


@pytest.mark.parametrize("digits", [16, 17, 5000])
def test_a_number_beyond_all_versions_is_not_found(state: str, digits: int) -> None:
    client = TestClient(create_app(Path(state)), base_url=HOST)
    for address in (f"/root/{'9' * digits}.jws", f"/lists/pub-eaa/{'9' * digits}.jws"):
        assert client.get(address).status_code == 404
    assert client.get("/lists/pub-eaa/1.jws").status_code == 200


def test_help() -> None:
    for command in ("new-key", "draft", "sign", "check", "publish"):
        assert "Usage" in run("root", command, "--help").stdout
