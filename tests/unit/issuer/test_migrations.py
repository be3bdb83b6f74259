"""A database of an earlier version is brought up to date with every row in it (SECURITY O-17, O-18)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from issuer import migrations
from issuer.store import connect, documents, grants, issuances
from issuer.store.engine import reading, writing
from issuer.store.grants import OfferState
from tests.support.pki import NOW
from vc.clock import to_numeric_date

_END = to_numeric_date(NOW + timedelta(minutes=10))
_ROWS: dict[str, list[dict[str, Any]]] = {
    "issuer_documents": [
        {"document_id": "doc", "document": '{"holder": {"birth_date": "1988-04-17"}}'},
        {"document_id": "bare", "document": "{}"},
    ],
    "issuer_offers": [
        {"offer_id": "offer", "code_sha256": grants.digest("code"), "code": "code", "state": "open"},
        {"offer_id": "spent", "code_sha256": grants.digest("other"), "code": None, "state": "spent"},
    ],
    "issuer_tokens": [{"token_sha256": grants.digest("token")}],
    "issuer_nonces": [{"nonce_sha256": grants.digest("nonce")}],
    "issuer_issuances": [{"notification_id": "note"}],
}
_FILLED: dict[str, dict[str, Any]] = {
    "issuer_documents": {"institution_id": "a", "document_type": "pda1", "created_at": 1},
    "issuer_offers": {
        "document_id": "doc",
        "institution_id": "a",
        "configuration_ids": '["one"]',
        "by_value": 0,
        "wrong_guesses": 0,
        "created_at": 1,
        "expires_at": _END,
    },
    "issuer_tokens": {
        "offer_id": "spent",
        "document_id": "doc",
        "institution_id": "a",
        "configuration_ids": '["one"]',
        "credential_identifiers": '{"one-1": "one"}',
        "client_id": "wallet",
        "dpop_thumbprint": "jkt",
        "remaining": 3,
        "created_at": 1,
        "expires_at": _END,
    },
    "issuer_nonces": {"institution_id": "a", "expires_at": _END},
    "issuer_issuances": {
        "institution_id": "a",
        "offer_id": "spent",
        "document_id": "doc",
        "configuration_id": "one",
        "created_at": 1,
    },
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database of the first version with rows in it, brought up to date."""
    made = connect(f"sqlite:///{tmp_path}/issuer.db")
    with writing(made) as connection:
        command.upgrade(migrations._config(connection), "0001")
        for table, rows in _ROWS.items():
            for row in rows:
                values = {**_FILLED[table], **row}
                names = ", ".join(values)
                connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + n for n in values)})"), values)
    assert not migrations.is_current(made)
    migrations.upgrade(made)
    assert migrations.is_current(made)
    yield made
    made.dispose()


def test_offers_tokens_and_nonces_of_the_first_schema_stay_good(engine: Engine) -> None:
    with writing(engine) as connection:
        offer = grants.open_offer_by_code(connection, "a", "code", NOW)
        assert offer is not None
        assert grants.open_offer(connection, "a", "spent", NOW) is None
        assert grants.redeem(connection, "offer", code="code", tx_code=None, now=NOW) is OfferState.SPENT
        assert grants.knows_nonces(connection, "a", ["nonce"], NOW)
        grant = grants.find_grant(connection, "a", "token", NOW)
        assert grant is not None
        assert (grant.grant_id, grant.client_id, grant.dpop_thumbprint, grant.instance_thumbprint) == (
            "spent",
            "wallet",
            "jkt",
            None,
        )
        assert (grant.configuration_ids, grant.credential_identifiers) == (("one",), {"one-1": "one"})
        assert grants.claim_uses(connection, grant, 3, NOW)
        assert not grants.claim_uses(connection, grant, 1, NOW)
        assert issuances.document_of(connection, "a", "spent", "note") == "doc"


def test_documents_of_the_first_schema_get_their_birth_date(engine: Engine) -> None:
    with reading(engine) as connection:
        found = {name: documents.find(connection, "a", name) for name in ("doc", "bare")}
    assert {name: document and document.birth_date for name, document in found.items()} == {"doc": "1988-04-17", "bare": None}
    assert all(document is not None and document.hold is None for document in found.values())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE issuer_offers SET code_sha256 = 'same'",
        "UPDATE issuer_offers SET issuer_state_sha256 = 'same'",
        "UPDATE issuer_offers SET document_id = 'nowhere'",
    ],
)
def test_a_table_made_anew_keeps_its_constraints(engine: Engine, statement: str) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(text(statement))
