"""What a decision should be read with: it changes no outcome, but somebody should know (TRUST 7.2 rules 3, 4, 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from trust_list.answers import AxisResult, Result
from trust_list.model import write_time
from trust_list.query import TrustQuery
from trust_list.snapshot import Freshness, Listing, TrustSnapshot

ROOT_ENDS_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustWarning:
    """`code` for programs, `text` for people."""

    code: str
    text: str


def about(
    query: TrustQuery,
    snapshot: TrustSnapshot,
    listing: Listing | None,
    answers: Mapping[str, AxisResult],
    withdrawn_at: datetime | None,
) -> tuple[TrustWarning, ...]:
    """The warnings of one decision, gravest first."""
    told: list[tuple[str, str]] = []
    if withdrawn_at is not None and answers["listed"].result is not Result.FAILED:
        told.append(("withdrawn_since", f"the issuer counted when it signed and is withdrawn since {write_time(withdrawn_at)}"))
    if snapshot.root_alarm is not None:
        told.append(("root_alarm", f"a new trust root was offered and refused: {snapshot.root_alarm.text}"))
    if listing is not None:
        told += _of_list(listing, query.clock)
    if timedelta(0) <= snapshot.root_expires - query.clock < ROOT_ENDS_WITHIN:
        told.append(("root_ends", f"the trust root ends on {write_time(snapshot.root_expires)}"))
    qualified = answers["qualified"]
    if qualified.result is Result.FAILED:
        told.append(("not_qualified", qualified.detail))
    return tuple(TrustWarning(code=code, text=text) for code, text in told)


def _of_list(listing: Listing, clock: datetime) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    accepted, checked = listing.accepted, listing.checked_at
    if listing.alarm is not None:
        told.append(("list_alarm", f"list {listing.list_id}: a bad edition was offered and refused: {listing.alarm.text}"))
    if listing.outage is not None:
        told.append(("list_outage", f"list {listing.list_id} could not be refreshed: {listing.outage.text}"))
    if accepted is None or checked is None:
        return told
    if listing.freshness(clock) is Freshness.AGEING:
        hours = (clock - checked) // timedelta(hours=1)
        told.append(("list_ageing", f"list {listing.list_id} was last confirmed {hours} hour(s) ago"))
    half = accepted.issued_at + (accepted.next_update - accepted.issued_at) / 2
    if listing.outage is not None and half <= clock < accepted.next_update:
        end = write_time(accepted.next_update)
        told.append(("list_half_life", f"list {listing.list_id} cannot be refreshed and will run out on {end}"))
    told += [("list_tolerated", f"list {listing.list_id} edition {accepted.sequence}: {note}") for note in accepted.notes]
    return told
