"""The two servers, each a process with one worker and the options every service of ours runs with; loopback only."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from edge.serve import options

_START_SECONDS = 60.0


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(*command: str, port: int, log: Path) -> Iterator[int]:
    """The Python module `command` as a process that listens on `port`; ended with the block. Raises RuntimeError when it does
    not start; what it said stands in `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", *command], stdout=output, stderr=output)
        try:
            _await(process, port, log)
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=15)


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text(encoding='utf-8')[-500:]}")


def main() -> None:
    """`python -m bench.http.servers reference PORT`, or `issuer SETTINGS`."""
    kind, argument = sys.argv[1:]
    if kind == "reference":
        uvicorn.run("bench.http.reference:app", host="127.0.0.1", port=int(argument), **options())
    else:
        from issuer.serving import serve  # noqa: PLC0415 - the reference does without

        serve(Path(argument))


if __name__ == "__main__":
    main()
