"""The state of trust as numbers for a monitoring system (Prometheus text format): gauges made from one snapshot when asked.

Nothing in it is about a person or a document; it is what everybody can see of the public lists, and how they stand here.
"""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from trust_list.health import Alert, signer_of
from trust_list.snapshot import Freshness, Listing, TrustSnapshot

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class _Trust(Collector):
    def __init__(self, snapshot: TrustSnapshot, alerts: tuple[Alert, ...], now: datetime) -> None:
        self._snapshot, self._alerts, self._now = snapshot, alerts, now

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for item in (_families(self._snapshot, self._now), _accepted(self._snapshot), (_alerts(self._alerts),)):
            yield from item


def text(snapshot: TrustSnapshot, alerts: tuple[Alert, ...], now: datetime) -> bytes:
    """The answer to a scrape: state, edition, times, signer, findings of every list; the root; what to look after."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Trust(snapshot, alerts, now))
    return generate_latest(registry)


def _families(snapshot: TrustSnapshot, now: datetime) -> Iterable[GaugeMetricFamily]:
    yield _one("portadoc_clock_timestamp_seconds", "What our own clock shows.", now.timestamp())
    yield _one("portadoc_trust_root_version", "Version of the trust root in force.", snapshot.root_version)
    yield _one("portadoc_trust_root_expires_timestamp_seconds", "When the trust root ends.", snapshot.root_expires.timestamp())
    if snapshot.clock_floor is not None:
        floor = snapshot.clock_floor.timestamp()
        yield _one("portadoc_trust_clock_floor_timestamp_seconds", "The latest time seen; a clock before it is wrong.", floor)
    state = GaugeMetricFamily("portadoc_trust_list_state", "1 for the state a list is in.", labels=["list", "state"])
    for item in snapshot.lists.values():
        for possible in Freshness:
            state.add_metric([item.list_id, possible.value], float(item.freshness(now) is possible))
    yield state


def _accepted(snapshot: TrustSnapshot) -> Iterable[GaugeMetricFamily]:
    rows = [(item, item.accepted) for item in snapshot.lists.values() if item.accepted is not None]
    values = (
        ("edition", "Number of the accepted edition.", [float(known.sequence) for _, known in rows]),
        ("entities", "Entities on the accepted edition.", [float(len(known.lote.entities)) for _, known in rows]),
        ("findings", "Faults of the accepted edition that are tolerated.", [float(len(known.findings)) for _, known in rows]),
        ("issued_timestamp_seconds", "When the edition was issued.", [known.issued_at.timestamp() for _, known in rows]),
        ("next_update_timestamp_seconds", "When the next edition is due.", [known.next_update.timestamp() for _, known in rows]),
        ("signer_expires_timestamp_seconds", "When the signer's certificate ends.",
         [known.signer.not_valid_after_utc.timestamp() for _, known in rows]),
        ("checked_timestamp_seconds", "When the publisher last confirmed the edition.", [_checked(item) for item, _ in rows]),
    )  # fmt: skip
    for name, says, numbers in values:
        family = GaugeMetricFamily(f"portadoc_trust_list_{name}", says, labels=["list"])
        for (item, _), number in zip(rows, numbers, strict=True):
            family.add_metric([item.list_id], number)
        yield family
    signer = GaugeMetricFamily("portadoc_trust_list_signer_info", "1 for the certificate that seals.", labels=["list", "sha256"])
    for item, _ in rows:
        signer.add_metric([item.list_id, signer_of(item) or ""], 1.0)
    yield signer


def _alerts(alerts: tuple[Alert, ...]) -> GaugeMetricFamily:
    """How many of each kind, so that a rule can name the ones it wakes somebody for."""
    family = GaugeMetricFamily("portadoc_trust_alerts", "Things to look after.", labels=["list", "severity", "code"])
    kinds = [(alert.list_id or "", alert.severity, alert.code) for alert in alerts]
    for kind in dict.fromkeys(kinds):
        family.add_metric(list(kind), float(kinds.count(kind)))
    return family


def _checked(item: Listing) -> float:
    return item.checked_at.timestamp() if item.checked_at is not None else 0.0


def _one(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)
