"""From the octets of a bundle to what may be relied upon, or a reason why not. Pure: time and trust root are handed in.

Nothing is believed because the bundle carries it: the trust root is the reader's own, or one that the reader's own leads to;
lists are accepted as if they had come from their publishers, status tokens and revocation lists are verified as if fetched.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography import x509

from trust_list import root_chain
from trust_list.accept import AcceptedList, reopen
from trust_list.bundle import contents
from trust_list.bundle.contents import CarriedCrl, CarriedStatus, Contents
from trust_list.bundle.scheme import differences
from trust_list.decide import TrustQuery, evaluate
from trust_list.jades import FUTURE
from trust_list.revocation import RevocationLists
from trust_list.root import TrustRoot
from trust_list.snapshot import MAX_AGE, Freshness, Listing, TrustSnapshot, listing, snapshot
from trust_list.status_lists import StatusSigner
from trust_list.status_memory import KeptToken, TokenMemory
from vc.errors import Malformed, Refused, VerificationFailed
from vc.jose import jws
from vc.status import token as tokens
from vc.x509 import crl
from vc.x509.certificate import from_der, public_key, sha256
from vc.x509.profiles import LeafRules, check_leaf

BUNDLE_SIGNER = LeafRules(name="bundle signer", usages=("digital_signature", "content_commitment"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What is remembered of the newest bundle applied: no older one and no other one of the same number replaces it."""

    sequence: int
    created: datetime
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A status token whose signer is on a list of the bundle, as the status service of `entity`."""

    carried: CarriedStatus
    issued_at: datetime
    entity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A bundle that held. `digest`: SHA-256 over its octets. `lists` by id. `notes`: what was left aside, and why."""

    contents: Contents
    signer: x509.Certificate = field(repr=False)
    root: TrustRoot
    digest: bytes
    lists: dict[str, AcceptedList]
    statuses: tuple[Status, ...]
    crls: tuple[CarriedCrl, ...]
    notes: tuple[str, ...]

    @property
    def floor(self) -> Floor:
        return Floor(sequence=self.contents.sequence, created=self.contents.created, digest=self.digest)

    def state(self, now: datetime) -> Freshness:
        """FRESH within a day of its making, AGEING until its end, EXPIRED after it: then nothing may be concluded."""
        if now > self.contents.not_after:
            return Freshness.EXPIRED
        return Freshness.FRESH if now - self.contents.created <= MAX_AGE else Freshness.AGEING

    def snapshot(self) -> TrustSnapshot:
        """What is known by this bundle alone. Each list ages from when its publisher confirmed it, and ends with the bundle;
        after that, and with a clock set back, `evaluate` says that nothing can be determined."""
        checked = {one.id: min(one.checked_at, self.contents.created) for one in self.contents.lists}
        listings = {entry.id: Listing(list_id=entry.id, accepted=None, anchors=None, checked_at=None) for entry in self.root.lists}
        for list_id, accepted in self.lists.items():
            last_good = self.contents.not_after - checked[list_id]
            listings[list_id] = listing(accepted, checked_at=checked[list_id], max_age=last_good)
        return snapshot(listings, self.root)

    def remember_statuses(self, memory: TokenMemory) -> None:
        """Put the status tokens where `StatusLists` looks for kept ones; it verifies them again at each use."""
        for one in self.statuses:
            kept = KeptToken(token=one.carried.token, issued_at=one.issued_at, fetched_at=one.carried.fetched_at)
            memory.put(one.carried.uri, one.carried.kind, kept)

    def remember_revocations(self, lists: RevocationLists) -> None:
        """Give the revocation lists, and the certificates of those who signed them, to the one who is asked about them."""
        for one in self.crls:
            lists.keep(one.uri, one.crl, fetched_at=one.fetched_at)
            if one.issuer_uri is not None:
                lists.keep_issuer(one.issuer_uri, one.issuer, fetched_at=one.fetched_at)


def opening(
    bundle: bytes,
    *,
    pinned: frozenset[bytes],
    root: TrustRoot,
    now: datetime,
    floor: Floor | None = None,
) -> Opened:
    """The bundle, with everything inside verified as of `now`, the time of receiving it.

    `pinned`: SHA-256 over the DER of each certificate whose bundles are taken. `root`: the reader's own. A bundle made with a newer
    one carries the signed roots that lead there.

    Raises `Malformed` (`jws`, `json…`, `bundle`, `too_large`, …), `Refused` (`jws_alg`, `jws_crit`, `jws_typ`,
    `bundle_root_unproven`), `VerificationFailed`: `bundle_signer_unpinned`, `bundle_signer_expired`, the codes of `check_leaf`,
    `signature`, `bundle_from_future`, `bundle_life`, `bundle_rollback`, `bundle_conflict`, `bundle_root_conflict`; and for an
    inner object those of `root_chain.successor`, `accept.reopen`, `tokens.verify`, `crl.verify`, and `issued_in_future`,
    `sequence_rollback` of `accept.accept`. An expired bundle opens: whoever uses it sees `state`.
    """
    signer, payload = _unsealed(bundle, pinned, now)
    found = contents.parse(payload)
    if found.created > now + FUTURE:
        raise VerificationFailed("bundle_from_future", "the bundle claims to be made in the future")
    if not found.created < found.not_after <= found.created + contents.MAX_LIFE:
        raise VerificationFailed("bundle_life", "the bundle ends before it begins, or lasts longer than is allowed")
    digest = hashlib.sha256(bundle).digest()
    _check_floor(found, digest, floor)
    notes: list[str] = []
    trusted = _root(found, root, notes)
    lists = {one.id: _list(one.id, one.jws, trusted, now) for one in found.lists}
    missing = [entry.id for entry in trusted.lists if entry.id not in lists]
    notes += [f"list {list_id} is not in the bundle: nothing on it can be determined" for list_id in missing]
    opened = Opened(contents=found, signer=signer, root=trusted, digest=digest, lists=lists, statuses=(), crls=(), notes=())
    known = opened.snapshot()
    statuses = tuple(status for one in found.statuses if (status := _status(one, known, now, notes)) is not None)
    crls = tuple(one for one in found.crls if _in_time(one, now, notes))
    notes += differences(found.schemes)
    return replace(opened, statuses=statuses, crls=crls, notes=tuple(notes))


