"""Pushed authorization requests (RFC 9126; OpenID4VCI 1.0 §5.1.4, VCI-AUTHZ-4)."""

from starlette.requests import Request
from starlette.responses import Response

from issuer import authorizing, clients, entitlements
from issuer.institutions import Institution
from issuer.routes.answers import answer, not_found
from issuer.routes.wallet import door
from issuer.routes.wallet.token import parameters
from issuer.service import Service
from vc.openid4vci import authorization


async def push(request: Request, service: Service, institution: Institution) -> Response:
    """201 with a `request_uri` that is good once, soon, and for this client. The client is known before anything is stored."""
    if not institution.profile.authorization_code:
        return not_found()
    now, form = service.clock(), await parameters(request)
    asked = authorization.parse_pushed(
        form,
        credential_issuer=institution.credential_issuer,
        scopes={configuration.scope: name for name, configuration in entitlements.configurations(institution).items()},
    )
    proof = door.proof_at(request, institution, now, required=False)
    client = await clients.authenticate(request, service, institution, client_id=asked.client_id, now=now)
    request_uri = authorizing.push(service, institution, client, asked, proof=proof, now=now)
    return answer(authorization.pushed_response(request_uri, service.settings.pushed_request_seconds), status=201)
