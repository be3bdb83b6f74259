"""The watchdog: asks for the lists as a verifier does, remembers their signers, compares clocks, and says what to look after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from edge.outbound import Fetched
from trust_list.client import Getter, TrustClient
from trust_list.health import Alert, KnownSigner, alerts, signer_of
from trust_list.model import read_time, write_time
from trust_list.snapshot import TrustSnapshot
from trust_list.store import write_atomically
from vc.clock import Clock
from vc.encoding import json
from vc.errors import Malformed

MEMORY = "signers.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one look found."""

    at: datetime
    snapshot: TrustSnapshot
    alerts: tuple[Alert, ...]
    skew: timedelta | None

    @property
    def exit_code(self) -> int:
        """0 all is well, 1 something to look after, 2 a list cannot be used as things are."""
        return 2 if any(alert.ends_use for alert in self.alerts) else 1 if self.alerts else 0

    def to_json(self) -> dict[str, Any]:
        return {
            "at": write_time(self.at),
            "outcome": ("well", "warned", "undetermined")[self.exit_code],
            "skew_seconds": None if self.skew is None else int(self.skew.total_seconds()),
            "lists": {item.list_id: item.freshness(self.at).value for item in self.snapshot.lists.values()},
            "alerts": [alert.to_json() for alert in self.alerts],
        }


class Watch:
    """Looks at every list of a trust root, again and again. `folder` holds what is remembered from look to look.

    Raises what `TrustClient` raises for the root, `Malformed("state_unreadable")` for an unreadable memory.
    """

    def __init__(self, root_path: Path, folder: Path, outbound: Getter, clock: Clock, *, before: timedelta | None = None) -> None:
        self._clock, self._before = clock, before
        self._memory = folder / MEMORY
        self._times = _Times(outbound, clock)
        self._signers = _read(self._memory)
        self._client = TrustClient(root_path, folder, self._times, clock, 60)

    def look(self) -> Round:
        """Ask for every list, remember who seals them, and tell. Never raises for an outage or a bad list."""
        self._times.skew = None
        known = self._client.refresh(force=True)
        now = self._clock()
        self._remember(known, now)
        found = alerts(known, now, before=self._before, signers=self._signers, skew=self._times.skew)
        return Round(at=now, snapshot=known, alerts=found, skew=self._times.skew)

    def _remember(self, known: TrustSnapshot, now: datetime) -> None:
        told = dict(self._signers)
        for item in known.lists.values():
            current, before = signer_of(item), told.get(item.list_id)
            if current is not None and (before is None or before.sha256 != current):
                told[item.list_id] = KnownSigner(sha256=current, before=before.sha256 if before else None, since=now)
        if told != self._signers:
            rows = {name: {"sha256": s.sha256, "before": s.before, "since": write_time(s.since)} for name, s in told.items()}
            write_atomically(self._memory, json.dumps(rows))
            self._signers = told


class _Times:
    """A getter that notes how far our clock is from the servers' that answer; the largest difference of a look counts."""

    def __init__(self, outbound: Getter, clock: Clock) -> None:
        self._outbound, self._clock = outbound, clock
        self.skew: timedelta | None = None

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        fetched = self._outbound.get(url, headers=headers, max_bytes=max_bytes)
        theirs = _server_time(fetched.headers)
        if theirs is not None:
            apart = self._clock() - theirs
            if self.skew is None or abs(apart) > abs(self.skew):
                self.skew = apart
        return fetched


def _server_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock when it answered: Date, plus Age for what a cache had kept (RFC 9110 §6.6.1, RFC 9111 §5.1)."""
    try:
        stated = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    age = headers.get("age", "0")
    kept = timedelta(seconds=int(age)) if age.isascii() and age.isdigit() and len(age) < 8 else timedelta()
    return (stated if stated.tzinfo is not None else stated.replace(tzinfo=UTC)) + kept


def _read(path: Path) -> dict[str, KnownSigner]:
    try:
        rows = json.loads_object(path.read_bytes())
    except FileNotFoundError:
        return {}
    try:
        return {
            str(name): KnownSigner(sha256=str(row["sha256"]), before=row["before"], since=read_time(row["since"]))
            for name, row in rows.items()
        }
    except (KeyError, TypeError, ValueError) as exc:
        raise Malformed("state_unreadable", f"{path.name} is not what the watch wrote") from exc
