"""Civil dates of the documents: ISO text inside, one value for "no end", sentences for people."""

import re
from calendar import month_name, monthrange
from dataclasses import dataclass
from datetime import date

from vc.errors import Malformed

OPEN = "open"
"""What the inner model says for a period without an end, so that nobody ever shows the stand-in date."""

OPEN_END = "2499-01-01"
"""The stand-in date that profiles carry for a period without an end (DOMAIN 1.5)."""

_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def full_date(text: str) -> date:
    """An RFC 3339 full-date that exists in the calendar, 1900 to 2499; raises `Malformed("date")` otherwise."""
    if not _FULL_DATE.fullmatch(text) or not "1900" <= text[:4] <= "2499":
        raise Malformed("date", "not a date of the form YYYY-MM-DD from 1900 on")
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise Malformed("date", "no such day in the calendar") from exc


def plus_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month when it is shorter."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def spoken(day: date) -> str:
    """`day` for a sentence: "28 February 2027"."""
    return f"{day.day} {month_name[day.month]} {day.year}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period of whole days, both ends inside. None: the document does not say; `open_end`: it says there is no end."""

    start: date | None
    end: date | None
    open_end: bool = False
