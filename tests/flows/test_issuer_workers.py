"""Two application instances over one database, restarts between steps, faults in the middle: SECURITY A-1, A-2, I-20, O-1 ff."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.testclient import TestClient

from issuer.drafting import Drafting
from issuer.institutions import KeyUse
from issuer.store import status
from issuer.store.engine import writing
from tests.support import issuer as world
from tests.support.issuer import Deployment, bearer
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import holder
from vc.errors import Unreachable
from vc.keys.ec import Curve
from vc.keys.signer import LocalSigner, Signer
from vc.openid4vci import deferred

CONFIGURATION = "pda1_dc4eu-2_sd_jwt"
MDOC = "eu.europa.ec.eudi.pda1_mdoc"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    built = world.build(tmp_path)
    yield built
    built.close()


@pytest.fixture
def clients(deployment: Deployment) -> Iterator[tuple[TestClient, TestClient]]:
    with world.client_of(deployment.worker()) as first, world.client_of(deployment.worker()) as second:
        yield first, second


def _wallet(client: TestClient, deployment: Deployment, **options: Any) -> IssuerWallet:
    return IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock, **options)


def _detail(client: TestClient, document_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/documents/{document_id}", headers=bearer("fr-urssaf")).json()
    return found


def test_each_step_may_reach_another_worker(clients: tuple[TestClient, TestClient], deployment: Deployment) -> None:
    """SECURITY O-5: offer, token, nonce, credential, notification, status — alternating."""
    first, second = clients
    offered = world.offer(first)
    wallet = _wallet(second, deployment, dpop_key=holder())
    assert wallet.token(offered).status_code == 200
    nonce = wallet.nonce()
    wallet.client = first
    answer = wallet.credential(CONFIGURATION, nonce=nonce)
    assert answer.status_code == 200
    wallet.client = second
    told = {"notification_id": answer.json()["notification_id"], "event": "credential_accepted"}
    assert wallet.post("notification", told).status_code == 204
    uri = _detail(second, offered["document_id"])["credentials"][0]["status_list"]
    assert first.get(uri).content == second.get(uri).content


def test_restarting_between_all_steps_loses_nothing_and_revives_nothing(deployment: Deployment) -> None:
    """SECURITY O-5: spent stays spent, the guess counter goes on."""

    def restarted() -> TestClient:
        return stack.enter_context(world.client_of(deployment.worker()))

    with ExitStack() as stack:
        offered = world.offer(restarted())
        wallet = _wallet(restarted(), deployment, dpop_key=holder())
        for _ in range(4):
            assert wallet.token(offered, tx_code="x").json()["error"] == "invalid_grant"
            wallet.client = restarted()
        assert wallet.token(offered).status_code == 200
        wallet.client = restarted()
        assert wallet.token(offered).json()["error"] == "invalid_grant"
        nonce = wallet.nonce()
        wallet.client = restarted()
        headers = wallet.authorization("credential")
        body = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": wallet.proofs([holder()], nonce)}}
        assert wallet.client.post(f"{wallet.issuer}/credential", json=body, headers=headers).status_code == 200
        wallet.client = restarted()
        again = wallet.client.post(f"{wallet.issuer}/credential", json=body, headers=headers)
        assert again.json()["error"] == "invalid_dpop_proof"
        assert wallet.post("credential", body).json()["error"] == "invalid_nonce"


def test_six_wallets_with_one_code_get_one_token(clients: tuple[TestClient, TestClient], deployment: Deployment) -> None:
    """SECURITY A-1."""
    for _ in range(3):
        offered = world.offer(clients[0])
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda turn, o=offered: _wallet(clients[turn % 2], deployment).token(o), range(6)))
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]
        assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}


def test_guesses_are_counted_over_all_workers(clients: tuple[TestClient, TestClient], deployment: Deployment) -> None:
    """SECURITY A-2: ten at once on two workers, then the right one."""
    offered = world.offer(clients[0])
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda turn: _wallet(clients[turn % 2], deployment).token(offered, tx_code=f"x{turn}"), range(10)))
    assert _wallet(clients[0], deployment).token(offered).json()["error"] == "invalid_grant"


def test_the_same_credential_request_six_at_once(clients: tuple[TestClient, TestClient], deployment: Deployment) -> None:
    """SECURITY I-20: one nonce, one success."""
    offered = world.offer(clients[0])
    wallet = _wallet(clients[0], deployment)
    wallet.token(offered)
    body = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": wallet.proofs([holder()], wallet.nonce())}}
    headers = wallet.authorization("credential")
    with ThreadPoolExecutor(6) as pool:
        url = f"{wallet.issuer}/credential"
        answers = list(pool.map(lambda turn: clients[turn % 2].post(url, json=body, headers=headers), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_nonce"}
    assert len(_detail(clients[1], offered["document_id"])["credentials"]) == 1


def test_two_workers_never_give_an_index_twice(clients: tuple[TestClient, TestClient], deployment: Deployment) -> None:
    """SECURITY O-3, R-18: many at once; every answered credential is on record, and nothing else is."""
    document_id = world.submit(clients[0])

    def collect(turn: int) -> int:
        wallet = _wallet(clients[turn % 2], deployment)
        wallet.token(world.offer(clients[turn % 2], document_id=document_id))
        answer = wallet.credential(CONFIGURATION if turn % 3 else MDOC, keys=[holder() for _ in range(5)])
        assert answer.status_code == 200, answer.text
        return len(answer.json()["credentials"])

    with ThreadPoolExecutor(6) as pool:
        answered = sum(pool.map(collect, range(18)))
    credentials = _detail(clients[0], document_id)["credentials"]
    assert len(credentials) == answered == 90
    assert len({(entry["status_list"], entry["status_index"]) for entry in credentials}) == 90
    assert {entry["signed"] for entry in credentials} == {True}


def test_a_race_for_an_index_is_lost_without_harm(deployment: Deployment) -> None:
    """Between the draw and the taking another worker takes the same index: the loser draws again, its nonce still good."""
    first, second = deployment.service(), deployment.service()
    drawn = (7).to_bytes(4, "big")
    events: list[str] = []

    def slow(count: int) -> bytes:
        if count == 4 and not events:  # the draw of one index
            events.append("drawn")
            return drawn
        if count == 16 and events == ["drawn"]:  # the pseudonym of the copy: after the draw, before the taking
            events.append("overtaken")
            assert overtaker.credential(CONFIGURATION).status_code == 200
        return first.random_bytes(count)

    def quick(count: int) -> bytes:
        return drawn if count == 4 else second.random_bytes(count)

    with (
        world.client_of(deployment.worker(replace(first, random_bytes=slow))) as client,
        world.client_of(deployment.worker(replace(second, random_bytes=quick))) as other,
    ):
        offered, elsewhere = world.offer(other), world.offer(other)
        overtaker, wallet = _wallet(other, deployment), _wallet(client, deployment)
        overtaker.token(elsewhere)
        wallet.token(offered)
        with writing(first.engine) as connection:  # the list is there: the draw is the first thing that happens
            status.add_list(connection, "fr-urssaf", deployment.clock(), first.random_bytes)
        assert wallet.credential(CONFIGURATION).status_code == 200
        assert events == ["drawn", "overtaken"]
        assert [entry["status_index"] for entry in _detail(client, elsewhere["document_id"])["credentials"]] == [7]
        mine = _detail(client, offered["document_id"])["credentials"]
        assert len(mine) == 1
        assert mine[0]["status_index"] not in (7, None)


@dataclass(frozen=True)
class FaultySigner:
    """Signs with a key that is not the certificate's, or not at all."""

    real: LocalSigner
    fault: str

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
        if self.fault == "gone":
            raise Unreachable("hsm", "the token is away")
        if self.fault == "crash":
            raise KeyboardInterrupt
        return holder().sign(message)


