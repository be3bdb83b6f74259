"""Collects the results of one credential's checks and the reasons they give; every check gets exactly one result."""

from collections.abc import Iterable, Sequence

from vc.documents.outcome import Outcome, combine
from vc.errors import VcError
from verifier.reasons import PID_PREFIX, for_error, of_pid, reason
from verifier.verdict import Check, Reason, Result

CREDENTIAL_CHECKS = (
    "structure",
    "issuer_signature",
    "certificate_path",
    "trust_listed",
    "trust_identity",
    "trust_scope",
    "trust_content",
    "technical_validity",
    "status",
    "holder_binding",
)
"""What is checked of every credential, in the order of the verdict."""
EXCHANGE_CHECKS = ("query", "same_holder")
"""What is checked of the answer as a whole."""


class Report:
    """Results so far. `pid` prefixes check ids and reason codes, for the proof of identity beside the document."""

    def __init__(self, *, pid: bool = False) -> None:
        self._pid = pid
        self._checks: dict[str, Check] = {}
        self.reasons: list[Reason] = []

    def passed(self, check_id: str, detail: str = "", *, because: str | None = None) -> None:
        """The check was made and holds; `because` is the code of a warning that comes with it."""
        self._put(check_id, Result.PASSED, detail, because)

    def failed(self, check_id: str, because: str, detail: str = "") -> None:
        """The check was made and does not hold."""
        self._put(check_id, Result.FAILED, detail, because)

    def failed_with(self, check_id: str, error: VcError) -> None:
        """The check failed with an error of the core; its code decides the reason."""
        self.failed(check_id, for_error(check_id, error.code), describe(error))

    def not_checked(self, check_id: str, detail: str, *, because: str | None = None) -> None:
        """The check could not be made; `because` is the reason that gives, None when an earlier failure already decides."""
        self._put(check_id, Result.NOT_CHECKED, detail, because)

    def put(self, check_id: str, result: Result, detail: str, because: str | None = None) -> None:
        """A result as it came from outside the pipeline."""
        self._put(check_id, result, detail, because)

    def add(self, check: Check, because: Reason | None) -> None:
        """A result made elsewhere (a document's own rule), with its reason."""
        self._checks[self._id(check.id)] = Check(id=self._id(check.id), result=check.result, detail=check.detail)
        if because is not None:
            self.reasons.append(of_pid(because) if self._pid else because)

    def fill(self, check_ids: Iterable[str], detail: str) -> None:
        """Mark those of `check_ids` that have no result yet as not checked."""
        for check_id in check_ids:
            if self._id(check_id) not in self._checks:
                self.not_checked(check_id, detail)

    def result(self, check_id: str) -> Result | None:
        """The result of a check so far, None when there is none."""
        check = self._checks.get(self._id(check_id))
        return None if check is None else check.result

    def holds(self, *check_ids: str) -> bool:
        """True when every one of these checks passed."""
        return all(self.result(check_id) is Result.PASSED for check_id in check_ids)

    def fails(self, *check_ids: str) -> bool:
        """True when at least one of these checks failed."""
        return any(self.result(check_id) is Result.FAILED for check_id in check_ids)

    def checks(self) -> list[Check]:
        """All results, the credential's in the order of the verdict, then the others as they came."""
        order = {self._id(check_id): number for number, check_id in enumerate((*CREDENTIAL_CHECKS, *EXCHANGE_CHECKS))}
        return sorted(self._checks.values(), key=lambda check: order.get(check.id, len(order)))

    def _put(self, check_id: str, result: Result, detail: str, because: str | None) -> None:
        self._checks[self._id(check_id)] = Check(id=self._id(check_id), result=result, detail=detail)
        if because is not None:
            self.reasons.append(reason(because, pid=self._pid))

    def _id(self, check_id: str) -> str:
        return PID_PREFIX + check_id if self._pid else check_id


def describe(error: VcError) -> str:
    """Detail and code of an error, and where, for people who repair things; errors of the core never quote the input."""
    where = f" at {error.pointer}" if error.pointer else ""
    return f"{error.detail or 'refused'}{where} [{error.code}]"


NEEDED = frozenset(CREDENTIAL_CHECKS) - {"trust_content"}  # a PID that shows no country has no content to compare
_WORST_FIRST = tuple(reversed(Outcome))


def conclude(
    reasons: Sequence[Reason], checks: Sequence[Check], *, needed: frozenset[str] = NEEDED
) -> tuple[Outcome, list[Reason]]:
    """The outcome of all reasons together (the worst wins) and the reasons, worst first, each code once.

    Nothing is accepted on the strength of what nobody looked at: a core check that did not pass and gave no reason makes
    the outcome undetermined.
    """
    unique: dict[str, Reason] = {}
    for one in reasons:
        unique.setdefault(one.code, one)
    ordered = sorted(unique.values(), key=lambda one: _WORST_FIRST.index(one.outcome))
    outcome = combine(one.outcome for one in ordered) if ordered else Outcome.ACCEPT
    core = [check for check in checks if check.id.removeprefix(PID_PREFIX) in needed]
    if outcome is Outcome.ACCEPT and (not core or any(check.result is not Result.PASSED for check in core)):
        outcome = Outcome.UNDETERMINED
    return outcome, ordered
