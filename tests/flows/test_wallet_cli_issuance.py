"""`portadoc wallet receive|request|collect|renew` against the whole chain, and a sign-in in a browser that is not the wallet's."""

import http.client
import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from tests.support import issuer as issuing
from tests.support.high_chain import CLIENT_ID, HAIP, PILOT, STRICT, HighChain, running_high_chain
from wallet_sim import cli, cli_issuance, cli_session, world
from wallet_sim.browser import OwnWindow, presenting
from wallet_sim.holdings import Store


class Terminal:
    """A terminal in front of the chain, with a demo's state directory and a PID in the wallet."""

    def __init__(self, folder: Path, chain: HighChain) -> None:
        self.chain, self.runner, self.state = chain, CliRunner(), folder / "state"
        self.state.mkdir()
        signer = chain.provider.signer
        pem = signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.state / "provider.key").write_bytes(pem)
        (self.state / "provider.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in signer.chain))
        anchors = (chain.world.access_authority, chain.deployment.authority)
        (self.state / "access.pem").write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in anchors))
        status = chain.provider.status()
        self.material = {
            "key": "provider.key", "chain": "provider.pem", "client_id": CLIENT_ID,
            "status": {"uri": status.uri, "idx": status.idx},
        }  # fmt: skip
        self.demo: dict[str, Any] = {
            "issuer": issuing.BASE_URL,
            "institutions": [{"id": "test-pid", "types": ["pid"], "api_token": issuing.token_of("test-pid")}],
            "ca_files": {"access": "access.pem", "tls": None},
            "trust_root": str(chain.world.folder / "trust-root.json"),
            "wallet_provider": self.material,
        }
        (self.state / "demo.json").write_text(json.dumps(self.demo))
        identity = folder / "identity.json"
        identity.write_text(json.dumps(chain.identity))
        assert self.run("get-pid", "--identity", str(identity), "--format", "dc+sd-jwt").exit_code == 0

    def run(self, *arguments: str) -> Result:
        return self.runner.invoke(cli.app, [*arguments, "--state", str(self.state)])

    def store(self) -> Store:
        return Store(self.state / "wallet.json")

    def request(self, institution: str, *arguments: str) -> Result:
        name = self.chain.configurations(institution)[0]
        return self.run(
            "request", self.chain.deployment.credential_issuer(institution), "--configuration", name, "--json", *arguments
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HighChain]:
    with running_high_chain(tmp_path_factory.mktemp("chain")) as made:
        yield made


@pytest.fixture
def terminal(tmp_path: Path, running: HighChain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.delenv("PORTADOC_STATE", raising=False)
    running.new_wallet(tmp_path / "wallet")
    # The wiring of a process: this one's internet and clock instead of the machine's.
    monkeypatch.setattr(cli_session, "load", partial(world.load, transport=running.internet))
    monkeypatch.setattr(cli_session, "now", running.world.clock)
    yield Terminal(tmp_path, running)
    structlog.reset_defaults()  # the commands pointed the logs at a terminal that is gone
    logging.basicConfig(force=True)


def one_document(result: Result) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(result.stdout)
    return value


def test_requesting_and_renewing(terminal: Terminal) -> None:
    terminal.chain.submit(HAIP)
    result = terminal.request(HAIP)
    assert result.exit_code == 0, result.stderr
    (stored,) = one_document(result)["credentials"]
    assert (stored["number"], stored["renewable"], one_document(result)["pending"]) == (2, True, [])
    assert "asks for 1 credential(s)" in result.stderr  # the PID was shown, and the person told
    renewed = terminal.run("renew", "2", "--json", "--copies", "2")
    assert renewed.exit_code == 0, renewed.stderr
    assert [(item["number"], item["copies"]) for item in one_document(renewed)["credentials"]] == [(2, 2)]


@pytest.mark.parametrize("grant", ["pre-authorized_code", "authorization_code"])
def test_an_offer_with_two_grants(terminal: Terminal, grant: str) -> None:
    created = terminal.chain.offer(STRICT, formats=["dc+sd-jwt"])
    arguments = ["receive", created["credential_offer_uri"], "--tx-code", created["tx_code"], "--grant", grant, "--details"]
    result = terminal.run(*arguments)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("stored as 2: ")


def test_a_provider_of_ones_own_and_none_at_all(terminal: Terminal, tmp_path: Path) -> None:
    terminal.chain.submit(HAIP)
    demo = {name: value for name, value in terminal.demo.items() if name != "wallet_provider"}
    (terminal.state / "demo.json").write_text(json.dumps(demo))
    assert one_document(terminal.request(HAIP))["error"]["code"] == "binding_unsupported"
    (terminal.state / "provider.json").write_text(json.dumps(terminal.material))
    result = terminal.request(HAIP, "--wallet-provider", str(terminal.state / "provider.json"))
    assert result.exit_code == 0, result.stderr
    wrong = terminal.request(HAIP, "--wallet-provider", str(tmp_path / "none.json"))
    assert wrong.exit_code == 3


def test_a_wallet_nobody_knows_is_wrong_use(terminal: Terminal) -> None:
    (terminal.state / "demo.json").write_text(json.dumps({**terminal.demo, "wallet_provider": None}))
    result = terminal.request(PILOT)
    assert (result.exit_code, one_document(result)["error"]["code"]) == (3, "client_needed")


def test_waiting_and_collecting(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        terminal.chain.let_pass(seconds=seconds)
        if len(slept) == 2:
            terminal.chain.decide(HAIP, document_id, "release")

    monkeypatch.setattr("wallet_sim.cli_issuance.time.sleep", sleep)
    document_id = terminal.chain.submit(HAIP, hold=True)
    result = terminal.request(HAIP)
    assert result.exit_code == 0, result.stderr
    (awaited,) = one_document(result)["pending"]
    assert awaited["number"] == 2
    assert [item["number"] for item in one_document(terminal.run("list", "--json"))["pending"]] == [2]
    assert "(awaited)" in terminal.run("list").stdout
    early = terminal.run("collect", "2", "--json")
    assert (early.exit_code, one_document(early)["credentials"]) == (2, [])
    assert slept == []
    came = terminal.run("collect", "--wait", "60", "--json")
    assert came.exit_code == 0, came.stderr
    assert [item["number"] for item in one_document(came)["credentials"]] == [2]
    assert slept == [awaited["interval"]] * 2
    assert terminal.run("collect").stdout == "nothing is awaited\n"


def test_one_refusal_among_several(terminal: Terminal) -> None:
    documents = [terminal.chain.submit(one, hold=True) for one in (HAIP, STRICT)]
    for one in (HAIP, STRICT):
        assert terminal.request(one).exit_code == 0
    terminal.chain.decide(HAIP, documents[0], "refusal", reason="not_entitled")
    terminal.chain.decide(STRICT, documents[1], "release")
    terminal.chain.let_pass(minutes=1)
    result = terminal.run("collect", "--json")
    assert result.exit_code == 1
    assert [item["code"] for item in one_document(result)["failed"]] == ["credential_request_denied"]
    assert [item["number"] for item in one_document(result)["credentials"]] == [3]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["collect", "7"], "holding_unknown"), (["renew", "7"], "holding_unknown")],
)
def test_numbers_nobody_has_are_wrong_use(terminal: Terminal, arguments: list[str], code: str) -> None:
    result = terminal.run(*arguments, "--json")
    assert (result.exit_code, one_document(result)["error"]["code"]) == (3, code)


