"""From the signed XML to the model. What is missing or of another form is an error, never a default."""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from lxml import etree

from trust_list.national.model import Interval, Pointer, Service, TrustedList
from trust_list.national.names import ADDITIONAL, FOR_SEALS, SIE, TSL
from vc.errors import Malformed, VcError
from vc.x509.certificate import from_der

_VERSIONS = ("5", "6")
_MAX_SEQUENCE = 10
_CERTIFICATES = f"{TSL}DigitalId/{TSL}X509Certificate"


def parse(root: etree._Element, *, digest: bytes) -> TrustedList:
    """The list in `root`, which must have come from `signature.verify`. Raises `Malformed("list_form")`."""
    scheme = _child(root, "SchemeInformation")
    if _text(scheme, "TSLVersionIdentifier") not in _VERSIONS:
        raise Malformed("list_form", "the list has a version that is not read here")
    sequence = _text(scheme, "TSLSequenceNumber")
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) <= _MAX_SEQUENCE):
        raise Malformed("list_form", "the sequence number of the list is no number")
    next_update = _child(scheme, "NextUpdate").findtext(f"{TSL}dateTime")
    return TrustedList(
        list_type=_text(scheme, "TSLType"),
        territory=_text(scheme, "SchemeTerritory"),
        operator=_text(_child(scheme, "SchemeOperatorName"), "Name"),
        sequence=int(sequence),
        issued=issue_time(root),
        next_update=None if next_update is None else _time(next_update),
        information=_addresses(scheme),
        pointers=tuple(_pointer(one) for one in scheme.iterfind(f"{TSL}PointersToOtherTSL/{TSL}OtherTSLPointer")),
        services=tuple(_services(root)),
        digest=digest,
    )


def issue_time(root: etree._Element) -> datetime:
    """When the list says it was issued. Raises `Malformed("list_form")`."""
    return _time(_text(_child(root, "SchemeInformation"), "ListIssueDateTime"))


def _addresses(scheme: etree._Element) -> tuple[str, ...]:
    found = scheme.iterfind(f"{TSL}SchemeInformationURI/{TSL}URI")
    return tuple(dict.fromkeys((one.text or "").strip() for one in found))


def _pointer(element: etree._Element) -> Pointer:
    facts = element.findall(f"{TSL}AdditionalInformation/{TSL}OtherInformation")

    def fact(name: str) -> str:
        return next((found.strip() for one in facts if (found := one.findtext(name))), "")

    signers = element.findall(f"{TSL}ServiceDigitalIdentities/{TSL}ServiceDigitalIdentity/{_CERTIFICATES}")
    return Pointer(
        location=_text(element, "TSLLocation"),
        territory=fact(f"{TSL}SchemeTerritory"),
        list_type=fact(f"{TSL}TSLType"),
        media_type=fact(f"{ADDITIONAL}MimeType"),
        signers=tuple(_certificate(one) for one in signers),
    )


def _services(root: etree._Element) -> Iterator[Service]:
    for provider in root.iterfind(f"{TSL}TrustServiceProviderList/{TSL}TrustServiceProvider"):
        name = _text(_child(_child(provider, "TSPInformation"), "TSPName"), "Name")
        for service in provider.iterfind(f"{TSL}TSPServices/{TSL}TSPService"):
            yield _service(name, service)


def _service(provider: str, element: etree._Element) -> Service:
    now = _child(element, "ServiceInformation")
    versions = [now, *element.iterfind(f"{TSL}ServiceHistory/{TSL}ServiceHistoryInstance")]
    certificates: list[x509.Certificate] = []
    identifiers: set[bytes] = set()
    for version in versions:
        identity = _child(version, "ServiceDigitalIdentity")
        certificates += _readable(identity)
        identifiers |= {_octets(one) for one in identity.iterfind(f"{TSL}DigitalId/{TSL}X509SKI")}
    return Service(
        provider=provider,
        name=_text(_child(now, "ServiceName"), "Name"),
        certificates=tuple(dict.fromkeys(certificates)),
        identifiers=frozenset(identifiers),
        intervals=tuple(sorted((_interval(one) for one in versions), key=lambda interval: interval.start)),
    )


def _interval(element: etree._Element) -> Interval:
    extensions = element.findall(f"{TSL}ServiceInformationExtensions/{TSL}Extension")
    stated, qualifiers, unread = set(), set(), False
    for extension in extensions:
        stated |= {(one.text or "").strip() for one in extension.iterfind(f"{TSL}AdditionalServiceInformation/{TSL}URI")}
        qualifiers |= {one.get("uri", "") for one in extension.iter(f"{SIE}Qualifier")}
        known = all(one.tag in (f"{TSL}AdditionalServiceInformation", f"{SIE}Qualifications") for one in extension)
        unread |= extension.get("Critical") in ("true", "1") and not known
    return Interval(
        start=_time(_text(element, "StatusStartingTime")),
        service_type=_text(element, "ServiceTypeIdentifier"),
        status=_text(element, "ServiceStatus"),
        for_seals=FOR_SEALS in stated,
        qualifiers=frozenset(qualifiers),
        unread=unread,
    )


def _readable(identity: etree._Element) -> Iterator[x509.Certificate]:
    """One unreadable certificate must not cost a whole country: its service then matches nothing by it."""
    for one in identity.iterfind(_CERTIFICATES):
        try:
            yield _certificate(one)
        except VcError:
            continue


def _certificate(element: etree._Element) -> x509.Certificate:
    return from_der(_octets(element))


def _octets(element: etree._Element) -> bytes:
    try:
        return b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise Malformed("list_form", "the list holds base64 that is none") from exc


def _child(element: etree._Element, name: str) -> etree._Element:
    found = element.find(TSL + name)
    if found is None:
        raise Malformed("list_form", f"the list has no {name} where it belongs")
    return found


def _text(element: etree._Element, name: str) -> str:
    return (_child(element, name).text or "").strip()


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise Malformed("list_form", "a time in the list cannot be read") from exc
