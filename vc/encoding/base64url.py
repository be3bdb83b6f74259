"""base64url without padding (RFC 4648 §5, RFC 7515 §2): one text per byte string, every other text refused."""

import binascii
from collections.abc import Sequence

from vc.errors import Malformed

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# The URL-safe letters become the standard ones; the standard ones and padding become a character that strict mode refuses.
_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
# By length modulo 4: the padding strict mode wants, and the characters allowed last: the unused low bits of a last group of
# 8 or 16 bits must be zero (RFC 4648 §3.5), and one character alone is no group at all.
_TAILS = (
    (b"", frozenset({"", *_ALPHABET})),
    (b"", frozenset[str]()),
    (b"==", frozenset(_ALPHABET[::16])),
    (b"=", frozenset(_ALPHABET[::4])),
)


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
    padding, last = _TAILS[len(text) & 3]
    if text[-1:] not in last:
        raise Malformed("base64url", "not unpadded base64url, or unused bits are set", pointer=pointer)
    try:
        return binascii.a2b_base64(text.encode("ascii").translate(_STANDARD) + padding, strict_mode=True)
    except ValueError as exc:  # binascii.Error, UnicodeEncodeError
        raise Malformed("base64url", "a character outside the alphabet, or padding", pointer=pointer) from exc
