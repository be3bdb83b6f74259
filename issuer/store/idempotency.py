"""Requests that may be sent twice: the same key gives the same object (draft-ietf-httpapi-idempotency-key-header)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from issuer.store.engine import writing
from issuer.store.tables import idempotency
from vc.clock import to_numeric_date
from vc.encoding import json
from vc.errors import Refused

Answer = tuple[int, dict[str, Any]]
"""HTTP status and JSON body. Holds ids and offers, no document."""


def once(
    engine: Engine,
    operation: Callable[[Connection], Answer],
    *,
    institution_id: str,
    key: str | None,
    request: tuple[str, Any],
    now: datetime,
    keep: timedelta,
) -> Answer:
    """Run `operation` in one writing transaction, or give the answer it gave before under the same `key`.

    The answer is stored in the transaction of the operation: both are there or neither (SECURITY D-7, O-8). `request`: path and
    JSON body, for telling a repetition from another request. Raises `Refused("idempotency_key_reused")` for the latter. An
    operation that raises leaves the key free.
    """
    if key is None:
        with writing(engine) as connection:
            return operation(connection)
    mine = (
        idempotency.c.institution_id == institution_id,
        idempotency.c.key_sha256 == sha256(key.encode()).hexdigest(),
    )
    fingerprint = sha256(json.dumps(_sorted(request))).hexdigest()
    for attempt in (1, 2):
        try:
            with writing(engine) as connection:
                connection.execute(delete(idempotency).where(*mine, idempotency.c.expires_at <= to_numeric_date(now)))
                row = connection.execute(select(idempotency).where(*mine)).one_or_none()
                if row is not None:
                    if row.request_sha256 != fingerprint:
                        raise Refused("idempotency_key_reused", "this Idempotency-Key was used with another request")
                    return row.status, dict(row.response)
                answer = operation(connection)
                connection.execute(
                    insert(idempotency).values(
                        institution_id=institution_id,
                        key_sha256=sha256(key.encode()).hexdigest(),
                        request_sha256=fingerprint,
                        status=answer[0],
                        response=answer[1],
                        expires_at=to_numeric_date(now + keep),
                    )
                )
                return answer
        except IntegrityError:
            if attempt == 2:  # on a database with row locks the other request has committed by now: its answer is read
                raise
    raise AssertionError("unreachable")


def _sorted(value: Any) -> Any:
    """`value` with object members in the order of their names: the same request however its JSON was written."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value
