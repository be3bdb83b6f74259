"""The commands that get credentials: get-pid, receive, request, collect, renew."""

import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from vc.errors import Refused
from vc.openid4vci.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED
from wallet_sim import cli_session, pid
from wallet_sim.browser import OwnBrowser, presenting
from wallet_sim.cli_session import (
    REFUSED,
    UNDETERMINED,
    AccessCaOption,
    JsonOption,
    MisbehaveOption,
    NumberArgument,
    Session,
    StateOption,
    StoreOption,
    TranscriptOption,
    TrustRootOption,
    awaited,
    session,
    show,
    summary,
    told,
    twist,
)
from wallet_sim.contents import Holding, Pending
from wallet_sim.identity import Identity
from wallet_sim.issuance import Wishes
from wallet_sim.issuer_trust import IssuerTrust
from wallet_sim.loopback import TIME_LIMIT, RealBrowser, open_and_say
from wallet_sim.receive import Receiver
from wallet_sim.user_agent import UserAgent


class Browser(StrEnum):
    """Where the person signs in."""

    OWN = "own"
    PRINT = "print"
    OPEN = "open"


class GrantChoice(StrEnum):
    """Short names of the grants an offer may have."""

    PRE_AUTHORIZED = "pre-authorized_code"
    AUTHORIZATION_CODE = "authorization_code"


_GRANT_TYPES = {GrantChoice.PRE_AUTHORIZED: PRE_AUTHORIZED, GrantChoice.AUTHORIZATION_CODE: AUTHORIZATION_CODE}
_Provider = Annotated[
    Path | None, typer.Option("--wallet-provider", help="JSON file: key, chain, client_id of the wallet provider, else the demo's.")
]
_ClientId = Annotated[str | None, typer.Option(help="The name this wallet is registered under where attestations are not taken.")]
_Copies = Annotated[int | None, typer.Option(help="Copies to ask for when the issuer issues batches.")]
_ProofType = Annotated[str | None, typer.Option(help="jwt or attestation; else whatever the issuer takes.")]
_Details = Annotated[bool, typer.Option("--details", help="Ask by authorization_details instead of scopes.")]
_BrowserOption = Annotated[
    Browser, typer.Option(help="own: the simulator's. print, open: a real one, which comes back to a port of this machine.")
]


def get_pid(
    *,
    identity: Annotated[Path, typer.Option(help="JSON file: an identity block, or an entry with an `identity` member.")],
    case: Annotated[str | None, typer.Option(help="Which entry of a list, by its id.")] = None,
    format: Annotated[str, typer.Option(help="dc+sd-jwt, mso_mdoc or both.")] = "both",
    state: StateOption = None,
    store: StoreOption = None,
    trust_root: TrustRootOption = None,
    transcript: TranscriptOption = None,
    as_json: JsonOption = False,
) -> None:
    """Get a test PID for an identity from the demo's PID provider."""
    with session(state, store, transcript, trust_root=trust_root, as_json=as_json) as current:
        offer = pid.offer_for(current.world, pid.read_identity(identity, case), format)
        current.wire.transcript.note("test PID ordered from the demo's provider")
        receipt = _receiver(current).receive(offer.link, tx_code=offer.tx_code)
        _came(receipt.holdings, receipt.pending, as_json)


def receive(
    offer: Annotated[str, typer.Argument(metavar="OFFER", help="The openid-credential-offer:// link.")],
    *,
    tx_code: Annotated[str | None, typer.Option(help="The transaction code that came by another way.")] = None,
    copies: _Copies = None,
    grant: Annotated[GrantChoice | None, typer.Option(help="Which grant of the offer to use when it has two.")] = None,
    proof_type: _ProofType = None,
    details: _Details = False,
    browser: _BrowserOption = Browser.OWN,
    client_id: _ClientId = None,
    misbehave: MisbehaveOption = None,
    state: StateOption = None,
    store: StoreOption = None,
    trust_root: TrustRootOption = None,
    access_ca: AccessCaOption = None,
    wallet_provider: _Provider = None,
    transcript: TranscriptOption = None,
    as_json: JsonOption = False,
) -> None:
    """Receive what is offered, check it, store it."""
    with session(
        state, store, transcript, access_ca=access_ca, trust_root=trust_root, wallet_provider=wallet_provider, as_json=as_json
    ) as current:
        wishes = Wishes(copies=copies, grant=None if grant is None else _GRANT_TYPES[grant], proof_type=proof_type, details=details)
        receiver = _receiver(current, client_id=client_id, browser=browser)
        receipt = receiver.receive(offer, tx_code=tx_code, wishes=wishes, misbehave=twist(misbehave))
        _came(receipt.holdings, receipt.pending, as_json)


