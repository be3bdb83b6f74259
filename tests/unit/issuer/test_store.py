"""The store: what may be used once is used once, by two workers too; what is over is erased.

SECURITY A-1, A-2, D-7, I-9, O-3, P-6, R-1, R-3.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from issuer import migrations
from issuer.store import connect, documents, grants, issuances, rates, refresh, retention, status
from issuer.store.documents import DocumentState, StoredDocument
from issuer.store.engine import reading, writing
from issuer.store.grants import Grant, Offer, OfferState, Purpose
from issuer.store.idempotency import Answer, once
from issuer.store.issuances import Record
from issuer.store.refresh import RefreshGrant
from issuer.store.tables import documents as documents_table
from issuer.store.tables import metadata, status_entries, status_lists
from issuer.store.tables import offers as offers_table
from tests.support.pki import NOW
from vc.errors import Refused

LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[Engine, Engine]]:
    """Two workers' connections to one database file."""
    first, second = (connect(f"sqlite:///{tmp_path}/issuer.db") for _ in range(2))
    migrations.upgrade(first)
    yield first, second
    first.dispose()
    second.dispose()


@pytest.fixture
def engine(engines: tuple[Engine, Engine]) -> Engine:
    return engines[0]


def _document(document_id: str = "doc", institution: str = "a") -> StoredDocument:
    return StoredDocument(
        seq=0,
        document_id=document_id,
        institution_id=institution,
        document_type="pda1",
        profile=None,
        document={"x": 1},
        identity=None,
        created_at=NOW,
    )


def _offered(engine: Engine, *, tx_code: str | None = "493536", code: str = "code", offer_id: str = "offer") -> str:
    offer = Offer(
        offer_id=offer_id,
        document_id="doc",
        institution_id="a",
        configuration_ids=("one", "two"),
        by_value=False,
        code=code,
        needs_tx_code=tx_code is not None,
        state=OfferState.OPEN,
        created_at=NOW,
        expires_at=LATER,
    )
    with writing(engine) as connection:
        if documents.find(connection, "a", "doc") is None:
            documents.add(connection, _document())
        grants.add_offer(connection, offer, tx_code=tx_code)
    return code


def _redeem(engine: Engine, tx_code: str | None = "493536", *, now: Any = NOW, code: str = "code") -> OfferState | None:
    with writing(engine) as connection:
        return grants.redeem(connection, "offer", code=code, tx_code=tx_code, now=now)


def test_the_migrated_schema_is_the_declared_one(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrations.VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_and_from_two_workers_at_once_is_harmless(tmp_path: Path) -> None:
    engines = [connect(f"sqlite:///{tmp_path}/new.db") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrations.upgrade, engines))
    assert all(migrations.is_current(engine) for engine in engines)
    for engine in engines:
        engine.dispose()


