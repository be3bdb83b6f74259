"""The wallet's one file, of mode 0600 (SECURITY W-7): credentials, grants, what is to be collected, instance keys.

Every change reads, changes and replaces the file under a lock, so two commands at once lose nothing.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from vc.errors import Refused
from wallet_sim import wallet_file
from wallet_sim.contents import Contents, Copy, Grant, Holding, Pending
from wallet_sim.wallet_file import private_jwk

__all__ = ["Contents", "Copy", "Grant", "Holding", "Pending", "Store", "private_jwk"]
_Numbered = TypeVar("_Numbered", Holding, Pending)


class Store:
    """The wallet file at `path`; it need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def contents(self) -> Contents:
        """Everything in the file. Raises `Malformed("wallet_store")` for a file that is not a wallet's."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return Contents()
        return wallet_file.load(data)

    def holdings(self) -> tuple[Holding, ...]:
        """Every credential held, oldest first."""
        return tuple(self.contents().holdings)

    def holding(self, number: int) -> Holding:
        """One credential. Raises `Refused("holding_unknown")`."""
        return _one(self.contents().holdings, number)

    def add(self, make: Callable[[int], Holding]) -> Holding:
        """Store the holding `make(number)` under the next free number."""
        with self._changing() as contents:
            holding = make(contents.next_number())
            contents.holdings.append(holding)
        return holding

    def renew(self, number: int, *, copies: Sequence[Copy], received: datetime, grant: str | None) -> Holding:
        """Put new copies in the place of the old ones, which are gone then (ARF ISSU_35b)."""
        with self._changing() as contents:
            old = _one(contents.holdings, number)
            fresh = replace(old, copies=tuple(copies), received=received, grant=grant)
            contents.holdings[contents.holdings.index(old)] = fresh
            contents.drop_unused_grants()
        return fresh

    def claim_copy(self, number: int) -> tuple[int, Copy]:
        """Index and content of the copy to present next: the least used one, counted as used from now on.

        With several copies each is thus shown once before any is shown again (ARF topic 10: no linking by the copy).
        """
        with self._changing() as contents:
            holding = _one(contents.holdings, number)
            index = min(range(len(holding.copies)), key=lambda candidate: holding.copies[candidate].uses)
            copy = holding.copies[index]
            contents.holdings[contents.holdings.index(holding)] = _with_copy(holding, index, replace(copy, uses=copy.uses + 1))
        return index, copy

    def remember(self, number: int, index: int, presentation: str) -> None:
        """Keep what was sent of that copy."""
        with self._changing() as contents:
            holding = _one(contents.holdings, number)
            sent = replace(holding.copies[index], last=presentation)
            contents.holdings[contents.holdings.index(holding)] = _with_copy(holding, index, sent)

    # --- what is asked with

    def instance_key(self, server: str) -> ec.EllipticCurvePrivateKey:
        """The wallet's instance key at the authorization server `server`; made when first asked for, the same ever after."""
        with self._changing() as contents:
            return contents.instances.setdefault(server, ec.generate_private_key(ec.SECP256R1()))

    def grant(self, grant_id: str) -> Grant:
        """One grant. Raises `Refused("grant_unknown")`."""
        found = self.contents().grants.get(grant_id)
        if found is None:
            raise Refused("grant_unknown", "the wallet has no grant for this any more")
        return found

    def keep_grant(self, grant: Grant) -> None:
        """Store a grant, or what became of it."""
        with self._changing() as contents:
            contents.grants[grant.id] = grant

    # --- what is to be collected

    def pending(self, number: int) -> Pending:
        """One credential to come. Raises `Refused("holding_unknown")`."""
        return _one(self.contents().pending, number)

    def defer(self, make: Callable[[int], Pending]) -> Pending:
        """Store what is to be collected under the next free number."""
        with self._changing() as contents:
            pending = make(contents.next_number())
            contents.pending.append(pending)
        return pending

    def postpone(self, number: int, *, interval: int, not_before: datetime) -> Pending:
        """Not yet: ask again at `not_before`."""
        with self._changing() as contents:
            old = _one(contents.pending, number)
            fresh = replace(old, interval=interval, not_before=not_before)
            contents.pending[contents.pending.index(old)] = fresh
        return fresh

    def settle(self, number: int, holding: Holding | None) -> None:
        """What was to be collected has come as `holding`, or never will."""
        with self._changing() as contents:
            contents.pending.remove(_one(contents.pending, number))
            if holding is not None:
                contents.holdings.append(holding)
            contents.drop_unused_grants()

    @contextmanager
    def _changing(self) -> Iterator[Contents]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            contents = self.contents()
            yield contents
            self._replace(wallet_file.dump(contents))
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


def _one(items: Sequence[_Numbered], number: int) -> _Numbered:
    for item in items:
        if item.number == number:
            return item
    raise Refused("holding_unknown", f"the wallet holds no credential number {number}")


def _with_copy(holding: Holding, index: int, copy: Copy) -> Holding:
    return replace(holding, copies=(*holding.copies[:index], copy, *holding.copies[index + 1 :]))
