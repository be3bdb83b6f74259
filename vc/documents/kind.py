"""How each kind of value is read strictly (from an institution), read tolerantly (from a credential) and written."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from vc.documents import calendar, country, text
from vc.documents.calendar import OPEN, OPEN_END
from vc.documents.claim import Claim, Kind
from vc.errors import Malformed

_FAULTS = {
    "characters": "control, invisible or direction-changing characters are not allowed",
    "combining": "too many combining marks on one letter",
    "mixed_script": "one word mixes letters of different scripts that look alike",
}


def strict(claim: Claim, value: object) -> Any:
    """The inner form of a value an institution sent. Raises `Malformed`: `type`, `length`, `characters`, `combining`,
    `mixed_script`, `code_list`, `institution_id`, `date`."""
    return _STRICT[claim.kind](claim, value)


def tolerant(claim: Claim, value: object) -> tuple[Any, str | None]:
    """The inner form of a value somebody signed, and a note when it was not quite as it should be.

    Raises `Malformed("unreadable")` when it cannot be understood as this kind. Lengths and code lists are the issuer's
    matter and are not checked here.
    """
    try:
        return _TOLERANT.get(claim.kind, _tolerant_text)(claim, value)
    except Malformed as exc:
        raise Malformed("unreadable", "the value cannot be read as what it should be") from exc


def written(claim: Claim, value: Any, *, as_date: bool) -> Any:
    """The form of an inner value in a profile; dates as `datetime.date` or as text."""
    if claim.kind in _DATES:
        text = OPEN_END if value == OPEN else value
        return calendar.full_date(text) if as_date else text
    return int(value) if claim.kind is Kind.SEX else value


_DATES = frozenset({Kind.DATE, Kind.END_DATE})


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise Malformed("type", "must be text")
    return value


def _strict_text(claim: Claim, value: object) -> str:
    raw = _string(value)
    if len(raw) > 4 * claim.max + 64:  # before any work on it
        raise Malformed("length", f"longer than {claim.max} characters")
    clean = text.tidy(raw)
    found = text.fault(clean)
    if found:
        raise Malformed(found, _FAULTS[found])
    if not claim.min <= len(clean) <= claim.max:
        raise Malformed("length", f"must have {claim.min} to {claim.max} characters")
    return clean


def _strict_code(claim: Claim, value: object) -> str:
    code = _string(value)
    if claim.codes is not None and code not in claim.codes:
        raise Malformed("code_list", "not a value of the code list")
    return code


def _strict_country(claim: Claim, value: object) -> str:
    return _strict_code(claim, country.to_iso(_string(value)))


def _strict_institution(claim: Claim, value: object) -> str:
    identifier = country.institution_id(_strict_text(claim, value))
    if not country.is_institution_id(identifier):
        raise Malformed("institution_id", "must be a country prefix, a colon and 4 to 10 letters or digits")
    return identifier


def _strict_date(_: Claim, value: object) -> str:
    return calendar.full_date(_string(value)).isoformat()


def _strict_end(claim: Claim, value: object) -> str:
    return OPEN if value in (OPEN, OPEN_END) else _strict_date(claim, value)


def _strict_flag(_: Claim, value: object) -> bool:
    if not isinstance(value, bool):
        raise Malformed("type", "must be true or false")
    return value


def _strict_sex(claim: Claim, value: object) -> str:
    return _strict_code(claim, str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _tolerant_text(_: Claim, value: object) -> tuple[str, str | None]:
    clean = text.tidy(_string(value))
    if not clean:
        raise Malformed("length", "empty")
    shown = text.marked(clean)
    return shown, None if shown == clean else "characters"


def _tolerant_country(_: Claim, value: object) -> tuple[str, str | None]:
    code = country.to_iso(_string(value).strip())
    if not (len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()):
        raise Malformed("code_list", "not a country code")
    return code, None if code == value else "country_spelling"


def _tolerant_institution(claim: Claim, value: object) -> tuple[str, str | None]:
    shown, note = _tolerant_text(claim, value)
    identifier = country.institution_id("".join(shown.split()))
    return identifier, note or (None if country.is_institution_id(identifier) and identifier == value else "institution_id")


def _tolerant_date(_: Claim, value: object) -> tuple[str, str | None]:
    if isinstance(value, date):
        value = value.date().isoformat() if isinstance(value, datetime) else value.isoformat()
    return calendar.full_date(_string(value)).isoformat(), None


def _tolerant_end(claim: Claim, value: object) -> tuple[str, str | None]:
    day, note = _tolerant_date(claim, value)
    return (OPEN if day == OPEN_END else day), note


_STRICT: dict[Kind, Callable[[Claim, object], Any]] = {
    Kind.TEXT: _strict_text,
    Kind.CODE: _strict_code,
    Kind.COUNTRY: _strict_country,
    Kind.INSTITUTION: _strict_institution,
    Kind.DATE: _strict_date,
    Kind.END_DATE: _strict_end,
    Kind.FLAG: _strict_flag,
    Kind.SEX: _strict_sex,
}
_TOLERANT: dict[Kind, Callable[[Claim, object], tuple[Any, str | None]]] = {
    Kind.COUNTRY: _tolerant_country,
    Kind.INSTITUTION: _tolerant_institution,
    Kind.DATE: _tolerant_date,
    Kind.END_DATE: _tolerant_end,
    Kind.FLAG: lambda claim, value: (_strict_flag(claim, value), None),
    Kind.SEX: lambda claim, value: (_strict_sex(claim, value), None),
}
