"""The mobile security object: what the issuer signed about an mdoc (ISO/IEC 18013-5 §9.1.2.4), each field checked for its type."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from vc.errors import Malformed
from vc.keys import cose_key
from vc.mdoc.dates import parse_tdate
from vc.status.reference import StatusReference, from_claim

VERSION = "1.0"
MAX_DIGEST_ID = 2**31 - 1
DIGESTS: Mapping[str, Callable[[bytes], Any]] = {"SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512}
_DIGEST_SIZES = {"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}
_NUMBER, _BYTES = {int}, {bytes}
_MEMBERS = itemgetter("version", "digestAlgorithm", "valueDigests", "deviceKeyInfo", "docType", "validityInfo")


class Validity(NamedTuple):
    """`ValidityInfo`: aware UTC, whole seconds; in order signed <= valid_from < valid_until only after `verify_issuer`."""

    signed: datetime
    valid_from: datetime
    valid_until: datetime
    expected_update: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAuthorizations:
    """What the device key may sign itself: whole namespaces, and single elements of others."""

    namespaces: frozenset[str] = frozenset()
    elements: frozenset[tuple[str, str]] = frozenset()

    def allow(self, namespace: str, element: str) -> bool:
        """Whether the issuer lets the device state this element."""
        return namespace in self.namespaces or (namespace, element) in self.elements


_NO_AUTHORIZATIONS = KeyAuthorizations()


class MobileSecurityObject(NamedTuple):
    """A parsed MSO; believed only once the signature over it was checked."""

    digest_algorithm: str
    value_digests: Mapping[str, Mapping[int, bytes]]
    device_key: ec.EllipticCurvePublicKey
    key_authorizations: KeyAuthorizations
    doctype: str
    validity: Validity
    status: StatusReference | None


def read(value: object) -> MobileSecurityObject:
    """The MSO in a decoded map.

    Raises `Malformed("mso")` with the pointer of the field, the errors of `cose_key.parse_public` for the
    device key, of `parse_tdate` and of `status.reference.from_claim`. Members that are not known are not looked at.
    """
    mso = require_map(value, "")
    try:
        version, algorithm, digests, key_info, doctype, validity = _MEMBERS(mso)
    except KeyError as exc:
        raise Malformed("mso", "a member is missing") from exc
    if version != VERSION:
        raise Malformed("mso", "the version is not 1.0", pointer="/version")
    if type(algorithm) is not str or algorithm not in DIGESTS:
        raise Malformed("mso", "the digest algorithm is not SHA-256, SHA-384 or SHA-512", pointer="/digestAlgorithm")
    info = require_map(key_info, "/deviceKeyInfo")
    if "keyInfo" in info:
        require_map(info["keyInfo"], "/deviceKeyInfo/keyInfo")
    return MobileSecurityObject(
        digest_algorithm=algorithm,
        value_digests=_value_digests(digests, _DIGEST_SIZES[algorithm]),
        device_key=cose_key.parse_public(info.get("deviceKey"), pointer="/deviceKeyInfo/deviceKey"),
        key_authorizations=_key_authorizations(info),
        doctype=require_text(doctype, "/docType"),
        validity=_validity(validity),
        status=from_claim(mso["status"]) if "status" in mso else None,
    )


def require_map(value: object, pointer: str) -> Mapping[Any, Any]:
    """`value` if it is a map. Raises `Malformed("mso")`."""
    if not isinstance(value, dict):
        raise Malformed("mso", "not a map", pointer=pointer)
    return value


def require_text(value: object, pointer: str) -> str:
    """`value` if it is text with something in it and no U+0000. Raises `Malformed("mso")`."""
    if type(value) is not str or not value or "\x00" in value:
        raise Malformed("mso", "not a text", pointer=pointer)
    return value


def _value_digests(value: object, size: int) -> Mapping[str, Mapping[int, bytes]]:
    namespaces = require_map(value, "/valueDigests")
    sizes = {size}
    for namespace, digests in namespaces.items():
        require_text(namespace, "/valueDigests")
        if type(digests) is not dict or not digests:
            raise Malformed("mso", "a namespace without digests", pointer="/valueDigests")
        if {*map(type, digests)} != _NUMBER or min(digests) < 0 or max(digests) > MAX_DIGEST_ID:
            raise Malformed("mso", "a digest id is not an integer from 0 to 2^31-1", pointer="/valueDigests")
        if {*map(type, digests.values())} != _BYTES or {*map(len, digests.values())} != sizes:
            raise Malformed("mso", "a digest has not the length of the algorithm", pointer="/valueDigests")
    if not namespaces:
        raise Malformed("mso", "there are no digests", pointer="/valueDigests")
    return namespaces


def _key_authorizations(info: Mapping[Any, Any]) -> KeyAuthorizations:
    if "keyAuthorizations" not in info:
        return _NO_AUTHORIZATIONS
    pointer = "/deviceKeyInfo/keyAuthorizations"
    allowed = require_map(info["keyAuthorizations"], pointer)
    elements = require_map(allowed.get("dataElements", {}), pointer)
    return KeyAuthorizations(
        namespaces=frozenset(_texts(allowed.get("nameSpaces", ()), pointer)),
        elements=frozenset(
            (require_text(namespace, pointer), element)
            for namespace, names in elements.items()
            for element in _texts(names, pointer)
        ),
    )


def _texts(value: object, pointer: str) -> Collection[str]:
    if not isinstance(value, list | tuple):
        raise Malformed("mso", "not a list", pointer=pointer)
    return [require_text(item, pointer) for item in value]


def _validity(value: object) -> Validity:
    info = require_map(value, "/validityInfo")
    return Validity(
        signed=parse_tdate(info.get("signed"), pointer="/validityInfo/signed"),
        valid_from=parse_tdate(info.get("validFrom"), pointer="/validityInfo/validFrom"),
        valid_until=parse_tdate(info.get("validUntil"), pointer="/validityInfo/validUntil"),
        expected_update=(
            parse_tdate(info["expectedUpdate"], pointer="/validityInfo/expectedUpdate") if "expectedUpdate" in info else None
        ),
    )
