"""The commands: one JSON document on stdout, words on stderr, exit codes 0 to 3 (the issue's command line)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from tests.support.pki import new_key
from tests.support.trust import subject
from trust_list.cli import app
from trust_list.store import Publisher
from vc.documents import catalogue
from vc.encoding import json
from vc.keys.signer import LocalSigner
from vc.x509.build import CertificateSpec, issue

NAME, NUMBER = "Urssaf-like (test)", "NTRFR-000000010"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def ask(*arguments: str, code: int = 0) -> dict[str, Any]:
    """The one JSON document of a command that ends with `code`."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    assert result.stdout.count("\n") == 1
    return json.loads_object(result.stdout)


def signer(name: str = NAME, number: str = NUMBER, **changes: Any) -> LocalSigner:
    """A certificate valid today: commands read the clock of the machine."""
    key, now = new_key(), datetime.now(UTC).replace(microsecond=0)
    members = {"not_before": now - timedelta(days=1), "not_after": now + timedelta(days=30), **changes}
    spec = CertificateSpec(subject=subject(name, "FR", number), **members)
    return LocalSigner(key, (issue(spec, key.public_key(), signer=key, issuer=None, serial=1),))


def write(path: Path, who: LocalSigner) -> str:
    path.write_bytes(who.chain[0].public_bytes(Encoding.PEM))
    return str(path)


@pytest.fixture
def state(tmp_path: Path) -> str:
    folder = tmp_path / "state"
    folder.mkdir()
    ask("init", "--state", str(folder), "--base-url", "http://localhost:9")
    return str(folder)


@pytest.fixture
def seal(tmp_path: Path) -> str:
    return write(tmp_path / "seal.pem", signer())


@pytest.fixture
def status_signer(tmp_path: Path) -> str:
    return write(tmp_path / "status.pem", signer())


def add(state: str, *certificates: str, **options: str) -> tuple[str, ...]:
    members = {
        "--list": "pub-eaa", "--name": NAME, "--country": "fr", "--registration-id": NUMBER, "--law": "OJ:FR-TEST-1",
        "--type": "pda1", **{f"--{name.replace('_', '-')}": value for name, value in options.items()},
    }  # fmt: skip
    given = [part for pair in members.items() if pair[1] for part in pair]
    return ("add-entity", "--state", state, *given, *(part for path in certificates for part in ("--certificate", path)))


def test_help_everywhere() -> None:
    assert run("--help").exit_code == 0
    for command in ("init", "add-entity", "add-service", "withdraw", "publish", "verify", "fetch", "explain", "status", "serve"):
        result = run(command, "--help")
        assert result.exit_code == 0
        assert "Usage" in result.stdout


def test_from_nothing_to_a_trusted_certificate(state: str, seal: str, status_signer: str) -> None:
    staged = ask(*add(state, seal, status_signer), "--role", "issuance", "--role", "revocation")
    assert (staged["staged"], staged["edition"]) == (True, None)
    published = ask("publish", "--state", state)
    assert {row["list"]: row["sequence"] for row in published["editions"]} == {"pid": 1, "pub-eaa": 1, "wallet": 1}
    told = ask("explain", seal, "--state", state, "--type", "pda1")
    assert told["outcome"] == "TRUSTED"
    assert told["entity"] == {"id": NUMBER, "name": NAME, "country": "FR"}
    assert [(edge["from"], edge["to"], edge["question"]) for edge in told["edges"]] == [
        ("certificate", "entry", "path"), ("certificate", "entry", "identity"), ("entry", "list", "listed"),
        ("list", "signer", "sealed"), ("signer", "root", "pinned"), ("document", "entry", "scope"),
        ("document", "entry", "content"), ("certificate", "national_lists", "qualified"),
    ]  # fmt: skip
    assert [edge["result"] for edge in told["edges"]] == ["passed"] * 7 + ["not_checked"]
    status = ask("explain", status_signer, "--state", state, "--role", "revocation", "--entity", NUMBER)
    assert status["outcome"] == "TRUSTED"


