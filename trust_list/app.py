"""The publisher on the network: current and past editions, for programs and for people. It reads the directory at each
request, so a new edition is served at once; it holds no key and changes nothing.
"""

from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge.inbound import guard
from trust_list.pages.routes import MAX_FORM, Pages
from trust_list.profiles import names
from trust_list.store import Edition, Publisher, directory
from vc.clock import Clock
from vc.encoding import json

_IMMUTABLE = "public, max-age=31536000, immutable"


class _Number(Convertor[int]):
    """A version or edition in an address, no longer than the largest there can be (`model.MAX_SEQUENCE`)."""

    regex = "[0-9]{1,16}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("number", _Number())


def _system_clock() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def create_app(state_dir: Path, *, clock: Clock = _system_clock) -> ASGIApp:
    """The ASGI application over `state_dir` (see `store.directory`). `clock` is for the page that says what has run out."""
    publisher = Publisher(directory(state_dir))
    folder = Path(__file__).parent / "pages"
    style = (folder / "style.css").read_bytes() + (folder / "path.css").read_bytes()
    pages = Pages(publisher, clock, lambda: _max_age(publisher))

    def current(request: Request, *, jws: bool) -> Response:
        list_id = request.path_params["list_id"]
        edition = publisher.latest(list_id) if list_id in names() else None
        return _edition(request, edition, jws=jws, cache=f"public, max-age={_max_age(publisher)}")

    def latest_jws(request: Request) -> Response:
        return current(request, jws=True)

    def latest_json(request: Request) -> Response:
        return current(request, jws=False)

    def past(request: Request) -> Response:
        list_id = request.path_params["list_id"]
        latest = publisher.latest(list_id) if list_id in names() else None
        wanted = request.path_params["sequence"]
        edition = publisher.edition(list_id, wanted) if latest is not None and wanted <= latest.sequence else None
        return _edition(request, edition, jws=True, cache=_IMMUTABLE)

    def root(request: Request) -> Response:
        path = publisher.root / "trust-root.json"
        if not path.is_file():
            return _not_found()
        return Response(path.read_bytes(), media_type="application/json", headers={"cache-control": "public, max-age=60"})

    def root_version(request: Request) -> Response:
        """One signed version of the trust root, for verifiers that follow the chain (`root_chain`)."""
        path = publisher.root / "root" / f"{request.path_params['version']}.jws"
        if not path.is_file():
            return _not_found()
        return Response(path.read_bytes(), media_type="application/jose+json", headers={"cache-control": _IMMUTABLE})

    def css(_: Request) -> Response:
        return Response(style, media_type="text/css", headers={"cache-control": "public, max-age=3600"})

    def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    routes = [
        Route("/healthz", health),
        Route("/style.css", css),
        Route("/trust-root.json", root),
        Route("/root/{version:number}.jws", root_version),
        Route("/lists/{list_id}.jws", latest_jws),
        Route("/lists/{list_id}.json", latest_json),
        Route("/lists/{list_id}/{sequence:number}.jws", past),
        *pages.routes(),
    ]
    app = Starlette(routes=routes, exception_handlers={404: _missing, 405: _wrong_method})
    return guard(app, body_limit=lambda path: MAX_FORM if path == "/explain" else 0, problem=_problem)


def _edition(request: Request, edition: Edition | None, *, jws: bool, cache: str) -> Response:
    """An edition with its validator; 304 when the caller has these very bytes (RFC 9110 §13.1.2)."""
    if edition is None:
        return _not_found()
    etag = f'"{edition.etag}"' if jws else f'"{edition.etag}-json"'
    headers = {"etag": etag, "cache-control": cache}
    offered = {value.strip().removeprefix("W/") for value in request.headers.get("if-none-match", "").split(",")}
    if etag in offered or "*" in offered:
        return Response(status_code=304, headers=headers)
    if jws:
        return Response(edition.jws, media_type="application/jose", headers=headers)
    return Response(edition.payload, media_type="application/json", headers=headers)


def _max_age(publisher: Publisher) -> int:
    """Seconds a cache may keep the current edition: at most four hours (TRUST 2)."""
    configured = publisher.config().get("max_age_seconds")
    return min(configured, 4 * 3600) if isinstance(configured, int) and configured >= 0 else 60


def _problem(_: str, status: int, code: str, text: str) -> tuple[str, bytes]:
    return "application/problem+json", json.dumps({"type": "about:blank", "status": status, "title": code, "detail": text})


def _not_found() -> Response:
    content_type, body = _problem("", 404, "not_found", "there is no such list or edition")
    return Response(body, status_code=404, media_type=content_type)


async def _missing(_: Request, __: Exception) -> Response:
    return _not_found()


async def _wrong_method(_: Request, __: Exception) -> Response:
    content_type, body = _problem("", 405, "method_not_allowed", "lists are read with GET")
    return Response(body, status_code=405, media_type=content_type, headers={"allow": "GET, HEAD"})
