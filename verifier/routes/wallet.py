"""What wallets call: the request object (OpenID4VP 1.0 §5.10) and the response endpoint (§8.2). Never a redirect (VP-REQ-13)."""

from fastapi import APIRouter, Request, Response

from edge.inbound import form
from vc.errors import Malformed
from vc.openid4vp.request import CONTENT_TYPE
from verifier.answering import Answering
from verifier.asking import Asking
from verifier.problems import Problem
from verifier.routes import Body, media_type

_FORM = "application/x-www-form-urlencoded"


def routes(asking: Asking, answering: Answering) -> APIRouter:
    """The two endpoints."""
    router = APIRouter(prefix="/oid4vp")

    @router.get("/{request_id}/request")
    def fetch(request_id: str) -> Response:
        return Response(content=asking.fetch(request_id, {}), media_type=CONTENT_TYPE)

    @router.post("/{request_id}/request")
    def fetch_by_post(request_id: str, request: Request, body: Body) -> Response:
        return Response(content=asking.fetch(request_id, _fields(request, body)), media_type=CONTENT_TYPE)

    @router.post("/{request_id}/response")
    def respond(request_id: str, request: Request, body: Body) -> Response:
        answer = answering.answer(request_id, _fields(request, body))
        return Response(content=answer, media_type="application/json")

    return router


def _fields(request: Request, body: bytes) -> dict[str, str]:
    if media_type(request) != _FORM:
        raise Problem(415, "invalid_request", f"the body is sent as {_FORM}")
    try:
        return form(body)
    except Malformed as error:
        raise Problem(400, "invalid_request", error.detail) from error
