"""One answer to one question: passed, failed, or not checked; never a bare boolean."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisResult:
    """`code`: stable word. `detail`: one sentence that names list, edition and entity."""

    result: Result
    code: str
    detail: str


def passed(code: str, detail: str) -> AxisResult:
    return AxisResult(result=Result.PASSED, code=code, detail=detail)


def failed(code: str, detail: str) -> AxisResult:
    return AxisResult(result=Result.FAILED, code=code, detail=detail)


def not_checked(code: str, detail: str) -> AxisResult:
    return AxisResult(result=Result.NOT_CHECKED, code=code, detail=detail)
