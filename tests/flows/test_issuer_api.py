"""The institution API over HTTP: SECURITY 2.4 (D-1, D-2, D-7, D-10 … D-12, D-15), RFC 9457, and the documents' own rules."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support import issuer as world
from tests.support.issuer import Deployment, bearer
from tests.support.issuer_wallet import Answer, IssuerWallet

URSSAF, CNAM = bearer("fr-urssaf"), bearer("fr-cnam")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    built = world.build(Path(tmp_path_factory.mktemp("issuer")))
    yield built
    built.close()


@pytest.fixture(scope="module")
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


@pytest.fixture(scope="module")
def document_id(client: TestClient) -> str:
    return world.submit(client)


def _problem(answer: Answer, status: int, code: str) -> dict[str, str]:
    """An RFC 9457 document; gives its faults as pointer → code."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() <= {"type", "title", "status", "code", "detail", "errors"}
    assert body["status"] == status
    assert body["type"].startswith("urn:portadoc:problem:")
    return {fault["pointer"]: fault["code"] for fault in body.get("errors", [])}


def _create(client: TestClient, body: Any, **headers: str) -> Answer:
    return client.post("/api/v1/documents", json=body, headers={**URSSAF, **headers})


# --- who asks -------------------------------------------------------------------------------------------------------------------

_OPERATIONS: list[Callable[[TestClient, str, dict[str, str]], Answer]] = [
    lambda c, d, h: c.get(f"/api/v1/documents/{d}", headers=h),
    lambda c, d, h: c.get(f"/api/v1/documents/{d}/history", headers=h),
    lambda c, d, h: c.post(f"/api/v1/documents/{d}/offers", json={}, headers=h),
    lambda c, d, h: c.post(f"/api/v1/documents/{d}/revocation", json={}, headers=h),
]


@pytest.mark.parametrize("operation", _OPERATIONS)
def test_a_document_of_another_institution_is_as_unknown_as_any(
    client: TestClient, document_id: str, operation: Callable[[TestClient, str, dict[str, str]], Answer]
) -> None:
    """SECURITY D-1, P-10."""
    foreign, unknown = operation(client, document_id, CNAM), operation(client, "0" * 32, CNAM)
    _problem(foreign, 404, "not_found")
    assert foreign.content == unknown.content
    assert client.get(f"/api/v1/documents/{document_id}", headers=URSSAF).json()["state"] == "valid"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Bearer {world.token_of('fr-urssaf')[:-1]}"},
        {"authorization": f"Basic {world.token_of('fr-urssaf')}"},
        {"authorization": world.token_of("fr-urssaf")},
        {"cookie": f"token={world.token_of('fr-urssaf')}"},
    ],
)
@pytest.mark.parametrize("operation", [*_OPERATIONS, lambda c, d, h: c.post("/api/v1/documents", json={"x": 1}, headers=h)])
def test_without_the_institutions_token_nothing_is_told(
    client: TestClient, document_id: str, operation: Callable[[TestClient, str, dict[str, str]], Answer], headers: dict[str, str]
) -> None:
    """SECURITY I-1, I-2: 401 before anything else is looked at."""
    answer = operation(client, document_id, headers)
    _problem(answer, 401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_wallets_token_is_not_an_institutions(client: TestClient, deployment: Deployment, document_id: str) -> None:
    """SECURITY I-1."""
    wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)
    wallet.token(world.offer(client, document_id=document_id))
    answer = client.get("/api/v1/documents", headers={"authorization": f"Bearer {wallet.access_token}"})
    _problem(answer, 401, "invalid_token")


def test_the_token_decides_which_institution(client: TestClient) -> None:
    """SECURITY D-2: naming another one in body or query is refused, in a header it is not looked at."""
    body = world.DOCUMENTS["fr-urssaf"]
    assert _problem(_create(client, {**body, "institution": "fr-cnam"}), 422, "request_invalid") == {
        "/institution": "unknown_member"
    }
    _problem(client.post("/api/v1/documents?institution=fr-cnam", json=body, headers=URSSAF), 400, "query")
    document_id = _create(client, body, **{"x-institution": "fr-cnam"}).json()["document_id"]
    assert client.get(f"/api/v1/documents/{document_id}", headers=URSSAF).status_code == 200


