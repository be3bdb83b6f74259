"""Token endpoint (OpenID4VCI 1.0 §6)."""

from starlette.requests import Request
from starlette.responses import Response

from edge.inbound import form
from issuer import grants
from issuer.grants import Redemption
from issuer.institutions import Institution
from issuer.routes.answers import answer
from issuer.routes.wallet import door
from issuer.service import Service
from vc.errors import Malformed
from vc.openid4vci import token

_FORM = "application/x-www-form-urlencoded"


async def redeem(request: Request, service: Service, institution: Institution) -> Response:
    """A pre-authorized code against an access token, bound to the wallet's key when it sends a DPoP proof.

    Parameters count in the body only, each once (SECURITY A-4). The proof is verified before the code is touched.
    """
    now = service.clock()
    if request.url.query:
        raise Malformed("request", "parameters belong into the body")
    if door.media_type(request) != _FORM:
        raise Malformed("request", f"the body must be {_FORM}")
    asked = token.parse_request(form(await request.body()), credential_issuer=institution.credential_issuer)
    proof = door.proof_at(request, institution, now, required=institution.profile.dpop_required)
    redemption = Redemption(
        code=asked.pre_authorized_code,
        tx_code=asked.tx_code,
        client_id=asked.client_id,
        configuration_ids=asked.configuration_ids,
    )
    issued = grants.redeem(service, institution, redemption, proof=proof, now=now)
    identifiers = issued.grant.credential_identifiers
    return answer(
        token.response(
            access_token=issued.value,
            token_type="Bearer" if proof is None else "DPoP",
            expires_in=issued.expires_in,
            credential_identifiers=None if identifiers is None else {name: [key] for key, name in identifiers.items()},
        )
    )
