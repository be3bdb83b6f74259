"""What every test gets: a log that nobody has set up."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    """A command run in-process sets the log up for its own streams; they are closed when it ends, so nobody may write there."""
    yield
    structlog.reset_defaults()
