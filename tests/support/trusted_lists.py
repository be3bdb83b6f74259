"""Synthetic trusted lists (ETSI TS 119 612) for tests, and the enveloped XAdES signature they bear, made by hand."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from tests.support.pki import NOW, Authority, new_key, root
from trust_list.national.names import CA_QC, FOR_SEALS, GRANTED, LIST_OF_LISTS, MEDIA_TYPE, NATIONAL
from vc.x509.build import CertificateSpec, issue
from vc.x509.certificate import der

LOTL_URI = "https://lists.example/lotl.xml"
JOURNAL = "https://journal.example/notice"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"


@dataclass(frozen=True)
class Sealer:
    """Who signs lists: a key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def sealer(name: str = "List signer (test)") -> Sealer:
    key = new_key()
    spec = CertificateSpec(
        subject={"C": "FR", "O": "Test scheme", "CN": name},
        not_before=NOW - timedelta(days=900),
        not_after=NOW + timedelta(days=900),
    )
    return Sealer(key, issue(spec, key.public_key(), signer=key, issuer=None, serial=7))


def b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def certificates(*found: x509.Certificate) -> str:
    return "".join(f"<DigitalId><X509Certificate>{b64(der(one))}</X509Certificate></DigitalId>" for one in found)


def identifier(ski: bytes) -> str:
    return f"<DigitalId><X509SKI>{b64(ski)}</X509SKI></DigitalId>"


@dataclass(frozen=True)
class State:
    """What a service is from `start` on."""

    start: datetime = NOW - timedelta(days=400)
    status: str = GRANTED
    service_type: str = CA_QC
    purposes: tuple[str, ...] = (FOR_SEALS,)
    more: str = ""
    identity: str | None = None

    def xml(self, identity: str) -> str:
        stated = "".join(
            f'<Extension Critical="true"><AdditionalServiceInformation><URI>{one}</URI></AdditionalServiceInformation></Extension>'
            for one in self.purposes
        )
        return (
            f"<ServiceTypeIdentifier>{self.service_type}</ServiceTypeIdentifier>"
            '<ServiceName><Name xml:lang="en">Seal authority</Name></ServiceName>'
            f"<ServiceDigitalIdentity>{self.identity or identity}</ServiceDigitalIdentity>"
            f"<ServiceStatus>{self.status}</ServiceStatus><StatusStartingTime>{time(self.start)}</StatusStartingTime>"
            f"<ServiceInformationExtensions>{stated}{self.more}</ServiceInformationExtensions>"
        )


def service(identity: str, now: State | None = None, *history: State) -> str:
    past = "".join(f"<ServiceHistoryInstance>{one.xml(identity)}</ServiceHistoryInstance>" for one in history)
    return (
        f"<TSPService><ServiceInformation>{(now or State()).xml(identity)}</ServiceInformation>"
        f"<ServiceHistory>{past}</ServiceHistory></TSPService>"
    )


def pointer(location: str, territory: str, list_type: str, *signers: Sealer, media_type: str = MEDIA_TYPE) -> str:
    identities = "".join(f"<ServiceDigitalIdentity>{certificates(one.certificate)}</ServiceDigitalIdentity>" for one in signers)
    return (
        f"<OtherTSLPointer><ServiceDigitalIdentities>{identities}</ServiceDigitalIdentities><TSLLocation>{location}</TSLLocation>"
        f"<AdditionalInformation><OtherInformation><TSLType>{list_type}</TSLType></OtherInformation>"
        f"<OtherInformation><SchemeTerritory>{territory}</SchemeTerritory></OtherInformation>"
        f"<OtherInformation><a:MimeType>{media_type}</a:MimeType></OtherInformation></AdditionalInformation></OtherTSLPointer>"
    )


