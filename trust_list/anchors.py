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
from trust_list.withdrawal import Withdrawal, classify
from vc.errors import Malformed, VerificationFailed
from vc.x509 import qc
from vc.x509.certificate import is_ca, sha256, ski, spki, subject_value
from vc.x509.chain import Path, PathCache
from vc.x509.profiles import LeafRules, check_leaf

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
    """From `start` (None: since ever) until the next newer interval the key was `notified` or not. `reason`: the operator's
    words why not."""

    start: datetime | None
    notified: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One service under one key. `intervals` newest first. `scope` None when no entry speaks; `scope_unreadable` when one
    cannot be read. `former_key`: the identifier of a key that only the history names; such an entry has no certificates."""

    number: int
    entity: Entity
    role: Role
    certificates: tuple[x509.Certificate, ...] = field(repr=False)
    intervals: tuple[Interval, ...]
    scope: tuple[ScopeEntry, ...] | None
    scope_unreadable: bool
    former_key: bytes | None = None

    def at(self, moment: datetime) -> Interval | None:
        """The interval in force at `moment`, None before the first."""
        return next((item for item in self.intervals if item.start is None or item.start <= moment), None)

    @property
    def first_notified(self) -> datetime | None:
        """Since when the service is known as notified; None when that is not stated."""
        starts = [item.start for item in self.intervals if item.notified]
        return None if None in starts or not starts else min(start for start in starts if start is not None)

    def withdrawn_between(self, after: datetime, until: datetime) -> tuple[Interval, ...]:
        """The intervals without notification that began after the one moment and up to the other."""
        return tuple(i for i in self.intervals if not i.notified and i.start is not None and after < i.start <= until)

    def has_key(self, certificate: x509.Certificate) -> bool:
        """Whether the certificate's key is one this entry names, computed from the key and from no extension (TRUST 7.2 rule 6)."""
        if self.former_key is not None:
            return ski(certificate) == self.former_key
        key = spki(certificate)
        return any(spki(listed) == key for listed in self.certificates)

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

    Trust anchors are what entries carry, and entries are made from a list and from nothing else: no method here takes an
    anchor, so none can come from a presented chain.

    It remembers checked paths and read certificates, because a busy issuer shows the same ones again and again; what it
    remembers depends on nothing but the list and the certificate, so answers stay the same.
    """

    def __init__(self, lote: LoTE, profile: Profile) -> None:
        self.entries = tuple(_entries(lote, profile))
        self._by_digest: dict[tuple[Role, bytes], list[Entry]] = defaultdict(list)
        self._by_key: dict[tuple[Role, bytes], list[Entry]] = defaultdict(list)
        self._authorities: dict[tuple[Role, bytes], list[Entry]] = defaultdict(list)
        self._former: dict[tuple[Role, bytes], list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if entry.former_key is not None:
                self._former[entry.role, entry.former_key].append(entry)
            for certificate in entry.certificates:
                self._by_digest[entry.role, sha256(certificate)].append(entry)
            for key in {spki(certificate) for certificate in entry.certificates}:
                self._by_key[entry.role, key].append(entry)
            for subject in {certificate.subject.public_bytes() for certificate in entry.authorities}:
                self._authorities[entry.role, subject].append(entry)
        self._paths: dict[tuple[int, str], PathCache] = {}
        self._leaves: dict[bytes, LeafFacts] = {}

    def path(self, entry: Entry, chain: tuple[x509.Certificate, ...], *, at: datetime, rules: LeafRules) -> Path:
        """The path of `chain` to what `entry` lists, as `vc.x509.chain.find_path`.

        A certificate that is not listed but has a key of the entry stands for itself: a renewed one as long as the listed one
        is valid, one of a former key by the history. Raises `VerificationFailed`, beyond the codes of `find_path` with
        `listed_certificate_expired`.
        """
        leaf = chain[0]
        if leaf not in entry.certificates and entry.has_key(leaf):
            return _own_path(leaf, entry, at, rules)
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

    def by_former_key(self, role: Role, certificate: x509.Certificate) -> tuple[Entry, ...]:
        """Entries of `role` whose history, and nothing else, names the certificate's key."""
        return tuple(self._former.get((role, ski(certificate)), ()))

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


