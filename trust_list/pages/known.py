"""What a verifier with this publisher's trust root would make of the current editions: for health, explanations and metrics."""

import threading
from datetime import datetime, timedelta

from trust_list.health import Alert, alerts
from trust_list.root import TrustRoot
from trust_list.snapshot import TrustSnapshot
from trust_list.sources import from_publisher
from trust_list.store import Publisher
from vc.errors import VcError

_KEPT = timedelta(minutes=1)


class Known:
    """Remembers the snapshot for a minute, or until root or editions change: accepting lists anew at each request would let
    anybody keep the server busy."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._lock = threading.Lock()
        self._kept: tuple[object, datetime, TrustSnapshot] | None = None

    def snapshot(self, now: datetime) -> TrustSnapshot | None:
        """None where no trust root is published, or none that can be read."""
        try:
            data = (self._publisher.root / "trust-root.json").read_bytes()
            root = TrustRoot.load(data)
        except (OSError, VcError):
            return None
        with self._lock:
            key = (data, tuple(self._pointer(entry.id) for entry in root.lists))
            if self._kept is None or self._kept[0] != key or not timedelta() <= now - self._kept[1] < _KEPT:
                self._kept = (key, now, from_publisher(self._publisher, root, now))
            return self._kept[2]

    def alerts(self, now: datetime) -> tuple[Alert, ...]:
        """What the publisher has to look after."""
        known = self.snapshot(now)
        return alerts(known, now) if known is not None else ()

    def _pointer(self, list_id: str) -> bytes:
        try:
            return (self._publisher.root / "lists" / list_id / "latest.json").read_bytes()
        except OSError:
            return b""
