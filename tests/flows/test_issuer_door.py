"""The issuer's door: SECURITY 2.1 (H-1 … H-18) on its endpoints, and privacy (P-1, P-2, P-10) over whole runs."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from starlette.testclient import TestClient

from edge import logs
from tests.support import issuer as world
from tests.support.issuer import Deployment, bearer
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import holder

URSSAF = bearer("fr-urssaf")
_POSTS = ("/fr-urssaf/token", "/fr-urssaf/nonce", "/fr-urssaf/credential", "/fr-urssaf/notification", "/api/v1/documents")
_GETS = (
    "/healthz",
    "/.well-known/openid-credential-issuer/fr-urssaf",
    "/.well-known/oauth-authorization-server/fr-urssaf",
    "/.well-known/jwt-vc-issuer/fr-urssaf",
    "/type-metadata/urn:eudi:pda1:1",
    "/fr-urssaf/status",
    "/api/v1/openapi.json",
)
_LEAKS = ("traceback", "sqlalchemy", "sqlite", ".py", "pydantic", "starlette", "select ", "site-packages", "exception")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    built = world.build(Path(tmp_path_factory.mktemp("issuer")))
    yield built
    built.close()


@pytest.fixture(scope="module")
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


def _plain(answer: Any) -> None:
    """JSON, safe headers, nothing of the inside (SECURITY H-16, H-17)."""
    assert answer.status_code < 500
    assert answer.headers["content-type"] in ("application/json", "application/problem+json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    json.loads(answer.content)
    assert not any(word in answer.text.lower() for word in _LEAKS), answer.text


@pytest.mark.parametrize("path", _POSTS)
def test_bodies_over_the_limit(client: TestClient, path: str) -> None:
    """SECURITY H-1, H-2: with and without announced length; compressed ones are not unpacked."""

    def chunks() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 64 * 1024

    kind = {"content-type": "application/x-www-form-urlencoded" if path.endswith("token") else "application/json", **URSSAF}
    announced = client.post(path, content=b"x" * (4 << 20), headers=kind)
    assert announced.status_code == 413
    _plain(announced)
    streamed = client.post(path, content=chunks(), headers=kind)
    unread = {"/fr-urssaf/nonce": 200, "/fr-urssaf/credential": 401, "/fr-urssaf/notification": 401}  # answered without the body
    assert streamed.status_code == unread.get(path, 413)
    compressed = client.post(path, content=b"x", headers={"content-encoding": "gzip"})
    assert compressed.status_code == 415
    _plain(compressed)


@pytest.mark.parametrize("path", [*_POSTS, *_GETS])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"])
def test_other_methods(client: TestClient, path: str, method: str) -> None:
    """SECURITY H-8."""
    if (method == "POST" and path in _POSTS) or (method == "GET" and path not in _POSTS[:4]):
        return
    answer = client.request(method, path, headers={"x-http-method-override": "POST", "x-marked": "4711"})
    assert answer.status_code == 405
    assert "4711" not in answer.text
    _plain(answer)


@pytest.mark.parametrize("header", ["authorization", "content-type", "idempotency-key", "host"])
@pytest.mark.parametrize("second", ["same", "other"])
@pytest.mark.parametrize("path", _POSTS)
def test_headers_that_decide_occur_once(client: TestClient, path: str, header: str, second: str) -> None:
    """SECURITY H-6. Proofs that come as headers are counted where they are judged, with their own codes."""
    answer = client.post(path, content=b"{}", headers=[(header, "same"), (header, second)])
    assert answer.status_code == 400
    _plain(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.git/config",
        "/../issuer.db",
        "/fr-urssaf/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/fr-urssaf/offers/..%2f..%2fissuer.db",
        "/fr-urssaf/status/%252e%252e",
        "/fr-urssaf/certificates/..cer",
        "/type-metadata/..%2f..",
        "/unknown/status",
        "/.well-known/openid-credential-issuer/unknown",
        "/fr-urssaf/.well-known/openid-credential-issuer",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/",
        "//evil.test/token",
    ],
)
def test_paths_that_lead_nowhere(client: TestClient, path: str) -> None:
    """SECURITY H-13, OLD-11."""
    answer = client.get(path)
    assert answer.status_code == 404
    _plain(answer)


def test_long_addresses_and_null_characters(client: TestClient) -> None:
    """SECURITY H-4, 4.2."""
    assert client.get("/fr-urssaf/offers/" + "a" * 9000).status_code == 414
    for path in ("/fr-urssaf/offers/a%00b", "/api/v1/documents?cursor=%00", "/fr-urssaf/status/%00"):
        answer = client.get(path, headers=URSSAF)
        assert answer.status_code in (400, 404)
        _plain(answer)


def test_published_addresses_come_from_the_settings_only(client: TestClient) -> None:
    """SECURITY H-12."""
    foreign = {
        "host": "evil.test",
        "x-forwarded-host": "evil.test",
        "x-forwarded-proto": "http",
        "forwarded": "host=evil.test",
        "x-original-url": "/evil",
    }
    answers = [client.get(path, headers=foreign) for path in _GETS]
    document_id = world.submit(client)
    answers.append(client.post(f"/api/v1/documents/{document_id}/offers", json={}, headers={**URSSAF, **foreign}))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert not any(b"evil.test" in answer.content or b"/evil" in answer.content for answer in answers)
    offered = answers[-1].json()
    assert offered["credential_offer"]["credential_issuer"] == "https://issuer.test/fr-urssaf"
    assert offered["qr_svg"].startswith("https://issuer.test/fr-urssaf/")


def test_dpop_is_checked_against_the_published_address(client: TestClient, deployment: Deployment) -> None:
    """SECURITY H-12: a proof for a foreign host is not made right by naming that host."""
    wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock, dpop_key=holder())
    offered = world.offer(client)
    (grant,) = offered["credential_offer"]["grants"].values()
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        "pre-authorized_code": grant["pre-authorized_code"],
        "tx_code": offered["tx_code"],
    }
    headers = {**wallet.dpop("POST", "token", url="https://evil.test/fr-urssaf/token"), "host": "evil.test"}
    assert client.post("/fr-urssaf/token", data=form, headers=headers).json()["error"] == "invalid_dpop_proof"
    assert wallet.token(offered).status_code == 200


def test_nothing_from_the_request_reaches_a_header(client: TestClient) -> None:
    """SECURITY H-11."""
    for path in ("/fr-urssaf/offers/x%0d%0aX-Injected:1", "/api/v1/documents?cursor=x%0d%0aX-Injected:1"):
        answer = client.get(path, headers=URSSAF)
        assert "x-injected" not in answer.headers


def test_no_origin_gets_credentials(client: TestClient) -> None:
    """SECURITY H-15: public data for everybody, nothing with credentials, no preflight passes."""
    for path in (*_GETS, *_POSTS):
        answer = client.options(path, headers={"origin": "https://evil.test", "access-control-request-method": "POST"})
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers.get("access-control-allow-origin") in (None, "*")
    for path in ("/fr-urssaf/status", "/.well-known/openid-credential-issuer/fr-urssaf"):
        assert client.get(path, headers={"origin": "https://evil.test"}).headers["access-control-allow-origin"] == "*"
    answer = client.get("/api/v1/documents", headers={**URSSAF, "origin": "https://evil.test"})
    assert "access-control-allow-origin" not in answer.headers


def test_ranges_of_a_status_list_cost_nothing(client: TestClient, deployment: Deployment) -> None:
    """SECURITY H-14."""
    wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)
    wallet.token(world.offer(client))
    wallet.credential("pda1_dc4eu-2_sd_jwt")
    (uri, *_) = client.get("/fr-urssaf/status").json()["status_lists"]
    ranges = "bytes=" + ",".join(f"{n}-" for n in range(3000))[:7000]
    assert client.get(uri, headers={"range": ranges}).status_code in (200, 206, 416)


def test_twenty_bad_requests_at_once(client: TestClient) -> None:
    """SECURITY H-18."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda turn: client.post(_POSTS[turn % 5], content=b"{"), range(40)))
    assert {answer.status_code for answer in answers} <= {200, 400, 401}


def test_every_error_is_kept_from_caches(client: TestClient) -> None:
    """SECURITY H-16."""
    for path in _POSTS:
        for answer in (client.post(path, content=b"{"), client.put(path)):
            assert answer.headers["cache-control"] == "no-store"


# --- privacy --------------------------------------------------------------------------------------------------------------------

MARKED = {
    "family_name": "MARKEDFAMILYNAME",
    "given_name": "Markedgivenname",
    "birth_place": "Markedbirthplace",
}
MARKED_DATA = {
    **world.PDA1,
    "personal_administrative_number": "MARKEDPIN0815",
    "document_number": "MARKED-DOCUMENT-0815",
    "employer": [{**world.PDA1["employer"][0], "name": "Markedemployer GmbH"}],
}


def test_no_personal_value_and_no_secret_reaches_a_log(tmp_path: Path) -> None:
    """SECURITY P-1: good and bad runs at the most talkative level; looked for as they are, in base64 and URL-encoded."""
    stream = io.StringIO()
    logs.configure(stream, level=logging.DEBUG)
    deployment = world.build(tmp_path)
    secrets: list[str] = [world.token_of("fr-urssaf")]
    try:
        with world.client_of(deployment.worker()) as client:
            body = {"document_data": MARKED_DATA, "identity": {**world.IDENTITY, **MARKED}}
            secrets += _run(client, deployment, body)
    finally:
        structlog.reset_defaults()
        logging.basicConfig(level=logging.WARNING, force=True)
        deployment.close()
    written = stream.getvalue()
    for event in ("document_created", "offer_redeemed", "credentials_issued", "notified", "refused", "document_revoked"):
        assert event in written  # the search below looks into a log that was written
    values = [*MARKED.values(), "MARKEDPIN0815", "MARKED-DOCUMENT-0815", "Markedemployer", *secrets]
    for value in values:
        for form in _forms(value):
            assert form not in written, value


def _run(client: TestClient, deployment: Deployment, body: dict[str, Any]) -> list[str]:
    """Everything once rightly and once wrongly; the secrets that were used."""
    client.post(
        "/api/v1/documents", json={**body, "document_data": {**body["document_data"], "ending_date": "2020-01-01"}}, headers=URSSAF
    )
    client.post("/api/v1/documents", json=body, headers=bearer("fr-cnam"))
    document_id = client.post("/api/v1/documents", json=body, headers=URSSAF).json()["document_id"]
    offered = world.offer(client, document_id=document_id, by_value=True)
    (grant,) = offered["credential_offer"]["grants"].values()
    wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock, dpop_key=holder())
    client.get(offered["qr_svg"])
    wallet.token(offered, tx_code="999999x")
    wallet.token(offered)
    nonce = wallet.nonce()
    answers = [wallet.credential(name) for name in ("pda1_dc4eu-2_sd_jwt", "eu.europa.ec.eudi.pda1_mdoc", "unknown")]
    wallet.credential("pda1_dc4eu-2_sd_jwt", nonce="invented")
    wallet.client.post(f"{wallet.issuer}/credential", json={}, headers={"authorization": f"Bearer {wallet.access_token}"})
    told = {
        "notification_id": answers[0].json()["notification_id"],
        "event": "credential_failure",
        "event_description": "MARKEDREPORT",
    }
    wallet.post("notification", told)
    client.post(f"/api/v1/documents/{document_id}/revocation", json={"reason": "fraud"}, headers=URSSAF)
    credentials = [answer.json()["credentials"][0]["credential"] for answer in answers[:2]]
    return [
        grant["pre-authorized_code"],
        f'"{offered["tx_code"]}"',  # with its quotes: six digits alone may stand in a random id
        wallet.access_token,
        nonce,
        "MARKEDREPORT",
        *(credential[:40] for credential in credentials),
    ]


def _forms(value: str) -> Iterator[str]:
    raw = value.encode()
    yield value
    yield quote(value, safe="")
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield raw.hex()


def test_no_personal_value_is_in_an_address_or_a_picture(client: TestClient) -> None:
    """SECURITY P-2."""
    offered = world.offer(client, by_value=True)
    text = json.dumps(offered)
    for value in ("MARTIN", "Camille", "1988", world.PDA1["personal_administrative_number"], world.PDA1["document_number"]):
        assert value not in text
    assert "MARTIN" not in client.get(offered["qr_svg"]).text
