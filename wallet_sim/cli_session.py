"""What all commands of `portadoc wallet` share: options, a session, exit codes, one JSON document on stdout."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge import logs
from trust_list.client import TrustClient
from vc.clock import Clock
from vc.encoding import json
from vc.errors import Refused, Unreachable, VcError
from wallet_sim import mischief
from wallet_sim import world as worlds
from wallet_sim.consent import Ask
from wallet_sim.contents import Holding, Pending
from wallet_sim.holdings import Store
from wallet_sim.mischief import IssuanceMischief
from wallet_sim.present import Presenter
from wallet_sim.received import IssuerJudge
from wallet_sim.transcript import Transcript, Wire
from wallet_sim.trust import ListJudge, Unjudged
from wallet_sim.verifier_trust import VerifierTrust
from wallet_sim.world import World, WrongUse, load

now: Clock = worlds.now
DONE, REFUSED, UNDETERMINED, WRONG_USE = 0, 1, 2, 3
_WRONG_USE_CODES = frozenset(
    {
        "browser_needed", "client_needed", "grant_unknown", "holding_unknown", "mischief_not_applicable", "mischief_unknown",
        "refresh_missing", "tx_code_needed",
    }
)  # fmt: skip

StateOption = Annotated[Path | None, typer.Option("--state", envvar="PORTADOC_STATE", help="State directory of a running demo.")]
StoreOption = Annotated[
    Path | None, typer.Option("--store", help="The wallet's file; wallet.json in the state directory when absent.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
TrustRootOption = Annotated[Path | None, typer.Option("--trust-root", help="Trust root file; that of the demo when absent.")]
AccessCaOption = Annotated[
    Path | None, typer.Option("--access-ca", help="PEM of the access certificate authority, else the demo's.")
]
TranscriptOption = Annotated[Path | None, typer.Option("--transcript", help="Write every message, redacted, to this JSON file.")]
NumberArgument = Annotated[int, typer.Argument(metavar="N", help="Number of the credential, as in `wallet list`.")]
MisbehaveOption = Annotated[str | None, typer.Option(help="Name of a misbehaviour; `wallet mischief` lists them.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command's world, store and wire."""

    world: World
    store: Store
    wire: Wire

    def judge(self) -> IssuerJudge:
        """Who decides which issuers of credentials are believed."""
        root = self.world.trust_root
        if root is None:
            return Unjudged()
        lists = self.store.path.with_name(f".{self.store.path.name}.trust")
        return ListJudge(TrustClient(root, lists, self.world.outbound, now, 1.0), now)

    def presenter(self, ask: Ask, *, despite: bool = False) -> Presenter:
        """The wallet ready to present, `despite` a registration that is not in order. Raises `WrongUse` when it could believe no
        verifier."""
        if not self.world.anchors:
            raise WrongUse("no access certificate authority is known: name it with --access-ca, or the demo with --state")
        trust = VerifierTrust(clock=now, registrars=self.world.registrars, warn=_warn, despite=despite)
        return Presenter(self.store, self.wire, anchors=self.world.anchors, clock=now, ask=ask, trust=trust)


@contextmanager
def session(
    state: Path | None,
    store: Path | None,
    transcript: Path | None,
    *,
    as_json: bool,
    access_ca: Path | None = None,
    trust_root: Path | None = None,
    wallet_provider: Path | None = None,
) -> Iterator[Session]:
    """A session whose errors become a sentence, an exit code and, with `as_json`, the one JSON document on stdout.

    The transcript is written whatever happens.
    """
    recorded = Transcript(now)
    logs.configure(sys.stderr, level=logging.WARNING)  # stdout is for the result alone
    try:
        world = load(state=state, store=store, access_ca=access_ca, trust_root=trust_root, wallet_provider=wallet_provider)
        yield Session(world=world, store=Store(world.store), wire=Wire(world.outbound, recorded))
    except WrongUse as fault:
        raise _leave(WRONG_USE, "wrong_use", str(fault), as_json) from fault
    except VcError as error:
        recorded.note("stopped", code=error.code)
        raise _leave(_exit_code(error), error.code, error.detail, as_json) from error
    except OSError as error:
        raise _leave(WRONG_USE, "file", f"{error.filename}: {error.strerror}", as_json) from error
    finally:
        if transcript is not None:
            transcript.write_bytes(json.dumps(recorded.to_json()))


def twist(name: str | None) -> IssuanceMischief | None:
    """The misbehaviour of receiving of that name."""
    return None if name is None else mischief.receiving(name)


def _warn(text: str) -> None:
    typer.echo(f"warning: {text}", err=True)


def told(text: str) -> bool:
    """Consent that was given beforehand; the person is told."""
    typer.echo(text, err=True)
    return True


def asked(text: str) -> bool:
    """Consent the person is asked for."""
    typer.echo(text, err=True)
    return typer.confirm("Show this?", default=False, err=True)


def summary(holding: Holding) -> dict[str, Any]:
    """A credential in a line."""
    return {
        "number": holding.number,
        "format": holding.format,
        "type_id": holding.type_id,
        "configuration_id": holding.configuration_id,
        "issuer": holding.issuer,
        "received": holding.received.isoformat(),
        "copies": len(holding.copies),
        "renewable": holding.grant is not None,
    }


def awaited(pending: Pending) -> dict[str, Any]:
    """A credential to come, in a line."""
    return {
        "number": pending.number,
        "format": pending.format,
        "type_id": pending.type_id,
        "configuration_id": pending.configuration_id,
        "issuer": pending.issuer,
        "not_before": pending.not_before.isoformat(),
        "interval": pending.interval,
    }


def show(result: Mapping[str, Any], as_json: bool, lines: list[str]) -> None:
    """The result: one JSON document, or lines for a person."""
    if as_json:
        print_json(result)
        return
    for line in lines:
        typer.echo(line)


def print_json(result: Mapping[str, Any]) -> None:
    """One JSON document on stdout."""
    sys.stdout.buffer.write(json.dumps(result) + b"\n")
    sys.stdout.buffer.flush()


def _exit_code(error: VcError) -> int:
    if isinstance(error, Unreachable):
        return UNDETERMINED
    return WRONG_USE if isinstance(error, Refused) and error.code in _WRONG_USE_CODES else REFUSED


def _leave(exit_code: int, code: str, detail: str, as_json: bool) -> typer.Exit:
    typer.echo(f"{code}: {detail}", err=True)
    if as_json:
        print_json({"error": {"code": code, "detail": detail}})
    return typer.Exit(exit_code)