def test_an_interrupted_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = connect(f"sqlite:///{tmp_path}/new.db")

    def fail(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("alembic.operations.Operations.create_index", fail)
        with pytest.raises(KeyboardInterrupt):
            migrations.upgrade(engine)
    assert not migrations.is_current(engine)
    migrations.upgrade(engine)
    assert migrations.is_current(engine)
    engine.dispose()


def test_every_commit_is_durable_and_links_are_enforced(engine: Engine) -> None:
    with reading(engine) as connection:
        names = ("synchronous", "journal_mode", "foreign_keys")
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    assert pragmas == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(insert(offers_table).values(_row_of_an_offer_without_document()))


def _row_of_an_offer_without_document() -> dict[str, Any]:
    return {
        "offer_id": "o",
        "document_id": "nowhere",
        "institution_id": "a",
        "configuration_ids": [],
        "by_value": False,
        "code_sha256": "0",
        "wrong_guesses": 0,
        "state": "open",
        "created_at": 0,
        "expires_at": 0,
    }


def test_a_code_is_spent_once(engine: Engine) -> None:
    _offered(engine)
    assert _redeem(engine) is OfferState.SPENT
    assert _redeem(engine) is None
    with reading(engine) as connection:
        assert connection.execute(select(offers_table.c.code)).scalar_one() is None  # the plain code is erased
        assert grants.open_offer(connection, "a", "offer", NOW) is None
        assert grants.open_offer_by_code(connection, "a", "code", NOW) is None


def test_a_wrong_guess_does_not_spend_the_code(engine: Engine) -> None:
    """SECURITY R-1."""
    _offered(engine)
    assert _redeem(engine, "000000") is OfferState.OPEN
    assert _redeem(engine) is OfferState.SPENT


def test_five_wrong_guesses_kill_the_code_for_good_across_workers(engines: tuple[Engine, Engine]) -> None:
    """SECURITY A-2, VCI-TOK-3: the counter is in the database."""
    _offered(engines[0])
    states = [_redeem(engines[turn % 2], f"00000{turn}") for turn in range(5)]
    assert states == [OfferState.OPEN] * 4 + [OfferState.DEAD]
    assert _redeem(engines[0]) is None
    with reading(engines[1]) as connection:
        assert grants.open_offer_by_code(connection, "a", "code", NOW) is None


def test_parallel_guesses_cannot_outrun_the_counter(engines: tuple[Engine, Engine]) -> None:
    _offered(engines[0])
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda turn: _redeem(engines[turn % 2], f"{turn:06d}"), range(20)))
    assert sorted(str(state) for state in states if state) == ["dead", "open", "open", "open", "open"]
    assert _redeem(engines[0]) is None


def test_a_missing_transaction_code_is_a_wrong_one(engine: Engine) -> None:
    _offered(engine)
    assert _redeem(engine, None) is OfferState.OPEN


def test_an_offer_without_transaction_code_takes_none(engine: Engine) -> None:
    _offered(engine, tx_code=None)
    assert _redeem(engine, "493536") is OfferState.OPEN
    assert _redeem(engine, None) is OfferState.SPENT


def test_a_code_ends_with_its_time(engine: Engine) -> None:
    _offered(engine)
    assert _redeem(engine, now=LATER) is None
    assert _redeem(engine, now=LATER - timedelta(seconds=1)) is OfferState.SPENT


def test_six_callers_on_two_workers_get_one_success(engines: tuple[Engine, Engine]) -> None:
    """SECURITY A-1."""
    for turn in range(10):
        code = _offered(engines[0], code=f"code-{turn}", offer_id=f"offer-{turn}")

        def attempt(worker: int, turn: int = turn, code: str = code) -> OfferState | None:
            with writing(engines[worker % 2]) as connection:
                return grants.redeem(connection, f"offer-{turn}", code=code, tx_code="493536", now=NOW)

        with ThreadPoolExecutor(6) as pool:
            states = list(pool.map(attempt, range(6)))
        assert states.count(OfferState.SPENT) == 1
        assert states.count(None) == 5


def test_an_offer_of_another_institution_is_not_there(engine: Engine) -> None:
    _offered(engine)
    with reading(engine) as connection:
        assert grants.open_offer(connection, "b", "offer", NOW) is None
        assert grants.open_offer_by_code(connection, "b", "code", NOW) is None
        assert grants.open_offer(connection, "a", "offer", NOW) is not None


def test_an_offer_ends_with_its_time_for_those_who_only_look(engine: Engine) -> None:
    """SECURITY I-17: by its id, and by its code."""
    _offered(engine)
    for now, there in ((LATER - timedelta(seconds=1), True), (LATER, False)):
        with reading(engine) as connection:
            assert (grants.open_offer(connection, "a", "offer", now) is not None) is there
            assert (grants.open_offer_by_code(connection, "a", "code", now) is not None) is there


