"""Documents that are held (VCI-DEF-1 to -4, SECURITY I-15): promised, kept once, to nobody else, whatever happens in between."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from issuer import promising
from issuer.store import grants as store
from issuer.store.engine import reading, writing
from tests.support import issuer as world
from tests.support.issuer import Deployment
from tests.support.issuer_wallet import Answer, IssuerWallet
from tests.support.pki import holder
from vc.encoding import base64url
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import deferred

CONFIGURATION = "pda1_dc4eu-2_sd_jwt"
URSSAF = world.bearer("fr-urssaf")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    built = world.build(tmp_path)
    yield built
    built.close()


@pytest.fixture
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


@pytest.fixture
def document_id(client: TestClient) -> str:
    return world.submit(client, hold=True)


@pytest.fixture
def wallet(client: TestClient, deployment: Deployment, document_id: str) -> IssuerWallet:
    """A wallet with a token for the held document."""
    return _wallet(client, deployment, document_id)


def _wallet(client: TestClient, deployment: Deployment, document_id: str, **changes: Any) -> IssuerWallet:
    made = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock, **changes)
    assert made.token(world.offer(client, document_id=document_id)).status_code == 200
    return made


def _promise(wallet: IssuerWallet, *, keys: list[LocalSigner] | None = None) -> str:
    answer = wallet.credential(CONFIGURATION, keys=keys)
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert body.keys() == {"transaction_id", "interval"}  # VCI-RESP-1, -3: no credentials and nothing to notify about
    transaction_id: str = body["transaction_id"]
    return transaction_id


def _collect(wallet: IssuerWallet, transaction_id: str) -> Answer:
    return wallet.post("deferred", deferred.create_request(transaction_id))


def _release(client: TestClient, document_id: str) -> None:
    answer = client.post(f"/api/v1/documents/{document_id}/release", json={}, headers=URSSAF)
    assert (answer.status_code, answer.json()["hold"]) == (200, None), answer.text


def _refuse(client: TestClient, document_id: str, reason: str = "identity_not_confirmed") -> Answer:
    return client.post(f"/api/v1/documents/{document_id}/refusal", json={"reason": reason}, headers=URSSAF)


def _is(answer: Answer, status: int, error: str) -> None:
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert answer.json().keys() <= {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"


def _thumbprints(answer: Answer) -> list[bytes]:
    texts = [entry["credential"] for entry in answer.json()["credentials"]]
    return [jwk.thumbprint(jwk.parse_public(jws.parse(text.split("~")[0]).claims()["cnf"]["jwk"])) for text in texts]


def _detail(client: TestClient, document_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/documents/{document_id}", headers=URSSAF).json()
    return found


def _events(client: TestClient, document_id: str) -> list[str]:
    history = client.get(f"/api/v1/documents/{document_id}/history", headers=URSSAF).json()
    return [event["event"] for event in history["events"]]


def test_promised_looked_for_released_collected(client: TestClient, wallet: IssuerWallet, document_id: str) -> None:
    """The whole way, for the keys that were proved at the beginning and in their order."""
    keys = [holder(), holder()]
    transaction_id = _promise(wallet, keys=keys)
    early = _collect(wallet, transaction_id)
    assert (early.status_code, early.json()) == (202, {"transaction_id": transaction_id, "interval": 5})  # VCI-DEF-2
    assert early.headers["cache-control"] == "no-store"
    _release(client, document_id)
    given = _collect(wallet, transaction_id)
    assert given.status_code == 200, given.text
    assert given.json().keys() == {"credentials", "notification_id"}
    assert _thumbprints(given) == [jwk.thumbprint(key.public_key) for key in keys]
    _is(_collect(wallet, transaction_id), 400, "invalid_transaction_id")  # VCI-DEF-3: once
    told = wallet.post("notification", {"notification_id": given.json()["notification_id"], "event": "credential_accepted"})
    assert told.status_code == 204
    assert _events(client, document_id)[2:] == [
        "offer_redeemed",
        "credentials_deferred",
        "document_released",
        "credentials_issued",
        "credential_accepted",
    ]


def test_once_released_nothing_is_deferred(client: TestClient, wallet: IssuerWallet, document_id: str) -> None:
    _release(client, document_id)
    _release(client, document_id)
    assert wallet.credential(CONFIGURATION).status_code == 200
    assert _events(client, document_id).count("document_released") == 1


def test_the_institution_sees_what_it_owes(
    client: TestClient, wallet: IssuerWallet, deployment: Deployment, document_id: str
) -> None:
    transaction_id = _promise(wallet)
    deployment.clock.advance(seconds=10)
    _collect(wallet, transaction_id)
    detail = _detail(client, document_id)
    assert (detail["hold"], detail["hold_reason"], detail["credentials"]) == ("held", None, [])
    (owed,) = detail["deferred"]
    assert owed == {
        "configuration_id": CONFIGURATION,
        "state": "pending",
        "asked_at": "2026-11-24T12:00:00Z",
        "expires_at": "2026-12-24T12:00:00Z",
        "last_look_at": "2026-11-24T12:00:10Z",
    }
    assert transaction_id not in str(detail)
    _release(client, document_id)
    assert _collect(wallet, transaction_id).status_code == 200
    (kept,) = _detail(client, document_id)["deferred"]
    assert kept["state"] == "delivered"


def test_looking_every_moment_harms_nobody(client: TestClient, wallet: IssuerWallet, document_id: str) -> None:
    """SECURITY I-15: 202 each time, and the database is not written for each look."""
    transaction_id = _promise(wallet)
    assert {_collect(wallet, transaction_id).status_code for _ in range(50)} == {202}
    wallet.clock.advance(seconds=4)
    _collect(wallet, transaction_id)
    assert _detail(client, document_id)["deferred"][0]["last_look_at"] == "2026-11-24T12:00:00Z"
    wallet.clock.advance(seconds=1)
    _collect(wallet, transaction_id)
    assert _detail(client, document_id)["deferred"][0]["last_look_at"] == "2026-11-24T12:00:05Z"


def test_a_promise_survives_a_restart(client: TestClient, wallet: IssuerWallet, deployment: Deployment, document_id: str) -> None:
    transaction_id = _promise(wallet)
    _release(client, document_id)
    with world.client_of(deployment.worker()) as other:
        wallet.client = other
        assert _collect(wallet, transaction_id).status_code == 200
    wallet.client = client
    _is(_collect(wallet, transaction_id), 400, "invalid_transaction_id")


def test_two_workers_keep_a_promise_once(
    client: TestClient, wallet: IssuerWallet, deployment: Deployment, document_id: str
) -> None:
    transaction_id = _promise(wallet)
    _release(client, document_id)
    with world.client_of(deployment.worker()) as other:
        clients = [client, other]

        def collect(number: int) -> int:
            request = deferred.create_request(transaction_id)
            url, headers = f"{wallet.issuer}/deferred", wallet.authorization("deferred")
            return clients[number % 2].post(url, json=request, headers=headers).status_code

        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(collect, range(6))) == [200] + [400] * 5
    assert len(_detail(client, document_id)["credentials"]) == 1


def test_a_new_token_of_the_same_grant_collects(client: TestClient, deployment: Deployment, document_id: str) -> None:
    """VCI-DEF-1: the first token is over; one that was renewed for the same client will do."""
    wallet = _wallet(client, deployment, document_id, client_id="wallet")
    transaction_id = _promise(wallet)
    _release(client, document_id)
    first = _grant(deployment, wallet)
    wallet.clock.advance(seconds=301)
    assert _collect(wallet, transaction_id).status_code == 401
    for stranger in ({"grant_id": "other"}, {"client_id": "other"}, {"client_id": None}, {"instance_thumbprint": "other"}):
        _renew(deployment, wallet, {**first, **stranger})
        _is(_collect(wallet, transaction_id), 400, "invalid_transaction_id")
    _renew(deployment, wallet, {**first, "configuration_ids": ("eu.europa.ec.eudi.pda1_mdoc",)})
    _is(_collect(wallet, transaction_id), 403, "insufficient_scope")
    _renew(deployment, wallet, first)
    assert _collect(wallet, transaction_id).status_code == 200


def _grant(deployment: Deployment, wallet: IssuerWallet) -> dict[str, Any]:
    with reading(deployment.engines[0]) as connection:
        found = store.find_grant(connection, "fr-urssaf", wallet.access_token, wallet.now)
    assert found is not None
    return {name: getattr(found, name) for name in store.Grant.__slots__}


def _renew(deployment: Deployment, wallet: IssuerWallet, values: dict[str, Any]) -> None:
    wallet.access_token = base64url.encode(deployment.random_bytes(16))
    made = {**values, "token_sha256": store.digest(wallet.access_token), "expires_at": wallet.now.replace(year=2027)}
    with writing(deployment.engines[0]) as connection:
        store.add_token(connection, wallet.access_token, store.Grant(**made), uses=10, now=wallet.now)


@pytest.mark.parametrize("transaction_id", ["invented", "A" * 32, "\u20ac"])
def test_an_unknown_transaction(wallet: IssuerWallet, transaction_id: str) -> None:
    """VCI-DEF-3."""
    _is(_collect(wallet, transaction_id), 400, "invalid_transaction_id")


@pytest.mark.parametrize(
    "body", [{}, [], "text", {"transaction_id": 7}, {"transaction_id": None}, {"transaction_id": ""}, {"transaction_id": "A" * 300}]
)
def test_a_request_without_a_transaction(wallet: IssuerWallet, body: Any) -> None:
    _is(wallet.post("deferred", body), 400, "invalid_credential_request")


def test_without_a_token_nothing_is_collected(client: TestClient, wallet: IssuerWallet, document_id: str) -> None:
    """SECURITY I-1, I-2."""
    transaction_id = _promise(wallet)
    _release(client, document_id)
    body, url = deferred.create_request(transaction_id), f"{wallet.issuer}/deferred"
    assert client.post(url, json=body).status_code == 401
    _is(client.post(url, json=body, headers={"authorization": "Bearer invented"}), 401, "invalid_token")
    in_query = client.post(f"{url}?access_token={wallet.access_token}", json=body)
    assert in_query.status_code == 401
    assert _collect(wallet, transaction_id).status_code == 200


def test_another_persons_wallet_collects_nothing(
    client: TestClient, wallet: IssuerWallet, deployment: Deployment, document_id: str
) -> None:
    """SECURITY I-15: an id that leaked is worth nothing without the grant, of the same document even."""
    transaction_id = _promise(wallet)
    _release(client, document_id)
    _is(_collect(_wallet(client, deployment, document_id), transaction_id), 400, "invalid_transaction_id")
    other = IssuerWallet(client, deployment.credential_issuer("fr-cnam"), deployment.clock, access_token=wallet.access_token)
    _is(_collect(other, transaction_id), 401, "invalid_token")
    assert _collect(wallet, transaction_id).status_code == 200


def test_a_refused_document_is_denied_to_those_who_wait_and_to_those_who_come(
    client: TestClient, wallet: IssuerWallet, document_id: str
) -> None:
    """VCI-DEF-4; the reason is the institution's."""
    transaction_id = _promise(wallet)
    assert (_refuse(client, document_id).status_code, _refuse(client, document_id).status_code) == (200, 200)
    for answer in (_collect(wallet, transaction_id), _collect(wallet, transaction_id), wallet.credential(CONFIGURATION)):
        _is(answer, 400, "credential_request_denied")
        assert "identity" not in answer.text
    detail = _detail(client, document_id)
    assert (detail["hold"], detail["hold_reason"], detail["credentials"]) == ("refused", "identity_not_confirmed", [])
    assert _events(client, document_id).count("document_refused") == 1


