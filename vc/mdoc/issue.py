"""Issuing an mdoc: prepare everything but the signature, look at it, sign once (ISO/IEC 18013-5 §9.1.2).

Items and MSO are written by hand around their values: the same bytes as `cbor.dumps` makes, in a fraction of the time.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from cbor2 import CBORTag
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vc.cose import sign1
from vc.encoding import cbor
from vc.errors import Malformed
from vc.keys.ec import curve_of
from vc.keys.signer import Signer
from vc.mdoc import tagged, values
from vc.mdoc.dates import tdate_text
from vc.mdoc.issuer_signed import MAX_ITEMS
from vc.mdoc.mso import VERSION
from vc.mdoc.verify import ETSI_NAMESPACE
from vc.status.reference import StatusReference, to_claim
from vc.x509 import certificate

RANDOM_BYTES = 16
_SHA_256 = -16  # COSE hash algorithm of x5t (RFC 9054 §2.1)
_URI = 32
_STARTS = [  # by digest id: how the item begins, up to the salt; how its entry in the digest map begins
    (
        b"".join((b"\xa4", tagged.text("digestID"), number, tagged.text("random"), cbor.head(cbor.BYTES, RANDOM_BYTES))),
        number + cbor.head(cbor.BYTES, sha256().digest_size),
    )
    for number in (cbor.head(cbor.UNSIGNED, identifier) for identifier in range(MAX_ITEMS))
]
_ELEMENT, _VALUE = tagged.text("elementIdentifier"), tagged.text("elementValue")
_MSO_START = b"\xa6" + b"".join(map(tagged.text, ("version", VERSION, "digestAlgorithm", "SHA-256", "valueDigests")))
_MSO_START_WITH_STATUS = b"\xa7" + _MSO_START[1:]
_DEVICE_KEY_INFO = tagged.text("deviceKeyInfo") + b"\xa1" + tagged.text("deviceKey")
_DOC_TYPE, _STATUS = tagged.text("docType"), tagged.text("status")
_VALIDITY_INFO = tagged.text("validityInfo") + b"\xa3"
_DATES = [tagged.text(name) + b"\xc0\x74" for name in ("signed", "validFrom", "validUntil")]  # tag 0, a text of twenty
_NAME_SPACES, _ISSUER_AUTH = b"\xa2" + tagged.text("nameSpaces"), tagged.text("issuerAuth") + b"\x84"


class PreparedMdoc(NamedTuple):
    """A credential without its signature. `namespaces`: encoded `IssuerNameSpaces`; `payload`: `MobileSecurityObjectBytes`."""

    doctype: str
    namespaces: bytes
    payload: bytes
    protected: tuple[tuple[int, str | bytes | int], ...]


def prepare(
    namespaces: Mapping[str, Mapping[str, Any]],
    *,
    doctype: str,
    device_key: ec.EllipticCurvePublicKey,
    signed: datetime,
    valid_from: datetime,
    valid_until: datetime,
    status: StatusReference | None,
    random_bytes: Callable[[int], bytes],
    protected: Mapping[int, str | bytes | int] | None = None,
) -> PreparedMdoc:
    """The credential with these elements, salted and digested with SHA-256.

    `namespaces`: namespace, element, value (see `values.encode`). `protected`: further protected header parameters, `x5u` (35) as
    text. Moments are aware and cut to whole seconds. Items stand and are numbered in the order of their salts, which says
    nothing about the elements. Raises `Malformed` (`mdoc_empty`, `too_large`, `element_value`, `text`, `mdoc_validity`,
    `status_and_short_lived`) for what a verifier would refuse.
    """
    dates = tdate_text(signed), tdate_text(valid_from), tdate_text(valid_until)
    if not dates[0] <= dates[1] < dates[2]:
        raise Malformed("mdoc_validity", "signed, valid_from and valid_until are not in order")
    count = sum(map(len, namespaces.values()))
    if count > MAX_ITEMS:
        raise Malformed("too_large", f"more than {MAX_ITEMS} items")
    if not doctype or not namespaces:
        raise Malformed("mdoc_empty", "the document type or every namespace is missing")
    if status is not None and ETSI_NAMESPACE in namespaces and namespaces[ETSI_NAMESPACE].get("shortLived"):
        raise Malformed("status_and_short_lived", "a document has a status or is short-lived, not both")
    salts = random_bytes(count * RANDOM_BYTES)
    encoded = [cbor.head(cbor.MAP, len(namespaces))]
    mso = [_MSO_START if status is None else _MSO_START_WITH_STATUS, *encoded]
    start = 0
    for namespace, elements in namespaces.items():
        if not namespace or not elements or "" in elements:
            raise Malformed("mdoc_empty", "a namespace has no name or no element, or an element has no name")
        name, size, end = tagged.text(namespace), len(elements), start + len(elements) * RANDOM_BYTES
        items, digests = _items(_endings(namespace, elements), salts[start:end])
        encoded += (name, cbor.head(cbor.ARRAY, size), *items)
        mso += (name, cbor.head(cbor.MAP, size), *digests)
        start = end
    mso += (_DEVICE_KEY_INFO, _device_key(device_key), _DOC_TYPE, tagged.text(doctype), _VALIDITY_INFO)
    for member, moment in zip(_DATES, dates, strict=True):
        mso += (member, moment.encode("ascii"))
    if status is not None:
        mso += (_STATUS, cbor.dumps(to_claim(status)))
    content = b"".join(mso)
    return PreparedMdoc(
        doctype, b"".join(encoded), tagged.tag_head(len(content)) + content, tuple(protected.items()) if protected else ()
    )


def sign(prepared: PreparedMdoc, signer: Signer) -> bytes:
    """IssuerSigned CBOR. The leaf of `signer.chain` is named by `x5t` (34, protected), the chain is in `x5chain` (33, unprotected).

    ISO/IEC 18013-5 §9.1.2.4 wants the chain unprotected, TS 119 472-1 §6.6.3 wants x5u and x5t protected (EAA-M-6); a bare key
    gets neither.
    """
    protected, headers = _headers(signer.curve.cose_alg, signer.chain, prepared.protected)
    payload = prepared.payload
    signature = signer.sign(sign1.to_be_signed(protected, payload))
    heads = cbor.head(cbor.BYTES, len(payload)), cbor.head(cbor.BYTES, len(signature))
    return b"".join((_NAME_SPACES, prepared.namespaces, _ISSUER_AUTH, headers, heads[0], payload, heads[1], signature))


@lru_cache(maxsize=256)
def _headers(
    alg: int, chain: tuple[x509.Certificate, ...], given: tuple[tuple[int, str | bytes | int], ...]
) -> tuple[bytes, bytes]:
    """The protected header, and both headers as they stand in the structure: the same for all that one signer signs."""
    protected: dict[int, Any] = {sign1.ALG: alg}
    if chain:
        protected[sign1.X5T] = [_SHA_256, certificate.sha256(chain[0])]
    for label, value in given:  # RFC 9360 §2: x5u is `uri`, that is tag 32
        protected[label] = CBORTag(_URI, value) if label == sign1.X5U else value
    encoded = cbor.dumps(protected)
    unprotected = {sign1.X5CHAIN: sign1.x5chain(chain)} if chain else {}
    return encoded, cbor.dumps(encoded) + cbor.dumps(unprotected)


@lru_cache(maxsize=4096)
def _between(element: str) -> bytes:
    """The encoded part of an item from the salt to the value."""
    return _ELEMENT + tagged.text(element) + _VALUE


def _endings(namespace: str, elements: Mapping[str, Any]) -> list[bytes]:
    """Of each item, what stands behind the salt."""
    try:
        return [_between(element) + values.encode(value) for element, value in elements.items()]
    except Malformed as exc:
        raise Malformed(exc.code, exc.detail, pointer=f"/{namespace}") from exc


def _items(endings: list[bytes], salts: bytes) -> tuple[list[bytes], list[bytes]]:
    """The tag-24 items of a namespace in the order of their salts, numbered in that order, and the entries of its digest map."""
    items, digests = [], []
    each = [salts[at : at + RANDOM_BYTES] for at in range(0, len(salts), RANDOM_BYTES)]
    for (start, entry), (salt, ending) in zip(_STARTS, sorted(zip(each, endings, strict=True)), strict=False):
        content = start + salt + ending
        item = tagged.tag_head(len(content)) + content
        items.append(item)
        digests.append(entry + sha256(item).digest())
    return items, digests


def _device_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """The COSE_Key `{1: 2, -1: crv, -2: x, -3: y}`, encoded (RFC 9053 §7.1.1)."""
    row = curve_of(key)
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    size, middle = bytes((0x58, row.size)), row.size + 1
    return b"".join((b"\xa4\x01\x02\x20", bytes((row.cose_crv,)), b"\x21", size, point[1:middle], b"\x22", size, point[middle:]))
