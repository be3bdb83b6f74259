"""A load of prepared requests over kept connections: each sends its next request when its answer is there."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles

import httptools
import uvloop


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One turn: requests answered with 200 per second, and the 50th and 99th percentile of their time in seconds."""

    rate: float
    p50: float
    p99: float


def head(method: str, path: str, *, port: int, **headers: str) -> str:
    """Request line and headers for a body that follows; underscores of names become hyphens."""
    lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{port}", *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items())]
    return "\r\n".join(lines) + "\r\n"


def post(path: str, body: bytes, *, port: int, content_type: str = "application/json", **headers: str) -> bytes:
    """The octets of one POST request."""
    first = head("POST", path, port=port, content_type=content_type, content_length=str(len(body)), **headers)
    return first.encode("ascii") + b"\r\n" + body


def measure(requests: Sequence[bytes], *, port: int, connections: int) -> Run:
    """Send all of them. Raises RuntimeError at the first answer that is not 200: a refusal is quick and measures nothing."""
    answers = exchange(requests, port=port, connections=connections)
    times = [answer.seconds for answer in answers]
    cuts = quantiles(times, n=100)
    spent = max(answer.ended for answer in answers) - min(answer.ended - answer.seconds for answer in answers)
    return Run(rate=len(requests) / spent, p50=cuts[49], p99=cuts[98])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A 200 answer. `seconds`: from the first octet sent to the last one received; `ended`: when, on the process's clock."""

    body: bytes
    seconds: float
    ended: float


def exchange(requests: Sequence[bytes], *, port: int, connections: int, status: int = 200) -> list[Answer]:
    """The answers in the order of the requests, all with `status`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_exchange(requests, port, connections, status))


async def _exchange(requests: Sequence[bytes], port: int, connections: int, status: int) -> list[Answer]:
    loop, left = asyncio.get_running_loop(), iter(enumerate(requests))
    answers: dict[int, Answer] = {}
    done = [loop.create_future() for _ in range(min(connections, len(requests)))]
    opened = [await loop.create_connection(lambda d=d: _Caller(left, answers, d, status), "127.0.0.1", port) for d in done]  # type: ignore[misc]
    for _, caller in opened:
        caller.send_next()
    try:
        await asyncio.gather(*done)
    finally:
        for transport, _ in opened:
            transport.close()
    return [answers[number] for number in range(len(requests))]


class _Caller(asyncio.Protocol):
    """One connection."""

    def __init__(
        self, left: Iterator[tuple[int, bytes]], answers: dict[int, Answer], done: "asyncio.Future[None]", status: int
    ) -> None:
        self._left, self._answers, self._done, self._status = left, answers, done, status
        self._number, self._begun, self._body = 0, 0.0, b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as it is called
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def send_next(self) -> None:
        """Send the next request that nobody has sent; none left: finished."""
        following = next(self._left, None)
        if following is None:
            if not self._done.done():
                self._done.set_result(None)
            return
        self._number, request = following
        self._body, self._begun = b"", time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Part of an answer."""
        self._body += body

    def on_message_complete(self) -> None:
        """The end of an answer."""
        ended, status = time.perf_counter(), self._parser.get_status_code()
        if status != self._status:
            self._fail(f"answer {status}: {self._body[:200]!r}")
            return
        self._answers[self._number] = Answer(body=self._body, seconds=ended - self._begun, ended=ended)
        self._parser = httptools.HttpResponseParser(self)
        self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the server closed the connection")

    def _fail(self, reason: str) -> None:
        if not self._done.done():
            self._done.set_exception(RuntimeError(reason))
