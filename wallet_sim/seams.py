"""The seams of presenting: the points at which an honest wallet does the right thing, and where a test may put something else.

Honest behaviour is here; dishonest behaviour is in `mischief` only (SECURITY W-6).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from vc import formats
from vc.encoding.claims_path import Path
from vc.formats import Challenge
from vc.keys.signer import LocalSigner
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
