"""The three people of the story at their keyboards: the clerk, the holder, the inspector. All of it over HTTP, as in life."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from demo.state import DemoError
from edge.outbound import Fetched, Outbound
from trust_list.client import TrustClient
from vc.encoding import json
from wallet_sim import mischief
from wallet_sim.browser import OwnBrowser, presenting
from wallet_sim.contents import Holding
from wallet_sim.holdings import Store
from wallet_sim.identity import Identity
from wallet_sim.issuance import Wishes
from wallet_sim.issuer_trust import IssuerTrust
from wallet_sim.present import Presented, Presenter
from wallet_sim.provider import read as read_provider
from wallet_sim.receive import Receiver
from wallet_sim.transcript import Transcript, Wire
from wallet_sim.trust import ListJudge
from wallet_sim.verifier_trust import VerifierTrust


def now() -> datetime:
    """The present second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Clerk:
    """Works at the institutions of `description` (the content of `demo.json`), with the API token of each."""

    description: Mapping[str, Any]
    outbound: Outbound

    def create(self, institution: str, submission: Mapping[str, Any]) -> str:
        """Put a document on record; gives its id."""
        return str(self._post(institution, "/documents", submission)["document_id"])

    def offer(self, institution: str, document_id: str, formats: Sequence[str]) -> Mapping[str, Any]:
        """Offer it: `credential_offer_uri` and `tx_code`."""
        return self._post(institution, f"/documents/{document_id}/offers", {"formats": list(formats)})

    def revoke(self, institution: str, document_id: str) -> str:
        """Withdraw it; gives the new state."""
        return str(self._post(institution, f"/documents/{document_id}/revocation", {"reason": "issued_in_error"})["state"])

    def credential_issuer(self, institution: str) -> str:
        """The institution's address as credential issuer."""
        return str(self._institution(institution)["credential_issuer"])

    def registration_id(self, institution: str) -> str:
        """How the trust list names the institution."""
        return str(self._institution(institution)["registration_id"])

    def _institution(self, name: str) -> Mapping[str, Any]:
        entry: Mapping[str, Any] = next(item for item in self.description["institutions"] if item["id"] == name)
        return entry

    def _post(self, institution: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        token = self._institution(institution)["api_token"]
        url = f"{self.description['issuer']}/api/v1{path}"
        return _read(self.outbound.post(url, json=body, headers={"authorization": f"Bearer {token}"}))


@dataclass(frozen=True, slots=True)
class Inspector:
    """Asks at the verifier of `description` and reads its verdicts."""

    description: Mapping[str, Any]
    outbound: Outbound

    def ask(self, purpose: str, **more: Any) -> tuple[str, str]:
        """A request: the link to show, and the transaction id."""
        answer = _read(self.outbound.post(f"{self.description['verifier']}/api/v1/requests", json={"purpose": purpose, **more}))
        return answer["request_uri"], answer["transaction_id"]

    def verdict(self, transaction_id: str) -> dict[str, Any]:
        """The verdict; raises `DemoError` when there is none."""
        answer = _read(self.outbound.get(f"{self.description['verifier']}/api/v1/requests/{transaction_id}"))
        verdict = answer["verdict"]
        if not isinstance(verdict, dict):
            raise DemoError(f"the verifier has no verdict; the request is {answer['state']}")
        return verdict


class Holder:
    """Camille with one wallet, in the file `store`. It judges issuers by the trust lists, and verifiers by `access_ca`.

    `description`: the content of `demo.json`. `attested`: the wallet's provider vouches for it, so that it can ask of its own
    accord; without, it takes only what is offered to anybody.
    """

    def __init__(self, store: Path, outbound: Outbound, description: Mapping[str, Any], *, attested: bool = False) -> None:
        self._store, self._outbound = Store(store), outbound
        self._anchors, self._registrars = (_certificates(description["ca_files"][use]) for use in ("access", "registrar"))
        lists = TrustClient(Path(description["trust_root"]), store.with_name(f".{store.name}.trust"), outbound, now, 1.0)
        self._judge = ListJudge(lists, now)
        self._issuers = IssuerTrust(clock=now, access=self._anchors, registrars=self._registrars)
        provider = read_provider(description["wallet_provider"], base=store.parent) if attested else None
        self._identity = Identity(provider=provider)

    def receive(self, link: str, *, tx_code: str | None) -> list[str]:
        """Take what is offered; gives the formats received."""
        return [holding.format for holding in self._receiver().receive(link, tx_code=tx_code).holdings]

    def request(
        self, credential_issuer: str, configurations: Sequence[str], *, copies: int, misbehave: str | None = None
    ) -> list[Holding]:
        """Ask an issuer for credentials nobody offered: sign in there with the PID. Gives what was received."""
        twist = None if misbehave is None else mischief.receiving(misbehave)
        receipt = self._receiver().request(credential_issuer, configurations, wishes=Wishes(copies=copies), misbehave=twist)
        return list(receipt.holdings)

    def renew(self, number: int, *, copies: int) -> Holding:
        """Have a credential issued again. Raises `DemoError` when it is not ready at once."""
        renewed = self._receiver().renew(number, wishes=Wishes(copies=copies))
        if not isinstance(renewed, Holding):
            raise DemoError("the issuer needs time to renew the credential")
        return renewed

    def present(self, link: str, *, misbehave: str | None = None) -> Presented:
        """Answer a request, agreeing to all of it."""
        return self._presenter().present(link, misbehave=None if misbehave is None else mischief.presenting(misbehave))

    def _wire(self) -> Wire:
        return Wire(self._outbound, Transcript(now))

    def _presenter(self) -> Presenter:
        trust = VerifierTrust(clock=now, registrars=self._registrars)
        return Presenter(self._store, self._wire(), anchors=self._anchors, clock=now, ask=lambda _: True, trust=trust)

    def _receiver(self) -> Receiver:
        wire = self._wire()
        browser = OwnBrowser(wire, presenting(self._presenter()))
        return Receiver(
            self._store, wire, judge=self._judge, clock=now, identity=self._identity, agent=browser, trust=self._issuers
        )


def _certificates(path: str) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(Path(path).read_bytes()))


def _read(answer: Fetched) -> dict[str, Any]:
    body = json.loads_object(answer.body)
    if not 200 <= answer.status < 300:
        raise DemoError(f"HTTP {answer.status}: {body.get('code') or body.get('title')}: {body.get('detail')}")
    return body
