"""`python -m verifier --settings FILE`: the service as one process."""

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from edge import logs, serve
from verifier.service import build
from verifier.settings import SettingsError, load

app = typer.Typer(add_completion=False)


@app.command()
def main(settings: Annotated[Path, typer.Option(help="Settings file (JSON).")]) -> None:
    """Serve until told to stop. A wrong setting or an old database schema stops the start with a sentence and exit code 3."""
    logs.configure()
    try:
        read = load(settings)
        built = build(read, clock=lambda: datetime.now(UTC).replace(microsecond=0), random_bytes=secrets.token_bytes)
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(3) from error
    tls = None if read.tls is None else serve.TlsFiles(certificate=read.tls[0], key=read.tls[1])
    serve.run(built, host=read.host, port=read.port, tls=tls)


if __name__ == "__main__":
    app()
