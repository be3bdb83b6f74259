"""Reading a question from outside (API, page, command line) into one of the kinds the purposes allow."""

from datetime import date

from vc.documents.calendar import full_date
from vc.documents.country import STATES, to_iso
from vc.errors import Malformed
from vc.openid4vp.request import ResponseMode
from verifier.asking import Asking, Question, RequestUriMethod
from verifier.purposes import FORMATS, PURPOSES, Format, Purpose
from verifier.settings import ClientIdPrefix


class QuestionInvalid(ValueError):
    """A member of the question is wrong; `code` is stable, `text` names it and says what is expected."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code, self.text = code, text


def purpose(text: str) -> Purpose:
    """The purpose of that id. Raises `QuestionInvalid("unknown_purpose")`."""
    if text not in PURPOSES:
        raise QuestionInvalid("unknown_purpose", f"purpose: one of {', '.join(PURPOSES)}")
    return PURPOSES[text]


def country(text: str) -> str:
    """The ISO code of a State in which the coordination rules apply; EL and UK are understood. Raises `QuestionInvalid`."""
    code = to_iso(text.upper())
    if code not in STATES:
        raise QuestionInvalid("unknown_country", "host_country: an ISO code of an EU or EEA State, CH or GB")
    return code


def day(text: str) -> date:
    """A civil date. Raises `QuestionInvalid("invalid_date")`."""
    try:
        return full_date(text)
    except Malformed as error:
        raise QuestionInvalid("invalid_date", "on: a date as YYYY-MM-DD") from error


def read(
    asking: Asking,
    *,
    purpose: str,
    host_country: str | None = None,
    on: str | None = None,
    format: str = "any",
    response_mode: ResponseMode = "direct_post.jwt",
    request_uri_method: RequestUriMethod = "get",
    client_id_prefix: ClientIdPrefix | None = None,
) -> Question:
    """The question; without `on` it is about today in the host country (UTC when none is named). Raises `QuestionInvalid`."""
    place = country(host_country) if host_country else None
    return Question(
        purpose=_purpose(purpose),
        country=place,
        on=day(on) if on else asking.today(place),
        formats=_formats(format),
        response_mode=response_mode,
        request_uri_method=request_uri_method,
        client_id_prefix=client_id_prefix,
    )


_purpose = purpose


def _formats(text: str) -> tuple[Format, ...]:
    if text in ("any", ""):
        return FORMATS
    chosen = tuple(form for form in FORMATS if form == text)
    if not chosen:
        raise QuestionInvalid("unknown_format", f"format: any or one of {', '.join(FORMATS)}")
    return chosen