def request(
    issuer: Annotated[str, typer.Argument(metavar="ISSUER", help="The credential issuer identifier, an https address.")],
    *,
    configuration: Annotated[
        list[str] | None, typer.Option(help="Credential configuration; all of the issuer's when absent.")
    ] = None,
    copies: _Copies = None,
    proof_type: _ProofType = None,
    details: _Details = False,
    browser: _BrowserOption = Browser.OWN,
    client_id: _ClientId = None,
    misbehave: MisbehaveOption = None,
    state: StateOption = None,
    store: StoreOption = None,
    trust_root: TrustRootOption = None,
    access_ca: AccessCaOption = None,
    wallet_provider: _Provider = None,
    transcript: TranscriptOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask an issuer for credentials nobody offered; the person signs in there."""
    with session(
        state, store, transcript, access_ca=access_ca, trust_root=trust_root, wallet_provider=wallet_provider, as_json=as_json
    ) as current:
        wishes = Wishes(copies=copies, proof_type=proof_type, details=details)
        receiver = _receiver(current, client_id=client_id, browser=browser)
        receipt = receiver.request(issuer, configuration or (), wishes=wishes, misbehave=twist(misbehave))
        _came(receipt.holdings, receipt.pending, as_json)


def collect(
    number: Annotated[int | None, typer.Argument(metavar="N", help="Number of the awaited credential; all when absent.")] = None,
    *,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to go on asking, at the interval the issuer wants.")] = 0.0,
    client_id: _ClientId = None,
    state: StateOption = None,
    store: StoreOption = None,
    trust_root: TrustRootOption = None,
    access_ca: AccessCaOption = None,
    wallet_provider: _Provider = None,
    transcript: TranscriptOption = None,
    as_json: JsonOption = False,
) -> None:
    """Collect what an issuer needed time for. Exit code 2 while something is still awaited."""
    with session(
        state, store, transcript, access_ca=access_ca, trust_root=trust_root, wallet_provider=wallet_provider, as_json=as_json
    ) as current:
        receiver = _receiver(current, client_id=client_id)
        numbers = [one.number for one in current.store.contents().pending] if number is None else [number]
        came, pending, failed = _collected(receiver, numbers, wait)
        _came(came, pending, as_json, failed)
        if failed:
            raise typer.Exit(REFUSED)
        if pending:
            raise typer.Exit(UNDETERMINED)


def renew(
    number: NumberArgument,
    *,
    copies: _Copies = None,
    proof_type: _ProofType = None,
    client_id: _ClientId = None,
    misbehave: MisbehaveOption = None,
    state: StateOption = None,
    store: StoreOption = None,
    trust_root: TrustRootOption = None,
    access_ca: AccessCaOption = None,
    wallet_provider: _Provider = None,
    transcript: TranscriptOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a credential issued again with its refresh token; the new copies replace the old."""
    with session(
        state, store, transcript, access_ca=access_ca, trust_root=trust_root, wallet_provider=wallet_provider, as_json=as_json
    ) as current:
        wishes = Wishes(copies=copies, proof_type=proof_type)
        came = _receiver(current, client_id=client_id).renew(number, wishes=wishes, misbehave=twist(misbehave))
        _came([one for one in (came,) if isinstance(one, Holding)], [one for one in (came,) if isinstance(one, Pending)], as_json)


def _receiver(current: Session, *, client_id: str | None = None, browser: Browser | None = None) -> Receiver:
    clock = cli_session.now
    return Receiver(
        current.store,
        current.wire,
        judge=current.judge(),
        clock=clock,
        identity=Identity(provider=current.world.provider, client_id=client_id),
        agent=None if browser is None else _agent(current, browser),
        trust=IssuerTrust(clock=clock, access=current.world.anchors, registrars=current.world.registrars, warn=_warn),
    )


def _agent(current: Session, browser: Browser) -> UserAgent:
    if browser is not Browser.OWN:
        return RealBrowser(_say if browser is Browser.PRINT else open_and_say(_say), seconds=TIME_LIMIT)

    def present(link: str) -> str:
        return presenting(current.presenter(told))(link)  # made when it is needed: a sign-in may do without a PID

    return OwnBrowser(current.wire, present)


def _say(url: str) -> None:
    typer.echo(f"open in a browser: {url}", err=True)


def _warn(text: str) -> None:
    typer.echo(f"warning: {text}", err=True)


def _collected(
    receiver: Receiver, numbers: Sequence[int], wait: float
) -> tuple[list[Holding], list[Pending], list[dict[str, Any]]]:
    """What came, what is still awaited, and what will not come or could not be asked for."""
    came: list[Holding] = []
    failed: list[dict[str, Any]] = []
    deadline = time.monotonic() + wait
    while True:
        pending: list[Pending] = []
        for number in numbers:
            try:
                one = receiver.collect(number)
            except Refused as refusal:
                if len(numbers) == 1 and not came:
                    raise
                failed.append({"number": number, "code": refusal.code, "detail": refusal.detail})
                continue
            if isinstance(one, Holding):
                came.append(one)
            else:
                pending.append(one)
        numbers = [one.number for one in pending]
        due = min((one.not_before for one in pending), default=None)
        pause = 0.0 if due is None else max(0.0, (due - cli_session.now()).total_seconds())
        if due is None or time.monotonic() + pause > deadline:
            return came, pending, failed
        time.sleep(pause)


def _came(holdings: Sequence[Holding], pending: Sequence[Pending], as_json: bool, failed: Sequence[dict[str, Any]] = ()) -> None:
    stored, later = [summary(holding) for holding in holdings], [awaited(one) for one in pending]
    lines = [f"stored as {item['number']}: {item['type_id']} ({item['format']})" for item in stored]
    lines += [
        f"awaited as {item['number']}: {item['type_id']} ({item['format']}), not before {item['not_before']}" for item in later
    ]
    lines += [f"{item['number']}: {item['code']}: {item['detail']}" for item in failed]
    result = {"credentials": stored, "pending": later, **({"failed": list(failed)} if failed else {})}
    show(result, as_json, lines or ["nothing is awaited"])
