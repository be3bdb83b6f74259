"""The pages: choose what to check, show the code, show the verdict. Plain HTML, no script; a browser sees only its own requests."""

import secrets
from importlib.resources import files
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from edge.inbound import form
from vc.documents.country import NAMES
from vc.errors import Malformed, Refused
from verifier.answering import Answering
from verifier.asking import Asking, Question
from verifier.digest import digest_of
from verifier.pages import display
from verifier.purposes import PURPOSES
from verifier.qr import data_uri
from verifier.question import QuestionInvalid, read
from verifier.routes import Body, media_type
from verifier.settings import Settings

COOKIE = "portadoc_session"
_SESSION_BYTES = 24


def environment() -> Environment:
    """The templates; everything is escaped, an unknown name is an error, foreign text goes through `shown` (V-13)."""
    loader = ChoiceLoader([PackageLoader("verifier", "pages"), PackageLoader("trust_list", "pages")])  # the latter draws paths
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    made.filters["shown"] = display.shown
    return made


class Page(Protocol):
    """Makes the page of a template; `values` are what it shows."""

    def __call__(self, template: str, status: int = 200, **values: Any) -> HTMLResponse: ...


def renderer(settings: Settings) -> Page:
    """Pages that carry what every page of this service says."""
    templates = environment()
    known = {
        "name": settings.name,
        "demo": settings.profile == "demo",
        "retention_minutes": settings.result_retention_seconds // 60,
    }

    def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(templates.get_template(template).render(**known, **values), status_code=status)

    return page


def routes(settings: Settings, asking: Asking, answering: Answering) -> APIRouter:
    """Start page, request and verdict page, style sheet."""
    router, page = APIRouter(), renderer(settings)
    sheets = (files("verifier").joinpath("pages/verifier.css"), files("trust_list").joinpath("pages/path.css"))
    style = b"".join(sheet.read_bytes() for sheet in sheets)

    def start_page(status: int = 200, problem: str | None = None) -> HTMLResponse:
        countries = sorted(NAMES.items(), key=lambda item: item[1].removeprefix("the "))
        return page("start.html", status, purposes=PURPOSES.values(), countries=countries, problem=problem)

    @router.get("/")
    def start() -> Response:
        return start_page()

    @router.post("/requests")
    def create(request: Request, body: Body) -> Response:
        session = request.cookies.get(COOKIE) or secrets.token_urlsafe(_SESSION_BYTES)
        try:
            fields = form(body) if media_type(request) == "application/x-www-form-urlencoded" else {}
            question = read(
                asking,
                purpose=fields.get("purpose", ""),
                host_country=fields.get("host_country", "?"),
                on=fields.get("on"),
                format=fields.get("format", "any"),
            )
            transaction = asking.ask(question, session_sha256=digest_of(session))
        except QuestionInvalid as error:
            return start_page(400, error.text)
        except (Malformed, Refused) as error:
            return start_page(400, error.detail)
        # A person's browser, not a wallet: see other, so that reloading does not ask twice.
        answer = RedirectResponse(f"/requests/{transaction.transaction_id}", status_code=303)
        answer.set_cookie(
            COOKIE, session, httponly=True, samesite="strict", secure=settings.base_url.startswith("https://"), path="/"
        )
        return answer

    @router.get("/requests/{transaction_id}")
    def show(transaction_id: str, request: Request) -> Response:
        session = request.cookies.get(COOKIE)
        found = answering.look_up(transaction_id, session_sha256=None if session is None else digest_of(session))
        if found is None:
            return page("gone.html", 404)
        transaction, result = found
        question = Question.from_json(transaction.question)
        if result["verdict"] is not None:
            return page(
                "verdict.html", **display.verdict(question.purpose.title, question.purpose.document_type, result["verdict"])
            )
        link, refusal = asking.link(transaction), result["last_refusal"]
        return page(
            "request.html",
            title=question.purpose.title,
            state=result["state"],
            link=link,
            qr=data_uri(link) if result["state"] == "pending" else "",
            asks_for=question.purpose.asks_for,
            place=NAMES.get(question.country or "", "no country named"),
            on=question.on.isoformat(),
            expires_at=transaction.expires_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
            refusal=None if refusal is None else refusal["description"],
            error=display.wallet_error(result["error"]),
        )

    @router.get("/static/verifier.css")
    def css() -> Response:
        return Response(content=style, media_type="text/css", headers={"cache-control": "public, max-age=3600"})

    return router
