"""What a command knows of the world."""

from datetime import UTC

from wallet_sim import world


def test_the_present_is_in_whole_utc_seconds() -> None:
    moment = world.now()
    assert moment.tzinfo is UTC
    assert moment.microsecond == 0
