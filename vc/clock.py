"""Time as the core knows it: aware UTC, whole seconds, one tolerance for every check."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from vc.errors import Malformed, VerificationFailed

Clock = Callable[[], datetime]
"""Returns the present moment as aware UTC. Handed in; the core never reads a clock."""

TOLERANCE = timedelta(seconds=60)
"""The one clock tolerance (SECURITY 4.2), used by every check that compares a foreign time with ours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_LATEST = 253402300799  # 9999-12-31T23:59:59Z, the last second `datetime` can hold


def whole_seconds(moment: datetime) -> datetime:
    """`moment` in UTC without fractions. Raises ValueError for a naive datetime (a programming error, not input)."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place here")
    return moment.astimezone(UTC).replace(microsecond=0)


def from_numeric_date(value: object, *, pointer: str = "") -> datetime:
    """A JWT NumericDate (RFC 7519 §2) as aware UTC, fractions cut off.

    Accepts int and finite float from 0 to the year 9999; raises `Malformed("numeric_date")` for anything else, bool included.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise Malformed("numeric_date", "not a number of seconds since 1970 within range", pointer=pointer)
    return _moment(int(value))


@lru_cache(maxsize=4096)  # credentials of one day share their rounded dates
def _moment(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def to_numeric_date(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware datetime."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place here")
    return (moment - _EPOCH) // _SECOND


def check_within(
    now: datetime, *, start: datetime | None, end: datetime | None, end_inside: bool, tolerance: timedelta = TOLERANCE
) -> None:
    """The one rule of technical validity: `now` lies between `start` and `end`, give or take the tolerance; None is no limit.

    `end_inside` False: `end` is the first moment that is too late (JWT `exp`, RFC 7519 §4.1.4 "on or after"). True: it is the
    last good one (`validUntil`, ISO/IEC 18013-5 §9.1.2.4). Raises `VerificationFailed("not_yet_valid")` or `("expired")`.
    """
    if start is not None and now + tolerance < start:
        raise VerificationFailed("not_yet_valid", "the digital copy is not valid yet")
    if end is not None and (now - tolerance > end if end_inside else now - tolerance >= end):
        raise VerificationFailed("expired", "the digital copy has expired")
