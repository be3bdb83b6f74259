"""Credential endpoint (OpenID4VCI 1.0 §8)."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from issuer import entitlements, promising
from issuer.institutions import Institution
from issuer.issuance import Issuance
from issuer.proving import earliest, proved
from issuer.routes.wallet import door, sealing
from issuer.routes.wallet.door import Shown
from issuer.service import Service
from issuer.signing import SignatureUnusable
from vc.errors import Refused, VcError
from vc.openid4vci import credential


async def issue(request: Request, service: Service, institution: Institution) -> Response:
    """One credential per proved key, or the promise of them where the institution holds the document.

    1 access token, with its DPoP proof  2 request, opened when it is encrypted, within what the token is good for  3 every proof,
    all or nothing  4 nonces ours and unspent  5 the document is free, or held  6 issuance or promise, which spends the nonces.
    Whatever fails before 6 spends nothing but the DPoP proof (SECURITY I-13).
    """
    now = service.clock()
    shown = door.shown(request, service, institution, now)
    try:
        return await _issue(request, service, institution, shown, now)
    except SignatureUnusable:  # the proof was claimed with the records
        raise
    except VcError:
        await door.claim(service, shown.proof, now)  # a DPoP proof is good once, whatever became of its request
        raise


async def _issue(request: Request, service: Service, institution: Institution, shown: Shown, now: datetime) -> Response:
    grant = shown.grant
    value, encrypted = await sealing.opened(request, institution)
    asked = credential.parse_request(
        value,
        configuration_ids=entitlements.configurations(institution).keys(),
        credential_identifiers=grant.credential_identifiers,
        batch_size=service.settings.batch_size,
        proof_types=institution.profile.proof_types,
        encrypted=encrypted,
        encryption=institution.profile.encryption,
    )
    if asked.configuration_id not in grant.configuration_ids:  # VCI-TOK-7, SECURITY R-5
        raise Refused("scope_insufficient", "the access token is not good for this credential configuration")
    found = await proved(service, institution, grant, asked, now)
    basis = promising.basis(service, institution, grant, now)
    if promising.is_held(basis):
        transaction_id = await promising.promise(
            service, institution, grant, asked.configuration_id, found, proof=shown.proof, now=now
        )
        waiting = credential.deferred_response(transaction_id, institution.deferred_interval_seconds)
        return sealing.sealed(waiting, asked.response_encryption, status=202)
    issuance: Issuance = request.app.state.issuance
    issued = await issuance.issue(
        institution,
        grant,
        entitlements.configurations(institution)[asked.configuration_id],
        holders=[key.public_key for key in found.keys],
        nonces=[key.nonce for key in found.keys],
        now=now,
        proof=shown.proof,
        basis=basis,
        valid_until_cap=earliest(found.not_after, grant.not_after),
    )
    body = credential.response(issued.credentials, notification_id=issued.notification_id)
    return sealing.sealed(body, asked.response_encryption)
