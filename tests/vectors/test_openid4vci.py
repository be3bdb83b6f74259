"""Published OpenID4VCI examples through our readers."""

import json
from pathlib import Path
from typing import Any

import pytest

from vc.encoding import json as strict_json
from vc.errors import Malformed, VcError
from vc.jose import jws
from vc.openid4vci import credential, metadata, offer, token
from vc.x509.certificate import public_key

HERE = Path(__file__).parent / "openid4vci"
EXAMPLES: dict[str, Any] = json.loads((HERE / "message_examples.json").read_text())["examples"]
ISSUER = "https://credential-issuer.example.com"


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
