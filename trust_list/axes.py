"""The answers for one list entry: path, listed, identity, scope, content (TRUST 3, questions A to D), and qualified."""

from collections.abc import Mapping
from datetime import datetime

from trust_list import countries, matching
from trust_list.anchors import Anchors, Entry, Interval
from trust_list.answers import AxisResult, failed, not_checked, passed
from trust_list.model import write_time
from trust_list.query import TrustQuery
from trust_list.scope import ScopeEntry
from trust_list.snapshot import Listing, QualifiedSource
from trust_list.withdrawal import CONFIRMED_BY_INSTITUTION, Withdrawal, worst

NAMES = ("path", "listed", "identity", "scope", "content", "qualified")
CONTENT_SILENT = "content_not_stated"
AT_ISSUE = "notified_at_issue"
_TYPE_LABELS = {"pda1": "PDA1", "ehic": "EHIC", "pid": "PID"}


def answer(query: TrustQuery, entry: Entry, listing: Listing, source: QualifiedSource | None) -> Mapping[str, AxisResult]:
    """All answers for `entry`, none skipped because another failed: who reads them sees every side."""
    where = matching.edition(listing)
    anchors = listing.anchors
    assert anchors is not None
    return {
        "path": matching.path(query, entry, anchors),
        "listed": _listed(query, entry, where),
        "identity": _identity(query, entry, anchors, where),
        "scope": _scope(query, entry, where),
        "content": _content(query, entry),
        "qualified": _qualified(query, source),
    }


def _listed(query: TrustQuery, entry: Entry, where: str) -> AxisResult:
    """A: notified now, and already when the document was signed; historical mode asks the latter only (TRUST 7.2 rule 6)."""
    who = f"{entry.entity.name} ({entry.role} service)"
    current = entry.at(query.t_now)
    if current is None:
        start = min((i.start for i in entry.intervals if i.start is not None), default=None)
        since = f" before {write_time(start)}" if start else ""
        return failed("not_yet_notified", f"on {where}, {who} is not notified{since}")
    if not current.notified:
        return _withdrawn(query, entry, current, f"on {where}, {who}")
    if not _notified_at_issue(query, entry):
        first = entry.first_notified
        if first is None or query.issued >= first:
            return failed(
                "withdrawn_at_issue",
                f"on {where}, {who} is notified, but was withdrawn when the document was signed, {write_time(query.issued)}",
            )
        return failed(
            "not_notified_at_issue",
            f"on {where}, {who} is notified since {_when(first)}, after the document was signed, {write_time(query.issued)}",
        )
    return passed("notified", f"on {where}, {who} is notified{f' since {_when(current.start)}' if current.start else ''}")


def _withdrawn(query: TrustQuery, entry: Entry, current: Interval, whom: str) -> AxisResult:
    """Not notified any more. In historical mode a document signed before may stand, if no key can have been in other hands."""
    then = _notified_at_issue(query, entry)
    gone = "its key is replaced" if entry.former_key is not None else "is withdrawn"
    detail = (
        f"{whom} {gone} since {_when(current.start)}{f' ({current.reason})' if current.reason else ''}; it "
        f"{'was' if then else 'was not'} notified when the document was signed, {write_time(query.issued)}"
    )
    if query.mode == "strict" or query.role != "issuance" or not then:
        return failed("withdrawn", detail)
    reasons = [interval.reason for interval in entry.withdrawn_between(query.issued, query.t_now)]
    match worst(reasons):
        case Withdrawal.ORDERLY:
            return passed(AT_ISSUE, detail)
        case Withdrawal.UNKNOWN if query.attestation_type in CONFIRMED_BY_INSTITUTION:
            return not_checked("withdrawal_reason_unknown", f"{detail}; the list does not say that the key was safe")
        case Withdrawal.UNKNOWN:
            return failed("withdrawn_compromised", f"{detail}; the list does not say that the key was safe, so it counts as stolen")
        case _:
            return failed("withdrawn_compromised", f"{detail}; the key was in other hands, so the date may be false")


def _notified_at_issue(query: TrustQuery, entry: Entry) -> bool:
    """Whether the entry counted when the document was signed, give or take the tolerance at the start of a status."""
    moments = (query.issued, query.issued + query.issue_tolerance)
    return any(found is not None and found.notified for found in map(entry.at, moments))