@pytest.mark.parametrize("attestation_type", ["pda1", "ehic"])
def test_a_type_may_be_issued_under_every_identifier_we_accept(state: str, seal: str, attestation_type: str) -> None:
    ask(*add(state, seal, type=attestation_type))
    ask("publish", "--state", state, "--list", "pub-eaa")
    vcts = catalogue.accepted_types(attestation_type, "dc+sd-jwt")
    assert vcts
    for vct in vcts:
        told = ask("explain", seal, "--state", state, "--type", attestation_type, "--type-id", vct)
        assert told["outcome"] == "TRUSTED"


def test_explains_why_not(state: str, seal: str, tmp_path: Path) -> None:
    ask(*add(state, seal))
    ask("publish", "--state", state)
    wrong_type = ask("explain", seal, "--state", state, "--type", "ehic", code=1)
    assert wrong_type["outcome"] == "OUT_OF_SCOPE"
    assert wrong_type["reasons"][0]["text"] == "this certificate is on list pub-eaa edition 1 as PDA1 issuer for FR, not for EHIC"
    assert wrong_type["reasons"][0]["next"]
    stranger = ask("explain", write(tmp_path / "x.pem", signer()), "--state", state, "--type", "pda1", code=1)
    assert (stranger["outcome"], stranger["entity"]) == ("UNKNOWN_ISSUER", None)
    spoken = run("explain", seal, "--state", state, "--type", "ehic")
    assert spoken.exit_code == 1
    assert "[NO] ehic → Pub-EAA provider Urssaf-like (test), scope: this certificate is on list pub-eaa" in spoken.stdout
    assert "what to do: Do not rely on it for this purpose; ask the institution named in the document." in spoken.stdout


