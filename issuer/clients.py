"""Who speaks as which client: an attested wallet instance, or a public client the institution has registered.

The profile of the institution says which of the two are taken (HAIP-VCI-9). An attestation that is shown must be good, also
where nothing would have been asked for (SECURITY A-14).
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request

from issuer import attestations
from issuer.institutions import Institution, RegisteredClient
from issuer.profiles import PUBLIC_CLIENT
from issuer.service import Service
from vc.errors import Refused
from vc.openid4vci import redirection, wallet_attestation
from vc.openid4vci.wallet_attestation import HEADER, POP_HEADER, WalletAttestation


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client that is known. `client_id` None: anonymous, where the profile allows it. `attestation`: of a wallet instance."""

    client_id: str | None
    attestation: WalletAttestation | None = None
    registered: RegisteredClient | None = None

    @property
    def instance_thumbprint(self) -> str | None:
        """Of the key of the wallet instance, base64url (RFC 7638); None for clients without attestation."""
        return None if self.attestation is None else self.attestation.instance_thumbprint

    @property
    def not_after(self) -> datetime | None:
        """How long the wallet provider keeps the status of the instance up, as far as the attestation says (EAA-I-9)."""
        return None if self.attestation is None else self.attestation.status_expires

    def check_redirect(self, redirect_uri: str) -> None:
        """An attested wallet says itself where it is; a registered client may name what is registered (SECURITY A-5).

        Raises `Refused("redirect_uri_unregistered")`.
        """
        if self.registered is not None and not redirection.is_registered(redirect_uri, self.registered.redirect_uris):
            raise Refused("redirect_uri_unregistered", "not a redirect_uri of this client", pointer="/redirect_uri")

    def claim(self, connection: Connection, institution: Institution, now: datetime) -> None:
        """Spend what the authentication rests on, in the transaction of what it is for. Raises as `attestations.claim`."""
        if self.attestation is not None:
            attestations.claim(connection, institution, self.attestation, now)


async def authenticate(
    request: Request, service: Service, institution: Institution, *, client_id: str | None, now: datetime
) -> Client:
    """The client behind a request to the PAR or token endpoint. `client_id`: the parameter.

    Raises codes beginning with `attestation_` and `client_` (`client_method`: a kind of client that is not taken here,
    `client_missing`, `client_unknown`, `client_id_mismatch`), `Unreachable` when a list cannot be relied upon at present.
    """
    profile = institution.profile
    if _shows_attestation(request):
        if not profile.attested_clients:
            raise Refused("client_method", "wallet attestations are not taken here")
        return await _attested(request, service, institution, client_id=client_id, now=now)
    if PUBLIC_CLIENT not in profile.client_auth:
        return await _attested(request, service, institution, client_id=client_id, now=now)  # says what is missing
    if client_id is None:
        raise Refused("client_missing", "client_id is needed")
    registered = institution.client(client_id)
    if registered is None:
        raise Refused("client_unknown", "this client is not registered here and shows no wallet attestation")
    return Client(client_id=client_id, registered=registered)


async def identify(request: Request, service: Service, institution: Institution, *, client_id: str | None, now: datetime) -> Client:
    """As `authenticate`, for a pre-authorized code: where the profile allows anonymous access, nobody has to say who they are."""
    if institution.profile.anonymous and not _shows_attestation(request):
        return Client(client_id=client_id)
    return await authenticate(request, service, institution, client_id=client_id, now=now)


async def _attested(
    request: Request, service: Service, institution: Institution, *, client_id: str | None, now: datetime
) -> Client:
    attestation = wallet_attestation.verify(
        request.headers.getlist(HEADER),
        request.headers.getlist(POP_HEADER),
        audience=institution.credential_issuer,
        now=now,
        client_id=client_id,
        challenge_required=institution.profile.attestation_challenge,
        check_challenge=attestations.challenge_check(service, institution, now),
        algorithms=institution.profile.attestation_algorithms,
    )
    await asyncio.to_thread(attestations.judge_wallet, service, institution, attestation, now)
    return Client(client_id=attestation.client_id, attestation=attestation)


def _shows_attestation(request: Request) -> bool:
    return HEADER in request.headers or POP_HEADER in request.headers
