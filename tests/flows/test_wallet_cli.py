"""`portadoc wallet …` against the whole chain: what is on stdout, what on stderr, exit codes, files (issue: command line)."""

import json
import logging
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from tests.support import issuer as issuing
from tests.support.chain import FORMATS, Chain, running_chain
from tests.support.pki import root
from wallet_sim import cli, cli_session, mischief, world
from wallet_sim.holdings import Store

QUESTION = {"purpose": "a1-inspection", "host_country": "DE", "on": "2026-10-15", "format": "dc+sd-jwt"}


class Terminal:
    """A terminal in front of the chain, with a demo's state directory."""

    def __init__(self, folder: Path, chain: Chain) -> None:
        self.folder, self.chain, self.runner = folder, chain, CliRunner()
        self.state = folder / "state"
        self.state.mkdir()
        (self.state / "access.pem").write_bytes(chain.world.access_authority.certificate.public_bytes(Encoding.PEM))
        demo = {
            "issuer": issuing.BASE_URL,
            "institutions": [
                {
                    "id": name,
                    "country": "FR",
                    "types": facts["types"],
                    "credential_issuer": f"{issuing.BASE_URL}/{name}",
                    "api_token": issuing.token_of(name),
                }
                for name, facts in issuing.INSTITUTIONS.items()
            ],
            "ca_files": {"access": "access.pem", "tls": None},
            "trust_root": str(chain.world.folder / "trust-root.json"),
        }
        (self.state / "demo.json").write_text(json.dumps(demo))
        self.identity = folder / "identity.json"
        self.identity.write_text(json.dumps({"id": "one", "identity": issuing.IDENTITY}))

    def run(self, *arguments: str, state: bool = True, answer: str | None = None) -> Result:
        where = ["--state", str(self.state)] if state and arguments[0] != "mischief" else []
        return self.runner.invoke(cli.app, [*arguments, *where], input=answer)

    def offer(self, institution: str = "fr-urssaf", **wishes: Any) -> list[str]:
        """Arguments that receive a fresh offer."""
        created = issuing.offer(self.chain.issuer, institution, **{"formats": ["dc+sd-jwt"], **wishes})
        return ["receive", created["credential_offer_uri"], "--tx-code", created["tx_code"]]

    def ready(self) -> None:
        """PID and A1 are in the wallet."""
        assert self.run("get-pid", "--identity", str(self.identity)).exit_code == 0
        assert self.run(*self.offer()).exit_code == 0

    def ask(self, **question: Any) -> dict[str, Any]:
        return self.chain.ask(**{**QUESTION, **question})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with running_chain(tmp_path_factory.mktemp("chain")) as made:
        yield made


@pytest.fixture
def chain(tmp_path: Path, running: Chain) -> Chain:
    """The chain with a wallet of this test's own."""
    running.wallet = running.new_wallet(tmp_path / "wallet")
    return running


