"""The server as it is run: heads within size and time (SECURITY H-9, 4.2), seen on a socket."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from edge import serve


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@contextlib.contextmanager
def _served() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(_app, **{**serve.options(), "lifespan": "off", "loop": "asyncio"}))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        deadline = time.monotonic() + 5
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def _exchange(port: int, *parts: bytes) -> bytes:
    """What comes back until the server closes, or for two seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        answer = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            for part in parts:
                connection.sendall(part)
            while received := connection.recv(65536):
                answer += received
        return answer


_GOOD = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
_LAST = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


def test_a_head_that_never_ends_is_cut_and_a_kept_connection_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "HEAD_SECONDS", 0.3)
    with _served() as port:
        assert _exchange(port).startswith(b"HTTP/1.1 408 "), "a connection that says nothing"
        assert _exchange(port, b"GET / HTTP/1.1\r\nhost: a").startswith(b"HTTP/1.1 408 ")
        second = _exchange(port, _GOOD, b"GET / HTTP/1.1\r\n")
        assert second.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 408 " in second, "the second head of a kept connection"
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(_GOOD)
            answer = b""
            while not answer.endswith(b"ok"):
                answer += connection.recv(65536)
            time.sleep(0.5)  # longer than a head may take: between requests nothing is owed
            connection.sendall(_LAST)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_head_over_the_limit_is_refused_before_it_ends() -> None:
    long = b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: %s\r\n" % (number, b"a" * 900) for number in range(60))
    with _served() as port:
        assert _exchange(port, long).startswith(b"HTTP/1.1 431 ")
        assert _exchange(port, long[: 30 * 1024].rpartition(b"\r\n")[0] + b"\r\nconnection: close\r\n\r\n").startswith(
            b"HTTP/1.1 200 "
        )


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello1",
        b"content-length: -5\r\n\r\nhello",
        b"content-length: " + b"9" * 4500 + b"\r\n\r\nhello",
        b"transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"content-length : 0\r\n\r\n",
        b"a: b\nc: d\r\n\r\n",
    ],
    ids=["both", "two", "negative", "endless", "no chunk size", "space before colon", "bare LF"],
)
def test_requests_that_can_be_read_in_two_ways_are_refused(head: bytes) -> None:
    """SECURITY H-10: 400 and closed, so that nothing behind it is taken for a request."""
    with _served() as port:
        answer = _exchange(port, b"POST / HTTP/1.1\r\nhost: a\r\n" + head + _GOOD)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
