"""The doors of the provider: for the client (discovery, keys, token) and for the browser (the sign-in and its page; no script)."""

import re
import secrets
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from edge.inbound import form
from vc.encoding import json
from vc.errors import Malformed
from vc.openid4vci import pkce
from vc.openid4vci.authorization_response import response_url
from verifier.openid_provider import paths
from verifier.openid_provider.claims import CLAIMS
from verifier.openid_provider.metadata import key_set, metadata
from verifier.openid_provider.registry import Provider
from verifier.openid_provider.request import NoClient, RequestRefused, parse
from verifier.openid_provider.sign_in import OtherBrowser, SignIn, Stage, Step
from verifier.openid_provider.token import TokenEndpoint
from verifier.pages import display
from verifier.problems import Problem
from verifier.qr import data_uri
from verifier.routes import Body, media_type
from verifier.routes.pages import Page
from verifier.store.authorizations import Authorization

_FORM = "application/x-www-form-urlencoded"
_SESSION = re.compile(r"[A-Za-z0-9_-]{32,128}\Z")
_SESSION_BYTES = 32
_MAX_CODE = 512


def routes(issuer: str, provider: Provider, sign_in: SignIn, tokens: TokenEndpoint, page: Page) -> APIRouter:
    """Everything below `paths`."""
    router, https = APIRouter(), issuer.startswith("https://")
    cookie = "__Host-portadoc_sign_in" if https else "portadoc_sign_in"
    published = {paths.DISCOVERY: json.dumps(metadata(issuer, provider)), paths.JWKS: json.dumps(key_set(provider))}

    def to_publish(content: bytes) -> Response:
        headers = {"cache-control": "public, max-age=300"}
        return Response(content=content, media_type="application/json", headers=headers)

    def session(request: Request) -> str | None:
        found = request.cookies.get(cookie, "")
        return found if _SESSION.match(found) else None

    def begin(request: Request, raw: bytes) -> Response:
        try:
            asked = parse(form(raw), provider.clients)
            mine = session(request) or secrets.token_urlsafe(_SESSION_BYTES)
            made = sign_in.begin(asked, mine)
        except (Malformed, NoClient) as error:
            text = error.text if isinstance(error, NoClient) else f"The request is not well formed: {error.detail}."
            return page("sign_in_problem.html", 400, text=text)
        except RequestRefused as error:
            told = {"error": error.code, "description": error.text}
            return RedirectResponse(response_url(error.redirect_uri, iss=issuer, state=error.state, **told), status_code=303)
        # Lax: the browser comes from the client and, later, from the wallet; both are top-level navigations elsewhere began.
        answer = RedirectResponse(f"{paths.SIGN_IN}/{made.authorization_id}", status_code=303)
        answer.set_cookie(cookie, mine, httponly=True, samesite="lax", secure=https, path="/")
        return answer

    @router.get(paths.DISCOVERY)
    def discovery() -> Response:
        return to_publish(published[paths.DISCOVERY])

    @router.get(paths.JWKS)
    def keys() -> Response:
        return to_publish(published[paths.JWKS])

    @router.get(paths.AUTHORIZE)
    def authorize(request: Request) -> Response:
        return begin(request, request.scope["query_string"])

    @router.post(paths.AUTHORIZE)
    def authorize_by_post(request: Request, body: Body) -> Response:
        return begin(request, body if media_type(request) == _FORM else b"")

    @router.get(paths.SIGN_IN + "/{authorization_id}")
    def show(authorization_id: str, request: Request) -> Response:
        if _ahead(request):
            return Response(status_code=204)
        step = sign_in.look(authorization_id, session(request))
        if step is None:
            return page("sign_in_problem.html", 404, text=_GONE)
        if step.stage is Stage.SIGNED_IN:
            return RedirectResponse(step.location, status_code=303)
        return page("sign_in.html", **_shown(step))

    @router.get(paths.RETURN)
    def come_back(request: Request) -> Response:
        if _ahead(request):
            return Response(status_code=204)
        try:
            code = form(request.scope["query_string"]).get("response_code", "")
            step = sign_in.returned(code, session(request)) if 0 < len(code) <= _MAX_CODE else None
        except Malformed:
            step = None
        except OtherBrowser:
            return page("sign_in_problem.html", 403, text=_OTHER_BROWSER)
        if step is None:
            return page("sign_in_problem.html", 404, text=_GONE)
        page_of_it = f"{paths.SIGN_IN}/{step.authorization.authorization_id}"
        return RedirectResponse(step.location if step.stage is Stage.SIGNED_IN else page_of_it, status_code=303)

    @router.post(paths.TOKEN)
    def token(request: Request, body: Body) -> Response:
        if media_type(request) != _FORM:
            raise Problem(400, "invalid_request", f"the body is sent as {_FORM}")
        try:
            fields = form(body)
        except Malformed as error:
            raise Problem(400, "invalid_request", error.detail) from error
        answer = tokens.answer(request.headers.get("authorization"), fields)
        return Response(content=json.dumps(answer), media_type="application/json")

    return router


_GONE = (
    "There is no such sign-in here. It was finished, its time is over, or it began in another browser. "
    "Go back to the service you came from and sign in again."
)
_OTHER_BROWSER = (
    "This sign-in began in another browser than the one your wallet opened. If it was you, go back to that browser and scan its "
    "code with the wallet. If you were sent a link or a code by somebody else, do nothing: they may have tried to sign in as you."
)


def _ahead(request: Request) -> bool:
    """Whether a browser only looks ahead; that must not use up what works once."""
    return "prefetch" in request.headers.get("sec-purpose", "")


def _shown(step: Step) -> dict[str, Any]:
    """What the page of a sign-in shows."""
    found, waiting = step.authorization, step.stage is Stage.WAITING
    return {
        "stage": step.stage.value,
        "client": step.client.name,
        "host": found.redirect_uri.split("/")[2],
        "claims": [CLAIMS[name].label for name in step.client.claims],
        "link": step.link,
        "qr": data_uri(step.code_link) if waiting else "",
        "expires_at": found.expires_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "reasons": (step.verdict or {}).get("reasons", []),
        "error": display.wallet_error(step.error) if step.error is not None else None,
        "again": _again(found),
        "back": step.location,
    }


def _again(found: Authorization) -> str:
    """The address that begins the same sign-in anew."""
    asked = {
        "client_id": found.client_id,
        "redirect_uri": found.redirect_uri,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": found.code_challenge,
        "code_challenge_method": pkce.METHOD,
        **({} if found.state is None else {"state": found.state}),
        **({} if found.nonce is None else {"nonce": found.nonce}),
    }
    return f"{paths.AUTHORIZE}?{urlencode(asked)}"