def test_a_refresh_token_is_found_at_its_institution_in_its_time(engine: Engine) -> None:
    """SECURITY D-1, VCI-TOK-10."""
    _offered(engine)
    kept = RefreshGrant(
        grant_id="offer", document_id="doc", institution_id="a", configuration_ids=("one",), credential_identifiers=None,
        client_id="c", instance_thumbprint=None, dpop_thumbprint="k", revoked=False, expires_at=LATER,
    )  # fmt: skip
    with writing(engine) as connection:
        refresh.add(connection, "refresh", kept, NOW)
    with reading(engine) as connection:
        assert refresh.find(connection, "a", "refresh", LATER - timedelta(seconds=1)) == kept
        assert refresh.find(connection, "a", "refresh", LATER) is None
        assert refresh.find(connection, "b", "refresh", NOW) is None


def _grant(token: str = "token", **changes: Any) -> Grant:
    values: dict[str, Any] = {
        "token_sha256": grants.digest(token),
        "grant_id": "offer",
        "document_id": "doc",
        "institution_id": "a",
        "configuration_ids": ("one",),
        "credential_identifiers": None,
        "client_id": None,
        "dpop_thumbprint": None,
        "expires_at": LATER,
    }
    return Grant(**{**values, **changes})


def test_a_token_is_found_by_itself_at_its_institution_in_its_time(engine: Engine) -> None:
    _offered(engine)
    grant = _grant(credential_identifiers={"one-1": "one"}, dpop_thumbprint="jkt", client_id="wallet")
    with writing(engine) as connection:
        grants.add_token(connection, "token", grant, uses=3, now=NOW)
    with reading(engine) as connection:
        assert grants.find_grant(connection, "a", "token", NOW) == grant
        assert grants.find_grant(connection, "a", "toke", NOW) is None
        assert grants.find_grant(connection, "b", "token", NOW) is None
        assert grants.find_grant(connection, "a", "token", LATER) is None


def test_a_token_is_good_for_so_many_credentials(engines: tuple[Engine, Engine]) -> None:
    _offered(engines[0])
    grant = _grant()
    with writing(engines[0]) as connection:
        grants.add_token(connection, "token", grant, uses=3, now=NOW)

    def claim(turn: int) -> bool:
        with writing(engines[turn % 2]) as connection:
            return grants.claim_uses(connection, grant, 2, NOW)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(claim, range(4))).count(True) == 1
    with writing(engines[0]) as connection:
        assert grants.claim_uses(connection, grant, 1, NOW)
        assert not grants.claim_uses(connection, grant, 1, NOW)


def _nonce(engine: Engine, value: str, institution: str = "a") -> None:
    with writing(engine) as connection:
        grants.add_nonce(connection, institution, value, LATER)


def _spend(engine: Engine, *values: str, institution: str = "a", now: Any = NOW) -> bool:
    with writing(engine) as connection:
        return grants.claim_nonces(connection, institution, values, now)


@pytest.mark.parametrize(
    ("institution", "value", "now"),
    [("a", "invented", NOW), ("b", "nonce", NOW), ("a", "nonce", LATER)],
    ids=["invented", "of another institution", "expired"],
)
def test_a_nonce_that_is_not_good(engine: Engine, institution: str, value: str, now: Any) -> None:
    """VCI-NONCE-3, SECURITY I-9."""
    _nonce(engine, "nonce")
    with reading(engine) as connection:
        assert not grants.knows_nonces(connection, institution, [value], now)
    assert not _spend(engine, value, institution=institution, now=now)


@pytest.mark.parametrize("given", list(Purpose))
def test_a_nonce_is_good_for_its_purpose_only(engine: Engine, given: Purpose) -> None:
    """A challenge for a client attestation proves nothing about a holder's key, nor the reverse."""
    (other,) = set(Purpose) - {given}
    with writing(engine) as connection:
        grants.add_nonce(connection, "a", "nonce", LATER, purpose=given)
        assert not grants.knows_nonces(connection, "a", ["nonce"], NOW, purpose=other)
        assert not grants.claim_nonces(connection, "a", ["nonce"], NOW, purpose=other)
        assert grants.knows_nonces(connection, "a", ["nonce"], NOW, purpose=given)
        assert grants.claim_nonces(connection, "a", ["nonce"], NOW, purpose=given)


