"""`portadoc verifier …`: ask a wallet, read the verdict, check an artefact by itself, run the service."""

import json as text_json
import logging
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from edge import logs
from edge.outbound import Fetched, FetchLimits, Outbound
from vc.encoding import json
from vc.errors import VcError
from verifier.verdict import EXIT_CODES, Outcome

# What only one command needs is imported there: asking and reading a verdict shall not wait for a web server and a database.
if TYPE_CHECKING:
    from verifier.lines import Asked
    from verifier.reader import Surroundings

app = typer.Typer(help="Ask wallets for documents, and check documents.", no_args_is_help=True, add_completion=False)
_POLL_SECONDS = 0.25
_MAX_FILE = 4 << 20

State = Annotated[Path | None, typer.Option("--state", envvar="PORTADOC_STATE", help="State directory of a running demo.")]
Service = Annotated[str | None, typer.Option("--verifier", help="Base URL of the verifier, instead of the demo's.")]
Token = Annotated[str | None, typer.Option("--api-token", envvar="PORTADOC_VERIFIER_TOKEN", help="Token of the verifier's API.")]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document.")]


@app.callback()
def _quiet() -> None:
    """Ask wallets for documents, and check documents."""
    logs.configure(sys.stderr, level=logging.WARNING)  # standard output carries the answer and nothing else


@app.command("request")
def make_request(
    *,
    purpose: Annotated[str, typer.Option(help="a1-inspection or ehic-care.")],
    host_country: Annotated[str | None, typer.Option(help="Country of the work or the treatment, e.g. DE.")] = None,
    on: Annotated[str | None, typer.Option(help="Day of the inspection or treatment, YYYY-MM-DD; today when absent.")] = None,
    format: Annotated[str, typer.Option(help="dc+sd-jwt, mso_mdoc or any.")] = "any",
    response_mode: Annotated[str, typer.Option(help="direct_post.jwt or direct_post.")] = "direct_post.jwt",
    request_uri_method: Annotated[str, typer.Option(help="get or post.")] = "get",
    client_id_prefix: Annotated[str | None, typer.Option(help="x509_hash or x509_san_dns.")] = None,
    state: State = None,
    verifier: Service = None,
    api_token: Token = None,
    as_json: Json = False,
) -> None:
    """Make a request for a wallet; prints the link to show as QR code and the transaction id to read the result with."""
    wanted = {
        "purpose": purpose,
        "host_country": host_country,
        "on": on,
        "format": format,
        "response_mode": response_mode,
        "request_uri_method": request_uri_method,
        "client_id_prefix": client_id_prefix,
    }
    with _Remote(_world(state), verifier, api_token) as remote:
        answer = remote.call("POST", "/api/v1/requests", {name: value for name, value in wanted.items() if value is not None})
    if as_json:
        _print(answer)
        return
    typer.echo(answer["request_uri"])
    typer.echo(f"transaction_id: {answer['transaction_id']}")
    typer.echo(f"expires_at: {answer['expires_at']}")


@app.command("result")
def show_result(
    transaction_id: str,
    *,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the wallet.")] = 0.0,
    state: State = None,
    verifier: Service = None,
    api_token: Token = None,
    as_json: Json = False,
) -> None:
    """The verdict of a request. Exit code 0 accepted, 1 refused, 2 cannot be determined (also: no answer yet), 3 wrong use."""
    deadline = time.monotonic() + wait
    with _Remote(_world(state), verifier, api_token) as remote:
        answer = remote.call("GET", f"/api/v1/requests/{transaction_id}")
        while answer["state"] == "pending" and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            answer = remote.call("GET", f"/api/v1/requests/{transaction_id}")
    verdict = answer.pop("verdict") or dict.fromkeys(("outcome", "validity", "document", "identity")) | {
        "reasons": [], "checks": [], "trust": {},
    }  # fmt: skip
    _show({**answer, **verdict}, as_json)
    if verdict["outcome"] is not None:
        raise typer.Exit(EXIT_CODES[Outcome(verdict["outcome"])])
    raise typer.Exit(1 if answer["state"] == "failed" else 2)


