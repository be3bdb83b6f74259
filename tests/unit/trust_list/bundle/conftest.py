import pytest

from tests.support.bundles import Bundler
from tests.support.trust import Institution, ListOperator


@pytest.fixture(scope="session")
def bundler(operator: ListOperator, urssaf: Institution) -> Bundler:
    return Bundler(operator, urssaf)
