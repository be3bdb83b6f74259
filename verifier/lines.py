"""Many artefacts in one run: a JSON object per line in, a verdict per line out, in order; a bad line costs itself only (R-17)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, BinaryIO

from vc.encoding import json
from vc.errors import Malformed, VcError
from vc.formats import Challenge, TranscriptChallenge
from verifier import checks
from verifier.bare import Case
from verifier.places import today
from verifier.question import QuestionInvalid, country, day, purpose
from verifier.report import describe
from verifier.verdict import Verdict

MAX_LINE = 4 << 20
_MEMBERS = ("purpose", "host_country", "on", "at", "nonce", "audience", "response_uri", "transcript")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question about an artefact as texts, from options or from a line. None: not said."""

    purpose: str | None = None
    host_country: str | None = None
    on: str | None = None
    at: str | None = None
    nonce: str | None = None
    audience: str | None = None
    response_uri: str | None = None
    transcript: str | None = None

    def overridden_by(self, line: Mapping[str, Any]) -> "Asked":
        """The same with what a line says for itself. Raises `QuestionInvalid("invalid_member")`."""
        values: dict[str, Any] = {name: line.get(name, getattr(self, name)) for name in _MEMBERS}
        for name, value in values.items():
            if value is not None and not isinstance(value, str):
                raise QuestionInvalid("invalid_member", f"{name}: a text is expected")
        return Asked(**values)

    def case(self, artefact: bytes, now: datetime) -> Case:
        """The question as values. Raises `QuestionInvalid` naming the bad one."""
        moment = now if self.at is None else instant(self.at)
        place = None if self.host_country is None else country(self.host_country)
        on: date = today(moment, place) if self.on is None else day(self.on)
        return Case(
            artefact=artefact,
            on=on,
            now=moment,
            purpose=None if self.purpose is None else purpose(self.purpose),
            country=place,
            challenge=self._challenge(),
        )

    def _challenge(self) -> Challenge | TranscriptChallenge | None:
        if self.transcript is not None:
            if self.nonce is not None or self.audience is not None:
                raise QuestionInvalid("invalid_challenge", "transcript: stands without nonce and audience")
            try:
                return TranscriptChallenge(bytes.fromhex(self.transcript))
            except ValueError as error:
                raise QuestionInvalid("invalid_challenge", "transcript: hexadecimal digits are expected") from error
        if self.nonce is None and self.audience is None:
            return None
        if not self.nonce or not self.audience:  # half an expectation is none
            raise QuestionInvalid("invalid_challenge", "nonce and audience: given together, neither empty")
        return Challenge(nonce=self.nonce, audience=self.audience, response_uri=self.response_uri or "")


def instant(text: str) -> datetime:
    """An RFC 3339 time with zone, or seconds since 1970, in whole seconds. Raises `QuestionInvalid("invalid_time")`."""
    try:
        moment = datetime.fromtimestamp(int(text), UTC) if text.isdigit() else datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise QuestionInvalid("invalid_time", "at: the time zone is missing, for example 2026-11-24T12:00:00Z")
        return moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError, OSError) as error:
        if isinstance(error, QuestionInvalid):
            raise
        raise QuestionInvalid("invalid_time", "at: a time as 2026-11-24T12:00:00Z") from error


def verdicts(stream: BinaryIO, *, asked: Asked, check: Callable[[Case], Verdict], clock: Callable[[], datetime]) -> Iterator[bytes]:
    """The output lines for the input lines of `stream`; empty lines are passed over."""
    for line in _lines(stream):
        name: Any = None
        try:
            entry = json.loads_object(line, max_bytes=MAX_LINE)
            name = entry.get("name")
            artefact = entry.get("artefact")
            if not isinstance(artefact, str):
                raise Malformed("artefact", "artefact: a text is expected")
            verdict = check(asked.overridden_by(entry).case(artefact.encode("utf-8"), clock()))
        except QuestionInvalid as error:
            verdict = checks.refused("query", "question_invalid", f"{error.text} [{error.code}]")
        except VcError as error:
            verdict = checks.refused("structure", "presentation_malformed", describe(error))
        yield json.dumps({"name": name if isinstance(name, str | int) else None, **verdict.to_json()})


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines within the limit; an over-long one is read to its end piecewise and handed on cut, so that it is refused."""
    while line := stream.readline(MAX_LINE + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
        if line.strip():
            yield line
