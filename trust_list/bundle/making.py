"""Putting a bundle together: accepted lists as they are known, status lists and revocation lists fetched and verified.

What cannot be had is left out and said so; a reader without it answers "cannot be determined", never "good".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from trust_list.bundle import scheme
from trust_list.bundle.contents import DEFAULT_LIFE, MAX_LIFE, CarriedCrl, CarriedList, CarriedStatus, Contents, Kind, seal
from trust_list.bundle.opening import Opened, opening
from trust_list.client import Getter
from trust_list.root import TrustRoot
from trust_list.snapshot import Freshness, TrustSnapshot
from trust_list.status_lists import MAX_TOKEN
from vc.encoding import json
from vc.errors import Malformed, Refused, Unreachable, VcError
from vc.keys.signer import Signer
from vc.status import token as tokens
from vc.x509 import crl
from vc.x509.certificate import MAX_DER, der, from_der, issued_by, public_key, sha256
from vc.x509.chain import self_signed

_KINDS: dict[str, Kind] = {"application/statuslist+jwt": "jwt", "application/statuslist+cwt": "cwt"}
_MAX_ADDRESSES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """`bundle`: the octets. `opened`: the same as a reader sees it. `notes`: what could not be had."""

    bundle: bytes
    opened: Opened
    notes: tuple[str, ...]


def make(
    known: TrustSnapshot,
    *,
    root: TrustRoot,
    root_file: bytes,
    outbound: Getter,
    authorities: Getter,
    signer: Signer,
    now: datetime,
    sequence: int | None = None,
    life: timedelta = DEFAULT_LIFE,
    root_chain: Sequence[bytes] = (),
    statuses: Sequence[str] = (),
    aggregations: Sequence[str] = (),
) -> Made:
    """A bundle of what `known` holds, good for `life` from `now`; opened again as a reader would before it is given out.

    `outbound` asks for status lists, `authorities` for revocation lists and their signers' certificates (which RFC 5280 §8 serves
    over plain http). `sequence` None: the seconds of `now`, which grow by themselves. `root_chain`: signed
    roots for readers whose root is an older one. `statuses`: addresses of status lists, each
    fetched in both forms; `aggregations`: addresses of JSON documents that name more of them (Token Status List §9.3). Revocation
    lists are those that the listed certificates name.

    Raises `Refused`: `bundle_life`, `bundle_empty` (no list is in its time); and as `opening` for a signer that cannot seal one.
    """
    if not timedelta() < life <= MAX_LIFE:
        raise Refused("bundle_life", f"a bundle lasts up to {MAX_LIFE.days} days")
    notes: list[str] = []
    lists = tuple(_lists(known, now, notes))
    if not lists:
        raise Refused("bundle_empty", "no list is known that is in its time")
    addresses = dict.fromkeys((*statuses, *(uri for source in aggregations for uri in _named(source, outbound, notes))))
    contents = Contents(
        sequence=sequence if sequence is not None else int(now.timestamp()),
        created=now,
        not_after=now + life,
        root=root_file,
        root_chain=tuple(root_chain),
        lists=lists,
        statuses=tuple(_statuses(addresses, outbound, now, notes)),
        crls=tuple(_crls(known, authorities, now, notes)),
        schemes=scheme.own(),
    )
    bundle = seal(contents, signer)
    opened = opening(bundle, pinned=frozenset({sha256(signer.chain[0])}), root=root, now=now)
    return Made(bundle=bundle, opened=opened, notes=tuple(notes))


def _lists(known: TrustSnapshot, now: datetime, notes: list[str]) -> Iterable[CarriedList]:
    for list_id, item in known.lists.items():
        if item.accepted is None or item.checked_at is None or item.freshness(now) is Freshness.EXPIRED:
            notes.append(f"list {list_id}: no edition that is in its time is known")
            continue
        yield CarriedList(id=list_id, jws=item.accepted.jws.strip(b"\r\n"), checked_at=item.checked_at)


def _named(source: str, outbound: Getter, notes: list[str]) -> Iterable[str]:
    """The status lists an aggregation names: `{"status_lists": [URI, …]}`."""
    try:
        fetched = outbound.get(source, headers={"accept": "application/json"})
        if fetched.status != 200:
            raise Unreachable("status", f"the address answered with {fetched.status}")
        named = json.loads_object(fetched.body).get("status_lists")
        if not isinstance(named, list) or not all(isinstance(uri, str) for uri in named) or len(named) > _MAX_ADDRESSES:
            raise Malformed("status_aggregation", "status_lists is not a list of addresses")
    except VcError as exc:
        notes.append(f"{source}: {exc.detail}")
        return ()
    return named


def _statuses(addresses: Iterable[str], outbound: Getter, now: datetime, notes: list[str]) -> Iterable[CarriedStatus]:
    for uri in addresses:
        faults = []
        for media_type, kind in _KINDS.items():
            try:
                token = _token(uri, media_type, kind, outbound, now)
            except VcError as exc:
                faults.append(f"{uri} as {kind}: {exc.detail}")
                continue
            yield CarriedStatus(uri=uri, kind=kind, token=token, fetched_at=now)
        notes += faults


def _token(uri: str, media_type: str, kind: Kind, outbound: Getter, now: datetime) -> bytes:
    fetched = outbound.get(uri, headers={"accept": media_type}, max_bytes=MAX_TOKEN)
    if fetched.status != 200 or fetched.media_type != media_type:
        raise Unreachable("status", f"the address did not give {media_type}")
    try:
        unverified = tokens.parse_jwt(fetched.body.decode("ascii")) if kind == "jwt" else tokens.parse_cwt(fetched.body)
    except UnicodeDecodeError as exc:
        raise Malformed("jws", "a compact JWS is ASCII text") from exc
    tokens.verify(unverified, public_key(unverified.chain[0]), uri=uri, now=now)
    return fetched.body


def _crls(known: TrustSnapshot, outbound: Getter, now: datetime, notes: list[str]) -> Iterable[CarriedCrl]:
    """The revocation lists that the listed certificates name, each once, with who signed it."""
    entries = [entry for item in known.lists.values() if item.anchors is not None for entry in item.anchors.entries]
    listed = [certificate for entry in entries for certificate in entry.certificates]
    issuers = [certificate for entry in entries for certificate in entry.authorities]
    seen: set[str] = set()
    for certificate in listed:
        if self_signed(certificate):
            continue
        try:
            points = [point for point in crl.distribution_points(certificate) if point not in seen]
            seen.update(points)
            for point in points:
                yield _crl(point, certificate, issuers, outbound, now)
        except VcError as exc:
            notes.append(f"a revocation list could not be had: {exc.detail}")


def _crl(
    point: str, certificate: x509.Certificate, issuers: Sequence[x509.Certificate], outbound: Getter, now: datetime
) -> CarriedCrl:
    issuer, issuer_uri = _issuer(certificate, issuers, outbound)
    fetched = outbound.get(point, max_bytes=crl.MAX_CRL)
    if fetched.status != 200:
        raise Unreachable("status", f"the address {point} answered with {fetched.status}")
    crl.verify(crl.parse(fetched.body), issuer, now=now)
    return CarriedCrl(uri=point, crl=fetched.body, issuer=der(issuer), issuer_uri=issuer_uri, fetched_at=now)


def _issuer(
    certificate: x509.Certificate, listed: Sequence[x509.Certificate], outbound: Getter
) -> tuple[x509.Certificate, str | None]:
    """Who signed `certificate`, and the address its certificate came from; None for a listed one."""
    for authority in listed:
        if issued_by(certificate, authority):
            return authority, None
    for address in crl.issuer_addresses(certificate):
        fetched = outbound.get(address, max_bytes=MAX_DER)
        found = from_der(fetched.body)
        if issued_by(certificate, found):
            return found, address
    raise Unreachable("crl_issuer_unknown", "the certificate of the authority cannot be had")
