"""Subresource Integrity texts as in `vct#integrity` and `extends#integrity` (SD-JWT VC -13 §7, W3C SRI §3)."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError

from vc.errors import Malformed, VerificationFailed

_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}  # weakest first
_STRENGTH = {name: strength for strength, name in enumerate(_HASHES)}


def of(data: bytes) -> str:
    """`sha256-<standard base64>` over the octets as published (TM-2)."""
    return "sha256-" + b64encode(hashlib.sha256(data).digest()).decode("ascii")


def check(data: bytes, expected: str) -> None:
    """Compare `data` with an integrity text; of several hashes the strongest kind counts, any one of that kind may fit.

    Raises `Malformed("integrity")` for a text with no hash of a known kind or one that is not base64,
    `VerificationFailed("integrity")` when nothing fits.
    """
    hashes: list[tuple[str, bytes]] = []
    for part in expected.split():
        name, _, rest = part.partition("-")
        if name not in _HASHES:
            continue  # W3C SRI §3.3.3: an unknown kind is skipped, and only unknown kinds is a failure here, not a pass
        try:
            hashes.append((name, b64decode(rest.partition("?")[0].encode("ascii"), validate=True)))
        except (BinasciiError, UnicodeEncodeError) as exc:
            raise Malformed("integrity", "a hash is not standard base64") from exc
    if not hashes:
        raise Malformed("integrity", "no hash of a known kind")
    strongest = max((name for name, _ in hashes), key=_STRENGTH.__getitem__)
    digest = _HASHES[strongest](data).digest()
    if not any(hmac.compare_digest(digest, wanted) for name, wanted in hashes if name == strongest):
        raise VerificationFailed("integrity", "the octets are not those the integrity text speaks of")
