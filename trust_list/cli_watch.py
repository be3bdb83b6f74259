"""`portadoc trust-list watch`: say what to look after, once or until stopped."""

import signal
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from trust_list import sources
from trust_list.cli_output import AsJson, CaFile, MaybeState, Root, errors, now, show
from trust_list.watch import Round, Watch

app = typer.Typer()


@app.command()
def watch(
    *,
    keep: Annotated[Path, typer.Option(help="Directory to remember accepted lists and their signers in.")],
    trust_root: Root = None,
    state: MaybeState = None,
    once: Annotated[bool, typer.Option("--once", help="Look once; the exit code tells.")] = False,
    interval: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds between two looks.")] = 300,
    before_days: Annotated[
        int | None, typer.Option(min=1, max=180, help="Warn so many days before the next update; at half-life unless given.")
    ] = None,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Watch every list of a trust root: next update, signer, findings, alarms, outages, clocks.

    Exit codes: 0 all is well, 1 something to look after, 2 a list cannot be used as things are, 3 wrong use. Without --once it
    looks until it is stopped, and ends with the code of its last look; with --json each look is one line.
    """
    with errors(as_json):
        path, _ = sources.root_of(trust_root, state)
        keep.mkdir(parents=True, exist_ok=True)
        before = timedelta(days=before_days) if before_days is not None else None
        watching = Watch(path, keep, sources.outbound(ca_file), now, before=before)
        found = watching.look()
        _tell(found, as_json)
        if not once:
            stopped = Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.set())
            while not stopped.wait(interval):
                before_that, found = found, watching.look()
                if as_json or found.alerts != before_that.alerts:
                    _tell(found, as_json)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


def _tell(found: Round, as_json: bool) -> None:
    told = found.to_json()
    lines = [f"{told['at']} {told['outcome']}: " + ", ".join(f"{name} {state}" for name, state in told["lists"].items())]
    for alert in found.alerts:
        lines.append(f"{alert.severity}: {alert.list_id or 'all lists'}: {alert.text} ({alert.code}). {alert.next}")
    show(told, as_json, lines)
    sys.stdout.flush()
