"""What an institution publishes of itself: plain and signed, in which languages, and how it follows from the settings."""

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.testclient import TestClient

from issuer.settings import parse
from tests.support import issuer as world
from tests.support import registration
from tests.support.attested import Attested, attested
from tests.support.pki import NOW
from vc.jose import jws
from vc.openid4vci import authorization_server, metadata, registration_certificate, signed_metadata
from vc.x509.certificate import subject_value
from vc.x509.chain import check_presented, find_path
from vc.x509.profiles import ACCESS

JSON, JWT = "application/json", "application/jwt"
ISSUER = "https://issuer.test/fr-urssaf"
SIGN_IN: dict[str, Any] = {
    "issuer": "https://login.test",
    "client_id": "urssaf",
    "client_secret": "a secret nobody guesses",
    "claims": {"family_name": "family_name", "given_name": "given_name", "birth_date": "birthdate"},
}
URL = metadata.well_known(ISSUER, metadata.WELL_KNOWN)
SERVER_URL = metadata.well_known(ISSUER, authorization_server.WELL_KNOWN)


def institutions(**members: Any) -> dict[str, dict[str, Any]]:
    """Two institutions; the first one with `members`."""
    first, second = world.INSTITUTIONS["fr-urssaf"], world.INSTITUTIONS["fr-cnam"]
    return {"fr-urssaf": {**first, **members}, "fr-cnam": second}


@pytest.fixture
def rich(tmp_path: Path) -> Iterator[Attested]:
    """Institutions with access certificates, encryption keys and trust lists."""
    built = attested(tmp_path, access=True)
    yield built
    built.deployment.close()


