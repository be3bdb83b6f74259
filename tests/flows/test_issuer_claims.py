"""One request of the credential endpoint claims all or nothing, and its DPoP proof whatever becomes of it (VCI-DPOP, A-11)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.testclient import TestClient

from issuer.institutions import KeyUse
from issuer.store.engine import reading
from tests.support import issuer as world
from tests.support.issuer import Deployment, bearer
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import holder
from vc.keys.ec import Curve
from vc.keys.signer import LocalSigner, Signer

CONFIGURATION = "pda1_dc4eu-2_sd_jwt"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    built = world.build(tmp_path)
    yield built
    built.close()


@pytest.fixture
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


def _wallet(client: TestClient, deployment: Deployment, *, tokens_from: TestClient | None = None) -> IssuerWallet:
    wallet = IssuerWallet(tokens_from or client, deployment.credential_issuer("fr-urssaf"), deployment.clock, dpop_key=holder())
    assert wallet.token(world.offer(tokens_from or client)).status_code == 200
    wallet.client = client
    return wallet


def _body(wallet: IssuerWallet, nonce: str | None = None, **changes: Any) -> dict[str, Any]:
    proofs = wallet.proofs([holder()], nonce or wallet.nonce(), **changes)
    return {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": proofs}}


def _bad(wallet: IssuerWallet) -> dict[str, tuple[dict[str, Any], str]]:
    return {
        "no request": ({}, "invalid_credential_request"),
        "a configuration there is not": ({**_body(wallet), "credential_configuration_id": "x"}, "unknown_credential_configuration"),
        "a proof for somebody else": (_body(wallet, audience="https://other.test"), "invalid_proof"),
        "a nonce that is not ours": (_body(wallet, nonce="made-up"), "invalid_nonce"),
    }


def test_a_dpop_proof_is_used_up_by_a_request_that_is_refused(client: TestClient, deployment: Deployment) -> None:
    """RFC 9449 §11.1: whoever saw it go by cannot send it again with a request of his own."""
    wallet = _wallet(client, deployment)
    url = f"{wallet.issuer}/credential"
    for name, (body, error) in _bad(wallet).items():
        headers = wallet.authorization("credential")
        assert client.post(url, json=body, headers=headers).json()["error"] == error, name
        again = client.post(url, json=_body(wallet), headers=headers)
        assert (again.status_code, again.json()["error"]) == (401, "invalid_dpop_proof"), name
    assert wallet.credential(CONFIGURATION).status_code == 200


def test_a_refused_request_spends_nothing_but_its_dpop_proof(client: TestClient, deployment: Deployment) -> None:
    """SECURITY I-13: nonce and token are as good as before, and nothing is on record."""
    wallet, nonce = _wallet(client, deployment), ""
    used = wallet.authorization("credential")
    nonce = wallet.nonce()
    url = f"{wallet.issuer}/credential"
    assert client.post(url, json={}, headers=used).status_code == 400
    assert client.post(url, json=_body(wallet, nonce), headers=used).json()["error"] == "invalid_dpop_proof"
    with reading(deployment.engines[-1]) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM issuer_credentials").scalar_one() == 0
    assert wallet.credential(CONFIGURATION, nonce=nonce).status_code == 200


def test_one_dpop_proof_with_two_good_requests_at_once_gives_one_credential(client: TestClient, deployment: Deployment) -> None:
    """The claims of a request stand or fall together, also beside others in the same commit."""
    with world.client_of(deployment.worker()) as other:
        wallet = _wallet(client, deployment)
        headers, url = wallet.authorization("credential"), f"{wallet.issuer}/credential"
        bodies = [_body(wallet) for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            sent = pool.map(lambda turn: (client, other)[turn % 2].post(url, json=bodies[turn], headers=headers), range(6))
            answers = list(sent)
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401, 401]
        (good,) = (turn for turn, answer in enumerate(answers) if answer.status_code == 200)
        for turn, body in enumerate(bodies):  # the losers' nonces were not spent
            status = client.post(url, json=body, headers=wallet.authorization("credential")).status_code
            assert status == (400 if turn == good else 200)


@dataclass(frozen=True)
class _Broken:
    """A signer whose signatures fit nothing."""

    real: LocalSigner

    @property
    def curve(self) -> Curve:
        return self.real.curve

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.real.public_key

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return self.real.chain

    def sign(self, message: bytes) -> bytes:
        return holder().sign(message)


def test_a_signature_that_fails_is_our_fault_and_not_the_proofs(client: TestClient, deployment: Deployment) -> None:
    """SECURITY O-4: the proof is claimed with the records, and the wallet is told to come back, not that it repeats itself."""
    institution = deployment.settings.institutions["fr-urssaf"]
    signers: dict[KeyUse, Signer] = {**institution.signers, KeyUse.SEAL: _Broken(deployment.signers["fr-urssaf"]["seal"])}
    institutions = {**deployment.settings.institutions, "fr-urssaf": replace(institution, signers=signers)}
    bad = replace(deployment, settings=replace(deployment.settings, institutions=institutions))
    with world.client_of(bad.worker()) as broken:
        wallet = _wallet(broken, deployment, tokens_from=client)
        headers, body = wallet.authorization("credential"), _body(wallet)
        answer = broken.post(f"{wallet.issuer}/credential", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    again = client.post(f"{wallet.issuer}/credential", json=body, headers=headers)
    assert again.json()["error"] == "invalid_dpop_proof"
    path = f"/api/v1/documents/{_document(client)}"
    shown = client.get(path, headers=bearer("fr-urssaf")).json()["credentials"]
    assert [(entry["signed"], entry["status"]) for entry in shown] == [(False, "invalid")]


def _document(client: TestClient) -> str:
    listed = client.get("/api/v1/documents", headers=bearer("fr-urssaf")).json()["documents"]
    document_id: str = listed[0]["document_id"]
    return document_id
