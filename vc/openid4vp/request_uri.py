"""Asking for the request object with POST (OpenID4VP 1.0 §5.10): what the wallet tells, what the verifier reads of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import json
from vc.errors import Malformed, VcError
from vc.jose import jwe
from vc.keys.jwk import from_public
from vc.openid4vp.client_id import Prefix
from vc.openid4vp.client_metadata import VP_FORMATS, EncryptionTarget, encryption_target

MAX_WALLET_NONCE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletWishes:
    """`wallet_nonce` goes into the signed request. `encryption`: the request object shall be encrypted to this key."""

    wallet_nonce: str | None
    encryption: EncryptionTarget | None
    enc: str


def build_form(*, wallet_nonce: str, encryption: EncryptionTarget | None = None) -> dict[str, str]:
    """The form of the wallet's POST to `request_uri` (VP-REQ-7)."""
    wallet_metadata: dict[str, Any] = {
        "vp_formats_supported": VP_FORMATS,
        "client_id_prefixes_supported": list(Prefix),
        "response_types_supported": ["vp_token"],
        "response_modes_supported": ["direct_post", "direct_post.jwt"],
    }
    if encryption is not None:
        jwk = from_public(encryption.key, kid=encryption.kid, use="enc", alg="ECDH-ES")
        wallet_metadata |= {
            "jwks": {"keys": [jwk]},
            "request_object_encryption_alg_values_supported": ["ECDH-ES"],
            "request_object_encryption_enc_values_supported": list(jwe.ENC_VALUES),
        }
    return {"wallet_nonce": wallet_nonce, "wallet_metadata": json.dumps(wallet_metadata).decode()}


def parse_form(form: Mapping[str, str]) -> WalletWishes:
    """What a wallet's POST asks for; unknown fields, unusable keys and junk members of `wallet_metadata` are ignored.

    Raises `Malformed("wallet_nonce")` for one that is empty, over-long or not printable ASCII, `Malformed("wallet_metadata")` when
    that is not a JSON object. Nothing in it is fetched (SECURITY V-2).
    """
    nonce = form.get("wallet_nonce")
    if nonce is not None and not (0 < len(nonce) <= MAX_WALLET_NONCE and nonce.isascii() and nonce.isprintable()):
        raise Malformed("wallet_nonce", "wallet_nonce is a short printable text", pointer="/wallet_nonce")
    try:
        members = json.loads_object(form.get("wallet_metadata", "{}"), max_bytes=64 * 1024)
    except Malformed as exc:
        raise Malformed("wallet_metadata", "wallet_metadata is a JSON object", pointer="/wallet_metadata") from exc
    try:
        target = encryption_target(members.get("jwks"), pointer="/wallet_metadata/jwks")
    except VcError:
        target = None
    offered = members.get("request_object_encryption_enc_values_supported", ["A128GCM"])
    enc = next((name for name in reversed(jwe.ENC_VALUES) if isinstance(offered, list) and name in offered), None)
    return WalletWishes(wallet_nonce=nonce, encryption=target if enc else None, enc=enc or "A128GCM")


def encrypt(token: str, wishes: WalletWishes) -> str:
    """`token` as the wallet wants it: encrypted (RFC 9101 §6.1, nested JWT) when it named a usable key, as it is otherwise."""
    if wishes.encryption is None:
        return token
    return jwe.encrypt(
        token.encode("ascii"),
        to=wishes.encryption.key,
        kid=wishes.encryption.kid,
        enc=wishes.enc,
        header={"cty": "oauth-authz-req+jwt"},
    )


def open_request(body: bytes, *, find_key: Callable[[str | None], ec.EllipticCurvePrivateKey | None]) -> str:
    """The signed request object in an answer, decrypted if it is a JWE. Raises `Malformed("jws")`, or as `jwe.decrypt`."""
    try:
        text = body.decode("ascii")
        return jwe.decrypt(text, find_key=find_key).plaintext.decode("ascii") if text.count(".") == 4 else text
    except UnicodeDecodeError as exc:
        raise Malformed("jws", "the request object is not ASCII text") from exc
