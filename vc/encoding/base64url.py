"""base64url without padding (RFC 4648 §5, RFC 7515 §2): one text per byte string, every other text refused."""

import binascii
from collections.abc import Sequence

from vc.errors import Malformed

# The URL-safe letters become the standard ones; the standard ones and padding become a character that strict mode refuses.
_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING = (b"", None, b"==", b"=")
# Characters allowed last when the final group carries 8 or 16 bits: the unused low bits must be zero (RFC 4648 §3.5).
_LAST_OF_TWO = frozenset("AQgw")
_LAST_OF_THREE = frozenset("AEIMQUYcgkosw048")


def encode(data: bytes) -> str:
    """`data` as base64url text without padding."""
    return binascii.b2a_base64(data, newline=False).replace(b"+", b"-").replace(b"/", b"_").rstrip(b"=").decode("ascii")


def encode_each(values: Sequence[bytes]) -> list[str]:
    """`encode` for several byte strings; one pass over all of them (issuing and reading credentials spends its time here)."""
    joined = b"".join(map(binascii.b2a_base64, values))  # each ends with a line feed
    return joined.replace(b"+", b"-").replace(b"/", b"_").replace(b"=", b"").decode("ascii").split("\n")[:-1]


def decode(text: str, *, pointer: str = "") -> bytes:
    """The bytes of a canonical, unpadded base64url text.

    Raises `Malformed("base64url")` for padding, foreign characters, an impossible length or set unused bits: otherwise
    two texts would be one credential (SECURITY J-11).
    """
    padding = _PADDING[len(text) % 4]
    if padding is None:
        raise Malformed("base64url", "not unpadded base64url", pointer=pointer)
    if (len(padding) == 2 and text[-1] not in _LAST_OF_TWO) or (len(padding) == 1 and text[-1] not in _LAST_OF_THREE):
        raise Malformed("base64url", "unused bits are set", pointer=pointer)
    try:
        return binascii.a2b_base64(text.encode("ascii").translate(_STANDARD) + padding, strict_mode=True)
    except ValueError as exc:  # binascii.Error, UnicodeEncodeError
        raise Malformed("base64url", "not unpadded base64url", pointer=pointer) from exc
