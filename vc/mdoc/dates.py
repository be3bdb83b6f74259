"""`tdate` and `full-date` as ISO/IEC 18013-5 §7.1 writes them: tag 0 in whole UTC seconds with `Z`, tag 1004 for days."""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from cbor2 import CBORTag

from vc.clock import whole_seconds
from vc.errors import Malformed

TDATE, FULL_DATE = 0, 1004
_TDATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def tdate(moment: datetime) -> CBORTag:
    """An aware datetime as tag 0, fractions cut off."""
    return CBORTag(TDATE, tdate_text(moment))


@lru_cache(maxsize=256)
def tdate_text(moment: datetime) -> str:
    """An aware datetime as `YYYY-MM-DDThh:mm:ssZ`."""
    return f"{whole_seconds(moment).replace(tzinfo=None).isoformat()}Z"


def parse_tdate(value: Any, *, pointer: str = "") -> datetime:
    """The moment of a decoded `tdate`. Raises `Malformed("tdate")` for fractions, another zone or none, no such day (M-5)."""
    if type(value) is CBORTag and value.tag == TDATE and type(value.value) is str and _TDATE.fullmatch(value.value):
        try:
            return datetime.fromisoformat(value.value)
        except ValueError:
            pass
    raise Malformed("tdate", "not a date and time in whole UTC seconds", pointer=pointer)


def parse_full_date(value: Any, *, pointer: str = "") -> date:
    """The day of a decoded `full-date`. Raises `Malformed("full_date")`."""
    if type(value) is CBORTag and value.tag == FULL_DATE and type(value.value) is str and _FULL_DATE.fullmatch(value.value):
        try:
            return date.fromisoformat(value.value)
        except ValueError:
            pass
    raise Malformed("full_date", "not a day", pointer=pointer)