@pytest.fixture
def client(rich: Attested) -> Iterator[TestClient]:
    with world.client_of(rich.deployment.worker()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (JWT, JWT),
        ("application/jwt;q=0.1", JWT),
        (f"{JWT}, {JSON}", JWT),
        (f"{JSON}, {JWT};q=0.9", JSON),
        (f"{JSON};q=0.5, {JWT};q=0.6", JWT),
        (f"{JWT};q=0, */*", JSON),
        (f"{JWT};q=0", JSON),
        (f"*/*;q=0.1, {JSON};q=0, {JWT}", JWT),
        ("text/html", JSON),
        ("image/png;q=0.3", JSON),
        ("nonsense", JSON),
    ],
)
def test_the_form_is_negotiated(client: TestClient, accept: str | None, content_type: str) -> None:
    """VCI-META-3, -19, SECURITY I-19: signed for those who ask by name; whoever cannot be satisfied gets plain JSON."""
    answer = client.get(URL, headers={"accept": accept} if accept is not None else {"accept": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.headers["vary"] == "accept, accept-language"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_two_accept_fields_are_one(client: TestClient) -> None:
    answer = client.get(URL, headers=[("accept", "text/html"), ("accept", JWT)])
    assert answer.headers["content-type"] == JWT


def test_who_refuses_json_and_takes_nothing_else_is_told_so(client: TestClient) -> None:
    answer = client.get(URL, headers={"accept": f"{JSON};q=0, {JWT};q=0"})
    assert (answer.status_code, answer.json()["error"]) == (406, "not_acceptable")


def test_signed_metadata_are_those_of_the_access_certificate(client: TestClient, rich: Attested) -> None:
    """VCI-META-19, -20, EAA-I-1: type, subject, times, chain without anchor, and every member of the plain form."""
    answer = client.get(URL, headers={"accept": JWT})
    opened = jws.parse(answer.text)
    chain = jws.chain_of(opened)
    check_presented(chain)
    find_path(chain, anchors=[rich.deployment.authority.certificate], at=NOW, rules=ACCESS)
    assert chain[0] == rich.deployment.signers["fr-urssaf"]["access"].chain[0]
    assert opened.header["typ"] == "openidvci-issuer-metadata+jwt"
    judged: list[tuple[x509.Certificate, ...]] = []
    read = signed_metadata.verify(answer.text, credential_issuer=ISSUER, now=NOW, judge=judged.append)
    assert judged == [chain]
    plain = client.get(URL).json()
    claims = json.loads(json.dumps(opened.claims()))
    assert claims["sub"] == ISSUER
    assert claims["iat"] == int(NOW.timestamp())
    assert claims["exp"] == int((NOW + timedelta(hours=24)).timestamp())
    assert {name: claims[name] for name in plain} == plain
    assert metadata.parse(read, credential_issuer=ISSUER).batch_size == 10


def test_signed_metadata_are_signed_anew_before_they_end(client: TestClient, rich: Attested) -> None:
    first = client.get(URL, headers={"accept": JWT}).text
    rich.clock.advance(hours=11)
    assert client.get(URL, headers={"accept": JWT}).text == first
    rich.clock.advance(hours=2)
    second = client.get(URL, headers={"accept": JWT}).text
    assert second != first
    signed_metadata.verify(second, credential_issuer=ISSUER, now=rich.clock(), judge=lambda chain: None)


def test_without_access_certificate_there_are_only_plain_metadata(tmp_path: Path) -> None:
    """VCI-META-3: JSON is always there; nothing is signed with another key instead."""
    deployment = world.build(tmp_path)
    with world.client_of(deployment.worker()) as opened:
        answer = opened.get(URL, headers={"accept": JWT})
        assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    deployment.close()


def names(described: dict[str, Any]) -> dict[str | None, str]:
    """The display of the first configuration by locale."""
    (first, *_) = described["credential_configurations_supported"].values()
    return {entry.get("locale"): entry["name"] for entry in first["credential_metadata"]["display"]}


def test_all_languages_are_sent_to_those_who_do_not_choose(client: TestClient) -> None:
    """VCI-META-18."""
    for headers in ({}, {"accept-language": "*"}, {"accept-language": "ja"}):
        answer = client.get(URL, headers=headers)
        assert "content-language" not in answer.headers
        assert len(names(answer.json())) == 27


def test_languages_that_are_asked_for_are_sent_and_named(client: TestClient) -> None:
    """VCI-META-18: a subset comes with Content-Language; claims without a translation keep their English label."""
    answer = client.get(URL, headers={"accept-language": "de-AT, el;q=0.5, ja"})
    assert names(answer.json()) == {"de": "Portables Dokument A1 (A1-Bescheinigung)", "el": "Φορητό έγγραφο A1"}
    assert answer.headers["content-language"] == "de, el, en"
    metadata.parse(answer.content, credential_issuer=ISSUER).configuration("pda1_dc4eu-2_sd_jwt")
    (configuration, *_) = answer.json()["credential_configurations_supported"].values()
    labels = [entry["display"] for entry in configuration["credential_metadata"]["claims"] if "display" in entry]
    assert all(entries for entries in labels)
    assert answer.json()["display"] == [{"name": "Urssaf (test)"}]


def test_what_strangers_ask_for_is_kept_within_bounds(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("issuer.routes.metadata.MAX_KEPT", 3)
    for first, second in itertools.product(("de", "fr", "el"), ("mt", "ga", "is")):
        answer = client.get(URL, headers={"accept-language": f"{first}, {second}"})
        assert names(answer.json()).keys() == {first, second}
    assert len(names(client.get(URL).json())) == 27


def test_the_registration_certificate_is_shown_as_long_as_it_is_good(tmp_path: Path) -> None:
    """EAA-I-2, -3: by value, one, and what a wallet checks of it holds; once it is over it is not shown any more."""
    text = registration.written(tmp_path / "registration.jwt", expires=NOW + timedelta(days=20))
    deployment = world.build(tmp_path, access=True, institutions=institutions(registration_certificate="registration.jwt"))
    with world.client_of(deployment.worker()) as opened:
        shown = metadata.parse(opened.get(URL).content, credential_issuer=ISSUER)
        assert shown.registration_certificate == text
        read = registration_certificate.verify(text, now=NOW, judge=lambda _: None)
        identifier = subject_value(deployment.signers["fr-urssaf"]["access"].chain[0], NameOID.ORGANIZATION_IDENTIFIER)
        for name in shown.configurations:
            kind = shown.configuration(name)
            registration_certificate.check_issuer(
                read, organization_identifier=identifier, format=kind.format, type_id=kind.type_id
            )
        deployment.clock.advance(days=20, minutes=-1)  # signed a minute before the end, and not kept beyond it
        assert "issuer_info" in jws.parse(opened.get(URL, headers={"accept": JWT}).text).claims()
        deployment.clock.advance(minutes=1)
        assert "issuer_info" not in opened.get(URL).json()
        assert "issuer_info" not in jws.parse(opened.get(URL, headers={"accept": JWT}).text).claims()
    deployment.close()


def test_signed_metadata_end_with_the_access_certificate(tmp_path: Path) -> None:
    """SECURITY O-14: with an access certificate that is over, nothing is signed any more."""
    deployment = world.build(tmp_path, access=True)
    ends = deployment.signers["fr-urssaf"]["access"].chain[0].not_valid_after_utc
    with world.client_of(deployment.worker()) as opened:
        deployment.clock.now = ends - timedelta(hours=2)
        claims = jws.parse(opened.get(URL, headers={"accept": JWT}).text).claims()
        assert claims["exp"] == int(ends.timestamp())
        deployment.clock.now = ends
        answer = opened.get(URL, headers={"accept": JWT})
        assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    deployment.close()


def test_the_current_encryption_key_is_published(tmp_path: Path) -> None:
    """VCI-META-9, -10: with `kid` and `alg`; older ones are still taken, but given out no more (SECURITY O-13)."""
    deployment = world.build(tmp_path, encryption=True)
    raw = json.loads(json.dumps(deployment.raw))
    first, second = raw["institutions"][:2]
    first["keys"]["encryption"].append(second["keys"].pop("encryption")[0])
    deployment.settings = parse(raw, base=tmp_path)
    with world.client_of(deployment.worker()) as opened:
        published = opened.get(URL).json()
        other = opened.get(metadata.well_known("https://issuer.test/fr-cnam", metadata.WELL_KNOWN)).json()
    deployment.close()
    keys = published["credential_request_encryption"]["jwks"]["keys"]
    assert [key["kid"] for key in keys] == [deployment.settings.institutions["fr-urssaf"].encryption_keys[0].kid]
    assert len(deployment.settings.institutions["fr-urssaf"].encryption_keys) == 2
    assert all(key["alg"] == "ECDH-ES" and "d" not in key for key in keys)
    assert published["credential_response_encryption"]["encryption_required"] is False
    assert not {"credential_request_encryption", "credential_response_encryption"} & other.keys()


def test_the_reuse_policy_agrees_with_the_batch(tmp_path: Path) -> None:
    """EAA-I-4."""
    policy = {"details": ["once_only"], "reissue_trigger_unused": 2, "reissue_trigger_lifetime_left": 86_400}
    deployment = world.build(tmp_path, institutions=institutions(reuse_policy=policy), batch_size=7)
    with world.client_of(deployment.worker()) as opened:
        published = opened.get(URL).json()
    deployment.close()
    assert published["batch_credential_issuance"] == {"batch_size": 7}
    for configuration in published["credential_configurations_supported"].values():
        announced = configuration["credential_metadata"]["credential_reuse_policy"]
        assert announced["id"] == "arf_annex_ii"
        assert announced["options"] == [{**policy, "batch_size": 7}]


def test_without_batch_none_is_announced(tmp_path: Path) -> None:
    """VCI-META-8."""
    deployment = world.build(tmp_path, institutions=institutions(), batch_size=1)
    with world.client_of(deployment.worker()) as opened:
        assert "batch_credential_issuance" not in opened.get(URL).json()
    deployment.close()


def test_a_bare_pilot_announces_the_pre_authorized_code_only(tmp_path: Path) -> None:
    """VCI-META-22: what needs a sign-in or trust lists is not announced without them."""
    deployment = world.build(tmp_path, institutions=institutions())
    with world.client_of(deployment.worker()) as opened:
        server = authorization_server.parse(opened.get(SERVER_URL).content, issuer=ISSUER)
        assert opened.get(SERVER_URL).headers["content-type"] == JSON
    deployment.close()
    assert server.grant_types == ("urn:ietf:params:oauth:grant-type:pre-authorized_code",)
    assert (server.anonymous, server.client_auth_methods) == (True, ("none",))
    assert server.authorization_endpoint is server.pushed_authorization_request_endpoint is server.challenge_endpoint is None


def test_a_haip_issuer_announces_what_haip_asks_for(tmp_path: Path) -> None:
    """HAIP-VCI-1 to -3, -5, -9, -11, VCI-AUTHZ-4 to -6, VCI-WIA-8."""
    haip = institutions(issuance_profile="haip", sign_in=SIGN_IN)
    built = attested(tmp_path, access=True, institutions=haip)
    with world.client_of(built.deployment.worker()) as opened:
        server = authorization_server.parse(opened.get(SERVER_URL).content, issuer=ISSUER)
        read = metadata.parse(opened.get(URL).content, credential_issuer=ISSUER)
    built.deployment.close()
    assert authorization_server.check_authorization_code(server) == (f"{ISSUER}/par", f"{ISSUER}/authorize")
    assert server.require_par
    assert server.grant_types == ("authorization_code", "refresh_token")
    assert server.client_auth_methods == ("attest_jwt_client_auth",)
    assert not server.anonymous
    assert server.challenge_endpoint == f"{ISSUER}/challenge"
    assert read.deferred_credential_endpoint == f"{ISSUER}/deferred"
    for name in read.configurations:
        configuration = read.configuration(name)
        assert configuration.scope == name
        assert set(configuration.proof_types) == {"jwt", "attestation"}
        for kind in configuration.proof_types.values():
            assert kind.key_attestation is not None
            assert kind.key_attestation.key_storage == kind.key_attestation.user_authentication == ("iso_18045_moderate",)
            assert kind.key_attestation.preferred_key_storage_status_period == 90 * 86_400
