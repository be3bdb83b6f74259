"""`portadoc pki …`: authorities, certificates, revocation lists, and the rules they are held to.

Exit codes: 0 done, or nothing against the certificate; 1 refused, revoked, or against the rules; 2 cannot be determined; 3 wrong
use.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from edge.outbound import FetchLimits, Outbound
from pki import repository
from pki.home import Home, Issued, write, write_signer
from pki.issue import Details
from pki.kinds import ACCESS_POLICIES, AUTHORITIES, LEAVES
from pki.lint import lint
from pki.rules import KINDS
from vc.encoding import json
from vc.errors import Malformed, Refused, Unreachable, VcError
from vc.x509 import crl
from vc.x509.certificate import from_der, issued_by
from vc.x509.crl import Reason
from vc.x509.qc import QcPsb

UNDETERMINED, WRONG_USE = 2, 3
_WRONG_USE = frozenset(
    {
        "already_initialised", "authority", "authority_unknown", "certificate", "kind", "life", "link", "not_initialised", "policy",
        "reason", "seal", "serial_unknown", "slug", "slug_taken", "subject",
    }
)  # fmt: skip
app = typer.Typer(help="Authorities, certificates, revocation lists.", no_args_is_help=True, add_completion=False)

State = Annotated[Path, typer.Option("--state", envvar="PORTADOC_PKI", help="Directory of the PKI.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
Slug = Annotated[str, typer.Option("--authority", help="Name of the authority, as `pki list` shows it.")]
Country = Annotated[str | None, typer.Option("--country", help="C: two letters.")]
Organisation = Annotated[str | None, typer.Option("--organisation", help="O: the official name.")]
Identifier = Annotated[str | None, typer.Option("--identifier", help="organizationIdentifier, e.g. NTRFR-123456789.")]
CommonName = Annotated[str | None, typer.Option("--common-name", help="CN.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="Certificate, PEM or DER.")]


def now() -> datetime:
    """The present in whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


@app.command()
def init(
    *,
    state: State,
    address: Annotated[
        str, typer.Option("--repository", help="Base URL under which certificates and revocation lists will be read.")
    ] = "http://localhost:8003",
    as_json: AsJson = False,
) -> None:
    """Make the directory of a PKI. It is for tests and pilots: keys lie in files that only their owner can read."""
    with errors(as_json):
        home = Home.create(state, repository=address)
        show({"state": str(home.folder), "repository": home.address}, as_json, [f"made in {home.folder}"])


@app.command("add-authority")
def add_authority(
    slug: Annotated[str, typer.Argument(metavar="NAME", help="How it is called here and in addresses.")],
    *,
    state: State,
    kind: Annotated[str, typer.Option(help=f"{', '.join(AUTHORITIES)}.")],
    country: Country = None,
    organisation: Organisation = None,
    common_name: CommonName = None,
    as_json: AsJson = False,
) -> None:
    """Make an authority: its key, its self-signed certificate, its first revocation list."""
    with errors(as_json):
        subject = _subject(country, organisation, None, common_name)
        made = Home(state).add_authority(slug, kind, subject, now=now())
        said = {"authority": slug, "kind": kind, "subject": made.certificate.subject.rfc4514_string()}
        show(said, as_json, [f"{slug}: {said['subject']}"])


