"""What the page for people shows of an edition: plain values, already worded."""

from dataclasses import dataclass
from datetime import datetime

from trust_list.anchors import Anchors, Entry
from trust_list.model import write_time
from trust_list.profiles import profile
from trust_list.store import Edition
from vc.x509.certificate import sha256

TITLES = {
    "pub-eaa": "Public sector bodies that issue attestations (PDA1, EHIC)",
    "pid": "Providers of person identification data (PID)",
    "wallet": "Wallet providers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    role: str
    status: str
    since: str
    may_issue: str
    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRow:
    id: str
    name: str
    country: str
    services: tuple[ServiceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    id: str
    title: str
    operator: str
    sequence: int
    issued: str
    next_update: str
    overdue: bool
    entities: tuple[EntityRow, ...]


def page(edition: Edition, now: datetime) -> ListPage:
    """The page data of one edition."""
    lote = edition.lote
    rows: dict[tuple[str, str, str], list[ServiceRow]] = {}
    for entry in Anchors(lote, profile(edition.list_id)).entries:
        rows.setdefault((entry.entity.id, entry.entity.name, entry.entity.country or ""), []).append(_service(entry))
    due = lote.scheme.NextUpdate
    return ListPage(
        id=edition.list_id,
        title=TITLES[edition.list_id],
        operator=lote.scheme.SchemeOperatorName[0].value,
        sequence=edition.sequence,
        issued=write_time(lote.scheme.ListIssueDateTime),
        next_update=write_time(due) if due else "none: the list is closed",
        overdue=due is None or due <= now,
        entities=tuple(
            EntityRow(id=key[0], name=key[1], country=key[2], services=tuple(services)) for key, services in rows.items()
        ),
    )


def _service(entry: Entry) -> ServiceRow:
    current = entry.intervals[0]
    types = dict.fromkeys(f"{item.attestation_type.upper()} for {item.issuing_country}" for item in entry.scope or ())
    return ServiceRow(
        role=entry.role,
        status="notified" if current.notified else "withdrawn",
        since=write_time(current.start) if current.start else "",
        may_issue=", ".join(types),
        fingerprints=tuple(sha256(certificate).hex() for certificate in entry.certificates),
    )
