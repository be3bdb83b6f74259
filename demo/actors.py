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
from wallet_sim.holdings import Store
from wallet_sim.present import Presented, Presenter
from wallet_sim.receive import Receiver
from wallet_sim.transcript import Transcript, Wire
from wallet_sim.trust import ListJudge


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
    """Camille's wallet, in the file `store`. It judges issuers by the trust lists, and verifiers by `access_ca`."""

    def __init__(self, store: Path, outbound: Outbound, *, access_ca: Path, trust_root: Path) -> None:
        self._store, self._outbound = Store(store), outbound
        self._anchors = tuple(x509.load_pem_x509_certificates(access_ca.read_bytes()))
        lists = TrustClient(trust_root, store.with_name(".wallet-trust"), outbound, now, refresh_seconds=1.0)
        self._judge = ListJudge(lists, now)

    def receive(self, link: str, *, tx_code: str | None) -> list[str]:
        """Take what is offered; gives the formats received."""
        receiver = Receiver(self._store, Wire(self._outbound, Transcript(now)), judge=self._judge, clock=now)
        return [holding.format for holding in receiver.receive(link, tx_code=tx_code).holdings]

    def present(self, link: str, *, misbehave: str | None = None) -> Presented:
        """Answer a request, agreeing to all of it."""
        wire = Wire(self._outbound, Transcript(now))
        presenter = Presenter(self._store, wire, anchors=self._anchors, clock=now, ask=lambda _: True)
        return presenter.present(link, misbehave=None if misbehave is None else mischief.presenting(misbehave))


def _read(answer: Fetched) -> dict[str, Any]:
    body = json.loads_object(answer.body)
    if not 200 <= answer.status < 300:
        raise DemoError(f"HTTP {answer.status}: {body.get('code') or body.get('title')}: {body.get('detail')}")
    return body
