"""What the wallet holds: credentials with their copies and keys, in one JSON file of mode 0600 (SECURITY W-7).

Every change reads, changes and replaces the file under a lock, so two commands at once lose nothing.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import base64url, json
from vc.errors import Malformed, Refused
from vc.keys.ec import curve_of
from vc.keys.jwk import from_public, parse_public

VERSION = 1
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy of a credential with the key it is bound to. `uses`: how often it was presented.

    `last`: the presentation a verifier took last, kept so that a replay can be tried.
    """

    credential: str = field(repr=False)
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    uses: int = 0
    last: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One credential as the user sees it: `number` never changes. All copies say the same and differ in keys and salts."""

    number: int
    format: str
    type_id: str
    configuration_id: str
    issuer: str
    received: datetime
    copies: tuple[Copy, ...]


class Store:
    """The wallet file at `path`; it need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def holdings(self) -> tuple[Holding, ...]:
        """Everything held, oldest first. Raises `Malformed("wallet_store")` for a file that is not a wallet's."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        return _read(data)

    def holding(self, number: int) -> Holding:
        """One credential. Raises `Refused("holding_unknown")`."""
        for holding in self.holdings():
            if holding.number == number:
                return holding
        raise Refused("holding_unknown", f"the wallet holds no credential number {number}")

    def add(self, make: Callable[[int], Holding]) -> Holding:
        """Store the holding `make(number)` under the next free number."""
        with self._changing() as holdings:
            holding = make(max((held.number for held in holdings), default=0) + 1)
            holdings.append(holding)
        return holding

    def claim_copy(self, number: int) -> tuple[int, Copy]:
        """Index and content of the copy to present next: the least used one, counted as used from now on.

        With several copies each is thus shown once before any is shown again (ARF topic 10: no linking by the copy).
        """
        with self._changing() as holdings:
            at, holding = _find(holdings, number)
            index = min(range(len(holding.copies)), key=lambda candidate: holding.copies[candidate].uses)
            copy = holding.copies[index]
            holdings[at] = _with_copy(holding, index, replace(copy, uses=copy.uses + 1))
        return index, copy

    def remember(self, number: int, index: int, presentation: str) -> None:
        """Keep what was sent of that copy."""
        with self._changing() as holdings:
            at, holding = _find(holdings, number)
            holdings[at] = _with_copy(holding, index, replace(holding.copies[index], last=presentation))

    @contextmanager
    def _changing(self) -> Iterator[list[Holding]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            holdings = list(self.holdings())
            yield holdings
            self._replace(_write(holdings))
        finally:
            os.close(lock)

    def _replace(self, data: bytes) -> None:
        fresh = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise


def private_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """The private JWK of `key`, for the store and for an export by name only."""
    size = curve_of(key).size
    return {**from_public(key.public_key()), "d": base64url.encode(key.private_numbers().private_value.to_bytes(size, "big"))}


def _private_key(jwk: Any) -> ec.EllipticCurvePrivateKey:
    public = parse_public({name: value for name, value in jwk.items() if name != "d"})
    key = ec.derive_private_key(int.from_bytes(base64url.decode(jwk["d"]), "big"), public.curve)
    if key.public_key() != public:
        raise Malformed("wallet_store", "a private key does not fit its public key")
    return key


def _find(holdings: Sequence[Holding], number: int) -> tuple[int, Holding]:
    for at, holding in enumerate(holdings):
        if holding.number == number:
            return at, holding
    raise Refused("holding_unknown", f"the wallet holds no credential number {number}")


def _with_copy(holding: Holding, index: int, copy: Copy) -> Holding:
    return replace(holding, copies=(*holding.copies[:index], copy, *holding.copies[index + 1 :]))


def _write(holdings: Sequence[Holding]) -> bytes:
    return json.dumps(
        {
            "version": VERSION,
            "credentials": [
                {
                    "number": holding.number,
                    "format": holding.format,
                    "type_id": holding.type_id,
                    "configuration_id": holding.configuration_id,
                    "issuer": holding.issuer,
                    "received": holding.received.isoformat(),
                    "copies": [
                        {"credential": copy.credential, "key": private_jwk(copy.key), "uses": copy.uses, "last": copy.last}
                        for copy in holding.copies
                    ],
                }
                for holding in holdings
            ],
        }
    )


def _read(data: bytes) -> tuple[Holding, ...]:
    try:
        stored = json.loads(data, max_bytes=MAX_BYTES)
        if stored["version"] != VERSION:
            raise Malformed("wallet_store", "the wallet file is of another version")
        return tuple(
            Holding(
                number=item["number"],
                format=item["format"],
                type_id=item["type_id"],
                configuration_id=item["configuration_id"],
                issuer=item["issuer"],
                received=datetime.fromisoformat(item["received"]),
                copies=tuple(
                    Copy(credential=copy["credential"], key=_private_key(copy["key"]), uses=copy["uses"], last=copy["last"])
                    for copy in item["copies"]
                ),
            )
            for item in stored["credentials"]
        )
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise Malformed("wallet_store", "the file is not one of this wallet") from exc
