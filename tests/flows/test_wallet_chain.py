"""The whole chain in one process: a real issuer, the wallet, a real verifier, trust lists, over a pretend internet."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from tests.support import issuer as issuing
from tests.support.internet import Internet
from tests.support.verifier import BASE_URL as VERIFIER_URL
from tests.support.verifier import LIST_HOST, Institution, World, check_results
from tests.support.wallet import TestWallet
from vc.errors import Refused
from wallet_sim import mischief
from wallet_sim.holdings import Holding

FORMATS = ("dc+sd-jwt", "mso_mdoc")
ISSUER_HOST, VERIFIER_HOST = urlsplit(issuing.BASE_URL).netloc, urlsplit(VERIFIER_URL).netloc


class Chain:
    """Issuer and verifier applications, one clock, one wallet."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.world, self.internet = World(folder / "world"), Internet()
        (folder / "issuer").mkdir()
        self.deployment = issuing.build(folder / "issuer")
        stack.callback(self.deployment.close)
        for name, facts in issuing.INSTITUTIONS.items():
            signers = self.deployment.signers[name]
            one = Institution(
                id=name,
                name=facts["name"],
                country="FR",
                registration_id=facts["registration_id"],
                seal=signers["seal"],
                document_signer=signers["document_signer"],
                status_signer=signers["status"],
            )
            self.world.list_institution(one, facts["types"])
        self.world.publish_lists()
        transport = self.world.transport()
        self.internet.function(LIST_HOST, transport.handle_request)
        self.issuer: TestClient = stack.enter_context(issuing.client_of(self.deployment.worker()))
        self.internet.client(ISSUER_HOST, self.issuer)
        self.world.reply[ISSUER_HOST] = self.internet.handle_request  # the verifier fetches status lists from the issuer
        self.verifier: TestClient = stack.enter_context(self.world.service())
        self.internet.client(VERIFIER_HOST, self.verifier)
        self.wallet = TestWallet(folder / "wallet", self.world, self.internet)

    def receive(self, institution: str, **wishes: Any) -> tuple[Holding, ...]:
        created = issuing.offer(self.issuer, institution, **{"formats": list(FORMATS), **wishes})
        return self.wallet.receiver(self.wallet.judge()).receive(created["credential_offer_uri"], tx_code=created["tx_code"])

    def ask(self, **question: Any) -> dict[str, Any]:
        answer = self.verifier.post("/api/v1/requests", json=question)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def verdict(self, made: dict[str, Any]) -> dict[str, Any]:
        found = self.verifier.get(f"/api/v1/requests/{made['transaction_id']}").json()
        assert found["state"] == "answered", found
        value: dict[str, Any] = found["verdict"]
        return value


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    (tmp_path / "world").mkdir()
    with ExitStack() as stack:
        yield Chain(tmp_path, stack)


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


ISSUANCE = {
    "stale-c-nonce": {"invalid_nonce"},
    "proof-without-nonce": {"invalid_nonce", "invalid_proof"},
    "foreign-proof-key": {"invalid_proof"},
    "wrong-proof-audience": {"invalid_proof"},
    "symmetric-proof": {"invalid_proof"},
    "dpop-replay": {"invalid_dpop_proof"},
    "tx-code-guessing": {"invalid_grant"},
}


@pytest.mark.parametrize(("name", "codes"), ISSUANCE.items())
def test_the_real_issuer_refuses_each_misbehaviour(chain: Chain, name: str, codes: set[str]) -> None:
    assert ISSUANCE.keys() == mischief.RECEIVING.keys()
    created = issuing.offer(chain.issuer, "fr-urssaf", formats=["dc+sd-jwt"])
    with pytest.raises(Refused) as caught:
        chain.wallet.receiver().receive(
            created["credential_offer_uri"], tx_code=created["tx_code"], misbehave=mischief.receiving(name)
        )
    assert caught.value.code in codes
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
    made = chain.ask(purpose="a1-inspection", host_country="DE", on="2026-10-15", format="dc+sd-jwt")
    assert chain.wallet.presenter().present(made["request_uri"]).taken
    assert chain.verdict(made)["outcome"] == "reject"
