"""Offers, access tokens, nonces and DPoP proofs: each with an end, each claimed atomically.

Offer:  open ──redeem──► spent          open ──fifth wrong transaction code──► dead
        open ──document withdrawn──► withdrawn          open ──(time)──► expired, shown so without being written
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, case, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from issuer.store.engine import changed
from issuer.store.prepared import Prepared
from issuer.store.tables import deferred, dpop_proofs, nonces, offers, tokens
from vc.clock import to_numeric_date

PRE_AUTHORIZED, AUTHORIZATION_CODE = "pre-authorized_code", "authorization_code"
"""The grants of an offer, by the short names the table and the institution API use."""
MAX_WRONG_GUESSES = 5  # VCI-TOK-3, SECURITY A-2


class OfferState(StrEnum):
    """The states as stored."""

    OPEN = "open"
    SPENT = "spent"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a person was offered, by a pre-authorized code, by sign-in, or by either.

    `code`, `issuer_state`: the secret of each grant, None where the offer has none, and both None once it can no longer be used.
    `needs_tx_code`: a second secret is asked for with the code.
    """

    offer_id: str
    document_id: str
    institution_id: str
    configuration_ids: tuple[str, ...]
    by_value: bool
    code: str | None = field(repr=False)
    issuer_state: str | None = field(default=None, repr=False)
    needs_tx_code: bool
    state: OfferState
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the bearer of an access token may collect. `credential_identifiers`: set when authorization_details were used.

    `grant_id`: the offer or the authorization it goes back to. `instance_thumbprint`: of the attested wallet instance.
    `not_after`: how long its provider keeps the status of that instance up; no credential collected ends later (EAA-I-9).
    """

    token_sha256: str
    grant_id: str
    document_id: str
    institution_id: str
    configuration_ids: tuple[str, ...]
    credential_identifiers: Mapping[str, str] | None
    client_id: str | None
    instance_thumbprint: str | None = None
    not_after: datetime | None = None
    dpop_thumbprint: str | None
    expires_at: datetime


def digest(*parts: str) -> str:
    """SHA-256 in hex over the parts, each with its length: secrets are compared and kept as digests."""
    octets = [part.encode() for part in parts]
    return sha256(b"".join([len(part).to_bytes(4, "big") + part for part in octets])).hexdigest()


def add_offer(connection: Connection, offer: Offer, *, tx_code: str | None) -> None:
    """Store a new open offer with its secrets."""
    code, issuer_state = offer.code, offer.issuer_state
    connection.execute(
        insert(offers).values(
            offer_id=offer.offer_id,
            document_id=offer.document_id,
            institution_id=offer.institution_id,
            configuration_ids=list(offer.configuration_ids),
            by_value=offer.by_value,
            grants=[name for name, secret in ((PRE_AUTHORIZED, code), (AUTHORIZATION_CODE, issuer_state)) if secret is not None],
            code_sha256=None if code is None else digest(code),
            code=code,
            tx_code_sha256=None if code is None or tx_code is None else digest(code, tx_code),
            issuer_state_sha256=None if issuer_state is None else digest(issuer_state),
            issuer_state=issuer_state,
            wrong_guesses=0,
            state=str(OfferState.OPEN),
            created_at=to_numeric_date(offer.created_at),
            expires_at=to_numeric_date(offer.expires_at),
        )
    )


def open_offer(connection: Connection, institution_id: str, offer_id: str, now: datetime) -> Offer | None:
    """An offer that can be redeemed now; None for guessed, spent, dead, withdrawn, expired, foreign ones alike (I-17)."""
    return _one_open(connection, offers.c.offer_id == offer_id, institution_id, now)


def open_offer_by_code(connection: Connection, institution_id: str, code: str, now: datetime) -> Offer | None:
    """As `open_offer`, by the pre-authorized code."""
    return _one_open(connection, offers.c.code_sha256 == digest(code), institution_id, now)


def open_offer_by_issuer_state(connection: Connection, institution_id: str, issuer_state: str, now: datetime) -> Offer | None:
    """As `open_offer`, by the `issuer_state` of a sign-in."""
    return _one_open(connection, offers.c.issuer_state_sha256 == digest(issuer_state), institution_id, now)


def _one_open(connection: Connection, which: Any, institution_id: str, now: datetime) -> Offer | None:
    row = connection.execute(
        select(offers).where(
            which,
            offers.c.institution_id == institution_id,
            offers.c.state == OfferState.OPEN,
            offers.c.expires_at > to_numeric_date(now),
        )
    ).one_or_none()
    return None if row is None else _offer(row)


def redeem(connection: Connection, offer_id: str, *, code: str, tx_code: str | None, now: datetime) -> OfferState | None:
    """Try to spend an offer. One statement judges the transaction code, counts a wrong one, and moves the state.

    Gives the state after the try: SPENT (this caller alone has it), OPEN (wrong code, counted), DEAD (wrong for the last
    time); None when there was nothing left to try. A wrong guess never spends the offer (SECURITY R-1), and parallel
    guesses cannot outrun the counter, because each try is judged and counted in the same step.
    """
    table = offers.c
    given = None if tx_code is None else digest(code, tx_code)
    right = table.tx_code_sha256.is_(None) if given is None else table.tx_code_sha256 == given
    last = table.wrong_guesses + 1 >= MAX_WRONG_GUESSES
    statement = (
        update(offers)
        .where(table.offer_id == offer_id, table.state == OfferState.OPEN, table.expires_at > to_numeric_date(now))
        .values(
            state=case((right, OfferState.SPENT.value), (last, OfferState.DEAD.value), else_=table.state),
            code=case((or_(right, last), None), else_=table.code),
            issuer_state=case((or_(right, last), None), else_=table.issuer_state),
            wrong_guesses=case((right, table.wrong_guesses), else_=table.wrong_guesses + 1),
        )
        .returning(table.state)
    )
    state = connection.execute(statement).scalar_one_or_none()
    return None if state is None else OfferState(state)


def document_of_offer(connection: Connection, institution_id: str, offer_id: str) -> str | None:
    """The document an offer of the institution is about, whatever became of the offer."""
    query = select(offers.c.document_id).where(offers.c.offer_id == offer_id, offers.c.institution_id == institution_id)
    document_id: str | None = connection.execute(query).scalar_one_or_none()
    return document_id


def spend_by_sign_in(connection: Connection, offer_id: str) -> bool:
    """The person signed in and the wallet has its token: the offer is spent. False when it was already, or is withdrawn."""
    statement = (
        update(offers)
        .where(offers.c.offer_id == offer_id, offers.c.state == OfferState.OPEN)
        .values(state=str(OfferState.SPENT), code=None, issuer_state=None)
    )
    return changed(connection.execute(statement)) == 1


def withdraw(connection: Connection, document_id: str) -> None:
    """A withdrawn document is no longer offered, and tokens for it are worth nothing (SECURITY D-11).

    A wallet that was promised credentials keeps its token: nothing is given for it, but it can be told so (VCI-DEF-4).
    """
    close_offers(connection, document_id)
    promised = select(deferred.c.grant_id).where(deferred.c.document_id == document_id, deferred.c.state == "pending")
    connection.execute(delete(tokens).where(tokens.c.document_id == document_id, tokens.c.grant_id.not_in(promised)))


def close_offers(connection: Connection, document_id: str) -> None:
    """The document is no longer offered."""
    connection.execute(
        update(offers)
        .where(offers.c.document_id == document_id, offers.c.state == OfferState.OPEN)
        .values(state=str(OfferState.WITHDRAWN), code=None, issuer_state=None)
    )


def add_token(connection: Connection, token: str, grant: Grant, *, uses: int, now: datetime) -> None:
    """Store an access token good for `uses` credentials; `grant.token_sha256` must be its digest."""
    connection.execute(
        insert(tokens).values(
            token_sha256=digest(token),
            grant_id=grant.grant_id,
            document_id=grant.document_id,
            institution_id=grant.institution_id,
            configuration_ids=list(grant.configuration_ids),
            credential_identifiers=None if grant.credential_identifiers is None else dict(grant.credential_identifiers),
            client_id=grant.client_id,
            instance_thumbprint=grant.instance_thumbprint,
            not_after=None if grant.not_after is None else to_numeric_date(grant.not_after),
            dpop_thumbprint=grant.dpop_thumbprint,
            remaining=uses,
            created_at=to_numeric_date(now),
            expires_at=to_numeric_date(grant.expires_at),
        )
    )


_CONVERTED = ("configuration_ids", "not_after", "expires_at")
_GRANT = (*(name for name in Grant.__slots__ if name not in _CONVERTED), *_CONVERTED)
_FIND_GRANT = Prepared(
    select(*(tokens.c[name] for name in _GRANT)).where(
        tokens.c.token_sha256 == bindparam("token"),
        tokens.c.institution_id == bindparam("institution"),
        tokens.c.expires_at > bindparam("at"),
    )
)


def find_grant(connection: Connection, institution_id: str, token: str, now: datetime) -> Grant | None:
    """What a presented token stands for at this institution; None when unknown, expired or another institution's."""
    row = _FIND_GRANT.one(connection, token=digest(token), institution=institution_id, at=to_numeric_date(now))
    if row is None:
        return None
    *values, configuration_ids, not_after, expires_at = row
    return Grant(
        **dict(zip(_GRANT, values, strict=False)),
        configuration_ids=tuple(configuration_ids),
        not_after=None if not_after is None else datetime.fromtimestamp(not_after, UTC),
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )


