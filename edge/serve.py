"""One way to run a service: uvicorn with uvloop and httptools, no access log, no server header, heads within size and time."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 40 * 1024
"""Octets of a request line and header block: 8 KiB address and 32 KiB headers (SECURITY 4.2)."""
HEAD_SECONDS = 10.0
_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\ncache-control: no-store\r\n\r\n"
_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ncache-control: no-store\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files of the server certificate (with intermediates) and its key."""

    certificate: Path
    key: Path


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP with a limit on the head of each request, which the server itself waits for and keeps without end (H-9)."""

    _deadline: asyncio.TimerHandle | None = None
    _head_octets: int = 0
    _in_head: bool = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent declares it
        """A new connection owes a head at once."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives while a head is open."""
        if self._in_head:
            self._head_octets += len(data)
        super().data_received(data)
        if self._in_head and self._head_octets > MAX_HEAD:
            self._refuse(_LONG)

    def on_message_begin(self) -> None:
        """A further request on a kept connection; between requests the keep-alive limit counts."""
        if not self._in_head:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_arrived()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._in_head, self._head_octets = True, 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._refuse, _SLOW)

    def _head_arrived(self) -> None:
        self._in_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, answer: bytes) -> None:
        self._head_arrived()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


def run(app: ASGIApp, *, host: str, port: int, tls: TlsFiles | None = None) -> None:
    """Serve `app` until SIGINT or SIGTERM. The access log stays off: paths carry offer and transaction ids."""
    uvicorn.run(app, host=host, port=port, **options(tls))


def options(tls: TlsFiles | None = None) -> dict[str, Any]:
    """What every server here runs with."""
    return {
        "loop": "uvloop",
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "proxy_headers": False,
        "timeout_keep_alive": 15,
        "timeout_graceful_shutdown": 5,
        "limit_concurrency": 1000,
        "log_config": None,
        "ssl_certfile": str(tls.certificate) if tls else None,
        "ssl_keyfile": str(tls.key) if tls else None,
    }
