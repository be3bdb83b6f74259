"""The document rules of a labour inspector for the PD A1 (DOMAIN 6.1), the law behind them in comments.

The document binds the host State until its issuer withdraws it (Reg. 987/2009 Art. 5). So no rule ever calls an A1 wrong:
where something is odd, the next step is to ask the issuing institution.
"""

from vc.documents import country
from vc.documents.calendar import plus_months
from vc.documents.general_rules import PERIOD, READABLE, is_whole
from vc.documents.model import Document
from vc.documents.rules import Answer, Control, Rule, failed, not_checked, passed

_ONE_HOST_STATE = frozenset({"01", "03"})  # posted persons: the form names where they were sent; other codes: lists may be short
_POSTED = frozenset({"01", "03"})


def host_country(document: Document, control: Control) -> Answer:
    """The host State is among the places of work (rule 6)."""
    if control.country is None:
        return not_checked("no host country was given")
    if control.country == document.get("legislation_country"):
        return not_checked("the host country is the State whose legislation applies")
    places = document.get("work_information", "work_address") or []
    states = [place.get("country") for place in places]
    states += document.get("work_information", "no_fixed_place_of_work") or []
    host = country.name(control.country)
    if control.country in states:
        return passed("the host country is among the places of work")
    if not states or None in states or not is_whole(document):
        return not_checked("the document does not show all places of work", "places_unknown", host=host)
    strict = document.get("status_confirmation") in _ONE_HOST_STATE
    reason = "host_not_listed" if strict else "host_not_listed_maybe"
    return failed("the host country is not among the places of work", reason, host=host)


def home_country(document: Document, control: Control) -> Answer:
    """Working where the legislation applies needs no A1 (rule 8)."""
    legislation = document.get("legislation_country")
    if control.country is None or legislation is None:
        return not_checked("host country or legislation not known")
    if control.country == legislation:
        return passed("the host country is the State whose legislation applies", "a1_not_needed", host=country.name(legislation))
    return passed("the host country is not the State whose legislation applies")


def legislation_of_issuer(document: Document, _: Control) -> Answer:
    """The State whose legislation applies issued the document (rule 7)."""
    legislation, issuer = document.get("legislation_country"), document.issuing_country
    if legislation is None or issuer is None:
        return not_checked("legislation or issuing country not shown")
    if legislation != issuer:
        names = {"legislation": country.name(legislation), "issuer": country.name(issuer)}
        return failed("legislation and issuing country differ", "legislation_not_of_issuer", **names)
    return passed("legislation and issuing country agree")


def posting_length(document: Document, _: Control) -> Answer:
    """A posting lasts 24 months at most (rule 11; Reg. 883/2004 Art. 12). Longer is a question to the issuer, no refusal."""
    if document.get("status_confirmation") not in _POSTED:
        return not_checked("no posting, no limit of 24 months")
    period = document.period
    if period.open_end:
        return failed("a posting without end", "posting_over_24_months")
    if period.start is None or period.end is None:
        return not_checked("the document does not show the whole period")
    if period.end >= plus_months(period.start, 24):
        return failed("the posting is longer than 24 months", "posting_over_24_months")
    return passed("the posting is not longer than 24 months")


def situation(document: Document, _: Control) -> Answer:
    """Flag State and home base go with the legislation (rule 12; Art. 11(4) and 11(5)); other codes have no such pair."""
    code = document.get("status_confirmation")
    if code not in ("07", "10"):
        return not_checked("nothing to compare for this situation")
    places = document.get("work_information", "work_address") or []
    stated = [_leading_country(place["flag_base_home"]) for place in places if "flag_base_home" in place]
    legislation = document.get("legislation_country")
    if not stated or None in stated or legislation is None:
        return not_checked("flag or home base not stated as a country")
    if any(state != legislation for state in stated):
        return failed(
            "flag or home base is not in the State whose legislation applies", "flag_differs" if code == "07" else "base_differs"
        )
    return passed("flag or home base agrees with the legislation")


def provisional(document: Document, _: Control) -> Answer:
    """Box 2.5 (rule 13; Reg. 987/2009 Art. 16(2) and (3))."""
    stated = document.get("provisional")
    if stated is None:
        return not_checked("the document does not say whether the determination is provisional")
    return passed("the determination is provisional", "provisional") if stated else passed("the determination is not provisional")


def legal_basis(document: Document, control: Control) -> Answer:
    """Which agreement stands behind the document where one side is not an EU State (rule 14)."""
    sides = {document.get("legislation_country"), control.country}
    if "GB" in sides:
        return passed("EU-UK protocol on social security coordination", "basis_eu_uk")
    if "CH" in sides:
        return passed("agreement on free movement with Switzerland", "basis_switzerland")
    if sides & country.EFTA_IN_EEA:
        return passed("EEA Agreement", "basis_eea")
    return passed("Regulation (EC) No 883/2004")


def numbers(document: Document, _: Control) -> Answer:
    """Document number and personal number are needed only to query the issuer (rule 15)."""
    if document.get("document_number") is None or document.get("personal_administrative_number") is None:
        return not_checked("document number or personal number not shown: fine for a look", "numbers_not_shown")
    return passed("document number and personal number are shown")


def _leading_country(text: str) -> str | None:
    """The country `GR` or `IE - Dublin` begins with, None for free text."""
    code = country.to_iso(text[:2])
    return code if code in country.WORLD and not text[2:3].isalnum() else None


RULES = (
    READABLE,
    PERIOD,
    Rule(id="host_country", source="DOMAIN 6.1 rule 6", check=host_country),
    Rule(id="legislation_of_issuer", source="DOMAIN 6.1 rule 7", check=legislation_of_issuer),
    Rule(id="home_country", source="DOMAIN 6.1 rule 8", check=home_country),
    Rule(id="posting_length", source="DOMAIN 6.1 rule 11", check=posting_length),
    Rule(id="situation", source="DOMAIN 6.1 rule 12", check=situation),
    Rule(id="provisional", source="DOMAIN 6.1 rule 13", check=provisional),
    Rule(id="legal_basis", source="DOMAIN 6.1 rule 14", check=legal_basis),
    Rule(id="numbers", source="DOMAIN 6.1 rule 15", check=numbers),
)
