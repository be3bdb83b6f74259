"""Rules for listed entities and their services: the second and third table of each annex (TS 119 602 clauses 6.5 to 6.7)."""

import re
from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import NameOID

from trust_list import etsi_schema, scope
from trust_list.countries import normal
from trust_list.finding import Finding, countries, critical, error, has, languages, warning
from trust_list.model import WITHDRAWAL_REASON, EntityService, PastService, SchemeInformation, TrustedEntity
from trust_list.profiles import Profile
from vc.errors import VcError
from vc.x509.certificate import ski, spki, subject_value

UNIQUE_IDENTIFIER = "ServiceUniqueIdentifier"
ASSOCIATED_BODIES = "OtherAssociatedBodies"
_REGISTRATION = re.compile(r"(?:[A-Z]{3}|[A-Z]{2}:)[A-Z]{2}-\S.*")  # EN 319 412-1 §5.1.4 LEG-5.1.4, §5.1.3 NAT-5.1.3
_LAW = re.compile(r"OJ:([A-Z]{2})\S.*")  # Table H.2
_KNOWN_ENTITY_EXTENSIONS = frozenset({ASSOCIATED_BODIES})
_KNOWN_EXTENSIONS = frozenset({scope.MEMBER, UNIQUE_IDENTIFIER, WITHDRAWAL_REASON})


def check(entity: TrustedEntity, profile: Profile, scheme: SchemeInformation, at: str) -> Iterator[Finding]:
    """The findings for one entity at the pointer `at`."""
    information, place = entity.TrustedEntityInformation, f"{at}/TrustedEntityInformation"
    yield from _names(entity, profile, place)
    yield from _addresses(entity, profile, place)
    yield from critical(information.TEInformationExtensions, "6.5.5", f"{place}/TEInformationExtensions", _KNOWN_ENTITY_EXTENSIONS)
    yield from _associated_bodies(entity, f"{place}/TEInformationExtensions")
    yield from languages(information.TEName, f"{place}/TEName")
    yield from languages(information.TEInformationURI, f"{place}/TEInformationURI")
    yield from languages(information.TEAddress.TEPostalAddress, f"{place}/TEAddress/TEPostalAddress")
    yield from countries(information.TEAddress.TEPostalAddress, f"{place}/TEAddress/TEPostalAddress")
    for number, service in enumerate(entity.TrustedEntityServices):
        yield from _service(entity, service, profile, scheme, f"{at}/TrustedEntityServices/{number}")


def _names(entity: TrustedEntity, profile: Profile, place: str) -> Iterator[Finding]:
    """TETradeName: the registration identifier, in Annex H also the law."""
    table, at = profile.table(2), f"{place}/TETradeName"
    if not any(_REGISTRATION.fullmatch(value) for value in entity.registration_ids):
        fault = error if profile.has_status else warning  # the other annexes: where the entity has one
        yield fault("registration_id", table, at, "no registration identifier such as NTRFR-123456789")
    if profile.has_status:
        laws = [found for value in entity.trade_names if (found := _LAW.fullmatch(value))]
        if not laws:
            yield error("law", table, at, "no law reference of the form OJ:")
        elif entity.country and any(normal(law.group(1)) not in ("EU", entity.country) for law in laws):
            yield error("law", table, at, "the law is neither Union law nor that of the entity's country")


def _addresses(entity: TrustedEntity, profile: Profile, place: str) -> Iterator[Finding]:
    table, information = profile.table(2), entity.TrustedEntityInformation
    electronic = information.TEAddress.TEElectronicAddress
    for scheme, what in (("mailto:", "mail address"), ("tel:", "phone number")):
        if not has(electronic, scheme):
            yield error("contact", table, f"{place}/TEAddress/TEElectronicAddress", f"no contact {what}")
    uris = electronic if profile.country_uri.place == "TEAddress" else information.TEInformationURI
    stated = [item.uriValue for item in uris if item.uriValue.startswith(profile.country_uri.prefix)]
    if len(stated) != 1 or not re.fullmatch(r"[A-Z]{2}", stated[0][len(profile.country_uri.prefix) :]):
        yield error("country_uri", table, f"{place}/{profile.country_uri.place}", "not exactly one country URI")
    if not [item for item in information.TEInformationURI if not item.uriValue.startswith(profile.country_uri.prefix)]:
        yield error("entity_information", table, f"{place}/TEInformationURI", "no page with policies, terms and conditions")


def _associated_bodies(entity: TrustedEntity, at: str) -> Iterator[Finding]:
    """Clause 6.5.5.1: one or more bodies (ETSI's XML schema knows one), which are told to people and decide nothing."""
    for number, item in enumerate(entity.TrustedEntityInformation.TEInformationExtensions or ()):
        if ASSOCIATED_BODIES in item:
            for pointer, message in etsi_schema.associated_bodies_faults(item[ASSOCIATED_BODIES]):
                yield error("associated_body", "6.5.5.1", f"{at}/{number}/{ASSOCIATED_BODIES}{pointer}", message[:200])


def _service(
    entity: TrustedEntity, service: EntityService, profile: Profile, scheme: SchemeInformation, at: str
) -> Iterator[Finding]:
    information, table, place = service.ServiceInformation, profile.table(3), f"{at}/ServiceInformation"
    if information.ServiceTypeIdentifier not in profile.services.values():
        yield error("service_type", table, f"{place}/ServiceTypeIdentifier", "not a service of this list type")
    yield from languages(information.ServiceName, f"{place}/ServiceName")
    yield from _status(service, profile, scheme, at) if profile.has_status else _no_status(service, profile, at)
    yield from _identity(entity, service, profile, f"{place}/ServiceDigitalIdentity")
    if profile.supply_point and not information.ServiceSupplyPoints:
        yield error("supply_point", table, f"{place}/ServiceSupplyPoints", "where to read the register is missing")
    extensions, beneath = information.ServiceInformationExtensions, f"{place}/ServiceInformationExtensions"
    if profile.unique_identifier and not any(item.get(UNIQUE_IDENTIFIER) for item in extensions or ()):
        yield error("unique_identifier", table, beneath, "the reference number of the wallet solution is missing")
    yield from critical(extensions, "6.6.9", beneath, _KNOWN_EXTENSIONS)
    try:
        scope.read(extensions)
    except VcError as exc:
        yield warning(exc.code, "6.6.9", beneath, exc.detail)


