"""The command line as an outsider uses it: processes, exit codes, one JSON document on stdout."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PORTADOC = [sys.executable, str(ROOT / "portadoc.py")]
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended. `value`: the JSON document on stdout."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        return json.loads(self.out)


def portadoc(*arguments: str, state: Path | None = None, text: str | None = None, seconds: float = 90) -> Done:
    """Run one command to its end."""
    environment = {key: value for key, value in os.environ.items() if key != "PORTADOC_STATE"}
    if state is not None:
        environment["PORTADOC_STATE"] = str(state)
    done = subprocess.run(
        [*PORTADOC, *arguments], input=text, capture_output=True, text=True, timeout=seconds, env=environment, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Demo:
    """A served demo: its process, None when its services were started by other means, and what it said about itself."""

    process: subprocess.Popen[str] | None
    description: dict[str, Any]

    @property
    def state(self) -> Path:
        return Path(self.description["state"])

    def run(self, *arguments: str, text: str | None = None) -> Done:
        """One command that finds this demo by `PORTADOC_STATE`."""
        return portadoc(*arguments, state=self.state, text=text)

    def json(self, *arguments: str, code: int = 0) -> Any:
        """The JSON document of a command that must end with `code`."""
        done = self.run(*arguments, "--json")
        assert done.code == code, f"{arguments}: exit {done.code}\n{done.out}\n{done.err}"
        return done.value

    @classmethod
    @contextmanager
    def served(cls, state: Path, port_base: int, *, tls: bool, end: signal.Signals = signal.SIGTERM) -> Iterator["Demo"]:
        """Start, read the one JSON object, end by a signal; the ending must be clean and leave no listener behind."""
        command = [*PORTADOC, "demo", "--serve", "--json", "--state", str(state / "demo"), "--port-base", str(port_base)]
        process = subprocess.Popen(
            [*command, *(["--tls"] if tls else [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            line = _first_line(process)
            yield cls(process, json.loads(line))
        finally:
            process.send_signal(end)
            out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert not out, "exactly one JSON document on stdout"
        for offset in range(4):
            socket.create_server(("127.0.0.1", port_base + offset)).close()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ready, _, _ = select.select([process.stdout], [], [], 1.0)
        if ready:
            line = process.stdout.readline()
            assert line, f"the demo ended: {process.stderr.read()}"
            return line
    raise AssertionError("the demo said nothing")
