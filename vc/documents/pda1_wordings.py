"""What an inspector reads for each reason of the PD A1 rules: what, why, what to do next."""

from vc.documents import general_rules
from vc.documents.outcome import Outcome
from vc.documents.rules import Wording

_ASK_ISSUER = "Ask the issuing institution; until it withdraws the certificate, the certificate stands (Reg. 987/2009 Art. 5)."

WORDINGS = {
    **general_rules.WORDINGS,
    "host_not_listed": Wording(
        outcome=Outcome.REJECT,
        text="The certificate is for a posting, and {host} is not among its places of work. It does not cover work here.",
        next="Ask for a certificate that covers work in {host}; if there should be one, ask the issuing institution.",
    ),
    "host_not_listed_maybe": Wording(
        outcome=Outcome.REVIEW,
        text="{host} is not among the places of work shown. For this situation the list may be shorter than the paper form.",
        next="Look at the paper form or another copy of the certificate, or ask the issuing institution.",
    ),
    "places_unknown": Wording(
        outcome=Outcome.UNDETERMINED,
        text="The certificate was shown without all its places of work, so it cannot be said whether it covers work in {host}.",
        next="Ask the holder to show the places of work as well.",
    ),
    "a1_not_needed": Wording(
        outcome=Outcome.ACCEPT,
        text="The legislation of {host} applies in any case: no A1 is needed for work here.",
        next="Nothing to do for the A1; check affiliation in {host} in the national way.",
    ),
    "legislation_not_of_issuer": Wording(
        outcome=Outcome.REVIEW,
        text="The certificate says that the legislation of {legislation} applies, but it was issued in {issuer}.",
        next=_ASK_ISSUER,
    ),
    "posting_over_24_months": Wording(
        outcome=Outcome.ACCEPT_WITH_WARNING,
        text="The certificate is for a posting of more than 24 months, longer than the usual limit.",
        next=_ASK_ISSUER,
    ),
    "flag_differs": Wording(
        outcome=Outcome.ACCEPT_WITH_WARNING,
        text="The ship's flag is not that of the State whose legislation applies; employer and residence there may explain it.",
        next=_ASK_ISSUER,
    ),
    "base_differs": Wording(
        outcome=Outcome.ACCEPT_WITH_WARNING,
        text="The crew member's home base is not in the State whose legislation applies.",
        next=_ASK_ISSUER,
    ),
    "provisional": Wording(
        outcome=Outcome.ACCEPT_WITH_WARNING,
        text="The determination is provisional. It becomes final when no State concerned objects within two months.",
        next="Accept it for now; for a later day ask the holder for the final certificate.",
    ),
    "basis_eu_uk": Wording(
        outcome=Outcome.ACCEPT,
        text="Legal basis: EU-UK protocol on social security coordination, not Regulation 883/2004.",
        next="Nothing to do; name this basis in your record.",
    ),
    "basis_switzerland": Wording(
        outcome=Outcome.ACCEPT,
        text="Legal basis: Regulation 883/2004 through the agreement on the free movement of persons with Switzerland.",
        next="Nothing to do; name this basis in your record.",
    ),
    "basis_eea": Wording(
        outcome=Outcome.ACCEPT,
        text="Legal basis: Regulation 883/2004 through the EEA Agreement.",
        next="Nothing to do; name this basis in your record.",
    ),
    "numbers_not_shown": Wording(
        outcome=Outcome.ACCEPT,
        text="The number of the certificate or of the person was not shown. That is enough for a look.",
        next="Ask the holder to show both numbers if you want to query the issuing institution.",
    ),
}
