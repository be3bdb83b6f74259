"""Publishing status lists (Token Status List): signed when asked for, kept in the database until the list or the time moves on.

A withdrawal raises the version of its list in its own transaction, so the next request gets a new token: old or new, never torn
(SECURITY S-13). A withdrawal ordered for a later moment shows with the first token signed after it, at most one `ttl` later.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from issuer.institutions import Institution
from issuer.service import Service
from issuer.store import status as store
from issuer.store.engine import reading, writing
from issuer.store.status import LIST_SIZE, Published
from vc.clock import to_numeric_date
from vc.status import token
from vc.status.bits import StatusList

JWT, CWT = "jwt", "cwt"
_log = structlog.get_logger("issuer")


def list_uri(institution: Institution, list_id: str) -> str:
    """Where the list is published: `uri` in credentials, `sub` in the token."""
    return f"{institution.credential_issuer}/status/{list_id}"


def aggregation_uri(institution: Institution) -> str:
    """Where the institution's lists are named (Token Status List §9)."""
    return f"{institution.credential_issuer}/status"


def current(service: Service, institution: Institution, list_id: str, kind: str, now: datetime) -> Published | None:
    """The token to serve now, in the form `jwt` or `cwt`; None when the institution has no such list."""
    with reading(service.engine) as connection:
        version = store.version_of(connection, institution.id, list_id)
        last = store.published(connection, list_id, kind)
    if version is None:
        return None
    if last is not None and last.version == version and _age(last, now) < service.settings.status_ttl_seconds:
        return last
    return _sign(service, institution, list_id, kind, now=now, last=last)


def max_age(published: Published, ttl: int, now: datetime) -> int:
    """Seconds for which a copy of the token may still be served."""
    return max(0, ttl - _age(published, now))


def _age(published: Published, now: datetime) -> int:
    return to_numeric_date(now) - published.issued_at


def _sign(
    service: Service, institution: Institution, list_id: str, kind: str, *, now: datetime, last: Published | None
) -> Published | None:
    with reading(service.engine) as connection:  # version and values of one moment
        version = store.version_of(connection, institution.id, list_id)
        values = store.values_of(connection, list_id, now)
    if version is None:
        return None
    # No token is dated before its predecessor, whatever the clock does (SECURITY O-9).
    issued_at = max(to_numeric_date(now), 0 if last is None else last.issued_at)
    moment = datetime.fromtimestamp(issued_at, UTC)
    entries = StatusList.from_indices(LIST_SIZE, 1, values)
    options: dict[str, Any] = {
        "uri": list_uri(institution, list_id),
        "iat": moment,
        "exp": moment + timedelta(seconds=service.settings.status_lifetime_seconds),
        "ttl": service.settings.status_ttl_seconds,
        "signer": institution.status_signer,
        "aggregation_uri": aggregation_uri(institution),
    }
    signed = token.sign_jwt(entries, **options).encode("ascii") if kind == JWT else token.sign_cwt(entries, **options)
    new = Published(version=version, issued_at=issued_at, token=signed)
    try:
        with writing(service.engine) as connection:
            store.publish(connection, list_id, kind, new)
    except OperationalError:  # a full or locked database must not hide revocations: what was signed is right all the same
        _log.warning("status_token_not_stored", list_id=list_id)
    _log.info("status_token_signed", list_id=list_id, kind=kind, version=version)
    return new
