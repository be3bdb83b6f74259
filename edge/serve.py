"""One way to run a service: uvicorn with uvloop and httptools, no access log, no server header."""

from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files of the server certificate (with intermediates) and its key."""

    certificate: Path
    key: Path


def run(app: ASGIApp, *, host: str, port: int, tls: TlsFiles | None = None) -> None:
    """Serve `app` until SIGINT or SIGTERM. The access log stays off: paths carry offer and transaction ids."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=5,
        limit_concurrency=1000,
        log_config=None,
        ssl_certfile=str(tls.certificate) if tls else None,
        ssl_keyfile=str(tls.key) if tls else None,
    )
