"""An issuer that believes wallet providers, and a wallet instance that is attested by one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from tests.support.internet import Internet
from tests.support.issuer import Deployment, TestClock, build
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import holder
from tests.support.wallet_provider import WalletLists, WalletProvider
from vc.keys.signer import LocalSigner
from vc.openid4vci import key_attestation, wallet_attestation

STRONG = {"key_storage": ["iso_18045_high"], "user_authentication": ["iso_18045_high"]}
CLIENT_ID = "https://wallet.example/solutions/test"


@dataclass
class Attested:
    """A deployment with trust lists, and one listed wallet provider."""

    deployment: Deployment
    internet: Internet
    provider: WalletProvider
    lists: WalletLists

    @property
    def clock(self) -> TestClock:
        return self.deployment.clock


def attested(directory: Path, **changes: Any) -> Attested:
    """As `issuer.build`, with encryption keys and the list of wallet providers."""
    internet, clock, provider = Internet(), TestClock(), WalletProvider()
    lists = WalletLists(directory, internet, clock, provider)
    deployment = build(
        directory,
        clock=clock,
        outbound=lists.outbound(),
        encryption=True,
        trust={"root": lists.root_file.name, "state": "trust", "refresh_seconds": 60},
        **changes,
    )
    return Attested(deployment=deployment, internet=internet, provider=provider, lists=lists)


@dataclass
class Instance:
    """A wallet instance: what its provider says about it and its keys; `claims` and `pop` are bent by tests."""

    world: Attested
    issuer: str
    key: LocalSigner = field(default_factory=holder)
    client_id: str = CLIENT_ID

    @property
    def provider(self) -> WalletProvider:
        return self.world.provider

    def headers(
        self,
        *,
        challenge: str | None = None,
        signer: LocalSigner | None = None,
        pop_key: LocalSigner | None = None,
        pop: dict[str, Any] | None = None,
        **claims: Any,
    ) -> dict[str, str]:
        """The two headers of client authentication, fresh."""
        now = self.world.clock()
        values = {
            "client_id": self.client_id,
            "instance_key": self.key.public_key,
            "now": now,
            "expires": now + timedelta(hours=6),
            **claims,
        }
        shown = {"audience": self.issuer, "now": now, "jti": secrets.token_hex(8), "challenge": challenge, **(pop or {})}
        return {
            wallet_attestation.HEADER: wallet_attestation.create(signer or self.provider.signer, **values),
            wallet_attestation.POP_HEADER: wallet_attestation.create_pop(pop_key or self.key, **shown),
        }

    def key_attestation(
        self, keys: Sequence[LocalSigner], *, nonce: str | None, signer: LocalSigner | None = None, **claims: Any
    ) -> str:
        """The provider's word about these keys."""
        now = self.world.clock()
        values = {"now": now, "expires": now + timedelta(hours=6), "nonce": nonce, **STRONG, **claims}
        return key_attestation.create(signer or self.provider.signer, keys=[key.public_key for key in keys], **values)


def wallet(client: TestClient, world: Attested, institution: str = "fr-urssaf", **changes: Any) -> IssuerWallet:
    """A wallet for one institution of the deployment."""
    return IssuerWallet(client, world.deployment.credential_issuer(institution), world.clock, **changes)