def _own_path(leaf: x509.Certificate, entry: Entry, at: datetime, rules: LeafRules) -> Path:
    """The path of one certificate whose key is listed: its own validity and purpose, and that of the listed certificate."""
    if entry.certificates and not any(c.not_valid_before_utc <= at <= c.not_valid_after_utc for c in entry.certificates):
        raise VerificationFailed("listed_certificate_expired", "the listed certificate of this key was not valid when it signed")
    if at < leaf.not_valid_before_utc:
        raise VerificationFailed("cert_not_yet_valid", "a certificate was not valid yet at that time")
    if at > leaf.not_valid_after_utc:
        raise VerificationFailed("cert_expired", "a certificate had expired at that time")
    check_leaf(leaf, rules)
    return Path(certificates=(leaf,), not_before=leaf.not_valid_before_utc, not_after=leaf.not_valid_after_utc)


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
            current = ski(certificates[0])
            told = _told(service, current, profile)
            for key in dict.fromkeys((current, *(key for instance in told for key in instance.keys))):
                allowed, unreadable = _scope(next(instance for instance in told if key in instance.keys).extensions)
                entries.append(
                    Entry(
                        number=len(entries),
                        entity=entity,
                        role=role,
                        certificates=certificates if key == current else (),
                        intervals=_intervals(told, key),
                        scope=allowed,
                        scope_unreadable=unreadable,
                        former_key=None if key == current else key,
                    )
                )
    return entries


def _scope(extensions: list[dict[str, Any]] | None) -> tuple[tuple[ScopeEntry, ...] | None, bool]:
    try:
        return scope.read(extensions), False
    except Malformed:
        return None, True


def _reason(extensions: list[dict[str, Any]] | None) -> str | None:
    """The operator's words; of several the gravest, since an older one may have been carried along."""
    stated = [item[WITHDRAWAL_REASON] for item in extensions or () if isinstance(item.get(WITHDRAWAL_REASON), str)]
    grave = [reason for reason in stated if classify(reason) is Withdrawal.COMPROMISE]
    return (grave or stated)[-1][:200] if stated else None


def _entity(listed: TrustedEntity) -> Entity:
    return Entity(
        id=listed.entity_id,
        name=listed.name,
        names=listed.names,
        trade_names=listed.trade_names,
        registered=bool(listed.registration_ids),
        country=listed.country,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One instance of a service's status, current or past: from when, for which keys."""

    start: datetime | None
    notified: bool
    keys: tuple[bytes, ...]
    extensions: list[dict[str, Any]] | None


def _told(service: EntityService, key: bytes, profile: Profile) -> tuple[_Told, ...]:
    """Current status and history, newest first. The current key is computed from its certificate; history names keys itself."""
    information = service.ServiceInformation
    extensions = information.ServiceInformationExtensions
    if not profile.has_status:
        return (_Told(start=None, notified=True, keys=(key,), extensions=extensions),)
    status = information.ServiceStatus == profile.notified
    current = _Told(start=information.StatusStartingTime, notified=status, keys=(key,), extensions=extensions)
    past = (
        _Told(
            start=item.StatusStartingTime,
            notified=item.ServiceStatus == profile.notified,
            keys=item.ServiceDigitalIdentity.skis,
            extensions=item.ServiceInformationExtensions,
        )
        for item in service.ServiceHistory or ()
    )
    return (current, *past)


def _intervals(told: tuple[_Told, ...], key: bytes) -> tuple[Interval, ...]:
    """The story of one key: from the oldest instance that names it; a newer one that does not name it ends its notification."""
    first = max(number for number, instance in enumerate(told) if key in instance.keys)
    intervals = []
    for instance in told[: first + 1]:
        notified = instance.notified and key in instance.keys
        # Only a withdrawal states a reason; a service that goes on under another key may still carry an old one.
        reason = None if instance.notified else _reason(instance.extensions)
        intervals.append(Interval(start=instance.start, notified=notified, reason=reason))
    return tuple(intervals)
