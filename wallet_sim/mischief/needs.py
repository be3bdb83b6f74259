"""Whether a misbehaviour of receiving has a place: one that would change nothing must not pass for a test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vc.openid4vci.authorization_server import AuthorizationServerMetadata
from vc.openid4vci.metadata import IssuerMetadata
from vc.openid4vci.proof import JWT
from wallet_sim.client import Client
from wallet_sim.issuer import ByCode, PreAuthorized
from wallet_sim.mischief.rows import IssuanceMischief, Need, not_applicable
from wallet_sim.proofs import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known before anything but metadata was asked for."""

    client: Client | None
    server: AuthorizationServerMetadata
    issuer: IssuerMetadata | None = None
    grant: PreAuthorized | ByCode | None = None
    plans: Sequence[Plan] = ()
    renewing: bool = False


def _attested(at: Circumstances) -> bool:
    return at.client is not None and at.client.attester is not None


def _encryption(at: Circumstances) -> bool:
    return at.issuer is not None and at.issuer.encryption_required


_MET: Mapping[Need, Callable[[Circumstances], bool]] = {
    Need.ATTESTED: _attested,
    Need.CHALLENGE: lambda at: _attested(at) and at.server.challenge_endpoint is not None,
    Need.CODE: lambda at: isinstance(at.grant, ByCode),
    Need.DPOP: lambda at: "ES256" in at.server.dpop_algorithms,
    Need.ENCRYPTION: _encryption,
    Need.JWT: lambda at: all(plan.kind == JWT for plan in at.plans),
    Need.KEY_ATTESTATION: lambda at: all(plan.attested for plan in at.plans),
    Need.LEVELS: lambda at: all(plan.levels for plan in at.plans),
    Need.RENEWAL: lambda at: at.renewing,
}


def check_applicable(misbehave: IssuanceMischief | None, at: Circumstances) -> None:
    """Raises `Refused("mischief_not_applicable")` with the reason."""
    if misbehave is None:
        return
    if at.renewing and Need.RENEWAL not in misbehave.needs:
        raise not_applicable("this misbehaviour is one of receiving")
    for need in misbehave.needs:
        if not _MET[need](at):
            raise not_applicable(need.value)
