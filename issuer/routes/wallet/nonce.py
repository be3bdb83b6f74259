"""Nonce endpoint (OpenID4VCI 1.0 §7): anybody may ask; a nonce is good once, here, for five minutes."""

from starlette.requests import Request
from starlette.responses import Response

from issuer import grants
from issuer.institutions import Institution
from issuer.routes.answers import answer
from issuer.service import Service


async def give(request: Request, service: Service, institution: Institution) -> Response:
    """A fresh `c_nonce`, never cached (VCI-NONCE-1, -2)."""
    return answer({"c_nonce": await grants.give_nonce(service, institution, service.clock())})
