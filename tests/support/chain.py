"""The whole chain in one process: a real issuer, the wallet, a real verifier and trust lists, over a pretend internet."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.testclient import TestClient

from tests.support import issuer as issuing
from tests.support.internet import Internet
from tests.support.verifier import BASE_URL as VERIFIER_URL
from tests.support.verifier import LIST_HOST, Institution, World
from tests.support.wallet import TestWallet
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
                status_uri=f"{issuing.BASE_URL}/{name}/status/1",  # not used: the real issuer says where its lists are
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
        self.wallet = self.new_wallet(folder / "wallet")

    def new_wallet(self, folder: Path) -> TestWallet:
        self.internet.seen.clear()
        self.internet.down.clear()
        return TestWallet(folder, self.world, self.internet)

    def let_pass(self, **span: float) -> None:
        """Time passes for everybody."""
        self.deployment.clock.advance(**span)
        self.world.now = self.deployment.clock()

    def receive(self, institution: str, **wishes: Any) -> tuple[Holding, ...]:
        created = issuing.offer(self.issuer, institution, **{"formats": list(FORMATS), **wishes})
        receiver = self.wallet.receiver(self.wallet.judge())
        return receiver.receive(created["credential_offer_uri"], tx_code=created["tx_code"]).holdings

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


@contextmanager
def running_chain(folder: Path) -> Iterator[Chain]:
    """A chain that runs until the block ends."""
    (folder / "world").mkdir()
    with ExitStack() as stack:
        yield Chain(folder, stack)