_CLAIM_USES = Prepared(
    update(tokens)
    .where(
        tokens.c.token_sha256 == bindparam("token"),
        tokens.c.remaining >= bindparam("least", type_=Integer),
        tokens.c.expires_at > bindparam("at"),
    )
    .values(remaining=tokens.c.remaining - bindparam("taken", type_=Integer))
)


def claim_uses(connection: Connection, grant: Grant, count: int, now: datetime) -> bool:
    """Take `count` credentials from what the token is good for. False when it is expired, gone, or not good for so many."""
    claimed = _CLAIM_USES.run(connection, token=grant.token_sha256, least=count, taken=count, at=to_numeric_date(now))
    return claimed == 1


class Purpose(StrEnum):
    """What a nonce was given out for; for anything else it is unknown."""

    C_NONCE = "c_nonce"
    ATTESTATION = "attestation"  # the challenge in a client attestation's proof of possession


_ADD_NONCE = Prepared(insert(nonces))
_LIVE = (
    nonces.c.nonce_sha256 == bindparam("nonce"),
    nonces.c.institution_id == bindparam("institution"),
    nonces.c.purpose == bindparam("wanted"),
    nonces.c.expires_at > bindparam("at"),
)
_FIND_NONCE = Prepared(select(nonces.c.expires_at).where(*_LIVE))
_SPEND_NONCE = Prepared(delete(nonces).where(*_LIVE))


