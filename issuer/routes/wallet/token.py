"""Token endpoint (OpenID4VCI 1.0 §6, RFC 6749 §3.2): every grant the profile has, and no other."""

from starlette.requests import Request
from starlette.responses import Response

from edge.inbound import form
from issuer import authorization_grants, clients, entitlements, grants
from issuer.grants import Redemption
from issuer.institutions import Institution
from issuer.routes.answers import answer
from issuer.routes.wallet import door
from issuer.service import Service
from issuer.tokens import AccessToken
from vc.errors import Malformed
from vc.openid4vci import token
from vc.openid4vci.token import AuthorizationCodeTokenRequest, PreAuthorizedTokenRequest, RefreshTokenRequest

_FORM = "application/x-www-form-urlencoded"


async def redeem(request: Request, service: Service, institution: Institution) -> Response:
    """A code or a refresh token against an access token, bound to the wallet's key when it sends a DPoP proof.

    Parameters count in the body only, each once (SECURITY A-4). Proof and client are verified before the code is touched.
    """
    now, profile = service.clock(), institution.profile
    asked = token.parse_request(await parameters(request), credential_issuer=institution.credential_issuer, grants=profile.grants)
    proof = door.proof_at(request, institution, now, required=profile.dpop_required)
    known = clients.identify if isinstance(asked, PreAuthorizedTokenRequest) else clients.authenticate
    client = await known(request, service, institution, client_id=asked.client_id, now=now)
    match asked:
        case PreAuthorizedTokenRequest():
            redemption = Redemption(
                code=asked.pre_authorized_code, tx_code=asked.tx_code, configuration_ids=asked.configuration_ids
            )
            made = grants.redeem(service, institution, client, redemption, proof=proof, now=now)
        case AuthorizationCodeTokenRequest():
            made = authorization_grants.redeem_code(service, institution, client, asked, proof=proof, now=now)
        case RefreshTokenRequest():
            made = authorization_grants.renew(service, institution, client, asked, proof=proof, now=now)
    return answer(_response(institution, made, with_scope=not isinstance(asked, PreAuthorizedTokenRequest)))


async def parameters(request: Request) -> dict[str, str]:
    """The form of a request, in its body and nowhere else. Raises `Malformed("request")`, and what `form` raises."""
    if request.url.query:
        raise Malformed("request", "parameters belong into the body")
    if door.media_type(request) != _FORM:
        raise Malformed("request", f"the body must be {_FORM}")
    return form(await request.body())


def _response(institution: Institution, made: AccessToken, *, with_scope: bool) -> dict[str, object]:
    """`with_scope`: what was granted may be less than what was asked for by scope, and is said (RFC 6749 §3.3)."""
    grant = made.grant
    identifiers, declared = grant.credential_identifiers, entitlements.configurations(institution)
    return token.response(
        access_token=made.value,
        token_type="Bearer" if grant.dpop_thumbprint is None else "DPoP",
        expires_in=made.expires_in,
        credential_identifiers=None if identifiers is None else {name: [key] for key, name in identifiers.items()},
        refresh_token=made.refresh_token,
        scope=[declared[name].scope for name in grant.configuration_ids] if with_scope and identifiers is None else None,
    )
