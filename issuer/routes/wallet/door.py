"""The door of the protocol endpoints: which institution, which grant, and one bridge from our errors to the protocol's."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response

from issuer import grants
from issuer.dpop_nonces import HEADER, DpopNonces
from issuer.institutions import Institution
from issuer.lint import LintFailed
from issuer.routes.answers import answer, not_found
from issuer.service import Service
from issuer.signing import SignatureUnusable
from issuer.store import grants as store
from issuer.store import retention
from issuer.store.engine import writing
from issuer.store.grants import Grant, Purpose
from vc.encoding import json
from vc.errors import Malformed, Refused, Unreachable, VcError
from vc.openid4vci import dpop, errors
from vc.openid4vci.dpop import DpopProof
from vc.openid4vci.errors import Endpoint, ProtocolError
from vc.openid4vci.wallet_attestation import CHALLENGE_HEADER

Handler = Callable[[Request, Service, Institution], Awaitable[Response]]
_BEARER, _DPOP = "Bearer", "DPoP"
_CHALLENGE_WANTED = "use_attestation_challenge"
_log = structlog.get_logger("issuer")


def endpoint(name: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """`handler` for the institution named in the path. Our errors become those of the endpoint `name`, and are counted."""
    table = Endpoint(name) if name in set(Endpoint) else Endpoint.NONCE

    async def run(request: Request) -> Response:
        service: Service = request.app.state.service
        institution = service.institution(request.path_params["institution"])
        if institution is None:
            return not_found()
        try:
            given = await handler(request, service, institution)
        except VcError as exc:
            refused = errors.translate(table, _our_fault(exc), scheme=scheme_of(request) or _DPOP)
            if refused.error == _CHALLENGE_WANTED:
                refused = await _with_challenge(service, institution, table, refused)
            _log.info(
                "refused", institution=institution.id, endpoint=name, code=exc.code, error=refused.error, status=refused.status
            )
            count(service, institution, name, refused.error or exc.code)
            given = answer(refused.body(), status=refused.status, headers=refused.headers)
        if institution.profile.dpop_nonce and name in set(Endpoint):  # RFC 9449 §8.2: with every answer, so that nobody asks twice
            nonces: DpopNonces = request.app.state.dpop_nonces
            given.headers[HEADER] = nonces.current(service.clock())
        return given

    return run


async def _with_challenge(service: Service, institution: Institution, table: Endpoint, refused: ProtocolError) -> ProtocolError:
    """The refusal with a challenge to use (attestation-based client authentication §6.2); or why there is none at present."""
    try:
        refused.headers[CHALLENGE_HEADER] = await grants.give_nonce(
            service, institution, service.clock(), purpose=Purpose.ATTESTATION
        )
    except VcError as exc:
        return errors.translate(table, exc)
    return refused


def _our_fault(error: VcError) -> VcError:
    """What went wrong on our side is no fault of the request: the wallet may come back, or is denied without detail."""
    if isinstance(error, SignatureUnusable):
        return Unreachable("signer", "the signer does not work at present")
    if isinstance(error, LintFailed):
        _log.error("lint_failed", code=error.code, pointer=error.pointer)
        return ProtocolError("credential_request_denied", "this document cannot be issued in this form", code=error.code)
    return error


def count(service: Service, institution: Institution, name: str, code: str) -> None:
    """Add one refusal to the institution's statistics."""
    try:
        with writing(service.engine) as connection:
            retention.count_refusal(connection, institution.id, name, code[:64], service.clock())
    except DBAPIError:  # counting is a service to the institution; the answer does not wait for it
        _log.warning("refusal_not_counted", institution=institution.id)


def scheme_of(request: Request) -> str:
    """`Bearer`, `DPoP`, or empty when the request is not authorized by either."""
    word = request.headers.get("authorization", "").partition(" ")[0].lower()
    return {"bearer": _BEARER, "dpop": _DPOP}.get(word, "")


def proof_at(
    request: Request,
    institution: Institution,
    now: datetime,
    *,
    required: bool,
    access_token: str | None = None,
    thumbprint: str | None = None,
) -> DpopProof | None:
    """The DPoP proof of a request, verified but not yet claimed; None when the wallet does not use DPoP and need not.

    With a nonce of ours where the profile demands it. Raises what `dpop.verify` raises.
    """
    values, profile = request.headers.getlist("dpop"), institution.profile
    if not values and not required:
        return None
    nonces: DpopNonces = request.app.state.dpop_nonces
    return dpop.verify(
        values,
        method=request.method,
        url=_published(institution, request),
        now=now,
        access_token=access_token,
        thumbprint=thumbprint,
        check_nonce=nonces.checker(now) if profile.dpop_nonce else None,
        algorithms=profile.dpop_algorithms,
    )


async def grant_of(request: Request, service: Service, institution: Institution, now: datetime) -> Grant:
    """The grant of the access token shown, its DPoP proof claimed. Raises as `shown` and `claim`."""
    found = shown(request, service, institution, now)
    await claim(service, found.proof, now)
    return found.grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A grant, and the DPoP proof it was shown with: verified, not yet claimed; None for a bearer token."""

    grant: Grant
    proof: DpopProof | None


def shown(request: Request, service: Service, institution: Institution, now: datetime) -> Shown:
    """The grant of the access token in the Authorization header, and nowhere else (SECURITY I-2), and the proof that came with it.

    A token bound to a key is taken with that key's fresh proof only, never as Bearer (VCI-DPOP-4, SECURITY A-12). The proof is not
    claimed yet: the caller sees to it, in one transaction with what the request changes, or by `claim`; always before it answers.

    Raises `Refused` with a code that begins with `token_`, and what `dpop.verify` raises.
    """
    scheme, token = scheme_of(request), request.headers.get("authorization", "").partition(" ")[2].strip()
    if not scheme or not token or not token.isascii() or not token.isprintable():
        raise Refused("token_absent", "an access token is required in the Authorization header")
    with service.reader as connection:
        grant = store.find_grant(connection, institution.id, token, now)
    if grant is None:
        raise Refused("token_unknown", "the access token is unknown or has expired")
    if (scheme == _DPOP) != (grant.dpop_thumbprint is not None):
        raise Refused("token_scheme", "the access token belongs to the other scheme")
    if grant.dpop_thumbprint is None:
        if institution.profile.dpop_required:
            raise Refused("token_scheme", "only tokens bound to a key are taken here")
        return Shown(grant=grant, proof=None)
    proof = proof_at(request, institution, now, required=True, access_token=token, thumbprint=grant.dpop_thumbprint)
    return Shown(grant=grant, proof=proof)


async def claim(service: Service, proof: DpopProof | None, now: datetime) -> None:
    """Remember the proof of a request by itself. Raises `Refused("dpop_replay")`."""
    if proof is not None:
        await service.writer.run(lambda connection: grants.claim_proof(connection, proof, now))


def _published(institution: Institution, request: Request) -> str:
    """The endpoint's URL as published: from the settings and our own route, not from Host (SECURITY H-12)."""
    return f"{institution.credential_issuer}/{request.scope['path'].rpartition('/')[2]}"


def media_type(request: Request) -> str:
    """The Content-Type without parameters, lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def json_body(request: Request, *, code: str) -> dict[str, object]:
    """The strict JSON object of the body. Raises `Malformed(code)` for another media type, else as `json.loads_object`."""
    if media_type(request) != "application/json":
        raise Malformed(code, "the body must be application/json")
    return json.loads_object(await request.body())
