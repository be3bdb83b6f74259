"""From bytes to an accepted list, or a reason why not (TRUST 7.2 rule 2; TS 119 602; SECURITY T-1 … T-4).

Pure: the root, what was accepted before and the time are handed in. The caller persists `AcceptedList.state` before it
uses the list.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cryptography import x509

from trust_list import etsi_schema, findings, jades, model
from trust_list.findings import Finding
from trust_list.jades import FUTURE
from trust_list.model import LoTE
from trust_list.profiles import profile
from trust_list.root import RootList, TrustRoot
from vc.errors import Malformed, Refused, VerificationFailed

JUMP = 1_000_000
"""A sequence that grows by more than this at once is accepted with a note (SECURITY T-2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedState:
    """What must be remembered of an accepted edition so that no older or other one replaces it.

    It binds only for the same location, type and root version (TRUST 1.3, 7.2 rule 2). `digest`: SHA-256 of the payload.
    `seen_at`: our clock when it was accepted; with `issued_at` it makes the clock floor.
    """

    uri: str
    type: str
    root_version: int
    sequence: int
    digest: bytes
    issued_at: datetime
    seen_at: datetime

    def binds(self, entry: RootList, root: TrustRoot) -> bool:
        return (self.uri, self.type, self.root_version) == (entry.uri, entry.type, root.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedList:
    """A list that may be relied on until `next_update`. `jws` are the very bytes; `notes` what was tolerated."""

    list_id: str
    lote: LoTE = field(repr=False)
    signer: x509.Certificate = field(repr=False)
    signed_at: datetime | None
    next_update: datetime
    state: AcceptedState
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    jws: bytes = field(repr=False)

    @property
    def sequence(self) -> int:
        return self.state.sequence

    @property
    def issued_at(self) -> datetime:
        return self.state.issued_at


def accept(list_id: str, jws: bytes, *, root: TrustRoot, state: AcceptedState | None, now: datetime) -> AcceptedList:
    """The accepted list of `jws` as `list_id`.

    1. the root is in force and names the list; 2. size and strict form; 3. the seal, by a signer pinned for this type;
    4. the model and ETSI's schema; 5. the list type asked for; 6. no finding forbids; 7. issue time and next update;
    8. sequence never lower, equal sequence means equal payload, issue time never earlier.

    Raises `VcError`; its codes beyond those of `jades.verify` and `model.parse`: `root_expired`, `lote_closed`,
    `lote_schema`, `list_type`, `list_findings`, `issued_in_future`, `list_expired`, `sequence_rollback`,
    `sequence_conflict`, `issue_rollback`.
    """
    if now > root.expires:
        raise Refused("root_expired", "the trust root has expired")
    entry = root.for_list(list_id)
    accepted = reopen(list_id, jws, root=root, seen_at=now)
    if accepted.issued_at > now + FUTURE:
        raise VerificationFailed("issued_in_future", "the list is issued in the future")
    if accepted.next_update <= now:
        raise VerificationFailed("list_expired", "the next update of this list was due before now")
    if accepted.sequence < entry.min_sequence:
        raise VerificationFailed("sequence_rollback", "the edition is older than the trust root allows")
    if state is None or not state.binds(entry, root):
        return accepted
    return _not_older(accepted, state)


def reopen(list_id: str, jws: bytes, *, root: TrustRoot, seen_at: datetime) -> AcceptedList:
    """Steps 2 to 6 of `accept` with the certificate judged at `seen_at`: for bytes that were accepted then and stored since."""
    entry, rules = root.for_list(list_id), profile(list_id)
    sealed = jades.verify(jws, pinned=entry.signers, known=entry.certificates, now=seen_at)
    lote, document = model.read(sealed.payload)
    if lote.scheme.NextUpdate is None:
        raise Refused("lote_closed", "the list is closed: there will be no further edition")
    _check_schema(document)
    del document  # what stays is the model
    if lote.scheme.LoTEType != entry.type or rules.list_type != entry.type:
        raise VerificationFailed("list_type", "this is a list of another type")
    found = findings.check(lote, rules, signer=sealed.signer)
    forbidding = findings.errors(found)
    if forbidding:
        first = forbidding[0]
        raise VerificationFailed(
            "list_findings", f"{first.code} (clause {first.clause}): {first.text}; {len(forbidding)} in all", pointer=first.pointer
        )
    state = AcceptedState(
        uri=entry.uri,
        type=entry.type,
        root_version=root.version,
        sequence=lote.scheme.LoTESequenceNumber,
        digest=hashlib.sha256(sealed.payload).digest(),
        issued_at=lote.scheme.ListIssueDateTime,
        seen_at=seen_at,
    )
    return AcceptedList(
        list_id=list_id,
        lote=lote,
        signer=sealed.signer,
        signed_at=sealed.signed_at,
        next_update=lote.scheme.NextUpdate,
        state=state,
        findings=found,
        notes=sealed.notes,
        jws=jws,
    )


def _not_older(accepted: AcceptedList, state: AcceptedState) -> AcceptedList:
    if accepted.sequence < state.sequence:
        raise VerificationFailed("sequence_rollback", "an edition with a higher number was accepted before")
    if accepted.sequence == state.sequence and accepted.state.digest != state.digest:
        raise VerificationFailed("sequence_conflict", "the same edition number was accepted before with other content")
    if accepted.issued_at < state.issued_at:
        raise VerificationFailed("issue_rollback", "an edition issued later was accepted before")
    if accepted.sequence - state.sequence > JUMP:
        return replace(accepted, notes=(*accepted.notes, "the edition number jumped"))
    return accepted


def _check_schema(document: Any) -> None:
    fault = next(etsi_schema.faults(document), None)
    if fault is not None:
        raise Malformed("lote_schema", "the list does not follow the schema of TS 119 602", pointer=fault[0])
