"""Disclosures and their digests (RFC 9901 §4.2): one text per hidden claim or array element."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from vc.encoding import base64url, json
from vc.errors import Malformed

SD, ELLIPSIS, SD_ALG = "_sd", "...", "_sd_alg"
RESERVED = frozenset({SD, ELLIPSIS, SD_ALG})
"""Names that are structure, never a claim (RFC 9901 §4.1, §4.2.4.2)."""

NEVER_DISCLOSABLE = frozenset({"iss", "aud", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"})
"""Top-level claims that decide authenticity or validity: never hidden, nor anything inside them
(RFC 9901 §9.7, SD-JWT VC -13 §3.2.2.2, `aka_vcts` of -18)."""

HASHES: dict[str, Callable[[bytes], Any]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
}
"""`_sd_alg` names understood when reading (IANA Named Information Hash Algorithms); only sha-256 is written."""
DEFAULT_HASH = "sha-256"


class Disclosure(NamedTuple):
    """A parsed disclosure: `name` is None for an array element. `text` is what was received and what is hashed."""

    text: str
    name: str | None
    value: Any


def make(salt: bytes, name: str | None, value: Any) -> str:
    """The disclosure text of an object property, or of an array element when `name` is None.

    `salt`: at least 16 octets from a secure source, used once (RFC 9901 §9.3); ValueError when shorter.
    """
    if len(salt) < 16:
        raise ValueError("a salt has at least 128 bits")
    salted = base64url.encode(salt)
    return base64url.encode(json.dumps([salted, value] if name is None else [salted, name, value]))


def digest(text: str, algorithm: str = DEFAULT_HASH) -> str:
    """base64url of the hash over the ASCII octets of `text` as transmitted (RFC 9901 §4.2.3); also `sd_hash` (§4.3.1)."""
    return base64url.encode(HASHES[algorithm](text.encode("ascii")).digest())


def digests(texts: Sequence[str], algorithm: str = DEFAULT_HASH) -> list[str]:
    """`digest` for several texts."""
    hashed = HASHES[algorithm]
    return base64url.encode_each([hashed(text.encode("ascii")).digest() for text in texts])


def property_of(content: Any) -> tuple[str, Any]:
    """Name and value of an object property's disclosure `[salt, name, value]` (RFC 9901 §4.2.1); `Malformed("disclosure")` else."""
    if type(content) is list and len(content) == 3:
        salt, name, value = content
        if type(salt) is str and type(name) is str and name not in RESERVED:
            return name, value
    raise Malformed("disclosure", "not the disclosure [salt, name, value] of a property with a free name")


def element_of(content: Any) -> Any:
    """The value of an array element's disclosure `[salt, value]` (RFC 9901 §4.2.2); `Malformed("disclosure")` else."""
    if type(content) is list and len(content) == 2 and type(content[0]) is str:
        return content[1]
    raise Malformed("disclosure", "not the disclosure [salt, value] of an array element")


def parse(text: str) -> Disclosure:
    """Read one disclosure of either kind. Raises `Malformed` with `disclosure`, `base64url` or the code of the JSON fault."""
    content = json.loads(base64url.decode(text))
    if type(content) is list and len(content) == 2:
        return Disclosure(text, None, element_of(content))
    return Disclosure(text, *property_of(content))
