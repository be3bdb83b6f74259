"""The issuer as a process, and its commands against it: one JSON document on stdout, messages on stderr, exit codes."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from edge.outbound import FetchLimits, Outbound
from issuer.cli import app
from tests.support import issuer as world
from vc.errors import Unreachable
from vc.openid4vci import offer

pytestmark = pytest.mark.live
_ROOT = Path(__file__).resolve().parents[2]
_INSTITUTIONS = (
    {"id": "fr-urssaf", "country": "FR", "types": ["pda1"]},
    {"id": "fr-cnam", "country": "FR", "types": ["ehic"]},
    {"id": "test-pid", "country": "FR", "types": ["pid"]},
)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state directory as the demo leaves it, with a real issuer process behind it."""
    directory = Path(tmp_path_factory.mktemp("state"))
    port = _free_port()
    base_url = f"http://localhost:{port}"
    raw = world.build(directory, base_url=base_url, listen={"host": "localhost", "port": port, "tls": None}).raw
    (directory / "issuer.json").write_text(json.dumps(raw))
    institutions = [
        {**entry, "credential_issuer": f"{base_url}/{entry['id']}", "api_token": world.token_of(str(entry["id"]))}
        for entry in _INSTITUTIONS
    ]
    (directory / "demo.json").write_text(json.dumps({"issuer": base_url, "institutions": institutions, "ca_files": {"tls": None}}))
    with (directory / "issuer.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "issuer", "--settings", str(directory / "issuer.json")],
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            stdout=log,
            stderr=log,
        )
        try:
            _wait(base_url, process)
            yield directory
        finally:
            process.terminate()
            process.wait(10)


def _wait(base_url: str, process: "subprocess.Popen[bytes]") -> None:
    outbound = Outbound(FetchLimits(allow_loopback=True, total_seconds=2.0))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if outbound.get(f"{base_url}/healthz").status == 200:
                outbound.close()
                return
        except Unreachable:
            time.sleep(0.1)
    raise AssertionError("the issuer did not start")


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    path = tmp_path / "documents.json"
    entries = [
        {"id": "a1", "case": "plain", "synthetic": True, "checks": [], "document_data": world.PDA1, "identity": world.IDENTITY},
        {"id": "card", "document_data": world.EHIC, "identity": world.IDENTITY},
        {"id": "bad", "document_data": {**world.PDA1, "ending_date": "never"}, "identity": world.IDENTITY},
        {"id": "elsewhere", "document_data": json.loads(json.dumps(world.EHIC).replace("FR", "DE")), "identity": world.IDENTITY},
    ]
    path.write_text(json.dumps(entries))
    return path


def _run(state: Path | None, *arguments: str) -> Result:
    environment = {} if state is None else {"PORTADOC_STATE": str(state)}
    return CliRunner().invoke(app, arguments, env=environment)


def _json(result: Result) -> dict[str, Any]:
    """The one JSON document on stdout."""
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(("decision", "hold"), [(["release"], None), (["refuse", "--reason", "not_insured"], "refused")])
def test_hold_decide_status(state: Path, documents: Path, decision: list[str], hold: str | None) -> None:
    """A document that is held, and what is decided about it."""
    held = ["offer", "--institution", "auto", "--document", str(documents), "--case", "a1", "--hold", "--json"]
    document_id = _json(_run(state, *held))["document_id"]
    assert _json(_run(state, "status", document_id, "--json"))["hold"] == "held"
    assert "held" in _run(state, "status", document_id).stdout
    command, *options = decision
    assert _json(_run(state, command, document_id, *options, "--json"))["hold"] == hold
    after = _json(_run(state, "status", document_id, "--json"))
    assert (after["hold"], after["deferred"]) == (hold, [])
    assert after["history"][-1]["event"] in ("document_released", "document_refused")
    assert not {"document", "identity"} & after.keys()
    other = "refuse" if command == "release" else "release"
    refused = _run(state, other, document_id, *(["--reason", "late"] if other == "refuse" else []))
    assert refused.exit_code == 1


def test_offer_status_revoke(state: Path, documents: Path) -> None:
    offered = _json(_run(state, "offer", "--institution", "auto", "--document", str(documents), "--case", "a1", "--json"))
    assert offered.keys() >= {"document_id", "offer_id", "credential_offer_uri", "tx_code"}
    assert offered["institution"] == "fr-urssaf"
    link = offer.parse_link(offered["credential_offer_uri"], allow_http_loopback=True)
    assert link.uri is not None
    assert len(offered["tx_code"]) == 6
    document_id = offered["document_id"]
    found = _json(_run(state, "status", document_id, "--json"))
    assert (found["state"], found["type"], found["credentials"]) == ("valid", "pda1", [])
    assert [event["event"] for event in found["history"]] == ["document_created", "offer_created"]
    revoked = _json(_run(state, "revoke", document_id, "--reason", "fraud", "--effective-from", "2026-01-31", "--json"))
    assert (revoked["state"], revoked["effective_from"]) == ("revoked", "2026-01-31T00:00:00Z")
    assert _json(_run(state, "revoke", document_id, "--json")) == revoked
    assert _json(_run(state, "status", document_id, "--json"))["state"] == "revoked"


