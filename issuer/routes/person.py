"""What a person's browser asks for: to sign in, and to come back from it. Answers are redirects (303) or pages, never JSON.

Nobody is redirected anywhere before the request was found under its `request_uri` (VCI-AUTHZ-9); then to the provider, and
from there to the redirect URI that was checked when the request was pushed.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from issuer import authorizing
from issuer.authorizing import AGREED, Question, Stopped
from issuer.institutions import Institution
from issuer.pages import STYLE, page
from issuer.pages.words import ENDINGS, LANGUAGES, language_of
from issuer.routes.wallet.door import count
from issuer.service import Service
from vc.encoding import base64url
from vc.errors import Malformed, VcError
from vc.openid4vci.authorization import parse_authorize, response_url
from vc.openid4vci.errors import plain

Handler = Callable[[Request, Service, Institution], Awaitable[Response]]
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_FIELDS = 50
_THREADS = 8
_waiting: dict[str, ThreadPoolExecutor] = {}
_Found = TypeVar("_Found")
_log = structlog.get_logger("issuer")


def for_people(name: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """`handler` for the institution in the path, if people sign in there; what stops it becomes a page."""

    async def run(request: Request) -> Response:
        service: Service = request.app.state.service
        institution = service.institution(request.path_params["institution"])
        if institution is None or not institution.profile.authorization_code:
            return _stopped(request, service, None, Stopped("not_here"))
        if request.method != "GET" or "prefetch" in request.headers.get("sec-purpose", ""):
            return Response(status_code=204)  # a look ahead by a browser or a chat program must not use up the link
        try:
            return await handler(request, service, institution)
        except VcError as exc:
            stopped = exc if isinstance(exc, Stopped) else Stopped("request_invalid")
            _log.info("refused", institution=institution.id, endpoint=name, code=exc.code, page=stopped.code)
            count(service, institution, name, stopped.code)
        except DBAPIError as exc:
            _log.error("database_unavailable", kind=type(exc.orig).__name__)
            stopped = Stopped("busy")
        return _stopped(request, service, institution, stopped)

    return run


async def authorize(request: Request, service: Service, institution: Institution) -> Response:
    """Authorization endpoint: only what was pushed is taken (VCI-AUTHZ-4). The browser gets its cookie and goes to sign in."""
    client_id, request_uri = parse_authorize(_query(request))
    browser = _browser(request, service) or base64url.encode(service.random_bytes(32))
    now = service.clock()
    url = await aside(
        institution.id,
        lambda: authorizing.begin(service, institution, client_id=client_id, request_uri=request_uri, browser=browser, now=now),
    )
    answer = _redirect(url)
    answer.set_cookie(
        _cookie(service),
        browser,
        max_age=service.settings.sign_in_seconds,
        path="/",
        secure=_is_secure(service),
        httponly=True,
        samesite="lax",  # sent when the provider sends the browser back, by GET, and at no other call from elsewhere
    )
    return answer


async def callback(request: Request, service: Service, institution: Institution) -> Response:
    """The provider's answer, brought by the browser that began; then back to the wallet."""
    pairs = _query(request)
    if len(dict(pairs)) != len(pairs):
        raise Malformed("request", "a parameter is there twice")
    browser, now = _browser(request, service) or "", service.clock()
    found = await aside(institution.id, lambda: authorizing.come_back(service, institution, dict(pairs), browser=browser, now=now))
    return _redirect(found) if isinstance(found, str) else _question(request, service, institution, found)


async def agreed(request: Request, service: Service, institution: Institution) -> Response:
    """The person said that the wallet is theirs. The address is known to the page that asked, and good in its browser only."""
    state = dict(_query(request)).get("state", "")
    browser = _browser(request, service) or ""
    return _redirect(authorizing.agree(service, institution, state, browser=browser, now=service.clock()))


async def aside(institution_id: str, call: Callable[[], _Found]) -> _Found:
    """The result of a call that may wait for a provider, in threads of the institution's own: one that hangs holds up no other."""
    if institution_id not in _waiting:
        _waiting[institution_id] = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"sign-in {institution_id}")
    return await asyncio.get_running_loop().run_in_executor(_waiting[institution_id], call)


async def style(request: Request) -> Response:
    """The style sheet of the pages."""
    return Response(STYLE, headers={"cache-control": "public, max-age=3600"}, media_type="text/css")


def _question(request: Request, service: Service, institution: Institution, question: Question) -> Response:
    language = language_of(request.headers.get("accept-language", ""))
    return page(
        LANGUAGES[language]["question"],
        language=language,
        name=institution.name,
        demo=service.settings.profile == "demo",
        wallet_url=f"{institution.credential_issuer}/{AGREED}?{urlencode({'state': question.state})}",
        host=question.host,
        status=200,
    )


def _redirect(url: str) -> Response:
    return RedirectResponse(url, status_code=303, headers={"cache-control": "no-store"})  # VCI-AUTHZ-9: never 307


def _stopped(request: Request, service: Service, institution: Institution | None, stopped: Stopped) -> Response:
    ending, language = ENDINGS[stopped.code], language_of(request.headers.get("accept-language", ""))
    wallet_url = None
    if institution is not None and stopped.authorization is not None:
        wallet_url = response_url(
            stopped.authorization.redirect_uri,
            error=ending.error,
            description=plain(ending.description),
            state=stopped.authorization.state,
            iss=institution.credential_issuer,
        )
    return page(
        LANGUAGES[language][stopped.code],
        language=language,
        name="Portadoc" if institution is None else institution.name,
        demo=service.settings.profile == "demo",
        wallet_url=wallet_url,
        status=ending.status,
    )


def _query(request: Request) -> list[tuple[str, str]]:
    """The parameters in order. Raises `Malformed("request")` for what is no query, or one too long."""
    query = request.url.query
    if not query:
        return []
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as exc:
        raise Malformed("request", "the query is none") from exc


def _is_secure(service: Service) -> bool:
    return service.settings.base_url.startswith("https://")


def _cookie(service: Service) -> str:
    """RFC 6265bis §4.1.3.2: the prefix keeps other hosts from setting it; it needs https, which a loopback demo has not."""
    return "__Host-portadoc-sign-in" if _is_secure(service) else "portadoc-sign-in"


def _browser(request: Request, service: Service) -> str | None:
    """The secret of this browser, if it has one of ours."""
    value = request.cookies.get(_cookie(service), "")
    return value if _BROWSER.fullmatch(value) else None
