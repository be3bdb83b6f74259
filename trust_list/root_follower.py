"""The root in force: the installed file, and what follows from it by signature (TRUST 7.2 rule 1; `root_chain`)."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from edge.outbound import Fetched
from trust_list.pacing import again, say, until_next
from trust_list.root import TrustRoot
from trust_list.root_chain import MAX_SIGNED, MAX_STEPS, RootStore, successor
from trust_list.snapshot import Event
from vc.errors import Refused, Unreachable, VcError


class Getter(Protocol):
    """The one thing needed of `edge.outbound.Outbound`."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched: ...


class RootFollower:
    """Not thread-safe: its owner asks from one thread at a time. `root` is in force, `alarm` what was offered and refused.

    The constructor raises `VcError` or OSError when the installed root cannot be read, `root_chain_broken` when a newer root
    was accepted before and does not follow from it.
    """

    def __init__(self, installed: Path, state_dir: Path, outbound: Getter, every: timedelta) -> None:
        self._installed, self._store, self._outbound, self._every = installed, RootStore(state_dir), outbound, every
        self._due: datetime | None = None
        self._failures = 0
        self.alarm: Event | None = None
        self.root = self._store.latest(self._read())

    def advance(self, now: datetime, *, force: bool) -> Iterator[TrustRoot]:
        """Each new root in turn, which is then in force; none when there is nothing new. Never raises."""
        yield from self._reload()
        if self.root.updates is None or not (force or self._due is None or now >= self._due):
            return
        try:
            yield from self._follow(self.root.updates)
        except (Unreachable, OSError) as exc:
            say("warning", "trust root not refreshed", code=exc.code if isinstance(exc, VcError) else "state_unwritable")
            self._failures += 1
        except VcError as exc:
            self.alarm = again(self.alarm, exc, now)
            if self.alarm.count == 1:
                say("warning", "trust root alarm", code=exc.code)
            self._failures += 1
        else:
            self.alarm, self._failures = None, 0
        self._due = now + until_next(self._every, self._failures)

    def _follow(self, updates: str) -> Iterator[TrustRoot]:
        """Ask for the next versions step by step; store each before it is used."""
        for _ in range(MAX_STEPS):
            offered = self._fetch(f"{updates}{self.root.version + 1}.jws")
            if offered is None:
                return
            following = successor(self.root, offered)
            self._store.save(following, offered)
            say("info", "trust root followed", version=following.version)
            self.root = following
            yield following
            if following.updates is None:
                return
            updates = following.updates

    def _fetch(self, address: str) -> bytes | None:
        """What stands at `address`, None when there is nothing yet. Raises `Unreachable`."""
        try:
            fetched = self._outbound.get(address, headers={"accept": "application/jose+json"}, max_bytes=MAX_SIGNED)
        except Refused as exc:  # we do not go to such an address: nothing was offered
            raise Unreachable(exc.code, exc.detail) from exc
        if fetched.status == 404:
            return None
        if fetched.status != 200:
            raise Unreachable("status", f"the publisher answered with HTTP status {fetched.status}")
        return fetched.body

    def _reload(self) -> Iterator[TrustRoot]:
        """A new version of the installed file takes effect; an unreadable or older one does not and is logged.

        A root with keys is followed by signature only, for as long as we run: whoever can write the file could not sign."""
        try:
            installed = self._read()
        except (OSError, VcError):
            say("warning", "trust root unreadable")
            return
        if self.root.keys:
            return
        if installed.version > self.root.version:
            self.root = installed
            yield installed
        elif installed != self.root:
            say("warning", "trust root changed without a higher version")

    def _read(self) -> TrustRoot:
        return TrustRoot.load(self._installed.read_bytes())
