"""Commands that make and change lists, and serve them."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from edge import logs
from trust_list import authoring, cli_author, sources
from trust_list.authoring import Authorisation, EntityDraft, ServiceDraft
from trust_list.catalogue_types import authorisation
from trust_list.cli_output import AsJson, Certificates, Formats, ListId, Roles, Stage, State, Types, done, errors, now, show
from trust_list.jades_profiles import header_profile
from trust_list.model import write_time
from trust_list.profiles import DEFAULT_LISTS
from trust_list.serving import serve as serve_lists
from trust_list.store import Edition, Publisher, directory
from vc.errors import Refused
from vc.x509.certificate import ski

app = typer.Typer()
app.add_typer(cli_author.app)


@app.command()
def init(
    *,
    state: State,
    base_url: Annotated[
        str, typer.Option(help="Where the lists will be served, e.g. http://localhost:8003.")
    ] = "http://localhost:8003",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8003,
    list_id: Annotated[
        list[str] | None, typer.Option("--list", help="A list to begin; repeatable; pub-eaa, pid and wallet unless given.")
    ] = None,
    headers: Annotated[
        str, typer.Option("--jades", help="What seals carry: baseline (with certificate) or aptitude.")
    ] = "baseline",
    as_json: AsJson = False,
) -> None:
    """Make a publisher with a test operator's key, an empty draft of each list, and a trust root that pins the key."""
    with errors(as_json):
        home, lists, carried = directory(state), tuple(dict.fromkeys(list_id or DEFAULT_LISTS)), header_profile(headers)
        listen = {"host": host, "port": port}
        authoring.init(home, base_url=base_url, now=now(), listen=listen, lists=lists, headers=carried)
        authoring.write_trust_root(home, home / "trust-root.json", now=now())
        done({"state": str(home), "lists": list(lists), "trust_root": str(home / "trust-root.json")}, as_json, f"made in {home}")


@app.command("add-entity")
def add_entity(
    *,
    state: State,
    list_id: ListId,
    name: Annotated[str, typer.Option(help="Official name, equal to O in its certificates.")],
    country: Annotated[str, typer.Option(help="Two letters.")],
    registration_id: Annotated[str, typer.Option(help="Registration identifier, e.g. NTRFR-123456789.")],
    certificate: Certificates,
    law: Annotated[str | None, typer.Option(help="Law that makes it responsible, OJ:…; needed on pub-eaa.")] = None,
    role: Roles = None,
    attestation_type: Types = None,
    format: Formats = None,
    unique_identifier: Annotated[str | None, typer.Option(help="URI of the wallet solution; needed on wallet.")] = None,
    stage: Stage = False,
    as_json: AsJson = False,
) -> None:
    """Put an entity on a list, with one service for each certificate."""
    with errors(as_json):
        services = _services(certificate, role, _authorisations(attestation_type, format), unique_identifier)
        draft = EntityDraft(
            name=name, country=country.upper(), registration_id=registration_id, law=law, services=services
        )  # fmt: skip
        edition = authoring.add_entities(directory(state), list_id, (draft,), now=now(), stage=stage)
        done(_change(list_id, registration_id, edition), as_json, f"{name} is on {_words(list_id, edition)}")


@app.command("add-service")
def add_service(
    *,
    state: State,
    list_id: ListId,
    entity: Annotated[str, typer.Option(help="Registration identifier of a listed entity.")],
    certificate: Certificates,
    role: Roles = None,
    attestation_type: Types = None,
    format: Formats = None,
    unique_identifier: Annotated[str | None, typer.Option(help="URI of the wallet solution.")] = None,
    stage: Stage = False,
    as_json: AsJson = False,
) -> None:
    """Add a service to a listed entity: a new key is always a new service."""
    with errors(as_json):
        services = _services(certificate, role, _authorisations(attestation_type, format), unique_identifier)
        edition = None
        for number, service in enumerate(services, start=1):
            later = stage or number < len(services)
            edition = authoring.add_service(directory(state), list_id, entity, service, now=now(), stage=later)
        done(
            _change(list_id, entity, edition),
            as_json,
            f"{len(services)} service(s) of {entity} added to {_words(list_id, edition)}",
        )


