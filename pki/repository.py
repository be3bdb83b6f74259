"""`python -m pki.repository --folder DIR --port N`: what certificates and attestations point at."""

import argparse
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge import logs
from edge.inbound import guard
from edge.serve import run
from vc.encoding import json

_MEDIA_TYPES = {
    ".cer": "application/pkix-cert",
    ".crl": "application/pkix-crl",
    ".statuslist": "application/statuslist+jwt",
    ".txt": "text/plain; charset=utf-8",
}
_HEADERS = {"cache-control": "max-age=300"}
"""A revocation shall be seen soon; what clients keep is bounded by the next update anyway."""


def create_app(folder: Path) -> ASGIApp:
    """The ASGI application over the files of `folder` (RFC 5280 §4.2.2.1, §4.2.1.13), as they are at the time; nothing else is
    served. A name is looked for among those that are there, never made into a path."""

    def file(request: Request) -> Response:
        name = request.path_params["name"]
        path = next((path for path in folder.iterdir() if path.name == name and not name.startswith(".")), None)
        if path is None or path.suffix not in _MEDIA_TYPES:
            return _not_found()
        return Response(path.read_bytes(), media_type=_MEDIA_TYPES[path.suffix], headers=_HEADERS)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def missing(_: Request, __: Exception) -> Response:
        return _not_found()

    app = Starlette(routes=[Route("/healthz", health), Route("/{name}", file)], exception_handlers={404: missing})
    return guard(app, body_limit=lambda _: 0, problem=_problem)


def _not_found() -> Response:
    media_type, body = _problem("", 404, "not_found", "there is no such file")
    return Response(body, status_code=404, media_type=media_type)


def _problem(_: str, status: int, code: str, text: str) -> tuple[str, bytes]:
    return "application/problem+json", json.dumps({"type": "about:blank", "status": status, "title": code, "detail": text})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pki.repository", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    serve(arguments.folder, port=arguments.port)


def serve(folder: Path, *, port: int) -> None:
    """Serve until stopped, on loopback."""
    logs.configure()
    run(create_app(folder), host="127.0.0.1", port=port)


if __name__ == "__main__":
    main()