# --- documents ------------------------------------------------------------------------------------------------------------------


def test_a_document_is_read_as_it_was_accepted(client: TestClient, document_id: str) -> None:
    found = client.get(f"/api/v1/documents/{document_id}", headers=URSSAF).json()
    assert found["type"] == "pda1"
    assert found["state"] == "valid"
    assert found["document"]["personal_administrative_number"] == world.PDA1["personal_administrative_number"]
    assert found["document"]["issuing_country"] == "FR"
    assert found["document"]["holder"]["family_name"] == "MARTIN"
    assert found["identity"] == world.IDENTITY
    assert (found["revocation"], found["credentials"]) == (None, [])


def test_paper_entries_are_kept_beside_the_document(client: TestClient) -> None:
    paper = {"1.8": "1 rue Fictive, 69001 Lyon, FR", "2.4": True}
    created = _create(client, {**world.DOCUMENTS["fr-urssaf"], "paper_only": paper}).json()
    assert client.get(f"/api/v1/documents/{created['document_id']}", headers=URSSAF).json()["paper_only"] == paper


def test_all_faults_are_named_at_once_by_pointer(client: TestClient) -> None:
    """RFC 9457; SECURITY I-22: also the fault of the last element; D-15."""
    employers = [{**world.PDA1["employer"][0], "id": f"E{number}"} for number in range(5)]
    employers[4] = {**employers[4], "country": "ZZ"}
    data = {
        **world.PDA1,
        "employer": employers,
        "status_confirmation": "13",
        "ending_date": "2026-02-30",
        "document_number": "x",
        "surprise": True,
        "issuing_authority": {**world.PDA1["issuing_authority"], "name": "\u202eevil"},
    }
    data.pop("starting_date")
    answer = _create(client, {"document_data": data, "identity": {**world.IDENTITY, "birth_date": "yesterday"}})
    faults = _problem(answer, 422, "document_invalid")
    assert faults.keys() >= {
        "/document_data/employer/4/country",
        "/document_data/status_confirmation",
        "/document_data/ending_date",
        "/document_data/document_number",
        "/document_data/surprise",
        "/document_data/starting_date",
        "/document_data/issuing_authority/name",
        "/identity/birth_date",
    }
    assert not any(pointer.startswith("/document_data/employer/0") for pointer in faults)
    for value in ("yesterday", "2026-02-30", "evil", "ZZ"):
        assert value not in answer.text


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/document_data", "missing"),
        ({"document_data": []}, "/document_data", "type"),
        ({"document_data": "x"}, "/document_data", "type"),
        ({"document_data": None}, "/document_data", "type"),
        ({"document_data": {}, "identity": 5}, "/identity", "type"),
        ({"document_data": {}, "type": 5}, "/type", "type"),
        ({"document_data": {}, "profile": True}, "/profile", "type"),
        ({"document_data": {}, "profile": ""}, "/profile", "value"),
        ({"document_data": {}, "paper_only": "x"}, "/paper_only", "type"),
        ({"document_data": {}, "a~b/c": 1}, "/a~0b~1c", "unknown_member"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_members_of_another_kind(client: TestClient, body: dict[str, Any], pointer: str, code: str) -> None:
    """SECURITY H-5."""
    assert _problem(_create(client, body), 422, "request_invalid")[pointer] == code


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "json"),
        (b"[]", "application/json", 400, "json_object"),
        (b'{"document_data":{},"document_data":{}}', "application/json", 400, "json_duplicate_member"),
        (b'{"document_data":{"a":NaN}}', "application/json", 400, "json"),
        (b'{"document_data":{"a":"\\u0000"}}', "application/json", 400, "json"),
        (b'{"document_data":' + b'{"a":' * 100 + b"1" + b"}" * 101, "application/json", 400, "json_depth"),
        (b"{}", "text/plain", 415, "content_type"),
        (b"{}", "", 415, "content_type"),
        (b'{"document_data":"' + b"x" * (256 * 1024) + b'"}', "application/json", 413, "invalid_request"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bodies_that_cannot_be_read(client: TestClient, content: bytes, content_type: str, status: int, code: str) -> None:
    """SECURITY H-1, H-3, H-4, H-7."""
    _problem(client.post("/api/v1/documents", content=content, headers={**URSSAF, "content-type": content_type}), status, code)


def test_a_type_the_institution_is_not_entitled_to(client: TestClient) -> None:
    ehic = {"document_data": world.EHIC, "identity": world.IDENTITY}
    assert _problem(_create(client, {**ehic, "type": "ehic"}), 403, "type_not_entitled") == {"/type": "type_not_entitled"}
    _problem(_create(client, {**ehic, "type": "passport"}), 403, "type_not_entitled")
    _problem(_create(client, ehic), 403, "type_not_entitled")
    assert client.post("/api/v1/documents", json=ehic, headers=CNAM).status_code == 201


def test_a_document_of_another_country_is_refused(client: TestClient) -> None:
    data = json.loads(json.dumps(world.PDA1).replace('"FR:7500001"', '"DE:7500001"'))
    data["issuing_authority"]["country"] = "DE"
    answer = _create(client, {"document_data": data, "identity": world.IDENTITY})
    assert _problem(answer, 422, "country_not_entitled") == {"/document_data/issuing_country": "country_not_entitled"}


def test_a_profile_that_would_drop_a_fact_is_refused_and_the_fact_named(client: TestClient) -> None:
    """SECURITY I-21: two employers do not fit into dc4eu-1; when the document comes in, and when it is offered."""
    second = {**world.PDA1["employer"][0], "id": "SIRET99999999900029", "name": "Second (fictive)"}
    body = {"document_data": {**world.PDA1, "employer": [*world.PDA1["employer"], second]}, "identity": world.IDENTITY}
    faults = _problem(_create(client, {**body, "profile": "dc4eu-1"}), 422, "projection_loses")
    assert any(pointer.startswith("/document_data/employer/1") for pointer in faults)
    document_id = _create(client, body).json()["document_id"]
    answer = client.post(f"/api/v1/documents/{document_id}/offers", json={"profile": "dc4eu-1"}, headers=URSSAF)
    faults = _problem(answer, 422, "projection_loses")
    assert any(pointer.startswith("/document_data/employer/1") for pointer in faults)
    assert client.post(f"/api/v1/documents/{document_id}/offers", json={}, headers=URSSAF).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"profile": "dc4eu-7"}, "unknown_profile"),
        ({"profile": "dc4eu-0"}, "unknown_profile"),  # read, never issued
        ({"formats": []}, "request_invalid"),
        ({"formats": ["dc+sd-jwt", "dc+sd-jwt"]}, "request_invalid"),
        ({"formats": ["vc+sd-jwt"]}, "request_invalid"),
        ({"formats": "dc+sd-jwt"}, "request_invalid"),
        ({"tx_code": "yes"}, "request_invalid"),
        ({"tx_code": 1}, "request_invalid"),
    ],
    ids=json.dumps,
)
def test_offers_that_cannot_be_made(client: TestClient, document_id: str, body: dict[str, Any], code: str) -> None:
    _problem(client.post(f"/api/v1/documents/{document_id}/offers", json=body, headers=URSSAF), 422, code)


