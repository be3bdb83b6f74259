"""Status list tokens already fetched, as bytes: any worker may use what another one fetched. They are verified again on reading."""

from datetime import UTC, datetime

from sqlalchemy import Engine, select
from sqlalchemy.dialects.sqlite import insert

from trust_list.status_memory import KeptToken
from vc.clock import to_numeric_date
from verifier.store.tables import status_tokens


class StatusTokens:
    """One row per list and kind; a newer token replaces an older one, never the reverse (S-8)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, uri: str, kind: str) -> KeptToken | None:
        """The kept token of this list, if any."""
        condition = (status_tokens.c.uri == uri) & (status_tokens.c.kind == kind)
        with self._engine.connect() as connection:
            row = connection.execute(select(status_tokens).where(condition)).one_or_none()
        if row is None:
            return None
        return KeptToken(
            token=bytes(row.token),
            issued_at=datetime.fromtimestamp(row.issued_at, UTC),
            fetched_at=datetime.fromtimestamp(row.fetched_at, UTC),
        )

    def put(self, uri: str, kind: str, kept: KeptToken) -> None:
        """Keep `kept` unless a token issued later is already there."""
        values = {
            "issued_at": to_numeric_date(kept.issued_at),
            "fetched_at": to_numeric_date(kept.fetched_at),
            "token": kept.token,
        }
        statement = insert(status_tokens).values(uri=uri, kind=kind, **values)
        statement = statement.on_conflict_do_update(
            index_elements=["uri", "kind"], set_=values, where=status_tokens.c.issued_at <= values["issued_at"]
        )
        with self._engine.begin() as connection:
            connection.execute(statement)
