"""The JSON API of the verifier's own side: make a request, read its result."""

import hmac
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from vc.encoding import json
from vc.errors import Malformed, Refused
from vc.openid4vp.request import ResponseMode
from verifier.answering import Answering
from verifier.asking import Asking, RequestUriMethod
from verifier.digest import digest_of
from verifier.problems import Problem
from verifier.question import QuestionInvalid, read
from verifier.routes import Body, media_type
from verifier.settings import ClientIdPrefix, Settings

Short = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class RequestBody(BaseModel):
    """What may be asked; unknown members are refused so that a misspelled one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)

    purpose: Short
    host_country: Short | None = None
    on: Short | None = None
    format: Literal["dc+sd-jwt", "mso_mdoc", "any"] = "any"
    response_mode: ResponseMode = "direct_post.jwt"
    request_uri_method: RequestUriMethod = "get"
    client_id_prefix: ClientIdPrefix | None = None


def routes(settings: Settings, asking: Asking, answering: Answering) -> APIRouter:
    """`/api/v1`. With `api_token_sha256` in the settings every call needs that bearer token."""
    router = APIRouter(prefix="/api/v1")

    @router.post("/requests", status_code=201)
    def create(request: Request, body: Body) -> Response:
        authenticate(settings, request)
        wanted = _parse(request, body)
        try:
            question = read(asking, **wanted.model_dump())
            transaction = asking.ask(question)
        except QuestionInvalid as error:
            raise Problem(400, error.code, error.text) from error
        except Refused as error:
            raise Problem(400, error.code, error.detail) from error
        content = {
            "transaction_id": transaction.transaction_id,
            "request_uri": asking.link(transaction),
            "request_object_uri": asking.request_uri(transaction.request_id),
            "expires_at": transaction.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return Response(content=json.dumps(content), status_code=201, media_type="application/json")

    @router.get("/requests/{transaction_id}")
    def result(transaction_id: str, request: Request) -> Response:
        authenticate(settings, request)
        found = answering.result(transaction_id)
        if found is None:
            raise Problem(404, "not_found", "there is no such transaction, or its result was deleted")
        return Response(content=json.dumps(found), media_type="application/json")

    return router


def authenticate(settings: Settings, request: Request) -> None:
    """Refuse a call without the bearer token, where the settings name one. Raises `Problem`."""
    if settings.api_token_sha256 is None:
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(digest_of(token), settings.api_token_sha256):
        raise Problem(401, "unauthorized", "a bearer token is required", headers={"www-authenticate": "Bearer"})


def _parse(request: Request, body: bytes) -> RequestBody:
    if media_type(request) != "application/json":
        raise Problem(415, "invalid_request", "the body is sent as application/json")
    try:
        value: dict[str, Any] = json.loads_object(body)
        return RequestBody.model_validate(value)
    except Malformed as error:
        raise Problem(400, "invalid_json", error.detail) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Problem(400, "invalid_request", f"/{'/'.join(map(str, first['loc']))}: {first['msg']}") from error