def test_a_nonce_is_spent_once_by_two_workers(engines: tuple[Engine, Engine]) -> None:
    """SECURITY I-9, I-20."""
    for turn in range(10):
        _nonce(engines[0], f"n{turn}")
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(lambda worker, turn=turn: _spend(engines[worker % 2], f"n{turn}"), range(6))).count(True) == 1


def test_proofs_of_one_request_may_share_a_nonce(engine: Engine) -> None:
    """SECURITY R-3: spent per request."""
    _nonce(engine, "nonce")
    assert _spend(engine, "nonce", "nonce", "nonce")
    assert not _spend(engine, "nonce")


def test_a_dpop_proof_is_taken_once_per_key(engines: tuple[Engine, Engine]) -> None:
    """SECURITY A-11: the memory is in the database."""

    def claim(engine: Engine, key: str, jti: str) -> bool:
        with writing(engine) as connection:
            return grants.claim_proof(connection, key, jti, LATER)

    assert claim(engines[0], "key", "jti")
    assert not claim(engines[1], "key", "jti")
    assert claim(engines[1], "key", "jti2")
    assert claim(engines[1], "other key", "jti")


def _once(
    engine: Engine,
    operation: Callable[[Connection], Answer],
    *,
    body: Any = None,
    key: str | None = "k",
    at: Any = NOW,
    who: str = "a",
) -> Answer:
    return once(engine, operation, institution_id=who, key=key, request=("path", body), now=at, keep=timedelta(hours=1))


def _creating(institution: str = "a") -> Callable[[Connection], Answer]:
    def operation(connection: Connection) -> Answer:
        document_id = secrets.token_hex(16)
        documents.add(connection, _document(document_id, institution))
        return 201, {"document_id": document_id}

    return operation


def _number_of_documents(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(documents_table)).scalar_one())