# --- lists ----------------------------------------------------------------------------------------------------------------------


def test_pages_show_every_own_document_once(tmp_path: Path) -> None:
    deployment = world.build(tmp_path)
    with world.client_of(deployment.worker()) as client:
        mine = [world.submit(client) for _ in range(5)]
        world.submit(client, "fr-cnam")
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
            page = client.get("/api/v1/documents", params=query, headers=URSSAF).json()
            seen += [document["document_id"] for document in page["documents"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == mine
        first = client.get("/api/v1/documents", params={"limit": "2"}, headers=URSSAF).json()["next_cursor"]
        _problem(client.get("/api/v1/documents", params={"cursor": first}, headers=CNAM), 400, "cursor")
    deployment.close()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=201", "limit"),
        ("limit=100000000000000000000", "limit"),
        ("limit=ten", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=", "limit"),
        ("cursor=", "cursor"),
        ("cursor=invented", "cursor"),
        ("cursor=YWZ0ZXI6MDAwMA", "cursor"),
        ("cursor=%00", "invalid_request"),
        ("limit=1&limit=2", "query"),
        ("offset=3", "query"),
    ],
)
def test_lists_asked_for_in_a_wrong_way(client: TestClient, query: str, code: str) -> None:
    """SECURITY D-10."""
    _problem(client.get(f"/api/v1/documents?{query}", headers=URSSAF), 400, code)


# --- idempotency ----------------------------------------------------------------------------------------------------------------


def test_eight_requests_with_one_key_make_one_document(client: TestClient) -> None:
    """SECURITY D-7."""
    before = _count(client)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _create(client, world.DOCUMENTS["fr-urssaf"], **{"idempotency-key": "eight"}), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["document_id"] for answer in answers}) == 1
    assert _count(client) == before + 1


