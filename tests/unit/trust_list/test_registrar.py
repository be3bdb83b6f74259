"""The register: what is registered is what certificates state; what no longer holds is withdrawn; the answers are TS5's, signed."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import portadoc
from pki.home import Home
from pki.issue import Details
from pki.lint import lint
from tests.support.pki import NOW
from trust_list.registrar import cli, model
from trust_list.registrar.app import create_app
from trust_list.registrar.register import SIZE, Register
from vc.errors import Malformed, Refused, VerificationFailed
from vc.jose import jws
from vc.keys import jwk
from vc.openid4vci import registration_certificate
from vc.openid4vci.registered_use import RequestedCredential
from vc.openid4vci.registration_certificate import PUB_EAA_PROVIDER, SERVICE_PROVIDER, RegistrationCertificate
from vc.status import token
from vc.status.bits import StatusValue
from vc.x509 import crl
from vc.x509.certificate import public_key
from vc.x509.chain import find_path
from vc.x509.profiles import ACCESS
from wallet_sim.registered import REGISTRAR

ADDRESS = "https://register.test"
INSPECTION, INSTITUTION = "NTRDE-TEST-1", "NTRFR-TEST-2"
USE: dict[str, Any] = {
    "intendedUseIdentifier": "inspection",
    "purpose": [{"lang": "en", "content": "To see where people are insured"}],
    "privacyPolicy": {"type": "privacy", "policyURI": "https://inspection.test/privacy"},
    "createdAt": "2026-11-01",
    "credentials": [
        {
            "format": "dc+sd-jwt",
            "meta": '{"vct_values":["urn:a1:1"]}',
            "claims": [{"path": '["number"]'}, {"path": '["work",null]'}],
        }
    ],
}
PARTY: dict[str, Any] = {
    "identifier": [{"identifier": INSPECTION, "type": "NTR"}],
    "country": "DE",
    "legalPerson": {"legalName": ["Arbeitsinspektion (test)"]},
    "tradeName": "Inspection (test)",
    "infoURI": ["https://inspection.test"],
    "supportURI": ["https://inspection.test/delete"],
    "policy": [{"type": "privacy", "policyURI": "https://inspection.test/privacy"}],
    "srvDescription": [[{"lang": "en", "content": "Inspections"}]],
    "isPSB": True,
    "entitlements": [SERVICE_PROVIDER],
    "supervisoryAuthority": {"name": "Authority (test)", "country": "DE", "email": ["a@authority.test"]},
    "intendedUse": [USE, {**USE, "intendedUseIdentifier": "statistics"}],
}
ISSUER: dict[str, Any] = {
    **{name: value for name, value in PARTY.items() if name != "intendedUse"},
    "identifier": [{"identifier": INSTITUTION, "type": "NTR"}],
    "country": "FR",
    "tradeName": "Urssaf (test)",
    "entitlements": [PUB_EAA_PROVIDER],
    "providesAttestations": [{"format": "mso_mdoc", "meta": '{"doctype_value":"org.a1"}'}],
}


def party(value: dict[str, Any] = PARTY, **changes: Any) -> model.Party:
    told = {name: content for name, content in {**value, **changes}.items() if content is not ...}
    return model.parse(json.dumps(told).encode())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.create(tmp_path / "pki", repository="http://ca.test")
    made.add_authority("access-ca", "access", {"C": "DE", "CN": "Access CA (test)"}, now=NOW)
    made.add_authority("registrar-ca", "registrar", {"C": "DE", "CN": "Registrar CA (test)"}, now=NOW)
    return made


@pytest.fixture
def register(home: Home, tmp_path: Path) -> Register:
    made = Register.create(
        tmp_path / "register", address=f"{ADDRESS}/", home=home, access="access-ca", registrar="registrar-ca",
        name="Registrar (test)", country="DE", now=NOW,
    )  # fmt: skip
    made.register(party())
    made.register(party(ISSUER))
    return made


def read(register: Register, home: Home, text: str) -> RegistrationCertificate:
    anchors = [home.authority("registrar-ca").certificate]
    return registration_certificate.verify(
        text, now=NOW, judge=lambda chain: find_path(chain, anchors=anchors, at=NOW, rules=REGISTRAR)
    )


def status(register: Register, certificate: RegistrationCertificate) -> StatusValue:
    assert certificate.status is not None
    unverified = token.parse_jwt(register.status_token(now=NOW))
    listed = token.verify(unverified, public_key(unverified.chain[0]), uri=certificate.status.uri, now=NOW)
    return listed.status(certificate.status.idx)


def refused(code: str, ask: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        ask()
    assert caught.value.code == code


# --- registration certificates


def test_a_certificate_states_one_intended_use(register: Register, home: Home) -> None:
    found = read(register, home, register.give_registration(INSPECTION, "inspection", now=NOW))
    asked = RequestedCredential(format="dc+sd-jwt", type_ids=("urn:a1:1",), claims=(("number",), ("work", None)))
    assert (found.sub, found.name, found.intended_use_id) == (INSPECTION, "Inspection (test)", "inspection")
    assert found.credentials == (asked,)
    assert found.provides_attestations == ()
    registration_certificate.check_request(found, organization_identifier=INSPECTION, asked=(asked,))
    wider = RequestedCredential(format="dc+sd-jwt", type_ids=("urn:a1:1",), claims=(("name",),))
    with pytest.raises(VerificationFailed):
        registration_certificate.check_request(found, organization_identifier=INSPECTION, asked=(wider,))


def test_a_certificate_states_what_an_issuer_provides(register: Register, home: Home) -> None:
    found = read(register, home, register.give_registration(INSTITUTION, None, now=NOW))
    registration_certificate.check_issuer(found, organization_identifier=INSTITUTION, format="mso_mdoc", type_id="org.a1")
    assert found.credentials == ()


@pytest.mark.parametrize(
    ("who", "use", "code"),
    [
        ("NTRDE-NOBODY", "inspection", "party_unknown"),
        (INSPECTION, "curiosity", "use_unknown"),
        (INSPECTION, None, "use_unknown"),
    ],
)
def test_nothing_is_stated_that_is_not_registered(register: Register, who: str, use: str | None, code: str) -> None:
    refused(code, lambda: register.give_registration(who, use, now=NOW))
    assert register.given() == ()


def test_every_certificate_has_a_place_of_its_own(register: Register, home: Home) -> None:
    made = [read(register, home, register.give_registration(INSPECTION, "inspection", now=NOW)) for _ in range(20)]
    places = [one.status.idx for one in made if one.status is not None]
    assert len(set(places)) == 20
    assert places != sorted(places), "places are random"
    assert max(places) < SIZE


def test_withdrawing_one_use_leaves_the_other(register: Register, home: Home) -> None:
    one, other = (
        read(register, home, register.give_registration(INSPECTION, use, now=NOW)) for use in ("inspection", "statistics")
    )
    assert register.withdraw(INSPECTION, "inspection") == 1
    assert register.withdraw(INSPECTION, "inspection") == 0
    assert (status(register, one), status(register, other)) == (StatusValue.INVALID, StatusValue.VALID)
    refused("party_unknown", lambda: register.withdraw("NTRDE-NOBODY", None))


@pytest.mark.parametrize(
    ("uses", "withdrawn"),
    [
        pytest.param([USE, PARTY["intendedUse"][1]], [], id="nothing changed"),
        pytest.param([USE], ["statistics"], id="a use is gone"),
        pytest.param([USE, {**PARTY["intendedUse"][1], "revokedAt": "2026-11-20"}], ["statistics"], id="a use was revoked"),
        pytest.param(
            [{**USE, "credentials": [{"format": "mso_mdoc", "meta": '{"doctype_value":"org.a1"}'}]}, PARTY["intendedUse"][1]],
            ["inspection"],
            id="a use asks for something else",
        ),
    ],
)
def test_what_no_longer_holds_is_withdrawn(register: Register, home: Home, uses: list[Any], withdrawn: list[str]) -> None:
    certificates = {
        use: read(register, home, register.give_registration(INSPECTION, use, now=NOW)) for use in ("inspection", "statistics")
    }
    assert register.register(party(intendedUse=uses)) is False
    found = [use for use, one in certificates.items() if status(register, one) is StatusValue.INVALID]
    assert found == withdrawn
    for use in withdrawn:
        if len(uses) == 1 or "revokedAt" in uses[1]:
            refused("use_unknown", lambda name=use: register.give_registration(INSPECTION, name, now=NOW))  # type: ignore[misc]


def test_what_an_issuer_no_longer_provides_is_withdrawn(register: Register, home: Home) -> None:
    certificate = read(register, home, register.give_registration(INSTITUTION, None, now=NOW))
    register.register(party(ISSUER, tradeName="Urssaf, renamed (test)"))
    assert status(register, certificate) is StatusValue.VALID
    register.register(party(ISSUER, providesAttestations=[{"format": "mso_mdoc", "meta": '{"doctype_value":"org.other"}'}]))
    assert status(register, certificate) is StatusValue.INVALID


# --- access certificates


def test_an_access_certificate_names_the_party_and_keeps_the_rules(register: Register, home: Home) -> None:
    made = register.give_access(INSPECTION, Details(uris=("https://inspection.test",)), now=NOW)
    by = home.authority("access-ca").certificate
    find_path(made.chain, anchors=[by], at=NOW, rules=ACCESS)
    assert [one.rule for one in lint(made.chain[0], "access", issuer=by)] == ["WRPAC-6"]
    assert INSPECTION in {name.value for name in made.chain[0].subject}
    refused("party_unknown", lambda: register.give_access("NTRDE-NOBODY", Details(uris=("https://x.test",)), now=NOW))


def test_the_end_of_a_registration_is_the_end_of_its_certificates(register: Register, home: Home) -> None:
    access = register.give_access(INSPECTION, Details(uris=("https://inspection.test",)), now=NOW).chain[0]
    stays = register.give_access(INSTITUTION, Details(uris=("https://urssaf.test",)), now=NOW).chain[0]
    registration = read(register, home, register.give_registration(INSPECTION, "inspection", now=NOW))
    register.remove(INSPECTION, now=NOW)
    listed = crl.parse((home.repository / "access-ca.crl").read_bytes())
    assert crl.entry(listed, access) is not None
    assert crl.entry(listed, stays) is None
    assert status(register, registration) is StatusValue.INVALID
    refused("party_unknown", lambda: register.party(INSPECTION))
    refused("party_unknown", lambda: register.remove(INSPECTION, now=NOW))
    assert [one.id for one in register.parties()] == [INSTITUTION]
    assert register.register(party()) is True


# --- the directory


def test_a_register_is_made_once_with_the_right_authorities(register: Register, home: Home, tmp_path: Path) -> None:
    again: dict[str, Any] = {"address": ADDRESS, "home": home, "name": "X", "country": "DE", "now": NOW}
    refused(
        "already_initialised",
        lambda: Register.create(register.folder, access="access-ca", registrar="registrar-ca", **again),
    )
    for access, registrar in (("registrar-ca", "registrar-ca"), ("access-ca", "access-ca")):
        refused(
            "authority",
            lambda a=access, r=registrar: Register.create(tmp_path / "other", access=a, registrar=r, **again),  # type: ignore[misc]
        )
    refused("not_initialised", lambda: Register(tmp_path / "nowhere"))
    assert stat.S_IMODE((register.folder / "signer.key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        pytest.param({"identifier": [{"identifier": "../../etc", "type": "NTR"}]}, "/identifier/0/identifier", id="no identifier"),
        pytest.param({"country": "de"}, "/country", id="no country"),
        pytest.param({"isPSB": "yes"}, "/isPSB", id="a text for a flag"),
        pytest.param({"password": "x"}, "/password", id="an unknown member"),
        pytest.param({"supportURI": []}, "/supportURI", id="nobody to ask for deletion"),
        pytest.param({"infoURI": ["javascript:alert(1)"]}, "/infoURI/0", id="another scheme"),
        pytest.param({"entitlements": ["https://example.test/King"]}, "/entitlements", id="an unknown entitlement"),
        pytest.param({"entitlements": [PUB_EAA_PROVIDER]}, "/intendedUse", id="a use of no service provider"),
        pytest.param({"providesAttestations": ISSUER["providesAttestations"]}, "/providesAttestations", id="no provider"),
        pytest.param({"intendedUse": [USE, USE]}, "/intendedUse", id="a use twice"),
        pytest.param(
            {"supervisoryAuthority": {"name": "A", "country": "DE"}}, "/supervisoryAuthority", id="an authority nobody can reach"
        ),
        pytest.param(
            {"intendedUse": [USE, {**USE, "intendedUseIdentifier": "b", "credentials": [{"format": "x", "meta": "no JSON"}]}]},
            "/intendedUse/1/credentials/0/meta",
            id="meta no JSON, in the last",
        ),
        pytest.param(
            {"intendedUse": [{**USE, "credentials": [{"format": "dc+sd-jwt", "meta": "{}"}]}]},
            "/intendedUse/0/credentials/0/meta",
            id="meta without type",
        ),
        pytest.param(
            {"intendedUse": [{**USE, "credentials": [{**USE["credentials"][0], "claims": [{"path": "[]"}]}]}]},
            "/intendedUse/0/credentials/0/claims/0/path",
            id="an empty path",
        ),
    ],
)
def test_parties_that_are_not_registered(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Malformed) as caught:
        party(**changes)
    assert caught.value.pointer == pointer


def test_an_issuer_whose_type_cannot_be_read_is_not_registered() -> None:
    with pytest.raises(Malformed) as caught:
        party(ISSUER, providesAttestations=[{"format": "mso_mdoc", "meta": '{"vct_values":["a","b"]}'}])
    assert caught.value.pointer == "/providesAttestations/0/meta"


# --- on the network


@pytest.fixture
def client(register: Register) -> TestClient:
    return TestClient(create_app(register, clock=lambda: NOW), base_url="http://localhost", raise_server_exceptions=False)


def answered(client: TestClient, path: str) -> dict[str, Any]:
    """The payload of a signed answer, checked with the published key."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["x-jku-url"] == f"{ADDRESS}/jwks.json"
    unverified = jws.parse(answer.text)
    (key,) = client.get("/jwks.json").json()["keys"]
    assert key["kid"] == unverified.header["kid"]
    jws.verify(unverified, jwk.parse_public(key), typ="jwt")
    claims = unverified.claims()
    assert (claims["iss"], claims["iat"]) == (ADDRESS, int(NOW.timestamp()))
    return claims