def test_the_same_key_gives_the_same_object_eight_at_once(engines: tuple[Engine, Engine]) -> None:
    """SECURITY D-7."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda turn: _once(engines[turn % 2], _creating()), range(8)))
    assert len({answer[1]["document_id"] for answer in answers}) == 1
    assert _number_of_documents(engines[0]) == 1


def test_the_same_key_with_another_request_is_refused(engine: Engine) -> None:
    _once(engine, _creating(), body={"a": 1, "b": [{"c": 1, "d": 2}]})
    _once(engine, _creating(), body={"b": [{"d": 2, "c": 1}], "a": 1})  # the same, written in another order
    with pytest.raises(Refused) as caught:
        _once(engine, _creating(), body={"a": 2})
    assert caught.value.code == "idempotency_key_reused"
    assert _number_of_documents(engine) == 1


def test_keys_of_two_institutions_are_two_keys(engine: Engine) -> None:
    _once(engine, _creating("a"))
    _once(engine, _creating("b"), who="b")
    assert _number_of_documents(engine) == 2


def test_without_key_every_request_counts(engine: Engine) -> None:
    _once(engine, _creating(), key=None)
    _once(engine, _creating(), key=None)
    assert _number_of_documents(engine) == 2


def test_a_key_is_free_again_after_its_time_and_after_a_failure(engine: Engine) -> None:
    def failing(connection: Connection) -> Answer:
        documents.add(connection, _document("half"))
        raise Refused("no", "")

    with pytest.raises(Refused):
        _once(engine, failing)
    assert _number_of_documents(engine) == 0
    first = _once(engine, _creating())
    assert _once(engine, _creating(), at=NOW + timedelta(minutes=59)) == first
    assert _once(engine, _creating(), at=NOW + timedelta(minutes=60)) != first


def _list(engine: Engine) -> str:
    with writing(engine) as connection:
        return status.add_list(connection, "a", NOW, secrets.token_bytes)


def _recorded(connection: Connection, *credential_ids: str) -> None:
    if documents.find(connection, "a", "doc") is None:
        documents.add(connection, _document())
    issuances.record(
        connection,
        notification_id=secrets.token_hex(8),
        institution_id="a",
        grant_id="offer",
        document_id="doc",
        configuration_id="one",
        records=[
            Record(credential_id=name, holder_thumbprint="t", content_sha256="0", valid_from=NOW, valid_until=LATER)
            for name in credential_ids
        ],
        now=NOW,
    )


def test_one_open_list_per_institution_of_two_to_the_twenty(engine: Engine) -> None:
    first = _list(engine)
    assert _list(engine) == first
    with reading(engine) as connection:
        assert connection.execute(select(status_lists.c.size)).scalar_one() == 1 << 20
        assert status.open_list(connection, "b") is None
        assert status.version_of(connection, "b", first) is None


def test_a_full_list_is_followed_by_another(engine: Engine) -> None:
    first = _list(engine)
    with writing(engine) as connection:
        connection.execute(status_lists.update().values(used=status.LIST_CAPACITY))
    second = _list(engine)
    assert second != first
    with reading(engine) as connection:
        assert set(status.lists_of(connection, "a")) == {first, second}


def test_an_index_is_given_out_once(engines: tuple[Engine, Engine]) -> None:
    """TSL-13, SECURITY O-3, R-18: the second taker is told, whatever it believed."""
    list_id = _list(engines[0])
    with writing(engines[0]) as connection:
        _recorded(connection, "c1", "c2")
        assert status.take(connection, list_id, {7: "c1"}, changes_at=None)
    with engines[1].connect() as connection:
        assert not status.take(connection, list_id, {8: "c2", 7: "c2"}, changes_at=None)
        connection.rollback()  # what the caller does
    with reading(engines[1]) as connection:
        rows = connection.execute(select(status_entries.c.idx, status_entries.c.credential_id))
        assert [tuple(row) for row in rows] == [(7, "c1")]


def test_a_draw_avoids_what_is_taken_and_has_the_full_width(engine: Engine) -> None:
    list_id = _list(engine)
    with writing(engine) as connection:
        _recorded(connection, "c1")
        status.take(connection, list_id, {7: "c1"}, changes_at=None)
    stream = iter([7, 7, 9, 7, (1 << 20) + 9, (1 << 32) - 1, 11, 12])
    with reading(engine) as connection:
        drawn = status.draw(connection, list_id, 2, lambda n: b"".join(next(stream).to_bytes(4, "big") for _ in range(n // 4)))
    assert drawn == [9, (1 << 20) - 1]


def test_one_index_is_drawn_with_its_list(engine: Engine) -> None:
    """TSL-13: of the institution's open list, free, from the full width; otherwise nothing, and the long way is taken."""
    list_id, stream = _list(engine), iter([7, 9, (1 << 32) - 1, 11, 12, 13])
    with writing(engine) as connection:
        _recorded(connection, "c1")
        status.take(connection, list_id, {7: "c1"}, changes_at=None)

    def draw(institution_id: str = "a") -> tuple[str, int] | None:
        with reading(engine) as connection:
            return status.draw_one(connection, institution_id, lambda n: next(stream).to_bytes(n, "big"))

    assert [draw(), draw(), draw()] == [None, (list_id, 9), (list_id, (1 << 20) - 1)]
    assert draw("b") is None
    with writing(engine) as connection:
        connection.execute(status_lists.update().values(used=status.LIST_CAPACITY))
    assert draw() is None
    with writing(engine) as connection:
        connection.execute(status_lists.update().values(used=0, is_open=False))
    assert draw() is None


