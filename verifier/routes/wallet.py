"""What wallets call: the request object (OpenID4VP 1.0 §5.10) and the response endpoint (§8.2). Never a redirect (VP-REQ-13)."""

from fastapi import APIRouter, Request, Response

from edge.inbound import form
from vc.errors import Malformed
from verifier.answering import Answering
from verifier.asking import Asking
from verifier.problems import Problem
from verifier.routes import Body, media_type

REQUEST_OBJECT_TYPE = "application/oauth-authz-req+jwt"
_FORM = "application/x-www-form-urlencoded"
_GONE = "there is no such request, or it was answered, or its time is over: scan a new code"


def routes(asking: Asking, answering: Answering) -> APIRouter:
    """The two endpoints."""
    router = APIRouter(prefix="/oid4vp")

    @router.get("/{request_id}/request")
    def fetch(request_id: str) -> Response:
        return _object(asking, request_id, None, None)

    @router.post("/{request_id}/request")
    def fetch_by_post(request_id: str, request: Request, body: Body) -> Response:
        fields = _fields(request, body)
        return _object(asking, request_id, fields.get("wallet_nonce"), fields.get("wallet_metadata"))

    @router.post("/{request_id}/response")
    def respond(request_id: str, request: Request, body: Body) -> Response:
        answer = answering.answer(request_id, _fields(request, body))
        return Response(content=answer, media_type="application/json")

    return router


def _object(asking: Asking, request_id: str, wallet_nonce: str | None, wallet_metadata: str | None) -> Response:
    text = asking.fetch(request_id, wallet_nonce=wallet_nonce, wallet_metadata=wallet_metadata)
    if text is None:
        raise Problem(404, "invalid_request", _GONE)
    return Response(content=text, media_type=REQUEST_OBJECT_TYPE)


def _fields(request: Request, body: bytes) -> dict[str, str]:
    if media_type(request) != _FORM:
        raise Problem(415, "invalid_request", f"the body is sent as {_FORM}")
    try:
        return form(body)
    except Malformed as error:
        raise Problem(400, "invalid_request", error.detail) from error
