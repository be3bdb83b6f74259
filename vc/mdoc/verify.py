"""Checking an mdoc (ISO/IEC 18013-5 §9.3.1 and §9.1.3): what the issuer signed, and that the holder shows it here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.cose import sign1
from vc.errors import Malformed, Refused, VerificationFailed
from vc.mdoc import device_auth, values
from vc.mdoc.device_response import UnverifiedDocument
from vc.mdoc.issuer_signed import UnverifiedIssuerSigned
from vc.mdoc.mso import DIGESTS, MobileSecurityObject, Validity
from vc.status.reference import StatusReference
from vc.x509.certificate import der, from_der

ETSI_NAMESPACE = "org.etsi.01947201.010101"  # TS 119 472-1 §6.1
_SHA_256 = -16  # COSE hash algorithm of x5t (RFC 9054 §2.1)


class Mdoc(NamedTuple):
    """What the issuer vouches for. `namespaces`: the elements that were shown, as JSON-like values (days and moments as text)."""

    doctype: str
    namespaces: Mapping[str, Mapping[str, Any]]
    validity: Validity
    device_key: ec.EllipticCurvePublicKey
    status: StatusReference | None
    short_lived: bool
    mso: MobileSecurityObject

    @property
    def disclosed(self) -> frozenset[tuple[str, str]]:
        """(namespace, element) of everything that was shown."""
        return frozenset((namespace, element) for namespace, elements in self.namespaces.items() for element in elements)


def verify_issuer(
    unverified: UnverifiedIssuerSigned,
    key: ec.EllipticCurvePublicKey,
    *,
    certificate: x509.Certificate | None = None,
    algorithms: Sequence[int] = sign1.COSE_ALGORITHMS,
) -> Mdoc:
    """Check everything the issuer is responsible for:

    1. the issuerAuth signature with `key` (MDOC-VER-2);
    2. the digest of every item in every namespace, over the received bytes (MDOC-VER-3, R-6);
    3. the docType of the document around it equals that of the MSO (MDOC-VER-4, R-19);
    4. signed <= validFrom < validUntil, and signed within the life of the document signer's certificate (MDOC-VER-5);
    5. `x5t`, when there, names that certificate (EAA-M-6);
    6. element values of the kinds JSON can hold; `shortLived` is a boolean and never beside a `status` (EAA-M-5).

    `certificate`: the document signer's, by default the first of `x5chain`. Not checked here: whose key and certificate it is,
    whether now is within the validity, status. Raises `VerificationFailed` (`signature`, `mdoc_digest`, `mdoc_digest_missing`,
    `mdoc_doctype`, `mdoc_validity`, `mdoc_signed`, `x5t`, `status_and_short_lived`, `x5chain_missing`), `Refused` as
    `sign1.verify`, `Malformed("element_value")`.
    """
    sign1.verify(unverified.issuer_auth, key, algorithms=algorithms)
    mso = unverified.mso
    _check_digests(unverified)
    if unverified.outer_doctype is not None and unverified.outer_doctype != mso.doctype:
        raise VerificationFailed("mdoc_doctype", "the document is shown as another type than the issuer signed")
    _check_dates(mso.validity, unverified, certificate)
    namespaces = {
        namespace: _plain(namespace, {item.element: item.value for item in items})
        for namespace, items in unverified.namespaces.items()
    }
    return Mdoc(
        doctype=mso.doctype,
        namespaces=namespaces,
        validity=mso.validity,
        device_key=mso.device_key,
        status=mso.status,
        short_lived=_short_lived(namespaces, mso),
        mso=mso,
    )


def verify_device(
    document: UnverifiedDocument,
    mdoc: Mdoc,
    *,
    session_transcript: bytes,
    e_reader: ec.EllipticCurvePrivateKey | None = None,
    algorithms: Sequence[int] = sign1.COSE_ALGORITHMS,
) -> Mapping[str, Mapping[str, Any]]:
    """Check that the holder of the device key shows `document` in this session (MDOC-VER-7 to -9).

    `mdoc`: what `verify_issuer` returned for this document. `session_transcript`: SessionTranscript CBOR from what we asked, not
    from the answer. A `deviceMac` is refused unless `e_reader`, the reader's ephemeral key of that session, is given (EAA-P-5).
    Returns the elements the device itself states, each authorised by the issuer: they are the holder's word, not the issuer's.

    Raises `VerificationFailed` (`signature`, `device_mac`, `mdoc_doctype`, `device_elements`), `Refused` (`device_mac`, `mac_alg`,
    `mac_curve` and as `sign1.verify`, an attached payload included), `Malformed("element_value")`.
    """
    if document.doctype != mdoc.doctype:
        raise VerificationFailed("mdoc_doctype", "the document is shown as another type than the issuer signed")
    content = device_auth.authentication_bytes(session_transcript, document.doctype, document.device_namespaces)
    if document.signature is not None:
        sign1.verify(document.signature, mdoc.device_key, payload=content, algorithms=algorithms)
    elif document.mac is None or e_reader is None:
        raise Refused("device_mac", "a MAC was sent where a device signature is due")
    else:
        device_auth.verify_mac(document.mac, device_auth.mac_key(mdoc.device_key, e_reader, session_transcript), content)
    allowed = mdoc.mso.key_authorizations
    if not all(
        allowed.allow(namespace, element) for namespace, elements in document.device_elements.items() for element in elements
    ):
        raise VerificationFailed("device_elements", "the device states an element the issuer did not authorise it to")
    return {namespace: _plain(namespace, elements) for namespace, elements in document.device_elements.items()}


class _SignerFacts(NamedTuple):
    thumbprint: bytes
    not_before: datetime
    not_after: datetime


@lru_cache(maxsize=256)
def _facts(certificate: bytes) -> _SignerFacts:
    """What is compared of a document signer's certificate (DER), which is the same for all it signs."""
    signer = from_der(certificate)
    return _SignerFacts(sha256(certificate).digest(), signer.not_valid_before_utc, signer.not_valid_after_utc)


