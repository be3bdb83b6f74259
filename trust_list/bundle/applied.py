"""The bundle in force on a device without a network: one directory, written atomically before anything in it is used.

bundle.jws       the octets as received
applied.json     number, making, digest of it, when it was received, and the pinned makers
trust-root.json  the trust root the device was given
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trust_list.bundle.contents import MAX_BUNDLE
from trust_list.bundle.opening import Floor, Opened, opening
from trust_list.model import MAX_SEQUENCE, UtcTime
from trust_list.root import TrustRoot
from trust_list.snapshot import Freshness
from trust_list.store import locked, write_atomically
from vc.encoding import json
from vc.errors import Malformed, Refused, VerificationFailed
from vc.x509.certificate import sha256

_Digest = Field(pattern=r"^[0-9a-f]{64}$")


class _Applied(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    seq: int = Field(ge=1, le=MAX_SEQUENCE)
    created: UtcTime
    digest: str = _Digest
    received: UtcTime


@dataclass(frozen=True, slots=True)
class Device:
    """What one device holds. Several processes may share the directory."""

    directory: Path

    def provision(self, root_file: bytes, makers: Sequence[x509.Certificate]) -> None:
        """Give the device its trust root and the makers whose bundles it takes. Raises as `TrustRoot.load`,
        `Refused("bundle_makers")` for none, `Refused("device_provisioned")` when it has them: they change by a new directory."""
        TrustRoot.load(root_file)
        if not makers:
            raise Refused("bundle_makers", "name at least one certificate whose bundles are taken")
        with locked(self.directory / ".lock"):
            if self.provisioned:
                raise Refused("device_provisioned", "the device has its trust root and makers already")
            write_atomically(self.directory / "trust-root.json", root_file)
            pins = {"makers": sorted(sha256(certificate).hex() for certificate in makers)}
            write_atomically(self.directory / "makers.json", json.dumps(pins))

    @property
    def provisioned(self) -> bool:
        return (self.directory / "makers.json").is_file()

    @property
    def root(self) -> TrustRoot:
        """The trust root in force here."""
        return TrustRoot.load((self.directory / "trust-root.json").read_bytes())

    @property
    def pinned(self) -> frozenset[bytes]:
        """SHA-256 of the certificates whose bundles are taken. Raises `Malformed("state_unreadable")`."""
        try:
            makers = json.loads_object((self.directory / "makers.json").read_bytes())["makers"]
            return frozenset(bytes.fromhex(text) for text in makers)
        except (KeyError, TypeError, ValueError) as exc:
            raise Malformed("state_unreadable", "the makers pinned on this device cannot be read") from exc

    def verify(self, bundle: bytes, *, now: datetime) -> Opened:
        """The bundle as this device would take it, floor included; nothing is written. Raises as `opening`, and
        `VerificationFailed`: `clock_set_back` (our clock shows a time before the last bundle was received)."""
        held = self._held()
        if held is not None and now < held.received:
            raise VerificationFailed("clock_set_back", "our clock shows an earlier time than when the last bundle was received")
        floor = None
        if held is not None:
            floor = Floor(sequence=held.seq, created=held.created, digest=bytes.fromhex(held.digest))
        return opening(bundle, pinned=self.pinned, root=self.root, now=now, floor=floor)

    def apply(self, bundle: bytes, *, now: datetime) -> Opened:
        """Verify and keep the bundle: its floor and its octets are on disk before this returns.

        Raises as `verify`, and `VerificationFailed("bundle_expired")`: it would say nothing.
        """
        with locked(self.directory / ".lock"):
            opened = self.verify(bundle, now=now)
            if opened.state(now) is Freshness.EXPIRED:
                raise VerificationFailed("bundle_expired", "the bundle is over: nothing can be determined by it")
            floor = opened.floor
            wire = _Applied(seq=floor.sequence, created=floor.created, digest=floor.digest.hex(), received=now)
            # The floor first: a crash in between leaves a device that says it cannot read its bundle, not one that forgot it.
            write_atomically(self.directory / "applied.json", json.dumps(wire.model_dump(mode="json")))
            write_atomically(self.directory / "bundle.jws", bundle)
            if opened.root.version > self.root.version:
                write_atomically(self.directory / "trust-root.json", opened.root.render())
        return opened

    def load(self, *, now: datetime) -> Opened | None:
        """The bundle in force, everything in it verified again as of when it was received; None before the first.

        Raises `Malformed("state_unreadable")`, `VerificationFailed("clock_set_back")`, and as `opening`.
        """
        held = self._held()
        if held is None:
            return None
        if now < held.received:
            raise VerificationFailed("clock_set_back", "our clock shows an earlier time than when the bundle was received")
        path = self.directory / "bundle.jws"
        if not path.is_file() or path.stat().st_size > MAX_BUNDLE:
            raise Malformed("state_unreadable", "the bundle kept here cannot be read")
        opened = opening(path.read_bytes(), pinned=self.pinned, root=self.root, now=held.received)
        if opened.digest.hex() != held.digest:
            raise Malformed("state_unreadable", "the bundle kept here is not the one that was applied")
        return opened

    def _held(self) -> _Applied | None:
        try:
            data = (self.directory / "applied.json").read_bytes()
        except FileNotFoundError:
            return None
        try:
            return _Applied.model_validate(json.loads_object(data))
        except (ValidationError, Malformed) as exc:
            raise Malformed("state_unreadable", "what is kept of the last bundle cannot be read") from exc
