"""The proofs of a credential request: which kind the issuer's metadata call for, and making them (OpenID4VCI 1.0 Appendix F)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from vc.errors import Refused
from vc.keys.signer import LocalSigner
from vc.openid4vci.metadata import CredentialConfiguration
from vc.openid4vci.proof import ATTESTATION, JWT
from wallet_sim.issuance_seams import KeysPart, ProofPart, ReceivingSeams
from wallet_sim.provider import WalletProvider

KINDS = (JWT, ATTESTATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`kind`: the proof type. `attested`: the wallet provider vouches for the keys. `levels`: the issuer wants more than that."""

    kind: str
    attested: bool
    levels: bool


def plan(configuration: CredentialConfiguration, provider: WalletProvider | None, *, wish: str | None = None) -> Plan:
    """How possession is shown to the issuer of `configuration`: by a jwt where it takes one, else by an attestation alone.

    `wish`: only this type. `provider` None: nobody vouches for keys. Raises `Refused("binding_unsupported")`.
    """
    for kind in KINDS if wish is None else (wish,):
        offered = configuration.proof_types.get(kind)
        if offered is None or "ES256" not in offered.algorithms:
            continue
        required = offered.key_attestation
        attested = kind == ATTESTATION or required is not None
        if provider is not None or not attested:
            levels = required is not None and bool(required.key_storage or required.user_authentication)
            return Plan(kind=kind, attested=attested, levels=levels)
    raise Refused(
        "binding_unsupported",
        "the credential is not bound to an ES256 key in a way this wallet can prove; key attestations need a --wallet-provider",
    )


def make(
    chosen: Plan,
    keys: Sequence[ec.EllipticCurvePrivateKey],
    *,
    provider: WalletProvider | None,
    audience: str,
    nonce: str,
    client_id: str | None,
    now: datetime,
    seams: ReceivingSeams,
) -> list[str]:
    """The proofs for `keys`. All keys of a batch are in one attestation (VCI-CRED-11), and one proof then speaks for all of them
    (Appendix F.1); without attestation each key has a proof of its own."""
    attestation = None
    if chosen.attested and provider is not None:
        public = [key.public_key() for key in keys]
        attestation = seams.attest_keys(KeysPart(provider=provider, keys=public, nonce=nonce, now=now))
    if chosen.kind == ATTESTATION and attestation is not None:
        return [attestation]
    signing = keys[:1] if attestation is not None and not seams.proof_per_key else keys
    return [
        seams.proof(
            ProofPart(
                holder=LocalSigner(key), audience=audience, nonce=nonce, now=now, client_id=client_id, key_attestation=attestation
            )
        )
        for key in signing
    ]
