"""The door: SECURITY H-1, H-2, H-4, H-6, H-9, H-16, H-17, each by what a client sees."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from edge import inbound
from edge.inbound import form, guard
from vc.errors import Malformed


def _problem(path: str, status: int, code: str, text: str) -> tuple[str, bytes]:
    return "application/json", json.dumps({"error": code, "error_description": text, "at": path}).encode()


async def _echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _fault(request: Request) -> Response:
    raise RuntimeError("secret value 4711")


async def _cached(request: Request) -> Response:
    return PlainTextResponse("x", headers={"cache-control": "max-age=60"})


@pytest.fixture
def client() -> Iterator[TestClient]:
    routes = [Route("/echo", _echo, methods=["POST"]), Route("/fault", _fault), Route("/cached", _cached)]
    app = guard(Starlette(routes=routes), body_limit=lambda path: 100, problem=_problem)
    with TestClient(app, raise_server_exceptions=True) as opened:
        yield opened


def test_body_within_the_limit_passes_and_gets_safe_headers(client: TestClient) -> None:
    answer = client.post("/echo", content=b"x" * 100)
    assert (answer.status_code, answer.text) == (200, "100")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_headers_over_the_limit_are_refused(client: TestClient) -> None:
    assert client.get("/cached", headers={"x-long": "a" * 31_000}).status_code == 200
    answer = client.get("/cached", headers={f"x-{number}": "a" * 1000 for number in range(33)})
    assert (answer.status_code, answer.json()["error"]) == (431, "invalid_request")


def test_a_route_keeps_its_own_cache_rule(client: TestClient) -> None:
    assert client.get("/cached").headers["cache-control"] == "max-age=60"


def _chunks() -> Iterator[bytes]:
    for _ in range(50):
        yield b"x" * 10


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        pytest.param({}, b"x" * 101, 413, id="H-1 announced length"),
        pytest.param({}, _chunks(), 413, id="H-1 chunked without length"),
        pytest.param({"content-encoding": "gzip"}, b"x", 415, id="H-2 compressed"),
    ],
)
def test_bodies_that_are_refused(client: TestClient, headers: dict[str, str], content: bytes, status: int) -> None:
    answer = client.post("/echo", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request")
    assert answer.headers["cache-control"] == "no-store"


def test_a_length_over_the_limit_is_refused_before_anybody_reads(client: TestClient) -> None:
    """H-1: also where the route never looks at the body."""
    answer = client.request("GET", "/cached", content=b"x" * 101)
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")
    assert client.request("GET", "/cached", content=b"x" * 100).status_code == 200


@pytest.mark.parametrize("name", ["Authorization", "Content-Type", "Idempotency-Key"])
def test_a_deciding_header_twice_is_refused(client: TestClient, name: str) -> None:
    answer = client.post("/echo", content=b"", headers=[(name, "a"), (name, "a")])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_other_headers_may_repeat(client: TestClient) -> None:
    assert client.post("/echo", content=b"", headers=[("X-Any", "a"), ("X-Any", "b")]).status_code == 200


@pytest.mark.parametrize("target", ["/echo%00", "/echo?x=%00"])
def test_null_characters_in_the_address_are_refused(client: TestClient, target: str) -> None:
    assert client.post(target).status_code == 400


def test_an_over_long_address_is_refused(client: TestClient) -> None:
    assert client.post("/echo?" + "x" * 9000).status_code == 414


def test_an_unexpected_fault_shows_nothing_of_itself(client: TestClient) -> None:
    answer = client.get("/fault")
    assert (answer.status_code, answer.json()["error"], answer.json()["at"]) == (500, "server_error", "/fault")
    assert "4711" not in answer.text
    assert "Traceback" not in answer.text


def test_a_body_that_never_ends_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "BODY_SECONDS", 0.05)
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        await asyncio.sleep(2)  # as good as for ever, and the test ends in any case
        raise AssertionError("not reached")

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await receive()

    scope = {"type": "http", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [], "method": "POST"}
    asyncio.run(guard(app, body_limit=lambda path: 10, problem=_problem)(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 408


def test_other_scopes_pass_untouched() -> None:
    seen: list[str] = []

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        seen.append(scope["type"])

    async def never(*_: object) -> None:
        raise AssertionError("not called")

    asyncio.run(guard(app, body_limit=lambda path: 10, problem=_problem)({"type": "lifespan"}, never, never))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


def test_form_reads_fields_and_decodes_them() -> None:
    assert form(b"a=1&b=%C3%A9+x&c") == {"a": "1", "b": "é x", "c": ""}
    assert form(b"") == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"a=1&a=1", "form_duplicate"), (b"a=%ff", "form"), (b"a=%00", "form"), (b"%00=a", "form"), (b"&".join([b"x"] * 101), "form")],
)
def test_form_refuses(body: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        form(body)
    assert caught.value.code == code
