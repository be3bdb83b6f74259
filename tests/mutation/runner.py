"""Runs pytest again and again, each time in a fresh copy of one process that has loaded the libraries: they cost most of the time.

    python runner.py        (in the tree to be tested)

Takes one JSON line per run, [arguments, file for the output, seconds]; answers with pytest's exit code, negative when killed.
Nothing of the tree is loaded before the copy is made.
"""

import json
import os
import signal
import sys
from importlib import import_module

import pytest

LIBRARIES = (
    "alembic", "authlib.oidc.core", "cbor2", "cryptography.x509", "fastapi", "httpx2", "jinja2", "joserfc.jwt", "jwcrypto.jwe",
    "orjson", "pydantic", "sqlalchemy", "sqlalchemy.dialects.sqlite", "starlette.testclient", "structlog", "typer",
)  # fmt: skip


def main() -> None:
    """Serve until the input ends."""
    sys.path.insert(0, os.getcwd())
    for name in LIBRARIES:
        import_module(name)
    for line in sys.stdin:
        arguments, output, seconds = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(arguments, output, seconds)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(arguments: list[str], output: str, seconds: int) -> None:
    signal.alarm(seconds)
    told = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(told, 1)
    os.dup2(told, 2)
    code = pytest.main(["-W", "ignore::pytest.PytestAssertRewriteWarning", *arguments])
    sys.stdout.flush()
    os._exit(int(code))


if __name__ == "__main__":
    main()
