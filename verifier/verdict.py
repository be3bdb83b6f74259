"""The verdict: what was checked, what came out, why, and what to do next. Nothing here decides; `checks` does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vc.documents.outcome import Outcome, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One numbered check with one of three answers (STYLE 10): what could not be looked at is neither good nor bad.

    `detail` is for people and holds no personal data beyond what the document itself shows.
    """

    id: str
    result: Result
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the outcome is not a plain accept: stable code, one sentence, and what the inspector does next."""

    code: str
    outcome: Outcome
    text: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A layer of validity. Bounds are ISO texts; `until` is the word `open` when the document states no end, None when unknown."""

    start: str | None = None
    until: str | None = None

    def to_json(self) -> dict[str, str | None]:
        return {"from": self.start, "until": self.until}


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """The three layers, shown apart (DOMAIN 5.1): of the credential, of the document, of the cover it certifies."""

    technical: Period = Period()
    document: Period = Period()
    cover: Period = Period()

    def to_json(self) -> dict[str, Any]:
        return {"technical": self.technical.to_json(), "document": self.document.to_json(), "cover": self.cover.to_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The whole answer. `document` and `identity` are None when nothing authentic could be read."""

    outcome: Outcome
    checks: Sequence[Check]
    reasons: Sequence[Reason] = ()
    validity: Validity = Validity()
    document: Mapping[str, Any] | None = None
    identity: Mapping[str, Any] | None = None
    trust: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, check_id: str) -> Check:
        """The check with this id; raises KeyError when the pipeline did not report it."""
        for check in self.checks:
            if check.id == check_id:
                return check
        raise KeyError(check_id)

    @property
    def codes(self) -> tuple[str, ...]:
        """The reason codes, worst first."""
        return tuple(reason.code for reason in self.reasons)

    def to_json(self) -> dict[str, Any]:
        """The documented JSON form (docs/flows/verify.md)."""
        return {
            "outcome": str(self.outcome),
            "reasons": [{"code": r.code, "text": r.text, "next": r.next} for r in self.reasons],
            "checks": [{"id": c.id, "result": str(c.result), "detail": c.detail} for c in self.checks],
            "validity": self.validity.to_json(),
            "document": None if self.document is None else dict(self.document),
            "identity": None if self.identity is None else dict(self.identity),
            "trust": dict(self.trust),
        }


__all__ = ["EXIT_CODES", "Check", "Outcome", "Period", "Reason", "Result", "Validity", "Verdict"]

EXIT_CODES: Mapping[Outcome, int] = {
    Outcome.ACCEPT: 0,
    Outcome.ACCEPT_WITH_WARNING: 0,
    Outcome.REJECT: 1,
    Outcome.REFRESH: 1,
    Outcome.REVIEW: 2,
    Outcome.UNDETERMINED: 2,
}
"""Exit code of the command line per outcome: 0 good, 1 refused, 2 cannot be decided by the machine alone."""
