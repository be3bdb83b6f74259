"""Encrypted requests and responses, deferred requests, challenges: VCI-ENC-1 to -6, VCI-CRED-15, VCI-DEF-1 to -3, VCI-WIA-6."""

import zlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import new_key
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError
from vc.jose import jwe
from vc.keys import jwk
from vc.openid4vci import challenge, credential, deferred, encryption
from vc.openid4vci.encryption import EncryptionOffer, RequestEncryption, ResponseEncryption
from vc.openid4vci.errors import Endpoint, translate

KEY, OLDER, WALLET = new_key(), new_key(), new_key()
KEYS = {"2026": KEY, "2025": OLDER}
OFFER, ZIPPED, REQUIRED = EncryptionOffer(), EncryptionOffer(zip=True), EncryptionOffer(required=True)
BODY = {"credential_configuration_id": "pda1", "proofs": {"jwt": ["p"]}}
ASKED: dict[str, Any] = {
    "jwk": jwk.from_public(WALLET.public_key(), kid="w", use="enc", alg="ECDH-ES"),
    "enc": "A256GCM",
}


def target(offer: EncryptionOffer = OFFER, kid: str = "2026") -> RequestEncryption:
    return RequestEncryption(key=KEYS[kid].public_key(), kid=kid, offer=offer)


def opened(body: bytes | str, content_type: str | None = "application/jwt", offer: EncryptionOffer | None = OFFER) -> Any:
    data = body.encode() if isinstance(body, str) else body
    return encryption.open_request(data, content_type, offer=offer, find_key=KEYS.get)


def error_of(call: Callable[[], object]) -> tuple[str, str, int]:
    with pytest.raises(VcError) as caught:
        call()
    found = translate(Endpoint.CREDENTIAL, caught.value)
    return caught.value.code, found.error, found.status


# --- requests ---


@pytest.mark.parametrize("offer", [OFFER, ZIPPED, REQUIRED])
@pytest.mark.parametrize("kid", ["2026", "2025"])
@pytest.mark.parametrize("enc", [None, *jwe.ENC_VALUES])
def test_vci_enc_1_a_request_to_any_of_our_keys_is_opened(offer: EncryptionOffer, kid: str, enc: str | None) -> None:
    token = encryption.seal_request(BODY, target(offer, kid), enc=enc, zip=offer.zip)
    protected = json.loads_object(base64url.decode(token.split(".")[0]))
    assert (protected["kid"], protected["enc"], protected["alg"]) == (kid, enc or "A256GCM", "ECDH-ES")
    assert ("zip" in protected) == offer.zip
    assert opened(token, "Application/JWT; x=y", offer) == (BODY, True)


def test_vci_cred_15_a_plain_request_is_taken_where_encryption_is_not_required() -> None:
    for content_type in ("application/json", "application/json;charset=UTF-8", "Application/Json"):
        for offer in (None, OFFER, ZIPPED):
            assert opened(json.dumps(BODY), content_type, offer) == (BODY, False)


def raw(**changes: Any) -> str:
    """A request whose JWE header has one thing different; a value of `...` removes it."""
    parts = encryption.seal_request(BODY, target()).split(".")
    header = {**json.loads_object(base64url.decode(parts[0])), **changes}
    kept = {name: value for name, value in header.items() if value is not ...}
    return ".".join([base64url.encode(json.dumps(kept)), *parts[1:]])


FOREIGN = RequestEncryption(key=WALLET.public_key(), kid="2026", offer=OFFER)
PARAMETERS, WRONG = "invalid_encryption_parameters", "invalid_credential_request"


