"""Time: aware UTC, whole seconds, NumericDate within range (SECURITY J-8)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from vc.clock import from_numeric_date, to_numeric_date, whole_seconds
from vc.errors import Malformed, VcError


def test_whole_seconds_in_utc() -> None:
    moment = datetime(2026, 11, 24, 13, 0, 0, 999999, tzinfo=timezone(timedelta(hours=1)))
    assert whole_seconds(moment) == datetime(2026, 11, 24, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="naive"):
        whole_seconds(datetime(2026, 11, 24))  # noqa: DTZ001


def test_a_naive_datetime_is_no_moment() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_numeric_date(datetime(2026, 11, 24))  # noqa: DTZ001


def test_numeric_date_round_trip() -> None:
    assert from_numeric_date(1795521600.7) == datetime.fromtimestamp(1795521600, UTC)
    assert to_numeric_date(datetime.fromtimestamp(1795521600, UTC)) == 1795521600
    assert from_numeric_date(0).year == 1970
    assert from_numeric_date(253402300799).year == 9999


@pytest.mark.parametrize("value", ["1", True, None, -1, 253402300800, float("nan"), float("inf"), 1e300, [1], {}])
def test_numeric_date_refuses(value: object) -> None:
    with pytest.raises(Malformed) as caught:
        from_numeric_date(value, pointer="/exp")
    assert (caught.value.code, caught.value.pointer) == ("numeric_date", "/exp")


def test_errors_have_a_code_a_detail_and_a_text() -> None:
    assert str(VcError("code", "why")) == "code: why"
    assert str(VcError("code")) == "code"