def _count(client: TestClient) -> int:
    return len(client.get("/api/v1/documents?limit=200", headers=URSSAF).json()["documents"])


def test_a_key_with_another_request_or_of_another_institution(client: TestClient, document_id: str) -> None:
    key = {"idempotency-key": "k-1"}
    path = f"/api/v1/documents/{document_id}/offers"
    first = client.post(path, json={"by_value": True}, headers={**URSSAF, **key})
    assert client.post(path, json={"by_value": True}, headers={**URSSAF, **key}).json() == first.json()
    _problem(client.post(path, json={"by_value": False}, headers={**URSSAF, **key}), 422, "idempotency_key_reused")
    _problem(_create(client, world.DOCUMENTS["fr-urssaf"], **key), 422, "idempotency_key_reused")
    ehic = {"document_data": world.EHIC, "identity": world.IDENTITY}
    assert client.post("/api/v1/documents", json=ehic, headers={**CNAM, **key}).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "with space", "x" * 256, "x" * 20_000, "\u00e9".encode("latin-1")])
def test_keys_that_are_no_keys(client: TestClient, key: Any) -> None:
    answer = client.post("/api/v1/documents", json=world.DOCUMENTS["fr-urssaf"], headers={**URSSAF, "idempotency-key": key})
    assert answer.status_code in (400, 431)
    _problem(answer, 400, "idempotency_key")


def test_a_key_stays_free_when_the_request_failed(client: TestClient) -> None:
    key = {"idempotency-key": "corrected"}
    _problem(_create(client, {"document_data": {"employer": []}}, **key), 422, "document_invalid")
    assert _create(client, world.DOCUMENTS["fr-urssaf"], **key).status_code == 201


# --- withdrawal -----------------------------------------------------------------------------------------------------------------


def test_withdrawing_is_idempotent_and_has_no_way_back(client: TestClient) -> None:
    """TSL-14, SECURITY D-11."""
    offered = world.offer(client)
    path = f"/api/v1/documents/{offered['document_id']}"
    first = client.post(f"{path}/revocation", json={"reason": "fraud", "effective_from": "2026-01-31"}, headers=URSSAF)
    assert first.json() == {
        "document_id": offered["document_id"],
        "state": "revoked",
        "reason": "fraud",
        "revoked_at": "2026-11-24T12:00:00Z",
        "effective_from": "2026-01-31T00:00:00Z",
        "status_changes_at": "2026-11-24T12:00:00Z",
    }
    again = client.post(f"{path}/revocation", json={"reason": "unspecified", "effective_from": "2030-01-01"}, headers=URSSAF)
    assert (again.status_code, again.json()) == (200, first.json())
    _problem(client.post(f"{path}/offers", json={}, headers=URSSAF), 409, "document_revoked")
    assert client.get(offered["qr_svg"]).status_code == 404
    assert client.delete(f"{path}/revocation", headers=URSSAF).status_code == 405
    events = client.get(f"{path}/history", headers=URSSAF).json()["events"]
    assert [event["event"] for event in events] == ["document_created", "offer_created", "document_revoked"]
    assert client.get(path, headers=URSSAF).json()["revocation"] == first.json()


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-02-28T23:59:59Z", "2026-02-28T23:59:59Z"),
        ("2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00Z"),  # a time that Paris clocks skip
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        ("2026-01-01T00:00:00-12:00", "2026-01-01T12:00:00Z"),
        ("2026-01-01T00:00:00.999Z", "2026-01-01T00:00:00Z"),
    ],
)
def test_moments_are_kept_as_utc(client: TestClient, given: str, stored: str) -> None:
    """SECURITY D-12."""
    path = f"/api/v1/documents/{world.submit(client)}/revocation"
    assert client.post(path, json={"effective_from": given}, headers=URSSAF).json()["effective_from"] == stored


