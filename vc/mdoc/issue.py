"""Issuing an mdoc: prepare everything but the signature, look at it, sign once (ISO/IEC 18013-5 §9.1.2)."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cbor2 import CBORTag
from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import whole_seconds
from vc.cose import sign1
from vc.encoding import cbor
from vc.errors import Malformed
from vc.keys import cose_key
from vc.keys.signer import Signer
from vc.mdoc import tagged, values
from vc.mdoc.dates import tdate
from vc.mdoc.issuer_signed import MAX_ITEMS
from vc.mdoc.mso import VERSION
from vc.mdoc.verify import ETSI_NAMESPACE
from vc.status.reference import StatusReference, to_claim
from vc.x509.certificate import sha256

RANDOM_BYTES = 16
_SHA_256 = -16  # COSE hash algorithm of x5t (RFC 9054 §2.1)
_URI = 32
# An item is written by hand around its value: the same bytes as `cbor.dumps`, at a fraction of the time.
_DIGEST_ID = b"\xa4" + tagged.text("digestID")
_RANDOM = tagged.text("random") + tagged.head(2, RANDOM_BYTES)
_ELEMENT, _VALUE = tagged.text("elementIdentifier"), tagged.text("elementValue")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedMdoc:
    """A credential without its signature. `namespaces`: encoded `IssuerNameSpaces`; `payload`: `MobileSecurityObjectBytes`."""

    doctype: str
    namespaces: bytes
    payload: bytes
    protected: Mapping[int, Any]


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
    protected: Mapping[int, Any] | None = None,
    expected_update: datetime | None = None,
    key_authorizations: Mapping[str, Any] | None = None,
) -> PreparedMdoc:
    """The credential with these elements, salted and digested with SHA-256.

    `namespaces`: namespace, element, value (see `values.encode`). `protected`: further protected header parameters, of which `x5u`
    (35) may be given as text. Moments are cut to whole seconds. Digest ids follow the order of the salts and say nothing
    about the elements. Raises `Malformed` (`mdoc_empty`, `too_large`, `element_value`, `text`, `mdoc_validity`,
    `status_and_short_lived`) for what a verifier would refuse.
    """
    moments = whole_seconds(signed), whole_seconds(valid_from), whole_seconds(valid_until)
    if not moments[0] <= moments[1] < moments[2]:
        raise Malformed("mdoc_validity", "signed, valid_from and valid_until are not in order")
    count = sum(map(len, namespaces.values()))
    if (
        not doctype
        or not all(namespaces)
        or not namespaces
        or not all(namespaces.values())
        or not all(map(all, namespaces.values()))
    ):
        raise Malformed("mdoc_empty", "a document type, a namespace, an element or its name is missing")
    if count > MAX_ITEMS:
        raise Malformed("too_large", f"more than {MAX_ITEMS} items")
    if status is not None and namespaces.get(ETSI_NAMESPACE, {}).get("shortLived"):
        raise Malformed("status_and_short_lived", "a document has a status or is short-lived, not both")
    salts = random_bytes(count * RANDOM_BYTES)
    encoded, digests, start = [tagged.head(5, len(namespaces))], [tagged.head(5, len(namespaces))], 0
    for namespace, elements in namespaces.items():
        end = start + len(elements) * RANDOM_BYTES
        name, size = tagged.text(namespace), len(elements)
        items, hashes = _items(namespace, elements, salts[start:end])
        encoded += (name, tagged.head(4, size), *items)
        digests += (name, tagged.head(5, size), *hashes)
        start = end
    dates = [("signed", signed), ("validFrom", valid_from), ("validUntil", valid_until)]
    if expected_update is not None:
        dates.append(("expectedUpdate", expected_update))
    key_info: dict[str, Any] = {"deviceKey": cose_key.from_public(device_key)}
    if key_authorizations:
        key_info["keyAuthorizations"] = dict(key_authorizations)
    rest = {
        "deviceKeyInfo": key_info,
        "docType": doctype,
        "validityInfo": {name: tdate(moment) for name, moment in dates},
    } | ({} if status is None else {"status": to_claim(status)})
    # The MSO map: version, digestAlgorithm and valueDigests by hand, then the members of `rest`.
    mso = b"".join((tagged.head(5, 3 + len(rest)), _MSO_START, *digests, cbor.dumps(rest)[1:]))
    return PreparedMdoc(
        doctype=doctype, namespaces=b"".join(encoded), payload=tagged.wrap(mso).tagged, protected=_protected(protected or {})
    )


def sign(prepared: PreparedMdoc, signer: Signer) -> bytes:
    """IssuerSigned CBOR. The leaf of `signer.chain` is named by `x5t` (34, protected), the chain is in `x5chain` (33, unprotected).

    ISO/IEC 18013-5 §9.1.2.4 wants the chain unprotected, TS 119 472-1 §6.6.3 wants x5u and x5t protected (EAA-M-6); a bare key
    gets neither.
    """
    chain = signer.chain
    protected = {**({sign1.X5T: [_SHA_256, sha256(chain[0])]} if chain else {}), **prepared.protected}
    unprotected = {sign1.X5CHAIN: sign1.x5chain(chain)} if chain else {}
    auth = sign1.sign(prepared.payload, signer, protected=protected, unprotected=unprotected)
    return b"".join((_NAME_SPACES, prepared.namespaces, _ISSUER_AUTH, cbor.dumps(auth)))


_NAME_SPACES, _ISSUER_AUTH = b"\xa2" + tagged.text("nameSpaces"), tagged.text("issuerAuth")
_MSO_START = b"".join(map(tagged.text, ("version", VERSION, "digestAlgorithm", "SHA-256", "valueDigests")))


def _items(namespace: str, elements: Mapping[str, Any], salts: bytes) -> tuple[list[bytes], list[bytes]]:
    """The tag-24 items in the order of `elements`, and the digest map entries in the order of their ids."""
    each = [salts[at : at + RANDOM_BYTES] for at in range(0, len(salts), RANDOM_BYTES)]
    rank = {place: identifier for identifier, place in enumerate(sorted(range(len(each)), key=each.__getitem__))}
    items: list[bytes] = []
    hashes = [b""] * len(each)
    for place, (element, value) in enumerate(elements.items()):
        identifier = tagged.head(0, rank[place])
        encoded_value = values.encode(value, pointer=f"/{namespace}/{element}")
        content = b"".join((_DIGEST_ID, identifier, _RANDOM, each[place], _ELEMENT, tagged.text(element), _VALUE, encoded_value))
        item = tagged.wrap(content).tagged
        items.append(item)
        hashes[rank[place]] = identifier + b"\x58\x20" + hashlib.sha256(item).digest()
    return items, hashes


def _protected(given: Mapping[int, Any]) -> dict[int, Any]:
    """`given` with the address of the certificate as CBOR URI (RFC 9360 §2: `x5u` is `uri`, that is tag 32)."""
    return {
        label: CBORTag(_URI, value) if label == sign1.X5U and isinstance(value, str) else value for label, value in given.items()
    }
