"""`portadoc trust-list lotl …`: look at the list of trusted lists and the national ones with a verifier's eyes.

Exit codes: 0 usable, 1 refused, 2 cannot be determined (run out, or not to be had), 3 wrong use.
"""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.outbound import Outbound
from trust_list import sources
from trust_list.cli_output import UNDETERMINED, AsJson, CaFile, errors, now, show
from trust_list.model import write_time
from trust_list.national.lists import NationalLists
from trust_list.national.loading import LIMITS, NationalSource
from trust_list.national.model import TrustedList
from trust_list.national.opening import ListOfLists
from vc.errors import Refused, VcError

app = typer.Typer(help="The EU's list of trusted lists and the national lists (ETSI TS 119 612).", no_args_is_help=True)


@app.callback()
def lotl() -> None:
    """The EU's list of trusted lists and the national lists (ETSI TS 119 612), read only."""


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="File or https address of the list of lists.")],
    *,
    signer: Annotated[
        list[Path],
        typer.Option("--signer", help="PEM or DER file of a signer named in the Official Journal; repeat for all of them."),
    ],
    lists: Annotated[bool, typer.Option("--lists", help="Fetch and check the national lists too.")] = False,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Check the list of lists through its pivots; with --lists also every national list it points to."""
    with errors(as_json), tempfile.TemporaryDirectory() as folder:
        known = _source(source, signer, Path(folder), ca_file)
        found = known.list_of_lists()
        told = _told(found, [_national(known, found, place) for place in range(len(found.national))] if lists else None)
        show(told, as_json, _lines(told))
    if told["outcome"] != "usable":
        raise typer.Exit(UNDETERMINED)
    if any(row["outcome"] == "refused" for row in told.get("lists", ())):
        raise typer.Exit(1)


def national_lists(source: str, signers: list[Path], ca_file: Path | None) -> NationalLists:
    """What the lists behind `source` say now, read anew. Raises `VcError` when the list of lists is not to be believed."""
    with tempfile.TemporaryDirectory() as folder:
        known = _source(source, signers, Path(folder), ca_file)
        known.list_of_lists()
        known.refresh()
        return known.known()


def _source(source: str, signers: list[Path], folder: Path, ca_file: Path | None) -> NationalSource:
    if "://" not in source and not Path(source).is_file():
        raise Refused("config", "there is no such file")
    if not signers:
        raise Refused("config", "name the signers of the list of lists")
    pinned = [one for path in signers for one in sources.read_certificates(path)]
    return NationalSource(source, pinned, folder=folder, outbound=Outbound(LIMITS, ca_file=ca_file), clock=now)


def _told(found: ListOfLists, lists: list[dict[str, Any]] | None) -> dict[str, Any]:
    told = {
        **_facts(found.list),
        "pivots": list(found.pivots),
        "pointers": [{"territory": one.territory, "location": one.location} for one in found.national],
    }
    return told if lists is None else {**told, "lists": lists}


def _national(known: NationalSource, found: ListOfLists, place: int) -> dict[str, Any]:
    pointer = found.national[place]
    try:
        return _facts(known.national(pointer))
    except VcError as exc:
        return {"outcome": "refused", "territory": pointer.territory, "code": exc.code, "detail": exc.detail}


def _facts(found: TrustedList) -> dict[str, Any]:
    return {
        "outcome": "usable" if found.current(now()) else "run_out",
        "territory": found.territory,
        "operator": found.operator,
        "sequence": found.sequence,
        "issued": write_time(found.issued),
        "next_update": None if found.next_update is None else write_time(found.next_update),
        "services": len(found.services),
    }


def _lines(told: dict[str, Any]) -> list[str]:
    first = f"{told['outcome']}: list of trusted lists {told['sequence']}, next update by {told['next_update']}"
    steps = f"pivots: {', '.join(map(str, told['pivots'])) or 'none'}; national lists: {len(told['pointers'])}"
    rows = [f"{row['territory']}: {row['outcome']} {row.get('code') or row['sequence']}" for row in told.get("lists", ())]
    return [first, steps, *rows]
