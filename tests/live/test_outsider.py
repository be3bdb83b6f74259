"""A served demo driven from outside: the commands of the README, in its order, by their exit codes and JSON."""

import json
import signal
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509

from tests.live.conftest import free_ports
from tests.live.running import Demo, portadoc
from vc.documents.country import STATES

HONOURED_WITHIN = 5.0


def test_over_tls_with_a_ca_of_its_own(tmp_path: Path) -> None:
    """The same commands find the test CA in the state directory; nobody else trusts the servers."""
    wallet = tmp_path / "wallet.json"
    with Demo.served(tmp_path, free_ports(4), tls=True, end=signal.SIGINT) as demo:
        for name in ("issuer", "verifier", "trust_list"):
            assert demo.description[name].startswith("https://localhost:")
        with pytest.raises(ssl.SSLCertVerificationError), socket.create_connection(_address(demo)) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
        demo.json("wallet", "get-pid", "--identity", str(demo.state / "samples" / "ehic.json"), "--store", str(wallet))
        _hold(demo, wallet, "ehic")
        verdict = _show(demo, wallet, "--purpose", "ehic-care", "--host-country", "DE", "--format", "mso_mdoc", code=0)
        assert verdict["outcome"] == "accept"


def _address(demo: Demo) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(demo.description["issuer"]).port or 0


def _offer(demo: Demo, sample: str, form: str = "both") -> dict[str, str]:
    path = demo.state / "samples" / f"{sample}.json"
    offered: dict[str, str] = demo.json("issuer", "offer", "--institution", "auto", "--document", str(path), "--format", form)
    return offered


def _hold(demo: Demo, wallet: Path, sample: str, form: str = "both") -> str:
    offered = _offer(demo, sample, form)
    demo.json("wallet", "receive", offered["credential_offer_uri"], "--tx-code", offered["tx_code"], "--store", str(wallet))
    return offered["document_id"]


def _show(demo: Demo, wallet: Path, *asked: str, code: int) -> dict[str, object]:
    request = demo.json("verifier", "request", *asked)
    demo.run("wallet", "present", request["request_uri"], "--store", str(wallet))
    verdict: dict[str, object] = demo.json("verifier", "result", request["transaction_id"], "--wait", "5", code=code)
    return verdict


