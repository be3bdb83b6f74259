"""Status list tokens already fetched, kept as bytes; whoever reads one verifies it again."""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptToken:
    """A token as received, with the time it says it was issued and the time we got it."""

    token: bytes
    issued_at: datetime
    fetched_at: datetime


class TokenMemory(Protocol):
    """Keeps fetched tokens beyond one process, the newest of each list."""

    def get(self, uri: str, kind: str) -> KeptToken | None:
        """The kept token of this list, if any."""
        ...

    def put(self, uri: str, kind: str, kept: KeptToken) -> None:
        """Keep `kept` unless a token issued later is already there."""
        ...


MAX_KEPT = 256 << 20
"""Octets a `ShortMemory` keeps at most; beyond it the list that was put in first goes."""


class ShortMemory:
    """A token memory for one process."""

    def __init__(self, *, max_kept: int = MAX_KEPT) -> None:
        self._kept: dict[tuple[str, str], KeptToken] = {}
        self._lock, self._max_kept = threading.Lock(), max_kept

    def get(self, uri: str, kind: str) -> KeptToken | None:
        """See `TokenMemory.get`."""
        return self._kept.get((uri, kind))

    def put(self, uri: str, kind: str, kept: KeptToken) -> None:
        """See `TokenMemory.put`."""
        with self._lock:
            held = self._kept.get((uri, kind))
            if held is not None and held.issued_at > kept.issued_at:
                return
            self._kept.pop((uri, kind), None)
            self._kept[uri, kind] = kept
            while len(self._kept) > 1 and sum(len(one.token) for one in self._kept.values()) > self._max_kept:
                del self._kept[next(iter(self._kept))]