def test_a_party_is_shown_as_registered(client: TestClient) -> None:
    data = answered(client, f"/wrp/{INSPECTION}")["data"]
    shown = data["intendedUse"][0]
    assert (data["tradeName"], data["registryURI"]) == ("Inspection (test)", f"{ADDRESS}/wrp/{INSPECTION}")
    assert json.loads(shown["credentials"][0]["meta"]) == {"vct_values": ["urn:a1:1"]}
    assert client.get("/wrp/NTRDE-NOBODY").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [INSPECTION, INSTITUTION]),
        (f"identifier={INSTITUTION}", [INSTITUTION]),
        ("legalname=arbeitsinspektion (TEST)", [INSPECTION, INSTITUTION]),
        ("tradename=urssaf (test)", [INSTITUTION]),
        ("policy=privacy", [INSPECTION, INSTITUTION]),
        ("policy=https://nobody.test", []),
        (f"entitlement={PUB_EAA_PROVIDER}", [INSTITUTION]),
        ("credentialmeta=urn:a1:1", [INSPECTION]),
        ("credentialformat=mso_mdoc", [INSTITUTION]),
        ("intendeduseidentifier=statistics", [INSPECTION]),
        ("isintermediary=true", []),
        ("isintermediary=false", [INSPECTION, INSTITUTION]),
        ("usesintermediary=NTRDE-X", []),
        ("credentialformat=mso_mdoc&tradename=Inspection (test)", []),
    ],
)
def test_a_list_is_narrowed_by_every_parameter(client: TestClient, query: str, found: list[str]) -> None:
    data = answered(client, f"/wrp?{query}")["data"]
    assert [one["identifier"][0]["identifier"] for one in data] == found