def add_nonce(
    connection: Connection, institution_id: str, nonce: str, expires_at: datetime, *, purpose: Purpose = Purpose.C_NONCE
) -> None:
    """Remember a nonce that was given out."""
    _ADD_NONCE.run(
        connection,
        nonce_sha256=digest(nonce),
        institution_id=institution_id,
        purpose=str(purpose),
        expires_at=to_numeric_date(expires_at),
    )


def knows_nonces(
    connection: Connection, institution_id: str, values: Sequence[str], now: datetime, *, purpose: Purpose = Purpose.C_NONCE
) -> bool:
    """True when every value was given out by this institution for this purpose, is not spent and not expired. Claims nothing."""
    return all(_FIND_NONCE.one(connection, **row) for row in _live(institution_id, values, now, purpose))


def claim_nonces(
    connection: Connection, institution_id: str, values: Sequence[str], now: datetime, *, purpose: Purpose = Purpose.C_NONCE
) -> bool:
    """Spend the nonces of one request, all of them or (the caller rolls back) none (VCI-NONCE-4, SECURITY R-3)."""
    return all(_SPEND_NONCE.run(connection, **row) == 1 for row in _live(institution_id, values, now, purpose))


def _live(institution_id: str, values: Sequence[str], now: datetime, purpose: Purpose) -> list[dict[str, Any]]:
    common = {"institution": institution_id, "wanted": str(purpose), "at": to_numeric_date(now)}
    return [{"nonce": digest(value), **common} for value in dict.fromkeys(values)]


_CLAIM_PROOF = Prepared(insert(dpop_proofs))


def claim_proof(connection: Connection, thumbprint: str, jti: str, expires_at: datetime) -> bool:
    """Remember a DPoP proof (RFC 9449 §11.1). False when this key has used this `jti` before: a replay; the caller rolls back."""
    try:
        _CLAIM_PROOF.run(connection, proof_sha256=digest(thumbprint, jti), expires_at=to_numeric_date(expires_at))
    except IntegrityError:
        return False
    return True


def _offer(row: Row[Any]) -> Offer:
    return Offer(
        offer_id=row.offer_id,
        document_id=row.document_id,
        institution_id=row.institution_id,
        configuration_ids=tuple(row.configuration_ids),
        by_value=row.by_value,
        code=row.code,
        issuer_state=row.issuer_state,
        needs_tx_code=row.tx_code_sha256 is not None,
        state=OfferState(row.state),
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        expires_at=datetime.fromtimestamp(row.expires_at, UTC),
    )
