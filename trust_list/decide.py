"""May this signer be believed for this document? The questions of TRUST 3, answered one by one (7.2, 8).

A pure function over a snapshot: no clock, no network. The chain that was presented is only material; anchors come from
accepted lists and from nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from trust_list import advice, axes, caveats, matching
from trust_list.anchors import Entry
from trust_list.answers import AxisResult, Result, failed, not_checked
from trust_list.caveats import TrustWarning
from trust_list.query import TrustQuery
from trust_list.snapshot import Freshness, Listing, TrustSnapshot
from vc.clock import TOLERANCE

__all__ = ["ListFacts", "Outcome", "Reason", "TrustDecision", "TrustQuery", "TrustWarning", "evaluate"]


class Outcome(StrEnum):
    TRUSTED = "TRUSTED"
    TRUSTED_AT_ISSUANCE = "TRUSTED_AT_ISSUANCE"
    WITHDRAWN = "WITHDRAWN"
    NOT_YET_NOTIFIED = "NOT_YET_NOTIFIED"
    UNKNOWN_ISSUER = "UNKNOWN_ISSUER"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    INDETERMINATE = "INDETERMINATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """`code` for programs, `text` for people, `next`: what to do about it."""

    code: str
    text: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """The list that answered. `age_seconds`: since the publisher last confirmed it. `alarm`, `outage`: codes, if any."""

    id: str
    sequence: int | None
    issued: datetime | None
    next_update: datetime | None
    age_seconds: int | None
    state: Freshness
    operator: str | None
    alarm: str | None
    outage: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustDecision:
    """`axes`: path, listed, identity, scope, content, qualified, in that order; the last one never decides. `reasons` is empty
    exactly when TRUSTED or TRUSTED_AT_ISSUANCE. `entity_*` name the listed entity whenever one was found, trusted or not;
    `entry` is its service that was judged. `withdrawn_at`: since when it does not count any more, if so. `warnings`: what an
    answer of any kind should be read with. `snapshot`: digest of the state of knowledge it rests on."""

    outcome: Outcome
    axes: Mapping[str, AxisResult]
    reasons: tuple[Reason, ...]
    list: ListFacts
    entity_id: str | None = None
    entity_name: str | None = None
    entity_country: str | None = None
    entry: Entry | None = field(default=None, repr=False)
    withdrawn_at: datetime | None = None
    warnings: tuple[TrustWarning, ...] = ()
    snapshot: str = ""

    @property
    def trusted(self) -> bool:
        """Trusted now; what only counted at issuance is not."""
        return self.outcome is Outcome.TRUSTED


_RANK = (
    Outcome.TRUSTED,
    Outcome.TRUSTED_AT_ISSUANCE,
    Outcome.INDETERMINATE,
    Outcome.WITHDRAWN,
    Outcome.NOT_YET_NOTIFIED,
    Outcome.OUT_OF_SCOPE,
    Outcome.UNKNOWN_ISSUER,
)
_BELIEVED = (Outcome.TRUSTED, Outcome.TRUSTED_AT_ISSUANCE)
_TOO_EARLY = ("not_yet_notified", "not_notified_at_issue")


def evaluate(query: TrustQuery, snapshot: TrustSnapshot) -> TrustDecision:
    """The decision for `query`.

    Where a certificate stands in several entries each is judged by itself; one that answers every question yes decides,
    otherwise the one that says most about why not, in list order. Never raises for what was presented.
    """
    listing = snapshot.lists.get(query.list_id)
    facts = _facts(query, listing)
    decision = _decide(query, snapshot, listing, facts)
    told = caveats.about(query, snapshot, listing, decision.axes, decision.withdrawn_at)
    return replace(decision, warnings=told, snapshot=snapshot.digest)


def _decide(query: TrustQuery, snapshot: TrustSnapshot, listing: Listing | None, facts: ListFacts) -> TrustDecision:
    stop = _cannot_determine(query, snapshot, listing)
    if stop is not None:
        return _decision(query, Outcome.INDETERMINATE, {name: not_checked(stop.code, stop.detail) for name in axes.NAMES}, facts)
    assert listing is not None
    match = matching.find(query.role, query.chain, listing, snapshot)
    if isinstance(match, AxisResult):
        unmatched = {name: not_checked("no_entry", "no list entry to compare with") for name in axes.NAMES}
        return _decision(query, Outcome.UNKNOWN_ISSUER, {**unmatched, "listed": match}, facts)
    decisions = [_judge(query, entry, listing, snapshot, facts) for entry in match]
    return min(decisions, key=lambda decision: _RANK.index(decision.outcome))


def _judge(query: TrustQuery, entry: Entry, listing: Listing, snapshot: TrustSnapshot, facts: ListFacts) -> TrustDecision:
    """One entry: the path to it, then the questions; each failing one carries its own code."""
    answers = axes.answer(query, entry, listing, snapshot.qualified)
    listed, content = answers["listed"], answers["content"]
    if answers["path"].result is not Result.PASSED or answers["identity"].result is not Result.PASSED:
        outcome = Outcome.UNKNOWN_ISSUER
    elif listed.result is Result.FAILED:
        outcome = Outcome.NOT_YET_NOTIFIED if listed.code in _TOO_EARLY else Outcome.WITHDRAWN
    elif Result.FAILED in (answers["scope"].result, content.result):
        outcome = Outcome.OUT_OF_SCOPE
    elif listed.result is Result.NOT_CHECKED or content.code == axes.CONTENT_SILENT:
        outcome = Outcome.INDETERMINATE
    elif listed.code == axes.AT_ISSUE:
        outcome = Outcome.TRUSTED_AT_ISSUANCE
    else:
        outcome = Outcome.TRUSTED
    return _decision(query, outcome, answers, facts, entry)


def _cannot_determine(query: TrustQuery, snapshot: TrustSnapshot, listing: Listing | None) -> AxisResult | None:
    """Why nothing may be concluded, before any certificate is looked at; None when the list may be asked."""
    clock = query.clock
    if snapshot.clock_floor is not None and clock < snapshot.clock_floor - TOLERANCE:
        return failed("clock_set_back", "our clock shows an earlier time than an accepted list")
    if clock > snapshot.root_expires:
        return failed("root_expired", "the trust root has expired")
    if listing is None:
        return failed("list_unknown", f"the trust root names no list {query.list_id}")
    freshness = listing.freshness(clock)
    if freshness is Freshness.NEVER:
        return failed("list_never_accepted", f"no edition of list {query.list_id} has been accepted yet")
    if freshness is Freshness.EXPIRED:
        return failed("list_expired", f"the last accepted edition of list {query.list_id} has run out")
    return None


def _facts(query: TrustQuery, listing: Listing | None) -> ListFacts:
    clock = query.clock
    accepted = listing.accepted if listing is not None else None
    checked = listing.checked_at if listing is not None else None
    return ListFacts(
        id=query.list_id,
        sequence=accepted.sequence if accepted else None,
        issued=accepted.issued_at if accepted else None,
        next_update=accepted.next_update if accepted else None,
        age_seconds=max(0, int((clock - checked).total_seconds())) if checked else None,
        state=listing.freshness(clock) if listing is not None else Freshness.NEVER,
        operator=accepted.lote.scheme.SchemeOperatorName[0].value if accepted else None,
        alarm=listing.alarm.code if listing is not None and listing.alarm else None,
        outage=listing.outage.code if listing is not None and listing.outage else None,
    )


def _decision(
    query: TrustQuery, outcome: Outcome, answers: Mapping[str, AxisResult], facts: ListFacts, entry: Entry | None = None
) -> TrustDecision:
    reasons: dict[str, Reason] = {}
    if outcome not in _BELIEVED:
        for name, answer in answers.items():
            silent = outcome is Outcome.INDETERMINATE and answer.result is Result.NOT_CHECKED
            if name != "qualified" and (answer.result is Result.FAILED or silent):
                said = Reason(code=answer.code, text=answer.detail, next=advice.next_step(answer.code, outcome))
                reasons.setdefault(answer.code, said)
    current = entry.at(query.t_now) if entry is not None else None
    return TrustDecision(
        outcome=outcome,
        axes=dict(answers),
        reasons=tuple(reasons.values()),
        list=facts,
        entity_id=entry.entity.id if entry else None,
        entity_name=entry.entity.name if entry else None,
        entity_country=entry.entity.country if entry else None,
        entry=entry,
        withdrawn_at=current.start if current is not None and not current.notified else None,
    )
