"""Outcomes, findings and rule results: the words every verdict is made of (DOMAIN 6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What the person at the counter should do with the document; `combine` knows the order."""

    ACCEPT = "accept"
    ACCEPT_WITH_WARNING = "accept-with-warning"
    REVIEW = "review"
    UNDETERMINED = "undetermined"
    REFRESH = "refresh"
    REJECT = "reject"


class Result(StrEnum):
    """The answer of one check: three answers, since "could not look" is neither good nor bad."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


_SEVERITY = {outcome: place for place, outcome in enumerate(Outcome)}


def combine(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of `outcomes` in the order accept < accept-with-warning < review < undetermined < refresh < reject.

    No outcome at all is `UNDETERMINED`: where nothing was judged, nothing is accepted.
    """
    return max(outcomes, key=_SEVERITY.__getitem__, default=Outcome.UNDETERMINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason in a verdict. `code` is stable; `text` (what and why) and `next` (what to do) are English for people.

    `text` may name countries and dates of the document, never names or numbers of persons; log the code only.
    """

    code: str
    outcome: Outcome
    text: str
    next: str
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What one rule said. `finding` is absent when there is nothing to tell; a passed rule may still carry one (information)."""

    id: str
    result: Result
    detail: str
    finding: Finding | None = None