def _with_fault(deployment: Deployment, fault: str) -> Deployment:
    institution = deployment.settings.institutions["fr-urssaf"]
    signers: dict[KeyUse, Signer] = {**institution.signers}
    signers[KeyUse.SEAL] = FaultySigner(deployment.signers["fr-urssaf"]["seal"], fault)
    institutions = {**deployment.settings.institutions, "fr-urssaf": replace(institution, signers=signers)}
    return replace(deployment, settings=replace(deployment.settings, institutions=institutions))


@pytest.mark.parametrize("fault", ["gone", "garbage"])
def test_a_bad_signature_never_leaves_and_its_index_is_spent(deployment: Deployment, fault: str) -> None:
    """SECURITY O-4, O-10: 503, the copy on record as unsigned, its index invalid and never used again; then all is well again."""
    with world.client_of(deployment.worker()) as good, world.client_of(_with_fault(deployment, fault).worker()) as bad:
        offered = world.offer(good)
        wallet = _wallet(bad, deployment)
        wallet.token(offered)
        answer = wallet.credential(CONFIGURATION, keys=[holder(), holder()])
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert answer.headers["retry-after"]
        spent = _detail(good, offered["document_id"])["credentials"]
        assert [(entry["signed"], entry["status"]) for entry in spent] == [(False, "invalid")] * 2
        wallet.client = good
        assert wallet.credential(CONFIGURATION).status_code == 200
        assert wallet.credential(MDOC).status_code == 200
        credentials = _detail(good, offered["document_id"])["credentials"]
        assert len({entry["status_index"] for entry in credentials}) == 4
        events = good.get(f"/api/v1/documents/{offered['document_id']}/history", headers=bearer("fr-urssaf")).json()["events"]
        assert [event["event"] for event in events[3:5]] == ["credentials_issued", "signing_failed"]