def test_the_transaction_that_records_looks_for_itself(
    client: TestClient, wallet: IssuerWallet, document_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VCI-DEF-1: nothing is recorded for a document that is not free, whatever was believed before."""
    monkeypatch.setattr(promising, "is_held", lambda basis: False)
    _is(wallet.credential(CONFIGURATION), 400, "credential_request_denied")
    assert _detail(client, document_id)["credentials"] == []


def test_what_became_of_a_document_is_told_to_who_proves_a_key(client: TestClient, wallet: IssuerWallet, document_id: str) -> None:
    """A proof with a nonce that is not ours, or was spent, shows nothing, and is answered before the document is looked at."""
    spent = wallet.nonce()
    assert wallet.credential(CONFIGURATION, nonce=spent).status_code == 202
    assert _refuse(client, document_id).status_code == 200
    for nonce in ("invented", spent):
        _is(wallet.credential(CONFIGURATION, nonce=nonce), 400, "invalid_nonce")
    _is(wallet.credential(CONFIGURATION), 400, "credential_request_denied")


def test_a_refusal_is_for_good_and_ends_the_offers(client: TestClient, document_id: str, deployment: Deployment) -> None:
    offered = world.offer(client, document_id=document_id)
    assert _refuse(client, document_id).status_code == 200
    late = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)
    _is(late.token(offered), 400, "invalid_grant")
    again = client.post(f"/api/v1/documents/{document_id}/offers", json={}, headers=URSSAF)
    assert (again.status_code, again.json()["code"]) == (409, "document_refused")
    release = client.post(f"/api/v1/documents/{document_id}/release", json={}, headers=URSSAF)
    assert (release.status_code, release.json()["code"]) == (409, "document_refused")


def test_what_was_free_cannot_be_refused_only_withdrawn(client: TestClient) -> None:
    answer = _refuse(client, world.submit(client))
    assert (answer.status_code, answer.json()["code"]) == (409, "document_not_held")


@pytest.mark.parametrize(("operation", "body"), [("release", {}), ("refusal", {"reason": "other"})])
def test_holding_is_the_institutions_own(client: TestClient, document_id: str, operation: str, body: dict[str, str]) -> None:
    """SECURITY D-2: of another institution there is no such document, and a wallet's token opens nothing."""
    url = f"/api/v1/documents/{document_id}/{operation}"
    assert client.post(url, json=body, headers=world.bearer("fr-cnam")).status_code == 404
    assert client.post(url, json=body).status_code == 401
    assert _detail(client, document_id)["hold"] == "held"


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "Hé"}, {"reason": "a b"}, {"reason": "x" * 65}, {"why": "x"}])
def test_a_reason_is_a_word(client: TestClient, document_id: str, body: dict[str, str]) -> None:
    answer = client.post(f"/api/v1/documents/{document_id}/refusal", json=body, headers=URSSAF)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


