"""The published examples of OpenID4VP 1.0."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto.jwk import JWK

from tests.support.pki import new_key
from vc.encoding import claims_path
from vc.errors import Refused, VcError
from vc.openid4vp import dcql
from vc.openid4vp.response import DecryptionKey, EncryptedResponse, VpToken, open_response

FOLDER = Path(__file__).parent / "openid4vp"


def vector(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return loaded


QUERIES = vector("dcql_queries.json")["queries"]
PERSON = {
    "last_name": "Doe",
    "first_name": "Arthur",
    "given_name": "Arthur",
    "family_name": "Doe",
    "date_of_birth": "1980-01-01",
    "postal_code": "90210",
    "locality": "Milliways",
    "address": {"street_address": "42 Market Street"},
}
MDL = {"org.iso.18013.5.1": {"given_name": "A", "family_name": "D", "portrait": "x", "first_name": "A"}}
VEHICLE = {"org.iso.7367.1": {"vehicle_holder": "A"}, "org.iso.18013.5.1": {"first_name": "A"}}


def sd_jwt(vct: str, claims: dict[str, Any]) -> dcql.View:
    return dcql.View(format="dc+sd-jwt", type_ids=frozenset({vct}), claims=claims)


def mdoc(doctype: str, claims: dict[str, Any]) -> dcql.View:
    return dcql.View(format="mso_mdoc", type_ids=frozenset({doctype}), claims=claims)


HELD = {
    "pid": sd_jwt("https://credentials.example.com/identity_credential", PERSON),
    "reduced": sd_jwt("https://credentials.example.com/reduced_identity_credential", PERSON),
    "mdl": mdoc("org.iso.18013.5.1.mDL", MDL),
    "vehicle": mdoc("org.iso.7367.1.mVRC", VEHICLE),
}


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("simple", {"my_credential": "pid"}),
        ("simple_mdoc", {"my_credential": "vehicle"}),
        ("multi_credentials", {"pid": "pid", "mdl": "vehicle"}),
        ("claims_alternatives", {"pid": "pid"}),
        ("value_matching_simple", {"my_credential": "pid"}),
        ("credentials_alternatives", {"pid": "pid"}),
        ("complex_mdoc", {"mdl-id": "mdl"}),
    ],
)
def test_published_queries_are_answered_by_the_right_credentials(name: str, chosen: dict[str, str]) -> None:
    found = dcql.match(dcql.parse(QUERIES[name]), HELD).choose()
    assert {query: candidates[0].held for query, candidates in found.items()} == chosen


def test_every_published_query_is_in_the_table() -> None:
    assert len(QUERIES) == 7


def test_second_claim_set_is_used_when_the_first_cannot_be_met() -> None:
    candidate = dcql.match(dcql.parse(QUERIES["claims_alternatives"]), HELD).choose()["pid"][0]
    assert candidate.disclose == {("last_name",), ("postal_code",), ("date_of_birth",)}


POINTER = vector("claims_path_pointer.json")


@pytest.mark.parametrize("case", POINTER["cases"], ids=lambda case: "/".join(map(str, case["path"])))
def test_claims_path_pointers_select_what_the_specification_says(case: dict[str, Any]) -> None:
    assert claims_path.select(POINTER["credential"], claims_path.parse(case["path"])) == case["selects"]


ENCRYPTED = vector("encrypted_response_ecdh_es_a128gcm.json")


def published_key() -> ec.EllipticCurvePrivateKey:
    key = JWK(**ENCRYPTED["private_jwk"]).get_op_key("unwrapKey")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def test_published_encrypted_response_opens() -> None:
    sent = EncryptedResponse(token=ENCRYPTED["jwe_compact"])
    opened = open_response(sent, encryption=DecryptionKey(key=published_key(), kid="ac"), state=None)
    assert isinstance(opened, VpToken)
    assert opened.entries == {"example_credential_id": ("eyJhb...YMetA",)}


@pytest.mark.parametrize("kid", ["other", ""])
def test_published_encrypted_response_is_refused_under_another_kid(kid: str) -> None:
    sent = EncryptedResponse(token=ENCRYPTED["jwe_compact"])
    with pytest.raises(Refused, match="jwe_key"):
        open_response(sent, encryption=DecryptionKey(key=published_key(), kid=kid), state=None)


def test_published_encrypted_response_does_not_open_with_another_key() -> None:
    with pytest.raises(VcError, match="jwe_decryption"):
        open_response(
            EncryptedResponse(token=ENCRYPTED["jwe_compact"]), encryption=DecryptionKey(key=new_key(), kid="ac"), state=None
        )
