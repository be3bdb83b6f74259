"""The one table of reasons: stable code → outcome, sentence, what to do next; and which error of a check gives which reason.

The texts are data (`reasons.json`), in plain English for an inspector, so that translations can stand beside them.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from vc.documents.outcome import Outcome
from vc.encoding import json
from verifier.verdict import Reason

PID_PREFIX = "pid."
_PID_TEXT = "Proof of identity (PID): "


def _read() -> tuple[dict[str, Reason], Mapping[str, Mapping[str, str]]]:
    data: dict[str, Any] = json.loads_object(files("verifier").joinpath("reasons.json").read_bytes())
    rows = {
        code: Reason(code=code, outcome=Outcome(row["outcome"]), text=row["text"], next=row["next"])
        for code, row in data["reasons"].items()
    }
    return rows, data["by_check"]


REASONS, BY_CHECK = _read()


def reason(code: str, *, pid: bool = False) -> Reason:
    """The reason of that code; with `pid` the same said about the proof of identity.

    Raises KeyError: a code without text is a bug.
    """
    return of_pid(REASONS[code]) if pid else REASONS[code]


def of_pid(said: Reason) -> Reason:
    """The same reason said about the proof of identity beside a document."""
    return Reason(code=PID_PREFIX + said.code, outcome=said.outcome, text=_PID_TEXT + said.text, next=said.next)


def for_error(check_id: str, error_code: str) -> str:
    """The reason code for an error of the core met in a check: its own row, else that of the check."""
    rows = BY_CHECK[check_id]
    return rows.get(error_code, rows["*"])
