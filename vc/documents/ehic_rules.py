"""The document rules of a health-care provider for the EHIC (DOMAIN 6.2). The day asked about is that of the treatment."""

import re

from vc.documents import country, general_rules
from vc.documents.general_rules import PERIOD, READABLE, not_expired
from vc.documents.model import Document
from vc.documents.outcome import Outcome
from vc.documents.rules import Answer, Control, Rule, Wording, failed, not_checked, passed

_CARD_NUMBER = re.compile("80([0-9]{3})[0-9]{15}")


def card_expiry(document: Document, control: Control) -> Answer:
    """The card had not expired on the day of treatment (rule 2)."""
    return not_expired(document, control.on, "card_expired")


def other_country(document: Document, control: Control) -> Answer:
    """The card is for stays outside the issuing State (rule 3)."""
    if control.country is None or document.issuing_country is None:
        return not_checked("treating or issuing country not known")
    if control.country == document.issuing_country:
        return failed("the treating State issued the card", "national_scheme", country=country.name(control.country))
    return passed("the treating State is not the issuing State")


def coordination_country(_: Document, control: Control) -> Answer:
    """The treating State takes part in the coordination (rule 4)."""
    if control.country is None:
        return not_checked("no treating country was given")
    if control.country not in country.STATES:
        return failed("the treating country is outside EU, EEA, Switzerland and United Kingdom", "outside_territory")
    return passed("the treating State takes part in the coordination")


def card_number(document: Document, _: Control) -> Answer:
    """Field 8 has the form of EN 1867: 80, ISO numeric country, issuer, serial (DOMAIN 2.3: warn, never refuse)."""
    number = document.get("document_number")
    if number is None:
        return not_checked("the card number is not shown")
    match = _CARD_NUMBER.fullmatch("".join(number.split()))
    expected = country.ISO_NUMERIC.get(document.issuing_country or "")
    if match is None or (expected is not None and match[1] != expected):
        return failed("the card number is not of the usual form for the issuing State", "card_number_unusual")
    return passed("the card number has the usual form")


def reimbursement(document: Document, _: Control) -> Answer:
    """Institution, card number and personal number are there, which reimbursement needs (rule 7)."""
    needed = (("authentic_source", "id"), ("document_number",), ("personal_administrative_number",))
    if any(document.get(*path) is None for path in needed):
        return failed("institution, card number or personal number is missing", "reimbursement_data_missing")
    return passed("what reimbursement needs is shown")


def representation(document: Document, _: Control) -> Answer:
    """Whether a representative holds the card for the person entitled (rule 5)."""
    if document.get("subject") is None:
        return passed("the card is the holder's own")
    return passed("a representative holds the card", "representation")


RULES = (
    READABLE,
    PERIOD,
    Rule(id="card_expiry", source="DOMAIN 6.2 rule 2", check=card_expiry),
    Rule(id="other_country", source="DOMAIN 6.2 rule 3", check=other_country),
    Rule(id="coordination_country", source="DOMAIN 6.2 rule 4", check=coordination_country),
    Rule(id="card_number", source="DOMAIN 2.3 field 8", check=card_number),
    Rule(id="reimbursement", source="DOMAIN 6.2 rule 7", check=reimbursement),
    Rule(id="representation", source="DOMAIN 6.2 rule 5", check=representation),
)

WORDINGS = {
    **general_rules.WORDINGS,
    "card_expired": Wording(
        outcome=Outcome.REJECT,
        text="The card expired on {end}, before the treatment on {on}.",
        next="Ask for the new card or for a provisional replacement certificate from the patient's institution.",
    ),
    "national_scheme": Wording(
        outcome=Outcome.REJECT,
        text="The card was issued in {country}, the country of treatment. It is for stays in other countries.",
        next="Treat the patient as insured in {country}: ask for the national proof of insurance.",
    ),
    "outside_territory": Wording(
        outcome=Outcome.REJECT,
        text="The card is not valid in this country: it covers the EU, the EEA, Switzerland and the United Kingdom.",
        next="Ask the patient for other insurance.",
    ),
    "card_number_unusual": Wording(
        outcome=Outcome.ACCEPT_WITH_WARNING,
        text="The number of the card does not have the form usual for the issuing country.",
        next="Treat the patient; copy the number with care, or ask the patient's institution before the claim is sent.",
    ),
    "reimbursement_data_missing": Wording(
        outcome=Outcome.ACCEPT_WITH_WARNING,
        text="The card number, the personal number or the institution was not shown. Costs cannot be claimed without them.",
        next="Ask the patient to show these as well, or ask for a provisional replacement certificate.",
    ),
    "representation": Wording(
        outcome=Outcome.ACCEPT,
        text="The card belongs to another person than the one who shows it: a parent, guardian or other representative.",
        next="Compare the patient with the name and date of birth on the card, and the representative with the proof of identity.",
    ),
}
