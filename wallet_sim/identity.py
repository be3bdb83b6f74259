"""Who the wallet is to an authorization server: an attested client where that is taken, a registered one, or nobody."""

from dataclasses import dataclass

from vc.clock import Clock
from vc.keys.signer import LocalSigner
from vc.openid4vci import wallet_attestation
from vc.openid4vci.authorization_server import AuthorizationServerMetadata
from wallet_sim.client import Attester, Client
from wallet_sim.holdings import Store
from wallet_sim.issuance_seams import ReceivingSeams
from wallet_sim.provider import WalletProvider
from wallet_sim.transcript import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`provider`: vouches for this wallet. `client_id`: the name under which it is registered where attestations are not taken."""

    provider: WalletProvider | None = None
    client_id: str | None = None


ANONYMOUS = Identity()


def client_at(
    server: AuthorizationServerMetadata, identity: Identity, *, store: Store, wire: Wire, clock: Clock, seams: ReceivingSeams
) -> Client | None:
    """The client this wallet is at `server`; None: nobody it could know."""
    provider = identity.provider
    if provider is not None and wallet_attestation.METHOD in server.client_auth_methods:
        instance = LocalSigner(store.instance_key(server.issuer))
        attester = Attester(
            wire=wire,
            clock=clock,
            provider=provider,
            instance=seams.instance(instance),
            server=server.issuer,
            challenge_endpoint=server.challenge_endpoint,
            seams=seams,
        )
        return Client(client_id=provider.client_id, attester=attester)
    if identity.client_id is not None and "none" in server.client_auth_methods:
        return Client(client_id=identity.client_id)
    return None