def test_pages_follow_each_other_whoever_goes_meanwhile(register: Register, client: TestClient) -> None:
    names = [f"NTRDE-TEST-{number}" for number in range(3, 8)]
    for name in names:
        register.register(party(identifier=[{"identifier": name, "type": "NTR"}]))
    seen: list[str] = []
    query = "/wrp?limit=3&entitlement=" + SERVICE_PROVIDER
    first = answered(client, query)
    seen += [one["identifier"][0]["identifier"] for one in first["data"]]
    assert first["pagination"]["has_next_page"] is True
    register.remove(seen[-1], now=NOW)
    second = answered(client, f"{query}&cursor={first['pagination']['next_cursor']}")
    seen += [one["identifier"][0]["identifier"] for one in second["data"]]
    assert seen == sorted([INSPECTION, *names])
    assert second["pagination"] == {"has_next_page": False}


@pytest.mark.parametrize(
    "path",
    [
        "/wrp?limit=0", "/wrp?limit=101", "/wrp?limit=x", "/wrp?cursor=?", "/wrp?name=x", "/wrp?limit=1&limit=2",
        "/wrp/check-intended-use", f"/wrp/check-intended-use?rpidentifier={INSPECTION}", "/wrp/check-intended-use?claimpath=x",
    ],
)  # fmt: skip
def test_questions_that_cannot_be_answered(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("query", "registered"),
    [
        ("intendeduseidentifier=inspection", True),
        ("intendeduseidentifier=curiosity", False),
        ("credentialformat=dc%2Bsd-jwt&claimpath=number", True),
        ('claimpath=["work",null]', True),
        ("claimpath=name", False),
        ("credentialformat=mso_mdoc", False),
        ("credentialmeta=urn:a1:1", True),
        ("credentialmeta=urn:other", False),
        ("policyurl=https://inspection.test/privacy", True),
        ("policyurl=https://inspection.test/other", False),
        ("intendeduseidentifier=inspection&claimpath=name", False),
    ],
)
def test_an_intended_use_is_checked(client: TestClient, query: str, registered: bool) -> None:
    data = answered(client, f"/wrp/check-intended-use?rpidentifier={INSPECTION}&{query}")["data"]
    assert data["isRegistered"] is registered