def _unsealed(bundle: bytes, pinned: frozenset[bytes], now: datetime) -> tuple[x509.Certificate, bytes]:
    """Signer and payload, once the seal of a pinned signer holds (RFC 7515 §5.2)."""
    try:
        text = bundle.decode("ascii").strip("\r\n")
    except UnicodeDecodeError as exc:
        raise Malformed("jws", "a compact JWS is ASCII text") from exc
    unverified = jws.parse(text, max_length=contents.MAX_BUNDLE)
    signer = jws.chain_of(unverified)[0]
    if sha256(signer) not in pinned:
        raise VerificationFailed("bundle_signer_unpinned", "the bundle is not sealed by a maker that is taken here")
    if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
        raise VerificationFailed("bundle_signer_expired", "the certificate of the bundle's maker is not valid at this time")
    check_leaf(signer, BUNDLE_SIGNER)
    jws.verify(unverified, public_key(signer), typ=contents.TYPE)
    return signer, unverified.payload


def _check_floor(found: Contents, digest: bytes, floor: Floor | None) -> None:
    if floor is None:
        return
    if found.sequence < floor.sequence or found.created < floor.created:
        raise VerificationFailed("bundle_rollback", "a newer bundle was applied before")
    if found.sequence == floor.sequence and digest != floor.digest:
        raise VerificationFailed("bundle_conflict", "another bundle of the same number was applied before")


def _root(found: Contents, own: TrustRoot, notes: list[str]) -> TrustRoot:
    """The root to go by: the reader's own, or a newer one to which it leads step by step."""
    carried, current = TrustRoot.load(found.root), own
    for signed in found.root_chain:
        if root_chain.payload_of(signed).version > current.version:
            current = root_chain.successor(current, signed)
    if carried.version > current.version:
        raise Refused("bundle_root_unproven", "the bundle was made with a newer trust root than is known here, without proof of it")
    if carried.version < current.version:
        notes.append(f"the bundle was made with trust root version {carried.version}; version {current.version} is used")
    elif carried != current:
        raise VerificationFailed("bundle_root_conflict", "the bundle carries another trust root of the same version")
    return current


def _list(list_id: str, sealed: bytes, root: TrustRoot, now: datetime) -> AcceptedList:
    """As `accept.accept`, but one past its next update is taken along: it is shown, and nothing is concluded from it."""
    accepted = reopen(list_id, sealed, root=root, seen_at=now)
    if accepted.issued_at > now + FUTURE:
        raise VerificationFailed("issued_in_future", "a list in the bundle is issued in the future")
    if accepted.sequence < root.for_list(list_id).min_sequence:
        raise VerificationFailed("sequence_rollback", "a list in the bundle is older than the trust root allows")
    return accepted


def _status(one: CarriedStatus, known: TrustSnapshot, now: datetime, notes: list[str]) -> Status | None:
    """The token, if it still says something and a status service on a list of the bundle signed it. A broken one raises."""
    unverified = tokens.parse_jwt(one.token.decode("ascii")) if one.kind == "jwt" else tokens.parse_cwt(one.token)
    chain = unverified.chain
    try:
        token = tokens.verify(unverified, public_key(chain[0]), uri=one.uri, now=now)
    except VerificationFailed as exc:
        if exc.code != "status_expired":
            raise
        notes.append(f"the status list {one.uri} has expired: statuses on it cannot be determined")
        return None
    entity = _status_service(StatusSigner(chain=chain, signed_at=token.iat), known, now)
    if entity is None:
        notes.append(f"the status list {one.uri} is left out: no status service on a list of the bundle signed it")
        return None
    return Status(carried=one, issued_at=token.iat, entity=entity)


def _status_service(signer: StatusSigner, known: TrustSnapshot, now: datetime) -> str | None:
    """The entity on some list whose status service this is. Whose documents it may speak about is asked at each use."""
    for list_id in known.lists:
        query = TrustQuery(list_id=list_id, role="revocation", chain=signer.chain, t_issue=signer.signed_at, t_now=now, t_clock=now)
        found = evaluate(query, known)
        if found.entity_id is not None and evaluate(replace(query, entity_id=found.entity_id), known).trusted:
            return found.entity_id
    return None


def _in_time(one: CarriedCrl, now: datetime, notes: list[str]) -> bool:
    """Whether a revocation list still says something. One that its authority did not sign raises."""
    try:
        crl.verify(crl.parse(one.crl), from_der(one.issuer), now=now)
    except VerificationFailed as exc:
        if exc.code != "crl_expired":
            raise
        notes.append(f"the revocation list {one.uri} has expired: what it does not name may have been revoked since")
        return False
    return True
