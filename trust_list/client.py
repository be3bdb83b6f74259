"""The consumer of lists: fetches, accepts, stores, then uses; keeps the last good list through outages and bad offers.

An outage (nothing or nothing usable came) and an alarm (a list came and was refused) are different events. Neither
replaces an accepted list, which lasts until its own end (TRUST 7.2 rules 3 and 4).
"""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

import structlog

from edge.outbound import Fetched
from trust_list.accept import accept, reopen
from trust_list.jades import MAX_JWS
from trust_list.root import RootList, TrustRoot
from trust_list.snapshot import MAX_AGE, Event, Listing, TrustSnapshot, listing, snapshot
from trust_list.state import StateStore, Stored
from vc.clock import Clock
from vc.errors import Malformed, Refused, Unreachable, VcError

_log = structlog.get_logger("trust_list")

WAIT_SECONDS = 2.0
"""How long a caller of `snapshot` waits for a refresh that is under way before it gets what is known."""
FIRST_WAIT_SECONDS = 15.0
"""As long as nothing was ever asked, waiting is better than knowing nothing."""
BACK_OFF_LIMIT = timedelta(minutes=15)
_PERSIST_CHECKS_EVERY = timedelta(minutes=1)
_MIN_FRESH = timedelta(minutes=1)


class Getter(Protocol):
    """The one thing needed of `edge.outbound.Outbound`."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched: ...


@dataclass(slots=True)
class _Slot:
    """What is known of one list, and when to ask next."""

    listing: Listing
    etag: str | None = None
    due: datetime | None = None
    failures: int = 0
    persisted_check: datetime | None = None


class TrustClient:
    """Lists of one trust root. Thread-safe. Starts from what was stored; the constructor does not touch the network.

    `refresh_seconds`: how often the publisher is asked while it answers. `max_age`: how long an accepted list is used
    without being confirmed. Raises `VcError` when the root file cannot be read: without a root there is nothing to trust.
    """

    def __init__(
        self,
        root_path: Path,
        state_dir: Path,
        outbound: Getter,
        clock: Clock,
        refresh_seconds: float,
        *,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        self._root_path, self._outbound, self._clock = root_path, outbound, clock
        self._store = StateStore(state_dir)
        self._every = timedelta(seconds=refresh_seconds)
        self._fresh_for = max(3 * self._every, _MIN_FRESH)
        self._max_age = max_age
        self._lock = threading.Lock()  # guards the members below, held for moments only
        self._refreshing = threading.Lock()  # one refresh at a time
        self._worker: threading.Thread | None = None
        self._slots: dict[str, _Slot] = {}
        self._root = self._read_root()
        self._adopt_root(self._root)

    def refresh(self, *, force: bool = False) -> TrustSnapshot:
        """Ask for every list that is due (all of them with `force`) and return what is known then.

        Never raises for an outage or a bad list: both are recorded in the snapshot.
        """
        with self._refreshing:
            self._reload_root()
            now = self._clock()
            for list_id in list(self._slots):
                if force or self._due(list_id, now):
                    self._refresh_one(list_id)
        return self._current()

    def snapshot(self) -> TrustSnapshot:
        """What is known now. Refreshes when due; a slow publisher delays the caller by `WAIT_SECONDS`
        at most, by `FIRST_WAIT_SECONDS` the first time."""
        now = self._clock()
        if any(self._due(list_id, now) for list_id in list(self._slots)):
            with self._lock:
                worker = self._worker
                if worker is None or not worker.is_alive():
                    worker = threading.Thread(target=self.refresh, name="trust-list-refresh", daemon=True)
                    self._worker = worker
                    worker.start()
            first = any(slot.due is None and slot.listing.accepted is None for slot in self._slots.values())
            worker.join(FIRST_WAIT_SECONDS if first else WAIT_SECONDS)
        return self._current()

    def _current(self) -> TrustSnapshot:
        with self._lock:
            return snapshot({list_id: slot.listing for list_id, slot in self._slots.items()}, self._root)

    def _due(self, list_id: str, now: datetime) -> bool:
        slot = self._slots[list_id]
        # A due time far ahead means that our clock was set back: ask again rather than wait for the past to return.
        return slot.due is None or now >= slot.due or slot.due - now > max(self._every, BACK_OFF_LIMIT)

    def _refresh_one(self, list_id: str) -> None:
        slot, entry, now = self._slots[list_id], self._root.for_list(list_id), self._clock()
        try:
            fetched = self._fetch(entry, slot)
        except (Unreachable, Refused) as exc:
            self._note(slot, "outage", exc, now)
            return
        try:
            self._take(list_id, slot, fetched, now)
        except VcError as exc:
            self._note(slot, "alarm", exc, now)
            return
        except OSError:
            self._note(slot, "outage", Unreachable("state_unwritable", "the state of the list cannot be stored"), now)
            return
        with self._lock:
            slot.due, slot.failures = now + self._every, 0
            slot.listing = replace(slot.listing, alarm=None, outage=None)

    def _fetch(self, entry: RootList, slot: _Slot) -> Fetched | None:
        """The publisher's answer, None for 304. Raises `Unreachable` or `Refused`."""
        headers = {"accept": "application/jose"}
        if slot.etag is not None and slot.listing.accepted is not None:
            headers["if-none-match"] = slot.etag
        fetched = self._outbound.get(entry.uri, headers=headers, max_bytes=MAX_JWS)
        if fetched.status == 304 and "if-none-match" in headers:
            return None
        if fetched.status != 200:
            raise Unreachable("status", f"the publisher answered with HTTP status {fetched.status}")
        return fetched

    def _take(self, list_id: str, slot: _Slot, fetched: Fetched | None, now: datetime) -> None:
        """Accept and store what came, then use it."""
        if fetched is None:
            self._confirm(slot, now)
            return
        known = slot.listing.accepted
        state = known.state if known is not None else None
        accepted = accept(list_id, fetched.body, root=self._root, state=state, now=now)
        etag = fetched.headers.get("etag")
        if not self._store.save(accepted, checked_at=now, etag=etag):
            self._load(list_id, slot)  # another process was ahead
            return
        changed = known is None or known.state.digest != accepted.state.digest
        if changed:
            _say("info", "list accepted", list=list_id, sequence=accepted.sequence, notes=len(accepted.notes))
        with self._lock:
            slot.listing = listing(accepted, checked_at=now, fresh_for=self._fresh_for, max_age=self._max_age)
            slot.etag, slot.persisted_check = etag, now

    def _confirm(self, slot: _Slot, now: datetime) -> None:
        """The publisher says nothing changed. Only the accepted list's own end still bounds it."""
        accepted = slot.listing.accepted
        assert accepted is not None
        if slot.persisted_check is None or now - slot.persisted_check >= _PERSIST_CHECKS_EVERY:
            if not self._store.save(accepted, checked_at=now, etag=slot.etag):
                self._load(accepted.list_id, slot)
                return
            slot.persisted_check = now
        with self._lock:
            slot.listing = replace(slot.listing, checked_at=now)

    def _note(self, slot: _Slot, kind: Literal["alarm", "outage"], exc: VcError, now: datetime) -> None:
        """Record an event and back off, with jitter so that many verifiers do not return at once."""
        before = slot.listing.alarm if kind == "alarm" else slot.listing.outage
        same = before is not None and before.code == exc.code
        event = Event(
            code=exc.code,
            text=exc.detail,
            first=before.first if before is not None and same else now,
            last=now,
            count=before.count + 1 if before is not None and same else 1,
        )
        if not same:
            _say("warning", f"list {kind}", list=slot.listing.list_id, code=exc.code)
        pause = min(self._every * 2 ** min(slot.failures, 10), max(BACK_OFF_LIMIT, self._every))
        with self._lock:
            slot.failures += 1
            slot.due = now + pause * random.uniform(0.75, 1.0)  # noqa: S311 — jitter, no secret
            alarm = kind == "alarm"
            slot.listing = replace(slot.listing, alarm=event) if alarm else replace(slot.listing, outage=event)

    def _read_root(self) -> TrustRoot:
        return TrustRoot.load(self._root_path.read_bytes())

    def _reload_root(self) -> None:
        """A new version of the root file takes effect; an unreadable or older one does not and is logged."""
        try:
            root = self._read_root()
        except (OSError, VcError):
            _say("warning", "trust root unreadable")
            return
        if root.version > self._root.version:
            self._adopt_root(root)
        elif root != self._root:
            _say("warning", "trust root changed without a higher version")

    def _adopt_root(self, root: TrustRoot) -> None:
        slots = {}
        for entry in root.lists:
            slot = _Slot(listing=Listing(list_id=entry.id, accepted=None, anchors=None, checked_at=None))
            slots[entry.id] = slot
        with self._lock:
            self._root, self._slots = root, slots
        for list_id, slot in slots.items():
            self._load(list_id, slot)

    def _load(self, list_id: str, slot: _Slot) -> None:
        """Use what is stored for this root, seal and rules checked again as of when it was accepted."""
        try:
            stored = self._store.load(list_id)
            if stored is None or not stored.state.binds(self._root.for_list(list_id), self._root):
                return
            self._use(list_id, slot, stored)
        except VcError as exc:
            event = Event(code=exc.code, text=exc.detail, first=self._clock(), last=self._clock(), count=1)
            _say("warning", "stored list refused", list=list_id, code=exc.code)
            with self._lock:
                slot.listing = replace(slot.listing, alarm=event)

    def _use(self, list_id: str, slot: _Slot, stored: Stored) -> None:
        accepted = reopen(list_id, stored.jws, root=self._root, seen_at=stored.state.seen_at)
        if accepted.state != stored.state:
            raise Malformed("state_unreadable", "the stored list is not the one the stored state speaks of")
        with self._lock:
            slot.listing = listing(accepted, checked_at=stored.checked_at, fresh_for=self._fresh_for, max_age=self._max_age)
            slot.etag, slot.persisted_check = stored.etag, stored.checked_at


def _say(level: Literal["info", "warning"], event: str, **facts: object) -> None:
    """Log an event, once a service has set up its log. A command has not: its stdout is a document, and words would spoil it."""
    if structlog.is_configured():
        _log.log({"info": 20, "warning": 30}[level], event, **facts)
