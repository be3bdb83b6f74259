"""A pretend internet: a transport that routes by host and port to applications in this process and remembers who asked what.

Hosts may be the real services (through their test clients) or plain functions (simulated, possibly misbehaving ones).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.testclient import TestClient

Answerer = Callable[[httpx2.Request], httpx2.Response]
# Set by the client itself for its own connection; the application behind gets its own.
_HOP_HEADERS = frozenset({"connection", "host", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that went over the pretend internet, and its answer's status (None when the host was down)."""

    method: str
    url: str
    status: int | None
    body: bytes = field(repr=False)
    answer: bytes = field(default=b"", repr=False)


class Internet(httpx2.BaseTransport):
    """`hosts`: `host:port` (or `host` for the default port of its scheme) → application or function."""

    def __init__(self) -> None:
        self._hosts: dict[str, Answerer] = {}
        self.seen: list[Seen] = []
        self.down: set[str] = set()

    def client(self, host: str, client: TestClient) -> None:
        """Put the application of a running test client behind `host`; the caller keeps it running."""

        def answer(request: httpx2.Request) -> httpx2.Response:
            headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() not in _HOP_HEADERS]
            got = client.request(request.method, str(request.url), headers=headers, content=request.content, follow_redirects=False)
            return httpx2.Response(got.status_code, headers=_end_to_end(got.headers), content=got.content)

        self._hosts[host] = answer

    def answerer(self, host: str) -> Answerer:
        """What is behind `host`."""
        return self._hosts[host]

    def function(self, host: str, answer: Answerer) -> None:
        """Put a function behind `host`."""
        self._hosts[host] = answer

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """See `httpx2.BaseTransport`: an unknown host or one in `down` cannot be connected to."""
        request.read()
        host = request.url.netloc.decode("ascii")
        answerer = None if host in self.down else self._hosts.get(host)
        if answerer is None:
            self.seen.append(Seen(request.method, str(request.url), None, request.content))
            raise httpx2.ConnectError("no such host", request=request)
        response = answerer(request)
        answer = b"" if _endless(response) else response.read()
        self.seen.append(Seen(request.method, str(request.url), response.status_code, request.content, answer))
        return response

    def requests(self, path_part: str) -> list[Seen]:
        """What was asked of addresses that contain `path_part`, oldest first."""
        return [seen for seen in self.seen if path_part in seen.url]


def json_answer(value: Any, status: int = 200, **headers: str) -> httpx2.Response:
    """A JSON response of a simulated host; header names are written with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx2.Response(status, json=value, headers=named)


def _end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_HEADERS}


def _endless(response: httpx2.Response) -> bool:
    return response.headers.get("x-endless") == "yes"
