"""Every sample document, issued over HTTP in both formats by an institution of its country; what it says comes back whole."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support import issuer as world
from tests.support.issuer import Deployment
from tests.support.issuer_wallet import IssuerWallet
from vc import formats
from vc.documents import country
from vc.documents.catalogue import CONFIGURATIONS
from vc.x509.certificate import public_key

_DATA = Path(__file__).resolve().parents[1] / "data"
SAMPLES = [
    (name, entry) for name in ("pda1", "ehic") for entry in json.loads((_DATA / f"{name}-samples.json").read_text(encoding="utf-8"))
]


def _country(data: dict[str, Any]) -> str:
    stated: str = data.get("issuing_country") or data["issuing_authority"]["country"]
    return {"UK": "GB", "EL": "GR"}.get(stated, stated)


_COUNTRIES = sorted({_country(entry["document_data"]) for _, entry in SAMPLES})


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    institutions = {
        code.lower(): {
            "name": f"Institution {code} (test)",
            "types": ["pda1", "ehic"],
            "registration_id": f"NTR{code}-1",
            "country": code,
        }
        for code in _COUNTRIES
    }
    built = world.build(Path(tmp_path_factory.mktemp("issuer")), institutions=institutions)
    yield built
    built.close()


@pytest.fixture(scope="module")
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


@pytest.mark.parametrize(("document_type", "sample"), SAMPLES, ids=[entry["id"] for _, entry in SAMPLES])
def test_a_sample_is_issued_in_both_formats(
    client: TestClient, deployment: Deployment, document_type: str, sample: dict[str, Any]
) -> None:
    institution = _country(sample["document_data"]).lower()
    body = {name: sample[name] for name in ("document_data", "identity", "paper_only") if name in sample}
    created = client.post("/api/v1/documents", json=body, headers=world.bearer(institution))
    assert created.status_code == 201, created.text
    assert created.json()["type"] == document_type
    offered = world.offer(client, institution, document_id=created.json()["document_id"])
    wallet = IssuerWallet(client, deployment.credential_issuer(institution), deployment.clock)
    wallet.token(offered)
    for configuration_id in offered["credential_offer"]["credential_configuration_ids"]:
        answer = wallet.credential(configuration_id)
        assert answer.status_code == 200, answer.text
        configuration = CONFIGURATIONS[configuration_id]
        unverified = formats.parse_issued(configuration.format, answer.json()["credentials"][0]["credential"])
        credential = unverified.verify_issuer(public_key(unverified.chain[0]))
        told = configuration.profile.normalise(credential.claims)
        given = sample["document_data"]
        assert told.get("document_number") == given["document_number"]
        assert told.get("starting_date") == given["starting_date"]
        assert told.issuing_country == _country(given)
        assert len(told.get("employer") or []) == len(given.get("employer", []))


def test_the_samples_come_from_states_of_the_coordination() -> None:
    assert set(_COUNTRIES) <= set(country.STATES)
