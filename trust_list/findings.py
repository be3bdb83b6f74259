"""What a list does not keep of its profile: one finding per fault, with clause and place (TS 119 602 clause 6, Annexes D, E, H)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import NameOID

from trust_list import scope
from trust_list.model import WITHDRAWAL_REASON, EntityService, LoTE, MultiLangUri, PastService, TrustedEntity
from trust_list.profiles import MAX_MONTHS, Profile
from vc.errors import VcError
from vc.x509.certificate import ski, spki, subject_value

_REGISTRATION = re.compile(r"(?:[A-Z]{3}|[A-Z]{2}:)[A-Z]{2}-\S.*")  # EN 319 412-1 §5.1.4, LEG-5.1.4
_LAW = re.compile(r"OJ:[A-Z]{2}\S.*")  # Table H.2
_KNOWN_EXTENSIONS = frozenset({scope.MEMBER, "ServiceUniqueIdentifier", WITHDRAWAL_REASON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`pointer`: JSON pointer below `/LoTE`. An error keeps a list from being published and from being accepted."""

    severity: Literal["error", "warning"]
    code: str
    clause: str
    pointer: str
    text: str


def check(lote: LoTE, profile: Profile, *, signer: x509.Certificate | None = None) -> tuple[Finding, ...]:
    """All findings for `lote` under `profile`; with `signer`, also whether that certificate may seal this list."""
    return tuple(_all(lote, profile, signer))


