"""The seal of a list: one enveloped XAdES signature over all of it, by a certificate that is pinned (ETSI TS 119 612 annex B).

What may be signed and how is checked here before any cryptography; what is believed afterwards is only the octets that were
digested, read anew. The certificate inside the signature is used to choose among the pinned ones and for nothing else.
"""

import binascii
from base64 import b64decode
from collections.abc import Collection
from datetime import datetime

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration
from signxml.xades.xades import XAdESVerifier

from trust_list.national.names import DS, TSL, XADES
from vc.errors import Malformed, Refused, VerificationFailed
from vc.x509.certificate import der

_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1, SignatureMethod.SHA384_RSA_MGF1, SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512,
    }
)  # fmt: skip
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_FAULTS = (SignXMLException, etree.LxmlError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError)
"""What the library raises for input it did not expect; all of it means that the seal is not verified."""


def verify(root: etree._Element, pinned: Collection[x509.Certificate], *, at: datetime) -> etree._Element:
    """The list that was signed, to be read instead of `root`, which must not be used any more.

    `at`: when the signer's certificate must be valid. Raises `Malformed("xml_signature")` for a form that is not that of annex B,
    `Refused("signer_unknown")` when the signer is none of `pinned`, `VerificationFailed("xml_signature")` for the rest.
    """
    signature = _only_signature(root)
    _check_form(root, signature)
    signer = _signer(signature, pinned)
    config = SignatureConfiguration(
        location="./", expect_references=2, signature_methods=_METHODS, digest_algorithms=_DIGESTS, verification_time=at
    )
    try:
        results = XAdESVerifier().verify(root, x509_cert=signer, expect_config=config)
    except _FAULTS as exc:
        raise VerificationFailed("xml_signature", "the seal of the list does not verify") from exc
    signed = [result.signed_xml for result in results if result.signed_xml is not None and result.signed_xml.tag == root.tag]
    if len(signed) != 1 or signed[0] is None:
        raise VerificationFailed("xml_signature", "the seal does not cover the list")
    return signed[0]


def _only_signature(root: etree._Element) -> etree._Element:
    if root.tag != f"{TSL}TrustServiceStatusList":
        raise Malformed("list_form", "the document is no trusted list")
    found = list(root.iter(f"{DS}Signature"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise Malformed("xml_signature", "a list bears exactly one signature, directly in its root element")
    return found[0]


def _check_form(root: etree._Element, signature: etree._Element) -> None:
    """Annex B.1: one reference to the list itself, enveloped and then exclusive; one to the signature's own signed properties."""
    method = signature.find(f"{DS}SignedInfo/{DS}CanonicalizationMethod")
    if method is None or method.get("Algorithm") != _EXCLUSIVE or len(method):
        raise Malformed("xml_signature", "the signature is not canonicalised as annex B demands")
    references = signature.findall(f"{DS}SignedInfo/{DS}Reference")
    properties = signature.findall(f"{DS}Object/{XADES}QualifyingProperties/{XADES}SignedProperties")
    if len(references) != 2 or len(properties) != 1:
        raise Malformed("xml_signature", "the signature covers the list and its own properties, nothing less or more")
    whole = [one for one in references if one.get("URI") in _names_of(root)]
    own = [one for one in references if one.get("URI") == f"#{properties[0].get('Id')}" and one.get("Type") == _PROPERTIES]
    if len(whole) != 1 or len(own) != 1:
        raise Malformed("xml_signature", "a reference of the signature leads elsewhere")
    if _transforms(whole[0]) != [_ENVELOPED, _EXCLUSIVE] or _transforms(own[0]) not in ([], [_EXCLUSIVE]):
        raise Malformed("xml_signature", "a reference of the signature is transformed in a way annex B does not know")


def _names_of(root: etree._Element) -> tuple[str, ...]:
    own = root.get("Id")
    return ("",) if own is None else ("", f"#{own}")


def _transforms(reference: etree._Element) -> list[str | None]:
    """The algorithms in order; one with parameters counts as unknown."""
    found = reference.findall(f"{DS}Transforms/{DS}Transform")
    return [None if len(one) else one.get("Algorithm") for one in found]


def _signer(signature: etree._Element, pinned: Collection[x509.Certificate]) -> x509.Certificate:
    """The pinned certificate that the signature names first."""
    stated = signature.findtext(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate") or ""
    try:
        octets = b64decode("".join(stated.split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise Malformed("xml_signature", "the signer's certificate cannot be read") from exc
    for one in pinned:
        if der(one) == octets:
            return one
    raise Refused("signer_unknown", "the list is signed by a certificate that is not among those to be believed")
