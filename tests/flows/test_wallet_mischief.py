"""Every misbehaviour of receiving, tried on the real issuer: it is refused as its row says (SECURITY 9, A-*, I-*)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.high_chain import HAIP, PILOT, STRICT, HighChain, running_high_chain
from vc.errors import Refused
from vc.openid4vci.offer import PRE_AUTHORIZED
from wallet_sim import mischief
from wallet_sim.issuance import Wishes
from wallet_sim.mischief.issuance import POLLS
from wallet_sim.mischief.rows import Need

RENEWING = [row.name for row in mischief.RECEIVING.values() if Need.RENEWAL in row.needs]
OFFERED, DEFERRED = ["tx-code-guessing"], ["deferred-hammering"]
OTHERS = [name for name in mischief.RECEIVING if name not in {*RENEWING, *OFFERED, *DEFERRED}]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HighChain]:
    with running_high_chain(tmp_path_factory.mktemp("chain")) as made:
        yield made


@pytest.fixture
def chain(tmp_path: Path, running: HighChain) -> HighChain:
    """The chain with a wallet of this test's own, which has a PID."""
    running.new_wallet(tmp_path / "wallet")
    running.get_pid()
    running.internet.seen.clear()
    return running


def issuer(chain: HighChain, institution: str) -> tuple[str, list[str]]:
    """A credential issuer and one of its configurations."""
    return chain.deployment.credential_issuer(institution), chain.configurations(institution)[:1]


def held(chain: HighChain) -> list[int]:
    """The numbers of what the wallet holds beside the PID."""
    return [one.number for one in chain.wallet.store.holdings() if "pid" not in one.configuration_id]


@pytest.mark.parametrize("name", OTHERS)
def test_the_issuer_that_wants_everything_refuses(chain: HighChain, name: str) -> None:
    chain.submit(STRICT)
    row = mischief.receiving(name)
    with pytest.raises(Refused) as caught:
        chain.receiver().request(*issuer(chain, STRICT), misbehave=row)
    assert caught.value.code in row.refusals, caught.value
    assert held(chain) == []


@pytest.mark.parametrize("name", [name for name in OTHERS if name != "plain-request"])
def test_haip_refuses(chain: HighChain, name: str) -> None:
    chain.submit(HAIP)
    row = mischief.receiving(name)
    with pytest.raises(Refused) as caught:
        chain.receiver().request(*issuer(chain, HAIP), misbehave=row)
    assert caught.value.code in row.refusals, caught.value
    assert held(chain) == []


@pytest.mark.parametrize("name", [*OFFERED, "code-twice"])
@pytest.mark.parametrize("institution", [PILOT, STRICT])
def test_pre_authorized_codes_are_guarded_too(chain: HighChain, institution: str, name: str) -> None:
    created, row = chain.offer(institution, by_value=True), mischief.receiving(name)
    wishes = Wishes(grant=PRE_AUTHORIZED)
    with pytest.raises(Refused) as caught:
        chain.receiver().receive(created["credential_offer_uri"], tx_code=created["tx_code"], wishes=wishes, misbehave=row)
    assert caught.value.code in row.refusals
    with pytest.raises(Refused, match="invalid_grant"):  # it is dead for the honest as well
        chain.receiver().receive(created["credential_offer_uri"], tx_code=created["tx_code"], wishes=wishes)
    assert held(chain) == []


@pytest.mark.parametrize("institution", [HAIP, STRICT])
def test_impatience_brings_nothing(chain: HighChain, institution: str) -> None:
    document_id = chain.submit(institution, hold=True)
    row = mischief.receiving("deferred-hammering")
    with pytest.raises(Refused) as caught:
        chain.receiver().request(*issuer(chain, institution), misbehave=row)
    assert caught.value.code in row.refusals
    statuses = {seen.status for seen in chain.internet.requests("/deferred")}
    assert statuses <= {202, 429}
    assert len(chain.internet.requests("/deferred")) == POLLS
    (pending,) = chain.wallet.store.contents().pending
    chain.decide(institution, document_id, "release")
    chain.let_pass(seconds=pending.interval)
    assert chain.receiver().collect(pending.number).number == pending.number
    assert held(chain) == [pending.number]


def test_who_does_not_defer_cannot_be_hammered(chain: HighChain) -> None:
    chain.submit(HAIP)
    with pytest.raises(Refused, match="mischief_not_applicable"):
        chain.receiver().request(*issuer(chain, HAIP), misbehave=mischief.receiving("deferred-hammering"))


@pytest.mark.parametrize("institution", [HAIP, STRICT])
@pytest.mark.parametrize("name", RENEWING)
def test_only_the_wallet_it_was_issued_to_renews(chain: HighChain, institution: str, name: str) -> None:
    chain.submit(institution)
    (before,) = chain.receiver().request(*issuer(chain, institution)).holdings
    row = mischief.receiving(name)
    with pytest.raises(Refused) as caught:
        chain.receiver().renew(before.number, misbehave=row)
    assert caught.value.code in row.refusals
    after = chain.wallet.store.holding(before.number)
    assert [copy.credential for copy in after.copies] == [copy.credential for copy in before.copies]


def test_what_is_done_when_receiving_has_no_place_when_renewing(chain: HighChain) -> None:
    chain.submit(HAIP)
    (before,) = chain.receiver().request(*issuer(chain, HAIP)).holdings
    with pytest.raises(Refused, match="mischief_not_applicable"):
        chain.receiver().renew(before.number, misbehave=mischief.receiving("stale-c-nonce"))
