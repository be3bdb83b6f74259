"""Credentials without a status list (EAA-S-6, EAA-M-5): a day at most, no index, and still on record."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from issuer.store.engine import reading
from issuer.store.tables import status_entries
from tests.support import issuer as world
from tests.support.issuer import Deployment, bearer
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import holder
from vc import formats
from vc.x509.certificate import public_key

FORMS = {"pda1_dc4eu-2_sd_jwt": "dc+sd-jwt", "eu.europa.ec.eudi.pda1_mdoc": "mso_mdoc"}


@pytest.fixture(params=[3600, 86_400])
def deployment(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """However coarsely times are rounded."""
    facts = {**world.INSTITUTIONS["fr-urssaf"], "short_lived": ["pda1"]}
    institutions = {**world.INSTITUTIONS, "fr-urssaf": facts}
    built = world.build(tmp_path, institutions=institutions, time_rounding_seconds=request.param)
    yield built
    built.close()


@pytest.fixture
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


def _collect(
    client: TestClient, deployment: Deployment, configuration_id: str, institution: str = "fr-urssaf"
) -> tuple[str, list[str]]:
    wallet = IssuerWallet(client, deployment.credential_issuer(institution), deployment.clock)
    offered = world.offer(client, institution)
    assert wallet.token(offered).status_code == 200
    answer = wallet.credential(configuration_id, keys=[holder(), holder()])
    assert answer.status_code == 200, answer.text
    document_id: str = offered["document_id"]
    return document_id, [entry["credential"] for entry in answer.json()["credentials"]]


@pytest.mark.parametrize("configuration_id", FORMS)
def test_a_short_lived_credential_lives_a_day_and_takes_no_index(
    client: TestClient, deployment: Deployment, configuration_id: str
) -> None:
    deployment.clock.advance(hours=5, minutes=17, seconds=23)
    document_id, texts = _collect(client, deployment, configuration_id)
    for text in texts:
        unverified = formats.parse_issued(FORMS[configuration_id], text)
        found = unverified.verify_issuer(public_key(unverified.chain[0]))
        assert found.short_lived
        assert found.status is None
        assert found.valid_until is not None
        assert timedelta(hours=22) < found.valid_until - deployment.clock.now <= timedelta(hours=24)
        found.check_validity(deployment.clock.now)
    with reading(deployment.engines[-1]) as connection:
        assert connection.execute(select(func.count()).select_from(status_entries)).scalar_one() == 0
    shown = client.get(f"/api/v1/documents/{document_id}", headers=bearer("fr-urssaf")).json()["credentials"]
    assert [(entry["short_lived"], entry["status_list"], entry["status_index"]) for entry in shown] == [(True, None, None)] * 2


def test_its_document_can_be_withdrawn_and_then_nothing_more_is_given(client: TestClient, deployment: Deployment) -> None:
    wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)
    offered = world.offer(client)
    wallet.token(offered)
    assert wallet.credential("pda1_dc4eu-2_sd_jwt").status_code == 200
    nonce = wallet.nonce()
    path = f"/api/v1/documents/{offered['document_id']}/revocation"
    assert client.post(path, json={}, headers=bearer("fr-urssaf")).status_code == 200
    assert wallet.credential("pda1_dc4eu-2_sd_jwt", nonce=nonce).status_code == 401
    shown = client.get(f"/api/v1/documents/{offered['document_id']}", headers=bearer("fr-urssaf")).json()
    assert shown["state"] == "revoked"
    assert [entry["status"] for entry in shown["credentials"]] == ["valid"]  # it says no more than a list would: it ends by itself


def test_other_types_keep_their_status_list(client: TestClient, deployment: Deployment) -> None:
    described = client.get("/.well-known/openid-credential-issuer/fr-cnam").json()["credential_configurations_supported"]
    name = next(name for name, one in described.items() if one["format"] == "dc+sd-jwt")
    document_id, (text, _) = _collect(client, deployment, name, "fr-cnam")
    unverified = formats.parse_issued("dc+sd-jwt", text)
    found = unverified.verify_issuer(public_key(unverified.chain[0]))
    assert not found.short_lived
    assert found.status is not None
    shown = client.get(f"/api/v1/documents/{document_id}", headers=bearer("fr-cnam")).json()["credentials"]
    assert [entry["short_lived"] for entry in shown] == [False, False]
