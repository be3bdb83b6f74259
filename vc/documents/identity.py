"""Is the person of the PID the person of the document? Only where the document carries names (DOMAIN 6.1 rule 9, 6.2 rule 5)."""

from vc.documents.model import Document
from vc.documents.names import Likeness, compare
from vc.documents.outcome import Outcome, RuleResult
from vc.documents.rules import Answer, Wording, failed, not_checked, passed, result_of

RULE_ID = "identity"


def compare_identity(pid: Document, document: Document) -> RuleResult:
    """Names and birth date of `pid` against those of the holder in `document`; details and texts never hold a name.

    Same: passed. Different: failed, reject. One part of the other, another script, only the year known: review. A document
    without names is not checked. The person a representative holds a card for (`subject`) is never compared; the detail says so.
    """
    return result_of(RULE_ID, _answer(pid, document), _WORDINGS)


def _answer(pid: Document, document: Document) -> Answer:
    aside = "; the person entitled is another one and was not compared" if document.get("subject") is not None else ""
    pairs = [
        (label, pid.get("holder", name), document.get("holder", name))
        for label, name in (("surname", "family_name"), ("forenames", "given_name"))
    ]
    birth = (pid.get("holder", "birth_date"), document.get("holder", "birth_date"))
    if all(theirs is None for _, _, theirs in pairs) and birth[1] is None:
        return not_checked(f"the document carries no name of the person who holds it{aside}")
    if any(theirs is not None and ours is None for _, ours, theirs in pairs) or (birth[1] is not None and birth[0] is None):
        return not_checked("the proof of identity was shown without name or birth date", "identity_not_shown")
    likeness = {label: compare(ours, theirs) for label, ours, theirs in pairs if theirs is not None}
    differing = [label for label, found in likeness.items() if found is Likeness.DIFFERENT]
    precise = document.get("holder", "birth_date_precision") in (None, "day") and pid.get("holder", "birth_date_precision") in (
        None,
        "day",
    )
    year_only = birth[1] is not None and birth[0] != birth[1] and birth[0][:4] == birth[1][:4] and not precise
    if birth[1] is not None and birth[0] != birth[1] and not year_only:
        differing.append("birth date")
    if differing:
        return failed(f"different: {', '.join(differing)}", "identity_mismatch", what=" and ".join(differing))
    if Likeness.OTHER_SCRIPT in likeness.values():
        return not_checked("the names are written in different scripts", "identity_other_script")
    if Likeness.PART in likeness.values():
        return failed("one name is part of the other", "identity_partly")
    if year_only:
        return not_checked("only the year of birth is known and compared", "identity_year_only")
    return passed(f"name and birth date agree with the proof of identity{aside}")


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
    "identity_year_only": Wording(
        outcome=Outcome.REVIEW,
        text="Only the year of birth is known for this person, and it agrees.",
        next="Compare the person with the identity card.",
    ),
}
