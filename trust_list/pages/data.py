"""What the pages show of an edition: plain values, already worded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import NameOID

from trust_list.anchors import Anchors, Entry, Interval
from trust_list.model import LoTE, TrustedEntity, parse
from trust_list.profiles import profile
from trust_list.scope import ScopeEntry
from trust_list.store import Edition
from vc.documents import country
from vc.errors import VcError
from vc.jose import jws
from vc.x509.certificate import from_x5c, sha256, subject_value

TITLES = {
    "pub-eaa": "Public sector bodies that issue attestations (PDA1, EHIC)",
    "pid": "Providers of person identification data (PID)",
    "wallet": "Wallet providers",
    "wrpac": "Providers of access certificates for relying parties",
    "wrprc": "Providers of registration certificates for relying parties",
    "registrars": "Registrars and registers",
}
ROLES = {"issuance": "Issues documents", "revocation": "Publishes status lists"}
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A listed certificate. `ended`: it was not valid any more (or not yet) at the time of the page."""

    sha256: str
    subject: str
    issuer: str
    valid_from: str
    valid_until: str
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stretch of a service's history. `until` empty: it lasts."""

    status: str
    since: str
    until: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service under one key. `scope`: what it may issue; `types` the same in short, e.g. `PDA1 for FR`."""

    role: str
    role_word: str
    status: str
    since: str
    types: tuple[str, ...]
    scope: tuple[ScopeEntry, ...]
    scope_unreadable: bool
    certificates: tuple[Certificate, ...]
    former_key: str
    history: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRow:
    """`status`: notified while at least one of its services is."""

    id: str
    name: str
    country: str
    country_name: str
    status: str
    types: tuple[str, ...]
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """One edition. `signer` None: its certificate cannot be read. `half`: half of its life is over."""

    id: str
    title: str
    operator: str
    sequence: int
    issued: str
    age: str
    next_update: str
    left: str
    overdue: bool
    half: bool
    signer: Certificate | None
    entities: tuple[EntityRow, ...]
    size: int
    sha256: str

    @property
    def notified(self) -> int:
        return sum(entity.status == "notified" for entity in self.entities)

    def entity(self, entity_id: str) -> EntityRow | None:
        return next((entity for entity in self.entities if entity.id == entity_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A search by query string. Empty members ask for nothing."""

    q: str = ""
    country: str = ""
    type: str = ""
    status: str = ""
    role: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Wanted":
        return cls(**{name: query.get(name, "").strip()[:200] for name in cls.__dataclass_fields__})

    def fits(self, entity: EntityRow) -> bool:
        """The text is sought in name, identifier and certificate digests; the others hold for one and the same service."""
        if self.q and not any(self.q.casefold() in text for text in _searched(entity)):
            return False
        if self.country and self.country != entity.country:
            return False
        return not (self.type or self.status or self.role) or any(self._service(service) for service in entity.services)

    def _service(self, service: Service) -> bool:
        return (
            (not self.type or self.type in {item.attestation_type for item in service.scope})
            and self.status in ("", service.status)
            and self.role in ("", service.role)
        )

    @property
    def given(self) -> dict[str, str]:
        return {name: value for name in self.__dataclass_fields__ if (value := getattr(self, name))}


def page(edition: Edition, now: datetime) -> ListPage:
    """The page data of one edition."""
    lote, entries, signer = _opened(edition.list_id, edition.payload, edition.jws)
    scheme, due = lote.scheme, lote.scheme.NextUpdate
    rows: dict[str, list[Entry]] = {}
    for entry in entries:
        rows.setdefault(entry.entity.id, []).append(entry)
    return ListPage(
        id=edition.list_id,
        title=TITLES[edition.list_id],
        operator=scheme.SchemeOperatorName[0].value,
        sequence=edition.sequence,
        issued=moment(scheme.ListIssueDateTime),
        age=span(now - scheme.ListIssueDateTime),
        next_update=moment(due) if due else "none: the list is closed",
        left=span(due - now) if due and due > now else "",
        overdue=due is None or due <= now,
        half=due is not None and now >= scheme.ListIssueDateTime + (due - scheme.ListIssueDateTime) / 2,
        signer=_certificate(signer, now) if signer else None,
        entities=tuple(_entity(found, now) for found in rows.values()),
        size=len(edition.jws),
        sha256=edition.etag,
    )


