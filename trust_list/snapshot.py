"""What a verifier knows about trust at one moment: the accepted lists and how fresh each is. A value; asking it reads no clock."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from cryptography import x509

from trust_list.accept import AcceptedList
from trust_list.anchors import Anchors
from trust_list.answers import AxisResult
from trust_list.profiles import profile
from trust_list.root import TrustRoot

FRESH_FOR = timedelta(hours=1)
MAX_AGE = timedelta(hours=24)
"""TRUST 7.2 rule 3: past this age an unrefreshed list has run out, even before its next update."""


class Freshness(StrEnum):
    FRESH = "FRESH"
    AGEING = "AGEING"
    EXPIRED = "EXPIRED"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that went wrong with a list: `code` and `text` of the error, when it was met first and last, how often."""

    code: str
    text: str
    first: datetime
    last: datetime
    count: int


class QualifiedSource(Protocol):
    """Says whether a seal is qualified, from national trusted lists (ETSI TS 119 612). A value like the snapshot itself:
    it reads neither clock nor network, so that the same question has the same answer."""

    def qualified(self, chain: tuple[x509.Certificate, ...], *, at: datetime) -> AxisResult:
        """The answer for the signer `chain[0]` at the time of signing: passed, failed, or not checked with the reason."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list as known now. `checked_at`: when the publisher last confirmed it. `alarm`: a bad list was offered and
    refused; `outage`: the publisher could not be reached. Neither replaces what was accepted before."""

    list_id: str
    accepted: AcceptedList | None
    anchors: Anchors | None = field(repr=False)
    checked_at: datetime | None
    alarm: Event | None = None
    outage: Event | None = None
    fresh_for: timedelta = FRESH_FOR
    max_age: timedelta = MAX_AGE

    def freshness(self, now: datetime) -> Freshness:
        """FRESH, AGEING (shown, still used), EXPIRED (nothing may be concluded), NEVER."""
        if self.accepted is None or self.checked_at is None:
            return Freshness.NEVER
        age = now - self.checked_at
        if now >= self.accepted.next_update or age > self.max_age:  # clause 6.3.15: no grace after the next update
            return Freshness.EXPIRED
        return Freshness.FRESH if age <= self.fresh_for else Freshness.AGEING


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSnapshot:
    """`lists` by id. `clock_floor`: a clock that shows an earlier time than this has been set back (TRUST 7.2 rule 5).
    `qualified`: who says whether a seal is qualified, None where no such source is known. `root_alarm`: a new trust root was
    offered and refused."""

    lists: Mapping[str, Listing]
    root_version: int
    root_expires: datetime
    clock_floor: datetime | None
    qualified: QualifiedSource | None = None
    root_alarm: Event | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the root version and the accepted editions: names the state of knowledge a decision rests on."""
        known = [f"root {self.root_version}"]
        for list_id, item in sorted(self.lists.items()):
            if item.accepted is not None:
                known.append(f"{list_id} {item.accepted.sequence} {item.accepted.state.digest.hex()}")
        return hashlib.sha256("\n".join(known).encode("ascii")).hexdigest()


def listing(
    accepted: AcceptedList, *, checked_at: datetime, fresh_for: timedelta = FRESH_FOR, max_age: timedelta = MAX_AGE
) -> Listing:
    """The listing of a list just accepted or confirmed, with its index built."""
    return Listing(
        list_id=accepted.list_id,
        accepted=accepted,
        anchors=Anchors(accepted.lote, profile(accepted.list_id)),
        checked_at=checked_at,
        fresh_for=fresh_for,
        max_age=max_age,
    )


def snapshot(
    listings: Mapping[str, Listing],
    root: TrustRoot,
    *,
    qualified: QualifiedSource | None = None,
    root_alarm: Event | None = None,
) -> TrustSnapshot:
    """The snapshot of `listings` under `root`, with the clock floor that follows from them."""
    floors = [
        moment
        for item in listings.values()
        if item.accepted is not None
        for moment in (item.accepted.issued_at, item.accepted.state.seen_at, item.checked_at)
        if moment is not None
    ]
    return TrustSnapshot(
        lists=dict(listings),
        root_version=root.version,
        root_expires=root.expires,
        clock_floor=max(floors, default=None),
        qualified=qualified,
        root_alarm=root_alarm,
    )