@app.command()
def issue(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Names the files NAME.key.pem and NAME.chain.pem.")],
    *,
    state: State,
    authority: Slug,
    kind: Annotated[str, typer.Option(help=f"{', '.join(LEAVES)}.")],
    out: Annotated[Path, typer.Option(help="Folder for the two files.")] = Path(),
    country: Country = None,
    organisation: Organisation = None,
    identifier: Identifier = None,
    common_name: CommonName = None,
    uri: Annotated[list[str] | None, typer.Option(help="Address of the owner; repeatable.")] = None,
    dns: Annotated[list[str] | None, typer.Option(help="Host name; repeatable.")] = None,
    mail: Annotated[list[str] | None, typer.Option(help="Mail of the owner; repeatable.")] = None,
    phone: Annotated[list[str] | None, typer.Option(help="Phone of the owner; repeatable.")] = None,
    law: Annotated[str | None, typer.Option(help="For a seal: the law that makes the body responsible (QcPSB).")] = None,
    law_country: Annotated[str | None, typer.Option(help="Country of that law, or EU; --country unless given.")] = None,
    source: Annotated[str | None, typer.Option(help="Its authentic source (QcPSB); --identifier unless given.")] = None,
    qualified: Annotated[bool, typer.Option("--qualified", help="State a qualified seal (tests only).")] = False,
    policy: Annotated[str, typer.Option(help=f"For access: {', '.join(ACCESS_POLICIES)}.")] = "ncp-l",
    days: Annotated[int | None, typer.Option(min=1, help="Life in days; that of the kind unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Issue a certificate with a fresh key, and hold it to the rules of its kind."""
    with errors(as_json):
        home = Home(state)
        details = Details(
            uris=uri or (),
            dns_names=dns or (),
            mails=mail or (),
            phones=phone or (),
            psb=None if law is None else _body(law, law_country or country, source or identifier),
            qualified=qualified,
            policy=policy,
            life=None if days is None else timedelta(days=days),
        )
        subject = _subject(country, organisation, identifier, common_name)
        signer = home.issue(authority, kind, subject, now=now(), details=details)
        leaf = signer.chain[0]
        out.mkdir(parents=True, exist_ok=True)
        findings = _findings(leaf, kind, home.authority(authority).certificate)
        said = {**write_signer(out, name, signer), "serial": f"{leaf.serial_number:x}", "kind": kind, "findings": findings}
        lines = [f"{said['chain']} (number {said['serial']})", *(_told(one) for one in findings)]
        show(said, as_json, lines)


@app.command()
def link(
    old: Annotated[str, typer.Argument(help="The authority that is known.")],
    new: Annotated[str, typer.Argument(help="Its successor, of the same name.")],
    *,
    state: State,
    out: Annotated[Path, typer.Option(help="File for the certificate (PEM).")],
    as_json: AsJson = False,
) -> None:
    """Issue a link certificate: the new root's key under the old root's signature, for the time of a roll-over."""
    with errors(as_json):
        made = Home(state).link(old, new)
        write(out, made.public_bytes(Encoding.PEM))
        show({"certificate": str(out), "serial": f"{made.serial_number:x}"}, as_json, [str(out)])


@app.command()
def revoke(
    *,
    state: State,
    authority: Slug,
    certificate: Annotated[Path | None, typer.Option(help="The certificate, PEM or DER.")] = None,
    serial: Annotated[str | None, typer.Option(help="Its number in hexadecimal, instead of the file.")] = None,
    reason: Annotated[str, typer.Option(help=f"{', '.join(Reason)}.")] = Reason.UNSPECIFIED,
    as_json: AsJson = False,
) -> None:
    """Revoke a certificate for good, and publish the next revocation list."""
    with errors(as_json):
        if (certificate is None) == (serial is None):
            raise Refused("certificate", "name the certificate with --certificate or with --serial")
        if reason not in tuple(Reason):
            raise Refused("reason", f"reasons: {', '.join(Reason)}")
        number = _number(serial) if certificate is None else read(certificate).serial_number
        Home(state).revoke(authority, number, Reason(reason), now=now())
        show({"serial": f"{number:x}", "reason": reason}, as_json, [f"{number:x} revoked: {reason}"])


@app.command("crl")
def publish(
    *,
    state: State,
    authority: Annotated[str | None, typer.Option(help="One authority; all unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the next revocation list of every authority; to be done well before the last one is over (30 days)."""
    with errors(as_json):
        home = Home(state)
        numbers = {slug: home.publish(slug, now=now()) for slug in ((authority,) if authority else home.slugs())}
        show({"crl": numbers}, as_json, [f"{slug}: list {number}" for slug, number in numbers.items()])


@app.command("list")
def list_all(*, state: State, as_json: AsJson = False) -> None:
    """Authorities, and what each issued."""
    with errors(as_json):
        home = Home(state)
        rows, lines = [], []
        for slug in home.slugs():
            by, issued = home.authority(slug), home.issued(slug)
            rows.append({"authority": slug, "kind": by.kind.id, "issued": [_row(one) for one in issued]})
            lines.append(f"{slug} ({by.kind.title})")
            lines += [f"  {one.serial:x}  {one.kind:<16}{_state(one)}  {one.subject}" for one in issued]
        show({"authorities": rows}, as_json, lines or ["no authority yet"])


@app.command()
def serve(
    *, state: State, port: Annotated[int, typer.Option(min=1, max=65535, help="Port on loopback.")] = 8003
) -> None:  # fmt: skip
    """Serve certificates and revocation lists over http (RFC 5280 §8), behind a front end that the world can reach."""
    with errors(as_json=False):
        repository.serve(Home(state).repository, port=port)


@app.command("lint")
def lint_file(
    file: File,
    *,
    kind: Annotated[str, typer.Option(help=f"{', '.join(KINDS)}.")],
    issuer: Annotated[Path | None, typer.Option(help="The authority's certificate, for the rules about both.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a certificate to the rules of its kind. Exit code 1 when it breaks one."""
    with errors(as_json):
        findings = _findings(read(file), kind, None if issuer is None else read(issuer))
        broken = any(one["severity"] == "error" for one in findings)
        lines = [_told(one) for one in findings] or ["keeps every rule"]
        show({"kind": kind, "findings": findings}, as_json, lines)
    if broken:
        raise typer.Exit(1)


@app.command()
def check(
    file: File,
    *,
    issuer: Annotated[Path, typer.Option(help="The authority's certificate, PEM or DER.")],
    revocation_list: Annotated[
        str | None, typer.Option("--crl", help="File or address; where the certificate says unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the authority's revocation list about a certificate: 0 not revoked, 1 revoked, 2 cannot be determined."""
    with errors(as_json):
        certificate, by = read(file), read(issuer)
        if not issued_by(certificate, by):
            raise Refused("issuer", "the authority did not issue the certificate")
        found = crl.parse(_list_octets(revocation_list, certificate))
        try:
            crl.verify(found, by, now=now())
        except VcError as error:
            raise Unreachable(error.code, error.detail) from error
        entry = crl.entry(found, certificate)
        said: dict[str, Any] = {"revoked": entry is not None, "this_update": found.this_update.isoformat(), "number": found.number}
        if entry is not None:
            said |= {"since": entry.since.isoformat(), "reason": str(entry.reason)}
        show(said, as_json, [f"revoked since {entry.since:%Y-%m-%d}: {entry.reason}" if entry else "not revoked"])
    if entry is not None:
        raise typer.Exit(1)


def _list_octets(named: str | None, certificate: x509.Certificate) -> bytes:
    """The list of the file or address that was named, else of the first address in the certificate."""
    if named is not None and not named.startswith(("http://", "https://")):
        return Path(named).read_bytes()
    addresses = crl.distribution_points(certificate) if named is None else (named,)
    if not addresses:
        raise Unreachable("crl_not_named", "the certificate names no revocation list")
    # The person at the terminal names the address, or a certificate of their own PKI does: it may be on this machine.
    limits = FetchLimits(allow_loopback=True, allow_plain_http=True, max_bytes=crl.MAX_CRL)
    fetched = Outbound(limits).get(addresses[0])
    if fetched.status != 200:
        raise Unreachable("crl_unreachable", f"{urlsplit(addresses[0]).netloc} answered with {fetched.status}")
    return fetched.body


def read(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file, or the one of a DER file. Raises `Malformed("certificate")`."""
    octets = path.read_bytes()
    if b"-----BEGIN" not in octets:
        return from_der(octets)
    try:
        return x509.load_pem_x509_certificates(octets)[0]
    except ValueError as exc:
        raise Malformed("certificate", "not a PEM file with a certificate") from exc


def _subject(country: str | None, organisation: str | None, identifier: str | None, common_name: str | None) -> dict[str, str]:
    named = {"C": country, "O": organisation, "organizationIdentifier": identifier, "CN": common_name}
    return {name: value for name, value in named.items() if value}


def _body(law: str, country: str | None, source: str | None) -> QcPsb:
    if not country or not source:
        raise Refused("seal", "a law needs its country and the authentic source")
    return QcPsb(country=country, authentic_source=source, legislation=law)


def _number(text: str | None) -> int:
    try:
        return int(text or "", 16)
    except ValueError as exc:
        raise Refused("serial_unknown", "a number is written in hexadecimal") from exc


def _findings(certificate: x509.Certificate, kind: str, issuer: x509.Certificate | None) -> list[dict[str, str]]:
    return [
        {"rule": one.rule, "severity": one.severity, "clause": one.clause, "text": one.text}
        for one in lint(certificate, kind, issuer=issuer)
    ]


def _told(finding: dict[str, str]) -> str:
    return f"{finding['severity']} {finding['rule']}: {finding['text']} ({finding['clause']})"


def _row(one: Issued) -> dict[str, Any]:
    revoked = None if one.revoked is None else {"since": one.revoked.since.isoformat(), "reason": str(one.revoked.reason)}
    row = {"serial": f"{one.serial:x}", "kind": one.kind, "subject": one.subject, "not_after": one.not_after.isoformat()}
    return {**row, "revoked": revoked}


def _state(one: Issued) -> str:
    return f"until {one.not_after:%Y-%m-%d}" if one.revoked is None else f"revoked {one.revoked.since:%Y-%m-%d}"


def show(value: dict[str, Any], as_json: bool, lines: Sequence[str]) -> None:
    """One JSON document, or lines for a person."""
    sys.stdout.write(json.dumps(value).decode() + "\n" if as_json else "".join(f"{line}\n" for line in lines))


@contextmanager
def errors(as_json: bool) -> Iterator[None]:
    """Turn what the commands raise into the exit codes and one sentence on stderr."""
    try:
        yield
    except VcError as exc:
        code = WRONG_USE if exc.code in _WRONG_USE else UNDETERMINED if isinstance(exc, Unreachable) else 1
        fail(exc.code, exc.detail, code, as_json)
    except OSError as exc:
        fail("file", f"{exc.filename}: {exc.strerror}", WRONG_USE, as_json)


def fail(code: str, text: str, exit_code: int, as_json: bool) -> NoReturn:
    """Leave with a sentence and an exit code."""
    typer.echo(f"{code}: {text}", err=True)
    if as_json:
        show({"error": {"code": code, "detail": text}}, True, [])
    raise typer.Exit(exit_code)
