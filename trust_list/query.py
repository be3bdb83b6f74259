"""What a verifier asks of the trust lists."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509

from trust_list.profiles import Role
from vc.clock import TOLERANCE

Mode = Literal["strict", "historical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustQuery:
    """`list_id`: which list answers. `role`: issuance for documents, revocation for status lists. `format`, `type_id` (vct
    or doctype) and `attestation_type` name the document; all three may be None where the list itself says it (wallet) and
    for status signers. `chain`: as presented, signer first. `issuing_country`, `institution_ids`: what the document says.
    `entity_id`: for status signers the entity that issued the document. `t_issue`: the signer's claim of when it signed,
    None when it makes none. `t_now`: the time judged. `t_clock`: our own clock for freshness, `t_now` unless given (a
    judgement for another day needs both). `issue_tolerance`: how far `t_issue` may lie before the start of a status, for
    issuers that round it. `mode`: strict asks that the issuer counts now; historical, for documents only, lets a document of
    an issuer stand that counted when it signed and was withdrawn later for a reason that excludes a stolen key (TRUST 7.2
    rule 6); the outcome then says so. `issuer`: who the document says issued it; a federation starts there."""

    list_id: str
    role: Role
    chain: tuple[x509.Certificate, ...] = field(repr=False)
    t_now: datetime
    format: str | None = None
    type_id: str | None = None
    attestation_type: str | None = None
    issuing_country: str | None = None
    institution_ids: tuple[str, ...] = ()
    entity_id: str | None = None
    t_issue: datetime | None = None
    t_clock: datetime | None = None
    issue_tolerance: timedelta = TOLERANCE
    mode: Mode = "strict"
    issuer: str | None = None

    @property
    def issued(self) -> datetime:
        return self.t_now if self.t_issue is None else self.t_issue

    @property
    def clock(self) -> datetime:
        return self.t_now if self.t_clock is None else self.t_clock