@app.command()
def withdraw(
    *,
    state: State,
    list_id: ListId = "pub-eaa",
    entity: Annotated[str, typer.Option(help="Registration identifier of the entity.")],
    reason: Annotated[str, typer.Option(help="Why, in a few words; it is published.")],
    certificate: Annotated[Path | None, typer.Option(help="Withdraw only the services with the key of this certificate.")] = None,
    stage: Stage = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw an entity, or one key of it. It stays on the list with its history."""
    with errors(as_json):
        key = ski(sources.read_certificates(certificate)[0]) if certificate is not None else None
        edition = authoring.withdraw(directory(state), list_id, entity, reason=reason, now=now(), key=key, stage=stage)
        done(_change(list_id, entity, edition), as_json, f"{entity} is withdrawn in {_words(list_id, edition)}")


@app.command()
def publish(
    *,
    state: State,
    list_id: Annotated[str | None, typer.Option("--list", help="One list; all unless given.")] = None,
    valid_days: Annotated[float, typer.Option(help="Days until the next update is due.", min=0.0001, max=180)] = 30,
    as_json: AsJson = False,
) -> None:
    """Seal each draft as its next edition."""
    with errors(as_json):
        publisher = Publisher(directory(state))
        publisher.config()
        chosen = publisher.list_ids() if list_id is None else (list_id,)
        made = [authoring.publish(publisher.root, item, now=now(), valid_for=timedelta(days=valid_days)) for item in chosen]
        facts = [_edition_facts(edition) for edition in made]
        done({"editions": facts}, as_json, "\n".join(f"{edition.list_id} edition {edition.sequence}" for edition in made))


@app.command()
def status(*, state: State, as_json: AsJson = False) -> None:
    """What a publisher has: editions, next updates, unpublished changes. Exit code 1 when a list has run out."""
    with errors(as_json):
        publisher = Publisher(directory(state))
        publisher.config()
        moment = now()
        rows: list[dict[str, Any]] = []
        for list_id in publisher.list_ids():
            current, draft = publisher.latest(list_id), publisher.draft(list_id)
            facts: dict[str, Any] = _edition_facts(current) if current else {"list": list_id, "sequence": None}
            due = current.lote.scheme.NextUpdate if current else None
            facts["entities"] = len(draft.entities)
            facts["staged_changes"] = current is None or current.lote.entities != draft.entities
            facts["run_out"] = due is not None and due <= moment
            rows.append(facts)
        lines = [
            f"{row['list']}: edition {row['sequence'] or '-'}, {row['entities']} entities"
            f"{', next update by ' + row['next_update'] if row.get('next_update') else ''}"
            f"{', HAS RUN OUT' if row['run_out'] else ''}{', unpublished changes' if row['staged_changes'] else ''}"
            for row in rows
        ]
        show({"lists": rows}, as_json, lines)
    if any(row["run_out"] for row in rows):
        raise typer.Exit(1)


@app.command()
def serve(
    *,
    state: State,
    host: Annotated[str | None, typer.Option(help="Instead of the configured address.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Instead of the configured port.")] = None,
) -> None:
    """Serve the lists until told to stop."""
    with errors(False):
        logs.configure()
        serve_lists(state, host=host, port=port)


def _authorisations(types: list[str] | None, formats: list[str] | None) -> tuple[Authorisation, ...]:
    return tuple(authorisation(name, formats or ()) for name in types or ())


def _services(
    certificates: list[Path], roles: list[str] | None, allowed: tuple[Authorisation, ...], unique_identifier: str | None
) -> tuple[ServiceDraft, ...]:
    chosen = roles or ["issuance"] * len(certificates)
    if len(chosen) != len(certificates) or not set(chosen) <= {"issuance", "revocation"}:
        raise Refused("role", "--role is issuance or revocation, and given once for each --certificate")
    services = []
    for path, role in zip(certificates, chosen, strict=True):
        issuing = role == "issuance"
        services.append(
            ServiceDraft(
                role="issuance" if issuing else "revocation",
                certificates=sources.read_certificates(path)[:1],
                authorisations=allowed if issuing else (),
                unique_identifier=unique_identifier,
            )
        )
    return tuple(services)


def _edition_facts(edition: Edition) -> dict[str, Any]:
    scheme = edition.lote.scheme
    return {
        "list": edition.list_id,
        "sequence": edition.sequence,
        "issued": write_time(scheme.ListIssueDateTime),
        "next_update": write_time(scheme.NextUpdate) if scheme.NextUpdate else None,
        "sha256": edition.etag,
    }


def _change(list_id: str, entity: str, edition: Edition | None) -> dict[str, Any]:
    return {"list": list_id, "entity": entity, "edition": _edition_facts(edition) if edition else None, "staged": edition is None}


def _words(list_id: str, edition: Edition | None) -> str:
    return f"the draft of {list_id}" if edition is None else f"{list_id} edition {edition.sequence}"
