"""The whole chain: what a real issuer offers is received, believed, presented and accepted, or refused for its reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import issuer as issuing
from tests.support.chain import FORMATS, Chain, running_chain
from tests.support.verifier import check_results
from vc.errors import Refused
from wallet_sim import mischief
from wallet_sim.mischief.rows import Need


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with running_chain(tmp_path_factory.mktemp("chain")) as made:
        yield made


@pytest.fixture
def chain(tmp_path: Path, running: Chain) -> Chain:
    """The chain with a wallet of this test's own."""
    running.wallet = running.new_wallet(tmp_path / "wallet")
    return running


@pytest.mark.parametrize("by_value", [True, False])
def test_everything_offered_is_received_and_believed(chain: Chain, by_value: bool) -> None:
    held = [*chain.receive("test-pid", by_value=by_value), *chain.receive("fr-urssaf", by_value=by_value)]
    assert [one.format for one in held] == [*FORMATS, *FORMATS]
    assert all(copy.credential for one in held for copy in one.copies)
    checked = [note["issuer"] for note in chain.wallet.notes() if note["what"] == "checked"]
    assert checked == ["PID provider (test) (FR)"] * 2 + ["Urssaf (test) (FR)"] * 2


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("institution", "question"),
    [
        ("fr-urssaf", {"purpose": "a1-inspection", "host_country": "DE", "on": "2026-10-15"}),
        ("fr-cnam", {"purpose": "ehic-care", "host_country": "DE", "on": "2026-10-15"}),
    ],
)
def test_what_was_received_is_accepted(chain: Chain, institution: str, question: dict[str, Any], format: str) -> None:
    chain.receive("test-pid")
    chain.receive(institution)
    made = chain.ask(format=format, **question)
    assert chain.wallet.presenter().present(made["request_uri"]).taken
    verdict = chain.verdict(made)
    assert verdict["outcome"] == "accept", (verdict["reasons"], verdict["checks"])
    assert check_results(verdict)["status"] == "passed"
    assert check_results(verdict)["same_holder"] == "passed"


ANONYMOUS = [row.name for row in mischief.RECEIVING.values() if row.needs <= {Need.JWT, Need.DPOP}]


@pytest.mark.parametrize("name", [name for name in ANONYMOUS if name != "deferred-hammering"])
def test_the_real_issuer_refuses_each_misbehaviour_of_an_anonymous_wallet(chain: Chain, name: str) -> None:
    created = issuing.offer(chain.issuer, "fr-urssaf", formats=["dc+sd-jwt"])
    row = mischief.receiving(name)
    with pytest.raises(Refused) as caught:
        chain.wallet.receiver().receive(created["credential_offer_uri"], tx_code=created["tx_code"], misbehave=row)
    assert caught.value.code in row.refusals
    assert chain.wallet.store.holdings() == ()


def test_an_offer_is_good_once(chain: Chain) -> None:  # VCI-OFF-6
    created = issuing.offer(chain.issuer, "fr-urssaf", formats=["dc+sd-jwt"], by_value=True)
    receiver = chain.wallet.receiver()
    receiver.receive(created["credential_offer_uri"], tx_code=created["tx_code"])
    with pytest.raises(Refused, match="invalid_grant"):
        receiver.receive(created["credential_offer_uri"], tx_code=created["tx_code"])


def test_a_withdrawn_document_is_refused_at_the_desk(chain: Chain) -> None:
    chain.receive("test-pid")
    document_id = issuing.submit(chain.issuer, "fr-urssaf")
    created = issuing.offer(chain.issuer, "fr-urssaf", document_id=document_id, formats=["dc+sd-jwt"])
    chain.wallet.receiver().receive(created["credential_offer_uri"], tx_code=created["tx_code"])
    revoked = chain.issuer.post(
        f"/api/v1/documents/{document_id}/revocation", json={"reason": "unspecified"}, headers=issuing.bearer("fr-urssaf")
    )
    assert revoked.status_code < 300, revoked.text
    chain.let_pass(minutes=5)  # the verifier may know the list of a moment ago
    made = chain.ask(purpose="a1-inspection", host_country="DE", on="2026-10-15", format="dc+sd-jwt")
    assert chain.wallet.presenter().present(made["request_uri"]).taken
    assert chain.verdict(made)["outcome"] == "reject"