@app.command("check")
def check_file(
    file: Annotated[str, typer.Argument(help="File with the artefact, or - for standard input.")],
    *,
    purpose: Annotated[str | None, typer.Option(help="a1-inspection or ehic-care; else what the document is.")] = None,
    host_country: Annotated[str | None, typer.Option(help="Country of the work or the treatment, e.g. DE.")] = None,
    on: Annotated[
        str | None, typer.Option(help="Day of the inspection or treatment, YYYY-MM-DD; that of --at when absent.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="Time at which to judge, e.g. 2026-11-24T12:00:00Z; now when absent.")] = None,
    nonce: Annotated[str | None, typer.Option(help="Nonce the presentation must be bound to.")] = None,
    audience: Annotated[str | None, typer.Option(help="Audience (full client_id) it must be bound to.")] = None,
    response_uri: Annotated[str | None, typer.Option(help="For mdoc beside nonce and audience: the response_uri.")] = None,
    transcript: Annotated[str | None, typer.Option(help="For mdoc: the session transcript in hexadecimal.")] = None,
    trust_root: Annotated[Path | None, typer.Option(help="Trust root file; else that of the demo.")] = None,
    device: Annotated[
        Path | None, typer.Option(help="Directory of a device: by the offline bundle in force there, without any network.")
    ] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object per line in, one verdict per line out.")] = False,
    state: State = None,
    as_json: Json = False,
) -> None:
    """The verdict on an SD-JWT VC, SD-JWT+KB, IssuerSigned, DeviceResponse (text, hexadecimal or raw) or status list token."""
    from verifier.lines import Asked, verdicts  # noqa: PLC0415
    from verifier.question import QuestionInvalid  # noqa: PLC0415

    asked = Asked(
        purpose=purpose, host_country=host_country, on=on, at=at, nonce=nonce, audience=audience,
        response_uri=response_uri, transcript=transcript,
    )  # fmt: skip
    with ExitStack() as stack:
        around = _offline(device) if device else _surroundings(_world(state, needed=False), trust_root, stack)
        try:
            stream = stack.enter_context(open(file, "rb")) if file != "-" else sys.stdin.buffer
        except OSError as error:
            _wrong_use(f"{file}: {error.strerror}")
        if jsonl:
            asked_once = _valid(asked)
            for line in verdicts(stream, asked=asked_once, check=around.check, clock=_now):
                sys.stdout.buffer.write(line + b"\n")
                sys.stdout.buffer.flush()
            return
        try:
            case = asked.case(stream.read(_MAX_FILE), _now())
        except QuestionInvalid as error:
            _wrong_use(error.text)
        verdict = around.check(case)
    _show(verdict.to_json(), as_json)
    raise typer.Exit(EXIT_CODES[verdict.outcome])


@app.command()
def serve(settings: Annotated[Path, typer.Option(help="Settings file (JSON).")]) -> None:
    """Run the service."""
    from verifier import __main__ as service  # noqa: PLC0415

    service.main(settings)


@app.command()
def migrate(settings: Annotated[Path, typer.Option(help="Settings file (JSON).")]) -> None:
    """Bring the database to the schema of this version."""
    from verifier.migrations import upgrade  # noqa: PLC0415
    from verifier.settings import SettingsError, load  # noqa: PLC0415
    from verifier.store.tables import connect  # noqa: PLC0415

    try:
        engine = connect(load(settings).database)
        upgrade(engine)
        engine.dispose()
    except SettingsError as error:
        _wrong_use(str(error))
    typer.echo("the database is up to date", err=True)


class _Remote:
    """The API of a running verifier."""

    def __init__(self, world: dict[str, Any], base_url: str | None, token: str | None) -> None:
        self._base = base_url or world.get("verifier") or _wrong_use("no verifier: give --state or --verifier")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        ca_file = _path(world, "ca_files", "tls")
        # The person at the terminal names the address; it may be on this machine.
        self._outbound = Outbound(FetchLimits(allow_loopback=True), ca_file=ca_file)

    def __enter__(self) -> "_Remote":
        return self

    def __exit__(self, *_: object) -> None:
        self._outbound.close()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON answer; leaves with exit code 3 for what the verifier refuses, 2 when it cannot be reached."""
        try:
            if method == "POST":
                found = self._outbound.post(self._base + path, json=body, headers=self._headers)
            else:
                found = self._outbound.get(self._base + path, headers=self._headers)
            return self._read(found)
        except VcError as error:
            typer.echo(f"the verifier cannot be reached: {error}", err=True)
            raise typer.Exit(2) from error

    def _read(self, found: Fetched) -> dict[str, Any]:
        value = json.loads_object(found.body)
        if not 200 <= found.status < 300:
            _wrong_use(str(value.get("detail", f"the verifier answered with {found.status}")))
        return value


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _world(state: Path | None, *, needed: bool = False) -> dict[str, Any]:
    """The description of a running demo, empty when none is named; `state` is added as absolute path."""
    if state is None:
        return {}
    try:
        return {**json.loads_object((state / "demo.json").read_bytes()), "state": str(state.resolve())}
    except (OSError, VcError):
        _wrong_use(f"{state}: no running demo is described there; start one with portadoc demo --serve")


def _path(world: dict[str, Any], *names: str) -> Path | None:
    """A path of the description, relative ones taken from the state directory."""
    value: Any = world
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return Path(world["state"]) / value if isinstance(value, str) else None


def _surroundings(world: dict[str, Any], trust_root: Path | None, stack: ExitStack) -> "Surroundings":
    from verifier.reader import surroundings  # noqa: PLC0415

    root = trust_root or _path(world, "trust_root")
    keep_in = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portadoc-")))
    try:
        made = surroundings(root=root, keep_in=keep_in, ca_file=_path(world, "ca_files", "tls"), clock=_now)
        stack.callback(made.close)
        return made
    except OSError as error:
        _wrong_use(f"{root}: {error.strerror}")
    except VcError as error:
        _wrong_use(f"{root}: {error.detail}")


def _offline(device: Path) -> "Surroundings":
    from verifier.reader import offline  # noqa: PLC0415

    try:
        return offline(device, clock=_now)
    except OSError as error:
        _wrong_use(f"{device}: {error.strerror}")
    except VcError as error:
        _wrong_use(f"{device}: {error.detail}")


def _valid(asked: "Asked") -> "Asked":
    """The options, once they are known to be readable: a wrong one is the caller's, not the lines'."""
    from verifier.question import QuestionInvalid  # noqa: PLC0415

    try:
        asked.case(b"", _now())
    except QuestionInvalid as error:
        _wrong_use(error.text)
    return asked


def _show(value: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print(value)
        return
    typer.echo(f"outcome: {value['outcome'] or value.get('state')}")
    for reason in value["reasons"]:
        typer.echo(f"- {reason['text']} {reason['next']} ({reason['code']})")
    for entry in value["checks"]:
        typer.echo(f"  {entry['result']:<12} {entry['id']}: {entry['detail']}")


def _print(value: dict[str, Any]) -> None:
    typer.echo(text_json.dumps(value, ensure_ascii=False, indent=2))


def _wrong_use(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(3)


if __name__ == "__main__":
    app()
