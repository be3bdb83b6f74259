"""What somebody has to look after, told from a snapshot before anything breaks (TRUST 7.2 rules 3 to 5).

Pure: the time, what was remembered of signers and the measured clock are handed in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from trust_list.model import write_time
from trust_list.snapshot import Freshness, Listing, TrustSnapshot
from vc.clock import TOLERANCE
from vc.x509.certificate import sha256

NOTICE = timedelta(days=30)
"""How long before a signer's certificate or the root ends it is said: TRUST 4 has both replaced within months."""
SIGNER_TOLD = timedelta(days=1)
"""For how long a new signer is told."""
_ENDS_USE = frozenset({"list_never_accepted", "list_expired", "root_expired", "clock_set_back"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to look after. `list_id` None: it concerns all lists. `next`: what to do."""

    severity: Literal["error", "warning"]
    code: str
    list_id: str | None
    text: str
    next: str

    @property
    def ends_use(self) -> bool:
        """Whether nothing can be concluded until it is mended."""
        return self.code in _ENDS_USE

    def to_json(self) -> dict[str, str | None]:
        return {"severity": self.severity, "code": self.code, "list": self.list_id, "text": self.text, "next": self.next}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSigner:
    """The signer of a list as remembered: SHA-256 of its certificate in hex, the one before it if any, since when."""

    sha256: str
    before: str | None
    since: datetime


def signer_of(item: Listing) -> str | None:
    """SHA-256 (hex) of the certificate that sealed the accepted edition."""
    return sha256(item.accepted.signer).hex() if item.accepted is not None else None


def alerts(
    snapshot: TrustSnapshot,
    now: datetime,
    *,
    before: timedelta | None = None,
    signers: Mapping[str, KnownSigner] | None = None,
    skew: timedelta | None = None,
) -> tuple[Alert, ...]:
    """Everything to look after, what concerns all lists first.

    `before`: how long before a list's next update it is said, half the life of the edition unless given (TRUST 7.2 rule 4).
    `signers`: what is remembered by list id. `skew`: how far our clock is ahead of the publisher's, negative when behind.
    """
    found = [*_clock(snapshot, now, skew), *_root(snapshot, now)]
    for item in snapshot.lists.values():
        found += _list(item, now, before)
        found += _signer(item, now, (signers or {}).get(item.list_id))
    return tuple(found)


def _clock(snapshot: TrustSnapshot, now: datetime, skew: timedelta | None) -> Iterator[Alert]:
    if snapshot.clock_floor is not None and now < snapshot.clock_floor - TOLERANCE:
        text = f"our clock shows {write_time(now)}, earlier than what was seen before ({write_time(snapshot.clock_floor)})"
        yield _error("clock_set_back", None, text, "Set the clock of this machine; until then nothing is concluded.")
    if skew is not None and abs(skew) > TOLERANCE:
        way = "ahead of" if skew > timedelta() else "behind"
        text = f"our clock is {int(abs(skew).total_seconds())} seconds {way} the publisher's"
        yield _warning("clock_skew", None, text, "Compare both clocks with a time service and set the wrong one.")


def _root(snapshot: TrustSnapshot, now: datetime) -> Iterator[Alert]:
    ends = f"the trust root version {snapshot.root_version} ends at {write_time(snapshot.root_expires)}"
    if now > snapshot.root_expires:
        yield _error("root_expired", None, ends, "Install the next version of the trust root.")
    elif now > snapshot.root_expires - NOTICE:
        yield _warning("root_ends_soon", None, ends, "Have the next version of the trust root made and signed.")
    if snapshot.root_alarm is not None:
        text = f"a new trust root was offered and refused: {snapshot.root_alarm.text} ({snapshot.root_alarm.code})"
        yield _error("root_alarm", None, text, "Ask the operator of the root whether this offer was theirs.")


def _list(item: Listing, now: datetime, before: timedelta | None) -> Iterator[Alert]:
    state, name = item.freshness(now), item.list_id
    if item.alarm is not None:
        text = f"an edition was offered and refused: {item.alarm.text} ({item.alarm.code})"
        yield _error("list_alarm", name, text, "Ask the list's operator; the edition accepted before stays in use until it ends.")
    if item.outage is not None:
        text = f"the publisher could not be asked since {write_time(item.outage.first)}: {item.outage.text} ({item.outage.code})"
        yield _warning("list_outage", name, text, "See whether the publisher runs and is reachable from here.")
    if item.accepted is None or state is Freshness.NEVER:
        yield _error("list_never_accepted", name, "no edition has been accepted yet", "Publish it, or see why it was refused.")
        return
    due = item.accepted.next_update
    if state is Freshness.EXPIRED:
        text = f"the accepted edition has run out; its next update was due at {write_time(due)}"
        yield _error("list_expired", name, text, "Publish the next edition, or restore the way to the publisher.")
    elif now >= due - (before if before is not None else (due - item.accepted.issued_at) / 2):
        yield _warning("next_update_near", name, f"the next edition is due at {write_time(due)}", "Publish the next edition.")
    elif state is Freshness.AGEING:
        yield _warning("list_ageing", name, "the publisher has not confirmed the list for a while", "See whether it is reachable.")
    for finding in item.accepted.findings:
        text = f"{finding.text} (clause {finding.clause}, {finding.pointer})"
        yield _warning("finding", name, text, f"Mend it in the next edition: {finding.code}.")
    for note in item.accepted.notes:
        yield _warning("tolerated", name, f"tolerated when read: {note}", "Ask the list's operator to follow the standard.")


def _signer(item: Listing, now: datetime, known: KnownSigner | None) -> Iterator[Alert]:
    if item.accepted is None:
        return
    if known is not None and known.before is not None and now - known.since <= SIGNER_TOLD:
        text = f"the list is sealed by another certificate than before: {known.sha256[:16]}…, it was {known.before[:16]}…"
        yield _warning("signer_changed", item.list_id, text, "Compare with the operator's announcement of the change.")
    until = item.accepted.signer.not_valid_after_utc
    if now > until - NOTICE:
        text = f"the certificate of the list's signer ends at {write_time(until)}"
        yield _warning("signer_ends_soon", item.list_id, text, "Pin the next signer in the trust root, then seal with it.")


def _error(code: str, list_id: str | None, text: str, then: str) -> Alert:
    return Alert(severity="error", code=code, list_id=list_id, text=text, next=then)


def _warning(code: str, list_id: str | None, text: str, then: str) -> Alert:
    return Alert(severity="warning", code=code, list_id=list_id, text=text, next=then)
