"""A real browser for the sign-in: the address is shown or opened, and a listener on this machine waits for the way back.

RFC 8252 §7.3: http on a loopback address, a port of the moment, a path nobody can guess; gone after one answer or the time limit.
"""

import secrets
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from vc.errors import Unreachable
from wallet_sim.user_agent import is_return

TIME_LIMIT = 300.0
_SLOWEST_REQUEST = 5.0
_MAX_TARGET = 16 * 1024
_PAGE = (
    b"<!doctype html><html lang=en><meta charset=utf-8><title>Back to the wallet</title>"
    b"<h1>Back to the wallet</h1><p>You can close this window.</p>"
)
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}
Show = Callable[[str], None]
"""Tells the person which address to open."""


def open_and_say(say: Show) -> Show:
    """Opens the machine's browser; says the address in any case, since there may be none."""

    def show(url: str) -> None:
        say(url)
        webbrowser.open(url)

    return show


class RealBrowser:
    """`show`: how the person learns the address. `seconds`: how long they have."""

    def __init__(self, show: Show, *, seconds: float = TIME_LIMIT) -> None:
        self._show, self._seconds = show, seconds

    @contextmanager
    def window(self) -> Iterator["RealWindow"]:
        """See `UserAgent.window`."""
        path = f"/{secrets.token_urlsafe(16)}"
        server = _Listener(path)
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        serving.start()
        try:
            yield RealWindow(server, f"http://127.0.0.1:{server.server_port}{path}", self._show, self._seconds)
        finally:
            server.shutdown()
            server.server_close()
            serving.join()


class RealWindow:
    """One sign-in in a browser we do not control."""

    def __init__(self, server: "_Listener", redirect_uri: str, show: Show, seconds: float) -> None:
        self._server, self.redirect_uri, self._show, self._seconds = server, redirect_uri, show, seconds

    def visit(self, url: str) -> str:
        """See `Window.visit`. Raises `Unreachable("sign_in")` when nobody comes back in time."""
        self._show(url)
        if not self._server.returned.wait(self._seconds) or self._server.target is None:
            raise Unreachable("sign_in", "the browser did not come back in time")
        return self.redirect_uri.partition(self._server.path)[0] + self._server.target


class _Listener(ThreadingHTTPServer):
    """Takes the first request to `path`; everything else is 404, also a second one. A browser's idle connections do no harm."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 8

    def __init__(self, path: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.path, self.returned = path, Event()
        self.target: str | None = None

    def take(self, target: str) -> bool:
        """Whether `target` is the awaited way back, which it is once."""
        if self.target is not None or len(target) > _MAX_TARGET or not is_return(target, self.path):
            return False
        self.target = target
        self.returned.set()
        return True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no event."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _SLOWEST_REQUEST
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "portadoc", ""

    def do_GET(self) -> None:
        """Answer one request."""
        assert isinstance(self.server, _Listener)
        known = self.server.take(self.path)
        self.send_response(200 if known else 404)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        body = _PAGE if known else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the address holds the code."""
