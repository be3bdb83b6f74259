"""Issuer and authorization server metadata: VCI-META-*, and old drafts (OLD-07, -09, -10)."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import holder
from vc.encoding import json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.keys import jwk
from vc.keys.ec import ALGORITHMS, BY_CRV
from vc.openid4vci import authorization_server as server
from vc.openid4vci import metadata, registration_certificate
from vc.openid4vci.metadata import ClaimDescription, build, build_configuration, parse, parse_configuration
from vc.openid4vci.offer import PRE_AUTHORIZED

ISSUER = "https://issuer.test/fr"
CLAIMS = (
    ClaimDescription(path=("name",), mandatory=True, labels={"en": "Name", "fr": "Nom"}),
    ClaimDescription(path=("address", "street")),
    ClaimDescription(path=("places", None, "code"), labels={"": "Code"}),
)
DISPLAY = ({"name": "Test credential", "locale": "en"}, {"name": "Attestation de test", "locale": "fr"})


def sd_jwt(**changes: Any) -> dict[str, Any]:
    built = build_configuration(
        format="dc+sd-jwt", type_id="urn:test:1", scope="test", signing=BY_CRV["P-256"], claims=CLAIMS, display=DISPLAY
    )
    return {name: member for name, member in {**built, **changes}.items() if member is not ...}


def mdoc(**changes: Any) -> dict[str, Any]:
    claims = [ClaimDescription(path=("ns.1", "name")), ClaimDescription(path=("ns.1", "places", 0))]
    built = build_configuration(
        format="mso_mdoc", type_id="org.test.1", scope="test-mdoc", signing=BY_CRV["P-256"], claims=claims, display=DISPLAY
    )
    return {**built, **changes}


def document(**changes: Any) -> dict[str, Any]:
    built = build(
        credential_issuer=ISSUER,
        credential_endpoint=ISSUER + "/credential",
        nonce_endpoint=ISSUER + "/nonce",
        notification_endpoint=ISSUER + "/notification",
        batch_size=10,
        display=[{"name": "Test institution", "locale": "en"}],
        configurations={"test": sd_jwt(), "test-mdoc": mdoc()},
    )
    return {name: member for name, member in {**built, **changes}.items() if member is not ...}


def read(**changes: Any) -> metadata.IssuerMetadata:
    return parse(document(**changes), credential_issuer=ISSUER)


def test_what_an_issuer_publishes_a_wallet_reads() -> None:
    found = parse(json.dumps(document()), credential_issuer=ISSUER)
    assert (found.credential_issuer, found.credential_endpoint, found.nonce_endpoint, found.notification_endpoint) == (
        ISSUER,
        ISSUER + "/credential",
        ISSUER + "/nonce",
        ISSUER + "/notification",
    )
    assert (found.batch_size, found.authorization_servers, found.encryption_required) == (10, (), False)
    assert found.display == ({"name": "Test institution", "locale": "en"},)
    assert found.configuration("test") == metadata.CredentialConfiguration(
        id="test",
        format="dc+sd-jwt",
        type_id="urn:test:1",
        scope="test",
        signing_algorithms=("ES256",),
        bound=True,
        proof_types={"jwt": metadata.ProofType(algorithms=ALGORITHMS)},
        claims=CLAIMS,
        display=DISPLAY,
    )


def test_vci_meta_11_12_23_old_10_what_a_format_adds() -> None:
    assert sd_jwt()["vct"] == "urn:test:1"
    assert sd_jwt()["cryptographic_binding_methods_supported"] == ["jwk"]
    assert sd_jwt()["credential_signing_alg_values_supported"] == ["ES256"]
    assert mdoc()["doctype"] == "org.test.1"
    assert mdoc()["cryptographic_binding_methods_supported"] == ["cose_key"]
    assert mdoc()["credential_signing_alg_values_supported"] == [-7]
    assert mdoc()["proof_types_supported"] == {"jwt": {"proof_signing_alg_values_supported": list(ALGORITHMS)}}


def test_old_7_display_and_claims_are_inside_credential_metadata() -> None:
    assert "display" not in sd_jwt()
    assert "claims" not in sd_jwt()
    assert sd_jwt()["credential_metadata"] == {
        "display": list(DISPLAY),
        "claims": [
            {"path": ["name"], "mandatory": True, "display": [{"name": "Name", "locale": "en"}, {"name": "Nom", "locale": "fr"}]},
            {"path": ["address", "street"]},
            {"path": ["places", None, "code"], "display": [{"name": "Code"}]},
        ],
    }


def test_a_minimal_issuer_has_no_batch_and_no_notification() -> None:
    built = build(
        credential_issuer="http://localhost:1/x",
        credential_endpoint="http://localhost:1/x/credential",
        nonce_endpoint="http://localhost:1/x/nonce",
        configurations={"test": sd_jwt()},
        display=[{"name": "A"}],
        allow_http_loopback=True,
    )
    assert "batch_credential_issuance" not in built
    assert "notification_endpoint" not in built
    found = parse(built, credential_issuer="http://localhost:1/x", allow_http_loopback=True)
    assert (found.batch_size, found.notification_endpoint) == (1, None)
    with pytest.raises(Malformed, match="url"):
        parse(built, credential_issuer="http://localhost:1/x")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"batch_size": 1}, "metadata"),
        ({"credential_issuer": "http://issuer.test"}, "url"),
        ({"credential_endpoint": "x"}, "url"),
        ({"display": [{"name": "A", "locale": "en"}, {"name": "B", "locale": "en"}]}, "metadata"),
        ({"configurations": {"test": {"format": "dc+sd-jwt"}}}, "metadata"),
    ],
)
def test_an_issuer_does_not_publish_what_a_wallet_would_refuse(wrong: dict[str, Any], code: str) -> None:
    arguments: dict[str, Any] = {
        "credential_issuer": ISSUER,
        "credential_endpoint": ISSUER + "/credential",
        "nonce_endpoint": ISSUER + "/nonce",
        "configurations": {"test": sd_jwt()},
        "display": [],
    }
    arguments["display"] = [{"name": "A"}]
    with pytest.raises(Malformed, match=code):
        build(**{**arguments, **wrong})


def test_an_unknown_format_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        build_configuration(format="vc+sd-jwt", type_id="x", scope="x", signing=BY_CRV["P-256"], claims=[], display=DISPLAY)


@pytest.mark.parametrize(
    "identifier", ["https://issuer.test/FR", "https://issuer.test/fr/", "https://issuer.test", "https://evil.test/fr"]
)
def test_vci_meta_4_the_metadata_of_another_issuer_are_refused(identifier: str) -> None:
    with pytest.raises(VerificationFailed, match="metadata_issuer"):
        parse(document(), credential_issuer=identifier)
    with pytest.raises(VerificationFailed, match="metadata_issuer"):
        read(credential_issuer=identifier)


def test_vci_meta_17_unknown_members_are_ignored() -> None:
    assert read(future={"x": 1}, signed_metadata="abc") == read()
    assert parse_configuration("test", sd_jwt(future=1)) == parse_configuration("test", sd_jwt())


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"credential_issuer": ...}, "url", "/credential_issuer"),
        ({"credential_issuer": "http://issuer.test"}, "url", "/credential_issuer"),
        ({"credential_endpoint": ...}, "metadata", "/credential_endpoint"),  # VCI-META-5
        ({"credential_endpoint": "http://issuer.test/c"}, "url", "/credential_endpoint"),
        ({"nonce_endpoint": "ftp://issuer.test"}, "url", "/nonce_endpoint"),
        ({"notification_endpoint": 5}, "url", "/notification_endpoint"),
        ({"credential_configurations_supported": ...}, "metadata", "/credential_configurations_supported"),  # VCI-META-5
        ({"credential_configurations_supported": []}, "metadata", "/credential_configurations_supported"),
        ({"credential_configurations_supported": {"a": "x"}}, "metadata", "/credential_configurations_supported/a"),
        ({"authorization_servers": []}, "metadata", "/authorization_servers"),
        ({"authorization_servers": ["http://as.test"]}, "url", "/authorization_servers/0"),
        ({"batch_credential_issuance": {}}, "metadata", "/batch_credential_issuance/batch_size"),  # VCI-META-8
        ({"batch_credential_issuance": {"batch_size": 1}}, "metadata", "/batch_credential_issuance/batch_size"),
        ({"batch_credential_issuance": {"batch_size": "10"}}, "metadata", "/batch_credential_issuance/batch_size"),
        ({"batch_credential_issuance": 10}, "metadata", "/batch_credential_issuance"),
        (
            {"credential_response_encryption": {"encryption_required": "yes"}},
            "metadata",
            "/credential_response_encryption/encryption_required",
        ),
        ({"credential_request_encryption": []}, "metadata", "/credential_request_encryption"),
        ({"display": {}}, "metadata", "/display"),
        ({"display": [{"name": 5}]}, "metadata", "/display/0/name"),
        ({"display": ["x"]}, "metadata", "/display/0"),
    ],
)  # fmt: skip
def test_vci_meta_5_to_14_metadata_that_do_not_fit_are_refused_with_their_place(
    changes: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(Malformed, match=code) as caught:
        read(**changes)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("octets", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff"])
def test_metadata_that_are_no_json_object_are_refused(octets: bytes) -> None:
    with pytest.raises(Malformed, match="json"):
        parse(octets, credential_issuer=ISSUER)
    with pytest.raises(Malformed, match="json"):
        server.parse(octets, issuer=ISSUER)


KEY = jwk.from_public(holder().public_key, kid="a", alg="ECDH-ES", use="enc")
REQUEST = {"jwks": {"keys": [KEY]}, "enc_values_supported": ["A128GCM", "A256GCM"], "encryption_required": False}
RESPONSE = {"alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A256GCM"], "encryption_required": False}


def but(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: member for name, member in {**value, **changes}.items() if member is not ...}


@pytest.mark.parametrize(
    ("request_required", "response_required", "required"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_vci_meta_9_10_required_encryption_is_told(request_required: bool, response_required: bool, required: bool) -> None:
    found = read(
        credential_request_encryption=but(REQUEST, encryption_required=request_required),
        credential_response_encryption=but(RESPONSE, encryption_required=response_required),
    )
    assert found.encryption_required is required
    assert found.request_encryption is not None
    assert found.response_encryption is not None
    assert (found.request_encryption.kid, found.request_encryption.offer.required) == ("a", request_required)
    assert (found.response_encryption.enc_values, found.response_encryption.required) == (("A256GCM",), response_required)


def keys(*entries: object) -> dict[str, Any]:
    return but(REQUEST, jwks={"keys": list(entries)})


@pytest.mark.parametrize(
    ("name", "request_encryption", "pointer"),
    [
        ("no object", [], ""),
        ("required missing", but(REQUEST, encryption_required=...), "/encryption_required"),
        ("required no flag", but(REQUEST, encryption_required="no"), "/encryption_required"),
        ("enc missing", but(REQUEST, enc_values_supported=...), "/enc_values_supported"),
        ("enc empty", but(REQUEST, enc_values_supported=[]), "/enc_values_supported"),
        ("zip empty", but(REQUEST, zip_values_supported=[]), "/zip_values_supported"),
        ("no jwks", but(REQUEST, jwks=...), "/jwks"),
        ("jwks a list", but(REQUEST, jwks=[KEY]), "/jwks"),
        ("no keys", but(REQUEST, jwks={}), "/jwks/keys"),
        ("keys empty", keys(), "/jwks/keys"),
        ("key no object", keys("x"), "/jwks/keys/0"),
        ("key without kid", keys(but(KEY, kid=...)), "/jwks/keys/0/kid"),
        ("kid empty", keys(but(KEY, kid="")), "/jwks/keys/0/kid"),
        ("key without alg", keys(KEY, but(KEY, kid="b", alg=...)), "/jwks/keys/1/alg"),
        ("private key", keys(but(KEY, d="x")), "/jwks/keys/0"),
        ("symmetric key", keys({"kty": "oct", "kid": "a", "alg": "A128KW", "k": "x"}), "/jwks/keys/0"),
        ("kid twice", keys(KEY, KEY), "/jwks/keys"),
    ],
)
def test_vci_meta_9_request_encryption_with_one_fault_is_refused(name: str, request_encryption: object, pointer: str) -> None:
    with pytest.raises(Malformed, match="metadata") as caught:
        read(credential_request_encryption=request_encryption)
    assert caught.value.pointer == f"/credential_request_encryption{pointer}", name


@pytest.mark.parametrize(
    ("name", "response_encryption", "pointer"),
    [
        ("no object", "x", ""),
        ("alg missing", but(RESPONSE, alg_values_supported=...), "/alg_values_supported"),
        ("alg empty", but(RESPONSE, alg_values_supported=[]), "/alg_values_supported"),
        ("enc missing", but(RESPONSE, enc_values_supported=...), "/enc_values_supported"),
        ("required missing", but(RESPONSE, encryption_required=...), "/encryption_required"),
    ],
)
def test_vci_meta_10_response_encryption_with_one_fault_is_refused(name: str, response_encryption: object, pointer: str) -> None:
    with pytest.raises(Malformed, match="metadata") as caught:
        read(credential_response_encryption=response_encryption)
    assert caught.value.pointer == f"/credential_response_encryption{pointer}", name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("credential_request_encryption", but(REQUEST, enc_values_supported=["A192CBC-HS384"])),
        ("credential_request_encryption", keys({"kty": "OKP", "crv": "X25519", "kid": "a", "alg": "ECDH-ES", "x": "AA"})),
        ("credential_response_encryption", but(RESPONSE, enc_values_supported=["A192CBC-HS384"])),
        ("credential_response_encryption", but(RESPONSE, alg_values_supported=["RSA-OAEP-256"])),
    ],
)
def test_encryption_we_do_not_know_stops_the_wallet_only_where_it_is_required(name: str, value: dict[str, Any]) -> None:
    found = read(**{name: value})
    assert (found.request_encryption, found.response_encryption) == (None, None)
    with pytest.raises(Refused, match="encryption_unsupported"):
        read(**{name: but(value, encryption_required=True)})


def test_vci_meta_6_a_bound_configuration_needs_a_nonce_endpoint() -> None:
    with pytest.raises(Malformed) as caught:
        read(nonce_endpoint=...).configuration("test")
    assert caught.value.pointer == "/nonce_endpoint"
    unbound = sd_jwt(cryptographic_binding_methods_supported=..., proof_types_supported=...)
    found = read(nonce_endpoint=..., credential_configurations_supported={"test": unbound}).configuration("test")
    assert (found.bound, found.proof_algorithms) == (False, ())


def test_one_bad_configuration_does_not_spoil_the_others() -> None:
    found = read(credential_configurations_supported={"good": sd_jwt(), "bad": {"format": 5}, "other": {"format": "ldp_vc"}})
    assert found.configuration("good").type_id == "urn:test:1"
    assert found.configuration("other").type_id is None
    with pytest.raises(Malformed):
        found.configuration("bad")
    with pytest.raises(Refused, match="configuration_unknown"):
        found.configuration("absent")


AT = "/credential_configurations_supported/test"


def about(**members: Any) -> dict[str, Any]:
    return sd_jwt(credential_metadata=members)


def displayed(**members: Any) -> dict[str, Any]:
    return about(display=[{"name": "A", **members}])


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ("x", AT),
        (sd_jwt(format=...), f"{AT}/format"),
        (sd_jwt(vct=...), f"{AT}/vct"),  # VCI-META-11
        (sd_jwt(vct=5), f"{AT}/vct"),
        (sd_jwt(format="mso_mdoc"), f"{AT}/doctype"),
        (sd_jwt(scope=""), f"{AT}/scope"),
        (sd_jwt(cryptographic_binding_methods_supported=...), AT),  # VCI-META-12
        (sd_jwt(proof_types_supported=...), AT),
        (sd_jwt(cryptographic_binding_methods_supported=[]), f"{AT}/cryptographic_binding_methods_supported"),
        (sd_jwt(proof_types_supported={}), f"{AT}/proof_types_supported"),
        (sd_jwt(proof_types_supported=["jwt"]), f"{AT}/proof_types_supported"),
        # VCI-META-13
        (sd_jwt(proof_types_supported={"jwt": {}}), f"{AT}/proof_types_supported/jwt/proof_signing_alg_values_supported"),
        (
            sd_jwt(proof_types_supported={"jwt": {"proof_signing_alg_values_supported": []}}),
            f"{AT}/proof_types_supported/jwt/proof_signing_alg_values_supported",
        ),
        (
            sd_jwt(
                proof_types_supported={"jwt": {"proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": 1}}
            ),
            f"{AT}/proof_types_supported/jwt/key_attestations_required",
        ),
        (
            sd_jwt(
                proof_types_supported={
                    "jwt": {"proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": {"key_storage": []}}
                }
            ),
            f"{AT}/proof_types_supported/jwt/key_attestations_required/key_storage",
        ),
        (sd_jwt(credential_signing_alg_values_supported=[-7]), f"{AT}/credential_signing_alg_values_supported"),
        (mdoc(credential_signing_alg_values_supported=["ES256"]), f"{AT}/credential_signing_alg_values_supported"),  # OLD-10
        (sd_jwt(credential_signing_alg_values_supported=[]), f"{AT}/credential_signing_alg_values_supported"),
        (sd_jwt(credential_metadata=[]), f"{AT}/credential_metadata"),
        # VCI-META-14
        (about(display=[{"locale": "en"}]), f"{AT}/credential_metadata/display/0/name"),
        (about(display=[]), f"{AT}/credential_metadata/display"),
        (about(display=[{"name": "A"}, {"name": "B"}]), f"{AT}/credential_metadata/display"),
        (displayed(locale="english please"), f"{AT}/credential_metadata/display/0/locale"),
        (displayed(locale=5), f"{AT}/credential_metadata/display/0/locale"),
        (displayed(logo={}), f"{AT}/credential_metadata/display/0/logo/uri"),
        (displayed(logo={"uri": "http://issuer.test/l.png"}), f"{AT}/credential_metadata/display/0/logo/uri"),
        (displayed(logo="x"), f"{AT}/credential_metadata/display/0/logo"),
        (displayed(background_image={"url": "https://a.test"}), f"{AT}/credential_metadata/display/0/background_image/uri"),
        (displayed(background_color="blue"), f"{AT}/credential_metadata/display/0/background_color"),
        (displayed(text_color=5), f"{AT}/credential_metadata/display/0/text_color"),
        # VCI-META-15
        (about(claims={"name": {}}), f"{AT}/credential_metadata/claims"),  # OLD-07
        (about(claims=[]), f"{AT}/credential_metadata/claims"),
        (about(claims=["name"]), f"{AT}/credential_metadata/claims/0"),
        (about(claims=[{}]), f"{AT}/credential_metadata/claims/0/path"),
        (about(claims=[{"path": []}]), f"{AT}/credential_metadata/claims/0/path"),
        (about(claims=[{"path": ["a", -1]}]), f"{AT}/credential_metadata/claims/0/path"),
        (about(claims=[{"path": ["a"], "mandatory": "yes"}]), f"{AT}/credential_metadata/claims/0/mandatory"),
        (about(claims=[{"path": ["a"], "display": [{"name": 1}]}]), f"{AT}/credential_metadata/claims/0/display/0/name"),
        (about(claims=[{"path": ["a"]}, {"path": ["a"]}]), f"{AT}/credential_metadata/claims"),
        (about(claims=[{"path": ["a", 0]}, {"path": ["a", None]}]), f"{AT}/credential_metadata/claims"),
        (about(claims=[{"path": ["a", "b"]}, {"path": ["a", None]}]), f"{AT}/credential_metadata/claims"),
        (about(claims=[{"path": ["a", 0, "b"]}, {"path": ["a", "b"]}]), f"{AT}/credential_metadata/claims"),
        (about(claims=[{"path": [0]}, {"path": ["a"]}]), f"{AT}/credential_metadata/claims"),
        (mdoc(credential_metadata={"claims": [{"path": ["ns"]}]}), f"{AT}/credential_metadata/claims"),
        (mdoc(credential_metadata={"claims": [{"path": ["ns", None]}]}), f"{AT}/credential_metadata/claims"),
        (mdoc(credential_metadata={"claims": [{"path": [0, "ns"]}]}), f"{AT}/credential_metadata/claims"),
    ],
)  # fmt: skip
def test_vci_meta_11_to_15_a_configuration_that_does_not_fit_is_refused_with_its_place(value: object, pointer: str) -> None:
    with pytest.raises(Malformed, match=r"metadata|claims_path") as caught:
        parse_configuration("test", value)
    assert caught.value.pointer == pointer


def test_vci_meta_14_images_and_colours_that_fit() -> None:
    display = [{"name": "A", "locale": "zh-Hant-TW", "logo": {"uri": "data:image/png;base64,AA"}, "background_color": "#12107C"}]
    display += [{"name": "B", "background_image": {"uri": "https://a.test/b.svg"}, "text_color": "#ffffff"}]
    assert parse_configuration("test", about(display=display)).display == tuple(display)


def test_vci_meta_13_a_required_key_attestation_is_told() -> None:
    proofs = {"jwt": {"proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": {}}}
    assert parse_configuration("test", sd_jwt(proof_types_supported=proofs)).key_attestation_required
    other = {"attestation": {"proof_signing_alg_values_supported": ["ES256"]}}
    assert parse_configuration("test", sd_jwt(proof_types_supported=other)).proof_algorithms == ()


def test_vci_meta_15_paths_that_agree_are_fine() -> None:
    claims = [
        {"path": path} for path in (["a"], ["a", "b"], ["list"], ["list", None], ["list", None, "x"], ["other", 0], ["other", 1])
    ]
    assert len(parse_configuration("test", about(claims=claims)).claims) == 7


# --- authorization server ---


def as_document(**changes: Any) -> dict[str, Any]:
    built = server.build(issuer=ISSUER, token_endpoint=ISSUER + "/token", scopes=["test"])
    return {name: member for name, member in {**built, **changes}.items() if member is not ...}


def test_vci_meta_7_22_vci_dpop_6_what_the_authorization_server_says() -> None:
    built = as_document()
    assert built["dpop_signing_alg_values_supported"] == list(ALGORITHMS)
    assert built["pre-authorized_grant_anonymous_access_supported"] is True
    assert built["grant_types_supported"] == [PRE_AUTHORIZED]
    assert server.parse(json.dumps(built), issuer=ISSUER) == server.AuthorizationServerMetadata(
        issuer=ISSUER,
        token_endpoint=ISSUER + "/token",
        grant_types=(PRE_AUTHORIZED,),
        dpop_algorithms=ALGORITHMS,
        anonymous=True,
        authorization_details_types=("openid_credential",),
        client_auth_methods=("none",),
        scopes=("test",),
    )


def test_rfc_8414_absent_members_have_their_defaults() -> None:
    found = server.parse({"issuer": ISSUER, "token_endpoint": ISSUER + "/token", "future": 1}, issuer=ISSUER)
    assert (found.grant_types, found.dpop_algorithms, found.anonymous) == (("authorization_code", "implicit"), (), False)


def test_rfc_8414_the_metadata_of_another_server_are_refused() -> None:
    with pytest.raises(VerificationFailed, match="as_metadata_issuer"):
        server.parse(as_document(), issuer="https://evil.test")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": ...}, "url"),
        ({"token_endpoint": ...}, "url"),
        ({"token_endpoint": "http://issuer.test/token"}, "url"),
        ({"grant_types_supported": "x"}, "as_metadata"),
        ({"dpop_signing_alg_values_supported": []}, "as_metadata"),
        ({"pre-authorized_grant_anonymous_access_supported": "true"}, "as_metadata"),
        ({"authorization_details_types_supported": [5]}, "as_metadata"),
    ],
)
def test_server_metadata_that_do_not_fit_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed, match=code):
        server.parse(as_document(**changes), issuer=ISSUER)


def test_a_loopback_server_only_when_told() -> None:
    arguments: dict[str, Any] = {"issuer": "http://localhost:1/x", "token_endpoint": "http://localhost:1/x/token", "scopes": []}
    assert server.build(**arguments, allow_http_loopback=True)["issuer"] == "http://localhost:1/x"
    with pytest.raises(Malformed, match="url"):
        server.build(**arguments)


def test_vci_meta_16_a_configuration_can_be_asked_for() -> None:
    with_details = server.parse(as_document(), issuer=ISSUER)
    server.check_requestable(with_details, {"a": None})
    without = server.parse(as_document(authorization_details_types_supported=...), issuer=ISSUER)
    server.check_requestable(without, {"a": "scope"})
    with pytest.raises(Malformed, match="openid_credential"):
        server.check_requestable(without, {"a": "scope", "b": None})


names = st.sampled_from(
    [
        "format",
        "vct",
        "doctype",
        "scope",
        "display",
        "claims",
        "path",
        "name",
        "locale",
        "proof_types_supported",
        "credential_metadata",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["dc+sd-jwt", "mso_mdoc", "x", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


READERS: tuple[Callable[[object], object], ...] = (
    lambda value: parse_configuration("x", value),
    lambda value: parse_configuration("x", {"format": "dc+sd-jwt", "vct": "x", "credential_metadata": value}),
    lambda value: parse({**document(), "display": value}, credential_issuer=ISSUER),
    lambda value: parse(value, credential_issuer=ISSUER),
    lambda value: server.parse(value, issuer=ISSUER),
)


@given(values)
def test_any_value_gives_metadata_or_our_error(value: object) -> None:
    for reader in READERS:
        try:
            assert reader(value)
        except VcError:
            continue


# --- high-assurance issuance ---

MODERATE = metadata.KeyAttestationRequirement(
    key_storage=("iso_18045_moderate", "iso_18045_high"),
    user_authentication=("iso_18045_moderate",),
    preferred_key_storage_status_period=86_400,
)


def attested(required: metadata.KeyAttestationRequirement | None, **changes: Any) -> dict[str, Any]:
    return build_configuration(
        format="dc+sd-jwt",
        type_id="urn:test:1",
        scope="test",
        signing=BY_CRV["P-256"],
        claims=CLAIMS,
        display=DISPLAY,
        **{"proof_types": ("jwt", "attestation"), "key_attestation": required, **changes},
    )


def test_eaa_i_7_9_both_proof_types_with_what_keys_must_be() -> None:
    built = attested(MODERATE)
    assert set(built["proof_types_supported"]) == {"jwt", "attestation"}
    assert built["proof_types_supported"]["attestation"]["key_attestations_required"] == {
        "key_storage": ["iso_18045_moderate", "iso_18045_high"],
        "user_authentication": ["iso_18045_moderate"],
        "preferred_key_storage_status_period": 86_400,
    }
    found = parse_configuration("test", built)
    expected = metadata.ProofType(algorithms=ALGORITHMS, key_attestation=MODERATE)
    assert found.proof_types == {"jwt": expected, "attestation": expected}
    assert found.key_attestation_required


def test_vci_meta_13_an_attestation_of_any_level_and_none() -> None:
    built = attested(metadata.KeyAttestationRequirement())
    assert built["proof_types_supported"]["jwt"]["key_attestations_required"] == {}
    assert parse_configuration("test", built).key_attestation_required
    built = attested(None)
    assert "key_attestations_required" not in built["proof_types_supported"]["attestation"]
    assert not parse_configuration("test", built).key_attestation_required
    only = parse_configuration("test", attested(None, proof_types=["attestation"]))
    assert (only.proof_algorithms, only.key_attestation_required, only.bound) == ((), False, True)


def test_eaa_i_7_a_credential_bound_to_no_key_has_neither_proof_types_nor_binding() -> None:
    built = attested(None, proof_types=())
    assert not {"proof_types_supported", "cryptographic_binding_methods_supported"} & built.keys()
    assert not parse_configuration("test", built).bound


def test_a_proof_type_nobody_checks_is_not_announced() -> None:
    with pytest.raises(ValueError, match="not enforced"):
        attested(None, proof_types=["jwt", "di_vp"])


@pytest.mark.parametrize(
    ("name", "required"),
    [
        ("", "x"),
        ("/key_storage", {"key_storage": []}),
        ("/user_authentication", {"user_authentication": [""]}),
        ("/preferred_key_storage_status_period", {"preferred_key_storage_status_period": 0}),
        ("/preferred_key_storage_status_period", {"preferred_key_storage_status_period": "86400"}),
    ],
)
def test_vci_meta_13_requirements_with_one_fault_are_refused(name: str, required: object) -> None:
    built = attested(None)
    built["proof_types_supported"]["jwt"]["key_attestations_required"] = required
    with pytest.raises(Malformed) as caught:
        parse_configuration("test", built)
    at = "/credential_configurations_supported/test/proof_types_supported/jwt/key_attestations_required"
    assert caught.value.pointer == at + name


ONCE = metadata.ReuseOption(
    details=("once_only", "limited_time"), batch_size=10, reissue_trigger_unused=2, reissue_trigger_lifetime_left=3600
)


def test_eaa_i_4_the_reuse_policy_and_its_reading() -> None:
    policy = metadata.ReusePolicy(options=(ONCE, metadata.ReuseOption(details=("rotating-batch",))))
    built = attested(None, reuse_policy=policy)
    assert built["credential_metadata"]["credential_reuse_policy"] == {
        "id": "arf_annex_ii",
        "options": [
            {
                "details": ["once_only", "limited_time"],
                "batch_size": 10,
                "reissue_trigger_unused": 2,
                "reissue_trigger_lifetime_left": 3600,
            },
            {"details": ["rotating-batch"]},
        ],
    }
    assert parse_configuration("test", built).reuse_policy == policy


def reuse(value: object) -> metadata.ReusePolicy | None:
    return parse_configuration("test", sd_jwt(credential_metadata={"credential_reuse_policy": value})).reuse_policy


def test_eaa_i_4_the_other_spelling_an_unknown_method_and_an_unknown_policy() -> None:
    found = reuse({"id": "arf_annex_ii", "options": [{"details": ["future", "limited-time", "limited_time"]}]})
    assert found == metadata.ReusePolicy(options=(metadata.ReuseOption(details=("limited_time",)),))
    assert reuse({"id": "another", "options": 5}) is None


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("no object", [], ""),
        ("no id", {"options": [{"details": ["once_only"]}]}, "/id"),
        ("no options", {"id": "arf_annex_ii"}, "/options"),
        ("options empty", {"id": "arf_annex_ii", "options": []}, "/options"),
        ("option no object", {"id": "arf_annex_ii", "options": ["once_only"]}, "/options/0"),
        ("no details", {"id": "arf_annex_ii", "options": [{}]}, "/options/0/details"),
        ("no known method", {"id": "arf_annex_ii", "options": [{"details": ["future"]}]}, "/options/0/details"),
        ("neither A nor B", {"id": "arf_annex_ii", "options": [{"details": ["rotating-batch"]}]}, "/options"),
        (
            "batch of none",
            {"id": "arf_annex_ii", "options": [{"details": ["once_only"], "batch_size": 0}]},
            "/options/0/batch_size",
        ),
        (
            "unused below none",
            {"id": "arf_annex_ii", "options": [{"details": ["once_only"], "reissue_trigger_unused": -1}]},
            "/options/0/reissue_trigger_unused",
        ),
        (
            "no time left",
            {"id": "arf_annex_ii", "options": [{"details": ["once_only"], "reissue_trigger_lifetime_left": 0}]},
            "/options/0/reissue_trigger_lifetime_left",
        ),
    ],
)
def test_eaa_i_4_a_policy_with_one_fault_is_refused(name: str, value: object, pointer: str) -> None:
    with pytest.raises(Malformed, match="metadata") as caught:
        reuse(value)
    at = "/credential_configurations_supported/test/credential_metadata/credential_reuse_policy"
    assert caught.value.pointer == at + pointer, name


def whole(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "credential_issuer": ISSUER,
        "credential_endpoint": ISSUER + "/credential",
        "nonce_endpoint": ISSUER + "/nonce",
        "deferred_credential_endpoint": ISSUER + "/deferred",
        "batch_size": 10,
        "credential_request_encryption": REQUEST,
        "credential_response_encryption": RESPONSE,
        "issuer_info": [registration_certificate.element("a.b.c"), {"format": "registrar_dataset", "data": {}}],
        "preferred_client_status_period": 86_400,
        "authorization_servers": ["https://as.test"],
        "display": [{"name": "Test"}],
        "configurations": {"test": attested(MODERATE, reuse_policy=metadata.ReusePolicy(options=(ONCE,)))},
        **changes,
    }
    return build(**arguments)


def test_eaa_i_2_9_everything_an_issuer_can_say_is_read() -> None:
    found = parse(json.dumps(whole()), credential_issuer=ISSUER)
    assert found.deferred_credential_endpoint == ISSUER + "/deferred"
    assert found.registration_certificate == "a.b.c"
    assert found.issuer_info == ({"format": "registration_cert", "data": "a.b.c"}, {"format": "registrar_dataset", "data": {}})
    assert found.preferred_client_status_period == 86_400
    assert found.authorization_servers == ("https://as.test",)
    assert found.request_encryption is not None
    assert found.response_encryption is not None
    nothing = read()
    assert (nothing.issuer_info, nothing.registration_certificate, nothing.preferred_client_status_period) == ((), None, None)
    assert (nothing.deferred_credential_endpoint, nothing.request_encryption, nothing.response_encryption) == (None, None, None)


def test_conflict_5_the_certificate_is_read_as_jwt_and_as_base64url() -> None:
    info = [registration_certificate.element("a.b.c", encoded=True)]
    assert info == [{"format": "registration_cert", "data": "YS5iLmM"}]
    assert read(issuer_info=info).registration_certificate == "a.b.c"


@pytest.mark.parametrize(
    ("name", "info", "pointer"),
    [
        ("no list", {}, ""),
        ("empty", [], ""),
        ("no object", ["x"], "/0"),
        ("no format", [{"data": "a.b.c"}], "/0/format"),
        ("no data", [{"format": "registration_cert"}], "/0/data"),
        ("data no text", [{"format": "registration_cert", "data": {}}], "/0/data"),
        ("data neither", [{"format": "registration_cert", "data": "a.b"}], "/0/data"),
        ("data of something else", [{"format": "registration_cert", "data": "YS5i"}], "/0/data"),
        ("data of octets", [{"format": "registration_cert", "data": "_w"}], "/0/data"),
        ("for some credentials", [{"format": "registration_cert", "data": "a.b.c", "credential_ids": ["x"]}], "/0/credential_ids"),
        ("two", [{"format": "registration_cert", "data": "a.b.c"}] * 2, ""),
    ],
)
def test_eaa_i_2_issuer_info_with_one_fault_is_refused(name: str, info: object, pointer: str) -> None:
    with pytest.raises(Malformed, match="metadata") as caught:
        read(issuer_info=info)
    assert caught.value.pointer == "/issuer_info" + pointer, name


@pytest.mark.parametrize(
    "changes", [{"preferred_client_status_period": 0}, {"deferred_credential_endpoint": 5}, {"authorization_servers": []}]
)
def test_new_members_with_one_fault_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as caught:
        read(**changes)
    assert caught.value.pointer == "/" + next(iter(changes))


def test_vci_enc_2_answers_nobody_could_ask_for_are_not_announced() -> None:
    with pytest.raises(ValueError, match="encrypted request"):
        whole(credential_request_encryption=None)
    assert "credential_response_encryption" not in whole(credential_response_encryption=None)


@pytest.mark.parametrize("size", [9, None])
def test_eaa_i_4_a_policy_with_more_copies_than_a_batch_is_not_announced(size: int | None) -> None:
    with pytest.raises(ValueError, match="copies"):
        whole(batch_size=size)
    single = metadata.ReusePolicy(options=(metadata.ReuseOption(details=("limited_time",)),))
    assert whole(batch_size=size, configurations={"test": attested(None, reuse_policy=single)})
