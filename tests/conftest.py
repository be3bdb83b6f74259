"""What every test gets: a log that nobody has set up, and property tests that do not mind a slow machine."""

from collections.abc import Iterator

import hypothesis
import pytest
import structlog

# Time says nothing about these tests: the first value drawn on a fresh machine takes seconds.
hypothesis.settings.register_profile(
    "portadoc", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
)
hypothesis.settings.load_profile("portadoc")


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    """A command run in-process sets the log up for its own streams; they are closed when it ends, so nobody may write there."""
    yield
    structlog.reset_defaults()