@pytest.fixture(scope="module")
def wallet(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wallet with PID, A1 and EHIC in both formats."""
    path = tmp_path_factory.mktemp("wallet") / "wallet.json"
    demo.json("wallet", "get-pid", "--identity", str(demo.state / "samples" / "ehic.json"), "--store", str(path))
    for sample in ("a1", "ehic"):
        _hold(demo, path, sample)
    return path


def test_the_demo_describes_itself(demo: Demo) -> None:
    told = demo.description
    assert {"issuer", "verifier", "trust_list", "institutions", "state", "ca_files"} <= told.keys()
    for document in ("pda1", "ehic"):
        assert {item["country"] for item in told["institutions"] if document in item["types"]} == STATES
    for item in told["institutions"]:
        assert {"id", "country", "types", "credential_issuer", "api_token"} <= item.keys()
        assert item["credential_issuer"].startswith(told["issuer"])
    for name in ("seal", "document_signer", "status", "access", "tls"):
        assert x509.load_pem_x509_certificates(Path(told["ca_files"][name]).read_bytes()), name


def test_a_document_issued_is_held_shown_and_accepted(demo: Demo, wallet: Path) -> None:
    held = demo.json("wallet", "list", "--store", str(wallet))["credentials"]
    assert sorted(item["format"] for item in held) == ["dc+sd-jwt"] * 3 + ["mso_mdoc"] * 3
    for purpose, form in (("ehic-care", "dc+sd-jwt"), ("ehic-care", "mso_mdoc"), ("a1-inspection", "dc+sd-jwt")):
        verdict = _show(demo, wallet, "--purpose", purpose, "--host-country", "DE", "--format", form, code=0)
        assert verdict["outcome"] == "accept", verdict
        assert verdict["document"]


def test_a_misbehaving_wallet_is_refused(demo: Demo, wallet: Path) -> None:
    request = demo.json("verifier", "request", "--purpose", "a1-inspection", "--host-country", "DE", "--format", "dc+sd-jwt")
    demo.run("wallet", "present", request["request_uri"], "--misbehave", "foreign-key", "--store", str(wallet))
    verdict = demo.json("verifier", "result", request["transaction_id"], "--wait", "5", code=1)
    assert verdict["outcome"] == "reject"
    assert "holder_binding" in {check["id"].removeprefix("pid.") for check in verdict["checks"] if check["result"] == "failed"}


def test_a_bare_credential_is_checked_without_claiming_its_holder(demo: Demo, wallet: Path) -> None:
    held = demo.json("wallet", "list", "--store", str(wallet))["credentials"]
    number = next(str(item["number"]) for item in held if "ehic" in item["type_id"] and item["format"] == "dc+sd-jwt")
    exported = demo.json("wallet", "export", number, "--store", str(wallet))
    done = demo.run(
        "verifier", "check", "-", "--purpose", "ehic-care", "--host-country", "DE", "--json", text=exported["credential"]
    )
    verdict = json.loads(done.out)
    assert {check["id"]: check["result"] for check in verdict["checks"]}["holder_binding"] == "not_checked"
    assert (verdict["outcome"], done.code) == ("review", 2)


def test_a_revoked_document_is_refused(demo: Demo, tmp_path: Path) -> None:
    wallet = tmp_path / "wallet.json"
    demo.json("wallet", "get-pid", "--identity", str(demo.state / "samples" / "a1.json"), "--store", str(wallet))
    document_id = _hold(demo, wallet, "a1", "dc+sd-jwt")
    demo.json("issuer", "revoke", document_id)
    assert demo.json("issuer", "status", document_id)["state"] == "revoked"
    verdict = _show(demo, wallet, "--purpose", "a1-inspection", "--host-country", "DE", "--format", "dc+sd-jwt", code=1)
    assert verdict["outcome"] == "reject"
    assert "revoked" in json.dumps(verdict["reasons"])


def test_wrong_use_is_told_apart(demo: Demo) -> None:
    for arguments in (
        ("issuer", "offer", "--institution", "nobody", "--document", str(demo.state / "samples" / "a1.json"), "--json"),
        ("verifier", "request", "--purpose", "curiosity", "--json"),
        ("wallet", "show", "99", "--json"),
        ("trust-list", "withdraw", "--entity", "NTRXX-NOBODY", "--reason", "none", "--json"),
        ("wallet", "present"),
    ):
        done = demo.run(*arguments)
        assert done.code == 3, f"{arguments}: {done.code} {done.err}"
        assert done.err
    assert portadoc("issuer", "status", "x").code == 3, "no demo named"


def test_a_withdrawn_institution_is_refused_within_five_seconds(demo: Demo, wallet: Path) -> None:
    """Last in this module: the institution stays withdrawn."""
    asked = ("--purpose", "ehic-care", "--host-country", "DE", "--format", "dc+sd-jwt")
    assert _show(demo, wallet, *asked, code=0)["outcome"] == "accept"
    entity = next(item["registration_id"] for item in demo.description["institutions"] if item["id"] == "fr-cnam")
    demo.json("trust-list", "withdraw", "--entity", entity, "--reason", "test")
    deadline = time.monotonic() + HONOURED_WITHIN
    outcome = "accept"
    while outcome == "accept" and time.monotonic() < deadline:
        request = demo.json("verifier", "request", *asked)
        demo.run("wallet", "present", request["request_uri"], "--store", str(wallet))
        outcome = json.loads(demo.run("verifier", "result", request["transaction_id"], "--json").out)["outcome"]
    assert outcome == "reject"
