"""`IssuerSigned`: the items of an mdoc as they arrived and the signature over their digests (ISO/IEC 18013-5 §8.3.2.1.2.2)."""

from collections.abc import Mapping
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from cryptography import x509

from vc.cose import sign1
from vc.encoding import cbor
from vc.errors import Malformed
from vc.mdoc import mso, tagged
from vc.mdoc.mso import MAX_DIGEST_ID, MobileSecurityObject
from vc.mdoc.tagged import Cutter

MAX_ITEMS = 1000
MIN_RANDOM = 16


class UnverifiedItem(NamedTuple):
    """One IssuerSignedItem. `value`: decoded CBOR; `received`: the complete tag-24 bytes, which are what the digest covers."""

    digest_id: int
    element: str
    value: Any
    received: bytes


class UnverifiedIssuerSigned(NamedTuple):
    """A parsed structure nobody has checked yet. `outer_doctype`: the type stated by a document around it."""

    namespaces: Mapping[str, tuple[UnverifiedItem, ...]]
    issuer_auth: sign1.UnverifiedSign1
    mso: MobileSecurityObject
    outer_doctype: str | None = None

    @property
    def doctype(self) -> str:
        """The document type the MSO states."""
        return self.mso.doctype

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The document signer's certificates, leaf first, unchecked. Raises as `sign1.chain_of`."""
        return sign1.chain_of(self.issuer_auth)


def parse(data: bytes) -> UnverifiedIssuerSigned:
    """Take a bare `IssuerSigned` apart, as an issuer delivers it.

    Raises `Malformed` for every field that is not what the standard says (codes `cbor…`, `too_large`, `issuer_signed`, `tag24`,
    `mso`, `tdate`, `cose_sign1`…), two items with one digest id or one element name in a namespace (R-15, M-2), and
    `Refused` for keys and status mechanisms outside our list.
    """
    return read(cbor.decode(data), Cutter(data))


def read(value: object, cutter: Cutter, *, outer_doctype: str | None = None) -> UnverifiedIssuerSigned:
    """As `parse` for a decoded value within the message that `cutter` cuts from."""
    if not isinstance(value, dict):
        raise Malformed("issuer_signed", "IssuerSigned is a map")
    auth = value.get("issuerAuth")
    if not isinstance(auth, list):  # a tag is not allowed here (§9.1.2.4)
        raise Malformed("issuer_signed", "issuerAuth is an untagged COSE_Sign1", pointer="/issuerAuth")
    issuer_auth = sign1.parse(auth)
    if issuer_auth.payload is None:
        raise Malformed("issuer_signed", "the mobile security object is missing", pointer="/issuerAuth")
    payload = tagged.parse(issuer_auth.payload)
    sizes = _sizes(value["nameSpaces"]) if "nameSpaces" in value else {}
    received, contents = cutter.cut([entry for namespace in sizes for entry in value["nameSpaces"][namespace]], "/nameSpaces")
    signed, *decoded = cbor.decode_each([payload.content, *contents])
    items = iter(_items(received, decoded))
    return UnverifiedIssuerSigned(
        namespaces={namespace: _distinct(tuple(islice(items, size))) for namespace, size in sizes.items()},
        issuer_auth=issuer_auth,
        mso=mso.read(signed),
        outer_doctype=outer_doctype,
    )


def _sizes(value: object) -> dict[str, int]:
    """How many items each namespace has."""
    if type(value) is not dict or not value:
        raise Malformed("issuer_signed", "nameSpaces is a map with something in it", pointer="/nameSpaces")
    sizes = {}
    for namespace, entries in value.items():
        if type(namespace) is not str or not namespace or "\x00" in namespace:
            raise Malformed("issuer_signed", "a namespace is a text", pointer="/nameSpaces")
        if type(entries) is not list or not entries:
            raise Malformed("issuer_signed", "a namespace is a list with something in it", pointer="/nameSpaces")
        sizes[namespace] = len(entries)
    if sum(sizes.values()) > MAX_ITEMS:
        raise Malformed("too_large", f"more than {MAX_ITEMS} items", pointer="/nameSpaces")
    return sizes


def _items(received: list[bytes], decoded: list[Any]) -> list[UnverifiedItem]:
    items = []
    try:
        for tagged_item, item in zip(received, decoded, strict=True):
            digest_id, random, element, value = _MEMBERS(item)
            if type(digest_id) is not int or not 0 <= digest_id <= MAX_DIGEST_ID:
                raise Malformed("issuer_signed", "digestID is not an integer from 0 to 2^31-1", pointer="/nameSpaces")
            if type(random) is not bytes or len(random) < MIN_RANDOM:
                raise Malformed("issuer_signed", f"random has not {MIN_RANDOM} bytes", pointer="/nameSpaces")
            if type(element) is not str or not element or "\x00" in element:
                raise Malformed("issuer_signed", "elementIdentifier is a text", pointer="/nameSpaces")
            items.append(_make_item((digest_id, element, value, tagged_item)))
    except (KeyError, TypeError) as exc:
        raise Malformed("issuer_signed", "an item is a map of four members", pointer="/nameSpaces") from exc
    return items


_make_item = partial(tuple.__new__, UnverifiedItem)  # as `UnverifiedItem(…)`, which is slow for what it does
_MEMBERS = itemgetter("digestID", "random", "elementIdentifier", "elementValue")


def _distinct(items: tuple[UnverifiedItem, ...]) -> tuple[UnverifiedItem, ...]:
    if not len({item.digest_id for item in items}) == len({item.element for item in items}) == len(items):
        raise Malformed("issuer_signed", "two items share a digest id or an element name", pointer="/nameSpaces")
    return items