def _identity(query: TrustQuery, entry: Entry, anchors: Anchors, where: str) -> AxisResult:
    """B: the certificate speaks for the listed entity; for status signers, for the very entity that issued the document."""
    leaf, entity = anchors.leaf(query.chain[0]), entry.entity
    if query.role == "revocation" and query.entity_id is not None and query.entity_id != entity.id:
        return failed("other_entity", f"on {where}, the status list is signed by {entity.name}, not by the issuer of the document")
    if leaf.organisation not in entity.names:
        return failed("name_mismatch", f"the certificate's organisation is not {entity.name}, as {where} has it")
    if entity.registered and leaf.identifier not in entity.trade_names:
        return failed("organization_identifier_mismatch", f"the certificate's organizationIdentifier is not that of {entity.name}")
    if entity.country is not None and (leaf.country is None or countries.normal(leaf.country) != entity.country):
        return failed("country_mismatch", f"the certificate's country is not {entity.country}, the country of {entity.name}")
    if leaf.unreadable is not None:
        return failed("qc_statements", leaf.unreadable)
    if leaf.legislation is not None and countries.normal(leaf.legislation) not in (entity.country, "EU"):
        return failed("legislation_country_mismatch", f"the certificate names legislation of a country other than {entity.country}")
    return passed("identity", f"the certificate names {entity.name}{f', {leaf.identifier}' if leaf.identifier else ''}")


def _scope(query: TrustQuery, entry: Entry, where: str) -> AxisResult:
    """C: the entity may issue this type, in this format, for this country, at that time. Silence denies."""
    if query.role == "revocation":
        if query.entity_id is None:
            return failed("entity_missing", "it is not known whose documents this status list speaks about")
        return passed("status_of_entity", f"{entry.entity.name} publishes the status of its own documents")
    if query.list_id == "wallet":
        return passed("list_is_scope", f"{where} is about wallets only")
    label = _label(query.attestation_type)
    if entry.scope_unreadable:
        return failed("scope_unreadable", f"what {where} allows {entry.entity.name} cannot be read")
    if entry.scope is None:
        if query.list_id == "pid" and query.attestation_type == "pid":
            return passed("list_is_scope", f"{where} is about PID only")
        return failed("scope_unstated", f"{where} does not say that {entry.entity.name} may issue {label}")
    fitting = [item for item in entry.scope if (query.format, query.type_id) in item.formats]
    if query.attestation_type is not None:
        fitting = [item for item in fitting if item.attestation_type == query.attestation_type]
    if not fitting:
        allowed = ", ".join(dict.fromkeys(_label(item.attestation_type) for item in entry.scope))
        lands = ", ".join(sorted({item.issuing_country for item in entry.scope}))
        if query.attestation_type in {item.attestation_type for item in entry.scope}:
            return failed(
                "type_not_authorised",
                f"this certificate is on {where} as {allowed} issuer for {lands}, but not for this type identifier and format",
            )
        return failed("type_not_authorised", f"this certificate is on {where} as {allowed} issuer for {lands}, not for {label}")
    return _scope_entry(query, fitting, where, label)


def _scope_entry(query: TrustQuery, fitting: list[ScopeEntry], where: str, label: str) -> AxisResult:
    lands = ", ".join(sorted({item.issuing_country for item in fitting}))
    wanted = countries.normal(query.issuing_country) if query.issuing_country else None
    national = [item for item in fitting if wanted is None or item.issuing_country == wanted]
    if not national:
        return failed("country_not_authorised", f"this certificate is on {where} as {label} issuer for {lands}, not for {wanted}")
    for item in national:
        begun = item.valid_from <= query.issued + query.issue_tolerance
        if begun and (item.valid_until is None or query.issued <= item.valid_until):
            return passed("authorised", f"on {where} as {label} issuer for {item.issuing_country}")
    return failed("scope_period", f"this certificate is on {where} as {label} issuer for {lands}, but not for the time of signing")


def _content(query: TrustQuery, entry: Entry) -> AxisResult:
    """D: what the document says about its issuer agrees with the list."""
    if query.role == "revocation" or query.list_id == "wallet":
        return not_checked("not_applicable", "there is no document to compare")
    stated = [countries.normal(query.issuing_country)] if query.issuing_country else []
    if any(country != entry.entity.country for country in stated):
        return failed("issuing_country_mismatch", f"the document names another issuing country than {entry.entity.country}")
    institutions = [country for item in query.institution_ids if (country := countries.of_institution(item)) is not None]
    if any(country != entry.entity.country for country in institutions):
        return failed("institution_mismatch", f"the document names an institution of another country than {entry.entity.country}")
    if not stated and not institutions:
        code = "not_applicable" if query.list_id == "pid" else CONTENT_SILENT
        return not_checked(code, "the document shows neither issuing country nor institution")
    return passed("content", f"the document names {entry.entity.country} as the issuing country")


def _qualified(query: TrustQuery, source: QualifiedSource | None) -> AxisResult:
    """Whether the seal is qualified: a question of its own that decides nothing about the others (TRUST 0.5)."""
    if query.role == "revocation" or query.list_id == "wallet":
        return not_checked("not_applicable", "no qualified seal is asked for here")
    if source is None:
        return not_checked("no_source", "no national trusted list is known here that says whether the seal is qualified")
    return source.qualified(query.chain, at=query.issued)


def _label(attestation_type: str | None) -> str:
    return _TYPE_LABELS.get(attestation_type or "", attestation_type or "this type")


def _when(moment: datetime | None) -> str:
    return write_time(moment) if moment is not None else "an unknown time"
