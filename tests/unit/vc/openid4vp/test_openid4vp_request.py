"""The request object: every rule the wallet applies (VP-REQ-*, VP-CID-*, OLD-12..15, -17; SECURITY W-1, W-2)."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from tests.support.openid4vp import HOST, NONCE, QUERY, RESPONSE_URI, STATE, Verifier
from tests.support.pki import NOW, new_key, root
from vc.clock import to_numeric_date
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys.jwk import from_public
from vc.keys.signer import LocalSigner
from vc.openid4vp import client_id, client_metadata, request
from vc.openid4vp.client_id import Prefix
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.openid4vp.errors import WALLET_ERRORS, authorization_error

LATER, EARLIER = to_numeric_date(NOW + timedelta(seconds=61)), to_numeric_date(NOW - timedelta(seconds=61))


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier()


@pytest.mark.parametrize("prefix", list(Prefix))
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
def test_a_good_request_is_verified(verifier: Verifier, prefix: Prefix, mode: Any) -> None:
    claims = request.build(
        client_id=verifier.client_id(prefix),
        response_uri=RESPONSE_URI,
        response_mode=mode,
        nonce=NONCE,
        state=STATE,
        dcql_query=QUERY,
        client_metadata=client_metadata.build(encryption=verifier.target),
        wallet_nonce="wallet-nonce",
        verifier_info=[{"format": "registration_cert", "data": "x"}],
    )
    found = verifier.verify(verifier.token(claims), outer=verifier.client_id(prefix), wallet_nonce="wallet-nonce")
    assert found.client.prefix is prefix
    assert (found.nonce, found.state, found.response_uri, found.response_mode) == (NONCE, STATE, RESPONSE_URI, mode)
    assert found.encrypted is (mode == "direct_post.jwt")
    assert found.chain == verifier.signer.chain
    assert found.claims == claims
    assert [credential.id for credential in found.query.credentials] == ["pid"]
    assert found.client_metadata.encryption == verifier.target


def test_header_carries_type_chain_without_anchor_and_time(verifier: Verifier) -> None:
    header = jws.parse(verifier.token(verifier.claims())).header
    assert header["typ"] == "oauth-authz-req+jwt"  # VP-REQ-1
    assert header["x5c"] == jws.x5c(verifier.signer.chain)  # EAA-P-2, HAIP-VP-2
    assert len(header["x5c"]) == 1
    assert header["iat"] == to_numeric_date(NOW)


def test_client_id_of_x509_hash_is_the_hash_of_the_leaf(verifier: Verifier) -> None:  # VP-CID-1
    digest = hashlib.sha256(verifier.signer.chain[0].public_bytes(Encoding.DER)).digest()
    assert verifier.client_id() == f"x509_hash:{base64url.encode(digest)}"


def keys(*changes: dict[str, Any]) -> dict[str, Any]:
    """Client metadata whose keys are good ones with members changed, or removed when None."""
    jwks = [
        {
            name: value
            for name, value in {**from_public(new_key().public_key(), kid="k", alg="ECDH-ES", use="enc"), **c}.items()
            if value is not None
        }
        for c in changes
    ]
    return {**client_metadata.build(encryption=None), "jwks": {"keys": jwks}}


FORMATS = client_metadata.build(encryption=None)
MDOC_ONLY: dict[str, Any] = {"vp_formats_supported": {"mso_mdoc": {}}}
ENC = "encrypted_response_enc_values_supported"
UNBOUND = {"credentials": [{**QUERY["credentials"][0], "require_cryptographic_holder_binding": False}]}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("VP-REQ-2 response_type missing", {"response_type": None}, "response_type"),
    ("VP-REQ-2 response_type id_token", {"response_type": "vp_token id_token"}, "response_type"),
    ("VP-REQ-2 nonce missing", {"nonce": None}, "nonce"),
    ("VP-REQ-2 nonce short", {"nonce": "a" * 21}, "nonce"),
    ("VP-REQ-2 nonce with a space", {"nonce": "a" * 22 + " "}, "nonce"),
    ("VP-REQ-2 nonce with a line break", {"nonce": "a" * 22 + "\n"}, "nonce"),
    ("VP-REQ-2 nonce not ASCII", {"nonce": "é" * 30}, "nonce"),
    ("VP-REQ-2 nonce a number", {"nonce": 1}, "nonce"),
    ("VP-REQ-2 response_mode missing", {"response_mode": None}, "response_mode"),
    ("VP-REQ-2 response_mode fragment", {"response_mode": "fragment"}, "response_mode"),
    ("VP-REQ-2 response_mode dc_api", {"response_mode": "dc_api.jwt"}, "response_mode"),
    ("VP-REQ-2 response_mode a list", {"response_mode": ["direct_post"]}, "response_mode"),
    ("VP-REQ-2 neither query nor scope", {"dcql_query": None}, "dcql"),
    ("VP-REQ-2 query and scope", {"scope": "pid"}, "request"),
    ("VP-REQ-2 scope alone", {"dcql_query": None, "scope": "pid"}, "scope_unknown"),
    ("VP-REQ-3 aud missing", {"aud": None}, "aud"),
    ("VP-REQ-3 aud other", {"aud": "https://wallet.example"}, "aud"),
    ("VP-REQ-3 aud a list", {"aud": [request.STATIC_DISCOVERY_AUDIENCE, "x"]}, "aud"),
    ("VP-REQ-4 inner client_id missing", {"client_id": None}, "client_id"),
    ("VP-REQ-4 inner client_id other", {"client_id": "x509_hash:other"}, "client_id_mismatch"),
    ("VP-REQ-4 inner client_id other prefix", {"client_id": f"x509_san_dns:{HOST}"}, "client_id_mismatch"),
    ("VP-REQ-9 state missing when not bound", {"state": None, "dcql_query": UNBOUND}, "state"),
    ("VP-REQ-9 state not text", {"state": 1}, "state"),
    ("VP-REQ-9 state empty", {"state": ""}, "state"),
    ("VP-REQ-9 state endless", {"state": "s" * 1025}, "state"),
    ("VP-REQ-10 redirect_uri with direct_post", {"redirect_uri": "https://verifier.example/back"}, "redirect_uri"),
    ("VP-REQ-10 response_uri missing", {"response_uri": None}, "response_uri"),
    ("VP-REQ-11 client_metadata missing", {"client_metadata": None}, "client_metadata"),
    ("VP-REQ-11 client_metadata a text", {"client_metadata": "{}"}, "client_metadata"),
    ("VP-REQ-11 formats missing", {"client_metadata": {}}, "client_metadata"),
    ("VP-REQ-11 formats empty", {"client_metadata": {"vp_formats_supported": {}}}, "client_metadata"),
    ("VP-REQ-11 format entry a list", {"client_metadata": {"vp_formats_supported": {"dc+sd-jwt": []}}}, "client_metadata"),
    (
        "VP-REQ-11 empty algorithms",
        {"client_metadata": {"vp_formats_supported": {"dc+sd-jwt": {"kb-jwt_alg_values": []}}}},
        "client_metadata",
    ),
    (
        "VP-REQ-11 algorithms not a list",
        {"client_metadata": {"vp_formats_supported": {"dc+sd-jwt": {"kb-jwt_alg_values": "ES256"}}}},
        "client_metadata",
    ),
    (
        "VP-REQ-11 algorithms of another kind",
        {"client_metadata": {"vp_formats_supported": {"dc+sd-jwt": {"kb-jwt_alg_values": [None]}}}},
        "client_metadata",
    ),
    ("VP-REQ-11 asked format not offered", {"client_metadata": MDOC_ONLY, "response_mode": "direct_post"}, "vp_formats"),
    ("VP-REQ-11 no keys", {"client_metadata": FORMATS}, "encryption_key"),
    ("VP-REQ-11 keys not a set", {"client_metadata": {**FORMATS, "jwks": []}}, "client_metadata"),
    ("VP-REQ-11 keys not a list", {"client_metadata": {**FORMATS, "jwks": {"keys": {}}}}, "client_metadata"),
    ("VP-REQ-11 key not an object", {"client_metadata": {**FORMATS, "jwks": {"keys": ["k"]}}}, "client_metadata"),
    ("VP-REQ-11 too many keys", {"client_metadata": {**FORMATS, "jwks": {"keys": [{}] * 17}}}, "client_metadata"),
    ("VP-REQ-11 kid twice", {"client_metadata": keys({}, {})}, "client_metadata"),
    ("VP-REQ-11 key without kid", {"client_metadata": keys({"kid": None})}, "encryption_key"),
    ("VP-REQ-11 key without alg", {"client_metadata": keys({"alg": None})}, "encryption_key"),
    ("VP-REQ-11 key of another alg", {"client_metadata": keys({"alg": "ECDH-ES+A128KW"})}, "encryption_key"),
    ("VP-REQ-11 key for signatures", {"client_metadata": keys({"use": "sig"})}, "encryption_key"),
    ("VP-REQ-11 key on another curve", {"client_metadata": keys({"crv": "P-384"})}, "encryption_key"),
    ("VP-REQ-11 key off the curve", {"client_metadata": keys({"x": "A" * 43})}, "encryption_key"),
    ("VP-REQ-11 private key", {"client_metadata": keys({"d": "A" * 43})}, "encryption_key"),
    ("VP-REQ-11 enc list empty", {"client_metadata": {**keys({}), ENC: []}}, "client_metadata"),
    ("VP-REQ-11 enc list of numbers", {"client_metadata": {**keys({}), ENC: [1]}}, "client_metadata"),
    ("VP-REQ-11 enc unknown", {"client_metadata": {**keys({}), ENC: ["A128CBC-HS256"]}}, "jwe_enc"),
    ("VP-REQ-12 transaction_data", {"transaction_data": ["e30"]}, "transaction_data"),
    ("request_uri inside", {"request_uri": "https://verifier.example/again"}, "request"),
    ("request inside", {"request": "x"}, "request"),
    ("exp past", {"exp": EARLIER}, "expired"),
    ("exp not a number", {"exp": "tomorrow"}, "numeric_date"),
    ("nbf future", {"nbf": LATER}, "not_yet_valid"),
    ("iat future", {"iat": LATER}, "not_yet_valid"),
    ("VP-CID-5 redirect_uri prefix", {"client_id": "redirect_uri:https://verifier.example"}, "client_id_prefix"),
    ("VP-CID-5 origin prefix", {"client_id": "origin:https://verifier.example"}, "client_id_prefix"),
    ("VP-CID-6 no prefix", {"client_id": "verifier"}, "client_id_prefix"),
    ("VP-CID-6 unknown prefix", {"client_id": "x509_something:verifier"}, "client_id_prefix"),
    ("VP-CID-6 unsupported prefix", {"client_id": "decentralized_identifier:did:x:y"}, "client_id_prefix"),
    ("VP-CID-6 nothing after the prefix", {"client_id": "x509_hash:"}, "client_id"),
    ("VP-CID-6 control characters", {"client_id": "x509_hash:\u0007"}, "client_id"),
    ("VP-CID-6 endless", {"client_id": "x509_hash:" + "a" * 2048}, "client_id"),
    ("VP-CID-6 a number", {"client_id": 1}, "client_id"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_requests_that_break_a_rule_are_refused(verifier: Verifier, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(VcError) as caught:
        verifier.verify(verifier.token(verifier.claims(**changes)))
    assert caught.value.code == code


TRAPS: list[tuple[str, dict[str, Any]]] = [
    ("OLD-12", {"client_id_scheme": "x509_san_dns"}),
    ("OLD-12", {"client_id": "did:web:verifier.example"}),
    ("OLD-12", {"client_id": "https://verifier.example"}),
    ("OLD-12", {"client_id": "x509_san_uri:https://verifier.example"}),
    ("OLD-12", {"client_id": "entity_id:https://verifier.example"}),
    ("OLD-13", {"presentation_definition": {}}),
    ("OLD-13", {"presentation_definition_uri": "https://verifier.example/pd"}),
    ("OLD-14", {"client_metadata": {"vp_formats": {}}}),
    ("OLD-14", {"client_metadata": {"vp_formats_supported": {"dc+sd-jwt": {"alg": ["ES256"]}}}}),
    ("OLD-15", {"client_metadata": {**FORMATS, "authorization_encrypted_response_alg": "ECDH-ES"}}),
    ("OLD-15", {"client_metadata": {**FORMATS, "authorization_encrypted_response_enc": "A128GCM"}}),
    ("OLD-15", {"client_metadata": {**FORMATS, "authorization_signed_response_alg": "ES256"}}),
    ("OLD-17", {"verifier_attestations": []}),
]


@pytest.mark.parametrize(("trap", "changes"), TRAPS)
def test_old_drafts_are_refused_by_the_name_of_the_trap(verifier: Verifier, trap: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        verifier.verify(verifier.token(verifier.claims(**changes)))
    assert caught.value.code == "old_draft"
    assert caught.value.detail.startswith(trap)
    assert caught.value.pointer


@pytest.mark.parametrize("typ", ["JWT", "", None, 1])
def test_another_token_type_is_refused(verifier: Verifier, typ: Any) -> None:  # VP-REQ-1
    header = {"x5c": jws.x5c(verifier.signer.chain), **({} if typ is None else {"typ": typ})}
    with pytest.raises(Refused, match="jws_typ"):
        verifier.verify(jws.sign(header, json.dumps(verifier.claims()), verifier.signer))


def test_media_type_form_of_the_token_type_is_accepted(verifier: Verifier) -> None:
    header = {"x5c": jws.x5c(verifier.signer.chain), "typ": "application/OAuth-Authz-Req+JWT"}
    assert verifier.verify(jws.sign(header, json.dumps(verifier.claims()), verifier.signer)).nonce == NONCE


def test_iat_header_of_the_future_is_refused(verifier: Verifier) -> None:
    with pytest.raises(VerificationFailed, match="not_yet_valid"):
        verifier.verify(verifier.token(verifier.claims()), now=NOW - timedelta(seconds=61))


def test_unsigned_request_is_refused(verifier: Verifier) -> None:  # SECURITY W-1
    signed = verifier.token(verifier.claims())
    header = base64url.encode(json.dumps({**jws.parse(signed).header, "alg": "none"}))
    with pytest.raises(Refused, match="jws_alg"):
        verifier.verify(f"{header}.{signed.split('.')[1]}.")


def test_request_altered_after_signing_is_refused(verifier: Verifier) -> None:  # SECURITY W-1
    header, _, signature = verifier.token(verifier.claims()).split(".")
    other = base64url.encode(json.dumps(verifier.claims(state="another-state-of-128-bits")))
    with pytest.raises(VerificationFailed, match="signature"):
        verifier.verify(f"{header}.{other}.{signature}")


def test_request_signed_by_another_key_is_refused(verifier: Verifier) -> None:
    forger = LocalSigner(new_key(), verifier.signer.chain)
    with pytest.raises(VerificationFailed, match="signature"):
        verifier.verify(request.sign(verifier.claims(), forger, now=NOW))


def test_request_without_certificate_is_refused(verifier: Verifier) -> None:
    with pytest.raises(VerificationFailed, match="x5c_missing"):
        verifier.verify(jws.sign({"typ": request.TYP}, json.dumps(verifier.claims()), verifier.signer))


@pytest.mark.parametrize(("anchors", "code"), [((), "path_no_anchors"), ((root("Look-alike").certificate,), "path_unknown_issuer")])
def test_only_given_anchors_count(verifier: Verifier, anchors: Any, code: str) -> None:
    with pytest.raises(VerificationFailed, match=code):
        verifier.verify(verifier.token(verifier.claims()), anchors=anchors)


def test_expired_access_certificate_is_refused(verifier: Verifier) -> None:
    with pytest.raises(VerificationFailed, match="cert_expired"):
        verifier.verify(verifier.token(verifier.claims()), now=NOW + timedelta(days=301))


def test_anchor_in_the_chain_is_refused(verifier: Verifier) -> None:  # HAIP-VP-2
    chained = LocalSigner(verifier.signer.private_key, (*verifier.signer.chain, verifier.authority.certificate))
    with pytest.raises(VerificationFailed, match="x5c_anchor_included"):
        verifier.verify(request.sign(verifier.claims(), chained, now=NOW))


def test_self_signed_leaf_is_refused() -> None:  # HAIP-VP-2
    authority = root()
    alone = Verifier(authority=authority)
    alone.signer = LocalSigner(authority.key, (authority.certificate,))
    with pytest.raises(VerificationFailed, match="x5c_self_signed"):
        alone.verify(alone.token(alone.claims()))


def test_certificate_without_signing_usage_is_refused() -> None:
    other = Verifier()
    other.signer = other.authority.leaf(dns_names=(HOST,), usages=("key_agreement",))
    with pytest.raises(VerificationFailed, match="cert_key_usage"):
        other.verify(other.token(other.claims()))


@pytest.mark.parametrize(
    ("client", "code"), [("x509_hash:AAAA", "client_id_hash"), ("x509_san_dns:other.example", "client_id_san")]
)
def test_client_id_must_be_that_of_the_certificate(verifier: Verifier, client: str, code: str) -> None:  # VP-CID-1, -2
    with pytest.raises(VerificationFailed, match=code):
        verifier.verify(verifier.token(verifier.claims(client_id=client)), outer=client)


def test_san_dns_needs_a_dns_name() -> None:
    nameless = Verifier(dns_names=())
    with pytest.raises(Refused, match="client_id_san"):
        client_id.of_certificate(Prefix.X509_SAN_DNS, nameless.signer.chain[0])
    client = f"x509_san_dns:{HOST}"
    with pytest.raises(VerificationFailed, match="client_id_san"):
        nameless.verify(nameless.token(nameless.claims(client_id=client)), outer=client)


@pytest.mark.parametrize("found", [None, "other", 1])
def test_wallet_nonce_must_come_back(verifier: Verifier, found: Any) -> None:  # VP-REQ-7
    with pytest.raises(VerificationFailed, match="wallet_nonce"):
        verifier.verify(verifier.token(verifier.claims(wallet_nonce=found)), wallet_nonce="mine")


def test_unasked_wallet_nonce_and_unknown_parameters_and_iss_are_ignored(verifier: Verifier) -> None:  # VP-REQ-4, -12
    token = verifier.token(verifier.claims(wallet_nonce="x", iss="https://somebody.else", junk={"a": 1}, exp=LATER, nbf=EARLIER))
    assert verifier.verify(token).nonce == NONCE


def test_state_may_be_absent_when_everything_is_bound(verifier: Verifier) -> None:
    assert verifier.verify(verifier.token(verifier.claims(state=None))).state is None


URIS: list[tuple[str, bool, bool, bool]] = [  # address, named host, nameless x509_hash, with loopback allowed
    (f"https://{HOST}/r", True, True, True),
    (f"https://{HOST.upper()}:8443/r?x=1", True, True, True),
    ("https://other.example/r", False, True, True),
    (f"https://{HOST}.evil.example/r", False, True, True),
    (f"http://{HOST}/r", False, False, False),
    ("http://localhost:8080/r", False, False, True),
    ("http://127.0.0.1/r", False, False, True),
    ("http://a.localhost/r", False, False, True),
    ("http://10.0.0.1/r", False, False, False),
    (f"https://user@{HOST}/r", False, False, False),
    (f"https://{HOST}/r#x", False, False, False),
    (f"https://{HOST}/ r", False, False, False),
    (f"https://{HOST}\\r", False, False, False),
    (f"https://{HOST}:99999/r", False, False, False),
    ("https:///r", False, False, False),
    ("/r", False, False, False),
    ("javascript:alert(1)", False, False, False),
    ("https://vérifier.example/r", False, False, False),
    ("", False, False, False),
]


@pytest.mark.parametrize(("uri", "named", "nameless", "loopback"), URIS)
def test_the_answer_goes_to_the_certified_host_only(uri: str, named: bool, nameless: bool, loopback: bool) -> None:
    """VP-CID-2, SECURITY W-2."""
    with_name, without = Verifier(), Verifier(dns_names=())

    def goes(who: Verifier, prefix: Prefix, allow: bool) -> bool:
        token = who.token(who.claims(prefix=prefix, response_uri=uri))
        try:
            return who.verify(token, outer=who.client_id(prefix), allow_http_loopback=allow).response_uri == uri
        except Refused as refused:
            return refused.code != "response_uri"

    assert goes(with_name, Prefix.X509_HASH, False) is named
    assert goes(with_name, Prefix.X509_SAN_DNS, False) is named
    assert goes(without, Prefix.X509_HASH, False) is nameless
    assert goes(without, Prefix.X509_HASH, True) is loopback


def test_encryption_key_must_not_be_the_signing_key(verifier: Verifier) -> None:  # VP-REQ-11
    same = client_metadata.build(encryption=EncryptionTarget(key=verifier.signer.public_key, kid="k"))
    with pytest.raises(Refused, match="key_reuse"):
        verifier.verify(verifier.token(verifier.claims(client_metadata=same)))


def test_unusable_keys_are_passed_over(verifier: Verifier) -> None:
    good = from_public(verifier.target.key, kid="good", alg="ECDH-ES")
    metadata = keys({"use": "sig", "kid": "1"}, {"x": "A" * 43, "kid": "2"}, {"alg": None, "kid": "3"})
    metadata["jwks"]["keys"].append(good)
    found = verifier.verify(verifier.token(verifier.claims(client_metadata=metadata)))
    assert found.client_metadata.encryption == EncryptionTarget(key=verifier.target.key, kid="good")


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["A128GCM", "A256GCM"], "A256GCM"), (["A128GCM"], "A128GCM"), (["A128CBC-HS256", "A256GCM"], "A256GCM"), (None, "A128GCM")],
)
def test_content_encryption_prefers_the_longer_key(offered: Any, chosen: str) -> None:  # HAIP-VP-3, OLD-15
    metadata = dict(FORMATS) if offered is None else {**FORMATS, "encrypted_response_enc_values_supported": offered}
    assert client_metadata.parse(metadata).content_encryption() == chosen


@pytest.mark.parametrize(
    ("formats", "credential_format", "issuer", "holder", "fits"),
    [
        (FORMATS["vp_formats_supported"], "dc+sd-jwt", "ES256", "ES256", True),
        (FORMATS["vp_formats_supported"], "mso_mdoc", -7, -9, True),
        (FORMATS["vp_formats_supported"], "dc+sd-jwt", "HS256", "ES256", False),
        ({"dc+sd-jwt": {"kb-jwt_alg_values": ["ES384"]}}, "dc+sd-jwt", "ES256", "ES256", False),
        ({"dc+sd-jwt": {"kb-jwt_alg_values": ["ES384"]}}, "dc+sd-jwt", "ES256", None, True),
        ({"dc+sd-jwt": {}}, "dc+sd-jwt", "ES256", "ES256", True),
        ({"dc+sd-jwt": {}}, "mso_mdoc", -7, -7, False),
        ({"dc+sd-jwt": {}, "jwt_vc_json": 1}, "jwt_vc_json", None, None, False),
    ],
)
def test_offered_formats_and_algorithms(formats: Any, credential_format: str, issuer: Any, holder: Any, fits: bool) -> None:
    metadata = client_metadata.parse({"vp_formats_supported": formats})
    assert metadata.accepts(credential_format, issuer_alg=issuer, holder_alg=holder) is fits


def test_metadata_announces_both_encryptions_and_only_signatures() -> None:  # HAIP-VP-3, EAA-P-4, VP-MDOC-5
    built = client_metadata.build(encryption=EncryptionTarget(key=new_key().public_key(), kid="k"))
    assert built["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
    (key,) = built["jwks"]["keys"]
    assert (key["kid"], key["alg"], key["use"], key["crv"]) == ("k", "ECDH-ES", "enc", "P-256")
    assert built["vp_formats_supported"]["mso_mdoc"]["deviceauth_alg_values"] == [-7, -9, -35, -51, -36, -52]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"nonce": "short"}, "nonce"), ({"dcql_query": {}}, "dcql"), ({"response_mode": "fragment"}, "response_mode")],
)
def test_no_request_is_built_that_a_wallet_must_refuse(verifier: Verifier, changes: dict[str, Any], code: str) -> None:
    members: dict[str, Any] = {
        "client_id": verifier.client_id(), "response_uri": RESPONSE_URI, "response_mode": "direct_post", "nonce": NONCE,
        "state": STATE, "dcql_query": QUERY, "client_metadata": FORMATS,
    }  # fmt: skip
    assert "verifier_info" not in request.build(**members)
    with pytest.raises(VcError) as caught:
        request.build(**{**members, **changes})
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("dcql_unsatisfied"), "access_denied"),
        (Refused("transaction_data"), "invalid_transaction_data"),
        (Refused("vp_formats"), "vp_formats_not_supported"),
        (Refused("scope_unknown"), "invalid_scope"),
        (Refused("request_uri_method"), "invalid_request_uri_method"),
        (VerificationFailed("client_id_hash"), "invalid_client"),
        (Malformed("nonce"), "invalid_request"),
        (Refused("redirect_uri"), "invalid_request"),
        (VerificationFailed("anything"), "access_denied"),
    ],
)
def test_our_errors_have_a_code_of_the_specification(error: VcError, code: str) -> None:  # VP-RSP-9
    assert authorization_error(error) == code
    assert code in WALLET_ERRORS


@given(st.text(max_size=60) | st.builds(".".join, st.lists(st.text("AB_-e30", max_size=9), min_size=3, max_size=3)))
def test_any_text_gives_our_error(text: str) -> None:
    with pytest.raises((Malformed, Refused, VerificationFailed)):
        request.verify(text, outer_client_id="x509_hash:a", wallet_nonce=None, anchors=(), now=NOW)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.lists(st.text(max_size=4), max_size=3)
    | st.dictionaries(st.text(max_size=4), st.integers(), max_size=2)
)
FUZZED = Verifier()


@given(st.sampled_from(sorted(FUZZED.claims())), VALUES)
def test_any_member_of_a_signed_request_gives_a_request_or_our_error(name: str, value: Any) -> None:
    try:
        assert FUZZED.verify(FUZZED.token({**FUZZED.claims(), name: value})).nonce
    except (Malformed, Refused, VerificationFailed) as error:
        assert error.code  # noqa: PT017 — both ends are allowed, nothing else is


METADATA_PLACES = ("jwks", "vp_formats_supported", "encrypted_response_enc_values_supported")


@given(st.sampled_from(METADATA_PLACES), VALUES | st.fixed_dictionaries({"keys": st.lists(VALUES, max_size=2)}))
def test_any_client_metadata_gives_a_value_or_our_error(name: str, value: Any) -> None:
    try:
        client_metadata.parse({**client_metadata.build(encryption=FUZZED.target), name: value})
    except (Malformed, Refused) as error:
        assert error.code  # noqa: PT017
