"""Published OpenID4VCI examples through our readers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import holder, root
from vc.encoding import json as strict_json
from vc.errors import Malformed, VcError
from vc.jose import jws
from vc.keys import jwk
from vc.openid4vci import (
    attestation,
    authorization,
    credential,
    encryption,
    metadata,
    offer,
    signed_metadata,
    token,
    wallet_attestation,
)
from vc.x509.certificate import public_key

HERE = Path(__file__).parent / "openid4vci"
EXAMPLES: dict[str, Any] = json.loads((HERE / "message_examples.json").read_text())["examples"]
ISSUER = "https://credential-issuer.example.com"
NOW_OF_THE_ATTESTATION = datetime(2025, 8, 13, tzinfo=UTC)


@pytest.mark.parametrize("name", sorted(name for name in EXAMPLES if name.startswith("credential_offer_")))
def test_the_published_offers_are_read(name: str) -> None:
    found = offer.parse(EXAMPLES[name])
    grant = EXAMPLES[name]["grants"][offer.PRE_AUTHORIZED]
    assert found.credential_issuer == ISSUER
    assert list(found.configuration_ids) == EXAMPLES[name]["credential_configuration_ids"]
    assert found.pre_authorized_code == grant["pre-authorized_code"]
    assert found.tx_code is not None
    assert found.tx_code.length == grant["tx_code"].get("length")
    assert offer.parse_link(offer.link_by_value(EXAMPLES[name])).offer == found


def test_the_published_metadata_are_read() -> None:
    document = EXAMPLES["credential_issuer_metadata_sd_jwt_long"]
    found = metadata.parse(document, credential_issuer=ISSUER)
    assert (found.batch_size, found.encryption_required, found.authorization_servers) == (10, True, ("https://server.example.com",))
    configuration = found.configuration("SD_JWT_VC_example_in_OpenID4VCI")
    assert configuration.type_id == "SD_JWT_VC_example_in_OpenID4VCI"
    assert configuration.key_attestation_required
    assert [list(claim.path) for claim in configuration.claims] == [
        claim["path"]
        for claim in document["credential_configurations_supported"][configuration.id]["credential_metadata"]["claims"]
    ]


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("credential_metadata_sd_jwt_vc", True),
        ("credential_metadata_jwt_vc_json", True),
        ("credential_metadata_mso_mdoc", False),
        ("credential_metadata_ldp_vc", False),
    ],
)
def test_the_published_configurations_are_read_where_they_follow_the_text(name: str, fits: bool) -> None:
    ((configuration_id, value),) = EXAMPLES[name]["credential_configurations_supported"].items()
    if not fits:
        with pytest.raises(Malformed, match="binding methods and proof types"):
            metadata.parse_configuration(configuration_id, value)
        value = {**value, "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}}
    found = metadata.parse_configuration(configuration_id, value)
    assert found.format == value["format"]
    assert found.display[0]["name"] == value["credential_metadata"]["display"][0]["name"]


def test_the_stale_mdoc_request_is_refused() -> None:
    with pytest.raises(Malformed, match="of a draft before"):
        credential.parse_request(
            EXAMPLES["credential_request_iso_mdl"], configuration_ids=["x"], credential_identifiers=None, batch_size=1
        )


@pytest.mark.parametrize("name", sorted(name for name in EXAMPLES if name.startswith("authorization_details")))
def test_the_published_authorization_details_are_read(name: str) -> None:
    form = {
        "grant_type": offer.PRE_AUTHORIZED,
        "pre-authorized_code": "code",
        "authorization_details": json.dumps(EXAMPLES[name]),
    }
    found = token.parse_request(form, credential_issuer=ISSUER)
    assert list(found.configuration_ids or ()) == [entry["credential_configuration_id"] for entry in EXAMPLES[name]]


def test_the_published_signed_metadata_verify_and_are_read() -> None:
    compact = json.loads((HERE / "signed_issuer_metadata.json").read_text())["compact"]
    unverified = jws.parse(compact)
    key = public_key(jws.chain_of(unverified)[0])
    jws.verify(unverified, key, typ="openidvci-issuer-metadata+jwt")
    claims = unverified.claims()
    assert claims["sub"] == ISSUER
    assert metadata.parse(claims, credential_issuer=ISSUER).credential_endpoint == ISSUER + "/credential"
    assert strict_json.loads_object(unverified.payload) == claims
    altered = compact[:-6] + ("A" if compact[-6] != "A" else "B") + compact[-5:]
    with pytest.raises(VcError, match="signature"):
        jws.verify(jws.parse(altered), key, typ="openidvci-issuer-metadata+jwt")


def test_the_published_wallet_attestation_is_signed_as_it_says_and_refused_for_its_self_signed_certificate() -> None:
    """HAIP 1.0 §4.4.1 forbids what the example of the specification shows: a signing certificate that is its own issuer."""
    vector = json.loads((HERE / "wallet_attestation.json").read_text())
    unverified = jws.parse(vector["compact"])
    jws.verify(unverified, public_key(jws.chain_of(unverified)[0]), typ=wallet_attestation.TYP)
    assert (unverified.header, unverified.claims()) == (vector["header"], vector["payload"])
    with pytest.raises(VcError, match="attestation_certificate: the signing certificate is self-signed"):
        wallet_attestation.verify(
            [vector["compact"]],
            ["not looked at"],
            audience=ISSUER,
            now=NOW_OF_THE_ATTESTATION,
            client_id=None,
            challenge_required=False,
            check_challenge=lambda _: None,
        )


@pytest.mark.parametrize("issuer", [True, False])
def test_the_claims_of_the_published_wallet_attestation_are_read(issuer: bool) -> None:
    """The published claims, signed again under a certificate as HAIP wants it and for a key of ours."""
    claims = json.loads((HERE / "wallet_attestation.json").read_text())["payload"]
    provider, instance = root().leaf(), holder()
    claims = {**claims, "cnf": {"jwk": jwk.from_public(instance.public_key)}}
    if not issuer:
        del claims["iss"]
    text = attestation.seal(claims, provider, typ=wallet_attestation.TYP)
    found = wallet_attestation.verify(
        [text],
        [wallet_attestation.create_pop(instance, audience=ISSUER, now=NOW_OF_THE_ATTESTATION, jti="1")],
        audience=ISSUER,
        now=NOW_OF_THE_ATTESTATION,
        client_id="https://wallet.example.com",
        challenge_required=False,
        check_challenge=lambda _: None,
    )
    assert (found.wallet_name, found.wallet_link) == (claims["wallet_name"], claims["wallet_link"])
    assert (found.issuer, found.status) == (claims.get("iss"), None)
    assert found.expires - (found.issued_at or found.expires) == timedelta(seconds=79_198)


def test_the_published_encryption_metadata_are_read() -> None:
    document = EXAMPLES["credential_issuer_metadata_sd_jwt_long"]
    found = encryption.parse_request_metadata(document["credential_request_encryption"])
    offer = encryption.EncryptionOffer(enc_values=("A128GCM",), zip=True, required=True)
    assert (found.kid, found.offer) == ("ac", offer)
    assert encryption.parse_response_metadata(document["credential_response_encryption"]) == offer
    assert encryption.response_metadata(offer) == document["credential_response_encryption"]
    made = encryption.request_metadata(offer, [(found.kid, found.key)])
    assert made == document["credential_request_encryption"]


def test_the_published_signed_metadata_are_refused_for_their_self_signed_certificate() -> None:
    """The example has the form of the text, but not the chain HAIP 1.0 §4.1 wants; nobody is asked whether to trust it."""
    compact = json.loads((HERE / "signed_issuer_metadata.json").read_text())["compact"]
    judged: list[object] = []
    with pytest.raises(VcError, match="x5c_self_signed"):
        signed_metadata.verify(compact, credential_issuer=ISSUER, now=datetime(2026, 1, 1, tzinfo=UTC), judge=judged.append)
    assert judged == []


def test_the_published_encryption_and_key_attestation_requirements_are_read() -> None:
    found = metadata.parse(EXAMPLES["credential_issuer_metadata_sd_jwt_long"], credential_issuer=ISSUER)
    assert found.request_encryption is not None
    assert (found.request_encryption.kid, found.request_encryption.offer.enc_values) == ("ac", ("A128GCM",))
    assert found.response_encryption is not None
    assert found.response_encryption.required
    (proof_type,) = found.configuration("SD_JWT_VC_example_in_OpenID4VCI").proof_types.values()
    assert proof_type.key_attestation == metadata.KeyAttestationRequirement(
        key_storage=("iso_18045_moderate",), user_authentication=("iso_18045_moderate",)
    )


@pytest.mark.parametrize("name", sorted(name for name in EXAMPLES if name.startswith("authorization_details")))
def test_the_published_authorization_details_are_pushed(name: str) -> None:
    asked = [entry["credential_configuration_id"] for entry in EXAMPLES[name]]
    form = authorization.create_pushed(
        client_id="wallet", redirect_uri="https://wallet.test/cb", code_challenge="c" * 43, state="s", configuration_ids=["x"]
    )
    form["authorization_details"] = json.dumps(EXAMPLES[name])
    found = authorization.parse_pushed(form, credential_issuer=ISSUER, scopes={entry: entry for entry in asked})
    assert list(found.configuration_ids) == asked
