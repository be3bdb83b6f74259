"""One operator and a few institutions, made once: keys cost time, and no test changes them."""

import pytest

from tests.support.pki import Authority, root
from tests.support.trust import EHIC, PDA1, Institution, ListOperator, institution


@pytest.fixture(scope="session")
def operator() -> ListOperator:
    return ListOperator()


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The CA of all seal certificates: trusted for none of them by itself."""
    return root("Test seal CA")


@pytest.fixture(scope="session")
def urssaf(authority: Authority) -> Institution:
    return institution(authority, "Urssaf-like (test)", "FR", "NTRFR-000000010", PDA1)


@pytest.fixture(scope="session")
def cnam(authority: Authority) -> Institution:
    return institution(authority, "CNAM-like (test)", "FR", "NTRFR-000000020", EHIC)


@pytest.fixture(scope="session")
def swedish(authority: Authority) -> Institution:
    return institution(authority, "Exempelkassan (test)", "SE", "NTRSE-000000030", PDA1, EHIC)
