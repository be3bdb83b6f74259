"""Deferred credential endpoint (OpenID4VCI 1.0 §9): credentials that were promised are collected, once."""

from starlette.requests import Request
from starlette.responses import Response

from issuer import entitlements, promising
from issuer.institutions import Institution
from issuer.issuance import Issuance
from issuer.proving import earliest
from issuer.routes.wallet import door, sealing
from issuer.service import Service
from vc.openid4vci import credential, deferred


async def collect(request: Request, service: Service, institution: Institution) -> Response:
    """The credentials, or 202 again while the institution holds the document (VCI-DEF-1 to -4).

    The answer is encrypted as this request asks; what the first one asked is forgotten. Coming too early harms nobody.
    """
    now = service.clock()
    grant = await door.grant_of(request, service, institution, now)
    value, encrypted = await sealing.opened(request, institution)
    asked = deferred.parse_request(value, encrypted=encrypted, offer=institution.profile.encryption)
    promise, held = promising.look(service, institution, grant, asked.transaction_id, now)
    if held:
        await promising.note_look(service, institution, promise, now)
        waiting = credential.deferred_response(asked.transaction_id, institution.deferred_interval_seconds)
        return sealing.sealed(waiting, asked.response_encryption, status=202)
    issuance: Issuance = request.app.state.issuance
    issued = await issuance.issue(
        institution,
        grant,
        entitlements.configurations(institution)[promise.configuration_id],
        holders=promise.holders,
        nonces=(),
        now=now,
        promise=promise,
        valid_until_cap=earliest(promise.not_after, grant.not_after),
    )
    body = credential.response(issued.credentials, notification_id=issued.notification_id)
    return sealing.sealed(body, asked.response_encryption)
