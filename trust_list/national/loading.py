"""Fetches the list of lists and the national lists, keeps the last good edition of each, and says what is known.

What was kept is verified again whenever it is used; an edition older than a kept one, or another one under the same number, never
replaces it. An outage leaves what is known as it is, until its own end.
"""

import hashlib
import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from edge.outbound import FetchLimits
from trust_list.client import Getter
from trust_list.national.lists import NationalLists
from trust_list.national.model import Pointer, TrustedList
from trust_list.national.opening import Fetch, ListOfLists, open_lotl, open_national
from trust_list.national.reading import MAX_XML
from trust_list.pacing import say
from trust_list.store import write_atomically
from vc.clock import Clock
from vc.errors import Malformed, Refused, Unreachable, VcError

LIMITS = FetchLimits(total_seconds=60.0, max_bytes=MAX_XML)
_EVERY = timedelta(hours=4)
"""ETSI TS 119 615: a kept list is asked for again after four hours at most."""
_RETRY = timedelta(minutes=15)
_List = TypeVar("_List", TrustedList, ListOfLists)


class NationalSource:
    """`source`: address or file of the list of lists; `signers`: its certificates in the Official Journal, all of them. Safe to
    share between threads; only `refresh` and the thread that `known` starts touch the network."""

    def __init__(self, source: str, signers: Collection[x509.Certificate], *, folder: Path, outbound: Getter, clock: Clock) -> None:
        self._source, self._signers, self._folder = source, tuple(signers), folder
        self._outbound, self._clock = outbound, clock
        self._lock, self._refreshing = threading.Lock(), threading.Lock()
        self._worker: threading.Thread | None = None
        self._due: datetime | None = None
        self._lotl: ListOfLists | None = None
        self._lists: dict[str, TrustedList] = {}
        self._missing: dict[str, str] = {}

    def known(self) -> NationalLists:
        """What is known now; starts a refresh when one is due and waits for none."""
        now = self._clock()
        with self._lock:
            if (self._due is None or now >= self._due) and (self._worker is None or not self._worker.is_alive()):
                self._worker = threading.Thread(target=self.refresh, name="national-lists-refresh", daemon=True)
                self._worker.start()
            lotl = self._lotl.list if self._lotl is not None else None
            return NationalLists(as_of=now, lotl=lotl, lists=tuple(self._lists.values()), missing=dict(self._missing))

    def refresh(self) -> ListOfLists | None:
        """Ask for everything anew. Never raises for an outage or a bad list: the one before stays."""
        with self._refreshing:
            now = self._clock()
            try:
                lotl = self.list_of_lists()
            except (VcError, OSError) as exc:
                say("warning", "list of trusted lists refused", code=getattr(exc, "code", "file"))
                with self._lock:
                    self._due = now + _RETRY
                return None
            lists: dict[str, TrustedList] = {}
            missing: dict[str, str] = {}
            for pointer in lotl.national:
                try:
                    lists[pointer.territory] = self.national(pointer)
                except VcError as exc:
                    missing[pointer.territory] = exc.code
                    say("warning", "national trusted list refused", territory=pointer.territory, code=exc.code)
            with self._lock:
                self._lotl, self._lists, self._missing = lotl, lists, missing
                self._due = now + (_RETRY if missing else _EVERY)
            return lotl

    def list_of_lists(self) -> ListOfLists:
        """The newest list of lists that can be believed. Raises `VcError` when there is none."""
        now = self._clock()

        def opened(data: bytes, fetch: Fetch) -> ListOfLists:
            return open_lotl(data, self._signers, fetch, now=now)

        return self._newest(self._source, opened)

    def national(self, pointer: Pointer) -> TrustedList:
        """The newest list of one country that can be believed. Raises `VcError` when there is none."""
        now = self._clock()

        def opened(data: bytes, _: Fetch) -> TrustedList:
            return open_national(data, pointer, now=now)

        return self._newest(pointer.location, opened)

    def _newest(self, address: str, opened: Callable[[bytes, Fetch], _List]) -> _List:
        """The edition at `address`, or the kept one where the other is worse or not to be had."""
        try:
            held = opened(self._kept(address), self._kept)
        except VcError:
            held = None
        fresh: dict[str, bytes] = {}

        def fetch(other: str) -> bytes:
            fresh[other] = self._fetch(other)
            return fresh[other]

        try:
            found = opened(fetch(address), fetch)
            if held is not None:
                _check_follows(_edition(found), _edition(held))
        except VcError as exc:
            if held is None:
                raise
            say("warning", "trusted list kept, the one offered is not used", code=exc.code)
            return held
        self._folder.mkdir(parents=True, exist_ok=True)
        for other, data in fresh.items():
            write_atomically(self._place(other), data)
        return found

    def _fetch(self, address: str) -> bytes:
        if address == self._source and "://" not in address:  # a file is what the operator named, never what a list names
            path = Path(address)
            if path.stat().st_size > MAX_XML:
                raise Malformed("too_large", "the list is too long")
            return path.read_bytes()
        fetched = self._outbound.get(address, max_bytes=MAX_XML)
        if fetched.status != 200:
            raise Unreachable("status", f"the publisher answered with HTTP status {fetched.status}")
        return fetched.body

    def _kept(self, address: str) -> bytes:
        try:
            return self._place(address).read_bytes()
        except OSError as exc:
            raise Unreachable("not_kept", "no edition of this list was kept") from exc

    def _place(self, address: str) -> Path:
        return self._folder / f"{hashlib.sha256(address.encode()).hexdigest()}.xml"


def _edition(found: TrustedList | ListOfLists) -> TrustedList:
    return found.list if isinstance(found, ListOfLists) else found


def _check_follows(found: TrustedList, held: TrustedList) -> None:
    if found.sequence < held.sequence:
        raise Refused("rollback", "the list offered is older than the one kept")
    if found.sequence == held.sequence and found.digest != held.digest:
        raise Refused("conflict", "two lists bear the same number")