def test_withdrawn_meanwhile_is_denied(client: TestClient, wallet: IssuerWallet, document_id: str) -> None:
    """The wallet that waits is told; a new request with the same token gets nothing either."""
    transaction_id = _promise(wallet)
    revoked = client.post(f"/api/v1/documents/{document_id}/revocation", json={}, headers=URSSAF)
    assert revoked.status_code == 200
    _is(_collect(wallet, transaction_id), 400, "credential_request_denied")
    _is(wallet.credential(CONFIGURATION), 400, "credential_request_denied")
    release = client.post(f"/api/v1/documents/{document_id}/release", json={}, headers=URSSAF)
    assert (release.status_code, release.json()["code"]) == (409, "document_revoked")
    assert _detail(client, document_id)["credentials"] == []


def test_a_promise_ends(client: TestClient, wallet: IssuerWallet, deployment: Deployment, document_id: str) -> None:
    """While the document is still held as well as afterwards: the wallet need not come back for ever."""
    transaction_id = _promise(wallet)
    grant = _grant(deployment, wallet)
    wallet.clock.advance(days=30)
    assert _detail(client, document_id)["deferred"][0]["state"] == "expired"
    _renew(deployment, wallet, grant)
    _is(_collect(wallet, transaction_id), 400, "invalid_transaction_id")
    _release(client, document_id)
    _is(_collect(wallet, transaction_id), 400, "invalid_transaction_id")


