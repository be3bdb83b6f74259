"""Logging: one JSON line per event, an event word and opaque ids; never claims, tokens, keys or bodies (SECURITY P-1)."""

import logging
import sys
from typing import TextIO

import structlog

_SILENCED = ("httpx2", "httpcore2", "uvicorn.access", "sqlalchemy.engine", "alembic")  # they would write addresses and parameters


def configure(stream: TextIO = sys.stderr, *, level: int = logging.INFO) -> None:
    """Send structlog and the libraries' logs of `level` and above to `stream`. Called once by each `__main__`."""
    logging.basicConfig(stream=stream, level=level, format="%(message)s", force=True)
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
