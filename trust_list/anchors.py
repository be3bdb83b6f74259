"""What an accepted list says, arranged for questions: per role, which certificate or key belongs to which entry.

An entry is one service of one entity. Roles never share anchors: every look-up names its role.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from trust_list import scope
from trust_list.model import WITHDRAWAL_REASON, EntityService, LoTE, TrustedEntity
from trust_list.profiles import Profile, Role
from trust_list.scope import ScopeEntry
from vc.errors import Malformed
from vc.x509 import qc
from vc.x509.certificate import is_ca, sha256, ski, spki, subject_value
from vc.x509.chain import Path, PathCache
from vc.x509.profiles import LeafRules

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Facts of a listed entity. `country` is ISO or None when the list type states none."""

    id: str
    name: str
    names: frozenset[str]
    trade_names: frozenset[str]
    registered: bool
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """From `start` (None: since ever) until the next newer interval the service was `notified` or not."""

    start: datetime | None
    notified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One service. `intervals` newest first. `scope` None when no entry speaks; `scope_unreadable` when one cannot be read."""

    number: int
    entity: Entity
    role: Role
    certificates: tuple[x509.Certificate, ...] = field(repr=False)
    intervals: tuple[Interval, ...]
    scope: tuple[ScopeEntry, ...] | None
    scope_unreadable: bool
    withdrawal_reason: str | None = None

    def at(self, moment: datetime) -> Interval | None:
        """The interval in force at `moment`, None before the first."""
        return next((item for item in self.intervals if item.start is None or item.start <= moment), None)

    @property
    def first_notified(self) -> datetime | None:
        """Since when the service is known as notified; None when that is not stated."""
        starts = [item.start for item in self.intervals if item.notified]
        return None if None in starts or not starts else min(start for start in starts if start is not None)

    @property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        return tuple(certificate for certificate in self.certificates if is_ca(certificate))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafFacts:
    """What a presented certificate says about its subject. `legislation` None: no QcPSB; `unreadable`: why it cannot be read."""

    organisation: str | None
    identifier: str | None
    country: str | None
    legislation: str | None
    unreadable: str | None


class Anchors:
    """The index of one accepted list. Look-ups give entries in list order.

    It remembers checked paths and read certificates, because a busy issuer shows the same ones again and again; what it
    remembers depends on nothing but the list and the certificate, so answers stay the same.
    """

    def __init__(self, lote: LoTE, profile: Profile) -> None:
        self.entries = tuple(_entries(lote, profile))
        self._by_digest: dict[tuple[Role, bytes], list[Entry]] = defaultdict(list)
        self._by_key: dict[tuple[Role, bytes], list[Entry]] = defaultdict(list)
        self._authorities: dict[tuple[Role, bytes], list[Entry]] = defaultdict(list)
        for entry in self.entries:
            for certificate in entry.certificates:
                self._by_digest[entry.role, sha256(certificate)].append(entry)
            for key in {spki(certificate) for certificate in entry.certificates}:
                self._by_key[entry.role, key].append(entry)
            for subject in {certificate.subject.public_bytes() for certificate in entry.authorities}:
                self._authorities[entry.role, subject].append(entry)
        self._paths: dict[tuple[int, str], PathCache] = {}
        self._leaves: dict[bytes, LeafFacts] = {}

    def path(self, entry: Entry, chain: tuple[x509.Certificate, ...], *, at: datetime, rules: LeafRules) -> Path:
        """The path of `chain` to a certificate of `entry`, as `vc.x509.chain.find_path`."""
        cache = self._paths.get((entry.number, rules.name))
        if cache is None:
            cache = self._paths.setdefault((entry.number, rules.name), PathCache(entry.certificates, rules))
        return cache.find(chain, at=at)

    def leaf(self, certificate: x509.Certificate) -> LeafFacts:
        """What the certificate says about its subject."""
        digest = sha256(certificate)
        facts = self._leaves.get(digest)
        if facts is None:
            if len(self._leaves) >= _REMEMBERED:
                self._leaves.clear()
            facts = self._leaves[digest] = _read_leaf(certificate)
        return facts

    def by_certificate(self, role: Role, certificate: x509.Certificate) -> tuple[Entry, ...]:
        """Entries of `role` that list this very certificate."""
        return tuple(self._by_digest.get((role, sha256(certificate)), ()))

    def by_key(self, role: Role, certificate: x509.Certificate) -> tuple[Entry, ...]:
        """Entries of `role` that list another certificate of the same key."""
        return tuple(self._by_key.get((role, spki(certificate)), ()))

    def by_authority(self, role: Role, chain: tuple[x509.Certificate, ...]) -> tuple[Entry, ...]:
        """Entries of `role` that list a CA certificate whose name issued some certificate of `chain`."""
        found = {
            entry.number: entry
            for certificate in chain
            for entry in self._authorities.get((role, certificate.issuer.public_bytes()), ())
        }
        return tuple(found[number] for number in sorted(found))

    def named(self, name: str) -> tuple[Entry, ...]:
        """Entries of the entity with this name, whatever their role: for explanations only."""
        return tuple(entry for entry in self.entries if name in entry.entity.names)


def _read_leaf(certificate: x509.Certificate) -> LeafFacts:
    try:
        statement, unreadable = qc.public_sector_body(certificate), None
    except Malformed as exc:
        statement, unreadable = None, exc.detail
    return LeafFacts(
        organisation=subject_value(certificate, NameOID.ORGANIZATION_NAME),
        identifier=subject_value(certificate, NameOID.ORGANIZATION_IDENTIFIER),
        country=subject_value(certificate, NameOID.COUNTRY_NAME),
        legislation=statement.country if statement is not None else None,
        unreadable=unreadable,
    )


def _entries(lote: LoTE, profile: Profile) -> list[Entry]:
    roles: dict[str, Role] = {uri: role for role, uri in profile.services.items()}
    entries: list[Entry] = []
    for listed in lote.entities:
        entity = _entity(listed)
        for service in listed.TrustedEntityServices:
            information = service.ServiceInformation
            role = roles[information.ServiceTypeIdentifier or ""]  # the profile's findings were clean
            certificates = information.ServiceDigitalIdentity.certificates
            try:
                entries_of, unreadable = scope.read(information.ServiceInformationExtensions), False
            except Malformed:
                entries_of, unreadable = None, True
            entries.append(
                Entry(
                    number=len(entries),
                    entity=entity,
                    role=role,
                    certificates=certificates,
                    intervals=_intervals(service, certificates, profile),
                    scope=entries_of,
                    scope_unreadable=unreadable,
                    withdrawal_reason=_reason(information.ServiceInformationExtensions),
                )
            )
    return entries


def _reason(extensions: list[dict[str, Any]] | None) -> str | None:
    stated = next((item[WITHDRAWAL_REASON] for item in extensions or () if WITHDRAWAL_REASON in item), None)
    return stated[:200] if isinstance(stated, str) else None


def _entity(listed: TrustedEntity) -> Entity:
    return Entity(
        id=listed.entity_id,
        name=listed.name,
        names=listed.names,
        trade_names=listed.trade_names,
        registered=bool(listed.registration_ids),
        country=listed.country,
    )


def _intervals(service: EntityService, certificates: tuple[x509.Certificate, ...], profile: Profile) -> tuple[Interval, ...]:
    """Current status and history, the latter only where it names the key (identifier computed from the key itself)."""
    if not profile.has_status:
        return (Interval(start=None, notified=True),)
    information = service.ServiceInformation
    intervals = [Interval(start=information.StatusStartingTime, notified=information.ServiceStatus == profile.notified)]
    key = ski(certificates[0])
    for past in service.ServiceHistory or ():
        if key in past.ServiceDigitalIdentity.skis:
            intervals.append(Interval(start=past.StatusStartingTime, notified=past.ServiceStatus == profile.notified))
    return tuple(intervals)
