"""Was a certificate revoked? Asked of the revocation list its issuer publishes (RFC 5280 §6.3), fetched whole, bounded and kept.

The trust list says whom to believe; a revocation list can only take away. Who may sign it is not a matter of configuration: it is
the key that signed the certificate itself, which the caller has found trusted before. Its certificate is looked for in what was
presented, among the anchors, and at the address the certificate names (caIssuers); wherever it comes from, it counts only if its
key signed the certificate in question, so a stranger at that address can withhold an answer and never give one.

Kept lists are used until their next update, and asked for again after `REFRESH`. Without a network (`outbound` None) the kept ones
are all there is: a bundle puts them into the memory with `keep`.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509

from trust_list.anchors import Anchors
from trust_list.client import Getter
from trust_list.snapshot import TrustSnapshot
from trust_list.status_memory import KeptToken, TokenMemory
from vc.errors import Malformed, Refused, Unreachable, VcError, VerificationFailed
from vc.x509 import crl
from vc.x509.certificate import MAX_DER, der, from_der, issued_by
from vc.x509.chain import self_signed
from vc.x509.crl import RevocationList

REFRESH = timedelta(hours=1)
PAUSE = timedelta(seconds=30)
"""An address that gave nothing is left alone for this long: a busy verifier must not wait for it at every check."""
_KIND, _KIND_OF_ISSUER = "crl", "cer"
_MAX_PARSED = 64


class Standing(StrEnum):
    """What can be said of a certificate. Nothing but `good` and `unnamed` may be relied upon."""

    GOOD = "good"
    UNNAMED = "unnamed"
    """It names no revocation list: whether it counts is told by the trust list alone."""
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`code`: stable, why; `detail`: one sentence for people."""

    standing: Standing
    code: str
    detail: str

    @property
    def clear(self) -> bool:
        """Whether nothing speaks against the certificate, as far as its issuer must be asked."""
        return self.standing in (Standing.GOOD, Standing.UNNAMED)


