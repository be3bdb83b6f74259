"""`portadoc`: one Typer application over the parts, each mounted under its name and loaded only when it is called.

Exit codes everywhere: 0 accepted or done, 1 refused, 2 cannot be determined, 3 wrong use. An unexpected fault also gives 2, for
nothing was determined; it shows one sentence with an id, and the traceback only with PORTADOC_TRACEBACK=1.
"""

import importlib
import os
import secrets
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

UNDETERMINED, WRONG_USE, INTERRUPTED = 2, 3, 130

PARTS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo.cli", "The whole chain on this machine, or its services left running."),
    "issuer": ("issuer.cli", "Issue documents to wallets, withdraw them, run the service."),
    "verifier": ("verifier.cli", "Ask wallets for documents, check documents, run the service."),
    "wallet": ("wallet_sim.cli", "A wallet for tests: receive, hold, present, misbehave by name."),
    "pki": ("pki.cli", "Authorities, certificates, revocation lists, and the rules they are held to."),
    "trust-list": ("trust_list.cli", "Trust lists: author, publish, verify, explain."),
}
"""Name → module with a Typer `app`, and the line that `portadoc --help` shows for it."""


class _Parts(TyperGroup):
    """The parts as commands: listed from the table, imported only to be run."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(PARTS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return TyperCommand(cmd_name, help=PARTS[cmd_name][1]) if cmd_name in PARTS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        module = importlib.import_module(PARTS[str(name)][0])
        return name, get_command(module.app), rest


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"portadoc {metadata.version('portadoc')}")
        raise typer.Exit


app = typer.Typer(cls=_Parts, no_args_is_help=True, add_completion=False)


@app.callback()
def portadoc(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """PD A1 and EHIC as verifiable credentials. Exit codes: 0 accepted or done, 1 refused, 2 cannot be determined, 3 wrong use."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; gives the exit code. What the parser finds wrong is wrong use; nothing unexpected escapes."""
    try:
        outcome = get_command(app).main(args=list(arguments), prog_name="portadoc", standalone_mode=False)
    except TyperException as exc:  # unknown option, missing argument, bad value: the parser shows them with the usage line
        show = getattr(exc, "show", None)
        if callable(show):
            show()
        else:
            typer.echo(exc.format_message(), err=True)
        return WRONG_USE
    except typer.Abort as exc:  # Ctrl-C, or the end of input at a question
        typer.echo("portadoc: given up", err=True)
        return INTERRUPTED if isinstance(exc.__cause__, KeyboardInterrupt) else WRONG_USE
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nothing more is said at exit
        return UNDETERMINED
    except Exception as exc:  # noqa: BLE001 — the last door: a person at a terminal gets a sentence, not a traceback
        fault = secrets.token_hex(4)
        if os.environ.get("PORTADOC_TRACEBACK"):
            traceback.print_exc()
        typer.echo(f"portadoc: unexpected fault {fault} ({type(exc).__name__}); please report it with the command used", err=True)
        return UNDETERMINED
    return outcome if isinstance(outcome, int) else 0


def main() -> NoReturn:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
