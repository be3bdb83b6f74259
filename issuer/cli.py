"""`portadoc issuer …`: offer, revoke and look at documents through the institution API of a running demo; serve and migrate."""

from pathlib import Path
from typing import Annotated, Any, NoReturn, get_args

import typer

from issuer.demo_client import CommandFailed, DemoClient, read_submission
from issuer.reasons import Reason
from vc.encoding import json

app = typer.Typer(help="Issue documents to wallets, withdraw them, run the service.", no_args_is_help=True)

_StateOption = Annotated[
    Path | None, typer.Option("--state", envvar="PORTADOC_STATE", help="State directory of the running demo (holds demo.json).")
]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
_REASONS = ", ".join(get_args(Reason))
_FORMATS = {"dc+sd-jwt": ["dc+sd-jwt"], "mso_mdoc": ["mso_mdoc"], "both": ["dc+sd-jwt", "mso_mdoc"]}


@app.command()
def offer(
    *,
    institution: Annotated[str, typer.Option(help="Institution id, or auto: by the document's country and type.")],
    document: Annotated[Path, typer.Option(help="JSON file: one entry with identity and document_data, or a list of entries.")],
    case: Annotated[str | None, typer.Option(help="Which entry of a list, by its id.")] = None,
    format: Annotated[str, typer.Option(help="dc+sd-jwt, mso_mdoc or both.")] = "both",
    profile: Annotated[str | None, typer.Option(help="Shape of the SD-JWT VC, such as dc4eu-1.")] = None,
    by_value: Annotated[bool, typer.Option("--by-value", help="Put the whole offer into the link.")] = False,
    hold: Annotated[bool, typer.Option("--hold", help="Promise the credentials; give them only after `release`.")] = False,
    state: _StateOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Put a document on record and offer it to its holder."""
    formats = _FORMATS.get(format)
    if formats is None:
        _fail(CommandFailed(3, "--format is dc+sd-jwt, mso_mdoc or both"))
    try:
        submission = read_submission(document, case)
        with DemoClient.open(state) as client:
            chosen = client.choose(institution, submission)
            wishes = {**({"profile": profile} if profile else {}), **({"hold": True} if hold else {})}
            created = client.post(chosen, "/documents", {**submission, **wishes})
            wanted: dict[str, Any] = {"formats": formats, "by_value": by_value}
            offered = client.post(chosen, f"/documents/{created['document_id']}/offers", wanted)
    except CommandFailed as exc:
        _fail(exc)
    result = {
        "institution": chosen["id"],
        **{
            name: offered[name]
            for name in ("document_id", "offer_id", "credential_offer_uri", "tx_code", "expires_at", "qr_svg", "qr_png")
        },
    }
    _show(result, as_json, f"{result['credential_offer_uri']}\ntransaction code: {result['tx_code']}")


@app.command()
def release(document_id: str, state: _StateOption = None, as_json: _JsonOption = False) -> None:
    """Let wallets have the credentials of a held document."""
    _decide(document_id, "release", {}, state, as_json)


@app.command()
def refuse(
    document_id: str,
    *,
    reason: Annotated[str, typer.Option(help="A word of the institution's own: a-z, 0-9 and _; wallets are not told.")],
    state: _StateOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Give no credential of a held document, for good."""
    _decide(document_id, "refusal", {"reason": reason}, state, as_json)


def _decide(document_id: str, operation: str, body: dict[str, Any], state: Path | None, as_json: bool) -> None:
    try:
        with DemoClient.open(state) as client:
            result = client.post(client.owner(document_id), f"/documents/{document_id}/{operation}", body)
    except CommandFailed as exc:
        _fail(exc)
    _show(result, as_json, f"{result['type']} {result['hold'] or 'released'}")


@app.command()
def revoke(
    document_id: str,
    *,
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(get_args(Reason))}.")] = "unspecified",
    effective_from: Annotated[str | None, typer.Option(help="RFC 3339 date or date-time; if ahead, the status turns then.")] = None,
    state: _StateOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Withdraw a document and every credential of it, for good."""
    try:
        with DemoClient.open(state) as client:
            owner = client.owner(document_id)
            body = {"reason": reason, **({"effective_from": effective_from} if effective_from else {})}
            result = client.post(owner, f"/documents/{document_id}/revocation", body)
    except CommandFailed as exc:
        _fail(exc)
    _show(result, as_json, f"{result['state']} from {result['status_changes_at']}")


@app.command()
def status(document_id: str, state: _StateOption = None, as_json: _JsonOption = False) -> None:
    """Show a document's state, its credentials and its history."""
    try:
        with DemoClient.open(state) as client:
            owner = client.owner(document_id)
            found = client.get(owner, f"/documents/{document_id}")
            events = client.get(owner, f"/documents/{document_id}/history")["events"]
    except CommandFailed as exc:
        _fail(exc)
    shown = {name: value for name, value in found.items() if name not in ("document", "identity", "paper_only")}
    result = {"institution": owner["id"], **shown, "history": events}
    lines = [
        " ".join(filter(None, (found["type"], found["state"], found["hold"]))),
        *(f"{event['at']}  {event['event']}" for event in events),
    ]
    _show(result, as_json, "\n".join(lines))


@app.command()
def serve(settings: Annotated[Path, typer.Option(help="Settings file (JSON).")]) -> None:
    """Run the service until it is stopped."""
    from issuer.serving import serve as run  # noqa: PLC0415 — the other commands need neither web server nor database
    from issuer.settings import SettingsError  # noqa: PLC0415

    try:
        run(settings)
    except SettingsError as exc:
        _fail(CommandFailed(3, str(exc)))


@app.command()
def migrate(settings: Annotated[Path, typer.Option(help="Settings file (JSON).")]) -> None:
    """Bring the database to the schema of this version."""
    from issuer.serving import migrate as run  # noqa: PLC0415
    from issuer.settings import SettingsError  # noqa: PLC0415

    try:
        run(settings)
    except SettingsError as exc:
        _fail(CommandFailed(3, str(exc)))
    typer.echo("the database is up to date", err=True)


@app.command()
def after_restore(settings: Annotated[Path, typer.Option(help="Settings file (JSON).")]) -> None:
    """After a restore from a backup: close all status lists, so that no index is given out a second time."""
    from issuer.serving import close_lists  # noqa: PLC0415
    from issuer.settings import SettingsError  # noqa: PLC0415

    try:
        closed = close_lists(settings)
    except SettingsError as exc:
        _fail(CommandFailed(3, str(exc)))
    typer.echo(f"{closed} status list(s) closed; new credentials go into new lists", err=True)


def _show(result: dict[str, Any], as_json: bool, text: str) -> None:
    typer.echo(json.dumps(result).decode() if as_json else text)


def _fail(failure: CommandFailed) -> NoReturn:
    typer.echo(f"issuer: {failure}", err=True)
    for line in failure.lines:
        typer.echo(f"  {line}", err=True)
    raise typer.Exit(failure.exit_code)
