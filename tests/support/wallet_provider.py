"""Wallet providers for tests: own CA, keys, an entry on the list of wallet providers, and a status list of attestations, all on a
pretend internet. A provider keeps every rule; tests bend single values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from edge.outbound import FetchLimits, Outbound
from issuer.wallet_trust import WalletTrust
from tests.support.internet import Internet
from tests.support.pki import NOW, Authority, root
from trust_list import authoring
from trust_list.authoring import EntityDraft, ServiceDraft
from trust_list.client import TrustClient
from trust_list.status_lists import StatusLists
from trust_list.status_memory import ShortMemory
from trust_list.store import Publisher
from vc.keys.signer import LocalSigner
from vc.status import token
from vc.status.bits import StatusList
from vc.status.reference import StatusReference

LIST_HOST = "lists.test"
SIZE = 1024


@dataclass
class WalletProvider:
    """A maker of wallets. `values`: entries of its status list that are not 0. `token`: changes to the status list token."""

    name: str = "Wallet provider (test)"
    registration_id: str = "NTRFR-WALLET1"
    country: str = "FR"
    host: str = "wallet-provider.test"
    around: datetime = NOW
    authority: Authority = field(default_factory=lambda: root("Test wallet CA"))
    values: dict[int, int] = field(default_factory=dict)
    bits: int = 2
    token: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signer = self.leaf()
        self.status_signer = self.leaf()

    def leaf(self, **changes: Any) -> LocalSigner:
        """A further certificate of this provider."""
        life = {"not_before": self.around - timedelta(days=30), "not_after": self.around + timedelta(days=300)}
        subject = {"C": self.country, "O": self.name, "organizationIdentifier": self.registration_id, "CN": self.name}
        return self.authority.leaf(**{"subject": subject, **life, **changes})

    def draft(self) -> EntityDraft:
        """Its entry on the list of wallet providers."""
        services = (
            ServiceDraft(role="issuance", certificates=self.signer.chain[:1], unique_identifier="urn:example:wallet:1"),
            ServiceDraft(role="revocation", certificates=self.status_signer.chain[:1], unique_identifier="urn:example:wallet:1"),
        )
        return EntityDraft(name=self.name, country=self.country, registration_id=self.registration_id, services=services)

    @property
    def status_uri(self) -> str:
        return f"https://{self.host}/status/1"

    def status(self, idx: int = 7) -> StatusReference:
        """A reference into its status list."""
        return StatusReference(uri=self.status_uri, idx=idx)

    def status_token(self, now: datetime) -> bytes:
        """The status list as it stands now."""
        values = {"uri": self.status_uri, "iat": now, "exp": now + timedelta(hours=36), "ttl": 60, "signer": self.status_signer}
        return token.sign_jwt(StatusList.from_indices(SIZE, self.bits, self.values), **{**values, **self.token}).encode()


class WalletLists:
    """A list of wallet providers on `internet`, their status lists, and who believes them. `clock` tells everybody's time."""

    def __init__(self, folder: Path, internet: Internet, clock: Callable[[], datetime], *providers: WalletProvider) -> None:
        self.folder, self.internet, self.clock = folder, internet, clock
        self._lists = folder / "wallet-lists"
        listed_since = clock() - timedelta(days=5)
        authoring.init(self._lists, base_url=f"https://{LIST_HOST}", now=listed_since, lists=("wallet",))
        authoring.add_entities(self._lists, "wallet", [one.draft() for one in providers], now=listed_since)
        authoring.publish(self._lists, "wallet", now=listed_since)
        authoring.write_trust_root(self._lists, self.root_file, now=listed_since)
        internet.function(LIST_HOST, self._list)
        for one in providers:
            self.serve(one)

    @property
    def root_file(self) -> Path:
        return self.folder / "wallet-trust-root.json"

    def serve(self, provider: WalletProvider) -> None:
        """Put the provider's status list on the internet."""

        def answer(_asked: httpx2.Request) -> httpx2.Response:
            content = provider.status_token(self.clock())
            return httpx2.Response(200, content=content, headers={"content-type": "application/statuslist+jwt"})

        self.internet.function(provider.host, answer)

    def withdraw(self, provider: WalletProvider) -> None:
        """Take the provider off the list; the next edition is published at once."""
        authoring.withdraw(self._lists, "wallet", provider.registration_id, reason="cessation", now=self.clock())

    def outbound(self) -> Outbound:
        return Outbound(FetchLimits(), transport=self.internet)

    def trust(self, state: str = "wallet-trust") -> WalletTrust:
        """As a service has it, with lists read through the pretend internet."""
        outbound = self.outbound()
        client = TrustClient(self.root_file, self.folder / state, outbound, self.clock, refresh_seconds=60)
        return WalletTrust(client.snapshot, StatusLists(outbound, ShortMemory(), min_ttl=timedelta(seconds=1)), clock=self.clock)

    def _list(self, _asked: httpx2.Request) -> httpx2.Response:
        current = Publisher(self._lists).latest("wallet")
        if current is None:
            return httpx2.Response(404)
        return httpx2.Response(200, content=current.jws, headers={"content-type": "application/jose"})
