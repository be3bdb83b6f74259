"""`portadoc trust-list bundle …`: what a check needs, in one signed file for devices without a network.

Exit codes: 0 done, 1 refused, 2 the bundle is over and nothing can be determined by it, 3 wrong use.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.outbound import FetchLimits, Outbound
from edge.serve import run
from edge.settings import KeyFiles, SettingsError, signer
from trust_list import sources
from trust_list.bundle import report
from trust_list.bundle.app import Maker, create_app
from trust_list.bundle.applied import Device
from trust_list.bundle.contents import MAX_BUNDLE
from trust_list.bundle.making import make as make_bundle
from trust_list.bundle.opening import BUNDLE_SIGNER, opening
from trust_list.cli_output import UNDETERMINED, AsJson, CaFile, MaybeState, Root, errors, now, show
from trust_list.snapshot import Freshness
from trust_list.store import write_atomically
from vc.errors import Malformed, Refused, Unreachable
from vc.keys.signer import LocalSigner
from vc.x509.certificate import sha256

app = typer.Typer(help="Offline bundles: make, verify, apply.", no_args_is_help=True)
_LIMITS = FetchLimits(allow_loopback=True, max_bytes=MAX_BUNDLE, total_seconds=30.0)

DevicePath = Annotated[Path, typer.Option("--device", help="Directory of the device: trust root, pinned makers, bundle in force.")]
Key = Annotated[Path, typer.Option(help="PEM of the maker's private key.")]
Certificate = Annotated[Path, typer.Option(help="PEM of the maker's certificate.")]
Makers = Annotated[list[Path], typer.Option("--maker", help="Certificate whose bundles are taken (PEM or DER); repeatable.")]
Source = Annotated[str, typer.Argument(help="File or http(s) address of a bundle.")]


@app.command()
def make(
    *,
    key: Key,
    certificate: Certificate,
    out: Annotated[Path, typer.Option(help="File to write.")],
    trust_root: Root = None,
    state: MaybeState = None,
    root_chain: Annotated[
        list[Path] | None, typer.Option(help="Signed root for devices whose root is older; repeatable, the oldest first.")
    ] = None,
    status: Annotated[list[str] | None, typer.Option(help="Address of a status list; repeatable.")] = None,
    aggregation: Annotated[list[str] | None, typer.Option(help="Address that names an issuer's status lists; repeatable.")] = None,
    days: Annotated[int, typer.Option(min=1, max=31, help="How long it may be used.")] = 7,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Fetch lists, status lists and revocation lists, verify them, and seal them into one file."""
    with errors(as_json):
        root_path, root = sources.root_of(trust_root, state)
        made = make_bundle(
            sources.fetched(root_path, now, keep=None, ca_file=ca_file),
            root=root,
            root_file=root_path.read_bytes(),
            outbound=_outbound(ca_file),
            authorities=_outbound(ca_file, plain=True),
            signer=_signer(key, certificate),
            now=now(),
            life=timedelta(days=days),
            root_chain=[path.read_bytes() for path in root_chain or ()],
            statuses=status or (),
            aggregations=aggregation or (),
        )
        write_atomically(out, made.bundle)
        told = {**report.report(made.opened, now()), "bytes": len(made.bundle), "missing": list(made.notes)}
        show(told, as_json, [*report.lines(told), *(f"missing: {note}" for note in made.notes), f"written: {out}"])


