"""The seams of a journey: the points at which an honest wallet does the right thing, and where a test may put something else.

Honest behaviour is here; dishonest behaviour is in `mischief` only (SECURITY W-6).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vc import formats
from vc.encoding.claims_path import Path
from vc.formats import Challenge
from vc.keys.signer import LocalSigner
from vc.openid4vci import proof
from vc.openid4vp.client_metadata import EncryptionTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One presentation about to be made. `held`: the credential as issued; `last`: what a verifier took of it before."""

    format: str
    held: str = field(repr=False)
    holder: LocalSigner
    disclose: frozenset[Path]
    challenge: Challenge
    now: datetime
    last: str | None = field(default=None, repr=False)


def present(part: Part) -> str:
    """The presentation of `part` as the formats make it."""
    return formats.present(
        part.format,
        part.held,
        holder=part.holder,
        disclose=part.disclose,
        challenge=part.challenge,
        now=part.now,
    )


def _same_entries(entries: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return dict(entries)


def _same_target(target: EncryptionTarget | None) -> EncryptionTarget | None:
    return target


def _same_state(state: str | None) -> str | None:
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentingSeams:
    """`present`: makes one presentation, for parts whose format is in `formats`. `entries`, `target`, `state`: the envelope.

    `posts`: how often the response is sent.
    """

    formats: Collection[str] = ("dc+sd-jwt", "mso_mdoc")
    present: Callable[[Part], str] = present
    entries: Callable[[Mapping[str, list[str]]], dict[str, list[str]]] = _same_entries
    target: Callable[[EncryptionTarget | None], EncryptionTarget | None] = _same_target
    state: Callable[[str | None], str | None] = _same_state
    posts: int = 1


HONEST = PresentingSeams()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPart:
    """One proof of possession about to be made; `audience`: the credential issuer identifier."""

    holder: LocalSigner
    audience: str
    nonce: str
    now: datetime


def prove(part: ProofPart) -> str:
    """The proof of `part`, from an anonymous client (VCI-CRED-5)."""
    return proof.create_jwt(part.holder, audience=part.audience, nonce=part.nonce, issued_at=part.now)


def _same_nonce(nonce: str) -> str:
    return nonce


def _one_try(tx_code: str | None) -> tuple[str | None, ...]:
    return (tx_code,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivingSeams:
    """`nonce`: the c_nonce to prove with. `tx_codes`: the transaction codes to try, one after the other.

    `repeat_dpop`: the credential request is sent again under the DPoP proof used before.
    """

    nonce: Callable[[str], str] = _same_nonce
    proof: Callable[[ProofPart], str] = prove
    tx_codes: Callable[[str | None], Sequence[str | None]] = _one_try
    repeat_dpop: bool = False


HONEST_RECEIVING = ReceivingSeams()