class RevocationLists:
    """Answers about certificates. Safe to share between threads; one fetch at a time for each address."""

    def __init__(self, outbound: Getter | None, memory: TokenMemory, *, refresh: timedelta = REFRESH) -> None:
        self._outbound, self._memory, self._refresh = outbound, memory, refresh
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._failed: dict[str, tuple[datetime, Unreachable]] = {}
        self._parsed: dict[bytes, RevocationList] = {}

    def check(
        self, certificate: x509.Certificate, issuers: Sequence[x509.Certificate], *, signed_at: datetime | None, now: datetime
    ) -> Answer:
        """Whether `certificate` may be relied upon for what it signed at `signed_at` (`now` when None).

        `issuers`: certificates at hand that may be its issuer's. Never raises for an outage or a bad list: then the standing is
        `unknown`. A self-signed certificate has no issuer to ask and is `unnamed`.
        """
        try:
            addresses = () if self_signed(certificate) else crl.distribution_points(certificate)
            if not addresses:
                return Answer(standing=Standing.UNNAMED, code="crl_not_named", detail="the certificate names no revocation list")
            issuer = self._issuer(certificate, issuers, now)
            found = self._newest(addresses, issuer, now)
            revocation = crl.entry(found, certificate)
        except VcError as error:
            return Answer(standing=Standing.UNKNOWN, code=error.code, detail=error.detail)
        if crl.stands(revocation, signed_at=signed_at or now):
            return Answer(
                standing=Standing.GOOD, code="crl_good", detail=f"not revoked by the list of {found.this_update:%Y-%m-%d}"
            )
        assert revocation is not None
        detail = f"revoked on {revocation.since:%Y-%m-%d}, reason {revocation.reason}"
        return Answer(standing=Standing.REVOKED, code="crl_revoked", detail=detail)

    def keep(self, address: str, der: bytes, *, fetched_at: datetime) -> None:
        """Put a list that came another way (an offline bundle) into the memory. It is verified at each use, as any other.

        Raises `Malformed("crl")`.
        """
        issued_at = crl.parse(der).this_update
        self._memory.put(address, _KIND, KeptToken(token=der, issued_at=issued_at, fetched_at=fetched_at))

    def keep_issuer(self, address: str, der: bytes, *, fetched_at: datetime) -> None:
        """Put the certificate of an authority into the memory, as if fetched from `address` (caIssuers). It counts only for
        certificates that its key signed. Raises `Malformed("certificate")`."""
        issued_at = from_der(der).not_valid_before_utc
        self._memory.put(address, _KIND_OF_ISSUER, KeptToken(token=der, issued_at=issued_at, fetched_at=fetched_at))

    def _issuer(self, certificate: x509.Certificate, issuers: Sequence[x509.Certificate], now: datetime) -> x509.Certificate:
        """The certificate whose key signed `certificate`. Raises `Unreachable("crl_issuer_unknown")`."""
        for issuer in issuers:
            if issued_by(certificate, issuer):
                return issuer
        for address in crl.issuer_addresses(certificate):
            kept = self._memory.get(address, _KIND_OF_ISSUER)
            try:
                issuer = from_der(kept.token if kept is not None else self._fetch(address, MAX_DER, now))
            except VcError:
                continue
            if issued_by(certificate, issuer):
                if kept is None:
                    put = KeptToken(token=der(issuer), issued_at=issuer.not_valid_before_utc, fetched_at=now)
                    self._memory.put(address, _KIND_OF_ISSUER, put)
                return issuer
        raise Unreachable("crl_issuer_unknown", "the certificate of the authority cannot be had, so nobody can vouch for its list")

    def _newest(self, addresses: Sequence[str], issuer: x509.Certificate, now: datetime) -> RevocationList:
        """A list of `issuer` that is in its time, from the first address that has one."""
        fault: VcError = Unreachable("crl_unreachable", "the revocation list cannot be had")
        for address in addresses:
            try:
                return self._at(address, issuer, now)
            except VcError as error:
                fault = error
        raise fault

    def _at(self, address: str, issuer: x509.Certificate, now: datetime) -> RevocationList:
        with self._lock:
            lock = self._asking.setdefault(address, threading.Lock())
        with lock:
            kept = self._memory.get(address, _KIND)
            held = None if kept is None else self._verified(kept.token, issuer, now)
            if held is not None and kept is not None and timedelta() <= now - kept.fetched_at < self._refresh:
                return held
            try:
                der = self._fetch(address, crl.MAX_CRL, now)
                found = self._read(der)
                crl.verify(found, issuer, now=now)
            except VcError:
                if held is None:
                    raise
                return held
            if held is not None and found.this_update < held.this_update:
                return held  # an older list after a newer one (SECURITY S-8 for status lists)
            self._memory.put(address, _KIND, KeptToken(token=der, issued_at=found.this_update, fetched_at=now))
            return found

    def _verified(self, der: bytes, issuer: x509.Certificate, now: datetime) -> RevocationList | None:
        try:
            found = self._read(der)
            crl.verify(found, issuer, now=now)
        except (Malformed, VerificationFailed):
            return None
        return found

    def _read(self, der: bytes) -> RevocationList:
        """`crl.parse`, remembered by the octets: a list of thousands of entries is not read at every check."""
        found = self._parsed.get(der)
        if found is None:
            found = crl.parse(der)
            if len(self._parsed) >= _MAX_PARSED:
                self._parsed.clear()
            self._parsed[der] = found
        return found

    def _fetch(self, address: str, max_bytes: int, now: datetime) -> bytes:
        """The octets at `address`. Raises `Unreachable("crl_unreachable")`, at once for one that gave nothing a moment ago."""
        if self._outbound is None:
            raise Unreachable("crl_unreachable", "no revocation list is at hand, and there is no network")
        when, failed = self._failed.get(address, (None, None))
        if when is not None and failed is not None and timedelta() <= now - when < PAUSE:
            raise failed
        try:
            fetched = self._outbound.get(address, max_bytes=max_bytes)
            if fetched.status != 200:
                raise Unreachable("crl_unreachable", f"the address of the revocation list answered with {fetched.status}")
        except (Refused, Unreachable) as error:
            fault = Unreachable("crl_unreachable", error.detail)
            if len(self._failed) >= _MAX_PARSED:
                self._failed.clear()
            self._failed[address] = now, fault
            raise fault from error
        self._failed.pop(address, None)
        return fetched.body


class Authorities:
    """The CA certificates among a snapshot's anchors: where an issuer that is listed itself is found. Remembers the last answer."""

    def __init__(self) -> None:
        self._last: tuple[tuple[Anchors | None, ...], tuple[x509.Certificate, ...]] = ((), ())

    def of(self, snapshot: TrustSnapshot) -> tuple[x509.Certificate, ...]:
        """Every listed CA certificate, whatever for: `RevocationLists` takes none that did not sign what it is asked about."""
        known = tuple(listing.anchors for listing in snapshot.lists.values())
        before, found = self._last
        if len(before) != len(known) or any(a is not b for a, b in zip(before, known, strict=True)):
            found = tuple(one for anchors in known if anchors is not None for entry in anchors.entries for one in entry.authorities)
            self._last = known, found
        return found
