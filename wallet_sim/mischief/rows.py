"""The rows of the tables: what is said about a misbehaviour, and how it is done."""

from dataclasses import dataclass
from enum import Enum

from vc.errors import Refused
from wallet_sim.issuance_seams import ReceivingSeams
from wallet_sim.seams import PresentingSeams


@dataclass(frozen=True, slots=True, kw_only=True)
class Mischief:
    """`expected`: the check that fails, or how the response is turned away."""

    name: str
    breaks: str
    rule: str
    expected: str
    seams: PresentingSeams


class Need(Enum):
    """What must be the case for a misbehaviour of receiving to have a place; the value is the sentence for when it is not."""

    ATTESTED = "the wallet is no attested client here"
    CHALLENGE = "the authorization server wants no challenge in wallet attestations"
    CODE = "this is not the authorization code flow"
    DPOP = "the authorization server does not know DPoP"
    ENCRYPTION = "the issuer does not require encrypted requests"
    JWT = "the issuer is given no proof of type jwt"
    KEY_ATTESTATION = "the issuer is given no key attestation"
    LEVELS = "the issuer asks for no level of key storage or user authentication"
    RENEWAL = "nothing is being renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceMischief:
    """As `Mischief`, when receiving. `expected`: the issuer's answer. `needs`: without these it would be none.

    `refusals`: the codes a sound issuer refuses with.
    """

    name: str
    breaks: str
    rule: str
    expected: str
    refusals: frozenset[str]
    needs: frozenset[Need]
    seams: ReceivingSeams

    @property
    def command(self) -> str:
        """The command that can do it."""
        return "renew" if Need.RENEWAL in self.needs else "receive"


def not_applicable(why: str) -> Refused:
    """The error for a misbehaviour that has no place in the request at hand: wrong use, not a finding."""
    return Refused("mischief_not_applicable", why)
