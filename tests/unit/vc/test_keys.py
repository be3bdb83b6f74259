"""Keys: SECURITY I-6, J-12, M-4; RFC 7638 thumbprint; raw signatures."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto.jwk import JWK

from tests.support.pki import new_key
from vc.encoding import base64url
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.keys import cose_key, jwk
from vc.keys.ec import CURVES, Curve, coordinates, curve_of, public_key, sign_raw, verify_raw
from vc.keys.signer import LocalSigner

each_curve = pytest.mark.parametrize("row", CURVES, ids=lambda row: row.name)


@each_curve
def test_raw_signatures_have_the_length_of_the_curve(row: Curve) -> None:
    key = new_key(row.curve)
    for _ in range(40):  # short r or s must be padded
        signature = sign_raw(key, b"message")
        assert len(signature) == 2 * row.size
        verify_raw(key.public_key(), signature, b"message")


@each_curve
@pytest.mark.parametrize("how", ["other message", "bit flipped", "zeros", "short", "long", "DER"])
def test_wrong_signatures_are_refused(row: Curve, how: str) -> None:
    key = new_key(row.curve)
    good = sign_raw(key, b"message")
    signature, message = {
        "other message": (good, b"massage"),
        "bit flipped": (bytes([good[0] ^ 1]) + good[1:], b"message"),
        "zeros": (bytes(2 * row.size), b"message"),
        "short": (good[:-1], b"message"),
        "long": (good + b"\x00", b"message"),
        "DER": (key.sign(b"message", row.ecdsa), b"message"),
    }[how]
    with pytest.raises(VerificationFailed) as caught:
        verify_raw(key.public_key(), signature, message)
    assert caught.value.code == "signature"


@each_curve
def test_a_signature_is_written_in_one_way(row: Curve) -> None:
    """RFC 7518 §3.4: the same numbers with a zero between them, or before them, are no signature."""
    key = new_key(row.curve)
    good = sign_raw(key, b"message")
    for longer in (good[: row.size] + b"\x00" + good[row.size :], b"\x00" + good[: row.size] + b"\x00" + good[row.size :]):
        with pytest.raises(VerificationFailed, match="signature"):
            verify_raw(key.public_key(), longer, b"message")


@each_curve
def test_a_point_is_written_in_one_way(row: Curve) -> None:
    """RFC 7518 §6.2.1.2: each coordinate has the length of the curve, not both together."""
    x, y = coordinates(new_key(row.curve).public_key())
    for cut in (-1, 1):
        both = x + y
        with pytest.raises(Malformed) as caught:
            public_key(row, both[: row.size + cut], both[row.size + cut :])
        assert caught.value.code == "key_point"


@each_curve
def test_jwk_and_cose_key_round_trip(row: Curve) -> None:
    key = new_key(row.curve).public_key()
    assert jwk.parse_public(jwk.from_public(key, kid="1", use="sig")) == key
    assert cose_key.parse_public(cose_key.from_public(key)) == key
    assert jwk.from_public(key, kid="1")["kid"] == "1"


def test_thumbprint_of_rfc7638_form() -> None:
    # The EC example key of RFC 7517 A.1; value checked with an independent library below.
    key = jwk.parse_public(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        }
    )
    assert base64url.encode(jwk.thumbprint(key)) == JWK(**jwk.from_public(key)).thumbprint()


def _jwk(**changes: Any) -> dict[str, Any]:
    return {**jwk.from_public(new_key().public_key()), **changes}


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [
        ("text", Malformed, "key"),
        (_jwk(d="AA"), Refused, "key_private"),
        ({"kty": "oct", "k": "AA"}, Refused, "key_private"),
        (_jwk(kty="OKP"), Refused, "key_type"),
        (_jwk(crv="secp256k1"), Refused, "key_type"),
        (_jwk(crv=["P-256"]), Refused, "key_type"),
        (_jwk(x=1), Malformed, "key_point"),
        (_jwk(y=None), Malformed, "key_point"),
        (_jwk(x="AA"), Malformed, "key_point"),
        (_jwk(y="A" * 43), Malformed, "key_point"),
        (_jwk(y=base64url.encode(bytes(31))), Malformed, "key_point"),
        (_jwk(x="not base64url"), Malformed, "base64url"),
        ({"kty": "EC"}, Refused, "key_type"),
    ],
)
def test_jwk_refuses(value: object, kind: type[VcError], code: str) -> None:
    with pytest.raises(kind) as caught:
        jwk.parse_public(value)
    assert caught.value.code == code


def _cose(**changes: Any) -> dict[int, Any]:
    names = {"kty": 1, "crv": -1, "x": -2, "y": -3, "d": -4}
    return {**cose_key.from_public(new_key().public_key()), **{names[name]: value for name, value in changes.items()}}


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [
        ([], Malformed, "key"),
        (_cose(d=b"x"), Refused, "key_private"),
        (_cose(kty=1), Refused, "key_type"),
        (_cose(crv=8), Refused, "key_type"),
        (_cose(crv=True), Refused, "key_type"),
        (_cose(y=True), Malformed, "key_point"),
        (_cose(x=bytes(32)), Malformed, "key_point"),
    ],
)
def test_cose_key_refuses(value: object, kind: type[VcError], code: str) -> None:
    with pytest.raises(kind) as caught:
        cose_key.parse_public(value)
    assert caught.value.code == code


def test_a_curve_outside_the_table_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        curve_of(ec.generate_private_key(ec.SECP256K1()))
    assert caught.value.code == "key_curve"


def test_coordinates_round_trip_and_signer_shows_no_key() -> None:
    key = new_key()
    assert public_key(curve_of(key), *coordinates(key.public_key())) == key.public_key()
    signer = LocalSigner(key)
    assert "private" not in repr(signer)
    assert signer.curve.alg == "ES256"
    verify_raw(signer.public_key, signer.sign(b"m"), b"m")
