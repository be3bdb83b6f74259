"""How often to ask, what to remember of failures, and what to say of them: shared by the refresh of lists and of the root."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import structlog

from trust_list.snapshot import Event
from vc.errors import VcError

BACK_OFF_LIMIT = timedelta(minutes=15)
_log = structlog.get_logger("trust_list")


def until_next(every: timedelta, failures: int) -> timedelta:
    """How long to wait: `every` while it works, doubled with each failure in a row up to the limit; a little less by chance, so
    that many verifiers do not return at once."""
    if failures == 0:
        return every - every * _chance() * 0.1
    pause: timedelta = min(every * 2 ** min(failures - 1, 10), max(BACK_OFF_LIMIT, every))
    return pause - pause * _chance() * 0.25


def again(before: Event | None, exc: VcError, now: datetime) -> Event:
    """The event of `exc`, counted on from one of the same code just before."""
    if before is None or before.code != exc.code:
        return Event(code=exc.code, text=exc.detail, first=now, last=now, count=1)
    return replace(before, text=exc.detail, last=now, count=before.count + 1)


def say(level: Literal["info", "warning"], event: str, **facts: object) -> None:
    """Log an event, once a service has set up its log. A command has not: its stdout is a document, and words would spoil it."""
    if structlog.is_configured():
        _log.log({"info": 20, "warning": 30}[level], event, **facts)


def _chance() -> float:
    return random.random()  # noqa: S311 — no secret