def errors(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings that forbid."""
    return tuple(finding for finding in found if finding.severity == "error")


def months_later(moment: datetime, months: int) -> datetime:
    """The same day `months` calendar months later, or the last day of that month."""
    year, month = divmod(moment.month - 1 + months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=moment.year + year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=moment.year + year, month=month + 1)


def _error(code: str, clause: str, pointer: str, text: str) -> Finding:
    return Finding(severity="error", code=code, clause=clause, pointer=pointer, text=text)


def _warning(code: str, clause: str, pointer: str, text: str) -> Finding:
    return Finding(severity="warning", code=code, clause=clause, pointer=pointer, text=text)


def _all(lote: LoTE, profile: Profile, signer: x509.Certificate | None) -> Iterator[Finding]:
    yield from _scheme(lote, profile)
    yield from _operator(lote)
    if signer is not None:
        yield from _signer(lote, signer)
    for number, entity in enumerate(lote.entities):
        yield from _entity(entity, profile, f"/TrustedEntitiesList/{number}")


def _scheme(lote: LoTE, profile: Profile) -> Iterator[Finding]:
    """Clause 6.3 for an explicit scheme, and the table of the annex for its values."""
    scheme, at, annex = lote.scheme, "/ListAndSchemeInformation", f"Annex {profile.annex}"
    if scheme.LoTEVersionIdentifier != 1:
        yield _error("version", "6.3.1", f"{at}/LoTEVersionIdentifier", "the version is not 1")
    if scheme.LoTEType != profile.list_type:
        yield _error("list_type", annex, f"{at}/LoTEType", "this is a list of another type")
    if scheme.StatusDeterminationApproach != profile.status_determination:
        yield _error("status_determination", annex, f"{at}/StatusDeterminationApproach", "not the value of this list type")
    if profile.community_rules not in {item.uriValue for item in scheme.SchemeTypeCommunityRules or ()}:
        yield _error("community_rules", annex, f"{at}/SchemeTypeCommunityRules", "the rules of this list type are not named")
    if scheme.SchemeTerritory != "EU":
        yield _error("territory", annex, f"{at}/SchemeTerritory", "the territory is not EU")
    if not any(item.value.startswith("EU:") for item in scheme.SchemeName or ()):
        yield _error("scheme_name", annex, f"{at}/SchemeName", "the name does not begin with EU:")
    if not scheme.SchemeInformationURI:
        yield _error("information_uri", "6.3.7", f"{at}/SchemeInformationURI", "where to read about the scheme is missing")
    if not scheme.PolicyOrLegalNotice or not all(n.LoTEPolicy or n.LoTELegalNotice for n in scheme.PolicyOrLegalNotice):
        yield _error("policy", "6.3.11", f"{at}/PolicyOrLegalNotice", "policy or legal notice is missing")
    if scheme.HistoricalInformationPeriod != profile.history_period:
        wanted = "absent" if profile.history_period is None else str(profile.history_period)
        yield _error("history_period", annex, f"{at}/HistoricalInformationPeriod", f"must be {wanted}")
    if scheme.PointersToOtherLoTE and not profile.points_to_itself:
        yield _error("pointers", annex, f"{at}/PointersToOtherLoTE", "this list type has no pointers")
    if profile.points_to_itself and profile.list_type not in {
        qualifier.LoTEType for pointer in scheme.PointersToOtherLoTE or () for qualifier in pointer.LoTEQualifiers
    }:
        yield _error("pointers", annex, f"{at}/PointersToOtherLoTE", "the pointer to the list itself is missing")
    if scheme.NextUpdate is not None:
        if scheme.NextUpdate <= scheme.ListIssueDateTime:
            yield _error("next_update", "6.3.15", f"{at}/NextUpdate", "the next update is not after the issue")
        elif scheme.NextUpdate > months_later(scheme.ListIssueDateTime, MAX_MONTHS):
            yield _error("next_update", annex, f"{at}/NextUpdate", "the next update is more than six months after the issue")
    yield from _critical(scheme.SchemeExtensions, "6.3.17", f"{at}/SchemeExtensions", frozenset())


def _operator(lote: LoTE) -> Iterator[Finding]:
    at, address = "/ListAndSchemeInformation/SchemeOperatorAddress", lote.scheme.SchemeOperatorAddress
    if address is None:
        yield _error("operator_address", "6.3.5", at, "the address of the operator is missing")
        return
    for scheme in ("mailto:", "https:"):
        if not _has(address.SchemeOperatorElectronicAddress, scheme):
            yield _error("operator_address", "6.3.5", f"{at}/SchemeOperatorElectronicAddress", f"no {scheme} address")


def _signer(lote: LoTE, signer: x509.Certificate) -> Iterator[Finding]:
    """Clause 6.8: who seals the list is its operator."""
    if subject_value(signer, NameOID.COUNTRY_NAME) != lote.scheme.SchemeTerritory:
        yield _error("signer_country", "6.8", "", "the country of the signer's certificate is not the scheme's territory")
    if subject_value(signer, NameOID.ORGANIZATION_NAME) not in {item.value for item in lote.scheme.SchemeOperatorName}:
        yield _error("signer_name", "6.8", "", "the organisation of the signer's certificate is not the scheme operator")


def _entity(entity: TrustedEntity, profile: Profile, at: str) -> Iterator[Finding]:
    information, annex = entity.TrustedEntityInformation, f"Annex {profile.annex}"
    place = f"{at}/TrustedEntityInformation"
    electronic = information.TEAddress.TEElectronicAddress
    if not _has(electronic, "mailto:"):
        yield _error("contact", annex, f"{place}/TEAddress/TEElectronicAddress", "no contact mail address")
    if profile.has_status:  # Table H.2
        if not any(_REGISTRATION.fullmatch(value) for value in entity.registration_ids):
            yield _error("registration_id", annex, f"{place}/TETradeName", "no registration identifier")
        if not any(_LAW.fullmatch(value) for value in entity.trade_names):
            yield _error("law", annex, f"{place}/TETradeName", "no law reference of the form OJ:")
        if not _has(electronic, "tel:"):
            yield _error("contact", annex, f"{place}/TEAddress/TEElectronicAddress", "no contact phone number")
    if profile.country_uri is not None:
        uris = electronic if profile.country_uri.place == "TEAddress" else information.TEInformationURI
        stated = [item.uriValue for item in uris if item.uriValue.startswith(profile.country_uri.prefix)]
        if len(stated) != 1 or not re.fullmatch(r"[A-Z]{2}", stated[0][len(profile.country_uri.prefix) :]):
            yield _error("country_uri", annex, f"{place}/{profile.country_uri.place}", "not exactly one country URI")
    yield from _critical(information.TEInformationExtensions, "6.5.5", f"{place}/TEInformationExtensions", frozenset())
    for number, service in enumerate(entity.TrustedEntityServices):
        yield from _service(entity, service, profile, f"{at}/TrustedEntityServices/{number}")


def _service(entity: TrustedEntity, service: EntityService, profile: Profile, at: str) -> Iterator[Finding]:
    information, annex, place = service.ServiceInformation, f"Annex {profile.annex}", f"{at}/ServiceInformation"
    if information.ServiceTypeIdentifier not in profile.services.values():
        yield _error("service_type", annex, f"{place}/ServiceTypeIdentifier", "not a service of this list type")
    if profile.has_status:
        if information.ServiceStatus not in profile.statuses:
            yield _error("service_status", annex, f"{place}/ServiceStatus", "neither notified nor withdrawn")
        if information.StatusStartingTime is None:
            yield _error("status_start", annex, f"{place}/StatusStartingTime", "the start of the status is missing")
    else:
        if information.ServiceStatus is not None:
            yield _error("service_status", annex, f"{place}/ServiceStatus", "this list type has no status")
        if service.ServiceHistory:
            yield _error("history", annex, f"{at}/ServiceHistory", "this list type has no history")
    yield from _identity(entity, service, annex, f"{place}/ServiceDigitalIdentity")
    extensions, beneath = information.ServiceInformationExtensions, f"{place}/ServiceInformationExtensions"
    yield from _critical(extensions, "6.6.9", beneath, _KNOWN_EXTENSIONS)
    try:
        scope.read(extensions)
    except VcError as exc:
        yield _warning(exc.code, "6.6.9", beneath, exc.detail)
    later = information.StatusStartingTime
    for number, past in enumerate(service.ServiceHistory or () if profile.has_status else ()):
        yield from _past(past, profile, f"{at}/ServiceHistory/{number}")
        if later is not None and past.StatusStartingTime > later:
            yield _error("history_order", "6.7", f"{at}/ServiceHistory/{number}", "the history is not newest first")
        later = past.StatusStartingTime


def _identity(entity: TrustedEntity, service: EntityService, annex: str, at: str) -> Iterator[Finding]:
    """Clause 6.6.3 and Table H.3: readable certificates of one key and one subject, whose O is the entity's name."""
    identity = service.ServiceInformation.ServiceDigitalIdentity
    try:
        certificates, skis = identity.certificates, identity.skis
    except VcError as exc:
        yield _error("certificate", "6.6.3", f"{at}/X509Certificates", exc.detail)
        return
    if identity.model_extra:
        yield _warning("unknown_member", "6.6.3", at, "a member the standard does not know; it is not looked at")
    if not certificates:
        yield _error("certificate", "6.6.0", f"{at}/X509Certificates", "a service that relies on certificates lists none")
        return
    if len({spki(certificate) for certificate in certificates}) > 1:
        yield _error("certificate_key", annex, f"{at}/X509Certificates", "the certificates have different keys")
    if len({certificate.subject for certificate in certificates}) > 1:
        yield _error("certificate_subject", annex, f"{at}/X509Certificates", "the certificates have different subjects")
    if any(subject_value(certificate, NameOID.ORGANIZATION_NAME) not in entity.names for certificate in certificates):
        yield _error("certificate_name", annex, f"{at}/X509Certificates", "the certificate's organisation is not the entity's name")
    if skis and ski(certificates[0]) not in skis:
        yield _warning("ski", "6.6.3", f"{at}/X509SKIs", "no listed key identifier is that of the key")


def _past(past: PastService, profile: Profile, at: str) -> Iterator[Finding]:
    """Clause 6.7 with Annex H: history names keys by identifier and carries no certificate."""
    identity, annex = past.ServiceDigitalIdentity, f"Annex {profile.annex}"
    if identity.X509Certificates:
        yield _error("history_identity", annex, f"{at}/ServiceDigitalIdentity", "history carries no certificates")
    if not identity.X509SKIs:
        yield _error("history_identity", annex, f"{at}/ServiceDigitalIdentity", "history names keys by X509SKIs")
    if past.ServiceStatus not in profile.statuses:
        yield _error("service_status", annex, f"{at}/ServiceStatus", "neither notified nor withdrawn")


def _critical(extensions: object, clause: str, at: str, known: frozenset[str]) -> Iterator[Finding]:
    """Clauses 6.3.17, 6.5.5, 6.6.9: an unknown critical extension refuses the whole list."""
    for number, item in enumerate(extensions if isinstance(extensions, list) else ()):
        understood = isinstance(item, dict) and not known.isdisjoint(item)
        if not isinstance(item, dict) or (item.get("Critical") is not False and not understood):
            yield _error("critical_extension", clause, f"{at}/{number}", "an extension that is critical or says not whether it is")


def _has(addresses: list[MultiLangUri], scheme: str) -> bool:
    return any(item.uriValue.lower().startswith(scheme) for item in addresses)