def _status(service: EntityService, profile: Profile, scheme: SchemeInformation, at: str) -> Iterator[Finding]:
    """Table H.3: a status with its start, and a history, newest first."""
    information, table, place = service.ServiceInformation, profile.table(3), f"{at}/ServiceInformation"
    later = information.StatusStartingTime
    if information.ServiceStatus not in profile.statuses:
        yield error("service_status", table, f"{place}/ServiceStatus", "neither notified nor withdrawn")
    if later is None:
        yield error("status_start", table, f"{place}/StatusStartingTime", "the start of the status is missing")
    elif later > scheme.ListIssueDateTime:
        yield warning("status_future", "6.6.5", f"{place}/StatusStartingTime", "the status starts after the issue of the list")
    for number, past in enumerate(service.ServiceHistory or ()):
        beneath = f"{at}/ServiceHistory/{number}"
        yield from _past(past, profile, beneath)
        if later is not None and past.StatusStartingTime > later:
            yield error("history_order", "6.7", beneath, "the history is not newest first")
        later = past.StatusStartingTime


def _no_status(service: EntityService, profile: Profile, at: str) -> Iterator[Finding]:
    """The other annexes: what is listed is approved; there is neither status nor start nor history (clause 6.3.12)."""
    information, table, place = service.ServiceInformation, profile.table(3), f"{at}/ServiceInformation"
    if information.ServiceStatus is not None:
        yield error("service_status", table, f"{place}/ServiceStatus", "this list type has no status")
    if information.StatusStartingTime is not None:
        yield error("status_start", table, f"{place}/StatusStartingTime", "this list type has no start of a status")
    if service.ServiceHistory:
        yield error("history", "6.3.12", f"{at}/ServiceHistory", "this list type has no history")


def _identity(entity: TrustedEntity, service: EntityService, profile: Profile, at: str) -> Iterator[Finding]:
    """Clause 6.6.3 and the third table: readable certificates that name the entity, in Annex H of one key and one subject."""
    identity, table, place = service.ServiceInformation.ServiceDigitalIdentity, profile.table(3), f"{at}/X509Certificates"
    try:
        certificates, skis = identity.certificates, identity.skis
    except VcError as exc:
        yield error("certificate", "6.6.3.1", place, exc.detail)
        return
    if identity.model_extra:
        yield warning("unknown_member", "6.6.3", at, "a member the standard does not know; it is not looked at")
    if not certificates:
        yield error("certificate", "6.6.0", place, "a service that relies on certificates lists none")
        return
    if profile.certificates.one_key:
        if len({spki(certificate) for certificate in certificates}) > 1:
            yield error("certificate_key", table, place, "the certificates have different keys")
        if len({certificate.subject for certificate in certificates}) > 1:
            yield error("certificate_subject", table, place, "the certificates have different subjects")
    yield from _subjects(entity, certificates, profile, place)
    if skis and not skis_fit(certificates, skis):
        yield warning("ski", "6.6.3.4", f"{at}/X509SKIs", "no listed key identifier is that of the key")


def skis_fit(certificates: tuple[x509.Certificate, ...], skis: tuple[bytes, ...]) -> bool:
    """Whether a listed identifier is that of a listed key."""
    return not {ski(certificate) for certificate in certificates}.isdisjoint(skis)


def _subjects(entity: TrustedEntity, certificates: tuple[x509.Certificate, ...], profile: Profile, at: str) -> Iterator[Finding]:
    """Whether the certificates speak of the entity they are listed under."""
    rule, table = profile.certificates.names, profile.table(3)
    organisations = [subject_value(certificate, NameOID.ORGANIZATION_NAME) for certificate in certificates]
    if rule == "should":
        if any(name not in entity.names for name in organisations):
            yield warning("certificate_name", "6.6.3", at, "the certificate's organisation is not the entity's name")
        return
    persons = [subject_value(certificate, NameOID.COMMON_NAME) for certificate in certificates]
    named = [{name} if rule == "equal" else {name, person} for name, person in zip(organisations, persons, strict=True)]
    if any(entity.names.isdisjoint(names) for names in named):
        yield error("certificate_name", table, at, "the certificate's organisation is not the entity's name")
    numbers = {subject_value(certificate, NameOID.ORGANIZATION_IDENTIFIER) for certificate in certificates} - {None}
    if rule == "included" and entity.registration_ids and not numbers <= set(entity.registration_ids):
        yield error("certificate_identifier", table, at, "the certificate's registration number is not one of the entity's")


def _past(past: PastService, profile: Profile, at: str) -> Iterator[Finding]:
    """Clause 6.7 with Table H.3: history names keys by identifier and carries no certificate."""
    identity, table = past.ServiceDigitalIdentity, profile.table(3)
    if identity.X509Certificates:
        yield error("history_identity", table, f"{at}/ServiceDigitalIdentity", "history carries no certificates")
    if not identity.X509SKIs:
        yield error("history_identity", table, f"{at}/ServiceDigitalIdentity", "history names keys by X509SKIs")
    if past.ServiceStatus not in profile.statuses:
        yield error("service_status", table, f"{at}/ServiceStatus", "neither notified nor withdrawn")