@pytest.mark.parametrize(
    "given",
    [
        "2026-02-30",
        "2026-02-29",
        "yesterday",
        "",
        "2026-01-01T00:00:00",
        "2026-W01-1",
        "20260101",
        "0001-01-01",
        "9999-12-31T23:59:59-12:00",
        5,
        None,
    ],
)
def test_moments_that_are_none(client: TestClient, document_id: str, given: Any) -> None:
    answer = client.post(
        f"/api/v1/documents/{document_id}/revocation", json={"effective_from": given, "reason": "x"}, headers=URSSAF
    )
    faults = _problem(answer, 422, "request_invalid")
    assert "/reason" in faults
    assert ("/effective_from" in faults) == (given is not None)
    assert client.get(f"/api/v1/documents/{document_id}", headers=URSSAF).json()["state"] == "valid"


# --- description ----------------------------------------------------------------------------------------------------------------


def test_the_api_describes_itself(client: TestClient) -> None:
    """OpenAPI: every operation with its body, answer and error document."""
    described = client.get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/v1/documents",
        "/api/v1/documents/{document_id}",
        "/api/v1/documents/{document_id}/offers",
        "/api/v1/documents/{document_id}/revocation",
        "/api/v1/documents/{document_id}/release",
        "/api/v1/documents/{document_id}/refusal",
        "/api/v1/documents/{document_id}/history",
        "/api/v1/statistics",
    }
    create = described["paths"]["/api/v1/documents"]["post"]
    assert create["requestBody"]["content"]["application/json"]["schema"]["required"] == ["document_data"]
    assert [parameter["name"] for parameter in create["parameters"]] == ["Idempotency-Key"]
    assert {"201", "4XX"} <= create["responses"].keys()
    assert "ProblemModel" in described["components"]["schemas"]
    text = json.dumps(described)
    for name in _references(described):
        assert name in described["components"]["schemas"], name
    assert "HTTPValidationError" not in text


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_a_limit_per_minute_is_kept(tmp_path: Path) -> None:
    """SECURITY H-19."""
    deployment = world.build(tmp_path, writes_per_minute=2, nonces_per_minute=2)
    with world.client_of(deployment.worker()) as client:
        answers = [_create(client, world.DOCUMENTS["fr-urssaf"]) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        _problem(answers[2], 429, "rate_limit")
        assert answers[2].headers["retry-after"] == "60"
        assert client.post("/api/v1/documents", json=world.DOCUMENTS["fr-cnam"], headers=CNAM).status_code == 201
        nonces = [client.post("/fr-urssaf/nonce") for _ in range(3)]
        assert [answer.status_code for answer in nonces] == [200, 200, 429]
        assert nonces[2].headers["retry-after"] == "60"
        assert client.post("/fr-cnam/nonce").status_code == 200
        deployment.clock.advance(minutes=1)
        created = _create(client, world.DOCUMENTS["fr-urssaf"])
        assert created.status_code == 201
        path = f"/api/v1/documents/{created.json()['document_id']}/offers"
        assert [client.post(path, json={}, headers=URSSAF).status_code for _ in range(3)] == [201, 201, 429]
    deployment.close()
