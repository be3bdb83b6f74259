"""What a list does not keep of its profile: one finding per fault, with clause and place (TS 119 602 clause 6, Annexes D to I)."""

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from trust_list import findings_entities
from trust_list.finding import Finding, countries, critical, error, has, languages, warning
from trust_list.model import LoTE
from trust_list.profiles import MAX_MONTHS, Profile
from vc.x509.certificate import subject_value

__all__ = ["Finding", "check", "errors", "months_later"]

_EU = "EU"


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


def _all(lote: LoTE, profile: Profile, signer: x509.Certificate | None) -> Iterator[Finding]:
    yield from _scheme(lote, profile)
    yield from _pointers(lote, profile)
    yield from _dates(lote, profile)
    yield from _operator(lote)
    if signer is not None:
        yield from _signer(lote, signer)
    for number, entity in enumerate(lote.entities):
        yield from findings_entities.check(entity, profile, lote.scheme, f"/TrustedEntitiesList/{number}")


def _scheme(lote: LoTE, profile: Profile) -> Iterator[Finding]:
    """Clause 6.3 for an explicit scheme, and the first table of the annex for its values."""
    scheme, at, table = lote.scheme, "/ListAndSchemeInformation", profile.table(1)
    if scheme.LoTEVersionIdentifier != 1:
        yield error("version", table, f"{at}/LoTEVersionIdentifier", "the version is not 1")
    if scheme.LoTEType != profile.list_type:
        yield error("list_type", table, f"{at}/LoTEType", "this is a list of another type")
    if scheme.StatusDeterminationApproach in profile.status_determination_tolerated:
        yield warning("status_determination", table, f"{at}/StatusDeterminationApproach", "not the value as the standard prints it")
    elif scheme.StatusDeterminationApproach != profile.status_determination:
        yield error("status_determination", table, f"{at}/StatusDeterminationApproach", "not the value of this list type")
    if profile.community_rules not in {item.uriValue for item in scheme.SchemeTypeCommunityRules or ()}:
        yield error("community_rules", table, f"{at}/SchemeTypeCommunityRules", "the rules of this list type are not named")
    if scheme.SchemeTerritory != _EU:
        yield error("territory", table, f"{at}/SchemeTerritory", "the territory is not EU")
    if not scheme.SchemeName or not all(item.value.startswith(f"{_EU}:") for item in scheme.SchemeName):
        yield error("scheme_name", "6.3.6", f"{at}/SchemeName", "a name of the scheme does not begin with EU:")
    places = {item.uriValue for item in scheme.SchemeInformationURI or ()}
    if not places:
        yield error("information_uri", "6.3.7", f"{at}/SchemeInformationURI", "where to read about the scheme is missing")
    elif profile.archive_uri and len(places) < 2:
        yield error("archive_uri", table, f"{at}/SchemeInformationURI", "where to get all earlier editions is missing")
    policies = scheme.PolicyOrLegalNotice or ()
    if not policies or not all((notice.LoTEPolicy is None) != (notice.LoTELegalNotice is None) for notice in policies):
        yield error("policy", "6.3.11", f"{at}/PolicyOrLegalNotice", "policy or legal notice is missing, or both are in one item")
    elif len({notice.LoTEPolicy is None for notice in policies}) > 1:
        yield error("policy", "6.3.11", f"{at}/PolicyOrLegalNotice", "policies and legal notices are mixed")
    if scheme.HistoricalInformationPeriod != profile.history_period:
        wanted = "absent" if profile.history_period is None else str(profile.history_period)
        yield error("history_period", table, f"{at}/HistoricalInformationPeriod", f"must be {wanted}")
    yield from critical(scheme.SchemeExtensions, "6.3.17", f"{at}/SchemeExtensions", frozenset())
    for member in ("SchemeOperatorName", "SchemeName", "SchemeInformationURI", "SchemeTypeCommunityRules"):
        yield from languages(getattr(scheme, member), f"{at}/{member}")


def _pointers(lote: LoTE, profile: Profile) -> Iterator[Finding]:
    """Clause 6.3.13: Annex H has no pointers; the other lists point to themselves."""
    at, table = "/ListAndSchemeInformation/PointersToOtherLoTE", profile.table(1)
    pointers = lote.scheme.PointersToOtherLoTE or ()
    if pointers and not profile.points_to_itself:
        yield error("pointers", table, at, "this list type has no pointers")
    named = {qualifier.LoTEType for pointer in pointers for qualifier in pointer.LoTEQualifiers}
    if profile.points_to_itself and profile.list_type not in named:
        yield error("pointers", table, at, "the pointer to the list itself is missing")


def _dates(lote: LoTE, profile: Profile) -> Iterator[Finding]:
    """Clause 6.3.15 and the first table of the annex."""
    issued, due, at = lote.scheme.ListIssueDateTime, lote.scheme.NextUpdate, "/ListAndSchemeInformation/NextUpdate"
    if due is None:
        yield warning("closed", "6.3.15", at, "the list is closed: readers that need a current list refuse it")
    elif due <= issued:
        yield error("next_update", "6.3.15", at, "the next update is not after the issue")
    elif due > months_later(issued, MAX_MONTHS):
        yield error("next_update", profile.table(1), at, "the next update is more than six months after the issue")


def _operator(lote: LoTE) -> Iterator[Finding]:
    at, address = "/ListAndSchemeInformation/SchemeOperatorAddress", lote.scheme.SchemeOperatorAddress
    if address is None:
        yield error("operator_address", "6.3.5", at, "the address of the operator is missing")
        return
    for scheme in ("mailto:", "https:"):
        if not has(address.SchemeOperatorElectronicAddress, scheme):
            yield error("operator_address", "6.3.5.2", f"{at}/SchemeOperatorElectronicAddress", f"no {scheme} address")
    yield from languages(address.SchemeOperatorPostalAddress, f"{at}/SchemeOperatorPostalAddress")
    yield from countries(address.SchemeOperatorPostalAddress, f"{at}/SchemeOperatorPostalAddress")


def _signer(lote: LoTE, signer: x509.Certificate) -> Iterator[Finding]:
    """Clause 6.8: who seals the list is its operator."""
    if subject_value(signer, NameOID.COUNTRY_NAME) != lote.scheme.SchemeTerritory:
        yield error("signer_country", "6.8", "", "the country of the signer's certificate is not the scheme's territory")
    if subject_value(signer, NameOID.ORGANIZATION_NAME) not in {item.value for item in lote.scheme.SchemeOperatorName}:
        yield error("signer_name", "6.8", "", "the organisation of the signer's certificate is not the scheme operator")
