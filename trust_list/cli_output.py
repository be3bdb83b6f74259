"""What the commands share: options, the one JSON document, exit codes.

0 done or trusted, 1 refused or not trusted, 2 cannot be determined, 3 wrong use.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from trust_list.model import read_time
from vc.encoding import json
from vc.errors import Refused, Unreachable, VcError

UNDETERMINED, WRONG_USE = 2, 3
_USAGE_CODES = frozenset(
    {"list_unknown", "not_initialised", "already_initialised", "trust_root_missing", "entity_unknown", "key_unknown", "time",
     "type_unknown", "certificate", "role", "mode", "config", "jades_profile", "profile_unknown", "description", "yaml",
     "yaml_alias", "yaml_tag", "yaml_depth", "yaml_duplicate_key"}
)  # fmt: skip

State = Annotated[Path, typer.Option("--state", envvar="PORTADOC_STATE", help="Publisher's directory, or that of a demo.")]
MaybeState = Annotated[Path | None, typer.Option("--state", envvar="PORTADOC_STATE", help="Directory that holds a trust root.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
ListId = Annotated[str, typer.Option("--list", help="pub-eaa, pid, wallet, wrpac, wrprc or registrars.")]
Stage = Annotated[bool, typer.Option("--stage", help="Change the draft only; `publish` makes the next edition.")]
Root = Annotated[Path | None, typer.Option("--trust-root", help="Trust root file (JSON).")]
CaFile = Annotated[Path | None, typer.Option("--ca-file", help="PEM of a further TLS root, such as a demo's.")]
Certificates = Annotated[list[Path], typer.Option("--certificate", help="PEM or DER file; repeat for further services.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="issuance or revocation, one for each --certificate.")]
Types = Annotated[list[str] | None, typer.Option("--type", help="pda1, ehic or pid: what may be issued; repeatable.")]
Formats = Annotated[list[str] | None, typer.Option("--format", help="dc+sd-jwt or mso_mdoc; all formats unless given; repeatable.")]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def time(text: str | None) -> datetime | None:
    try:
        return None if text is None else read_time(text)
    except ValueError as exc:
        raise Refused("time", "a time looks like 2026-11-24T12:00:00Z") from exc


def show(value: dict[str, Any], as_json: bool, lines: list[str]) -> None:
    if as_json:
        sys.stdout.write(json.dumps(value).decode("utf-8") + "\n")
    else:
        for line in lines:
            typer.echo(line)


def done(value: dict[str, Any], as_json: bool, text: str) -> None:
    show(value, as_json, [text])


@contextmanager
def errors(as_json: bool) -> Iterator[None]:
    """Turn what the commands raise into the exit codes and one sentence on stderr."""
    try:
        yield
    except VcError as exc:
        code = WRONG_USE if exc.code in _USAGE_CODES else UNDETERMINED if isinstance(exc, Unreachable) else 1
        fail(exc.code, str(exc), code, as_json)
    except OSError as exc:
        fail("file", f"{exc.filename}: {exc.strerror}", WRONG_USE, as_json)


def fail(code: str, text: str, exit_code: int, as_json: bool) -> NoReturn:
    typer.echo(text, err=True)
    if as_json:
        outcome = {1: "refused", UNDETERMINED: "undetermined", WRONG_USE: "wrong_use"}[exit_code]
        show({"outcome": outcome, "code": code, "detail": text}, True, [])
    raise typer.Exit(exit_code)
