"""Which wallet providers are believed: those on the trust list of wallet providers, as long as that list can be relied upon, and
only for what they have not withdrawn. Nothing is concluded from an outage: then the answer is "later", never "yes" or "no"."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from trust_list.decide import Outcome, TrustDecision, evaluate
from trust_list.profiles import Role
from trust_list.query import TrustQuery
from trust_list.revocation import Authorities, RevocationLists, Standing
from trust_list.snapshot import TrustSnapshot
from trust_list.status_lists import StatusLists, StatusSigner
from vc.clock import Clock
from vc.errors import Refused, Unreachable
from vc.status.bits import StatusValue
from vc.status.reference import StatusReference

LIST = "wallet"
_KIND = "jwt"  # attestations are JWTs, and so are their status lists
# Faults of the attestation itself: asking again later would not help.
_ITS_OWN_FAULT = frozenset({"status_address_refused", "status_index_invalid"})
# A list that old says what was withdrawn, but no longer what was not (fail closed).
_TOO_OLD = "status_stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A listed wallet provider that was believed: its id and name as the list has them."""

    entity_id: str | None
    name: str | None


class WalletTrust:
    """Answers from a snapshot of accepted lists, from the providers' status lists, and from the authorities of their certificates.
    Safe to share between threads.

    A call may wait for the network: up to the limits of the snapshot's source and of one fetch of each kind of list.
    `clock`: our own, for the freshness of the list. `revocation` None: authorities are not asked whether they revoked a provider's
    certificate, and the trust list alone says whether it counts.
    """

    def __init__(
        self, snapshot: Callable[[], TrustSnapshot], status: StatusLists, *, clock: Clock, revocation: RevocationLists | None = None
    ) -> None:
        self._snapshot, self._status, self._clock, self._revocation = snapshot, status, clock, revocation
        self._authorities = Authorities()

    def believe(
        self, chain: tuple[x509.Certificate, ...], statuses: Sequence[StatusReference], *, family: str, now: datetime
    ) -> Provider:
        """The provider whose attestation came with `chain`, when the provider and all of `statuses` stand at `now`.

        The chain is judged at `now` and not at the time the attestation claims for itself: whoever holds an old key can write
        an old date. `family` begins the codes: raises `Refused` with `FAMILY_untrusted` (not listed, not a fitting certificate,
        another body's key …: the reason of the list in words, or a certificate that its authority revoked), `FAMILY_revoked`
        (revoked or suspended), `FAMILY_status` (a reference that can never be read), and `Unreachable` with `FAMILY_trust` or
        `FAMILY_status` when the trust list, the list of revoked certificates or the status list cannot be relied upon at present.
        """
        snapshot = self._snapshot()
        decision = evaluate(self._query("issuance", chain, None, now), snapshot)
        if decision.outcome is Outcome.INDETERMINATE:
            raise Unreachable(f"{family}_trust", f"the list of wallet providers cannot be relied upon at present: {_why(decision)}")
        if not decision.trusted:
            raise Refused(f"{family}_untrusted", f"the wallet provider is not trusted: {_why(decision)}")
        self._check_certificate(chain, snapshot, family=family, now=now)
        for status in statuses:
            self._check_status(status, decision, snapshot, family=family, now=now)
        return Provider(entity_id=decision.entity_id, name=decision.entity_name)

    def _check_certificate(
        self, chain: tuple[x509.Certificate, ...], snapshot: TrustSnapshot, *, family: str, now: datetime
    ) -> None:
        if self._revocation is None:
            return
        said = self._revocation.check(chain[0], (*chain[1:], *self._authorities.of(snapshot)), signed_at=now, now=now)
        if said.standing is Standing.REVOKED:
            raise Refused(f"{family}_untrusted", f"the wallet provider's certificate was withdrawn: {said.detail}")
        if not said.clear:
            raise Unreachable(
                f"{family}_trust", f"it cannot be found out whether the wallet provider's certificate was withdrawn: {said.detail}"
            )

    def _check_status(
        self, status: StatusReference, provider: TrustDecision, snapshot: TrustSnapshot, *, family: str, now: datetime
    ) -> None:
        def trusted(signer: StatusSigner) -> bool:
            return evaluate(self._query("revocation", signer.chain, provider.entity_id, now), snapshot).trusted

        found = self._status.look_up(status, _KIND, trusted=trusted, now=now)
        if found.value is None and found.because in _ITS_OWN_FAULT:
            raise Refused(f"{family}_status", f"the status of the attestation cannot be read: {found.detail}")
        if found.value is StatusValue.INVALID:
            raise Refused(f"{family}_revoked", "the wallet provider has revoked the attestation")
        if found.value is None or found.because == _TOO_OLD:
            raise Unreachable(f"{family}_status", f"the status of the attestation cannot be read at present: {found.detail}")
        if found.value is not StatusValue.VALID:
            raise Refused(f"{family}_revoked", f"the wallet provider's status list calls the attestation {found.value.lower()}")

    def _query(self, role: Role, chain: tuple[x509.Certificate, ...], entity_id: str | None, now: datetime) -> TrustQuery:
        return TrustQuery(list_id=LIST, role=role, chain=chain, entity_id=entity_id, t_now=now, t_clock=self._clock())


def _why(decision: TrustDecision) -> str:
    """The reasons of the list, each with its code."""
    return "; ".join(f"{reason.text} [{reason.code}]" for reason in decision.reasons)
