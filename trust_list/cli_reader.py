"""Commands that look at lists with a verifier's eyes."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.x509.oid import NameOID

from trust_list import explain, sources
from trust_list.accept import accept
from trust_list.catalogue_types import authorisation
from trust_list.cli_output import UNDETERMINED, AsJson, CaFile, ListId, MaybeState, Root, done, errors, now, show, time
from trust_list.decide import Outcome, TrustQuery, evaluate
from trust_list.model import write_time
from trust_list.national.cli import national_lists
from trust_list.snapshot import Freshness, TrustSnapshot
from trust_list.store import Publisher, directory
from vc.errors import Refused
from vc.x509.certificate import subject_value

app = typer.Typer()


@app.command()
def verify(
    source: Annotated[str, typer.Argument(help="File or http(s) address of a sealed list.")],
    *,
    trust_root: Root = None,
    state: MaybeState = None,
    list_id: Annotated[str | None, typer.Option("--list", help="Which list it must be; what it says unless given.")] = None,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Check a list as a verifier would: seal, signer, form, profile, dates, number."""
    with errors(as_json):
        token = sources.read_list(source, ca_file)
        wanted = list_id or sources.list_id_of(token)
        accepted = accept(wanted, token, root=sources.root_of(trust_root, state)[1], state=None, now=now())
        facts = {
            "outcome": "accepted",
            "list": wanted,
            "sequence": accepted.sequence,
            "issued": write_time(accepted.issued_at),
            "next_update": write_time(accepted.next_update),
            "entities": len(accepted.lote.entities),
            "notes": list(accepted.notes),
            "findings": [
                {"severity": f.severity, "code": f.code, "clause": f.clause, "pointer": f.pointer, "text": f.text}
                for f in accepted.findings
            ],
        }
        done(facts, as_json, f"accepted: {wanted} edition {accepted.sequence}, next update by {facts['next_update']}")


@app.command()
def fetch(
    *,
    trust_root: Root = None,
    state: MaybeState = None,
    keep: Annotated[Path | None, typer.Option(help="Directory to remember accepted lists in, from run to run.")] = None,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Fetch and accept every list of a trust root, as a verifier does."""
    with errors(as_json):
        path, _ = sources.root_of(trust_root, state)
        known = sources.fetched(path, now, keep=keep, ca_file=ca_file)
        rows = _listing_rows(known, now())
        show(
            {"lists": rows},
            as_json,
            [f"{row['id']}: {row['state']} edition {row['sequence']} {row['problem'] or ''}" for row in rows],
        )
        if any(item.alarm for item in known.lists.values()):
            raise typer.Exit(1)
        if any(row["state"] not in ("FRESH", "AGEING") for row in rows):
            raise typer.Exit(UNDETERMINED)


@app.command("explain")
def explain_certificate(
    certificate: Annotated[Path, typer.Argument(help="PEM or DER file; with intermediates, the signer's certificate first.")],
    *,
    trust_root: Root = None,
    state: MaybeState = None,
    list_id: ListId = "pub-eaa",
    role: Annotated[str, typer.Option(help="issuance or revocation.")] = "issuance",
    attestation_type: Annotated[str | None, typer.Option("--type", help="pda1, ehic or pid.")] = None,
    format: Annotated[str, typer.Option(help="dc+sd-jwt or mso_mdoc.")] = "dc+sd-jwt",
    type_id: Annotated[str | None, typer.Option(help="vct or doctype; a usual one of the type unless given.")] = None,
    country: Annotated[
        str | None, typer.Option(help="Issuing country named in the document; the certificate's own unless given.")
    ] = None,
    entity: Annotated[str | None, typer.Option(help="For --role revocation: the entity whose documents are meant.")] = None,
    at: Annotated[str | None, typer.Option(help="Time to judge, e.g. 2026-11-24T12:00:00Z; now unless given.")] = None,
    issued: Annotated[str | None, typer.Option(help="When the document was signed; the time judged unless given.")] = None,
    lotl: Annotated[str | None, typer.Option(help="List of trusted lists, to say whether the seal is qualified.")] = None,
    lotl_signer: Annotated[list[Path] | None, typer.Option(help="Signer of it named in the Official Journal; repeatable.")] = None,
    mode: Annotated[str, typer.Option(help="strict: counts now; historical: counted when the document was signed.")] = "strict",
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Say for one certificate, edge by edge, what the lists make of it and why."""
    with errors(as_json):
        if role not in ("issuance", "revocation"):
            raise Refused("role", "--role is issuance or revocation")
        if mode not in ("strict", "historical"):
            raise Refused("mode", "--mode is strict or historical")
        chain = sources.read_certificates(certificate)
        path, root = sources.root_of(trust_root, state)
        if trust_root is None and state is not None and Publisher(directory(state)).exists():
            known = sources.from_publisher(Publisher(directory(state)), root, now())
        else:
            known = sources.fetched(path, now, keep=None, ca_file=ca_file)
        if lotl is not None:
            known = replace(known, qualified=national_lists(lotl, lotl_signer or [], ca_file))
        clock = now()
        moment = time(at) or clock
        wanted_type = attestation_type or ("pid" if list_id == "pid" else None)
        query = TrustQuery(
            list_id=list_id,
            role="revocation" if role == "revocation" else "issuance",
            chain=chain,
            format=format,
            type_id=type_id or (_usual(wanted_type, format) if wanted_type else None),
            attestation_type=wanted_type,
            issuing_country=country or subject_value(chain[0], NameOID.COUNTRY_NAME),
            entity_id=entity,
            t_issue=time(issued),
            t_now=moment,
            t_clock=clock,
            mode="historical" if mode == "historical" else "strict",
        )
        decision = evaluate(query, known)
        told = explain.to_json(query, decision, known)
        show(told, as_json, explain.to_text(told))
    if decision.outcome is Outcome.INDETERMINATE:
        raise typer.Exit(UNDETERMINED)
    if decision.outcome not in (Outcome.TRUSTED, Outcome.TRUSTED_AT_ISSUANCE):
        raise typer.Exit(1)


def _usual(attestation_type: str, format_name: str) -> str | None:
    found = authorisation(attestation_type, (format_name,)).formats
    return found[0][1] if found else None


def _listing_rows(known: TrustSnapshot, moment: datetime) -> list[dict[str, Any]]:
    rows = []
    for item in known.lists.values():
        event = item.alarm or item.outage
        state = item.freshness(moment)
        rows.append(
            {
                "id": item.list_id,
                "state": state.value,
                "sequence": item.accepted.sequence if item.accepted else None,
                "next_update": write_time(item.accepted.next_update) if item.accepted and state is not Freshness.NEVER else None,
                "alarm": item.alarm.code if item.alarm else None,
                "outage": item.outage.code if item.outage else None,
                "problem": event.text if event else None,
            }
        )
    return rows
