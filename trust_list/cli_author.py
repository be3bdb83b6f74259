"""Commands for those who write lists: lint a list, author one from a description, compare two editions."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509

from trust_list import authoring, description, editions, lint, sources, yaml_text
from trust_list.cli_output import AsJson, CaFile, Stage, State, errors, now, show
from trust_list.editions import Change
from trust_list.jades import MAX_JWS
from trust_list.jades_profiles import header_profile
from trust_list.lint import Fault
from trust_list.model import LoTE, parse, write_time
from trust_list.profiles import names, profile
from trust_list.store import Publisher, directory
from vc.errors import Malformed, Refused, VcError
from vc.jose import jws

app = typer.Typer()
_PEM = "-----BEGIN CERTIFICATE-----"


@app.command("lint")
def lint_list(
    source: Annotated[str, typer.Argument(help="File or http(s) address: the JSON of a list, or a sealed list; - for stdin.")],
    *,
    profile_id: Annotated[
        str | None,
        typer.Option("--profile", help="pub-eaa, pid, wallet, wrpac, wrprc or registrars; what the list says unless given."),
    ] = None,
    headers: Annotated[str, typer.Option("--jades", help="Header profile of the seal: baseline or aptitude.")] = "baseline",
    signer: Annotated[Path | None, typer.Option(help="Certificate (PEM or DER) the list is or will be sealed with.")] = None,
    previous: Annotated[str | None, typer.Option(help="The edition before, to check the succession too.")] = None,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Find everything that is wrong with a list, with clause and path. Exit code 1 when an error is among it."""
    with errors(as_json):
        chosen = header_profile(headers)
        data = sys.stdin.buffer.read(MAX_JWS + 1) if source == "-" else sources.read_list(source, ca_file)
        wanted = profile_id or _stated(data)
        certificate = sources.read_certificates(signer)[0] if signer is not None else None
        earlier = _lote(previous, ca_file) if previous is not None else None
        faults = lint.lint(data, profile(wanted), headers=chosen, signer=certificate, previous=earlier)
        forbidding = sum(fault.finding.severity == "error" for fault in faults)
        rows = [_fault(fault) for fault in faults]
        lines = [
            f"{row['severity']:<7} {row['clause']}  {row['part']} {row['path'] or '/'}  {row['code']}: {row['text']}"
            for row in rows
        ]
        warnings = len(rows) - forbidding
        told = {"profile": wanted, "outcome": "refused" if forbidding else "clean", "errors": forbidding, "warnings": warnings}
        show({**told, "findings": rows}, as_json, [*lines, f"{wanted}: {forbidding} error(s), {warnings} warning(s)"])
    if forbidding:
        raise typer.Exit(1)


@app.command()
def author(
    file: Annotated[Path, typer.Argument(help="Description of the whole list (YAML); certificates are named relative to it.")],
    *,
    state: State,
    stage: Stage = False,
    as_json: AsJson = False,
) -> None:
    """Make a list what a description says and publish it as its next edition; say what changed."""
    with errors(as_json):
        if file.stat().st_size > yaml_text.MAX_BYTES:
            raise Malformed("too_large", "the description is too long")
        wanted = description.read(file.read_bytes())
        home = directory(state)
        earlier = Publisher(home).latest(wanted.list)
        edition = authoring.author(home, wanted, _certificates(file.resolve().parent), now=now(), stage=stage)
        made = edition.lote if edition is not None else Publisher(home).draft(wanted.list)
        found = _changes(earlier.lote, made) if earlier is not None else ()
        facts: dict[str, Any] = {
            "list": wanted.list,
            "staged": edition is None,
            "sequence": edition.sequence if edition is not None else None,
            "sha256": edition.etag if edition is not None else None,
            "next_update": write_time(made.scheme.NextUpdate) if edition is not None and made.scheme.NextUpdate else None,
            "entities": len(made.entities),
            "changes": [_change(item) for item in found],
        }
        words = "the draft" if edition is None else f"edition {edition.sequence}"
        show(facts, as_json, [*(item.text for item in found), f"{wanted.list}: {words} has {len(made.entities)} entities"])


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="File or address of the earlier edition, JSON or sealed.")],
    after: Annotated[str, typer.Argument(help="File or address of the later edition.")],
    *,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two editions. Exit code 1 when the later one breaks a rule of succession.

    Seals are not checked: `verify` does that.
    """
    with errors(as_json):
        old, new = _lote(before, ca_file), _lote(after, ca_file)
        found = editions.changes(old, new)
        broken = editions.succession(old, new, profile(_list_id(new)))
        told = {
            "from": old.scheme.LoTESequenceNumber,
            "to": new.scheme.LoTESequenceNumber,
            "changes": [_change(item) for item in found],
            "findings": [{**_fault(Fault(part="list", finding=item)), "path": f"/LoTE{item.pointer}"} for item in broken],
        }
        lines = [item.text for item in found] or ["no difference"]
        show(told, as_json, [*lines, *(f"error   {item.clause}  /LoTE{item.pointer}  {item.code}: {item.text}" for item in broken)])
    if broken:
        raise typer.Exit(1)


def _changes(before: LoTE, after: LoTE) -> tuple[Change, ...]:
    """Without what changes in every edition."""
    usual = {f"/ListAndSchemeInformation/{name}" for name in ("LoTESequenceNumber", "ListIssueDateTime", "NextUpdate")}
    return tuple(item for item in editions.changes(before, after) if item.pointer not in usual)


def _change(item: Change) -> dict[str, Any]:
    return {
        "kind": item.kind, "what": item.what, "entity": item.entity, "path": f"/LoTE{item.pointer}",
        "before": item.before, "after": item.after,
    }  # fmt: skip


def _fault(fault: Fault) -> dict[str, Any]:
    found = fault.finding
    return {
        "severity": found.severity, "code": found.code, "clause": found.clause, "part": fault.part, "path": fault.path,
        "text": found.text,
    }  # fmt: skip


def _payload(data: bytes) -> bytes:
    if data.lstrip().startswith(b"{"):
        return data
    try:
        return jws.parse(data.decode("ascii").strip("\r\n"), max_length=MAX_JWS).payload
    except UnicodeDecodeError as exc:
        raise Malformed("jws", "neither the JSON of a list nor one compact JWS") from exc


def _lote(source: str, ca_file: Path | None) -> LoTE:
    return parse(_payload(sources.read_list(source, ca_file)))


def _list_id(lote: LoTE) -> str:
    for list_id in names():
        if profile(list_id).list_type == lote.scheme.LoTEType:
            return list_id
    raise Refused("list_type", "this is a list of a type that is not read here")


def _stated(data: bytes) -> str:
    """Which profile a list says it has. Raises `Refused("profile_unknown")` when that cannot be read off it."""
    try:
        return _list_id(parse(_payload(data)))
    except VcError as exc:
        raise Refused("profile_unknown", "the list does not say its type in a readable way: name it with --profile") from exc


def _certificates(folder: Path) -> description.ReadCertificates:
    """Reads PEM text as it stands, and everything else as the name of a file in `folder`."""

    def read(source: str) -> tuple[x509.Certificate, ...]:
        if source.lstrip().startswith(_PEM):
            return sources.certificates_of(source.encode("utf-8"))
        path = folder / source
        if not path.is_file():
            raise Malformed("certificate", "a certificate the description names is no file")
        return sources.read_certificates(path)[:1]

    return read
