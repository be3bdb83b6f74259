"""Credential endpoint (OpenID4VCI 1.0 §8)."""

from starlette.requests import Request
from starlette.responses import Response

from issuer import entitlements
from issuer.institutions import Institution
from issuer.issuance import Issuance
from issuer.routes.answers import answer
from issuer.routes.wallet import door
from issuer.service import Service
from issuer.store import grants as store
from issuer.store.engine import reading
from vc.encoding import json
from vc.errors import Refused
from vc.openid4vci import credential, proof


async def issue(request: Request, service: Service, institution: Institution) -> Response:
    """One credential per proved key.

    1 access token  2 request, within what the token is good for  3 every proof, all or nothing  4 nonces ours and unspent
    5 issuance, which spends them. Whatever fails before 5 spends nothing (SECURITY I-13).
    """
    now = service.clock()
    grant = door.grant_of(request, service, institution, now)
    credential.check_media_type(request.headers.get("content-type"))
    asked = credential.parse_request(
        json.loads(await request.body()),
        configuration_ids=entitlements.configurations(institution).keys(),
        credential_identifiers=grant.credential_identifiers,
        batch_size=service.settings.batch_size,
    )
    if asked.configuration_id not in grant.configuration_ids:  # VCI-TOK-7, SECURITY R-5
        raise Refused("scope_insufficient", "the access token is not good for this credential configuration")
    with reading(service.engine) as connection:

        def check_nonce(nonce: str) -> None:
            if not store.knows_nonces(connection, institution.id, [nonce], now):
                raise Refused("nonce_unknown", "the nonce is not one of ours, or spent, or over; fetch a new one")

        keys = proof.verify_all(
            asked.proofs,
            audience=institution.credential_issuer,
            check_nonce=check_nonce,
            now=now,
            client_id=grant.client_id,
        )
    issuance: Issuance = request.app.state.issuance
    issued = issuance.issue(
        institution,
        grant,
        entitlements.configurations(institution)[asked.configuration_id],
        holders=[key.public_key for key in keys],
        nonces=[key.nonce for key in keys],
        now=now,
    )
    return answer(credential.response(issued.credentials, notification_id=issued.notification_id))
