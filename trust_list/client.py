"""The consumer of lists: fetches, accepts, stores, then uses; keeps the last good list through outages and bad offers.

An outage (nothing or nothing usable came) and an alarm (a list came and was refused) are different events. Neither
replaces an accepted list, which lasts until its own end (TRUST 7.2 rules 3 and 4). The same holds for the trust root, which is
followed from version to version where it has keys (rule 1).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from edge.outbound import Fetched
from trust_list.accept import accept, reopen
from trust_list.jades import MAX_JWS
from trust_list.pacing import BACK_OFF_LIMIT, again, say, until_next
from trust_list.root import RootList, TrustRoot
from trust_list.root_follower import Getter, RootFollower
from trust_list.snapshot import MAX_AGE, Event, Listing, QualifiedSource, TrustSnapshot, listing, snapshot
from trust_list.state import StateStore, Stored
from vc.clock import TOLERANCE, Clock
from vc.errors import Malformed, Refused, Unreachable, VcError

__all__ = ["BACK_OFF_LIMIT", "FIRST_WAIT_SECONDS", "WAIT_SECONDS", "Getter", "TrustClient"]

WAIT_SECONDS = 2.0
"""How long a caller of `snapshot` waits for a refresh that is under way before it gets what is known."""
FIRST_WAIT_SECONDS = 15.0
"""As long as nothing was ever asked, waiting is better than knowing nothing."""
_PERSIST_CHECKS_EVERY = timedelta(minutes=1)
_MIN_FRESH = timedelta(minutes=1)
_SHORTEST_PAUSE = 0.05


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

    Lists are refreshed when somebody asks, and between `start` and `close` (or in a `with` block) by a thread of its own as
    well. `refresh_seconds`: how often the publisher is asked while it answers. `max_age`: how long an accepted list is used
    without being confirmed. `qualified`: where a national trusted list is known, the source of that answer, asked for at each
    snapshot. Raises `VcError` when the root file cannot be read, or `root_chain_broken` when a newer root was accepted before
    and does not follow from it: without a root there is nothing to trust.
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
        qualified: Callable[[], QualifiedSource | None] | None = None,
    ) -> None:
        self._outbound, self._clock, self._qualified = outbound, clock, qualified
        self._store = StateStore(state_dir)
        self._every = timedelta(seconds=refresh_seconds)
        self._fresh_for = max(3 * self._every, _MIN_FRESH)
        self._max_age = max_age
        self._lock = threading.Lock()  # guards the members below, held for moments only
        self._refreshing = threading.Lock()  # one refresh at a time
        self._worker: threading.Thread | None = None
        self._keeper: threading.Thread | None = None
        self._stop = threading.Event()
        self._slots: dict[str, _Slot] = {}
        self._follower = RootFollower(root_path, state_dir, outbound, self._every)
        self._root = self._follower.root
        self._adopt_root(self._root)

    def start(self) -> None:
        """Refresh in the background, each list when it is due, until `close`. Calling it again changes nothing."""
        with self._lock:
            if self._keeper is None:
                self._stop.clear()
                self._keeper = threading.Thread(target=self._keep_fresh, name="trust-list-keeper", daemon=True)
                self._keeper.start()

    def close(self) -> None:
        """End the background work and wait for what is under way, at most as long as one round of requests may take.

        What is known stays usable; nothing is asked for any more unless `start` is called again."""
        self._stop.set()
        with self._lock:
            threads, self._keeper = (self._keeper, self._worker), None
        for thread in threads:
            if thread is not None and thread is not threading.current_thread():
                thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep_fresh(self) -> None:
        while not self._stop.is_set():
            self.refresh()
            now = self._clock()
            dues = [slot.due for slot in list(self._slots.values()) if slot.due is not None]
            pause = (min(dues, default=now + self._every) - now).total_seconds()
            self._stop.wait(min(max(pause, _SHORTEST_PAUSE), max(self._every.total_seconds(), _SHORTEST_PAUSE)))

    def refresh(self, *, force: bool = False) -> TrustSnapshot:
        """Ask for every list that is due (all of them with `force`) and return what is known then.

        Never raises for an outage or a bad list: both are recorded in the snapshot.
        """
        with self._refreshing:
            for root in self._follower.advance(self._clock(), force=force):
                self._adopt_root(root)
            now = self._clock()
            for list_id, slot in list(self._slots.items()):
                if self._stop.is_set():
                    break
                if force or self._due(slot, now):
                    self._refresh_one(list_id)
        return self._current()

    def snapshot(self) -> TrustSnapshot:
        """What is known now. Refreshes when due; a slow publisher delays the caller by `WAIT_SECONDS`
        at most, by `FIRST_WAIT_SECONDS` the first time."""
        now = self._clock()
        if not self._stop.is_set() and any(self._due(slot, now) for slot in list(self._slots.values())):
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
            listings, root, alarm = (
                {list_id: slot.listing for list_id, slot in self._slots.items()},
                self._root,
                self._follower.alarm,
            )
        return snapshot(listings, root, qualified=self._qualified() if self._qualified else None, root_alarm=alarm)

    def _due(self, slot: _Slot, now: datetime) -> bool:
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
            slot.due, slot.failures = now + until_next(self._every, 0), 0
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
        # Made before anything is stored: a list that cannot be arranged for questions must not replace one that can.
        usable = listing(accepted, checked_at=now, fresh_for=self._fresh_for, max_age=self._max_age)
        etag = fetched.headers.get("etag")
        if not self._store.save(accepted, checked_at=now, etag=etag):
            self._load(list_id, slot)  # another process was ahead
            return
        changed = known is None or known.state.digest != accepted.state.digest
        if changed:
            say("info", "list accepted", list=list_id, sequence=accepted.sequence, notes=len(accepted.notes))
        with self._lock:
            slot.listing = usable
            slot.etag, slot.persisted_check = etag, now

    def _confirm(self, slot: _Slot, now: datetime) -> None:
        """The publisher says nothing changed. Only the accepted list's own end still bounds it."""
        accepted, before = slot.listing.accepted, slot.listing.checked_at
        assert accepted is not None
        if before is not None and now < before - TOLERANCE:
            return  # our clock was set back (TRUST 7.2 rule 5): it may not say when something was seen
        if slot.persisted_check is None or now - slot.persisted_check >= _PERSIST_CHECKS_EVERY:
            if not self._store.save(accepted, checked_at=now, etag=slot.etag):
                self._load(accepted.list_id, slot)
                return
            slot.persisted_check = now
        with self._lock:
            slot.listing = replace(slot.listing, checked_at=now)

    def _note(self, slot: _Slot, kind: Literal["alarm", "outage"], exc: VcError, now: datetime) -> None:
        """Record an event and back off, with jitter so that many verifiers do not return at once."""
        event = again(slot.listing.alarm if kind == "alarm" else slot.listing.outage, exc, now)
        if event.count == 1:
            say("warning", f"list {kind}", list=slot.listing.list_id, code=exc.code)
        with self._lock:
            slot.failures += 1
            slot.due = now + until_next(self._every, slot.failures)
            alarm = kind == "alarm"
            slot.listing = replace(slot.listing, alarm=event) if alarm else replace(slot.listing, outage=event)

    def _adopt_root(self, root: TrustRoot) -> None:
        before = self._root
        slots = {}
        for entry in root.lists:
            slot = _Slot(listing=Listing(list_id=entry.id, accepted=None, anchors=None, checked_at=None))
            slots[entry.id] = slot
            if before is not root:
                self._carry_over(before, root, entry)
        with self._lock:
            self._root, self._slots = root, slots
        for list_id, slot in slots.items():
            self._load(list_id, slot)

    def _carry_over(self, before: TrustRoot, root: TrustRoot, entry: RootList) -> None:
        """Keep list and floor under a new root that says the same about the list; only what it says anew resets a floor."""
        if entry not in before.lists:
            return
        try:
            stored = self._store.load(entry.id)
            if stored is not None and stored.state.binds(entry, before):
                accepted = reopen(entry.id, stored.jws, root=root, seen_at=stored.state.seen_at)
                self._store.save(accepted, checked_at=stored.checked_at, etag=stored.etag)
        except (VcError, OSError):
            say("warning", "stored list not carried over", list=entry.id)

    def _load(self, list_id: str, slot: _Slot) -> None:
        """Use what is stored for this root, seal and rules checked again as of when it was accepted."""
        try:
            stored = self._store.load(list_id)
            if stored is None or not stored.state.binds(self._root.for_list(list_id), self._root):
                return
            self._use(list_id, slot, stored)
        except VcError as exc:
            event = Event(code=exc.code, text=exc.detail, first=self._clock(), last=self._clock(), count=1)
            say("warning", "stored list refused", list=list_id, code=exc.code)
            with self._lock:
                slot.listing = replace(slot.listing, alarm=event)

    def _use(self, list_id: str, slot: _Slot, stored: Stored) -> None:
        accepted = reopen(list_id, stored.jws, root=self._root, seen_at=stored.state.seen_at)
        if accepted.state != stored.state:
            raise Malformed("state_unreadable", "the stored list is not the one the stored state speaks of")
        with self._lock:
            slot.listing = listing(accepted, checked_at=stored.checked_at, fresh_for=self._fresh_for, max_age=self._max_age)
            slot.etag, slot.persisted_check = stored.etag, stored.checked_at