@pytest.fixture
def terminal(tmp_path: Path, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.delenv("PORTADOC_STATE", raising=False)
    # The wiring of a process: this one's internet and clock instead of the machine's.
    monkeypatch.setattr(cli_session, "load", partial(world.load, transport=chain.internet))
    monkeypatch.setattr(cli_session, "now", chain.world.clock)
    yield Terminal(tmp_path, chain)
    structlog.reset_defaults()  # the commands pointed the logs at a terminal that is gone
    logging.basicConfig(force=True)


def one_document(result: Result) -> dict[str, Any]:
    """stdout is exactly one JSON document."""
    value: dict[str, Any] = json.loads(result.stdout)
    assert isinstance(value, dict)
    return value


def test_a_pid_for_an_identity(terminal: Terminal) -> None:
    result = terminal.run("get-pid", "--identity", str(terminal.identity), "--json")
    assert result.exit_code == 0, result.stderr
    assert [item["format"] for item in one_document(result)["credentials"]] == list(FORMATS)
    assert [item["number"] for item in one_document(result)["credentials"]] == [1, 2]


@pytest.mark.parametrize(("format", "formats"), [("dc+sd-jwt", ["dc+sd-jwt"]), ("mso_mdoc", ["mso_mdoc"])])
def test_a_pid_in_one_format_from_a_bare_identity(terminal: Terminal, format: str, formats: list[str]) -> None:
    terminal.identity.write_text(json.dumps(issuing.IDENTITY))
    result = terminal.run("get-pid", "--identity", str(terminal.identity), "--format", format, "--json")
    assert [item["format"] for item in one_document(result)["credentials"]] == formats


def test_a_pid_of_one_entry_of_a_list(terminal: Terminal) -> None:
    terminal.identity.write_text(json.dumps([{"id": "a", "identity": issuing.IDENTITY}, {"id": "b", "identity": {}}]))
    assert terminal.run("get-pid", "--identity", str(terminal.identity)).exit_code == 3
    assert terminal.run("get-pid", "--identity", str(terminal.identity), "--case", "a").exit_code == 0


@pytest.mark.parametrize("content", ["not json", "[]", "{}", '{"identity": {}}', '{"identity": 1}', '{"a":1,"a":2}', None])
def test_an_identity_that_is_none_is_wrong_use(terminal: Terminal, content: str | None) -> None:
    if content is None:
        terminal.identity.unlink()
    else:
        terminal.identity.write_text(content)
    result = terminal.run("get-pid", "--identity", str(terminal.identity), "--json")
    assert result.exit_code == 3
    assert one_document(result)["error"]["code"] == "wrong_use"


def test_an_identity_the_provider_refuses(terminal: Terminal) -> None:
    terminal.identity.write_text(json.dumps({"identity": {"family_name": "MARTIN"}}))
    result = terminal.run("get-pid", "--identity", str(terminal.identity), "--json")
    assert result.exit_code == 1
    assert one_document(result)["error"]["code"] == "pid_provider"
    assert "/identity" in result.stderr


def test_a_pid_needs_a_demo_with_a_provider(terminal: Terminal, tmp_path: Path) -> None:
    where = ["--store", str(tmp_path / "w.json")]
    assert terminal.run("get-pid", "--identity", str(terminal.identity), *where, state=False).exit_code == 3
    demo = json.loads((terminal.state / "demo.json").read_text())
    (terminal.state / "demo.json").write_text(json.dumps({**demo, "institutions": demo["institutions"][:1]}))
    assert "no PID provider" in terminal.run("get-pid", "--identity", str(terminal.identity)).stderr
    assert terminal.run("get-pid", "--identity", str(terminal.identity), "--format", "jwt_vc").exit_code == 3


def test_receiving_listing_showing_exporting(terminal: Terminal) -> None:
    terminal.ready()
    listed = one_document(terminal.run("list", "--json"))["credentials"]
    assert [item["configuration_id"] for item in listed] == ["pid_sd_jwt", "pid_mdoc", "pda1_dc4eu-2_sd_jwt"]
    assert "pda1" in terminal.run("list").stdout
    shown = one_document(terminal.run("show", "3", "--json"))
    assert shown["claims"]["document_number"] == issuing.PDA1["document_number"]
    assert shown["status"]["uri"].startswith(f"{issuing.BASE_URL}/fr-urssaf/status/")
    assert "document_number" in terminal.run("show", "3").stdout
    exported = one_document(terminal.run("export", "3"))
    held = Store(terminal.state / "wallet.json").holding(3).copies[0]
    assert exported["credential"] == held.credential
    assert set(exported["holder_key"]) == {"kty", "crv", "x", "y", "d"}
    assert exported["copies"][0]["credential"] == held.credential
    assert stat.S_IMODE((terminal.state / "wallet.json").stat().st_mode) == 0o600


def test_keys_are_printed_by_export_only(terminal: Terminal) -> None:  # SECURITY W-7
    terminal.ready()
    secret = one_document(terminal.run("export", "3"))["holder_key"]["d"]
    for command in (["list"], ["list", "--json"], ["show", "3"], ["show", "3", "--json"]):
        assert secret not in terminal.run(*command).output


def test_an_empty_wallet_says_so(terminal: Terminal) -> None:
    assert terminal.run("list").stdout == "the wallet is empty\n"
    result = terminal.run("show", "1", "--json")
    assert result.exit_code == 3
    assert one_document(result)["error"]["code"] == "holding_unknown"


def test_presenting_prints_one_document_and_tells_the_person_on_stderr(terminal: Terminal) -> None:
    terminal.ready()
    made = terminal.ask()
    result = terminal.run("present", made["request_uri"], "--json")
    assert result.exit_code == 0, result.stderr
    shown = one_document(result)
    assert (shown["http_status"], shown["answer"], shown["misbehaviour"]) == (200, {}, None)
    assert sorted(shown["credentials"].values()) == [1, 3]
    assert any("document_number" in names for names in shown["disclosed"].values())
    assert "asks for 2 credential(s)" in result.stderr
    assert terminal.chain.verdict(made)["outcome"] == "accept"
    assert "HTTP 200" in terminal.run("present", terminal.ask()["request_uri"]).stdout


@pytest.mark.parametrize(("answer", "code", "state"), [("y\n", 0, "answered"), ("n\n", 1, "failed"), ("\n", 1, "failed")])
def test_asking_first(terminal: Terminal, answer: str, code: int, state: str) -> None:
    terminal.ready()
    made = terminal.ask()
    assert terminal.run("present", made["request_uri"], "--ask", answer=answer).exit_code == code
    assert terminal.chain.verifier.get(f"/api/v1/requests/{made['transaction_id']}").json()["state"] == state


def test_misbehaving_is_refused_with_exit_code_one(terminal: Terminal) -> None:
    terminal.ready()
    transcript = terminal.folder / "transcript.json"
    made = terminal.ask()
    arguments = ["--misbehave", "stale-nonce", "--json", "--transcript", str(transcript)]
    result = terminal.run("present", made["request_uri"], *arguments)
    assert result.exit_code == 1
    assert one_document(result)["http_status"] == 400
    assert one_document(result)["misbehaviour"] == "stale-nonce"
    entries = json.loads(transcript.read_text())
    assert any(entry.get("name") == "stale-nonce" for entry in entries)
    assert issuing.IDENTITY["family_name"] not in transcript.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["--misbehave", "nothing"], 3, "mischief_unknown"),
        (["--misbehave", "altered-mdoc-item"], 3, "mischief_not_applicable"),
    ],
)
def test_misbehaviour_without_a_place_is_wrong_use(terminal: Terminal, arguments: list[str], code: int, error: str) -> None:
    terminal.ready()
    result = terminal.run("present", terminal.ask()["request_uri"], *arguments, "--json")
    assert result.exit_code == code
    assert one_document(result)["error"]["code"] == error