def _check_digests(unverified: UnverifiedIssuerSigned) -> None:
    mso = unverified.mso
    digest = DIGESTS[mso.digest_algorithm]
    for namespace, items in unverified.namespaces.items():
        expected = mso.value_digests.get(namespace)
        if expected is None:
            raise VerificationFailed("mdoc_digest_missing", "the issuer signed nothing for this namespace", pointer=f"/{namespace}")
        for digest_id, element, _, received in items:
            if digest(received).digest() == expected.get(digest_id):
                continue
            pointer = f"/{namespace}/{element}"
            if digest_id not in expected:
                raise VerificationFailed("mdoc_digest_missing", "the issuer signed no such item", pointer=pointer)
            raise VerificationFailed("mdoc_digest", "the item is not the one the issuer signed", pointer=pointer)


def _check_dates(validity: Validity, unverified: UnverifiedIssuerSigned, certificate: x509.Certificate | None) -> None:
    if not validity.signed <= validity.valid_from < validity.valid_until:
        raise VerificationFailed("mdoc_validity", "the dates of the document contradict each other")
    sole = unverified.issuer_auth.unprotected.get(sign1.X5CHAIN)
    if type(sole) is bytes and (certificate is None or certificate is from_der(sole)):
        signer = _facts(sole)
    else:
        signer = _facts(der(certificate or unverified.chain[0]))
    if not signer.not_before <= validity.signed <= signer.not_after:
        raise VerificationFailed("mdoc_signed", "the document was signed outside the life of the signer's certificate")
    x5t = unverified.issuer_auth.protected.get(sign1.X5T)
    if x5t is not None and (not isinstance(x5t, list | tuple) or list(x5t) != [_SHA_256, signer.thumbprint]):
        raise VerificationFailed("x5t", "the header names another certificate than the signer's")


def _plain(namespace: str, elements: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {element: values.plain(value) for element, value in elements.items()}
    except Malformed as exc:
        raise Malformed(exc.code, exc.detail, pointer=f"/{namespace}") from exc


def _short_lived(namespaces: Mapping[str, Mapping[str, Any]], mso: MobileSecurityObject) -> bool:
    short_lived = namespaces.get(ETSI_NAMESPACE, {}).get("shortLived", False)
    if type(short_lived) is not bool:
        raise Malformed("element_value", "shortLived is not a boolean", pointer=f"/{ETSI_NAMESPACE}/shortLived")
    if short_lived and mso.status is not None:
        raise VerificationFailed("status_and_short_lived", "the document says it has a status and that it has none")
    return short_lived
