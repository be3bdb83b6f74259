"""JWS and JWE: SECURITY J-1, J-10, V-4; each header rule by a token that breaks only it."""

import hashlib
import hmac
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto import jwe as library
from jwcrypto.jwk import JWK

from tests.support.pki import holder, new_key, root
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jwe, jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner

SIGNER = holder()


def _token(header: dict[str, Any], payload: bytes = b"{}", signer: LocalSigner = SIGNER) -> str:
    """A token with exactly this header, truly signed."""
    signing_input = f"{base64url.encode(json.dumps(header))}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode()))}"


def _verify(token: str, **options: Any) -> None:
    jws.verify(jws.parse(token), SIGNER.public_key, **{"typ": "test+jwt", **options})


def test_sign_and_verify() -> None:
    token = jws.sign({"typ": "test+jwt", "kid": "1"}, b'{"a":1}', SIGNER)
    unverified = jws.parse(token)
    jws.verify(unverified, SIGNER.public_key, typ=["other", "test+jwt"])
    jws.verify(unverified, SIGNER.public_key, typ=None)
    assert list(unverified.header) == ["alg", "typ", "kid"]
    assert unverified.claims() == {"a": 1}
    _verify(jws.sign({"typ": "application/Test+JWT"}, b"{}", SIGNER))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"alg": "none", "typ": "test+jwt"}, "jws_alg"),
        ({"alg": "None", "typ": "test+jwt"}, "jws_alg"),
        ({"alg": "HS256", "typ": "test+jwt"}, "jws_alg"),
        ({"alg": "ES384", "typ": "test+jwt"}, "jws_alg"),
        ({"alg": ["ES256"], "typ": "test+jwt"}, "jws_alg"),
        ({"typ": "test+jwt"}, "jws_alg"),
        ({"alg": "ES256", "typ": "test+jwt", "crit": ["x"]}, "jws_crit"),
        ({"alg": "ES256", "typ": "test+jwt", "b64": False}, "jws_crit"),
        ({"alg": "ES256", "typ": "JWT"}, "jws_typ"),
        ({"alg": "ES256"}, "jws_typ"),
        ({"alg": "ES256", "typ": 1}, "jws_typ"),
    ],
)
def test_header_rules(header: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        _verify(_token(header))
    assert caught.value.code == code


def test_algorithm_list_is_the_callers() -> None:
    with pytest.raises(Refused, match="jws_alg"):
        _verify(_token({"alg": "ES256", "typ": "test+jwt"}), algorithms=("ES384",))


@pytest.mark.parametrize("secret", ["pem", "der", "jwk"])
def test_public_key_as_hmac_secret_is_refused(secret: str) -> None:
    key = SIGNER.public_key
    material = {
        "pem": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk.from_public(key)),
    }[secret]
    signing_input = base64url.encode(json.dumps({"alg": "HS256", "typ": "test+jwt"})) + ".e30"
    mac = hmac.new(material, signing_input.encode(), hashlib.sha256).digest()
    with pytest.raises(Refused, match="jws_alg"):
        _verify(f"{signing_input}.{base64url.encode(mac)}")