@pytest.mark.parametrize(
    ("name", "body", "content_type", "offer", "expected"),
    [
        ("encrypted, not offered", raw(), "application/jwt", None, ("encryption_unsupported", PARAMETERS, 400)),
        ("plain, required", b"{}", "application/json", REQUIRED, ("encryption_required", PARAMETERS, 400)),
        ("no media type", b"{}", None, OFFER, ("media_type", WRONG, 400)),
        ("form", b"a=b", "application/x-www-form-urlencoded", OFFER, ("media_type", WRONG, 400)),
        ("JWE called JSON", raw(), "application/json", OFFER, ("json", WRONG, 400)),
        ("JSON called JWE", b"{}", "application/jwt", OFFER, ("encryption_jwe", PARAMETERS, 400)),
        ("a JWS", b"a.b.c", "application/jwt", OFFER, ("encryption_jwe", PARAMETERS, 400)),
        ("not ASCII", "é.é.é.é.é".encode(), "application/jwt", OFFER, ("encryption_malformed", PARAMETERS, 400)),
        ("not UTF-8", b"\xff", "application/jwt", OFFER, ("encryption_malformed", PARAMETERS, 400)),
        ("endless", b"a" * 600_000, "application/jwt", OFFER, ("too_large", "invalid_request", 413)),
        ("other alg", raw(alg="RSA-OAEP"), "application/jwt", OFFER, ("encryption_alg", PARAMETERS, 400)),
        ("alg dir", raw(alg="dir"), "application/jwt", OFFER, ("encryption_alg", PARAMETERS, 400)),
        ("alg a list", raw(alg=["ECDH-ES"]), "application/jwt", OFFER, ("encryption_alg", PARAMETERS, 400)),
        ("other enc", raw(enc="A128CBC-HS256"), "application/jwt", OFFER, ("encryption_enc", PARAMETERS, 400)),
        ("enc a list", raw(enc=["A256GCM"]), "application/jwt", OFFER, ("encryption_enc", PARAMETERS, 400)),
        (
            "enc not offered",
            raw(),
            "application/jwt",
            EncryptionOffer(enc_values=("A128GCM",)),
            ("encryption_enc", PARAMETERS, 400),
        ),
        ("zip not offered", raw(zip="DEF"), "application/jwt", OFFER, ("encryption_zip", PARAMETERS, 400)),
        ("zip unknown", raw(zip="GZ"), "application/jwt", ZIPPED, ("encryption_zip", PARAMETERS, 400)),
        ("zip a list", raw(zip=["DEF"]), "application/jwt", ZIPPED, ("encryption_zip", PARAMETERS, 400)),
        ("crit", raw(crit=["x"]), "application/jwt", OFFER, ("encryption_crit", PARAMETERS, 400)),
        ("kid unknown", raw(kid="2019"), "application/jwt", OFFER, ("encryption_key", PARAMETERS, 400)),
        ("kid missing", raw(kid=...), "application/jwt", OFFER, ("encryption_key", PARAMETERS, 400)),
        ("kid a list", raw(kid=["2026"]), "application/jwt", OFFER, ("encryption_jwe", PARAMETERS, 400)),
        ("kid of another key", raw(kid="2025"), "application/jwt", OFFER, ("encryption_decryption", PARAMETERS, 400)),
        ("header changed", raw(x=1), "application/jwt", OFFER, ("encryption_decryption", PARAMETERS, 400)),
        (
            "another's key",
            encryption.seal_request(BODY, FOREIGN),
            "application/jwt",
            OFFER,
            ("encryption_decryption", PARAMETERS, 400),
        ),
        (
            "no JSON inside",
            jwe.encrypt(b"x", to=KEY.public_key(), kid="2026", enc="A128GCM"),
            "application/jwt",
            OFFER,
            ("json", WRONG, 400),
        ),
    ],
)
def test_vci_enc_1_3_5_a_request_with_one_fault_is_refused(
    name: str, body: bytes | str, content_type: str | None, offer: EncryptionOffer | None, expected: tuple[str, str, int]
) -> None:
    assert error_of(lambda: opened(body, content_type, offer)) == expected, name


