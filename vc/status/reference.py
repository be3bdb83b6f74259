"""The `status` member of a credential: which entry of which list speaks about it (Token Status List §6, EAA-S-8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from vc.errors import Malformed, Refused

MAX_URI = 2048
_MAX_INDEX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReference:
    """Entry `idx` of the list at `uri`; the list's `sub` must be this very text."""

    uri: str
    idx: int


def from_claim(status: object, *, pointer: str = "/status") -> StatusReference:
    """The reference in a decoded `status` value, JSON or CBOR; only `status_list` is read, ETSI's flat members are not.

    Raises `Malformed("status")` for anything but an object with `status_list{idx, uri}` (null, an index that is not an
    integer from 0 to 2^63-1, an address that is not plain http or https; SECURITY J-9) and `Refused("status_mechanism")` for an
    object that names other mechanisms only: it says the credential can be revoked, and nobody here could see it.
    """
    if not isinstance(status, dict):
        raise Malformed("status", "not an object", pointer=pointer)
    if "status_list" not in status:
        raise Refused("status_mechanism", "the status is not published as a Token Status List", pointer=pointer)
    entry = status["status_list"]
    pointer = f"{pointer}/status_list"
    if not isinstance(entry, dict):
        raise Malformed("status", "status_list is not an object", pointer=pointer)
    idx, uri = entry.get("idx"), entry.get("uri")
    if type(idx) is not int or not 0 <= idx <= _MAX_INDEX:
        raise Malformed("status", "the index is not an integer from 0", pointer=f"{pointer}/idx")
    if not isinstance(uri, str) or not is_fetchable(uri):
        raise Malformed("status", "the address is not a plain http or https URL", pointer=f"{pointer}/uri")
    return StatusReference(uri=uri, idx=idx)


def of(claims: Mapping[str, Any]) -> StatusReference | None:
    """The reference of a credential: None only when it has no `status` member at all; otherwise as `from_claim`."""
    return from_claim(claims["status"]) if "status" in claims else None


def to_claim(reference: StatusReference, *, etsi: bool = False) -> dict[str, Any]:
    """The `status` value for `reference`; with `etsi` also the flat members of TS 119 472-1 §5.2.10.1 beside it (EAA-S-8)."""
    nested = {"status_list": {"idx": reference.idx, "uri": reference.uri}}
    if not etsi:
        return nested
    return {"type": "TokenStatusList", "purpose": "revocation", "index": reference.idx, "uri": reference.uri, **nested}


@lru_cache(maxsize=1024)
def is_fetchable(uri: str) -> bool:
    """Whether `uri` is an absolute http or https URL in printable ASCII with a host, without user information or fragment."""
    if (
        not isinstance(uri, str)
        or len(uri) > MAX_URI
        or not uri.isascii()
        or not uri.isprintable()
        or not {" ", "\\", "#"}.isdisjoint(uri)
    ):
        return False
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port  # an impossible port raises
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc
