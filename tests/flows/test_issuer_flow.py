"""The whole way over HTTP: offer, token, nonce, proof, credential, status, notification; both formats, batches, DPoP.

What arrives is checked as a verifier would: signature, path to the CA, holder key, validity, status list, type metadata.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from tests.support import issuer as world
from tests.support.issuer import Deployment
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import NOW, holder
from vc import formats
from vc.documents.catalogue import CONFIGURATIONS, recognise
from vc.encoding import base64url
from vc.formats import Credential
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import authorization_server, metadata, offer
from vc.sdjwt import type_metadata
from vc.status import token as status_token
from vc.status.bits import StatusValue
from vc.x509.certificate import from_der, public_key, sha256
from vc.x509.chain import check_presented, find_path
from vc.x509.profiles import DOCUMENT_SIGNER, SEAL, STATUS_SIGNER

_RULES = {"dc+sd-jwt": SEAL, "mso_mdoc": DOCUMENT_SIGNER}
_OFFERED = [
    ("fr-urssaf", "pda1_dc4eu-2_sd_jwt"),
    ("fr-urssaf", "eu.europa.ec.eudi.pda1_mdoc"),
    ("fr-cnam", "ehic_dc4eu-1_sd_jwt"),
    ("fr-cnam", "eu.europa.ec.eudi.ehic_mdoc"),
    ("test-pid", "pid_sd_jwt"),
    ("test-pid", "pid_mdoc"),
]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    built = world.build(tmp_path)
    yield built
    built.close()


@pytest.fixture
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


def _wallet(client: TestClient, deployment: Deployment, institution: str, **options: Any) -> IssuerWallet:
    return IssuerWallet(client, deployment.credential_issuer(institution), deployment.clock, **options)


def _verified(deployment: Deployment, configuration_id: str, text: str) -> Credential:
    """A credential as a verifier takes it, with the path of its leaf to the test CA."""
    configuration = CONFIGURATIONS[configuration_id]
    unverified = formats.parse_issued(configuration.format, text)
    check_presented(unverified.chain)
    find_path(unverified.chain, anchors=[deployment.authority.certificate], at=NOW, rules=_RULES[configuration.format])
    credential = unverified.verify_issuer(public_key(unverified.chain[0]))
    credential.check_validity(deployment.clock())
    return credential


def _collected(deployment: Deployment, wallet: IssuerWallet) -> Credential:
    """One PDA1 as SD-JWT VC, collected and verified."""
    answer = wallet.credential("pda1_dc4eu-2_sd_jwt")
    return _verified(deployment, "pda1_dc4eu-2_sd_jwt", answer.json()["credentials"][0]["credential"])


def _status(client: TestClient, deployment: Deployment, credential: Credential, kind: str) -> StatusValue:
    """What the status list says, read from its address as a verifier would."""
    assert credential.status is not None
    answer = client.get(credential.status.uri, headers={"accept": f"application/statuslist+{kind}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"application/statuslist+{kind}"
    assert answer.headers["access-control-allow-origin"] == "*"
    parsed = status_token.parse_jwt(answer.text) if kind == "jwt" else status_token.parse_cwt(answer.content)
    find_path(parsed.chain, anchors=[deployment.authority.certificate], at=NOW, rules=STATUS_SIGNER)
    verified = status_token.verify(parsed, public_key(parsed.chain[0]), uri=credential.status.uri, now=deployment.clock())
    assert verified.list.size == 1 << 20
    return verified.status(credential.status.idx)


@pytest.mark.parametrize(("institution", "configuration_id"), _OFFERED)
def test_a_document_reaches_the_wallet(client: TestClient, deployment: Deployment, institution: str, configuration_id: str) -> None:
    """VCI-TOK-1, VCI-NONCE-1, VCI-RESP-1..3, TSL-5, EAA-S-3..6, EAA-S-11, EAA-M-6."""
    offered = world.offer(client, institution)
    wallet = _wallet(client, deployment, institution)
    token = wallet.token(offered)
    assert token.json().keys() == {"access_token", "token_type", "expires_in"}
    assert token.json()["token_type"] == "Bearer"
    assert token.json()["expires_in"] <= 300  # VCI-TOK-9
    key = holder()
    answer = wallet.credential(configuration_id, keys=[key])
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"credentials", "notification_id"}
    assert answer.headers["cache-control"] == token.headers["cache-control"] == "no-store"
    credential = _verified(deployment, configuration_id, answer.json()["credentials"][0]["credential"])
    assert credential.holder is not None
    assert jwk.thumbprint(credential.holder) == jwk.thumbprint(key.public_key)
    assert credential.category == (None if institution == "test-pid" else "urn:etsi:esi:eaa:eu:pub")
    assert recognise(credential.format, credential.type_id, credential.claims) is CONFIGURATIONS[configuration_id].profile
    assert _status(client, deployment, credential, "jwt") is StatusValue.VALID
    assert _status(client, deployment, credential, "cwt") is StatusValue.VALID


def test_an_issued_sd_jwt_carries_certificate_address_type_integrity_and_both_status_shapes(
    client: TestClient, deployment: Deployment
) -> None:
    """EAA-S-1, EAA-S-8, EAA-S-11, TM-1, TM-2, SDVC-1."""
    wallet = _wallet(client, deployment, "fr-urssaf")
    wallet.token(world.offer(client))
    text = wallet.credential("pda1_dc4eu-2_sd_jwt").json()["credentials"][0]["credential"]
    signed = jws.parse(text.split("~")[0])
    leaf = jws.chain_of(signed)[0]
    assert signed.header["typ"] == "dc+sd-jwt"
    assert signed.header["x5t#S256"] == base64url.encode(sha256(leaf))
    fetched = client.get(signed.header["x5u"])
    assert fetched.headers["content-type"] == "application/pkix-cert"
    assert sha256(from_der(fetched.content)) == sha256(leaf)
    claims = signed.claims()
    described = client.get(f"/type-metadata/{claims['vct']}")
    assert described.headers["content-type"] == "application/json"
    type_metadata.check_integrity(described.content, claims["vct#integrity"])
    assert type_metadata.parse(described.content, vct=claims["vct"]).claims
    assert claims["status"]["type"] == "TokenStatusList"
    assert claims["status"]["index"] in (claims["status"]["status_list"]["idx"], str(claims["status"]["status_list"]["idx"]))
    assert claims["iss"] == wallet.issuer
    assert "personal_administrative_number" not in claims
    assert "shortLived" not in claims


def test_the_two_shapes_of_one_type_have_metadata_apart(client: TestClient, deployment: Deployment) -> None:
    """DOMAIN 0, trap one: dc4eu-1 and dc4eu-2 share a vct; each credential names the octets it was made by."""
    wallet = _wallet(client, deployment, "fr-urssaf")
    plain = {**world.PDA1, "employer": world.PDA1["employer"], "work_information": _one_plain_address()}
    document_id = world.submit(client, document_data=plain)
    wallet.token(world.offer(client, document_id=document_id, formats=["dc+sd-jwt"], profile="dc4eu-1"))
    text = wallet.credential("pda1_dc4eu-1_sd_jwt").json()["credentials"][0]["credential"]
    claims = jws.parse(text.split("~")[0]).claims()
    default, named = client.get("/type-metadata/urn:eudi:pda1:1"), client.get("/type-metadata/urn:eudi:pda1:1/dc4eu-1")
    assert default.content != named.content
    type_metadata.check_integrity(named.content, claims["vct#integrity"])
    assert client.get("/type-metadata/urn:eudi:pda1:1/dc4eu-9").status_code == 404
    assert client.get("/type-metadata/urn:eudi:other:1").status_code == 404


def _one_plain_address() -> dict[str, Any]:
    address = world.PDA1["work_information"]["work_address"][0]
    return {"work_address": [{name: value for name, value in address.items() if not name.startswith("company")}]}


def test_copies_of_a_batch_share_nothing_but_content(client: TestClient, deployment: Deployment) -> None:
    """EAA-I-5, VCI-CRED-10, TSL-13, SECURITY P-3."""
    deployment.clock.advance(minutes=17, seconds=23)
    wallet = _wallet(client, deployment, "fr-urssaf")
    wallet.token(world.offer(client))
    keys = [holder() for _ in range(10)]
    answers = wallet.credential("pda1_dc4eu-2_sd_jwt", keys=keys).json()["credentials"]
    assert len(answers) == 10
    texts = [entry["credential"] for entry in answers]
    claims = [jws.parse(text.split("~")[0]).claims() for text in texts]
    assert [jwk.thumbprint(jwk.parse_public(copy["cnf"]["jwk"])) for copy in claims] == [jwk.thumbprint(k.public_key) for k in keys]
    disclosures = [disclosure for text in texts for disclosure in text.split("~")[1:-1]]
    salts = [json.loads(base64url.decode(disclosure))[0] for disclosure in disclosures]
    assert len(set(salts)) == len(salts) >= 20
    for unique in ("sub", "jti"):
        assert len({copy[unique] for copy in claims}) == 10
    indices = sorted(copy["status"]["status_list"]["idx"] for copy in claims)
    assert len(set(indices)) == 10
    assert max(indices) - min(indices) > 1000  # random over 2^20: nine neighbours within a thousand do not happen
    assert {copy["iat"] % 3600 for copy in claims} == {0}
    assert {copy["exp"] % 86_400 for copy in claims} == {0}
    content = {json.dumps({**copy, "_sd": 0, **dict.fromkeys(("sub", "jti", "cnf", "status"))}, sort_keys=True) for copy in claims}
    assert len(content) == 1


def test_both_formats_with_one_token_and_the_offer_by_reference(client: TestClient, deployment: Deployment) -> None:
    """VCI-OFF-1..4, EAA-I-6: the link is followed as a wallet does it."""
    created = world.offer(client)
    (reference,) = parse_qs(urlsplit(created["credential_offer_uri"]).query)["credential_offer_uri"]
    fetched = client.get(reference)
    read = offer.parse_fetched(fetched.content, content_type=fetched.headers["content-type"])
    assert read.credential_issuer == deployment.credential_issuer("fr-urssaf")
    assert read.tx_code is not None
    assert read.tx_code.length == 6
    assert fetched.json() == created["credential_offer"] == client.get(reference).json()
    wallet = _wallet(client, deployment, "fr-urssaf")
    wallet.token(created)
    for configuration_id in read.configuration_ids:
        assert wallet.credential(configuration_id).status_code == 200
    assert client.get(reference).status_code == 404  # spent


def test_an_offer_by_value_carries_itself(client: TestClient, deployment: Deployment) -> None:
    created = world.offer(client, by_value=True, tx_code=False)
    link = offer.parse_link(created["credential_offer_uri"])
    assert link.offer is not None
    assert link.offer.tx_code is None
    assert created["tx_code"] is None
    wallet = _wallet(client, deployment, "fr-urssaf")
    assert wallet.token(created, tx_code=None).status_code == 200


def test_two_offers_differ_and_a_picture_goes_when_the_offer_goes(client: TestClient, deployment: Deployment) -> None:
    """VCI-OFF-4, SECURITY I-17."""
    first = world.offer(client)
    second = world.offer(client, document_id=first["document_id"])
    assert first["credential_offer_uri"] != second["credential_offer_uri"]
    assert first["offer_id"] != second["offer_id"]
    svg, png = client.get(first["qr_svg"]), client.get(first["qr_png"])
    assert (svg.headers["content-type"], svg.content[:5]) == ("image/svg+xml", b"<?xml")
    assert (png.headers["content-type"], png.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert client.get(first["qr_svg"].replace("svg", "gif")).status_code == 404
    _wallet(client, deployment, "fr-urssaf").token(first)
    gone = [client.get(first["qr_svg"]), client.get(first["qr_png"]), client.get(first["qr_svg"].removesuffix("/qr.svg"))]
    guessed = client.get(first["qr_svg"].replace(first["offer_id"], "0" * 32).removesuffix("/qr.svg"))
    foreign = client.get(second["qr_svg"].replace("fr-urssaf", "fr-cnam").removesuffix("/qr.svg"))
    deployment.clock.advance(minutes=15)
    expired = client.get(second["qr_svg"].removesuffix("/qr.svg"))
    answers = [*gone, guessed, foreign, expired]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, guessed.content)}


def test_dpop_binds_the_token(client: TestClient, deployment: Deployment) -> None:
    """VCI-TOK-4, VCI-DPOP-4: DPoP all the way; the same token as Bearer, without proof, or with another key is nothing."""
    key = holder()
    wallet = _wallet(client, deployment, "fr-cnam", dpop_key=key)
    assert wallet.token(world.offer(client, "fr-cnam")).json()["token_type"] == "DPoP"
    assert wallet.credential("ehic_dc4eu-1_sd_jwt").status_code == 200
    request = {"credential_configuration_id": "ehic_dc4eu-1_sd_jwt", "proofs": {"jwt": wallet.proofs([holder()], wallet.nonce())}}
    bearer = {"authorization": f"Bearer {wallet.access_token}"}
    bare = {"authorization": f"DPoP {wallet.access_token}"}
    wallet.dpop_key = holder()
    other = wallet.authorization("credential")
    wallet.dpop_key = key
    for headers in (bearer, bare, other, {**bearer, "dpop": wallet.authorization("credential")["dpop"]}):
        answer = client.post(f"{wallet.issuer}/credential", json=request, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith(("DPoP", "Bearer"))
        assert "credentials" not in answer.text
    assert wallet.post("credential", request).status_code == 200  # nothing was spent by the refusals


def test_authorization_details_give_identifiers_which_must_then_be_used(client: TestClient, deployment: Deployment) -> None:
    """VCI-TOK-5, VCI-TOK-8, VCI-CRED-1."""
    wallet = _wallet(client, deployment, "fr-urssaf")
    configuration_id = "eu.europa.ec.eudi.pda1_mdoc"
    body = wallet.token(world.offer(client), configuration_ids=(configuration_id,)).json()
    (detail,) = body["authorization_details"]
    assert detail["credential_configuration_id"] == configuration_id
    assert wallet.credential(configuration_id).status_code == 200
    wallet.identifiers.clear()
    answer = wallet.credential(configuration_id)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_credential_request")
    wallet.identifiers[configuration_id] = "of-another-token"
    answer = wallet.credential(configuration_id)
    assert (answer.status_code, answer.json()["error"]) == (400, "unknown_credential_identifier")


def test_a_named_client_says_so_in_its_proofs(client: TestClient, deployment: Deployment) -> None:
    """VCI-CRED-5."""
    wallet = _wallet(client, deployment, "fr-urssaf", client_id="https://wallet.test")
    wallet.token(world.offer(client))
    assert wallet.credential("pda1_dc4eu-2_sd_jwt").status_code == 200
    wallet.client_id = "https://another.test"
    assert wallet.credential("pda1_dc4eu-2_sd_jwt").json()["error"] == "invalid_proof"


def test_what_the_wallet_reports_is_kept_once_for_the_institution(client: TestClient, deployment: Deployment) -> None:
    """VCI-NOT-1: idempotent."""
    offered = world.offer(client)
    wallet = _wallet(client, deployment, "fr-urssaf")
    wallet.token(offered)
    told = {"notification_id": wallet.credential("pda1_dc4eu-2_sd_jwt").json()["notification_id"], "event": "credential_accepted"}
    for _ in range(2):
        answer = wallet.post("notification", told)
        assert (answer.status_code, answer.content) == (204, b"")
    assert (
        wallet.post("notification", {**told, "event": "credential_deleted", "event_description": "no longer needed"}).status_code
        == 204
    )
    detail = client.get(f"/api/v1/documents/{offered['document_id']}", headers=world.bearer("fr-urssaf")).json()
    assert [(report["event"], report["description"]) for report in detail["reports"]] == [
        ("credential_accepted", None),
        ("credential_deleted", "no longer needed"),
    ]
    history = client.get(f"/api/v1/documents/{offered['document_id']}/history", headers=world.bearer("fr-urssaf")).json()
    assert [event["event"] for event in history["events"]] == [
        "document_created",
        "offer_created",
        "offer_redeemed",
        "credentials_issued",
        "credential_accepted",
        "credential_deleted",
    ]


def test_withdrawing_turns_every_copy(client: TestClient, deployment: Deployment) -> None:
    """TSL-14, SECURITY 4.3: the next list says so; other documents stay as they are."""
    offered, other = world.offer(client), world.offer(client)
    wallet, neighbour = (_wallet(client, deployment, "fr-urssaf") for _ in range(2))
    wallet.token(offered)
    neighbour.token(other)
    copies = [
        _verified(deployment, name, entry["credential"])
        for name in ("pda1_dc4eu-2_sd_jwt", "eu.europa.ec.eudi.pda1_mdoc")
        for entry in wallet.credential(name, keys=[holder(), holder()]).json()["credentials"]
    ]
    kept = _collected(deployment, neighbour)
    assert {_status(client, deployment, copy, "jwt") for copy in (*copies, kept)} == {StatusValue.VALID}
    path = f"/api/v1/documents/{offered['document_id']}/revocation"
    assert client.post(path, json={"reason": "facts_changed"}, headers=world.bearer("fr-urssaf")).json()["state"] == "revoked"
    for kind in ("jwt", "cwt"):
        assert {_status(client, deployment, copy, kind) for copy in copies} == {StatusValue.INVALID}
        assert _status(client, deployment, kept, kind) is StatusValue.VALID
    assert wallet.credential("pda1_dc4eu-2_sd_jwt").status_code == 401  # tokens for it are worth nothing now
    assert neighbour.credential("pda1_dc4eu-2_sd_jwt").status_code == 200


def test_a_withdrawal_ordered_for_later_shows_at_its_moment(client: TestClient, deployment: Deployment) -> None:
    """SECURITY D-12: half past one at +02:00 is the day before in UTC; copies issued meanwhile turn too."""
    offered = world.offer(client)
    wallet = _wallet(client, deployment, "fr-urssaf")
    wallet.token(offered)
    path = f"/api/v1/documents/{offered['document_id']}/revocation"
    ordered = client.post(
        path,
        json={"reason": "legislation_changed", "effective_from": "2026-11-25T01:30:00+02:00"},
        headers=world.bearer("fr-urssaf"),
    ).json()
    assert (ordered["state"], ordered["effective_from"]) == ("revocation_scheduled", "2026-11-24T23:30:00Z")
    copy = _collected(deployment, wallet)
    deployment.clock.now = NOW.replace(hour=23, minute=29, second=59)
    assert _status(client, deployment, copy, "jwt") is StatusValue.VALID
    deployment.clock.advance(seconds=1 + deployment.settings.status_ttl_seconds)
    assert _status(client, deployment, copy, "jwt") is StatusValue.INVALID
    assert wallet.token(world.offer(client)).status_code == 200


def test_status_lists_have_entity_tags_caching_and_an_aggregation(client: TestClient, deployment: Deployment) -> None:
    """TSL-5, TSL-10..12."""
    wallet = _wallet(client, deployment, "fr-urssaf")
    wallet.token(world.offer(client))
    credential = _collected(deployment, wallet)
    assert credential.status is not None
    uri = credential.status.uri
    first = client.get(uri)
    assert first.headers["content-type"] == "application/statuslist+jwt"
    assert first.headers["cache-control"] == "public, max-age=300"
    assert first.headers["vary"] == "accept"
    deployment.clock.advance(seconds=100)
    again = client.get(uri, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=200"
    deployment.clock.advance(seconds=200)
    assert client.get(uri).content != first.content  # signed anew when the ttl is over
    assert client.get(f"{uri}?time=1").status_code == 501
    assert client.get(uri, headers={"accept": "text/html"}).status_code == 406
    assert client.get(uri.replace("fr-urssaf", "fr-cnam")).status_code == 404
    server = client.get("/.well-known/oauth-authorization-server/fr-urssaf").json()
    assert client.get(server["status_list_aggregation_endpoint"]).json() == {"status_lists": [uri]}
    claims = jws.parse(first.text).claims()
    assert (claims["sub"], claims["ttl"], claims["exp"] - claims["iat"]) == (uri, 300, 86_400)
    assert claims["status_list"]["aggregation_uri"] == server["status_list_aggregation_endpoint"]


def test_a_status_token_is_never_dated_before_its_predecessor(client: TestClient, deployment: Deployment) -> None:
    """SECURITY O-9: the clock jumps back an hour."""
    wallet = _wallet(client, deployment, "fr-urssaf")
    offered = world.offer(client)
    wallet.token(offered)
    credential = _collected(deployment, wallet)
    assert credential.status is not None
    before = jws.parse(client.get(credential.status.uri).text).claims()["iat"]
    deployment.clock.advance(hours=-1)
    path = f"/api/v1/documents/{offered['document_id']}/revocation"
    assert client.post(path, json={}, headers=world.bearer("fr-urssaf")).status_code == 200
    after = client.get(credential.status.uri)
    assert jws.parse(after.text).claims()["iat"] == before
    deployment.clock.advance(hours=1)
    assert _status(client, deployment, credential, "jwt") is StatusValue.INVALID


@pytest.mark.parametrize("institution", ["fr-urssaf", "fr-cnam", "test-pid"])
def test_metadata_are_what_the_wallet_accepts(client: TestClient, deployment: Deployment, institution: str) -> None:
    """VCI-META-2..16: read strictly by the wallet's own reader; plain JSON where nothing can sign (SECURITY I-19)."""
    issuer = deployment.credential_issuer(institution)
    answers = [
        client.get(metadata.well_known(issuer, metadata.WELL_KNOWN), headers=headers)
        for headers in ({}, {"accept": "application/json"}, {"accept": "application/jwt"})
    ]
    assert {(answer.status_code, answer.headers["content-type"]) for answer in answers} == {(200, "application/json")}
    assert len({answer.content for answer in answers}) == 1
    read = metadata.parse(answers[0].content, credential_issuer=issuer)
    assert read.batch_size == 10
    server = authorization_server.parse(
        client.get(metadata.well_known(issuer, authorization_server.WELL_KNOWN)).content, issuer=issuer
    )
    assert server.anonymous
    assert "ES256" in server.dpop_algorithms  # VCI-DPOP-6
    types = world.INSTITUTIONS[institution]["types"]
    assert set(read.configurations) == {name for name, c in CONFIGURATIONS.items() if c.document_type in types}
    for name in read.configurations:
        configuration = read.configuration(name)
        assert configuration.scope == name
        assert configuration.claims
        assert configuration.display
    authorization_server.check_requestable(server, {name: name for name in read.configurations})


def test_old_verifiers_find_the_key_at_the_well_known_place(client: TestClient, deployment: Deployment) -> None:
    """JVI-1."""
    issuer = deployment.credential_issuer("fr-urssaf")
    document = client.get(metadata.well_known(issuer, "jwt-vc-issuer")).json()
    assert document["issuer"] == issuer
    seal: LocalSigner = deployment.signers["fr-urssaf"]["seal"]
    assert jwk.thumbprint(jwk.parse_public(document["jwks"]["keys"][0])) == jwk.thumbprint(seal.public_key)


def test_the_digital_copy_never_outlives_its_certificate(client: TestClient, deployment: Deployment) -> None:
    """SECURITY O-14: the end moves forward to the certificate's end; in its last hour nothing is issued."""
    deployment.clock.now = NOW + timedelta(days=299)
    wallet = _wallet(client, deployment, "fr-urssaf")
    wallet.token(world.offer(client))
    credential = _collected(deployment, wallet)
    assert credential.valid_until == NOW + timedelta(days=300)
    deployment.clock.now = NOW + timedelta(days=300) - timedelta(minutes=59)
    wallet.token(world.offer(client))
    answer = wallet.credential("pda1_dc4eu-2_sd_jwt")
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"]