@app.command()
def verify(
    source: Source,
    *,
    maker: Makers,
    trust_root: Root = None,
    state: MaybeState = None,
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle and everything in it, without keeping anything."""
    with errors(as_json):
        pins = frozenset(sha256(sources.read_certificates(path)[0]) for path in maker)
        _, root = sources.root_of(trust_root, state)
        _told(report.report(opening(_read(source, ca_file), pinned=pins, root=root, now=now()), now()), as_json)


@app.command()
def device(
    directory: Annotated[Path, typer.Argument(help="Directory to make.")],
    *,
    maker: Makers,
    trust_root: Root = None,
    state: MaybeState = None,
    as_json: AsJson = False,
) -> None:
    """Give a device its trust root and the makers whose bundles it takes. Once: they do not change by what a bundle says."""
    with errors(as_json):
        root_path, _ = sources.root_of(trust_root, state)
        makers = [sources.read_certificates(path)[0] for path in maker]
        Device(directory).provision(root_path.read_bytes(), makers)
        show({"device": str(directory), "makers": len(makers)}, as_json, [f"made: {directory}"])


@app.command()
def apply(source: Source, *, device: DevicePath, ca_file: CaFile = None, as_json: AsJson = False) -> None:
    """Check a bundle as the device would, floor included, and put it into force."""
    with errors(as_json):
        _told(report.report(_provisioned(device).apply(_read(source, ca_file), now=now()), now()), as_json)


@app.command("state")
def show_state(*, device: DevicePath, as_json: AsJson = False) -> None:
    """Say what is in force on the device and how old it is."""
    with errors(as_json):
        opened = _provisioned(device).load(now=now())
        if opened is None:
            raise Unreachable("bundle_never_applied", "no bundle has been applied yet: nothing can be determined")
        _told(report.report(opened, now()), as_json)


@app.command()
def serve(
    *,
    device: DevicePath,
    token_file: Annotated[Path, typer.Option(help="File with the operator's token: asked for where something is changed or made.")],
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8004,
    base_url: Annotated[
        str | None, typer.Option(help="Where the service is reached, for its metadata; its own address unless given.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="PEM of a maker's key, to make bundles here too.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM of the maker's certificate.")] = None,
    ca_file: CaFile = None,
) -> None:
    """Serve the device: read, verify and apply bundles, evaluate trust offline, and make bundles when a maker's key is given."""
    with errors(False):
        token = token_file.read_text(encoding="ascii").strip()
        if len(token) < 16:
            raise Refused("config", "the operator's token has at least 16 characters")
        if (key is None) != (certificate is None):
            raise Refused("config", "a maker has a key and a certificate")
        maker = None
        if key is not None and certificate is not None:
            maker = Maker(
                signer=_signer(key, certificate),
                known=lambda: sources.fetched(device / "trust-root.json", now, keep=None, ca_file=ca_file),
                outbound=_outbound(ca_file),
                authorities=_outbound(ca_file, plain=True),
            )
        address = (base_url or f"http://{host}:{port}").rstrip("/")
        served = create_app(_provisioned(device), token=token, base_url=address, clock=now, maker=maker)
        run(served, host=host, port=port, tls=None)


def _provisioned(path: Path) -> Device:
    found = Device(path)
    if not found.provisioned:
        raise Refused("not_initialised", "this is no device; `bundle device` makes one")
    return found


def _told(told: dict[str, Any], as_json: bool) -> None:
    show(told, as_json, report.lines(told))
    if told["state"] == Freshness.EXPIRED.value:
        raise typer.Exit(UNDETERMINED)


def _read(source: str, ca_file: Path | None) -> bytes:
    if source.startswith(("http://", "https://")):
        fetched = _outbound(ca_file).get(source, max_bytes=MAX_BUNDLE)
        if fetched.status != 200:
            raise Unreachable("status", f"the address answered with HTTP status {fetched.status}")
        return fetched.body
    path = Path(source)
    if path.stat().st_size > MAX_BUNDLE:
        raise Malformed("too_large", "the bundle is too long")
    return path.read_bytes()


def _outbound(ca_file: Path | None, *, plain: bool = False) -> Outbound:
    return Outbound(replace(_LIMITS, allow_plain_http=plain), ca_file=ca_file)


def _signer(key: Path, certificate: Path) -> LocalSigner:
    try:
        return signer(KeyFiles(key=str(key.absolute()), chain=str(certificate.absolute())), Path(), "maker", BUNDLE_SIGNER)
    except SettingsError as exc:
        raise Refused("config", str(exc)) from exc
