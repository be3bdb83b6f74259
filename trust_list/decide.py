"""May this signer be believed for this document? Four questions, answered one by one (TRUST 3, 7.2, 8).

A pure function over a snapshot: no clock, no network. The chain that was presented is only material; anchors come from
accepted lists and from nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trust_list import axes, matching
from trust_list.anchors import Entry
from trust_list.answers import AxisResult, Result, failed, not_checked
from trust_list.query import TrustQuery
from trust_list.snapshot import Freshness, Listing, TrustSnapshot
from vc.clock import TOLERANCE

__all__ = ["ListFacts", "Outcome", "Reason", "TrustDecision", "TrustQuery", "evaluate"]

NEXT = {
    "WITHDRAWN": "Do not rely on it; ask the institution for a document of a current issuer.",
    "NOT_YET_NOTIFIED": "Ask the list operator from when the issuer counts.",
    "UNKNOWN_ISSUER": "Do not rely on it; ask the holder where the document comes from and report it to the liaison office.",
    "OUT_OF_SCOPE": "Do not rely on it for this purpose; ask the institution named in the document.",
    "INDETERMINATE": "Check again when the trust list can be read; until then neither accept nor refuse on this ground.",
}


class Outcome(StrEnum):
    TRUSTED = "TRUSTED"
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
    """`axes`: path, listed, identity, scope, content, in that order. `reasons` is empty exactly when TRUSTED.
    `entity_*` name the listed entity whenever one was found, trusted or not."""

    outcome: Outcome
    axes: Mapping[str, AxisResult]
    reasons: tuple[Reason, ...]
    list: ListFacts
    entity_id: str | None = None
    entity_name: str | None = None
    entity_country: str | None = None

    @property
    def trusted(self) -> bool:
        return self.outcome is Outcome.TRUSTED


_RANK = (
    Outcome.TRUSTED,
    Outcome.INDETERMINATE,
    Outcome.WITHDRAWN,
    Outcome.NOT_YET_NOTIFIED,
    Outcome.OUT_OF_SCOPE,
    Outcome.UNKNOWN_ISSUER,
)


def evaluate(query: TrustQuery, snapshot: TrustSnapshot) -> TrustDecision:
    """The decision for `query`.

    Where a certificate stands in several entries each is judged by itself; one that answers every question yes decides,
    otherwise the one that says most about why not, in list order. Never raises for what was presented.
    """
    listing = snapshot.lists.get(query.list_id)
    facts = _facts(query, listing)
    stop = _cannot_determine(query, snapshot, listing)
    if stop is not None:
        return _decision(Outcome.INDETERMINATE, {name: not_checked(stop.code, stop.detail) for name in axes.NAMES}, facts)
    assert listing is not None
    match = matching.find(query.role, query.chain, listing, snapshot)
    if isinstance(match, AxisResult):
        unmatched = {name: not_checked("no_entry", "no list entry to compare with") for name in axes.NAMES}
        return _decision(Outcome.UNKNOWN_ISSUER, {**unmatched, "listed": match}, facts)
    decisions = [_judge(query, entry, listing, facts) for entry in match]
    return min(decisions, key=lambda decision: _RANK.index(decision.outcome))


def _judge(query: TrustQuery, entry: Entry, listing: Listing, facts: ListFacts) -> TrustDecision:
    """One entry: the path to it, then the four questions; each failing one carries its own code."""
    answers = axes.answer(query, entry, listing)
    if answers["path"].result is not Result.PASSED or answers["identity"].result is not Result.PASSED:
        outcome = Outcome.UNKNOWN_ISSUER
    elif answers["listed"].result is not Result.PASSED:
        outcome = Outcome.WITHDRAWN if answers["listed"].code == "withdrawn" else Outcome.NOT_YET_NOTIFIED
    elif Result.FAILED in (answers["scope"].result, answers["content"].result):
        outcome = Outcome.OUT_OF_SCOPE
    elif answers["content"].code == axes.CONTENT_SILENT:
        outcome = Outcome.INDETERMINATE
    else:
        outcome = Outcome.TRUSTED
    return _decision(outcome, answers, facts, entry)


def _cannot_determine(query: TrustQuery, snapshot: TrustSnapshot, listing: Listing | None) -> AxisResult | None:
    """Why nothing may be concluded, before any certificate is looked at; None when the list may be asked."""
    clock = query.t_now if query.t_clock is None else query.t_clock
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
    clock = query.t_now if query.t_clock is None else query.t_clock
    accepted = listing.accepted if listing is not None else None
    checked = listing.checked_at if listing is not None else None
    return ListFacts(
        id=query.list_id,
        sequence=accepted.sequence if accepted else None,
        issued=accepted.issued_at if accepted else None,
        next_update=accepted.next_update if accepted else None,
        age_seconds=int((clock - checked).total_seconds()) if checked else None,
        state=listing.freshness(clock) if listing is not None else Freshness.NEVER,
        operator=accepted.lote.scheme.SchemeOperatorName[0].value if accepted else None,
        alarm=listing.alarm.code if listing is not None and listing.alarm else None,
        outage=listing.outage.code if listing is not None and listing.outage else None,
    )


def _decision(outcome: Outcome, answers: Mapping[str, AxisResult], facts: ListFacts, entry: Entry | None = None) -> TrustDecision:
    reasons: dict[str, Reason] = {}
    if outcome is not Outcome.TRUSTED:
        for answer in answers.values():
            silent = outcome is Outcome.INDETERMINATE and answer.result is Result.NOT_CHECKED
            if answer.result is Result.FAILED or silent:
                reasons.setdefault(answer.code, Reason(code=answer.code, text=answer.detail, next=NEXT[outcome]))
    return TrustDecision(
        outcome=outcome,
        axes=dict(answers),
        reasons=tuple(reasons.values()),
        list=facts,
        entity_id=entry.entity.id if entry else None,
        entity_name=entry.entity.name if entry else None,
        entity_country=entry.entity.country if entry else None,
    )