def test_misbehaving_when_receiving(terminal: Terminal) -> None:
    result = terminal.run(*terminal.offer(), "--misbehave", "foreign-proof-key", "--json")
    assert result.exit_code == 1
    assert one_document(result)["error"]["code"] == "invalid_proof"


def test_a_due_transaction_code_is_wrong_use_when_missing(terminal: Terminal) -> None:
    result = terminal.run(*terminal.offer()[:2], "--json")
    assert result.exit_code == 3
    assert "--tx-code" in result.stderr


def test_what_cannot_be_told_has_exit_code_two_and_a_transcript(terminal: Terminal) -> None:
    transcript = terminal.folder / "transcript.json"
    arguments = terminal.offer()
    terminal.chain.internet.down.add("lists.test")
    result = terminal.run(*arguments, "--json", "--transcript", str(transcript))
    assert result.exit_code == 2
    assert one_document(result)["error"]["code"] == "trust_list"
    assert json.loads(transcript.read_text())[-1]["what"] == "stopped"
    assert not (terminal.state / "wallet.json").exists()


def test_a_verifier_that_fails_has_exit_code_two(terminal: Terminal) -> None:
    terminal.ready()
    made = terminal.ask()
    terminal.chain.internet.down.add("localhost")
    assert terminal.run("present", made["request_uri"], "--json").exit_code == 2


def test_explicit_files_win_over_the_demo(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ready()
    other = tmp_path / "other.pem"
    other.write_bytes(root("Other").certificate.public_bytes(Encoding.PEM))
    made = terminal.ask()
    result = terminal.run("present", made["request_uri"], "--access-ca", str(other), "--json")
    assert one_document(result)["error"]["code"] == "path_unknown_issuer"
    mine = terminal.state / "access.pem"
    store = terminal.state / "wallet.json"
    arguments = ["--store", str(store), "--access-ca", str(mine)]
    assert terminal.run("present", made["request_uri"], *arguments, state=False).exit_code == 0


def test_without_a_trust_root_a_wallet_still_receives(terminal: Terminal, tmp_path: Path) -> None:
    arguments = [*terminal.offer(), "--store", str(tmp_path / "own.json")]
    assert terminal.run(*arguments, state=False).exit_code == 0
    assert "no access certificate authority" in terminal.run("present", "openid4vp://?x", *arguments[-2:], state=False).stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list"], "--store"),
        (["list", "--store", "{folder}"], "Is a directory"),
        (["present", "openid4vp://?x", "--store", "w", "--access-ca", "{identity}"], "not a PEM file"),
        (["receive", "openid-credential-offer://?x", "--store", "w", "--trust-root", "{folder}/none"], ""),
    ],
)
def test_wrong_use_says_what_to_do(terminal: Terminal, arguments: list[str], sentence: str) -> None:
    filled = [argument.format(folder=terminal.folder, identity=terminal.identity) for argument in arguments]
    result = terminal.run(*filled, state=False)
    assert result.exit_code in (1, 3)
    assert sentence in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("content", ["", "[]", "junk"])
def test_a_broken_demo_file_is_wrong_use(terminal: Terminal, content: str) -> None:
    (terminal.state / "demo.json").write_text(content)
    assert terminal.run("list").exit_code == 3


def test_a_state_without_a_demo_is_just_a_place_for_the_wallet(terminal: Terminal) -> None:
    (terminal.state / "demo.json").unlink()
    assert terminal.run("list").exit_code == 0


def test_the_list_of_misbehaviours(terminal: Terminal) -> None:
    rows = one_document(terminal.run("mischief", "--json"))["mischief"]
    assert [row["name"] for row in rows] == [*mischief.PRESENTING, *mischief.RECEIVING]
    assert all(row["breaks"] and row["rule"] and row["expected"] for row in rows)
    assert "stale-nonce" in terminal.run("mischief").stdout


def test_help_everywhere(terminal: Terminal) -> None:
    for command in ("get-pid", "receive", "present", "list", "show", "export", "mischief"):
        assert terminal.runner.invoke(cli.app, [command, "--help"]).exit_code == 0