def test_nonces_and_uses_are_spent_by_the_promise(client: TestClient, tmp_path: Path) -> None:
    """Keys and proofs are fixed at the first request: the same proofs promise nothing more, and a token is not endless."""
    (tmp_path / "small").mkdir()
    small = world.build(tmp_path / "small", credentials_per_grant=2)
    with world.client_of(small.worker()) as opened:
        document_id = world.submit(opened, hold=True)
        wallet = _wallet(opened, small, document_id)
        nonce = wallet.nonce()
        body = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": wallet.proofs([holder(), holder()], nonce)}}
        first = wallet.post("credential", body)
        assert first.status_code == 202
        _is(wallet.post("credential", body), 400, "invalid_nonce")
        _is(wallet.credential(CONFIGURATION), 400, "credential_request_denied")
        _release(opened, document_id)
        assert _collect(wallet, first.json()["transaction_id"]).status_code == 200  # paid for already
        _is(wallet.credential(CONFIGURATION), 400, "credential_request_denied")
    small.close()


def test_promises_with_dpop(client: TestClient, deployment: Deployment, document_id: str) -> None:
    """SECURITY A-11: each proof counts once, and a refusal is the refusal it was, not that of a proof used twice."""
    wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock, dpop_key=holder())
    assert wallet.token(world.offer(client, document_id=document_id)).status_code == 200
    spent = wallet.nonce()
    body = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": wallet.proofs([holder()], spent)}}
    headers = wallet.authorization("credential")
    first = client.post(f"{wallet.issuer}/credential", json=body, headers=headers)
    assert first.status_code == 202, first.text
    _is(client.post(f"{wallet.issuer}/credential", json=body, headers=headers), 401, "invalid_dpop_proof")
    _is(wallet.post("credential", body), 400, "invalid_nonce")
    look, request = wallet.authorization("deferred"), deferred.create_request(first.json()["transaction_id"])
    assert client.post(f"{wallet.issuer}/deferred", json=request, headers=look).status_code == 202
    _is(client.post(f"{wallet.issuer}/deferred", json=request, headers=look), 401, "invalid_dpop_proof")
    _release(client, document_id)
    assert _collect(wallet, first.json()["transaction_id"]).status_code == 200