def test_explains_for_the_day_of_signing(state: str, seal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Historical mode: an outcome of its own, with exit code 0. The withdrawal comes an hour after the first edition."""
    ask(*add(state, seal))
    ask("publish", "--state", state)
    signed = datetime.now(UTC) + timedelta(minutes=1)
    for module in ("cli_publisher", "cli_reader"):
        monkeypatch.setattr(f"trust_list.{module}.now", lambda: (signed + timedelta(hours=1)).replace(microsecond=0))
    ask("withdraw", "--state", state, "--entity", NUMBER, "--reason", "merged")
    asked = ("explain", seal, "--state", state, "--type", "pda1", "--issued", f"{signed:%Y-%m-%dT%H:%M:%SZ}")
    assert ask(*asked, code=1)["outcome"] == "WITHDRAWN"
    told = ask(*asked, "--mode", "historical")
    assert (told["outcome"], [item["code"] for item in told["warnings"]]) == ("TRUSTED_AT_ISSUANCE", ["withdrawn_since"])
    assert "TRUSTED_AT_ISSUANCE (historical, judged for" in run(*asked, "--mode", "historical").stdout


def test_changes_after_the_first_edition_are_published_at_once(state: str, seal: str) -> None:
    ask("publish", "--state", state)
    assert ask(*add(state, seal))["edition"]["sequence"] == 2
    gone = ask("withdraw", "--state", state, "--entity", NUMBER, "--reason", "merged")
    assert gone["edition"]["sequence"] == 3
    told = ask("explain", seal, "--state", state, "--type", "pda1", code=1)
    assert told["outcome"] == "WITHDRAWN"
    assert "(merged)" in told["reasons"][0]["text"]


def test_stage_waits_for_publish(state: str, seal: str) -> None:
    ask("publish", "--state", state)
    assert ask(*add(state, seal), "--stage")["staged"] is True
    rows = {row["list"]: row for row in ask("status", "--state", state)["lists"]}
    assert (rows["pub-eaa"]["staged_changes"], rows["pub-eaa"]["sequence"], rows["pid"]["staged_changes"]) == (True, 1, False)
    ask("publish", "--state", state, "--list", "pub-eaa")
    rows = {row["list"]: row for row in ask("status", "--state", state)["lists"]}
    assert (rows["pub-eaa"]["staged_changes"], rows["pub-eaa"]["sequence"], rows["pub-eaa"]["entities"]) == (False, 2, 1)


def test_add_a_service_and_withdraw_one_key(state: str, seal: str, tmp_path: Path) -> None:
    ask(*add(state, seal))
    ask("publish", "--state", state)
    fresh = write(tmp_path / "fresh.pem", signer())
    added = ask("add-service", "--state", state, "--list", "pub-eaa", "--entity", NUMBER, "--certificate", fresh, "--type", "pda1")
    assert added["edition"]["sequence"] == 2
    ask("withdraw", "--state", state, "--entity", NUMBER, "--reason", "rotation", "--certificate", seal)
    assert ask("explain", seal, "--state", state, "--type", "pda1", code=1)["outcome"] == "WITHDRAWN"
    assert ask("explain", fresh, "--state", state, "--type", "pda1")["outcome"] == "TRUSTED"


def test_verify_a_file(state: str, seal: str, tmp_path: Path) -> None:
    ask(*add(state, seal))
    ask("publish", "--state", state)
    path = Path(state) / "lists" / "pub-eaa" / "1.jws"
    facts = ask("verify", str(path), "--state", state)
    assert (facts["outcome"], facts["list"], facts["sequence"], facts["entities"]) == ("accepted", "pub-eaa", 1, 1)
    wrong_list = ask("verify", str(path), "--state", state, "--list", "pid", code=1)
    assert wrong_list["code"] == "list_type"
    tampered = tmp_path / "tampered.jws"
    tampered.write_bytes(path.read_bytes()[:-8] + b"AAAAAAAA")
    assert ask("verify", str(tampered), "--trust-root", str(Path(state) / "trust-root.json"), code=1)["code"] == "signature"
    assert ask("verify", str(tmp_path / "none.jws"), "--state", state, code=3)["outcome"] == "wrong_use"


def test_fetch_says_what_cannot_be_determined(state: str) -> None:
    """Nothing listens on port 9 of this machine."""
    ask("publish", "--state", state)
    rows = ask("fetch", "--trust-root", str(Path(state) / "trust-root.json"), code=2)["lists"]
    assert {(row["state"], row["outage"], row["alarm"]) for row in rows} == {("NEVER", "unreachable", None)}


def test_status_warns_of_a_list_that_has_run_out(state: str) -> None:
    result = run("publish", "--state", state, "--valid-days", "0.0001")
    assert result.exit_code == 0
    edition = Publisher(Path(state)).latest("pid")
    assert edition is not None
    assert edition.lote.scheme.NextUpdate is not None
    assert run("status", "--state", state).exit_code in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("publish", "--state", "{state}/none"), "not_initialised", 3),
        (("init", "--state", "{state}"), "already_initialised", 3),
        (("withdraw", "--state", "{state}", "--entity", "NTRFR-404", "--reason", "x"), "entity_unknown", 3),
        (("publish", "--state", "{state}", "--list", "wrpac"), "list_unknown", 3),
        (("verify", "{seal}", "--state", "{state}"), "jws", 1),
        (("explain", "{seal}",), "trust_root_missing", 3),
        (("explain", "{seal}", "--state", "{state}", "--role", "both"), "role", 3),
        (("explain", "{seal}", "--state", "{state}", "--mode", "lenient"), "mode", 3),
        (("explain", "{seal}", "--state", "{state}", "--at", "today"), "time", 3),
        (("explain", "{seal}", "--state", "{state}", "--type", "a1"), "type_unknown", 3),
        (("explain", "{state}/trust-root.json", "--state", "{state}"), "certificate", 3),
    ],
)  # fmt: skip
def test_refusals(state: str, seal: str, arguments: tuple[str, ...], code: str, exit_code: int) -> None:
    result = ask(*(part.format(state=state, seal=seal) for part in arguments), code=exit_code)
    assert result["code"] == code


def test_refuses_entities_that_break_the_list(state: str, seal: str, tmp_path: Path) -> None:
    assert ask(*add(state, seal, law=""), code=1)["code"] == "list_findings"
    assert ask(*add(state, seal, name="Another name"), code=1)["code"] == "list_findings"
    assert ask(*add(state, seal), "--role", "both", code=3)["code"] == "role"
    assert ask(*add(state, seal), "--format", "ldp_vc", code=3)["code"] == "type_unknown"
    ask(*add(state, seal))
    assert ask(*add(state, seal), code=1)["code"] == "entity_exists"


def test_words_go_to_stderr_when_it_fails(state: str) -> None:
    result = run("withdraw", "--state", state, "--entity", "NTRFR-404", "--reason", "x")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "entity_unknown" in result.stderr
