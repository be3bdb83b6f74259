"""Misbehaviours by name: what a hostile or broken wallet does. They exist here and nowhere else (SECURITY W-6).

Each row says what it breaks, which rule forbids it and what a sound verifier does then; `portadoc wallet mischief` prints them.
"""

from vc.errors import Refused
from wallet_sim.mischief.issuance import RECEIVING
from wallet_sim.mischief.presentations import PRESENTING
from wallet_sim.mischief.rows import IssuanceMischief, Mischief, not_applicable

__all__ = ["PRESENTING", "RECEIVING", "IssuanceMischief", "Mischief", "not_applicable", "presenting", "receiving"]


def presenting(name: str) -> Mischief:
    """The misbehaviour of that name. Raises `Refused("mischief_unknown")`."""
    if name not in PRESENTING:
        raise Refused("mischief_unknown", f"there is no misbehaviour {name!r}; `wallet mischief` lists them")
    return PRESENTING[name]


def receiving(name: str) -> IssuanceMischief:
    """The misbehaviour of that name. Raises `Refused("mischief_unknown")`."""
    if name not in RECEIVING:
        raise Refused("mischief_unknown", f"there is no misbehaviour {name!r} of receiving; `wallet mischief` lists them")
    return RECEIVING[name]