def test_withdrawing_during_issuance_ends_withdrawn(clients: tuple[TestClient, TestClient], deployment: Deployment) -> None:
    """SECURITY D-11, S-13: whatever the order, every copy that was answered is invalid at the end."""
    offered = world.offer(clients[0])
    wallet = _wallet(clients[0], deployment)
    wallet.token(offered)
    nonces = [wallet.nonce() for _ in range(8)]
    path = f"/api/v1/documents/{offered['document_id']}/revocation"

    def act(turn: int) -> int:
        if turn == 4:
            return int(clients[1].post(path, json={}, headers=bearer("fr-urssaf")).status_code)
        return int(wallet.credential(CONFIGURATION, nonce=nonces[turn]).status_code)

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(act, range(8)))
    assert statuses[4] == 200
    assert set(statuses) <= {200, 400, 401}
    found = _detail(clients[1], offered["document_id"])
    assert found["state"] == "revoked"
    assert len(found["credentials"]) == statuses.count(200) - 1
    assert {entry["status"] for entry in found["credentials"]} <= {"invalid"}


def test_a_withdrawal_between_preparing_and_recording_stops_the_issuance(
    clients: tuple[TestClient, TestClient], deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SECURITY D-11: the document is looked at once more in the transaction that records the copies."""
    offered = world.offer(clients[0])
    wallet = _wallet(clients[0], deployment)
    wallet.token(offered)
    prepare = Drafting._copy

    def withdrawn_meanwhile(self: Drafting, *args: Any, **kwargs: Any) -> Any:
        path = f"/api/v1/documents/{offered['document_id']}/revocation"
        assert clients[1].post(path, json={}, headers=bearer("fr-urssaf")).status_code == 200
        return prepare(self, *args, **kwargs)

    monkeypatch.setattr(Drafting, "_copy", withdrawn_meanwhile)
    answer = wallet.credential(CONFIGURATION)
    assert (answer.status_code, answer.json()["error"]) == (400, "credential_request_denied")
    assert _detail(clients[1], offered["document_id"])["credentials"] == []


def test_a_withdrawal_while_what_was_promised_is_prepared_stops_it(
    clients: tuple[TestClient, TestClient], deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SECURITY D-11: a wallet that was promised something keeps its token after a withdrawal; it gets nothing for it."""
    document_id = world.submit(clients[0], hold=True)
    wallet = _wallet(clients[0], deployment)
    wallet.token(world.offer(clients[0], document_id=document_id))
    transaction_id = wallet.credential(CONFIGURATION).json()["transaction_id"]
    path = f"/api/v1/documents/{document_id}"
    assert clients[1].post(f"{path}/release", json={}, headers=bearer("fr-urssaf")).status_code == 200
    prepare = Drafting._copy

    def withdrawn_meanwhile(self: Drafting, *args: Any, **kwargs: Any) -> Any:
        assert clients[1].post(f"{path}/revocation", json={}, headers=bearer("fr-urssaf")).status_code == 200
        return prepare(self, *args, **kwargs)

    monkeypatch.setattr(Drafting, "_copy", withdrawn_meanwhile)
    answer = wallet.post("deferred", deferred.create_request(transaction_id))
    assert (answer.status_code, answer.json()["error"]) == (400, "credential_request_denied")
    assert _detail(clients[1], document_id)["credentials"] == []


def test_a_locked_database_is_503_and_recovers(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY O-7: nothing half made."""
    monkeypatch.setattr("issuer.store.engine.BUSY_MILLISECONDS", 50)
    with world.client_of(deployment.worker()) as client:
        offered = world.offer(client)
        wallet = _wallet(client, deployment)
        wallet.token(offered)
        nonce = wallet.nonce()
        blocker = sqlite3.connect(deployment.directory / "issuer.db", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        for answer in (
            wallet.credential(CONFIGURATION, nonce=nonce),
            client.post(f"{wallet.issuer}/nonce"),
            client.post("/api/v1/documents", json=world.DOCUMENTS["fr-urssaf"], headers=bearer("fr-urssaf")),
        ):
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert "sqlite" not in answer.text.lower()
        assert client.get(f"/.well-known/openid-credential-issuer/{'fr-urssaf'}").status_code == 200
        blocker.execute("ROLLBACK")
        blocker.close()
        assert wallet.credential(CONFIGURATION, nonce=nonce).status_code == 200
        assert len(_detail(client, offered["document_id"])["credentials"]) == 1


def test_a_database_of_another_version_is_not_served(deployment: Deployment) -> None:
    """SECURITY O-17: refused with a sentence."""
    service = deployment.service()
    with service.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE issuer_schema_version SET version_num = '0000'")
    with pytest.raises(RuntimeError, match="migration"):
        deployment.worker(service)


def test_after_a_restore_no_index_is_given_out_again(deployment: Deployment) -> None:
    """SECURITY O-6: the open lists are closed, new credentials go into new ones."""
    with world.client_of(deployment.worker()) as client:
        offered = world.offer(client)
        wallet = _wallet(client, deployment)
        wallet.token(offered)
        wallet.credential(CONFIGURATION)
        service = deployment.service()
        with writing(service.engine) as connection:
            assert status.close_lists(connection) == 1
        wallet.credential(CONFIGURATION)
        lists = [entry["status_list"] for entry in _detail(client, offered["document_id"])["credentials"]]
        assert len(set(lists)) == 2
        assert all(client.get(uri).status_code == 200 for uri in lists)


def test_expired_secrets_are_erased_when_a_worker_starts(deployment: Deployment) -> None:
    """SECURITY P-6: the cleaning runs beside the service."""
    with world.client_of(deployment.worker()) as client:
        offered = world.offer(client)
        (grant,) = offered["credential_offer"]["grants"].values()
    deployment.clock.advance(days=2)
    with world.client_of(deployment.worker()) as client:
        client.get("/healthz")
    with sqlite3.connect(deployment.directory / "issuer.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in deployment.directory.glob("issuer.db*"):
        assert grant["pre-authorized_code"].encode() not in path.read_bytes()
