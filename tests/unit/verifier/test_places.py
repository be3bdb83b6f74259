"""The day of a control is the host country's day (P-8)."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from vc.documents.country import STATES
from verifier.places import ZONES, today

LATE = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("GR", date(2026, 11, 25)),
        ("EL", date(2026, 11, 25)),
        ("DE", date(2026, 11, 24)),
        ("UK", date(2026, 11, 24)),
        (None, date(2026, 11, 24)),
        ("US", date(2026, 11, 24)),
    ],
)
def test_today(country: str | None, day: date) -> None:
    assert today(LATE, country) == day


def test_every_state_has_a_zone_that_exists() -> None:
    assert set(ZONES) == STATES
    assert all(ZoneInfo(zone).utcoffset(LATE) is not None for zone in ZONES.values())
