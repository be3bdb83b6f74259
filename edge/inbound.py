"""What every request meets before a route: limits, strict headers, safe defaults, and errors in the protocol's own shape.

SECURITY 2.1 (H-1 … H-17) and 4.2.
"""

import asyncio
import uuid
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vc.errors import Malformed

Problem = Callable[[str, int, str, str], tuple[str, bytes]]
"""(path, HTTP status, code, text) → (content type, body): the error in the shape of the endpoint at that path."""

MAX_TARGET = 8 * 1024
MAX_HEADERS = 32 * 1024
BODY_SECONDS = 10.0
# Headers that decide something: two of them are two answers to one question (SECURITY H-6). Proofs that come as headers (DPoP,
# client attestation) are counted where they are judged, so that the answer has the code of their own specification.
_ONCE = frozenset({b"authorization", b"content-type", b"content-length", b"host", b"idempotency-key"})
_FORM_FIELDS = 100
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
)
_log = structlog.get_logger("edge")


class _Stop(BaseException):
    """Ends a request with an error before or while a route reads its body.

    Not an `Exception`: the framework turns those into answers of its own on the way out.
    """

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(code)
        self.status, self.code, self.text = status, code, text


def guard(app: ASGIApp, *, body_limit: Callable[[str], int], problem: Problem) -> ASGIApp:
    """`app` behind the door. `body_limit(path)` gives the octets a body may have there."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        path, started, faulty = scope["path"], False, False

        async def sending(message: Message) -> None:
            nonlocal started, faulty
            if message["type"] == "http.response.start":
                if message["status"] == 500 and not started:
                    faulty = True  # the framework's own page for an unexpected exception: ours follows instead
                    return
                started = True
                message = {**message, "headers": _with_defaults(list(message.get("headers", [])))}
            if not faulty or started:
                await send(message)

        async def fail(status: int, code: str, text: str) -> None:
            content_type, body = problem(path, status, code, text)
            headers = [
                (b"content-type", content_type.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
                (b"connection", b"close"),
            ]
            await send({"type": "http.response.start", "status": status, "headers": _with_defaults(headers)})
            await send({"type": "http.response.body", "body": body})

        try:
            limit = body_limit(path)
            _check_head(scope, limit)
            await app(scope, _bounded(receive, limit), sending)
        except _Stop as stop:
            if not started:
                await fail(stop.status, stop.code, stop.text)
        except Exception as exc:  # noqa: BLE001 — the one place where the unexpected becomes an answer (SECURITY H-17)
            reference = uuid.uuid4().hex
            _log.error("unexpected", reference=reference, kind=type(exc).__name__, where=_where(exc))
            if not started:
                await fail(500, "server_error", f"an unexpected fault, reference {reference}")

    return guarded


def form(body: bytes) -> dict[str, str]:
    """The fields of an `application/x-www-form-urlencoded` body, strictly.

    Raises `Malformed("form_duplicate")` for a repeated name (RFC 6749 §3.2: parameters occur once) and
    `Malformed("form")` for text that is not UTF-8, null characters or more than a hundred fields.
    """
    fields: dict[str, str] = {}
    if not body:
        return fields
    pairs = body.split(b"&")
    if len(pairs) > _FORM_FIELDS:
        raise Malformed("form", "too many fields")
    for pair in pairs:
        raw_name, _, raw_value = pair.partition(b"=")
        try:
            name, value = (unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8") for part in (raw_name, raw_value))
        except UnicodeDecodeError as exc:
            raise Malformed("form", "a field is not UTF-8") from exc
        if "\x00" in name or "\x00" in value:
            raise Malformed("form", "a null character is not allowed")
        if name in fields:
            raise Malformed("form_duplicate", "a field occurs twice")
        fields[name] = value
    return fields


def _check_head(scope: Scope, limit: int) -> None:
    query = scope.get("query_string", b"")
    if len(scope.get("raw_path") or b"") + len(query) > MAX_TARGET:
        raise _Stop(414, "invalid_request", "the address is too long")
    if "\x00" in scope["path"] or b"%00" in query or b"\x00" in query:
        raise _Stop(400, "invalid_request", "a null character is not allowed")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
        raise _Stop(431, "invalid_request", "the headers are too long")
    seen: set[bytes] = set()
    for name, value in scope["headers"]:
        if name in _ONCE and name in seen:
            raise _Stop(400, "invalid_request", f"the header {name.decode('ascii')} occurs twice")
        seen.add(name)
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise _Stop(415, "invalid_request", "compressed bodies are not accepted")
        if name == b"content-length" and (not value.isdigit() or int(value) > limit):
            raise _Stop(413, "invalid_request", "the body is too long")


def _bounded(receive: Receive, limit: int) -> Receive:
    """`receive` that counts the body and gives up on a sender who never finishes (SECURITY H-1, H-9)."""
    loop = asyncio.get_running_loop()
    total, finished, deadline = 0, False, loop.time() + BODY_SECONDS

    async def receiving() -> Message:
        nonlocal total, finished
        if finished:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):  # not wait_for: a task for each message costs more than reading it
                message = await receive()
        except TimeoutError as exc:
            raise _Stop(408, "invalid_request", "the body did not arrive in time") from exc
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            finished = not message.get("more_body", False)
            if total > limit:
                raise _Stop(413, "invalid_request", "the body is too long")
        return message

    return receiving


def _with_defaults(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    if b"cache-control" not in present:
        headers.append((b"cache-control", b"no-store"))
    headers.extend(pair for pair in _SECURITY_HEADERS if pair[0] not in present)
    return headers


def _where(exc: BaseException) -> str:
    """Module and line of the raising frame: enough to find the fault, nothing of the data."""
    frame = exc.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return "unknown" if frame is None else f"{frame.tb_frame.f_globals.get('__name__')}:{frame.tb_lineno}"
