"""Why a service was withdrawn, and what that means for documents it signed before (TRUST 7.2 rule 6).

A thief of a key can date a signature back, so only a reason that excludes a stolen key lets older documents stand.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

CONFIRMED_BY_INSTITUTION = frozenset({"pda1"})
"""Types for which an unstated reason means "ask the institution": it binds other states until the institution withdraws it
(Regulation (EC) 987/2009 Article 5). For every other type an unstated reason counts as a compromise."""

_COMPROMISE = ("compromis", "stolen", "theft", "leak", "breach", "misuse")
# The reason codes of RFC 5280 §5.3.1 that say nothing against the key, and the words list operators use for the same.
_ORDERLY = frozenset(
    {
        "affiliationchanged", "privilegewithdrawn", "superseded", "cessationofoperation", "cessation", "ceased", "merged", "merger",
        "reorganisation", "reorganised", "rotation", "keyrotation", "rollover", "keyrollover", "retired",
    }
)  # fmt: skip


class Withdrawal(StrEnum):
    ORDERLY = "orderly"
    UNKNOWN = "unknown"
    COMPROMISE = "compromise"


def classify(reason: str | None) -> Withdrawal:
    """What an operator's words mean. A word of compromise anywhere counts; an orderly reason must be the whole text."""
    letters = re.sub(r"[^a-z]", "", (reason or "").lower())
    if any(word in letters for word in _COMPROMISE):
        return Withdrawal.COMPROMISE
    return Withdrawal.ORDERLY if letters in _ORDERLY else Withdrawal.UNKNOWN


def worst(reasons: Iterable[str | None]) -> Withdrawal:
    """The gravest of several reasons: compromise before unknown before orderly. Nothing stated is unknown."""
    found = {classify(reason) for reason in reasons}
    for kind in (Withdrawal.COMPROMISE, Withdrawal.UNKNOWN, Withdrawal.ORDERLY):
        if kind in found:
            return kind
    return Withdrawal.UNKNOWN
