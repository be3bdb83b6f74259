"""Status list tokens already fetched, kept as bytes; whoever reads one verifies it again."""

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


class ShortMemory:
    """A token memory for one process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], KeptToken] = {}

    def get(self, uri: str, kind: str) -> KeptToken | None:
        """See `TokenMemory.get`."""
        return self._kept.get((uri, kind))

    def put(self, uri: str, kind: str, kept: KeptToken) -> None:
        """See `TokenMemory.put`."""
        held = self._kept.get((uri, kind))
        if held is None or held.issued_at <= kept.issued_at:
            self._kept[uri, kind] = kept
