"""Compact JWE with ECDH-ES and AES-GCM (RFC 7516, RFC 7518 §4.6, HAIP 1.0 §5): compressed only where announced, always bounded.

The work is done by jwcrypto; the rules about headers are ours and are applied before it sees the token.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto import jwe as library
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VerificationFailed
from vc.keys.jwk import from_public, parse_public

ENC_VALUES = ("A128GCM", "A256GCM")
ZIP = "DEF"
"""The one compression there is (RFC 7516 §4.1.3)."""
MAX_TOKEN = 512 * 1024
library.default_max_plaintext_size = MAX_TOKEN  # SECURITY 6: the library's own bound is a hundred megabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decrypted:
    """What came out: the protected header (now authenticated) and the plaintext."""

    header: Mapping[str, Any]
    plaintext: bytes


def encrypt(
    plaintext: bytes,
    *,
    to: ec.EllipticCurvePublicKey,
    kid: str | None,
    enc: str,
    header: Mapping[str, Any] | None = None,
    zip: bool = False,
) -> str:
    """A compact JWE of `plaintext` for `to`, `alg` = ECDH-ES, `enc` from `ENC_VALUES`; `kid` is copied when given.

    `zip`: compress with DEFLATE first, for a receiver that announced it. An ephemeral key is drawn by the library. Raises
    `Refused("jwe_enc")`.
    """
    if enc not in ENC_VALUES:
        raise Refused("jwe_enc", "the content encryption is not A128GCM or A256GCM")
    protected = {
        "alg": "ECDH-ES",
        "enc": enc,
        **({"kid": kid} if kid is not None else {}),
        **({"zip": ZIP} if zip else {}),
        **(header or {}),
    }
    token = library.JWE(plaintext, protected=json.dumps(protected).decode())
    token.add_recipient(JWK(**from_public(to)))
    return str(token.serialize(compact=True))


def decrypt(
    token: str,
    *,
    find_key: Callable[[str | None], ec.EllipticCurvePrivateKey | None],
    enc_values: Sequence[str] = ENC_VALUES,
    zip: bool = False,
    max_plaintext: int = MAX_TOKEN,
) -> Decrypted:
    """Decrypt a compact JWE with the key that `find_key(kid)` gives.

    `zip`: whether compressed content was announced; what it inflates to is bounded by `max_plaintext` octets (VCI-ENC-6).

    Refused before any decryption: other `alg` (`jwe_alg`), other `enc` (`jwe_enc`), a `zip` not announced or `crit` (`jwe_zip`,
    `jwe_crit`), an ephemeral key off the curve of ours (`key_point`, `key_type`), an unknown key (`jwe_key`), over-long input
    (`too_large`). Raises `VerificationFailed("jwe_decryption")` when the content does not open, or opens to too much.
    """
    if len(token) > MAX_TOKEN:
        raise Malformed("too_large", "the JWE is too long")
    parts = token.split(".")
    if len(parts) != 5:
        raise Malformed("jwe", "a compact JWE has five parts")
    header = json.loads_object(base64url.decode(parts[0]))
    for part in parts[1:]:
        base64url.decode(part)
    if header.get("alg") != "ECDH-ES" or parts[1]:
        raise Refused("jwe_alg", "the key agreement is not ECDH-ES")
    if header.get("enc") not in enc_values:
        raise Refused("jwe_enc", "the content encryption was not offered")
    if "zip" in header and not (zip and header["zip"] == ZIP):
        raise Refused("jwe_zip", "compressed content is not accepted, or not in this way")
    if "crit" in header:
        raise Refused("jwe_crit", "the message asks for an extension that is not understood")
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise Malformed("jwe", "kid is a text")
    ephemeral = parse_public(header.get("epk"))
    key = find_key(kid)
    if key is None:
        raise Refused("jwe_key", "the message is encrypted to a key that is not one of this transaction's")
    if ephemeral.curve.name != key.curve.name:
        raise Refused("key_type", "the ephemeral key is on another curve")
    try:
        opened = library.JWE(algs=["ECDH-ES", *ENC_VALUES])
        opened.deserialize(token)
        opened.decrypt(JWK.from_pyca(key), max_plaintext=max_plaintext)
    except (JWException, ValueError) as exc:
        raise VerificationFailed("jwe_decryption", "the message does not open with this key") from exc
    return Decrypted(header=header, plaintext=bytes(opened.payload))