def test_a_token_used_up_while_proofs_are_good_says_so(tmp_path: Path) -> None:
    """The same with a DPoP proof that is fresh: `credential_request_denied`, not a complaint about the proof."""
    small = world.build(tmp_path, credentials_per_grant=1)
    with world.client_of(small.worker()) as opened:
        document_id = world.submit(opened, hold=True)
        wallet = _wallet(opened, small, document_id, dpop_key=holder())
        _promise(wallet)
        _is(wallet.credential(CONFIGURATION), 400, "credential_request_denied")
    small.close()


def test_a_refused_proof_promises_nothing(client: TestClient, wallet: IssuerWallet, document_id: str) -> None:
    """SECURITY I-13 for held documents."""
    proofs = wallet.proofs([holder()], wallet.nonce(), audience="https://elsewhere.test")
    body = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": proofs}}
    _is(wallet.post("credential", body), 400, "invalid_proof")
    assert _detail(client, document_id)["deferred"] == []


def test_the_two_formats_are_promised_apart(client: TestClient, wallet: IssuerWallet, document_id: str) -> None:
    first = _promise(wallet)
    second = wallet.credential("eu.europa.ec.eudi.pda1_mdoc")
    assert second.status_code == 202
    assert second.json()["transaction_id"] != first
    _release(client, document_id)
    assert {_collect(wallet, found).status_code for found in (first, second.json()["transaction_id"])} == {200}
    configurations = {row["configuration_id"] for row in _detail(client, document_id)["credentials"]}
    assert configurations == {CONFIGURATION, "eu.europa.ec.eudi.pda1_mdoc"}


def test_a_hold_is_asked_for_once(client: TestClient) -> None:
    """D-7: the key repeats the answer; a document that says nothing about holding is free."""
    headers = {**URSSAF, "idempotency-key": "one"}
    document_id = world.submit(client, hold=True)
    assert _detail(client, world.submit(client))["hold"] is None
    answers = [client.post(f"/api/v1/documents/{document_id}/release", json={}, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