def listed(edition: Edition, entity_id: str) -> TrustedEntity | None:
    """The entity as the list has it, for what the page says beyond its services."""
    return next((e for e in _opened(edition.list_id, edition.payload, edition.jws)[0].entities if e.entity_id == entity_id), None)


def certificate(edition: Edition, digest: str) -> x509.Certificate | None:
    """The listed certificate with that SHA-256 in hex."""
    entries = _opened(edition.list_id, edition.payload, edition.jws)[1]
    return next((c for entry in entries for c in entry.certificates if sha256(c).hex() == digest), None)


def moment(at: datetime) -> str:
    """`2026-11-24 17:00 UTC`."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


def span(length: timedelta) -> str:
    """A stretch of time in its largest unit: `3 days`, `5 hours`, `12 minutes`."""
    seconds = int(length.total_seconds())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = seconds // size
        if count >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


@lru_cache(maxsize=8)  # editions never change, and many people read the same few
def _opened(list_id: str, payload: bytes, token: bytes) -> tuple[LoTE, tuple[Entry, ...], x509.Certificate | None]:
    lote = parse(payload)
    return lote, Anchors(lote, profile(list_id)).entries, _signer(token)


def _signer(token: bytes) -> x509.Certificate | None:
    """The certificate the seal carries."""
    try:
        chain = from_x5c(jws.parse(token.decode("ascii").strip("\r\n"), max_length=len(token)).header.get("x5c"))
    except (VcError, UnicodeDecodeError):
        return None
    return chain[0]


def _entity(entries: list[Entry], now: datetime) -> EntityRow:
    entity, services = entries[0].entity, tuple(_service(entry, now) for entry in entries)
    code = entity.country or ""
    current = [service for service in services if service.status == "notified"]
    return EntityRow(
        id=entity.id,
        name=entity.name,
        country=code,
        country_name=country.name(code) if code else "",
        status="notified" if current else "withdrawn",
        types=tuple(dict.fromkeys(name for service in current or services for name in service.types)),
        services=services,
    )


def _service(entry: Entry, now: datetime) -> Service:
    current = entry.intervals[0]
    types = dict.fromkeys(f"{item.attestation_type.upper()} for {item.issuing_country}" for item in entry.scope or ())
    return Service(
        role=entry.role,
        role_word=ROLES[entry.role],
        status="notified" if current.notified else "withdrawn",
        since=moment(current.start) if current.start else "",
        types=tuple(types),
        scope=entry.scope or (),
        scope_unreadable=entry.scope_unreadable,
        certificates=tuple(_certificate(item, now) for item in entry.certificates),
        former_key=entry.former_key.hex() if entry.former_key else "",
        history=tuple(_history(entry.intervals)),
    )


def _history(intervals: tuple[Interval, ...]) -> Iterable[Span]:
    """Newest first; each lasts until the next newer one began."""
    until = ""
    for item in intervals:
        start = moment(item.start) if item.start else ""
        yield Span(status="notified" if item.notified else "withdrawn", since=start, until=until, reason=item.reason or "")
        until = start


def _certificate(found: x509.Certificate, now: datetime) -> Certificate:
    issuer = found.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Certificate(
        sha256=sha256(found).hex(),
        subject=subject_value(found, NameOID.COMMON_NAME) or found.subject.rfc4514_string(),
        issuer=str(issuer[0].value) if issuer else found.issuer.rfc4514_string(),
        valid_from=moment(found.not_valid_before_utc),
        valid_until=moment(found.not_valid_after_utc),
        ended=not found.not_valid_before_utc <= now <= found.not_valid_after_utc,
    )


def _searched(entity: EntityRow) -> tuple[str, ...]:
    digests = (c.sha256 for service in entity.services for c in service.certificates)
    return (entity.name.casefold(), entity.id.casefold(), *digests)
