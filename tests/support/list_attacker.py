"""A list server on loopback that misbehaves by name: what it sends is made here, octet for octet, below any HTTP library."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

Send = Callable[[socket.socket], None]
OLD_AGE = 4.0
"""Seconds after which even the slowest misbehaviour stops: longer than any limit under test, so that the limit is what ends it."""


def answer(body: bytes, *, status: str = "200 OK", headers: str = "") -> Send:
    """A proper answer."""
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/jose\r\ncontent-length: {len(body)}\r\n{headers}connection: close\r\n\r\n"
    )
    return lambda line: line.sendall(head.encode() + body)


def truncated(body: bytes) -> Send:
    """Less than the head promises."""
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n"
    return lambda line: line.sendall(head.encode() + body[: len(body) // 2])


def cut_short(body: bytes) -> Send:
    """Half of it, as if that were all."""
    return lambda line: line.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + body[: len(body) // 2])


def endless(_: bytes) -> Send:
    """More and more of what could be base64url."""

    def send(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        until = time.monotonic() + OLD_AGE
        while time.monotonic() < until:
            line.sendall(b"A" * 65536)

    return send


def slow(body: bytes) -> Send:
    """An octet at a time, so that no single wait is long."""

    def send(line: socket.socket) -> None:
        line.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        until = time.monotonic() + OLD_AGE
        for place in range(len(body)):
            if time.monotonic() > until:
                return
            line.sendall(body[place : place + 1])
            time.sleep(0.02)

    return send


def slow_head(_: bytes) -> Send:
    """A head an octet at a time."""

    def send(line: socket.socket) -> None:
        until = time.monotonic() + OLD_AGE
        line.sendall(b"HTTP/1.1 200 OK\r\nx-filler: ")
        while time.monotonic() < until:
            line.sendall(b"a")
            time.sleep(0.02)

    return send


def silent(_: bytes) -> Send:
    """Takes the question and says nothing."""

    def send(line: socket.socket) -> None:
        line.settimeout(OLD_AGE)
        with contextlib.suppress(OSError):
            line.recv(1)

    return send


def endless_head(_: bytes) -> Send:
    """Headers without end."""

    def send(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n")
        until = time.monotonic() + OLD_AGE
        while time.monotonic() < until:
            line.sendall(b"x-filler: " + b"a" * 8000 + b"\r\n")

    return send


def not_http(_: bytes) -> Send:
    return lambda line: line.sendall(b"220 mail.test ESMTP\r\n")


class Attacker:
    """Answers every request with `send`; counts them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.send: Send = answer(b"")
        self.asked = 0
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/list.jws"

    def _serve(self) -> None:
        while self._open:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self._one, args=(line, self.send), daemon=True).start()

    @staticmethod
    def _one(line: socket.socket, send: Send) -> None:
        with line, contextlib.suppress(OSError):
            line.settimeout(OLD_AGE)
            request = b""
            while b"\r\n\r\n" not in request:
                request += line.recv(65536)
            send(line)

    def close(self) -> None:
        self._open = False
        self._socket.close()


@contextlib.contextmanager
def attacker() -> Iterator[Attacker]:
    made = Attacker()
    try:
        yield made
    finally:
        made.close()
