"""`portadoc demo`: run the whole chain on this machine and show what came out, or leave its services running."""

import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from demo.actors import Clerk, Holder, Inspector, now
from demo.build import Addresses, build
from demo.processes import Running, outbound, require_free, services
from demo.state import DemoError, State, claimed
from demo.story import Row, Stage, play
from vc.encoding import json

DEFAULT_STATE = Path(".portadoc") / "demo"
_DEFAULT_PORTS = 8400

app = typer.Typer(help="The whole chain on this machine, or its services left running.", add_completion=False)


@app.command()
def demo(
    *,
    serve: Annotated[bool, typer.Option("--serve", help="Start the services and leave them running until told to stop.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Serve https under a test CA made for the occasion.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")] = False,
    state: Annotated[
        Path, typer.Option(envvar="PORTADOC_STATE", help="Directory for keys, databases and logs; an earlier demo's is replaced.")
    ] = DEFAULT_STATE,
    port_base: Annotated[int, typer.Option(min=1024, max=65531, help="First of four ports.")] = _DEFAULT_PORTS,
) -> None:
    """Trust list, issuer and verifier as real processes on loopback; two documents in two formats issued, shown, verified, refused.

    Exit codes: 0 everything came out as expected, 1 something did not, 2 a service did not start, 3 wrong use.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background job starts with it ignored
        signal.signal(number, _stop)
    addresses = Addresses(tls=tls, port_base=port_base)
    try:
        require_free(addresses.ports)
        with claimed(state) as home:
            description = build(home, addresses, now=now())
            running = Running(home, outbound(description["ca_files"]["tls"] if tls else None))
            try:
                running.start(services(home, addresses))
                if serve:
                    _announce(description, as_json)
                    _wait(running)
                    return
                rows = _play(home, description, running, addresses, quiet=as_json)
            finally:
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN)  # ending is under way; a second Ctrl-C must not leave a service behind
                running.stop_all()
    except DemoError as exc:
        typer.echo(f"demo: {exc}", err=True)
        raise typer.Exit(exc.exit_code) from exc
    if as_json:
        _print({"ok": all(row.as_expected for row in rows), "steps": [_to_json(row) for row in rows]})
    if not all(row.as_expected for row in rows):
        raise typer.Exit(1)


def _play(state: State, description: dict[str, Any], running: Running, addresses: Addresses, *, quiet: bool) -> list[Row]:
    stage = Stage(
        state=state,
        clerk=Clerk(description, running.outbound),
        holder=Holder(state.wallet, running.outbound, description),
        attested=Holder(state.attested_wallet, running.outbound, description, attested=True),
        inspector=Inspector(description, running.outbound),
        running=running,
        list_server=next(service for service in services(state, addresses) if service.name == "trust-list"),
        today=now().date(),
    )
    rows: list[Row] = []
    if not quiet:
        typer.echo(_line("step", "expected", "got", "ms", ""))
    for row in play(stage):
        rows.append(row)
        if not quiet:
            typer.echo(_line(row.step, row.expected, row.got, str(row.ms), "" if row.as_expected else "  <- differs"))
    if not quiet:
        differing = sum(not row.as_expected for row in rows)
        typer.echo(f"{len(rows)} steps, {differing} differ; state and logs in {state.root}")
    return rows


def _line(step: str, expected: str, got: str, ms: str, mark: str) -> str:
    return f"{step:<42}{expected:<40}{got:<40}{ms:>6}{mark}"


def _to_json(row: Row) -> dict[str, Any]:
    return {"step": row.step, "expected": row.expected, "got": row.got, "ms": row.ms, "as_expected": row.as_expected}


def _announce(description: dict[str, Any], as_json: bool) -> None:
    """What a script or a person needs to go on; flushed at once, for a reader waits for it."""
    if as_json:
        _print(description)
        return
    lines = [f"{name:<12}{description[name]}" for name in ("issuer", "verifier", "trust_list", "state")]
    lines.append("institutions (id, types, issuance profile, API token):")
    lines += [
        f"  {item['id']:<22}{','.join(item['types']):<11}{item['issuance_profile']:<6} {item['api_token']}"
        for item in description["institutions"]
    ]
    lines.append(f"In another terminal: export PORTADOC_STATE={description['state']}")
    lines.append("These keys are for demonstrations only. Ctrl-C ends the services.")
    typer.echo("\n".join(lines))
    sys.stdout.flush()


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value).decode("utf-8") + "\n")
    sys.stdout.flush()


def _wait(running: Running) -> None:
    """Until told to stop, which is the ordinary end. Raises `DemoError` when a service ends by itself."""
    try:
        while True:
            running.require_alive()
            time.sleep(0.5)
    except KeyboardInterrupt:
        return


def _stop(_: int, __: FrameType | None) -> None:
    """Either signal ends the demo, and with it the services it started."""
    raise KeyboardInterrupt
