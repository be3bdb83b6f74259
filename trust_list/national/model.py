"""A trusted list as far as it is needed here: who runs it, until when it counts, where others are, which services it names."""

from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from trust_list.national.names import CA_QC, CONFIRMING, GRANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Where another list is, and the certificates that may sign it (clause 5.3.13)."""

    location: str
    territory: str
    list_type: str
    media_type: str
    signers: tuple[x509.Certificate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What a service was from `start` on, until the next interval (clauses 5.5.4, 5.5.5, 5.6). `qualifiers`: URIs of the
    Qualifications extension. `unread`: a critical extension is there that is not understood here."""

    start: datetime
    service_type: str
    status: str
    for_seals: bool
    qualifiers: frozenset[str]
    unread: bool

    @property
    def seals(self) -> bool:
        """Whether it is about qualified certificates for seals."""
        return self.service_type == CA_QC and self.for_seals

    @property
    def granted(self) -> bool:
        return self.status == GRANTED

    @property
    def plain(self) -> bool:
        """Whether the certificate's own statements may be taken as they stand."""
        return not self.unread and self.qualifiers <= CONFIRMING


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`certificates`, `identifiers`: of its key, now and in its history. `intervals`: oldest first."""

    provider: str
    name: str
    certificates: tuple[x509.Certificate, ...] = field(repr=False)
    identifiers: frozenset[bytes] = field(repr=False)
    intervals: tuple[Interval, ...]

    def at(self, moment: datetime) -> Interval | None:
        """What it was then; None before its first interval."""
        return next((one for one in reversed(self.intervals) if one.start <= moment), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedList:
    """`next_update` None: the list is closed. `information`: addresses of the scheme, among them pivots (clause 5.3.7)."""

    list_type: str
    territory: str
    operator: str
    sequence: int
    issued: datetime
    next_update: datetime | None
    information: tuple[str, ...]
    pointers: tuple[Pointer, ...]
    services: tuple[Service, ...] = field(repr=False)
    digest: bytes = field(repr=False)
    """SHA-256 over the octets it was read from."""

    def current(self, now: datetime) -> bool:
        """Whether it may be used: no grace after the next update (clause 5.3.15)."""
        return self.next_update is not None and now < self.next_update
