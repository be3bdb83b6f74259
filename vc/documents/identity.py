"""Is the person of the PID the person of the document? Only where the document carries names (DOMAIN 6.1 rule 9, 6.2 rule 5)."""

from vc.documents.model import Document
from vc.documents.names import Likeness, compare
from vc.documents.outcome import Outcome, RuleResult
from vc.documents.rules import Answer, Wording, failed, not_checked, passed, result_of

RULE_ID = "identity"


def compare_identity(pid: Document, document: Document) -> RuleResult:
    """Names and birth date of `pid` against those of the holder in `document`; details and texts never hold a name.

    Same: passed. Different: failed, reject. One part of the other, another script, date of birth known in part: review. A document
    without names is not checked. The person a representative holds a card for (`subject`) is never compared; the detail says so.
    """
    return result_of(RULE_ID, _answer(pid, document), _WORDINGS)


def _answer(pid: Document, document: Document) -> Answer:
    aside = "; the person entitled is another one and was not compared" if document.get("subject") is not None else ""
    stated = {label: document.get("holder", name) for label, name in _COMPARED.items()}
    shown = {label: pid.get("holder", name) for label, name in _COMPARED.items()}
    labels = [label for label, value in stated.items() if value is not None]
    if not labels:
        return not_checked(f"the document carries no name of the person who holds it{aside}")
    if any(shown[label] is None for label in labels):
        return not_checked("the proof of identity was shown without name or birth date", "identity_not_shown")
    precision = {_KNOWN.get(person.get("holder", "birth_date_precision"), _FULL) for person in (pid, document)}
    found = {
        label: _compare_days(stated[label], shown[label], min(precision))
        if label == _BIRTH
        else compare(stated[label], shown[label])
        for label in labels
    }
    differing = [label for label in labels if found[label] is Likeness.DIFFERENT]
    if differing:
        return failed(f"different: {', '.join(differing)}", "identity_mismatch", what=" and ".join(differing))
    if Likeness.OTHER_SCRIPT in found.values():
        return not_checked("the names are written in different scripts", "identity_other_script")
    if any(found[label] is Likeness.PART for label in labels if label != _BIRTH):
        return failed("one name is part of the other", "identity_partly")
    if found.get(_BIRTH) is Likeness.PART:
        return not_checked("the date of birth is known in part only, and agrees in that part", "identity_birth_date_in_part")
    return passed(f"name and birth date agree with the proof of identity{aside}")


def _compare_days(one: str, other: str, known: int) -> Likeness:
    """Two ISO dates of which `known` characters mean something."""
    if one == other:
        return Likeness.SAME
    return Likeness.PART if one[:known] == other[:known] else Likeness.DIFFERENT


_BIRTH = "date of birth"
_COMPARED = {"surname": "family_name", "forenames": "given_name", _BIRTH: "birth_date"}
_FULL = len("YYYY-MM-DD")
_KNOWN = {"year": len("YYYY"), "month": len("YYYY-MM")}
_WORDINGS = {
    "identity_mismatch": Wording(
        outcome=Outcome.REJECT,
        text="The document is about another person than the proof of identity: {what} differ.",
        next="Look at the identity card. If it is the same person, ask the issuing institution to correct the document.",
    ),
    "identity_not_shown": Wording(
        outcome=Outcome.REVIEW,
        text="The proof of identity was shown without name or date of birth, so it cannot be compared with the document.",
        next="Ask the holder to show them, or compare with the identity card.",
    ),
    "identity_other_script": Wording(
        outcome=Outcome.REVIEW,
        text="Document and proof of identity write the name in different alphabets, which no machine compares safely.",
        next="Compare the names with the identity card, which shows both ways of writing.",
    ),
    "identity_partly": Wording(
        outcome=Outcome.REVIEW,
        text="The name on the document and the name on the proof of identity agree only in part, as when one forename is missing.",
        next="Compare the names with the identity card.",
    ),
    "identity_birth_date_in_part": Wording(
        outcome=Outcome.REVIEW,
        text="The date of birth of this person is known in part only, and agrees in that part.",
        next="Compare the person with the identity card.",
    ),
}
