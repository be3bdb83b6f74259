"""`portadoc trust-list root …`: the chain of trust roots, from the holders' keys to the published version."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from trust_list import root_authoring, root_chain
from trust_list.cli_output import AsJson, State, done, errors, now
from trust_list.model import write_time
from trust_list.root import TrustRoot
from trust_list.store import directory, write_atomically
from vc.encoding import base64url
from vc.errors import Refused

app = typer.Typer(help="The trust root: draft, sign, check and publish the next version.", no_args_is_help=True)

Keys = Annotated[list[Path], typer.Option("--key", help="Private key file (PEM) of a key holder; repeatable.")]
Out = Annotated[Path, typer.Option("--out", help="File to write.")]


@app.command("new-key")
def new_key(path: Annotated[Path, typer.Argument(help="File to write; it must not exist.")], *, as_json: AsJson = False) -> None:
    """Make the key of a key holder."""
    with errors(as_json):
        root_authoring.new_key(path)
        done({"key": str(path)}, as_json, f"made {path}: keep it away from the lists")


@app.command()
def draft(
    *,
    state: State,
    key: Keys,
    threshold: Annotated[int, typer.Option(min=1, help="How many of the keys must sign what follows.")] = 1,
    out: Out,
    valid_days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is in force.")] = 365,
    floor: Annotated[list[str] | None, typer.Option(help="LIST=N: the lowest edition allowed from now on; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the next version of this publisher's trust root, unsigned, naming the holders of the keys."""
    with errors(as_json):
        root = root_authoring.draft(
            directory(state),
            [root_authoring.read_key(path).public_key for path in key],
            threshold=threshold,
            now=now(),
            valid_for=timedelta(days=valid_days),
            floors=_floors(floor or []),
        )
        write_atomically(out, root.render())
        done(_facts(root), as_json, f"drafted version {root.version} in {out}")


@app.command()
def sign(
    source: Annotated[Path, typer.Argument(help="A draft, or what others have signed already.")],
    *,
    key: Keys,
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Sign a trust root: for a next version as a holder of a key of the version before, of the new one, or of both."""
    with errors(as_json):
        signers = [root_authoring.read_key(path) for path in key]
        data = root_authoring.read_bytes(source)
        if b'"signatures"' in data:
            for signer in signers:
                data = root_chain.add_signature(data, signer)
        else:
            data = root_chain.sign(TrustRoot.load(data), signers)
        write_atomically(out, data)
        done(_facts(root_chain.payload_of(data)), as_json, f"signed in {out}")


@app.command()
def check(
    current: Annotated[Path, typer.Argument(help="The root in force, plain or signed.")],
    following: Annotated[Path, typer.Argument(help="The signed root that should follow it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say whether a signed root may follow another, as a verifier would."""
    with errors(as_json):
        root = root_chain.successor(root_authoring.read_root(current), root_authoring.read_bytes(following))
        done(_facts(root), as_json, f"version {root.version} follows")


@app.command()
def publish(source: Annotated[Path, typer.Argument(help="The signed root.")], *, state: State, as_json: AsJson = False) -> None:
    """Put a signed root in force where this publisher serves it."""
    with errors(as_json):
        root = root_authoring.publish(directory(state), root_authoring.read_bytes(source))
        done(_facts(root), as_json, f"version {root.version} is in force until {write_time(root.expires)}")


def _facts(root: TrustRoot) -> dict[str, object]:
    return {
        "version": root.version,
        "expires": write_time(root.expires),
        "threshold": root.threshold,
        "keys": [base64url.encode(kid) for kid in root.keys],
        "lists": {entry.id: entry.min_sequence for entry in root.lists},
    }


def _floors(texts: list[str]) -> dict[str, int]:
    floors = {}
    for text in texts:
        list_id, equals, number = text.partition("=")
        if not equals or not number.isascii() or not number.isdigit() or len(number) > 16:
            raise Refused("config", "--floor looks like pub-eaa=7")
        floors[list_id] = int(number)
    return floors