def test_offer_by_value_in_one_format_and_profile(state: Path, documents: Path) -> None:
    arguments = ("offer", "--institution", "fr-cnam", "--document", str(documents), "--case", "card", "--by-value", "--json")
    link = offer.parse_link(_json(_run(state, *arguments))["credential_offer_uri"], allow_http_loopback=True)
    assert link.offer is not None
    assert link.offer.configuration_ids == ("ehic_dc4eu-1_sd_jwt", "eu.europa.ec.eudi.ehic_mdoc")
    only = _json(_run(state, *arguments, "--format", "dc+sd-jwt", "--profile", "dc4eu-2"))
    link = offer.parse_link(only["credential_offer_uri"], allow_http_loopback=True)
    assert link.offer is not None
    assert link.offer.configuration_ids == ("ehic_dc4eu-2_sd_jwt",)


def test_without_json_the_text_is_for_people(state: Path, documents: Path) -> None:
    result = _run(state, "offer", "--institution", "auto", "--document", str(documents), "--case", "a1")
    assert result.exit_code == 0
    assert result.stdout.startswith("openid-credential-offer://")
    assert "transaction code" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--case", "bad", "--institution", "auto"), 1, "/ending_date"),
        (("--case", "bad", "--institution", "fr-urssaf"), 1, "/document_data/ending_date"),
        (("--case", "card", "--institution", "fr-urssaf"), 1, "type_not_entitled"),
        (("--case", "elsewhere", "--institution", "auto"), 1, "no institution"),
        (("--case", "a1", "--institution", "fr-urssaf", "--profile", "dc4eu-9"), 1, "unknown_profile"),
        (("--case", "a1", "--institution", "nobody"), 3, "nobody"),
        (("--case", "nothing", "--institution", "auto"), 3, "--case"),
        (("--institution", "auto"), 3, "--case"),
        (("--case", "a1", "--institution", "auto", "--format", "jwt_vc_json"), 3, "--format"),
    ],
)
def test_offers_that_are_refused(state: Path, documents: Path, arguments: tuple[str, ...], exit_code: int, words: str) -> None:
    result = _run(state, "offer", "--document", str(documents), *arguments, "--json")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert words in result.stderr


def test_a_document_nobody_knows(state: Path) -> None:
    for command in ("status", "revoke"):
        result = _run(state, command, "0" * 32, "--json")
        assert (result.exit_code, result.stdout) == (1, "")


def test_wrong_use(tmp_path: Path, documents: Path) -> None:
    """Exit code 3: no state named, no demo there, a file that is none."""
    assert _run(None, "status", "x").exit_code == 3
    assert _run(tmp_path, "status", "x").exit_code == 3
    (tmp_path / "demo.json").write_text("{}")
    assert _run(tmp_path, "status", "x").exit_code == 3
    missing = _run(tmp_path, "offer", "--institution", "auto", "--document", str(tmp_path / "none.json"))
    assert missing.exit_code == 3
    documents.write_text("{")
    assert _run(tmp_path, "offer", "--institution", "auto", "--document", str(documents)).exit_code == 3


def test_an_issuer_that_does_not_answer(tmp_path: Path) -> None:
    """Exit code 2: cannot be determined."""
    entry = {**_INSTITUTIONS[0], "api_token": "x"}
    demo = {"issuer": f"http://localhost:{_free_port()}", "institutions": [entry], "ca_files": {}}
    (tmp_path / "demo.json").write_text(json.dumps(demo))
    result = _run(tmp_path, "status", "0" * 32, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "does not answer" in result.stderr


def test_migrate_and_after_restore(tmp_path: Path) -> None:
    path = tmp_path / "issuer.json"
    path.write_text(json.dumps(world.build(tmp_path).raw))
    assert _run(None, "migrate", "--settings", str(path)).exit_code == 0
    assert _run(None, "after-restore", "--settings", str(path)).exit_code == 0
    assert (tmp_path / "issuer.db").exists()
    path.write_text("{}")
    for command in ("migrate", "after-restore", "serve"):
        result = _run(None, command, "--settings", str(path))
        assert result.exit_code == 3
        assert "setting" in result.stderr


def test_help_everywhere() -> None:
    for command in ("offer", "revoke", "status", "serve", "migrate", "after-restore"):
        assert _run(None, command, "--help").exit_code == 0


def test_the_log_of_the_process_names_nobody(state: Path, documents: Path) -> None:
    """SECURITY P-1, on the real process."""
    _run(state, "offer", "--institution", "auto", "--document", str(documents), "--case", "a1", "--json")
    written = (state / "issuer.log").read_text()
    assert "offer_created" in written
    for value in ("MARTIN", "Camille", world.PDA1["personal_administrative_number"], world.token_of("fr-urssaf")):
        assert value not in written
