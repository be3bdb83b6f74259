"""The consumer's memory: per list the accepted bytes and the floor under which no later edition may fall.

Bytes and floor are one file, written atomically before the list is used (TRUST 7.2 rule 2, SECURITY T-12).
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trust_list.accept import AcceptedList, AcceptedState
from trust_list.jades import MAX_JWS
from trust_list.model import MAX_SEQUENCE, UtcTime
from trust_list.store import locked, write_atomically
from vc.encoding import json
from vc.errors import Malformed, VerificationFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """`checked_at`: when the publisher last confirmed these bytes. `etag`: its validator for them, if it gave one."""

    state: AcceptedState
    jws: bytes = field(repr=False)
    checked_at: datetime
    etag: str | None


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    uri: str
    type: str
    rootVersion: int
    sequence: int = Field(ge=1, le=MAX_SEQUENCE)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    issued: UtcTime
    seen: UtcTime
    checked: UtcTime
    etag: str | None
    jws: str


@dataclass(frozen=True, slots=True)
class StateStore:
    """One directory, several processes: a writer never replaces a higher edition by a lower one of the same origin."""

    directory: Path

    def load(self, list_id: str) -> Stored | None:
        """What is stored, None when nothing is. Raises `Malformed("state_unreadable")`."""
        try:
            data = self._path(list_id).read_bytes()
        except FileNotFoundError:
            return None
        try:
            wire = _Wire.model_validate(json.loads_object(data, max_bytes=MAX_JWS + 64 * 1024))
        except (ValidationError, Malformed) as exc:
            raise Malformed("state_unreadable", "the stored state of a trust list cannot be read") from exc
        state = AcceptedState(
            uri=wire.uri,
            type=wire.type,
            root_version=wire.rootVersion,
            sequence=wire.sequence,
            digest=bytes.fromhex(wire.digest),
            issued_at=wire.issued,
            seen_at=wire.seen,
        )
        return Stored(state=state, jws=wire.jws.encode("utf-8"), checked_at=wire.checked, etag=wire.etag)

    def save(self, accepted: AcceptedList, *, checked_at: datetime, etag: str | None) -> bool:
        """Store an accepted list. False when another process has stored a higher edition of the same origin meanwhile:
        then nothing is written and the caller must not use its own. An unreadable file is replaced.

        Raises `VerificationFailed("sequence_conflict")` when the same edition was stored meanwhile with other content."""
        with locked(self.directory / ".lock"):
            try:
                present = self.load(accepted.list_id)
            except Malformed:
                present = None
            state = accepted.state
            if present is not None and _same_origin(present.state, state):
                if present.state.sequence > state.sequence:
                    return False
                if present.state.sequence == state.sequence and present.state.digest != state.digest:
                    raise VerificationFailed("sequence_conflict", "the same edition number was accepted before with other content")
            wire = _Wire(
                uri=state.uri,
                type=state.type,
                rootVersion=state.root_version,
                sequence=state.sequence,
                digest=state.digest.hex(),
                issued=state.issued_at,
                seen=state.seen_at,
                checked=checked_at,
                etag=etag,
                jws=accepted.jws.decode("ascii"),
            )
            write_atomically(self._path(accepted.list_id), json.dumps(wire.model_dump(mode="json")), mode=0o600)
        return True

    def _path(self, list_id: str) -> Path:
        return self.directory / f"{list_id}.json"


def _same_origin(present: AcceptedState, offered: AcceptedState) -> bool:
    return (present.uri, present.type, present.root_version) == (offered.uri, offered.type, offered.root_version)
