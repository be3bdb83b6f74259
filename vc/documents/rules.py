"""The machinery of document rules: what is controlled, what a rule answers, and how answers become results and findings.

A rule is a small function that names a code; the code's outcome and its English sentences are data beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from vc.documents.model import Document
from vc.documents.outcome import Finding, Outcome, Result, RuleResult, combine


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The control at hand. on: the civil date asked about (inspection or treatment), as it is where the control takes place.

    country: ISO code of the host or treating State, None when not given: rules that need it are then not checked.
    now: aware UTC, the moment of the control itself.
    """

    on: date
    country: str | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What stands behind a reason code. `text` and `next` may hold `{placeholders}` for countries and dates."""

    outcome: Outcome
    text: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a rule's function found: a result, a detail for the list of checks, and the code of a reason when there is one."""

    result: Result
    detail: str
    reason: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One document rule. id: name of the check in a verdict. source: where the rule is written."""

    id: str
    source: str
    check: Callable[[Document, Control], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The results of all rules of a document type, in their order."""

    results: tuple[RuleResult, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The reasons the rules gave, in order."""
        return tuple(result.finding for result in self.results if result.finding is not None)

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of the findings; accept when at least one rule passed and none has anything against it."""
        held = [Outcome.ACCEPT for result in self.results if result.result is Result.PASSED]
        return combine([*held, *(finding.outcome for finding in self.findings)])


def passed(detail: str, reason: str | None = None, **values: str) -> Answer:
    """The rule holds; `reason` only to tell something worth knowing."""
    return Answer(result=Result.PASSED, detail=detail, reason=reason, values=values)


def failed(detail: str, reason: str, **values: str) -> Answer:
    """The rule does not hold."""
    return Answer(result=Result.FAILED, detail=detail, reason=reason, values=values)


def not_checked(detail: str, reason: str | None = None, **values: str) -> Answer:
    """The rule could not be looked at; `reason` when the verdict must say so."""
    return Answer(result=Result.NOT_CHECKED, detail=detail, reason=reason, values=values)


def result_of(rule_id: str, answer: Answer, wordings: Mapping[str, Wording]) -> RuleResult:
    """The rule result of an answer, its reason put into words."""
    if answer.reason is None:
        return RuleResult(id=rule_id, result=answer.result, detail=answer.detail)
    wording = wordings[answer.reason]
    finding = Finding(
        code=answer.reason,
        outcome=wording.outcome,
        text=wording.text.format(**answer.values),
        next=wording.next.format(**answer.values),
        check=rule_id,
    )
    return RuleResult(id=rule_id, result=answer.result, detail=answer.detail, finding=finding)


def assess(rules: Sequence[Rule], wordings: Mapping[str, Wording], document: Document, control: Control) -> Assessment:
    """Every rule's result, whatever the others say."""
    return Assessment(results=tuple(result_of(rule.id, rule.check(document, control), wordings) for rule in rules))
