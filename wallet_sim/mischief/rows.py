"""The rows of the tables: what is said about a misbehaviour, and how it is done."""

from dataclasses import dataclass

from vc.errors import Refused
from wallet_sim.seams import PresentingSeams, ReceivingSeams


@dataclass(frozen=True, slots=True, kw_only=True)
class Mischief:
    """`expected`: the check that fails, or how the response is turned away."""

    name: str
    breaks: str
    rule: str
    expected: str
    seams: PresentingSeams


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceMischief:
    """As `Mischief`, when receiving. `expected`: the issuer's answer."""

    name: str
    breaks: str
    rule: str
    expected: str
    seams: ReceivingSeams


def not_applicable(why: str) -> Refused:
    """The error for a misbehaviour that has no place in the request at hand: wrong use, not a finding."""
    return Refused("mischief_not_applicable", why)
