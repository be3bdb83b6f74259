"""`portadoc wallet …`: receive, hold, show, present; misbehave when told to. Messages go to stderr, results to stdout."""

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
from vc.encoding import json
from vc.errors import Refused, Unreachable, VcError
from wallet_sim import mischief, pid
from wallet_sim.holdings import Holding, Store, private_jwk
from wallet_sim.present import Presenter, open_copy
from wallet_sim.receive import Receiver
from wallet_sim.received import IssuerJudge
from wallet_sim.transcript import Transcript, Wire
from wallet_sim.trust import ListJudge, Unjudged
from wallet_sim.world import World, WrongUse, load, now

app = typer.Typer(help="A wallet for tests: honest by default, misbehaving by name.", no_args_is_help=True, add_completion=False)
DONE, REFUSED, UNDETERMINED, WRONG_USE = 0, 1, 2, 3
_WRONG_USE_CODES = frozenset({"mischief_unknown", "mischief_not_applicable", "holding_unknown", "tx_code_needed"})

_State = Annotated[Path | None, typer.Option("--state", envvar="PORTADOC_STATE", help="State directory of a running demo.")]
_Store = Annotated[Path | None, typer.Option("--store", help="The wallet's file; wallet.json in the state directory when absent.")]
_Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
_TrustRoot = Annotated[Path | None, typer.Option("--trust-root", help="Trust root file; that of the demo when absent.")]
_AccessCa = Annotated[Path | None, typer.Option("--access-ca", help="PEM of the access certificate authority, else the demo's.")]
_TranscriptFile = Annotated[Path | None, typer.Option("--transcript", help="Write every message, redacted, to this JSON file.")]
_Number = Annotated[int, typer.Argument(metavar="N", help="Number of the credential, as in `wallet list`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """One command's world, store and wire."""

    world: World
    store: Store
    wire: Wire

    def judge(self) -> IssuerJudge:
        root = self.world.trust_root
        if root is None:
            return Unjudged()
        lists = self.store.path.with_name(f".{self.store.path.name}.trust")
        return ListJudge(TrustClient(root, lists, self.world.outbound, now, 1.0), now)

    def receiver(self) -> Receiver:
        return Receiver(self.store, self.wire, judge=self.judge(), clock=now)


@app.command("get-pid")
def get_pid(
    *,
    identity: Annotated[Path, typer.Option(help="JSON file: an identity block, or an entry with an `identity` member.")],
    case: Annotated[str | None, typer.Option(help="Which entry of a list, by its id.")] = None,
    format: Annotated[str, typer.Option(help="dc+sd-jwt, mso_mdoc or both.")] = "both",
    state: _State = None,
    store: _Store = None,
    trust_root: _TrustRoot = None,
    transcript: _TranscriptFile = None,
    as_json: _Json = False,
) -> None:
    """Get a test PID for an identity from the demo's PID provider."""
    with _session(state, store, transcript, trust_root=trust_root, as_json=as_json) as session:
        offer = pid.offer_for(session.world, pid.read_identity(identity, case), format)
        session.wire.transcript.note("test PID ordered from the demo's provider")
        _received(session.receiver().receive(offer.link, tx_code=offer.tx_code), as_json)


@app.command()
def receive(
    offer: Annotated[str, typer.Argument(metavar="OFFER", help="The openid-credential-offer:// link.")],
    *,
    tx_code: Annotated[str | None, typer.Option(help="The transaction code that came by another way.")] = None,
    copies: Annotated[int | None, typer.Option(help="Copies to ask for when the issuer issues batches.")] = None,
    misbehave: Annotated[str | None, typer.Option(help="Name of a misbehaviour; `wallet mischief` lists them.")] = None,
    state: _State = None,
    store: _Store = None,
    trust_root: _TrustRoot = None,
    transcript: _TranscriptFile = None,
    as_json: _Json = False,
) -> None:
    """Receive what is offered, check it, store it."""
    with _session(state, store, transcript, trust_root=trust_root, as_json=as_json) as session:
        twist = None if misbehave is None else mischief.receiving(misbehave)
        _received(session.receiver().receive(offer, tx_code=tx_code, copies=copies, misbehave=twist), as_json)


@app.command()
def present(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The openid4vp:// link.")],
    *,
    misbehave: Annotated[str | None, typer.Option(help="Name of a misbehaviour; `wallet mischief` lists them.")] = None,
    ask: Annotated[bool, typer.Option("--ask/--yes", help="Ask before disclosing; otherwise consent is given.")] = False,
    state: _State = None,
    store: _Store = None,
    access_ca: _AccessCa = None,
    transcript: _TranscriptFile = None,
    as_json: _Json = False,
) -> None:
    """Answer a verifier's request with what is held."""
    with _session(state, store, transcript, access_ca=access_ca, as_json=as_json) as session:
        if not session.world.anchors:
            raise WrongUse("no access certificate authority is known: name it with --access-ca, or the demo with --state")
        twist = None if misbehave is None else mischief.presenting(misbehave)
        consent = _asked if ask else _told
        done = Presenter(session.store, session.wire, anchors=session.world.anchors, clock=now, ask=consent).present(
            request, misbehave=twist
        )
        result = {
            "http_status": done.status,
            "answer": done.answer,
            "misbehaviour": done.misbehaviour,
            "disclosed": done.disclosed,
            "credentials": done.credentials,
            "encrypted": done.encrypted,
            "client_id": done.client_id,
            "verifier": done.verifier,
            "http_statuses": list(done.statuses),
        }
        _show(result, as_json, [f"the verifier answered with HTTP {done.status}"])
        if not done.taken:
            raise typer.Exit(REFUSED if 400 <= done.status < 500 else UNDETERMINED)


@app.command("list")
def list_held(*, state: _State = None, store: _Store = None, as_json: _Json = False) -> None:
    """What the wallet holds."""
    with _session(state, store, None, as_json=as_json) as session:
        held = [_summary(holding) for holding in session.store.holdings()]
        lines = [f"{item['number']:>3}  {item['format']:<10}  {item['type_id']}  ({item['copies']} copies)" for item in held]
        _show({"credentials": held}, as_json, lines or ["the wallet is empty"])


@app.command()
def show(number: _Number, *, state: _State = None, store: _Store = None, as_json: _Json = False) -> None:
    """The claims of one credential."""
    with _session(state, store, None, as_json=as_json) as session:
        holding = session.store.holding(number)
        credential = open_copy(holding, 0)
        shown = {
            **_summary(holding),
            "claims": credential.claims,
            "selectively_disclosable": sorted("/".join(map(str, path)) for path in credential.disclosed),
            "valid_from": None if credential.valid_from is None else credential.valid_from.isoformat(),
            "valid_until": None if credential.valid_until is None else credential.valid_until.isoformat(),
            "status": None if credential.status is None else {"uri": credential.status.uri, "idx": credential.status.idx},
        }
        _show(shown, as_json, [f"{name}: {value}" for name, value in shown.items()])


@app.command()
def export(number: _Number, *, state: _State = None, store: _Store = None, as_json: _Json = False) -> None:
    """The raw credential and its private holder key, as JSON. Whoever has this is the holder."""
    with _session(state, store, None, as_json=as_json) as session:
        holding = session.store.holding(number)
        copies = [{"credential": copy.credential, "holder_key": private_jwk(copy.key)} for copy in holding.copies]
        _print({**_summary(holding), **copies[0], "copies": copies})


@app.command("mischief")
def list_mischief(*, as_json: _Json = False) -> None:
    """The misbehaviours: what each breaks, the rule, and how a sound issuer or verifier reacts."""
    rows = [
        {"name": row.name, "command": command, "breaks": row.breaks, "rule": row.rule, "expected": row.expected}
        for command, table in (("present", mischief.PRESENTING), ("receive", mischief.RECEIVING))
        for row in table.values()
    ]
    lines = [f"{row['command']:<8} {row['name']:<22} {row['breaks']} [{row['rule']}] -> {row['expected']}" for row in rows]
    _show({"mischief": rows}, as_json, lines)


@contextmanager
def _session(
    state: Path | None,
    store: Path | None,
    transcript: Path | None,
    *,
    as_json: bool,
    access_ca: Path | None = None,
    trust_root: Path | None = None,
) -> Iterator[_Session]:
    """A session whose errors become a sentence, an exit code and, with `as_json`, the one JSON document on stdout.

    The transcript is written whatever happens.
    """
    recorded = Transcript(now)
    logs.configure(sys.stderr, level=logging.WARNING)  # stdout is for the result alone
    try:
        world = load(state=state, store=store, access_ca=access_ca, trust_root=trust_root)
        yield _Session(world=world, store=Store(world.store), wire=Wire(world.outbound, recorded))
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


def _exit_code(error: VcError) -> int:
    if isinstance(error, Unreachable):
        return UNDETERMINED
    return WRONG_USE if isinstance(error, Refused) and error.code in _WRONG_USE_CODES else REFUSED


def _leave(exit_code: int, code: str, detail: str, as_json: bool) -> typer.Exit:
    typer.echo(f"{code}: {detail}", err=True)
    if as_json:
        _print({"error": {"code": code, "detail": detail}})
    return typer.Exit(exit_code)


def _asked(text: str) -> bool:
    typer.echo(text, err=True)
    return typer.confirm("Show this?", default=False, err=True)


def _told(text: str) -> bool:
    typer.echo(text, err=True)
    return True


def _received(holdings: tuple[Holding, ...], as_json: bool) -> None:
    stored = [_summary(holding) for holding in holdings]
    _show(
        {"credentials": stored}, as_json, [f"stored as {item['number']}: {item['type_id']} ({item['format']})" for item in stored]
    )


def _summary(holding: Holding) -> dict[str, Any]:
    return {
        "number": holding.number,
        "format": holding.format,
        "type_id": holding.type_id,
        "configuration_id": holding.configuration_id,
        "issuer": holding.issuer,
        "received": holding.received.isoformat(),
        "copies": len(holding.copies),
    }


def _show(result: Mapping[str, Any], as_json: bool, lines: list[str]) -> None:
    if as_json:
        _print(result)
        return
    for line in lines:
        typer.echo(line)


def _print(result: Mapping[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(result) + b"\n")
    sys.stdout.buffer.flush()
