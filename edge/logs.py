"""Logging: one JSON line per event, an event word and opaque ids; never claims, tokens, keys or bodies (SECURITY P-1)."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict

_SILENCED = ("httpx2", "httpcore2", "uvicorn.access", "sqlalchemy.engine", "alembic")  # they would write addresses and parameters


def configure(stream: TextIO = sys.stderr, *, level: int = logging.INFO, lasting: bool = False) -> None:
    """Send structlog and the libraries' logs of `level` and above to `stream`. Called once by each `__main__`.

    `lasting`: nobody will configure it anew, so loggers need not look again for each line; for services.
    """
    logging.basicConfig(stream=stream, level=level, format="%(message)s", force=True)
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _stamp,
            structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=lasting,
    )


def _stamp(_logger: object, _method: str, event: EventDict) -> EventDict:
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode("utf-8")