def test_vci_enc_6_what_inflates_to_too_much_is_refused() -> None:
    def inflating(size: int) -> str:
        return jwe.encrypt(b'"' + b"a" * (size - 2) + b'"', to=KEY.public_key(), kid="2026", enc="A128GCM", zip=True)

    assert len(zlib.compress(b"a" * encryption.MAX_PLAINTEXT)) < 1000
    value, encrypted = opened(inflating(encryption.MAX_PLAINTEXT), offer=ZIPPED)
    assert (len(value), encrypted) == (encryption.MAX_PLAINTEXT - 2, True)
    assert error_of(lambda: opened(inflating(encryption.MAX_PLAINTEXT + 1), offer=ZIPPED))[0] == "encryption_decryption"
    assert error_of(lambda: opened(inflating(200_000_000 // 4), offer=ZIPPED))[0] == "encryption_decryption"


def test_vci_enc_6_what_an_answer_inflates_to_is_bounded() -> None:
    """The wallet's side: an issuer is no better than anybody else."""

    def answered(size: int) -> str:
        content = b'{"x":"' + b"a" * (size - 8) + b'"}'
        return jwe.encrypt(content, to=WALLET.public_key(), kid="w", enc="A128GCM", zip=True)

    asked = ResponseEncryption(key=WALLET.public_key(), kid="w", enc="A128GCM", zip=True)
    assert encryption.open_response(answered(encryption.MAX_PLAINTEXT), WALLET, asked)
    with pytest.raises(VcError) as caught:
        encryption.open_response(answered(encryption.MAX_PLAINTEXT + 1), WALLET, asked)
    assert caught.value.code == "jwe_decryption"


def test_jwe_the_bound_is_the_callers() -> None:
    token = jwe.encrypt(b"a" * 1001, to=KEY.public_key(), kid=None, enc="A128GCM", zip=True)
    assert jwe.decrypt(token, find_key=lambda _: KEY, zip=True, max_plaintext=1001).plaintext == b"a" * 1001
    with pytest.raises(VcError, match="jwe_decryption"):
        jwe.decrypt(token, find_key=lambda _: KEY, zip=True, max_plaintext=1000)
    with pytest.raises(Refused, match="jwe_zip"):
        jwe.decrypt(token, find_key=lambda _: KEY)


# --- how the response is asked for ---


def read(value: object, *, offer: EncryptionOffer | None = OFFER, encrypted: bool = True) -> ResponseEncryption | None:
    request = {**BODY, **({} if value is ... else {"credential_response_encryption": value})}
    return credential.parse_request(
        request, configuration_ids=["pda1"], credential_identifiers=None, batch_size=2, encrypted=encrypted, encryption=offer
    ).response_encryption


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
@pytest.mark.parametrize("kid", ["w", None])
@pytest.mark.parametrize("zipped", [True, False])
def test_vci_enc_1_4_the_answer_is_encrypted_as_asked(curve: ec.EllipticCurve, kid: str | None, zipped: bool) -> None:
    key = new_key(curve)
    asked = ResponseEncryption(key=key.public_key(), kid=kid, enc="A128GCM", zip=zipped)
    made = credential.create_request(configuration_id="pda1", proofs=["p"], response_encryption=asked)
    found = read(made["credential_response_encryption"], offer=ZIPPED)
    assert found is not None
    assert (found.kid, found.enc, found.zip, jwk.thumbprint(found.key)) == (
        kid,
        "A128GCM",
        zipped,
        jwk.thumbprint(key.public_key()),
    )
    token = encryption.seal(credential.response(["c"], notification_id="n"), found)
    header = json.loads_object(base64url.decode(token.split(".")[0]))
    assert (header["alg"], header["enc"], header.get("kid"), header.get("zip")) == (
        "ECDH-ES", "A128GCM", kid, "DEF" if zipped else None,
    )  # fmt: skip
    assert encryption.open_response(token, key, asked) == credential.response(["c"], notification_id="n")


def test_old_6_the_alg_is_inside_the_key_and_unknown_members_are_ignored() -> None:
    assert read({**ASKED, "future": 1, "alg": "RSA-OAEP"})
    assert read({**ASKED, "jwk": {name: value for name, value in ASKED["jwk"].items() if name not in ("kid", "use")}})


def of_key(**changes: Any) -> dict[str, Any]:
    key = {**ASKED["jwk"], **changes}
    return {**ASKED, "jwk": {name: value for name, value in key.items() if value is not ...}}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("null", None, "encryption_parameters"),
        ("a list", [], "encryption_parameters"),
        ("no jwk", {"enc": "A128GCM"}, "encryption_parameters"),
        ("jwk a text", {**ASKED, "jwk": "x"}, "encryption_parameters"),
        ("no alg", of_key(alg=...), "encryption_alg"),
        ("alg outside only", {**of_key(alg=...), "alg": "ECDH-ES"}, "encryption_alg"),
        ("alg RSA-OAEP", of_key(alg="RSA-OAEP"), "encryption_alg"),
        ("alg ECDH-ES+A128KW", of_key(alg="ECDH-ES+A128KW"), "encryption_alg"),
        ("alg a list", of_key(alg=["ECDH-ES"]), "encryption_alg"),
        ("key for signatures", of_key(use="sig"), "encryption_key"),
        ("key private", of_key(d="AA"), "encryption_key"),
        ("key symmetric", {**ASKED, "jwk": {"kty": "oct", "k": "AAAA", "alg": "ECDH-ES"}}, "encryption_key"),
        ("key RSA", {**ASKED, "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "ECDH-ES"}}, "encryption_key"),
        ("key off the curve", of_key(y=jwk.from_public(KEY.public_key())["y"]), "encryption_key"),
        ("crv a list", of_key(crv=["P-256"]), "encryption_key"),
        ("kid a number", of_key(kid=5), "encryption_parameters"),
        ("kid endless", of_key(kid="a" * 257), "encryption_parameters"),
        ("no enc", {"jwk": ASKED["jwk"]}, "encryption_parameters"),
        ("enc a list", {**ASKED, "enc": ["A128GCM"]}, "encryption_parameters"),
        ("enc not offered", {**ASKED, "enc": "A128CBC-HS256"}, "encryption_enc"),
        ("zip not offered", {**ASKED, "zip": "DEF"}, "encryption_zip"),
        ("zip null", {**ASKED, "zip": None}, "encryption_parameters"),
    ],
)
def test_vci_enc_3_parameters_with_one_fault_are_refused(name: str, value: object, code: str) -> None:
    assert error_of(lambda: read(value)) == (code, PARAMETERS, 400), name
    again = {"transaction_id": "t", "credential_response_encryption": value}
    assert error_of(lambda: deferred.parse_request(again, encrypted=True, offer=OFFER)) == (code, PARAMETERS, 400), name


def test_vci_enc_1_an_unknown_compression_is_refused_also_where_one_is_offered() -> None:
    assert error_of(lambda: read({**ASKED, "zip": "GZ"}, offer=ZIPPED))[0] == "encryption_zip"
    assert (
        error_of(lambda: read({**ASKED, "enc": "A256GCM"}, offer=EncryptionOffer(enc_values=("A128GCM",))))[0] == "encryption_enc"
    )


def test_vci_enc_2_3_an_encrypted_answer_needs_an_offer_and_an_encrypted_request() -> None:
    assert error_of(lambda: read(ASKED, encrypted=False)) == ("encryption_plain_request", PARAMETERS, 400)
    assert error_of(lambda: read(ASKED, offer=None)) == ("encryption_unsupported", PARAMETERS, 400)
    assert error_of(lambda: read(..., offer=REQUIRED)) == ("encryption_missing", PARAMETERS, 400)
    assert read(..., offer=OFFER) is None
    assert read(..., offer=None, encrypted=False) is None


def test_a_wallet_opens_only_what_it_asked_for() -> None:
    asked = ResponseEncryption(key=WALLET.public_key(), kid="w", enc="A256GCM")
    for other in (
        ResponseEncryption(key=WALLET.public_key(), kid="other", enc="A256GCM"),
        ResponseEncryption(key=WALLET.public_key(), kid=None, enc="A256GCM"),
        ResponseEncryption(key=WALLET.public_key(), kid="w", enc="A128GCM"),
        ResponseEncryption(key=WALLET.public_key(), kid="w", enc="A256GCM", zip=True),
        ResponseEncryption(key=KEY.public_key(), kid="w", enc="A256GCM"),
    ):
        with pytest.raises(VcError, match="jwe_"):
            encryption.open_response(encryption.seal({}, other), WALLET, asked)


# --- metadata ---


@pytest.mark.parametrize("offer", [OFFER, ZIPPED, REQUIRED, EncryptionOffer(enc_values=("A128GCM",), zip=True, required=True)])
def test_the_metadata_say_what_the_offer_is(offer: EncryptionOffer) -> None:
    declared = encryption.request_metadata(offer, [(kid, key.public_key()) for kid, key in KEYS.items()])
    assert [(key["kid"], key["use"], key["alg"]) for key in declared["jwks"]["keys"]] == [
        ("2026", "enc", "ECDH-ES"), ("2025", "enc", "ECDH-ES"),
    ]  # fmt: skip
    found = encryption.parse_request_metadata(declared)
    assert (found.kid, found.offer, jwk.thumbprint(found.key)) == ("2026", offer, jwk.thumbprint(KEY.public_key()))
    assert encryption.parse_response_metadata(encryption.response_metadata(offer)) == offer
    assert encryption.response_metadata(offer)["encryption_required"] is offer.required
    with pytest.raises(ValueError, match="key"):
        encryption.request_metadata(offer, [])


GOOD = encryption.request_metadata(OFFER, [("2026", KEY.public_key())])


def test_a_wallet_takes_the_first_key_it_has_the_means_for() -> None:
    (usable,) = GOOD["jwks"]["keys"]
    unusable = [
        5,
        {},
        {**usable, "alg": "ECDH-ES+A256KW"},
        {**usable, "kid": ""},
        {**usable, "use": "sig"},
        {**usable, "crv": "X25519"},
    ]
    assert encryption.parse_request_metadata({**GOOD, "jwks": {"keys": [*unusable, usable]}}).kid == "2026"
    for keys in (unusable, [{**usable, "kid": "a" * 300}]):
        with pytest.raises(Refused, match="encryption_unsupported"):
            encryption.parse_request_metadata({**GOOD, "jwks": {"keys": keys}})


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks": ...},
        {"jwks": {}},
        {"jwks": {"keys": []}},
        {"enc_values_supported": ...},
        {"enc_values_supported": ["A128CBC-HS256"]},
        {"enc_values_supported": "A128GCM"},
        {"encryption_required": ...},
        {"encryption_required": "yes"},
        {"zip_values_supported": "DEF"},
    ],
)
def test_metadata_with_one_fault_are_refused_by_the_wallet(changes: dict[str, Any]) -> None:
    def changed(value: dict[str, Any]) -> dict[str, Any]:
        return {name: entry for name, entry in {**value, **changes}.items() if entry is not ...}

    with pytest.raises((Malformed, Refused)):
        encryption.parse_request_metadata(changed(GOOD))
    if "jwks" not in changes:
        with pytest.raises((Malformed, Refused)):
            encryption.parse_response_metadata(changed(encryption.response_metadata(OFFER)))


@pytest.mark.parametrize("value", [None, [], {}, {**encryption.response_metadata(OFFER), "alg_values_supported": ["RSA-OAEP"]}])
def test_response_metadata_of_another_kind_are_refused_by_the_wallet(value: object) -> None:
    with pytest.raises((Malformed, Refused)):
        encryption.parse_response_metadata(value)


# --- deferred ---


def test_vci_def_1_what_a_wallet_asks_later_an_issuer_reads() -> None:
    assert deferred.parse_request({**deferred.create_request("t"), "future": 1}).transaction_id == "t"
    asked = ResponseEncryption(key=WALLET.public_key(), kid="w", enc="A256GCM")
    found = deferred.parse_request(deferred.create_request("t", response_encryption=asked), encrypted=True, offer=OFFER)
    assert found.response_encryption == asked
    assert "t" not in repr(found).partition("response")[0].removeprefix("DeferredRequest")


@pytest.mark.parametrize("value", [None, [], {}, {"transaction_id": ""}, {"transaction_id": 5}, {"transaction_id": "t" * 257}])
def test_vci_def_3_a_request_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(Malformed) as caught:
        deferred.parse_request(value)
    assert translate(Endpoint.DEFERRED, caught.value).error == "invalid_credential_request"


def test_vci_def_1_enc_2_3_encryption_is_asked_for_anew() -> None:
    asked = {"transaction_id": "t", "credential_response_encryption": ASKED}
    assert error_of(lambda: deferred.parse_request(asked, offer=OFFER))[0] == "encryption_plain_request"
    assert error_of(lambda: deferred.parse_request(asked, encrypted=True))[0] == "encryption_unsupported"
    assert (
        error_of(lambda: deferred.parse_request({"transaction_id": "t"}, encrypted=True, offer=REQUIRED))[0] == "encryption_missing"
    )


def test_vci_def_2_pending_is_said_with_an_interval() -> None:
    body = credential.deferred_response("t", 5)
    assert credential.parse_response(body, requested=1) == credential.Deferred(transaction_id="t", interval=5)
    with pytest.raises(ValueError, match="second"):
        credential.deferred_response("t", 0)


# --- the request by proof type ---


@pytest.mark.parametrize(
    ("proofs", "proof_types", "found"),
    [
        ({"jwt": ["a", "b"]}, ("jwt", "attestation"), ("jwt", ("a", "b"))),
        ({"attestation": ["a"]}, ("jwt", "attestation"), ("attestation", ("a",))),
        ({"attestation": ["a", "b"]}, ("jwt", "attestation"), "proof_count"),
        ({"attestation": ["a"], "jwt": ["b"]}, ("jwt", "attestation"), "proof_type"),
        ({"attestation": []}, ("jwt", "attestation"), "proof_type"),
        ({"attestation": [5]}, ("jwt", "attestation"), "proof_malformed"),
        ({"jwt": ["a"]}, ("attestation",), "proof_type"),
        ({"jwt": ["a"]}, (), "proof_type"),
    ],
)
def test_vci_cred_3_the_proof_types_are_those_of_the_metadata(proofs: Any, proof_types: tuple[str, ...], found: Any) -> None:
    def parse() -> credential.CredentialRequest:
        return credential.parse_request(
            {**BODY, "proofs": proofs},
            configuration_ids=["pda1"],
            credential_identifiers=None,
            batch_size=2,
            proof_types=proof_types,
        )

    if isinstance(found, str):
        assert error_of(parse)[:2] == (found, "invalid_proof")
    else:
        assert (parse().proof_type, parse().proofs) == found
        made = credential.create_request(configuration_id="pda1", proofs=found[1], proof_type=found[0])
        assert made == {**BODY, "proofs": proofs}


# --- challenge ---


def test_vci_wia_6_the_challenge_response_and_its_reading() -> None:
    assert challenge.response("c") == {"attestation_challenge": "c"}
    assert challenge.parse_response({**challenge.response("c"), "future": 1}) == "c"
    refused: tuple[object, ...] = (None, [], {}, {"attestation_challenge": ""}, {"attestation_challenge": 5})
    for value in refused:
        with pytest.raises(Malformed, match="challenge_response"):
            challenge.parse_response(value)


# --- any value ---

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["A128GCM", "DEF", "ECDH-ES", "", "P-256", "EC"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["jwk", "enc", "zip", "alg", "kid", "keys", "kty", "crv", "x", "y", "use"]), inner, max_size=4
        )
    ),
    max_leaves=15,
)
HEADER_NAMES = st.sampled_from(["alg", "enc", "zip", "kid", "epk", "crit", "apu", "apv", "typ", "p2c", "iv"])


@given(values)
def test_any_value_gives_parameters_or_our_error(value: object) -> None:
    readers: tuple[Callable[[], object], ...] = (
        lambda: read(value, offer=ZIPPED),
        lambda: deferred.parse_request(
            {"transaction_id": "t", "credential_response_encryption": value}, encrypted=True, offer=ZIPPED
        ),
        lambda: encryption.parse_request_metadata(value),
        lambda: encryption.parse_response_metadata(value),
    )
    for reader in readers:
        try:
            assert reader()
        except VcError:
            continue


@given(st.dictionaries(HEADER_NAMES, values | st.floats() | st.text(max_size=4), max_size=3))
def test_any_header_gives_a_request_or_our_error(header: dict[str, Any]) -> None:
    try:
        assert opened(raw(**header), offer=ZIPPED) == (BODY, True)
    except VcError:
        return


@given(st.binary(max_size=60) | st.text(alphabet="eyJA0.-_é", max_size=60).map(str.encode))
def test_any_body_is_refused(body: bytes) -> None:
    with pytest.raises(VcError):
        opened(body)
