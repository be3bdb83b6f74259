"""Start the publisher's server with the listening address of its configuration."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.serve import TlsFiles, run
from trust_list.app import create_app
from trust_list.store import Publisher, directory
from vc.errors import Malformed


class _Tls(BaseModel):
    model_config = ConfigDict(extra="forbid")
    certificate: Path
    key: Path


class Listen(BaseModel):
    """Where to listen. Paths in `tls` are absolute or relative to the configuration file."""

    model_config = ConfigDict(extra="forbid")
    host: str
    port: int = Field(ge=1, le=65535)
    tls: _Tls | None = None


def listen(state_dir: Path) -> Listen:
    """The listening address. Raises `Malformed("config")` naming the member that is wrong."""
    try:
        return Listen.model_validate(Publisher(directory(state_dir)).config().get("listen"))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in ("listen", *first["loc"]))
        raise Malformed("config", f"{place}: {first['msg']}") from exc


def serve(state_dir: Path, *, host: str | None = None, port: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `host` and `port` override the configuration."""
    home, where = directory(state_dir), listen(state_dir)
    tls = TlsFiles(certificate=home / where.tls.certificate, key=home / where.tls.key) if where.tls else None
    run(create_app(state_dir), host=host or where.host, port=port or where.port, tls=tls)