@pytest.mark.parametrize("change", [0, 1, 2])
def test_any_changed_part_breaks_the_signature(change: int) -> None:
    parts = jws.sign({"typ": "test+jwt"}, b'{"a":1}', SIGNER).split(".")
    other = jws.sign({"typ": "test+jwt", "x": 1}, b'{"a":2}', LocalSigner(new_key())).split(".")
    parts[change] = other[change]
    with pytest.raises(VerificationFailed, match="signature"):
        _verify(".".join(parts))


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("a.b", "jws"),
        ("a.b.c.d", "jws"),
        ("!.e30.AA", "base64url"),
        (f"{base64url.encode(b'[]')}.e30.AA", "json_object"),
        (f"{base64url.encode(b'x')}.e30.AA", "json"),
        (f"{base64url.encode(b'{}')}.e30=.AA", "base64url"),
        ("e30.e30.A", "base64url"),
        (base64url.encode(b'{"alg":"ES256","alg":"none"}') + ".e30.AA", "json_duplicate_member"),
        ("x" * (512 * 1024 + 1), "too_large"),
    ],
)
def test_parse_refuses(token: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        jws.parse(token)
    assert caught.value.code == code


def test_x5c_of_the_protected_header() -> None:
    signer = root().leaf()
    token = jws.sign({"typ": "t", "x5c": jws.x5c(signer.chain)}, b"{}", signer)
    assert jws.chain_of(jws.parse(token)) == signer.chain
    with pytest.raises(VerificationFailed, match="x5c_missing"):
        jws.chain_of(jws.parse(jws.sign({}, b"{}", signer)))


@given(st.text(max_size=80))
def test_parse_any_text(text: str) -> None:
    with suppress(VcError):
        jws.parse(text)


# ---- JWE

KEY = new_key()


def _find(kid: str | None) -> ec.EllipticCurvePrivateKey | None:
    return KEY if kid in (None, "1") else None


@pytest.mark.parametrize("enc", jwe.ENC_VALUES)
@pytest.mark.parametrize("kid", [None, "1"])
def test_jwe_round_trip(enc: str, kid: str | None) -> None:
    token = jwe.encrypt(b"secret", to=KEY.public_key(), kid=kid, enc=enc, header={"apu": "QQ"})
    opened = jwe.decrypt(token, find_key=_find)
    assert (opened.plaintext, opened.header.get("kid"), opened.header["enc"]) == (b"secret", kid, enc)


def test_encrypt_refuses_other_content_encryption() -> None:
    with pytest.raises(Refused, match="jwe_enc"):
        jwe.encrypt(b"x", to=KEY.public_key(), kid=None, enc="A128CBC-HS256")


def _with_header(change: Callable[[dict[str, Any]], None]) -> str:
    parts = jwe.encrypt(b"secret", to=KEY.public_key(), kid="1", enc="A128GCM").split(".")
    header = json.loads_object(base64url.decode(parts[0]))
    change(header)
    return ".".join([base64url.encode(json.dumps(header)), *parts[1:]])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda h: h.update(alg="dir"), "jwe_alg"),
        (lambda h: h.update(alg="RSA1_5"), "jwe_alg"),
        (lambda h: h.update(alg="PBES2-HS256+A128KW", p2c=2_000_000_000), "jwe_alg"),
        (lambda h: h.pop("alg"), "jwe_alg"),
        (lambda h: h.update(enc="A128CBC-HS256"), "jwe_enc"),
        (lambda h: h.update(zip="DEF"), "jwe_zip"),
        (lambda h: h.update(crit=["exp"], exp=1), "jwe_crit"),
        (lambda h: h.update(kid=7), "jwe"),
        (lambda h: h.update(kid="2"), "jwe_key"),
        (lambda h: h.update(epk=jwk.from_public(new_key(ec.SECP384R1()).public_key())), "key_type"),
        (lambda h: h["epk"].update(y=base64url.encode(bytes(32))), "key_point"),
        (lambda h: h.update(epk=None), "key"),
        (lambda h: h.update(epk=jwk.from_public(new_key().public_key())), "jwe_decryption"),
    ],
)
def test_jwe_header_rules(change: Callable[[dict[str, Any]], None], code: str) -> None:
    with pytest.raises(VcError) as caught:
        jwe.decrypt(_with_header(change), find_key=_find)
    assert caught.value.code == code


def test_jwe_to_another_key_does_not_open() -> None:
    token = jwe.encrypt(b"secret", to=new_key().public_key(), kid="1", enc="A128GCM")
    with pytest.raises(VerificationFailed, match="jwe_decryption"):
        jwe.decrypt(token, find_key=_find)


@pytest.mark.parametrize("part", [2, 3, 4])
def test_jwe_changed_parts_do_not_open(part: int) -> None:
    parts = jwe.encrypt(b"secret", to=KEY.public_key(), kid=None, enc="A256GCM").split(".")
    data = bytearray(base64url.decode(parts[part]))
    data[0] ^= 1
    parts[part] = base64url.encode(bytes(data))
    with pytest.raises(VcError):
        jwe.decrypt(".".join(parts), find_key=_find)


def test_jwe_short_tag_does_not_open() -> None:
    parts = jwe.encrypt(b"secret", to=KEY.public_key(), kid=None, enc="A256GCM").split(".")
    parts[4] = base64url.encode(base64url.decode(parts[4])[:4])
    with pytest.raises(VcError):
        jwe.decrypt(".".join(parts), find_key=_find)


@pytest.mark.parametrize(
    ("token", "code"), [("a.b.c", "jwe"), ("x" * (512 * 1024 + 1), "too_large"), ("e30.AA.!.AA.AA", "base64url")]
)
def test_jwe_parse_refuses(token: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        jwe.decrypt(token, find_key=_find)
    assert caught.value.code == code


def test_jwe_encrypted_key_must_be_empty() -> None:
    parts = jwe.encrypt(b"secret", to=KEY.public_key(), kid=None, enc="A256GCM").split(".")
    parts[1] = "AAAA"
    with pytest.raises(Refused, match="jwe_alg"):
        jwe.decrypt(".".join(parts), find_key=_find)


def test_jwe_inflate_bomb_is_refused_before_it_is_opened() -> None:
    bomb = library.JWE(b"0" * 400_000, protected='{"alg":"ECDH-ES","enc":"A128GCM","zip":"DEF"}')
    bomb.add_recipient(JWK(**jwk.from_public(KEY.public_key())))
    assert len(zlib.compress(b"0" * 400_000)) < 1000
    with pytest.raises(Refused, match="jwe_zip"):
        jwe.decrypt(bomb.serialize(compact=True), find_key=_find)


@given(st.text(alphabet="eyJA0.-_", max_size=60))
def test_jwe_any_text(text: str) -> None:
    with suppress(VcError):
        jwe.decrypt(text, find_key=_find)
