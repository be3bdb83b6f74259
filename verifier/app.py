"""Wiring: settings and the outside world in, one ASGI application out. Importing it does nothing."""

from fastapi import APIRouter, FastAPI, Request, Response
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from edge.inbound import guard
from vc.clock import Clock
from verifier import problems
from verifier.answering import Answering
from verifier.asking import Asking, RandomBytes
from verifier.openid_provider import routes as openid_provider
from verifier.openid_provider.registry import Provider
from verifier.openid_provider.sign_in import SignIn
from verifier.openid_provider.token import TokenEndpoint
from verifier.problems import Problem
from verifier.routes import api, pages, wallet
from verifier.routes import trust as trust_routes
from verifier.settings import Settings
from verifier.sources import StatusSource, TrustSource
from verifier.store.authorizations import Authorizations
from verifier.store.transactions import Transactions

_RESPONSE_LIMIT = 1 << 20  # direct_post (SECURITY 4.2)
_BODY_LIMIT = 256 << 10


def create_app(
    settings: Settings,
    engine: Engine,
    *,
    trust: TrustSource,
    status: StatusSource,
    clock: Clock,
    random_bytes: RandomBytes,
    known: trust_routes.Known | None = None,
) -> ASGIApp:
    """The verifier behind its guarded door. Any number of these may share one database.

    `known`: the trust lists as they stand; with it they can be asked and looked at over HTTP."""
    transactions = Transactions(engine)
    asking = Asking(settings, transactions, clock=clock, random_bytes=random_bytes)
    answering = Answering(settings, transactions, trust=trust, status=status, clock=clock, random_bytes=random_bytes)
    app = FastAPI(title="Portadoc verifier", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return _answer(request, error.status, error.code, error.text, error.headers)

    @app.exception_handler(HTTPException)
    async def plumbing(request: Request, error: HTTPException) -> Response:
        code = "not_found" if error.status_code == 404 else "invalid_request"
        return _answer(request, error.status_code, code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(SQLAlchemyError)
    async def storage(request: Request, error: SQLAlchemyError) -> Response:
        if not isinstance(error, DBAPIError | PoolTimeout):
            raise error
        # O-7: the database is locked, full or away; nothing was half done, so the same call may be made again
        return _answer(request, 503, "temporarily_unavailable", "try again in a moment", {"retry-after": "2"})

    @app.get("/healthz")
    def healthz() -> Response:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return Response(content=b'{"status":"ok"}', media_type="application/json")

    app.include_router(wallet.routes(asking, answering))
    app.include_router(api.routes(settings, asking, answering))
    app.include_router(pages.routes(settings, asking, answering))
    if known is not None:
        app.include_router(trust_routes.routes(settings, known, clock))
    if settings.openid_provider is not None:
        app.include_router(_sign_in(settings, settings.openid_provider, engine, asking, clock=clock, random_bytes=random_bytes))
    return guard(app, body_limit=_limit, problem=problems.render)


def _sign_in(
    settings: Settings, provider: Provider, engine: Engine, asking: Asking, *, clock: Clock, random_bytes: RandomBytes
) -> APIRouter:
    """The verifier as OpenID Provider, whose issuer identifier is its base URL."""
    issuer, authorizations = settings.base_url, Authorizations(engine)
    transactions = Transactions(engine)
    sign_in = SignIn(issuer, provider, authorizations, transactions, asking, clock=clock, random_bytes=random_bytes)
    tokens = TokenEndpoint(issuer, provider, authorizations, clock=clock, random_bytes=random_bytes)
    return openid_provider.routes(issuer, provider, sign_in, tokens, pages.renderer(settings))


def _limit(path: str) -> int:
    return _RESPONSE_LIMIT if path.startswith("/oid4vp/") and path.endswith("/response") else _BODY_LIMIT


def _answer(request: Request, status: int, code: str, text: str, headers: dict[str, str]) -> Response:
    media_type, body = problems.render(request.url.path, status, code, text)
    return Response(content=body, status_code=status, media_type=media_type, headers=headers)
