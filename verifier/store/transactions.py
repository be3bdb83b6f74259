"""Transactions: asked once, answered once. Whoever ends one does it in a single conditional statement.

pending ──claim──► processing ──finish──► answered          a response was judged: there is a verdict
   │                                                        (a crash in between leaves it to expire)
   ├──fail──► failed                                        the wallet declined or reported an error
   └──(time)──► expired                                     shown so once `expires_at` has passed
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, Row, delete, insert, select, update

from vc.clock import to_numeric_date
from verifier.store.tables import transactions


class State(StrEnum):
    """The states as stored and, `PROCESSING` aside, as shown."""

    PENDING = "pending"
    PROCESSING = "processing"
    ANSWERED = "answered"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One question to one wallet. `encryption_key` is a private JWK, None for plain responses and once the question is closed.

    `return_uri`: the page to which a wallet on the same device sends the browser once it answered, with a code of which
    `response_code_sha256` is the digest.
    """

    transaction_id: str
    request_id: str
    state: State
    created_at: datetime
    expires_at: datetime
    question: Mapping[str, Any]
    request: Mapping[str, Any]
    request_object: str
    request_state: str
    encryption_key: Mapping[str, Any] | None = None
    session_sha256: str | None = None
    result: Mapping[str, Any] | None = None
    last_refusal: Mapping[str, Any] | None = None
    return_uri: str | None = None
    response_code_sha256: str | None = None

    def shown_state(self, now: datetime) -> State:
        """What the outside sees: an open question past its time is expired, one being judged is still pending."""
        if self.state not in (State.PENDING, State.PROCESSING):
            return self.state
        return State.EXPIRED if now >= self.expires_at else State.PENDING


class Transactions:
    """The transactions of one database; safe to use from any thread and any number of processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, transaction: Transaction) -> None:
        """Store a new one."""
        row = {name: getattr(transaction, name) for name in Transaction.__slots__}
        row |= {
            "state": str(transaction.state),
            "created_at": to_numeric_date(transaction.created_at),
            "expires_at": to_numeric_date(transaction.expires_at),
        }
        with self._engine.begin() as connection:
            connection.execute(insert(transactions).values(**row))

    def by_request(self, request_id: str) -> Transaction | None:
        """The one whose wallet-side URLs carry `request_id`."""
        return self._one(transactions.c.request_id == request_id)

    def by_transaction(self, transaction_id: str) -> Transaction | None:
        """The one the verifier's own side knows by `transaction_id`."""
        return self._one(transactions.c.transaction_id == transaction_id)

    def by_response_code(self, digest: str) -> Transaction | None:
        """The one whose wallet was given the response code with this SHA-256."""
        return self._one(transactions.c.response_code_sha256 == digest)

    def claim(self, request_id: str, now: datetime) -> bool:
        """Take the only right to judge an answer. False when it is taken, over or unknown; the key is erased with the claim."""
        return self._move(request_id, State.PENDING, State.PROCESSING, now, encryption_key=None)

    def finish(self, request_id: str, result: Mapping[str, Any], *, response_code_sha256: str | None = None) -> None:
        """Store the verdict of a claimed one, with the digest of the code its wallet is given to return with."""
        statement = (
            update(transactions)
            .where(transactions.c.request_id == request_id, transactions.c.state == State.PROCESSING)
            .values(state=str(State.ANSWERED), result=dict(result), response_code_sha256=response_code_sha256)
        )
        with self._engine.begin() as connection:
            connection.execute(statement)

    def fail(self, request_id: str, error: Mapping[str, Any], now: datetime, *, response_code_sha256: str | None = None) -> bool:
        """End an open one with the wallet's error. False when it was no longer open."""
        values = {"encryption_key": None, "result": dict(error), "response_code_sha256": response_code_sha256}
        return self._move(request_id, State.PENDING, State.FAILED, now, **values)

    def note_refusal(self, request_id: str, refusal: Mapping[str, Any]) -> None:
        """Remember the last message that was turned away, so that the asking side can see it; changes nothing else."""
        statement = update(transactions).where(transactions.c.request_id == request_id, transactions.c.state == State.PENDING)
        with self._engine.begin() as connection:
            connection.execute(statement.values(last_refusal=dict(refusal)))

    def purge(self, before: datetime) -> int:
        """Delete everything that expired before that moment (P-6, EAA-P-8); gives the number."""
        statement = delete(transactions).where(transactions.c.expires_at < to_numeric_date(before))
        with self._engine.begin() as connection:
            return _count(connection.execute(statement))

    def _move(self, request_id: str, old: State, new: State, now: datetime, **values: Any) -> bool:
        statement = (
            update(transactions)
            .where(
                transactions.c.request_id == request_id,
                transactions.c.state == old,
                transactions.c.expires_at > to_numeric_date(now),
            )
            .values(state=str(new), **values)
        )
        with self._engine.begin() as connection:
            return _count(connection.execute(statement)) == 1

    def _one(self, condition: Any) -> Transaction | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(transactions).where(condition)).one_or_none()
        return None if row is None else _transaction(row)


def _count(result: Any) -> int:
    return cast(CursorResult[Any], result).rowcount


def _transaction(row: Row[Any]) -> Transaction:
    values = dict(row._mapping)
    values["state"] = State(values["state"])
    for name in ("created_at", "expires_at"):
        values[name] = datetime.fromtimestamp(values[name], UTC)
    return Transaction(**values)


def lifetime(now: datetime, seconds: int) -> datetime:
    """The end of something that lives `seconds` from `now`."""
    return now + timedelta(seconds=seconds)
