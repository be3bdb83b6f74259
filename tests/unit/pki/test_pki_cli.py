"""`portadoc pki`: what a person types, the files that come out, and the exit codes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import portadoc
from edge.outbound import Fetched
from pki import cli
from pki.home import Home
from tests.support.pki import root
from vc.errors import Unreachable
from vc.x509 import crl
from vc.x509.certificate import der

BODY = ["--country", "FR", "--organisation", "Urssaf (test)", "--identifier", "NTRFR-1", "--common-name", "Seal (test)"]


class Desk:
    """A terminal with a PKI directory."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.state = folder / "pki"

    def run(self, *arguments: str) -> tuple[int, str]:
        code = portadoc.run(["pki", *arguments])
        return code, self._capsys.readouterr().out

    def done(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        got, out = self.run(*arguments, "--json")
        assert got == code, out
        answer: dict[str, Any] = json.loads(out)
        return answer

    def at_home(self, command: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        return self.done(command, *arguments, "--state", str(self.state), code=code)

    def seal(self, *more: str, name: str = "seal") -> Path:
        arguments = ["--authority", "seal-ca", "--kind", "seal", "--out", str(self.folder), *BODY, "--law", "OJ:FR-1", *more]
        return Path(self.at_home("issue", name, *arguments)["chain"])

    @property
    def ca(self) -> str:
        return str(self.state / "repository" / "seal-ca.cer")

    @property
    def list(self) -> str:
        return str(self.state / "repository" / "seal-ca.crl")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys)
    made.at_home("init", "--repository", "http://localhost:8003")
    made.at_home("add-authority", "seal-ca", "--kind", "seal", "--country", "FR", "--common-name", "Seal CA (test)")
    return made


def test_a_seal_keeps_the_rules_and_is_on_record(desk: Desk) -> None:
    issued = desk.at_home(
        "issue", "seal", "--authority", "seal-ca", "--kind", "seal", "--out", str(desk.folder), *BODY, "--law", "OJ:FR-1"
    )
    assert issued["findings"] == []
    assert desk.done("lint", issued["chain"], "--kind", "seal", "--issuer", desk.ca)["findings"] == []
    (authority,) = desk.at_home("list")["authorities"]
    assert [(one["serial"], one["kind"], one["revoked"]) for one in authority["issued"]] == [(issued["serial"], "seal", None)]


def test_an_access_certificate_comes_with_the_warning_that_no_log_vouches_for_it(desk: Desk) -> None:
    desk.at_home("add-authority", "access-ca", "--kind", "access", "--common-name", "Access CA (test)")
    options = ["--authority", "access-ca", "--kind", "access", "--out", str(desk.folder), *BODY]
    issued = desk.at_home("issue", "access", *options, "--uri", "https://v.example", "--dns", "v.example", "--days", "90")
    assert [one["rule"] for one in issued["findings"]] == ["WRPAC-6"]
    leaf = cli.read(Path(issued["chain"]))
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 91


def test_a_certificate_against_the_rules_is_named_with_the_clause(desk: Desk) -> None:
    found = desk.done("lint", str(desk.seal()), "--kind", "document-signer", code=1)
    assert {"MDOC-CERT-4.eku", "MDOC-CERT-4.alternative"} <= {one["rule"] for one in found["findings"]}
    code, out = desk.run("lint", str(desk.seal()), "--kind", "document-signer")
    assert code == 1
    assert "error MDOC-CERT-4.eku: " in out


def test_revoking_makes_the_check_say_so(desk: Desk) -> None:
    seal = desk.seal()
    check = ("check", str(seal), "--issuer", desk.ca, "--crl", desk.list)
    assert desk.done(*check)["revoked"] is False
    desk.at_home("revoke", "--authority", "seal-ca", "--certificate", str(seal), "--reason", "keyCompromise")
    assert desk.done(*check, code=1)["reason"] == "keyCompromise"
    desk.at_home("revoke", "--authority", "seal-ca", "--certificate", str(seal), code=1)
    code, out = desk.run("list", "--state", str(desk.state))
    assert code == 0
    assert "revoked" in out


def test_the_next_lists_of_all_and_of_one(desk: Desk) -> None:
    desk.at_home("add-authority", "iaca-fr", "--kind", "iaca", "--country", "FR", "--common-name", "IACA (test)")
    assert desk.at_home("crl")["crl"] == {"iaca-fr": 2, "seal-ca": 2}
    assert desk.at_home("crl", "--authority", "seal-ca")["crl"] == {"seal-ca": 3}


def test_a_link_joins_two_roots_of_one_name(desk: Desk) -> None:
    for slug in ("iaca-1", "iaca-2"):
        desk.at_home("add-authority", slug, "--kind", "iaca", "--country", "FR", "--common-name", "IACA (test)")
    out = desk.folder / "link.pem"
    desk.at_home("link", "iaca-1", "iaca-2", "--out", str(out))
    home = Home(desk.state)
    cli.read(out).verify_directly_issued_by(home.authority("iaca-1").certificate)
    desk.at_home("link", "iaca-1", "seal-ca", "--out", str(out), code=3)


class Net:
    """What `check` finds at an address."""

    answer: Fetched | Exception
    asked: list[str]

    def __init__(self, limits: Any) -> None:
        assert limits.max_bytes == crl.MAX_CRL

    def get(self, url: str) -> Fetched:
        Net.asked.append(url)
        if isinstance(Net.answer, Exception):
            raise Net.answer
        return Net.answer


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(None, 0, id="the list"),
        pytest.param(Fetched(status=404, headers={}, body=b"", url=""), 2, id="nothing there"),
        pytest.param(Unreachable("timeout", "no answer"), 2, id="silence"),
        pytest.param(Fetched(status=200, headers={}, body=b"<html>", url=""), 1, id="no list"),
    ],
)
@pytest.mark.parametrize("named", [False, True], ids=["where the certificate says", "where the person says"])
def test_a_list_is_fetched(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, answer: Fetched | Exception | None, code: int, *, named: bool
) -> None:
    seal = desk.seal()
    body = Path(desk.list).read_bytes()
    Net.answer, Net.asked = answer or Fetched(status=200, headers={}, body=body, url=""), []
    monkeypatch.setattr(cli, "Outbound", Net)
    options = ("--crl", "http://mirror.example/seal.crl") if named else ()
    desk.done("check", str(seal), "--issuer", desk.ca, *options, code=code)
    assert Net.asked == ["http://mirror.example/seal.crl" if named else "http://localhost:8003/seal-ca.crl"]