def test_revoking_shows_at_its_moment_and_raises_the_version(engine: Engine) -> None:
    list_id = _list(engine)
    with writing(engine) as connection:
        _recorded(connection, "c1", "c2")
        status.take(connection, list_id, {7: "c1", 9: "c2"}, changes_at=None)
    moment = NOW + timedelta(hours=1)
    with writing(engine) as connection:
        before = status.version_of(connection, "a", list_id)
        assert documents.revoke(connection, "a", "doc", reason="fraud", effective_from=moment, status_changes_at=moment, now=NOW)
        assert status.version_of(connection, "a", list_id) == (before or 0) + 1
    with reading(engine) as connection:
        assert status.values_of(connection, list_id, moment - timedelta(seconds=1)) == {}
        assert status.values_of(connection, list_id, moment) == {7: 1, 9: 1}
        stored = documents.find(connection, "a", "doc")
        assert stored is not None
        assert stored.state(moment - timedelta(seconds=1)) is DocumentState.REVOCATION_SCHEDULED
        assert stored.state(moment) is DocumentState.REVOKED


def test_withdrawal_has_no_way_back(engine: Engine) -> None:
    """TSL-14, SECURITY D-11: repeated, put off: nothing changes; brought forward: it does."""

    def revoke(reason: str, moment: Any, now: Any = NOW) -> bool:
        with writing(engine) as connection:
            return documents.revoke(
                connection, "a", "doc", reason=reason, effective_from=moment, status_changes_at=max(moment, now), now=now
            )

    with writing(engine) as connection:
        documents.add(connection, _document())
    assert revoke("fraud", NOW + timedelta(days=2))
    assert not revoke("unspecified", NOW + timedelta(days=3))
    assert not revoke("fraud", NOW + timedelta(days=2))
    assert revoke("facts_changed", NOW + timedelta(days=1))
    after = NOW + timedelta(days=1, seconds=1)
    assert not revoke("unspecified", NOW, now=after)
    with reading(engine) as connection:
        stored = documents.find(connection, "a", "doc")
        assert stored is not None
        assert stored.revocation_reason == "facts_changed"
        assert [event["event"] for event in documents.events(connection, "doc")] == [
            "document_created",
            "document_revoked",
            "document_revoked",
        ]


def test_an_older_status_token_never_replaces_a_newer_one(engine: Engine) -> None:
    """SECURITY S-8, O-9."""
    list_id = _list(engine)

    def publish(version: int, issued_at: int) -> bytes:
        new = status.Published(version=version, issued_at=issued_at, token=f"{version}.{issued_at}".encode())
        with writing(engine) as connection:
            status.publish(connection, list_id, "jwt", new)
            current = status.published(connection, list_id, "jwt")
        assert current is not None
        return current.token

    assert publish(2, 100) == b"2.100"
    assert publish(1, 101) == b"2.100"
    assert publish(2, 99) == b"2.100"
    assert publish(3, 100) == b"3.100"


def test_a_notification_is_stored_once(engine: Engine) -> None:
    """VCI-NOT-1."""
    with writing(engine) as connection:
        documents.add(connection, _document())
        issuances.record(
            connection,
            notification_id="note",
            institution_id="a",
            grant_id="offer",
            document_id="doc",
            configuration_id="one",
            records=[Record(credential_id="c", holder_thumbprint="t", content_sha256="0", valid_from=NOW, valid_until=LATER)],
            now=NOW,
        )
    with writing(engine) as connection:
        assert issuances.notify(connection, "note", "credential_accepted", None, NOW)
        assert not issuances.notify(connection, "note", "credential_accepted", "again", LATER)
        assert issuances.notify(connection, "note", "credential_deleted", None, LATER)
    with reading(engine) as connection:
        assert [row.event for row in documents.reports(connection, "doc")] == ["credential_accepted", "credential_deleted"]
        assert issuances.document_of(connection, "a", "offer", "note") == "doc"
        assert issuances.document_of(connection, "b", "offer", "note") is None
        assert issuances.document_of(connection, "a", "other offer", "note") is None


