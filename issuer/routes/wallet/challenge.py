"""Challenge endpoint of attestation-based client authentication (VCI-WIA-6): anybody may ask; a challenge is good once, here."""

from starlette.requests import Request
from starlette.responses import Response

from issuer import grants
from issuer.institutions import Institution
from issuer.routes.answers import answer, not_found
from issuer.service import Service
from issuer.store.grants import Purpose
from vc.openid4vci import challenge


async def give(request: Request, service: Service, institution: Institution) -> Response:
    """A fresh challenge, never cached; 404 where wallet attestations are not taken, as the metadata say."""
    if not institution.profile.attestation_challenge:
        return not_found()
    return answer(challenge.response(await grants.give_nonce(service, institution, service.clock(), purpose=Purpose.ATTESTATION)))