def test_a_revoked_use_is_not_registered(register: Register, client: TestClient) -> None:
    register.register(party(intendedUse=[{**USE, "revokedAt": "2026-11-20"}]))
    query = f"/wrp/check-intended-use?rpidentifier={INSPECTION}&intendeduseidentifier=inspection"
    assert answered(client, query)["data"]["isRegistered"] is False
    assert client.get("/wrp/check-intended-use?rpidentifier=NTRDE-NOBODY&claimpath=x").status_code == 404


def test_the_rest_of_the_register(client: TestClient) -> None:
    assert client.get("/status/1").headers["content-type"] == "application/statuslist+jwt"
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/policy").status_code == 200
    assert client.get("/signer.key.pem").status_code == 404
    for method in ("PUT", "DELETE", "POST"):
        assert client.request(method, f"/wrp/{INSPECTION}").status_code == 405


# --- on the command line


def test_the_whole_of_it_on_the_command_line(
    tmp_path: Path, home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "now", lambda: NOW)
    folder = str(tmp_path / "r")

    def run(*arguments: str, code: int = 0) -> dict[str, Any]:
        assert portadoc.run(["trust-list", "registrar", *arguments, "--register", folder, "--json"]) == code
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    run("init", "--pki", str(home.folder), "--name", "Registrar (test)", "--country", "DE", "--address", ADDRESS)
    (tmp_path / "party.json").write_text(json.dumps(PARTY), encoding="utf-8")
    assert run("register", str(tmp_path / "party.json"))["new"] is True
    assert run("register", str(tmp_path / "party.json"))["new"] is False
    files = run("give-access", INSPECTION, "--name", "verifier", "--out", str(tmp_path), "--uri", "https://inspection.test")
    assert Path(files["chain"]).exists()
    run("give-registration", INSPECTION, "--use", "inspection", "--out", str(tmp_path / "rc.jwt"))
    read(Register(Path(folder)), home, (tmp_path / "rc.jwt").read_text(encoding="ascii"))
    listed = run("list")
    assert [one["kind"] for one in listed["given"]] == ["access", "registration"]
    assert run("withdraw", INSPECTION, "--use", "inspection")["withdrawn"] == 1
    run("remove", INSPECTION)
    assert run("list")["parties"] == []
    assert all(one["withdrawn"] for one in run("list")["given"])
    run("remove", INSPECTION, code=1)
    (tmp_path / "party.json").write_text("{}", encoding="utf-8")
    run("register", str(tmp_path / "party.json"), code=1)
    assert portadoc.run(["trust-list", "registrar", "list", "--register", folder]) == 0
    assert "withdrawn" in capsys.readouterr().out


def test_the_register_is_served(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr(cli, "run", lambda app, **more: served.update(more))
    assert portadoc.run(["trust-list", "registrar", "serve", "--register", str(register.folder), "--port", "9001"]) == 0
    assert served == {"host": "127.0.0.1", "port": 9001}
