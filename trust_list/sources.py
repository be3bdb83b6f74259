"""Where a command takes lists from: files, addresses, a publisher's own directory; all of it accepted by the same rules."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography import x509

from edge.outbound import FetchLimits, Outbound
from trust_list.accept import accept
from trust_list.client import TrustClient
from trust_list.jades import MAX_JWS
from trust_list.model import parse
from trust_list.profiles import names, profile
from trust_list.root import TrustRoot
from trust_list.snapshot import Event, Listing, TrustSnapshot, listing, snapshot
from trust_list.store import Publisher, directory
from vc.errors import Malformed, Refused, Unreachable, VcError
from vc.jose import jws
from vc.x509.certificate import MAX_CHAIN, from_der

_MAX_PEM = 256 * 1024


def outbound(ca_file: Path | None = None) -> Outbound:
    """For addresses a person at a terminal names: they may be on this machine."""
    return Outbound(FetchLimits(allow_loopback=True, max_bytes=MAX_JWS), ca_file=ca_file)


def read_list(source: str, ca_file: Path | None = None) -> bytes:
    """The bytes of a sealed list at a path or an http(s) address. Raises `VcError` or OSError."""
    if source.startswith(("http://", "https://")):
        fetched = outbound(ca_file).get(source, headers={"accept": "application/jose"}, max_bytes=MAX_JWS)
        if fetched.status != 200:
            raise Unreachable("status", f"the publisher answered with HTTP status {fetched.status}")
        return fetched.body
    path = Path(source)
    if path.stat().st_size > MAX_JWS:
        raise Malformed("too_large", "the list is too long")
    return path.read_bytes()


def read_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM or DER file, leaf first. Raises `Malformed("certificate")` or OSError."""
    if path.stat().st_size > _MAX_PEM:
        raise Malformed("certificate", "the file is too long")
    return certificates_of(path.read_bytes())


def certificates_of(data: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of PEM text or DER bytes, leaf first. Raises `Malformed("certificate")`."""
    if b"-----BEGIN CERTIFICATE-----" not in data:
        return (from_der(data),)
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError as exc:
        raise Malformed("certificate", "not a readable PEM certificate") from exc
    if len(found) > MAX_CHAIN:
        raise Malformed("certificate", "the file holds more certificates than a chain may have")
    return tuple(found)


def list_id_of(token: bytes) -> str:
    """Which list a sealed file says it is, unverified: only to know which pins to check it against. Raises `VcError`."""
    try:
        text = token.decode("ascii").strip("\r\n")
    except UnicodeDecodeError as exc:
        raise Malformed("jws", "a compact JWS is ASCII text") from exc
    stated = parse(jws.parse(text, max_length=MAX_JWS).payload).scheme.LoTEType
    for list_id in names():
        if profile(list_id).list_type == stated:
            return list_id
    raise Refused("list_type", "this is a list of a type that is not read here")


def root_of(trust_root: Path | None, state: Path | None) -> tuple[Path, TrustRoot]:
    """The trust root named, else that of the state directory. Raises `Refused("trust_root_missing")` or `VcError`."""
    candidates = [trust_root] if trust_root is not None else []
    if trust_root is None and state is not None:
        candidates = [state / "trust-root.json", directory(state) / "trust-root.json"]
    for path in candidates:
        if path.is_file():
            return path, TrustRoot.load(path.read_bytes())
    raise Refused("trust_root_missing", "name a trust root with --trust-root, or a state directory that holds one")


def from_publisher(publisher: Publisher, root: TrustRoot, now: datetime) -> TrustSnapshot:
    """What a verifier with `root` would know after reading this publisher's current editions, without the network."""
    listings: dict[str, Listing] = {}
    for entry in root.lists:
        edition = publisher.latest(entry.id)
        known = Listing(list_id=entry.id, accepted=None, anchors=None, checked_at=None)
        if edition is not None:
            try:
                known = listing(accept(entry.id, edition.jws, root=root, state=None, now=now), checked_at=now)
            except VcError as exc:
                alarm = Event(code=exc.code, text=exc.detail, first=now, last=now, count=1)
                known = Listing(list_id=entry.id, accepted=None, anchors=None, checked_at=None, alarm=alarm)
        listings[entry.id] = known
    return snapshot(listings, root)


def fetched(root_path: Path, clock: Callable[[], datetime], *, keep: Path | None, ca_file: Path | None) -> TrustSnapshot:
    """What a verifier knows after fetching every list of the root; with `keep`, remembered there from run to run."""
    if keep is not None:
        return TrustClient(root_path, keep, outbound(ca_file), clock, 60).refresh(force=True)
    with tempfile.TemporaryDirectory() as folder:
        return TrustClient(root_path, Path(folder), outbound(ca_file), clock, 60).refresh(force=True)
