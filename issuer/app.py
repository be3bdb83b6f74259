"""Wiring: routes, the door in front of them, errors into answers, and the cleaning that goes on beside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog
from fastapi import FastAPI, Request
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge.inbound import guard
from issuer import migrations, problems
from issuer.authorizing import AGREED, CALLBACK
from issuer.dpop_nonces import DpopNonces
from issuer.issuance import Issuance
from issuer.pages import STYLE_PATH
from issuer.problems import Problem
from issuer.routes import metadata, person, public
from issuer.routes.answers import answer, refusal
from issuer.routes.direct import direct
from issuer.routes.institution_api import models
from issuer.routes.institution_api.documents import router as institution_api
from issuer.routes.wallet import challenge, credential, deferred, nonce, notification, par, token
from issuer.routes.wallet.door import endpoint
from issuer.service import Service
from issuer.store import retention
from issuer.store.engine import reading, writing
from vc.encoding import json
from vc.errors import VcError
from vc.openid4vci.errors import plain

API = "/api/"
BODY_LIMIT = 256 * 1024  # SECURITY 4.2
_RETRY = {"retry-after": "5"}
_CLEANING_SECONDS = 60.0
_log = structlog.get_logger("issuer")


def create_app(service: Service) -> ASGIApp:
    """The issuer as an ASGI application over a migrated database. Raises RuntimeError when the schema is not the one expected."""
    if not migrations.is_current(service.engine):
        raise RuntimeError("the database has not the schema of this version; run the migration first")
    app = FastAPI(
        title="Portadoc institution API",
        version="1.0.0",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.service = service
    app.state.issuance = Issuance(service)
    app.state.dpop_nonces = DpopNonces(service)
    app.state.publications = metadata.Publications(service)
    app.include_router(institution_api)
    app.router.routes.extend(_protocol_routes())
    for kind, handler in _ERRORS.items():
        app.add_exception_handler(kind, handler)
    _describe(app)
    hot = {"token": token.redeem, "nonce": nonce.give, "credential": credential.issue}
    dispatch = direct(app, {name: endpoint(name, handler) for name, handler in hot.items()}, failure=_database)
    return guard(dispatch, body_limit=lambda path: BODY_LIMIT, problem=problem)


def problem(path: str, status: int, code: str, text: str) -> tuple[str, bytes]:
    """An error of the door in the shape of the endpoint behind it."""
    if path.startswith(API):
        return problems.MEDIA_TYPE, problems.document(status, code, text)
    return "application/json", json.dumps({"error": code, "error_description": plain(text)})


def _protocol_routes() -> list[Route]:
    """Bare routes: FastAPI's machinery would cost a third of the rate of the hot ones (PERFORMANCE section 4)."""
    get, post = ["GET"], ["POST"]
    return [
        Route("/healthz", _health, methods=get),
        *(
            Route(f"/.well-known/{name}/{{institution}}", endpoint("metadata", handler), methods=get)
            for name, handler in metadata.WELL_KNOWN.items()
        ),
        Route("/type-metadata/{vct}", _type_metadata, methods=get),
        Route("/type-metadata/{vct}/{profile}", _type_metadata, methods=get),
        Route("/{institution}/offers/{offer_id}", endpoint("offer", public.offer), methods=get),
        Route("/{institution}/offers/{offer_id}/qr.{kind}", endpoint("offer", public.offer_picture), methods=get),
        Route(STYLE_PATH, person.style, methods=get),
        Route("/{institution}/par", endpoint("par", par.push), methods=post),
        Route("/{institution}/authorize", person.for_people("authorize", person.authorize), methods=get),
        Route(f"/{{institution}}/{CALLBACK}", person.for_people("authorize", person.callback), methods=get),
        Route(f"/{{institution}}/{AGREED}", person.for_people("authorize", person.agreed), methods=get),
        Route("/{institution}/token", endpoint("token", token.redeem), methods=post),
        Route("/{institution}/nonce", endpoint("nonce", nonce.give), methods=post),
        Route("/{institution}/credential", endpoint("credential", credential.issue), methods=post),
        Route("/{institution}/deferred", endpoint("deferred", deferred.collect), methods=post),
        Route("/{institution}/challenge", endpoint("challenge", challenge.give), methods=post),
        Route("/{institution}/notification", endpoint("notification", notification.take), methods=post),
        Route("/{institution}/status", endpoint("status", public.aggregation), methods=get),
        Route("/{institution}/status/{list_id}", endpoint("status", public.status_list), methods=get),
        Route("/{institution}/certificates/{digest}.cer", endpoint("certificate", public.signing_certificate), methods=get),
    ]


async def _health(request: Request) -> Response:
    """Ready when the database answers and has the schema expected."""
    service: Service = request.app.state.service
    with reading(service.engine) as connection:
        connection.exec_driver_sql("SELECT 1 FROM issuer_documents LIMIT 1")
    return answer({"status": "ok"})


async def _type_metadata(request: Request) -> Response:
    return await public.type_document(request, request.app.state.service)


async def _problem(request: Request, exc: Problem) -> Response:
    return Response(exc.body(), exc.status, headers=exc.headers, media_type=problems.MEDIA_TYPE)


async def _core_error(request: Request, exc: VcError) -> Response:
    return await _problem(request, problems.of_error(exc))


async def _no_route(request: Request, exc: HTTPException) -> Response:
    code = {404: "not_found", 405: "method_not_allowed"}.get(exc.status_code, "invalid_request")
    content_type, body = problem(request.url.path, exc.status_code, code, "there is nothing here for this request")
    return Response(body, exc.status_code, headers=exc.headers, media_type=content_type)


async def _database(request: Request, exc: DBAPIError) -> Response:
    """The database is full, locked or away: the caller may come back, nothing is half made (SECURITY O-7)."""
    _log.error("database_unavailable", kind=type(exc.orig).__name__)
    if request.url.path.startswith(API):
        body = problems.document(503, "temporarily_unavailable", "the database does not answer at present")
        return Response(body, 503, headers=_RETRY, media_type=problems.MEDIA_TYPE)
    return refusal(503, "temporarily_unavailable", "the service cannot answer at present", _RETRY)


_ERRORS: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
    Problem: _problem,
    VcError: _core_error,
    HTTPException: _no_route,
    OperationalError: _database,
}


def _describe(app: FastAPI) -> None:
    """Name the error documents in the OpenAPI description: they are raised, so no route declares them."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        schema = describe()
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {}).setdefault("ProblemModel", models.ProblemModel.model_json_schema())
        components["securitySchemes"] = {"institution": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"institution": []}]
        return schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI documents this as the way to extend the description


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    cleaning = asyncio.create_task(_clean(app.state.service))
    try:
        yield
    finally:
        cleaning.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await cleaning
        await app.state.service.close()


async def _clean(service: Service) -> None:
    """Erase what is over, again and again; every worker does so, and none minds the others."""
    while True:
        try:
            await asyncio.to_thread(_purge, service)
        except DBAPIError as exc:
            _log.warning("cleaning_failed", kind=type(exc.orig).__name__)
        await asyncio.sleep(_CLEANING_SECONDS)


def _purge(service: Service) -> None:
    with writing(service.engine) as connection:
        retention.purge(connection, service.clock())