def test_misbehaving_by_name(terminal: Terminal) -> None:
    terminal.chain.submit(STRICT)
    transcript = terminal.state / "transcript.json"
    result = terminal.request(STRICT, "--misbehave", "pop-wrong-audience", "--transcript", str(transcript))
    assert (result.exit_code, one_document(result)["error"]["code"]) == (1, "invalid_client")
    assert any(entry.get("name") == "pop-wrong-audience" for entry in json.loads(transcript.read_text()))
    rows = {
        row["name"]: row["command"] for row in one_document(terminal.runner.invoke(cli.app, ["mischief", "--json"]))["mischief"]
    }
    assert (rows["stale-c-nonce"], rows["refresh-other-instance"]) == ("receive", "renew")


def person(terminal: Terminal) -> Callable[[str], None]:
    """Somebody who opens the address in a real browser, signs in there and comes back to a port of this machine."""
    wallet = terminal.chain.wallet
    wallet.store.path.parent.mkdir(parents=True, exist_ok=True)
    wallet.store.path.write_bytes((terminal.state / "wallet.json").read_bytes())  # the phone with the PID

    def act(url: str) -> None:
        window = OwnWindow(wallet.wire, presenting(wallet.presenter()))
        while urlsplit(url).hostname != "127.0.0.1":
            url = window._next(window._get(url))
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        connection.request("GET", f"{urlsplit(url).path}?{urlsplit(url).query}")
        assert connection.getresponse().status == 200
        connection.close()

    return act


@pytest.mark.parametrize("browser", ["print", "open"])
def test_signing_in_elsewhere(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, browser: str) -> None:  # RFC 8252 §7.3
    terminal.chain.submit(HAIP)
    act = person(terminal)
    if browser == "print":
        said = cli_issuance._say

        def say(url: str) -> None:
            said(url)
            act(url)

        monkeypatch.setattr(cli_issuance, "_say", say)
    else:
        monkeypatch.setattr("wallet_sim.loopback.webbrowser.open", act)
    result = terminal.request(HAIP, "--browser", browser)
    assert result.exit_code == 0, result.stderr
    assert "open in a browser: https://issuer.test/fr-cnam/authorize?" in result.stderr
    assert [item["number"] for item in one_document(result)["credentials"]] == [2]


def test_nobody_signs_in(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_issuance, "TIME_LIMIT", 0.01)
    terminal.chain.submit(HAIP)
    result = terminal.request(HAIP, "--browser", "print")
    assert (result.exit_code, one_document(result)["error"]["code"]) == (2, "sign_in")


def test_help_of_the_new_commands(terminal: Terminal) -> None:
    for command in ("request", "collect", "renew"):
        assert terminal.runner.invoke(cli.app, [command, "--help"]).exit_code == 0
