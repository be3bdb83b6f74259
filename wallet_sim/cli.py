"""`portadoc wallet …`: receive, hold, show, present; misbehave when told to. Messages go to stderr, results to stdout."""

from typing import Annotated

import typer

from wallet_sim import cli_issuance, mischief
from wallet_sim.cli_session import (
    REFUSED,
    UNDETERMINED,
    AccessCaOption,
    JsonOption,
    MisbehaveOption,
    NumberArgument,
    StateOption,
    StoreOption,
    TranscriptOption,
    asked,
    awaited,
    print_json,
    session,
    show,
    summary,
    told,
)
from wallet_sim.holdings import private_jwk
from wallet_sim.mischief import IssuanceMischief, Mischief
from wallet_sim.present import open_copy

app = typer.Typer(help="A wallet for tests: honest by default, misbehaving by name.", no_args_is_help=True, add_completion=False)
app.command("get-pid")(cli_issuance.get_pid)
app.command("receive")(cli_issuance.receive)
app.command("request")(cli_issuance.request)
app.command("collect")(cli_issuance.collect)
app.command("renew")(cli_issuance.renew)


@app.command()
def present(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The openid4vp:// link.")],
    *,
    misbehave: MisbehaveOption = None,
    ask: Annotated[bool, typer.Option("--ask/--yes", help="Ask before disclosing; otherwise consent is given.")] = False,
    despite: Annotated[
        bool, typer.Option("--despite-registration", help="Answer even if the verifier asks for more than it is registered for.")
    ] = False,
    state: StateOption = None,
    store: StoreOption = None,
    access_ca: AccessCaOption = None,
    transcript: TranscriptOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a verifier's request with what is held."""
    with session(state, store, transcript, access_ca=access_ca, as_json=as_json) as current:
        twist = None if misbehave is None else mischief.presenting(misbehave)
        done = current.presenter(asked if ask else told, despite=despite).present(request, misbehave=twist)
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
        show(result, as_json, [f"the verifier answered with HTTP {done.status}"])
        if not done.taken:
            raise typer.Exit(REFUSED if 400 <= done.status < 500 else UNDETERMINED)


@app.command("list")
def list_held(*, state: StateOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """What the wallet holds, and what it waits for."""
    with session(state, store, None, as_json=as_json) as current:
        contents = current.store.contents()
        held, later = [summary(holding) for holding in contents.holdings], [awaited(one) for one in contents.pending]
        lines = [f"{item['number']:>3}  {item['format']:<10}  {item['type_id']}  ({item['copies']} copies)" for item in held]
        lines += [f"{item['number']:>3}  {item['format']:<10}  {item['type_id']}  (awaited)" for item in later]
        show({"credentials": held, "pending": later}, as_json, lines or ["the wallet is empty"])


@app.command("show")
def show_one(number: NumberArgument, *, state: StateOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """The claims of one credential."""
    with session(state, store, None, as_json=as_json) as current:
        holding = current.store.holding(number)
        credential = open_copy(holding, 0)
        shown = {
            **summary(holding),
            "claims": credential.claims,
            "selectively_disclosable": sorted("/".join(map(str, path)) for path in credential.disclosed),
            "valid_from": None if credential.valid_from is None else credential.valid_from.isoformat(),
            "valid_until": None if credential.valid_until is None else credential.valid_until.isoformat(),
            "status": None if credential.status is None else {"uri": credential.status.uri, "idx": credential.status.idx},
        }
        show(shown, as_json, [f"{name}: {value}" for name, value in shown.items()])


@app.command()
def export(number: NumberArgument, *, state: StateOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """The raw credential and its private holder key, as JSON. Whoever has this is the holder."""
    with session(state, store, None, as_json=as_json) as current:
        holding = current.store.holding(number)
        copies = [{"credential": copy.credential, "holder_key": private_jwk(copy.key)} for copy in holding.copies]
        print_json({**summary(holding), **copies[0], "copies": copies})


@app.command("mischief")
def list_mischief(*, as_json: JsonOption = False) -> None:
    """The misbehaviours: what each breaks, the rule, and how a sound issuer or verifier reacts."""
    rows = [_told_of(row, "present") for row in mischief.PRESENTING.values()]
    rows += [_told_of(row, row.command) for row in mischief.RECEIVING.values()]
    lines = [f"{row['command']:<8} {row['name']:<31} {row['breaks']} [{row['rule']}] -> {row['expected']}" for row in rows]
    show({"mischief": rows}, as_json, lines)


def _told_of(row: Mischief | IssuanceMischief, command: str) -> dict[str, str]:
    return {"name": row.name, "command": command, "breaks": row.breaks, "rule": row.rule, "expected": row.expected}
