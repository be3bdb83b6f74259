"""Issuing an mdoc: prepare everything but the signature, look at it, sign once (ISO/IEC 18013-5 §9.1.2).

Items and MSO are written by hand around their values: the same bytes as `cbor.dumps` makes, in a fraction of the time.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from operator import add
from struct import unpack
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
from vc.mdoc import values
from vc.mdoc.dates import tdate_text
from vc.mdoc.issuer_signed import MAX_ITEMS
from vc.mdoc.mso import VERSION
from vc.mdoc.tagged import SHORT, TAG_HEADS, TEXT_HEADS, tag_head, text
from vc.mdoc.verify import ETSI_NAMESPACE
from vc.status.reference import StatusReference, to_claim
from vc.x509 import certificate

RANDOM_BYTES = 16
_SHA_256 = -16  # COSE hash algorithm of x5t (RFC 9054 §2.1)
_URI = 32
_IDS = [cbor.head(cbor.UNSIGNED, digest_id) for digest_id in range(MAX_ITEMS)]
_SALT = text("random") + cbor.head(cbor.BYTES, RANDOM_BYTES)
_ITEM_STARTS = [b"\xa4" + text("digestID") + digest_id + _SALT for digest_id in _IDS]
_DIGEST_STARTS = [digest_id + cbor.head(cbor.BYTES, sha256().digest_size) for digest_id in _IDS]
_ELEMENT, _VALUE = text("elementIdentifier"), text("elementValue")
_MSO_START = b"\xa6" + b"".join(map(text, ("version", VERSION, "digestAlgorithm", "SHA-256", "valueDigests")))
_MSO_START_WITH_STATUS = b"\xa7" + _MSO_START[1:]
_DEVICE_KEY_INFO = text("deviceKeyInfo") + b"\xa1" + text("deviceKey")
_DOC_TYPE, _STATUS = text("docType"), text("status")
_VALIDITY_INFO = text("validityInfo") + b"\xa3"
_SIGNED, _VALID_FROM, _VALID_UNTIL = (text(name) + b"\xc0\x74" for name in ("signed", "validFrom", "validUntil"))
_NAME_SPACES, _ISSUER_AUTH = b"\xa2" + text("nameSpaces"), text("issuerAuth") + b"\x84"


_Parameters = tuple[tuple[int, str | bytes | int], ...]
_MAX_REMEMBERED = 256


class PreparedMdoc(NamedTuple):
    """A credential without its signature. `namespaces`: encoded `IssuerNameSpaces`; `payload`: `MobileSecurityObjectBytes`."""

    doctype: str
    namespaces: bytes
    payload: bytes
    protected: _Parameters


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
    text. Moments are aware and cut to whole seconds. Items stand and are numbered in the order of their salts,
    so that the numbers of shown items say nothing about hidden ones. Raises `Malformed` (`mdoc_empty`, `too_large`,
    `element_value`, `text`, `mdoc_validity`, `status_and_short_lived`) for what a verifier would refuse.
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
        name, size, end = text(namespace), len(elements), start + len(elements) * RANDOM_BYTES
        items, digests = _items(namespace, elements, salts[start:end])
        encoded += (name, cbor.head(cbor.ARRAY, size), *items)
        mso += (name, cbor.head(cbor.MAP, size), *digests)
        start = end
    mso += (_DEVICE_KEY_INFO, _device_key(device_key), _DOC_TYPE, text(doctype), _VALIDITY_INFO)
    mso += (_SIGNED, dates[0].encode(), _VALID_FROM, dates[1].encode(), _VALID_UNTIL, dates[2].encode())
    if status is not None:
        mso += (_STATUS, cbor.dumps(to_claim(status)))
    content = b"".join(mso)
    return PreparedMdoc(doctype, b"".join(encoded), tag_head(len(content)) + content, tuple(protected.items()) if protected else ())


def sign(prepared: PreparedMdoc, signer: Signer) -> bytes:
    """IssuerSigned CBOR. The leaf of `signer.chain` is named by `x5t` (34, protected), the chain is in `x5chain` (33, unprotected).

    ISO/IEC 18013-5 §9.1.2.4 wants the chain unprotected, TS 119 472-1 §6.6.3 wants x5u and x5t protected (EAA-M-6); a bare key
    gets neither.
    """
    _, protected, headers = _headers(signer.curve.cose_alg, signer.chain, prepared.protected)
    payload = prepared.payload
    signature = signer.sign(sign1.to_be_signed(protected, payload))
    heads = cbor.head(cbor.BYTES, len(payload)), cbor.head(cbor.BYTES, len(signature))
    return b"".join((_NAME_SPACES, prepared.namespaces, _ISSUER_AUTH, headers, heads[0], payload, heads[1], signature))


class _Headers(NamedTuple):
    """The headers of all that one signer signs. `chain` is what they were made for: kept, so that its id is not used again."""

    chain: tuple[x509.Certificate, ...]
    protected: bytes
    both: bytes  # as they stand in the structure


_remembered: dict[tuple[int, int, _Parameters], _Headers] = {}  # by the chain's id, since hashing certificates hashes their octets


def _headers(alg: int, chain: tuple[x509.Certificate, ...], given: _Parameters) -> _Headers:
    known = _remembered.get((alg, id(chain), given))
    if known is not None and known.chain is chain:
        return known
    protected: dict[int, Any] = {sign1.ALG: alg}
    if chain:
        protected[sign1.X5T] = [_SHA_256, certificate.sha256(chain[0])]
    for label, value in given:  # RFC 9360 §2: x5u is `uri`, that is tag 32
        protected[label] = CBORTag(_URI, value) if label == sign1.X5U else value
    encoded = cbor.dumps(protected)
    unprotected = {sign1.X5CHAIN: sign1.x5chain(chain)} if chain else {}
    headers = _Headers(chain, encoded, cbor.dumps(encoded) + cbor.dumps(unprotected))
    if len(_remembered) >= _MAX_REMEMBERED:
        _remembered.clear()
    _remembered[alg, id(chain), given] = headers
    return headers


@lru_cache(maxsize=4096)
def _between(element: str) -> bytes:
    """The encoded part of an item from the salt to the value."""
    return _ELEMENT + text(element) + _VALUE


def _items(namespace: str, elements: Mapping[str, Any], salts: bytes) -> tuple[list[bytes], list[bytes]]:
    """The tag-24 items of a namespace in the order of their salts, numbered in that order, and the entries of its digest map."""
    endings = []
    try:
        for element, value in elements.items():
            if type(value) is str and len(data := value.encode("utf-8")) < SHORT:
                endings.append(_between(element) + TEXT_HEADS[len(data)] + data)
            else:
                endings.append(_between(element) + values.encode(value))
    except Malformed as exc:
        raise Malformed(exc.code, exc.detail, pointer=f"/{namespace}/{element}") from exc
    except UnicodeEncodeError as exc:
        raise Malformed("text", "the text has no UTF-8 form", pointer=f"/{namespace}/{element}") from exc
    each = unpack(f"{RANDOM_BYTES}s" * len(endings), salts)
    items, digests = [], []
    for start, entry, body in zip(_ITEM_STARTS, _DIGEST_STARTS, sorted(map(add, each, endings)), strict=False):
        content = start + body
        item = (TAG_HEADS[len(content)] if len(content) < SHORT else tag_head(len(content))) + content
        items.append(item)
        digests.append(entry + sha256(item).digest())
    return items, digests


def _device_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """The COSE_Key `{1: 2, -1: crv, -2: x, -3: y}`, encoded (RFC 9053 §7.1.1)."""
    row = curve_of(key)
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    size, middle = bytes((0x58, row.size)), row.size + 1
    return b"".join((b"\xa4\x01\x02\x20", bytes((row.cose_crv,)), b"\x21", size, point[1:middle], b"\x22", size, point[middle:]))
