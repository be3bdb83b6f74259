"""`DeviceResponse`: what a wallet hands over (ISO/IEC 18013-5 §8.3.2.1.2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vc.cose import sign1
from vc.encoding import cbor
from vc.errors import Malformed, VerificationFailed
from vc.mdoc import issuer_signed
from vc.mdoc.issuer_signed import UnverifiedIssuerSigned
from vc.mdoc.tagged import Cutter, Encoded

VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedMac0:
    """A parsed COSE_Mac0 with a detached payload (RFC 9052 §6.2)."""

    protected_bytes: bytes
    protected: Mapping[Any, Any]
    tag: bytes


class UnverifiedDocument(NamedTuple):
    """One document. `device_namespaces`: the received `DeviceNameSpacesBytes`; exactly one of `signature` and `mac` is there."""

    doctype: str
    issuer_signed: UnverifiedIssuerSigned
    device_namespaces: Encoded
    device_elements: Mapping[str, Mapping[str, Any]]
    signature: sign1.UnverifiedSign1 | None
    mac: UnverifiedMac0 | None
    errors: Mapping[str, Mapping[str, int]]


class UnverifiedDeviceResponse(NamedTuple):
    """All documents of a response, none of them checked. `document_errors`: types the wallet could not return, with its code."""

    documents: tuple[UnverifiedDocument, ...]
    document_errors: Mapping[str, int]

    def sole_document(self) -> UnverifiedDocument:
        """The one document of a response (VP-MDOC-6, HAIP 1.0 §5.3.1).

        Raises `VerificationFailed`: `mdoc_documents` when there are more, `mdoc_document_errors` when a document was not returned.
        """
        if len(self.documents) != 1:
            raise VerificationFailed("mdoc_documents", "a response carries one document")
        if self.document_errors:
            raise VerificationFailed("mdoc_document_errors", "the wallet reports a document it did not return")
        return self.documents[0]


def parse(data: bytes) -> UnverifiedDeviceResponse:
    """Take a DeviceResponse apart; every document is read.

    Raises `Malformed("device_response")` and as `issuer_signed.parse`; `VerificationFailed`: `mdoc_version`, `mdoc_status` (the
    wallet reports failure, MDOC-VER-10), `mdoc_documents` when there is none.
    """
    response = _map(cbor.decode(data), "")
    if response.get("version") != VERSION:
        raise VerificationFailed("mdoc_version", "the response is not of version 1.0")
    status = response.get("status")
    if type(status) is not int:
        raise Malformed("device_response", "the status is not a number", pointer="/status")
    if status != 0:
        raise VerificationFailed("mdoc_status", "the wallet reports that it could not answer")
    documents = response.get("documents", [])
    if not isinstance(documents, list):
        raise Malformed("device_response", "documents is a list", pointer="/documents")
    if not documents:
        raise VerificationFailed("mdoc_documents", "the response carries no document")
    cutter = Cutter(data)
    errors = response.get("documentErrors", [])
    if not isinstance(errors, list):
        raise Malformed("device_response", "documentErrors is a list", pointer="/documentErrors")
    return UnverifiedDeviceResponse(
        documents=tuple([_document(document, cutter, data) for document in documents]),
        document_errors={name: code for entry in errors for name, code in _codes(entry, "/documentErrors").items()},
    )


def _document(value: object, cutter: Cutter, message: bytes) -> UnverifiedDocument:
    document = _map(value, "/documents")
    doctype = _text(document.get("docType"), "/documents/docType")
    device_signed = _map(document.get("deviceSigned"), "/documents/deviceSigned")
    (received,), (content,) = Cutter(message).cut([device_signed.get("nameSpaces")], "/documents/deviceSigned/nameSpaces")
    namespaces = Encoded(received, content)
    auth = _map(device_signed.get("deviceAuth"), "/documents/deviceSigned/deviceAuth")
    if ("deviceSignature" in auth) == ("deviceMac" in auth):
        raise Malformed(
            "device_response", "there is not exactly one of deviceSignature and deviceMac", pointer="/documents/deviceSigned"
        )
    errors = _map(document.get("errors", {}), "/documents/errors")
    return UnverifiedDocument(
        doctype=doctype,
        issuer_signed=issuer_signed.read(document.get("issuerSigned"), cutter, outer_doctype=doctype),
        device_namespaces=namespaces,
        device_elements=_device_elements(namespaces),
        signature=_signature(auth["deviceSignature"]) if "deviceSignature" in auth else None,
        mac=_mac(auth["deviceMac"]) if "deviceMac" in auth else None,
        errors={_text(name, "/documents/errors"): _codes(codes, "/documents/errors") for name, codes in errors.items()},
    )


def _device_elements(encoded: Encoded) -> Mapping[str, Mapping[str, Any]]:
    pointer = "/documents/deviceSigned/nameSpaces"
    if encoded.content == b"\xa0":  # nothing, as nearly always
        return {}
    namespaces = _map(cbor.decode(encoded.content), pointer)
    for namespace, elements in namespaces.items():
        _text(namespace, pointer)
        if not _map(elements, pointer):
            raise Malformed("device_response", "a namespace without elements", pointer=pointer)
        for element in elements:
            _text(element, pointer)
    return namespaces


def _signature(value: object) -> sign1.UnverifiedSign1:
    pointer = "/documents/deviceSigned/deviceAuth/deviceSignature"
    if not isinstance(value, list):
        raise Malformed("device_response", "deviceSignature is an untagged COSE_Sign1", pointer=pointer)
    return sign1.parse(value)


def _mac(value: object) -> UnverifiedMac0:
    pointer = "/documents/deviceSigned/deviceAuth/deviceMac"
    match value:
        case [bytes() as protected_bytes, dict() as unprotected, None, bytes() as tag]:
            protected = sign1.header(protected_bytes)
            if protected.keys().isdisjoint(unprotected):
                return UnverifiedMac0(protected_bytes=protected_bytes, protected=protected, tag=tag)
    raise Malformed("device_response", "deviceMac is an untagged COSE_Mac0 with a detached payload", pointer=pointer)


def _codes(value: object, pointer: str) -> dict[str, int]:
    codes = dict(_map(value, pointer))
    for name, code in codes.items():
        _text(name, pointer)
        if type(code) is not int:
            raise Malformed("device_response", "an error code is a number", pointer=pointer)
    return codes


def _map(value: object, pointer: str) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise Malformed("device_response", "not a map", pointer=pointer)
    return value


def _text(value: object, pointer: str) -> str:
    if type(value) is not str or not value or "\x00" in value:
        raise Malformed("device_response", "not a text", pointer=pointer)
    return value
