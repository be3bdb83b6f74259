"""`portadoc trust-list registrar …`: who is registered for what, and their certificates."""

from pathlib import Path
from typing import Annotated

import typer

from edge import logs
from edge.serve import run
from pki.home import Home, write_signer
from pki.issue import Details
from trust_list.cli_output import AsJson, done, errors, now, show
from trust_list.registrar import model
from trust_list.registrar.app import create_app
from trust_list.registrar.register import Register

app = typer.Typer(help="A register of relying parties and issuers (TS5), and their certificates.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option("--register", envvar="PORTADOC_REGISTER", help="Directory of the register.")]
Who = Annotated[str, typer.Argument(metavar="IDENTIFIER", help="As registered, e.g. NTRDE-123456789.")]
Use = Annotated[str | None, typer.Option("--use", help="Identifier of an intended use; what the party provides unless given.")]


@app.command()
def init(
    *,
    register: Folder,
    pki: Annotated[Path, typer.Option(help="Directory made with `portadoc pki init`.")],
    name: Annotated[str, typer.Option(help="Official name of the registrar.")],
    country: Annotated[str, typer.Option(help="Two letters.")],
    access: Annotated[str, typer.Option(help="Its authority for access certificates.")] = "access-ca",
    registrar: Annotated[str, typer.Option(help="Its authority for registrars.")] = "registrar-ca",
    address: Annotated[str, typer.Option(help="Where the register will be read.")] = "http://localhost:8004",
    as_json: AsJson = False,
) -> None:
    """Make a register with a signer of its own."""
    with errors(as_json):
        made = Register.create(
            register, address=address, home=Home(pki), access=access, registrar=registrar, name=name, country=country, now=now()
        )
        done({"register": str(made.folder), "address": made.address}, as_json, f"made in {made.folder}")


@app.command("register")
def register_party(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON in the members of TS5 (WalletRelyingParty).")],
    *,
    register: Folder,
    as_json: AsJson = False,
) -> None:
    """Register a party, or change what it is registered for; what no longer holds is withdrawn."""
    with errors(as_json):
        party = model.parse(file.read_bytes())
        new = Register(register).register(party)
        done({"party": party.id, "new": new}, as_json, f"{party.id} {'registered' if new else 'changed'}")


@app.command("list")
def list_parties(*, register: Folder, as_json: AsJson = False) -> None:
    """Who is registered, and what was given out."""
    with errors(as_json):
        known = Register(register)
        rows = [
            {"party": one.id, "name": one.tradeName, "uses": [use.intendedUseIdentifier for use in one.intendedUse]}
            for one in known.parties()
        ]
        given = [
            {"kind": one.kind, "party": one.party, "use": one.use, "number": f"{one.number:x}", "withdrawn": one.withdrawn}
            for one in known.given()
        ]
        lines = [f"{row['party']}  {row['name']}  {', '.join(row['uses'])}" for row in rows]
        lines += [f"  {one['kind']} {one['number']} of {one['party']}{' (withdrawn)' if one['withdrawn'] else ''}" for one in given]
        show({"parties": rows, "given": given}, as_json, lines or ["nobody yet"])


@app.command("give-access")
def give_access(
    identifier: Who,
    *,
    register: Folder,
    name: Annotated[str, typer.Option(help="Names the files NAME.key.pem and NAME.chain.pem.")],
    out: Annotated[Path, typer.Option(help="Folder for the two files.")] = Path(),
    uri: Annotated[list[str] | None, typer.Option(help="Address of the service; repeatable.")] = None,
    dns: Annotated[list[str] | None, typer.Option(help="Host name; repeatable.")] = None,
    mail: Annotated[list[str] | None, typer.Option(help="Mail; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a registered party an access certificate (WRPAC) with a fresh key."""
    with errors(as_json):
        made = Register(register).give_access(identifier, Details(uris=uri or (), dns_names=dns or (), mails=mail or ()), now=now())
        out.mkdir(parents=True, exist_ok=True)
        files = write_signer(out, name, made)
        done({**files, "serial": f"{made.chain[0].serial_number:x}"}, as_json, files["chain"])


@app.command("give-registration")
def give_registration(
    identifier: Who,
    *,
    register: Folder,
    out: Annotated[Path, typer.Option(help="File for the compact JWT.")],
    use: Use = None,
    as_json: AsJson = False,
) -> None:
    """Give a registered party a registration certificate (WRPRC)."""
    with errors(as_json):
        out.write_text(Register(register).give_registration(identifier, use, now=now()), encoding="ascii")
        done({"certificate": str(out), "use": use}, as_json, str(out))


@app.command()
def withdraw(identifier: Who, *, register: Folder, use: Use = None, as_json: AsJson = False) -> None:
    """Withdraw the registration certificates of one intended use, or of what the party provides."""
    with errors(as_json):
        number = Register(register).withdraw(identifier, use)
        done({"withdrawn": number}, as_json, f"{number} withdrawn")


@app.command()
def remove(identifier: Who, *, register: Folder, as_json: AsJson = False) -> None:
    """End a registration: every certificate of the party is withdrawn, then it is forgotten."""
    with errors(as_json):
        Register(register).remove(identifier, now=now())
        done({"removed": identifier}, as_json, f"{identifier} is no longer registered")


@app.command()
def serve(
    *, register: Folder, port: Annotated[int, typer.Option(min=1, max=65535, help="Port on loopback.")] = 8004
) -> None:  # fmt: skip
    """Serve the register, its status list and its key set, behind a front end that the world can reach."""
    with errors(False):
        known = Register(register)
        logs.configure()
        run(create_app(known, clock=now), host="127.0.0.1", port=port)