def test_what_is_over_is_erased(engine: Engine, tmp_path: Path) -> None:
    """SECURITY P-6: at the second of the end, from the file too."""
    _offered(engine, code="a-code-that-must-not-stay")
    _nonce(engine, "nonce")
    with writing(engine) as connection:
        grants.add_token(connection, "token", _grant(), uses=1, now=NOW)
    _once(engine, lambda _: (201, {"tx_code": "a-response-that-must-not-stay"}), key="kept")
    with writing(engine) as connection:
        assert retention.purge(connection, LATER - timedelta(seconds=1)) == 0
        assert retention.purge(connection, LATER) == 3  # token, nonce, code of the offer
        assert retention.purge(connection, NOW + timedelta(hours=1)) == 1
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"that-must-not-stay" not in content


def test_refusals_are_counted_per_day_and_kept_for_a_month(engine: Engine) -> None:
    with writing(engine) as connection:
        for _ in range(3):
            retention.count_refusal(connection, "a", "token", "invalid_grant", NOW)
        retention.count_refusal(connection, "a", "credential", "invalid_proof", NOW)
        retention.count_refusal(connection, "b", "token", "invalid_grant", NOW)
        assert retention.refusals_of(connection, "a") == [
            {"day": "2026-11-24", "endpoint": "credential", "code": "invalid_proof", "count": 1},
            {"day": "2026-11-24", "endpoint": "token", "code": "invalid_grant", "count": 3},
        ]
        retention.purge(connection, NOW + timedelta(days=32))
        assert retention.refusals_of(connection, "a") == []


def test_a_limit_per_minute_is_common_to_all_workers(engines: tuple[Engine, Engine]) -> None:
    """SECURITY H-19."""

    def claim(turn: int, now: Any = NOW) -> str:
        try:
            with writing(engines[turn % 2]) as connection:
                rates.claim(connection, "a", "nonces", 5, now)
        except Refused as exc:
            return exc.code
        return "ok"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(8))) == ["ok"] * 5 + ["rate_limit"] * 3
    assert claim(0, NOW + timedelta(minutes=1)) == "ok"


def test_pages_follow_the_order_of_coming_and_hold_own_documents_only(engine: Engine) -> None:
    with writing(engine) as connection:
        for number in range(5):
            documents.add(connection, _document(f"a{number}", "a"))
            documents.add(connection, _document(f"b{number}", "b"))
    with reading(engine) as connection:
        first = documents.page(connection, "a", after=0, limit=3)
        rest = documents.page(connection, "a", after=first[-1].seq, limit=3)
        assert [document.document_id for document in (*first, *rest)] == ["a0", "a1", "a2", "a3", "a4"]
        assert documents.find(connection, "a", "b0") is None


# A lock that stays (SECURITY O-7, H-18)


def test_a_lock_that_stays_holds_up_one_writer_and_not_a_queue_of_them(
    engines: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests of a worker wait one after the other: ten of them waited a hundred seconds, and readers with them."""
    holder, asking = engines
    monkeypatch.setattr("issuer.store.engine.BUSY_MILLISECONDS", 300)
    monkeypatch.setattr("issuer.store.engine.HURRIED_MILLISECONDS", 10)
    waited = []
    with writing(holder):
        for _ in range(5):
            begun = time.monotonic()
            with pytest.raises(OperationalError), writing(asking):
                pytest.fail("two writers at once")
            waited.append(time.monotonic() - begun)
    assert waited[0] >= 0.25
    assert sum(waited[1:]) < waited[0]
    with writing(asking) as connection:
        grants.add_nonce(connection, "fr-urssaf", "n", LATER)


def test_after_a_while_a_lock_is_waited_for_again(engines: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    holder, asking = engines
    monkeypatch.setattr("issuer.store.engine.BUSY_MILLISECONDS", 200)
    monkeypatch.setattr("issuer.store.engine.HURRIED_MILLISECONDS", 0)
    monkeypatch.setattr("issuer.store.engine.HURRIED_SECONDS", 0.0)
    with writing(holder):
        for _ in range(2):
            begun = time.monotonic()
            with pytest.raises(OperationalError), writing(asking):
                pytest.fail("two writers at once")
            assert time.monotonic() - begun >= 0.15
