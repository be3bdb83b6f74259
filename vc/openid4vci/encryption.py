"""Encrypted credential requests and responses (OpenID4VCI 1.0 §10): what an issuer offers, and what it therefore takes.

`EncryptionOffer` is the one declaration: the metadata are rendered from it and every check asks it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import json
from vc.errors import Malformed, Refused, VcError
from vc.jose import jwe
from vc.keys import jwk
from vc.openid4vci import members

ALG = "ECDH-ES"
JSON, JWT = "application/json", "application/jwt"
MAX_PLAINTEXT = 512 * 1024
"""What a compressed message may inflate to, in octets (VCI-ENC-6)."""
_MAX_KID = 256
_CODE = "encryption_parameters"

FindKey = Callable[[str], ec.EllipticCurvePrivateKey | None]
"""The private key published under a `kid`, None for one that is not ours (any more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionOffer:
    """What is offered in both directions. `required`: plain requests and plain responses are refused. `zip`: DEFLATE is taken."""

    enc_values: tuple[str, ...] = jwe.ENC_VALUES
    zip: bool = False
    required: bool = False
    alg: str = ALG


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEncryption:
    """To whom and how a response is encrypted: what the wallet asked for, and we offer."""

    key: ec.EllipticCurvePublicKey
    kid: str | None
    enc: str
    zip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEncryption:
    """To whom and how requests to an issuer are encrypted, as its metadata say."""

    key: ec.EllipticCurvePublicKey
    kid: str
    offer: EncryptionOffer


def request_metadata(offer: EncryptionOffer, keys: Sequence[tuple[str, ec.EllipticCurvePublicKey]]) -> dict[str, Any]:
    """`credential_request_encryption` (§12.2.4): our public keys with their `kid`, best first. ValueError without keys."""
    if not keys:
        raise ValueError("requests are encrypted to a key")
    return {
        "jwks": {"keys": [jwk.from_public(key, kid=kid, use="enc", alg=offer.alg) for kid, key in keys]},
        **_ways(offer),
    }


def response_metadata(offer: EncryptionOffer) -> dict[str, Any]:
    """`credential_response_encryption` (§12.2.4)."""
    return {"alg_values_supported": [offer.alg], **_ways(offer)}


def _ways(offer: EncryptionOffer) -> dict[str, Any]:
    return {
        "enc_values_supported": list(offer.enc_values),
        **({"zip_values_supported": [jwe.ZIP]} if offer.zip else {}),
        "encryption_required": offer.required,
    }


def open_request(body: bytes, content_type: str | None, *, offer: EncryptionOffer | None, find_key: FindKey) -> tuple[object, bool]:
    """The decoded JSON of a request and whether it came encrypted (VCI-CRED-15, VCI-ENC-1, -5, -6). `offer` None: none is offered.

    Raises `Malformed("media_type")`, codes beginning with `encryption_` (no offer, plain although required, another way than
    offered, a key not ours, content that does not open), `too_large`, and as `json.loads` for what is inside.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type == JWT:
        if offer is None:
            raise Refused("encryption_unsupported", "encrypted requests are not offered by this issuer")
        return json.loads(_open(body, offer, find_key)), True
    if media_type != JSON:
        raise Malformed("media_type", "the request is application/json, or application/jwt where encryption is offered")
    if offer is not None and offer.required:
        raise Refused("encryption_required", "this issuer takes encrypted requests only")
    return json.loads(body), False


def _open(body: bytes, offer: EncryptionOffer, find_key: FindKey) -> bytes:
    def named(kid: str | None) -> ec.EllipticCurvePrivateKey | None:
        return None if kid is None else find_key(kid)  # our keys all have one, and it is copied (VCI-ENC-1)

    try:
        token = body.decode("ascii")
        return jwe.decrypt(token, find_key=named, enc_values=offer.enc_values, zip=offer.zip, max_plaintext=MAX_PLAINTEXT).plaintext
    except UnicodeDecodeError as exc:
        raise Malformed("encryption_malformed", "the request is not a JWE") from exc
    except VcError as exc:
        if exc.code == "too_large":
            raise
        raise Refused(f"encryption_{exc.code.removeprefix('jwe_')}", exc.detail) from exc


def parse_response_encryption(value: object, offer: EncryptionOffer) -> ResponseEncryption:
    """Read `credential_response_encryption` (§8.2, OLD-06): `jwk` with `alg` inside, `enc`, optional `zip`, each within the offer.

    Raises with codes that begin with `encryption_` (VCI-ENC-1, -3).
    """
    at = "/credential_response_encryption"
    asked = members.an_object(value, _CODE, at)
    key = members.an_object(asked.get("jwk"), _CODE, f"{at}/jwk")
    if key.get("alg") != offer.alg:
        raise Refused("encryption_alg", "the key agreement is named by alg in the jwk, and is not offered", pointer=f"{at}/jwk")
    if key.get("use", "enc") != "enc":
        raise Refused("encryption_key", "the key is not for encryption", pointer=f"{at}/jwk")
    kid = members.text(key, "kid", _CODE, f"{at}/jwk")
    if kid is not None and len(kid) > _MAX_KID:
        raise Malformed(_CODE, "the kid is too long", pointer=f"{at}/jwk")
    try:
        public = jwk.parse_public(key)
    except VcError as exc:
        raise Refused("encryption_key", exc.detail, pointer=f"{at}/jwk") from exc
    enc = members.required_text(asked, "enc", _CODE, at)
    if enc not in offer.enc_values:
        raise Refused("encryption_enc", "the content encryption is not offered", pointer=f"{at}/enc")
    compression = members.text(asked, "zip", _CODE, at)
    if compression is not None and not (offer.zip and compression == jwe.ZIP):
        raise Refused("encryption_zip", "the compression is not offered", pointer=f"{at}/zip")
    return ResponseEncryption(key=public, kid=kid, enc=enc, zip=compression is not None)


def asked_response(request: Mapping[str, Any], *, encrypted: bool, offer: EncryptionOffer | None) -> ResponseEncryption | None:
    """How the answer to a decoded (deferred) credential request is to be encrypted; None for a plain one.

    Raises codes that begin with `encryption_`: asked for although not offered or although the request itself came plain
    (VCI-ENC-2), or not asked for although required (VCI-ENC-3).
    """
    if "credential_response_encryption" not in request:
        if offer is not None and offer.required:
            raise Refused("encryption_missing", "this issuer gives encrypted responses only; send credential_response_encryption")
        return None
    if offer is None:
        raise Refused("encryption_unsupported", "encrypted responses are not offered by this issuer")
    if not encrypted:
        raise Refused("encryption_plain_request", "who wants an encrypted response encrypts the request")
    return parse_response_encryption(request["credential_response_encryption"], offer)


def seal(value: Mapping[str, Any], to: ResponseEncryption) -> str:
    """The body of an encrypted answer, `application/jwt` (VCI-ENC-1, -4). Errors are never encrypted."""
    return jwe.encrypt(json.dumps(dict(value)), to=to.key, kid=to.kid, enc=to.enc, zip=to.zip)


# --- wallet ---


def parse_request_metadata(value: object, *, pointer: str = "/credential_request_encryption") -> RequestEncryption:
    """The first key of an issuer's metadata that we can encrypt to, and the ways it takes. Raises `Malformed("metadata")`,
    `Refused("encryption_unsupported")` when there is no way we know."""
    declared = members.an_object(value, "metadata", pointer)
    offer = _parse_ways(declared, pointer)
    jwks = members.an_object(declared.get("jwks"), "metadata", f"{pointer}/jwks")
    for entry in members.array(jwks, "keys", "metadata", f"{pointer}/jwks") or []:
        kid = entry.get("kid") if isinstance(entry, Mapping) else None
        if not isinstance(kid, str) or not 0 < len(kid) <= _MAX_KID or entry.get("alg") != ALG or entry.get("use", "enc") != "enc":
            continue
        try:
            return RequestEncryption(key=jwk.parse_public(entry), kid=kid, offer=offer)
        except VcError:
            continue  # a key of a kind we do not have is no fault of the issuer
    raise Refused("encryption_unsupported", "the issuer has no key we can encrypt to", pointer=f"{pointer}/jwks")


def parse_response_metadata(value: object, *, pointer: str = "/credential_response_encryption") -> EncryptionOffer:
    """What an issuer says about encrypted responses. Raises as `parse_request_metadata`."""
    declared = members.an_object(value, "metadata", pointer)
    if ALG not in (members.texts(declared, "alg_values_supported", "metadata", pointer) or ()):
        raise Refused("encryption_unsupported", "the issuer offers no key agreement we have", pointer=pointer)
    return _parse_ways(declared, pointer)


def _parse_ways(declared: Mapping[str, Any], pointer: str) -> EncryptionOffer:
    offered = members.texts(declared, "enc_values_supported", "metadata", pointer) or ()
    known = tuple(enc for enc in jwe.ENC_VALUES if enc in offered)
    if not known:
        raise Refused("encryption_unsupported", "the issuer offers no content encryption we have", pointer=pointer)
    if "encryption_required" not in declared:
        raise Malformed("metadata", "missing", pointer=f"{pointer}/encryption_required")
    return EncryptionOffer(
        enc_values=known,
        zip=jwe.ZIP in (members.texts(declared, "zip_values_supported", "metadata", pointer) or ()),
        required=members.flag(declared, "encryption_required", "metadata", pointer),
    )


def ask_response(to: ResponseEncryption) -> dict[str, Any]:
    """The value of `credential_response_encryption` in a request."""
    named = {"kid": to.kid} if to.kid is not None else {}
    key = jwk.from_public(to.key, **named, use="enc", alg=ALG)
    return {"jwk": key, "enc": to.enc, **({"zip": jwe.ZIP} if to.zip else {})}


def seal_request(value: Mapping[str, Any], to: RequestEncryption, *, enc: str | None = None, zip: bool = False) -> str:
    """The body of an encrypted request, `application/jwt`. `enc`: A256GCM where the issuer takes it (HAIP 1.0 §5)."""
    return jwe.encrypt(json.dumps(dict(value)), to=to.key, kid=to.kid, enc=enc or to.offer.enc_values[-1], zip=zip)


def open_response(token: str, key: ec.EllipticCurvePrivateKey, asked: ResponseEncryption) -> dict[str, Any]:
    """The decoded answer. Raises as `jwe.decrypt` for anything but the way that was `asked` for, and as `json.loads`."""

    def named(kid: str | None) -> ec.EllipticCurvePrivateKey | None:
        return key if kid == asked.kid else None

    opened = jwe.decrypt(token, find_key=named, enc_values=(asked.enc,), zip=asked.zip, max_plaintext=MAX_PLAINTEXT)
    return json.loads_object(opened.plaintext)