@dataclass(frozen=True)
class Draft:
    """A list before it is signed."""

    list_type: str = NATIONAL
    territory: str = "FR"
    sequence: str = "5"
    issued: datetime = NOW - timedelta(days=1)
    next_update: datetime | None = NOW + timedelta(days=30)
    information: tuple[str, ...] = (JOURNAL,)
    pointers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    version: str = "5"

    def xml(self) -> bytes:
        until = "" if self.next_update is None else f"<dateTime>{time(self.next_update)}</dateTime>"
        addresses = "".join(f'<URI xml:lang="en">{one}</URI>' for one in self.information)
        provider = (
            '<TrustServiceProvider><TSPInformation><TSPName><Name xml:lang="en">Provider (test)</Name></TSPName></TSPInformation>'
            f"<TSPServices>{''.join(self.services)}</TSPServices></TrustServiceProvider>"
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" xmlns:a="http://uri.etsi.org/02231/v2/additionaltypes#"'
            ' xmlns:s="http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#" Id="list">'
            f"<SchemeInformation><TSLVersionIdentifier>{self.version}</TSLVersionIdentifier>"
            f"<TSLSequenceNumber>{self.sequence}</TSLSequenceNumber><TSLType>{self.list_type}</TSLType>"
            '<SchemeOperatorName><Name xml:lang="en">Operator (test)</Name></SchemeOperatorName>'
            f"<SchemeInformationURI>{addresses}</SchemeInformationURI><SchemeTerritory>{self.territory}</SchemeTerritory>"
            f"<PointersToOtherTSL>{''.join(self.pointers)}</PointersToOtherTSL>"
            f"<ListIssueDateTime>{time(self.issued)}</ListIssueDateTime><NextUpdate>{until}</NextUpdate></SchemeInformation>"
            f"<TrustServiceProviderList>{provider}</TrustServiceProviderList></TrustServiceStatusList>"
        ).encode()


def lotl(*pointers: str, signers: Sequence[Sealer], **changes: Any) -> Draft:
    own = pointer(LOTL_URI, "EU", LIST_OF_LISTS, *signers)
    draft = Draft(list_type=LIST_OF_LISTS, territory="EU", sequence="20", pointers=(own, *pointers))
    return replace(draft, **changes)


@dataclass(frozen=True)
class Form:
    """How a signature is made; the defaults are those of annex B."""

    uri: str = ""
    transforms: tuple[str, ...] = (ENVELOPED, EXCLUSIVE)
    canonical: str = EXCLUSIVE
    kind: str = "http://uri.etsi.org/01903#SignedProperties"
    stated: x509.Certificate | None = None
    third: str = field(default="")


def seal(xml: bytes, by: Sealer, form: Form = Form()) -> bytes:
    """`xml` with an enveloped signature: exclusive canonicalisation, one reference to the list, one to the signed properties."""
    tree = etree.fromstring(xml)
    stated = form.stated or by.certificate
    properties = (
        '<xades:SignedProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Id="properties"><xades:SignedSignatureProperties>'
        f"<xades:SigningTime>{time(NOW)}</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
        '<ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f'<ds:DigestValue xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{b64(hashlib.sha256(der(stated)).digest())}</ds:DigestValue>'
        "</xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties></xades:SignedProperties>"
    )
    references = (
        _reference(form.uri, form.transforms, _canonical(tree), "")
        + _reference("#properties", (EXCLUSIVE,), _canonical(etree.fromstring(properties)), form.kind)
        + form.third
    )
    info = (
        '<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
        f'<ds:CanonicalizationMethod Algorithm="{form.canonical}"/>'
        '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>'
        f"{references}</ds:SignedInfo>"
    )
    r, s = decode_dss_signature(by.key.sign(_canonical(etree.fromstring(info)), ec.ECDSA(hashes.SHA256())))
    value = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    signature = (
        f'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="signature">{info}<ds:SignatureValue>{value}'
        f"</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{b64(der(stated))}</ds:X509Certificate></ds:X509Data>"
        '</ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#signature">'
        f"{properties}</xades:QualifyingProperties></ds:Object></ds:Signature>"
    )
    tree.append(etree.fromstring(signature))
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8")


def _reference(uri: str, transforms: Sequence[str], octets: bytes, kind: str) -> str:
    steps = "".join(f'<ds:Transform Algorithm="{one}"/>' for one in transforms)
    stated = f' Type="{kind}"' if kind else ""
    return (
        f'<ds:Reference URI="{uri}"{stated}><ds:Transforms>{steps}</ds:Transforms>'
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<ds:DigestValue>{b64(hashlib.sha256(octets).digest())}</ds:DigestValue></ds:Reference>"
    )


def _canonical(element: etree._Element) -> bytes:
    return bytes(etree.tostring(element, method="c14n", exclusive=True))


def provider() -> Authority:
    """A provider's CA for qualified seals."""
    return root("Qualified seal CA (test)")