def test_a_list_that_is_over_says_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = desk.seal()
    monkeypatch.setattr(cli, "now", lambda: datetime.now(UTC) + timedelta(days=40))
    assert desk.done("check", str(seal), "--issuer", desk.ca, "--crl", desk.list, code=2)["error"]["code"] == "crl_expired"


def test_a_certificate_without_list_cannot_be_checked(desk: Desk) -> None:
    authority = root()
    leaf, ca = desk.folder / "leaf.cer", desk.folder / "ca.cer"
    leaf.write_bytes(der(authority.leaf().chain[0]))
    ca.write_bytes(der(authority.certificate))
    assert desk.done("check", str(leaf), "--issuer", str(ca), code=2)["error"]["code"] == "crl_not_named"


def test_a_stranger_is_no_issuer(desk: Desk) -> None:
    ca = desk.folder / "ca.pem"
    ca.write_bytes(root().certificate.public_bytes(Encoding.PEM))
    assert desk.done("check", str(desk.seal()), "--issuer", str(ca), "--crl", desk.list, code=1)["error"]["code"] == "issuer"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["add-authority", "seal-ca", "--kind", "seal", "--common-name", "X"], "slug_taken", id="a name twice"),
        pytest.param(["add-authority", "x", "--kind", "notary", "--common-name", "X"], "kind", id="an unknown kind"),
        pytest.param(["revoke", "--authority", "seal-ca"], "certificate", id="nothing to revoke"),
        pytest.param(["revoke", "--authority", "seal-ca", "--serial", "zz"], "serial_unknown", id="no number"),
        pytest.param(["revoke", "--authority", "seal-ca", "--serial", "5"], "serial_unknown", id="an unknown number"),
        pytest.param(["revoke", "--authority", "seal-ca", "--serial", "5", "--reason", "mood"], "reason", id="no reason"),
        pytest.param(["crl", "--authority", "nobody"], "authority_unknown", id="an unknown authority"),
        pytest.param(["init"], "already_initialised", id="twice"),
        pytest.param(
            ["issue", "x", "--authority", "seal-ca", "--kind", "seal", *BODY[2:], "--law", "OJ:1"], "seal", id="a law of no country"
        ),
    ],
)
def test_wrong_use(desk: Desk, arguments: list[str], code: str) -> None:
    assert desk.at_home(arguments[0], *arguments[1:], code=3)["error"]["code"] == code


def test_files_that_are_none(desk: Desk) -> None:
    assert desk.done("lint", str(desk.folder / "nothing"), "--kind", "seal", code=3)["error"]["code"] == "file"
    (desk.folder / "text").write_text("hello", encoding="utf-8")
    assert desk.done("lint", str(desk.folder / "text"), "--kind", "seal", code=3)["error"]["code"] == "certificate"
    (desk.folder / "pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", encoding="utf-8")
    assert desk.done("lint", str(desk.folder / "pem"), "--kind", "seal", code=3)["error"]["code"] == "certificate"
    assert desk.run("list", "--state", str(desk.folder))[0] == 3


def test_the_repository_is_served(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr("pki.repository.serve", lambda folder, port: served.update(folder=folder, port=port))
    assert desk.run("serve", "--state", str(desk.state), "--port", "9000")[0] == 0
    assert served == {"folder": desk.state / "repository", "port": 9000}


def test_a_seal_says_all_it_was_told(desk: Desk) -> None:
    chain = desk.seal(
        "--qualified", "--law-country", "EU", "--source", "urn:source", "--mail", "a@b.example", "--phone", "+33", name="full"
    )
    leaf = cli.read(chain)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == ["a@b.example"]
    assert desk.done("lint", str(chain), "--kind", "seal")["findings"] == []
