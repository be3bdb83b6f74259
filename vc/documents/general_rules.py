"""Rules that hold for every document type: it can be read, and the day asked about lies in its period."""

from datetime import date

from vc.documents.calendar import spoken
from vc.documents.model import Document
from vc.documents.outcome import Outcome
from vc.documents.rules import Answer, Control, Rule, Wording, failed, not_checked, passed

_GAPS = frozenset({"unreadable", "elements"})


def is_whole(document: Document) -> bool:
    """Whether everything the shape states was understood; else "it is not there" cannot be said of anything."""
    return not any(note.code in _GAPS or note.code == "contradiction" for note in document.notes)


def readable(document: Document, _: Control) -> Answer:
    """No member of the shape was unreadable or stated twice differently (what was is missing from the document)."""
    if any(note.code == "contradiction" for note in document.notes):
        return failed("two members contradict each other", "document_contradicts_itself")
    if not is_whole(document):
        return failed("a member cannot be read", "document_partly_unreadable")
    return passed("every known member could be read")


def within_period(document: Document, control: Control) -> Answer:
    """The day lies between starting_date and ending_date, both inside (DOMAIN 6.1 rule 5, 6.2 rules 2 and 8)."""
    period = document.period
    if period.start is not None and control.on < period.start:
        return failed("the day lies before the period", "before_period", on=spoken(control.on), start=spoken(period.start))
    if period.end is not None and control.on > period.end:
        return failed("the day lies after the period", "after_period", on=spoken(control.on), end=spoken(period.end))
    if period.start is None or (period.end is None and not period.open_end):
        return not_checked("the document does not show the whole period", "period_unknown")
    return passed("the day lies in the period, which has no end date" if period.open_end else "the day lies in the period")


def not_expired(document: Document, day: date, reason: str) -> Answer:
    """The document's own expiry date is not before `day`; a document without one does not expire by itself."""
    expiry: date | None = document.date("date_of_expiry")
    if expiry is None:
        return not_checked("the document shows no expiry date")
    if day > expiry:
        return failed("the day lies after the expiry date", reason, on=spoken(day), end=spoken(expiry))
    return passed("the day does not lie after the expiry date")


READABLE = Rule(id="readable", source="SECURITY V-13, DOMAIN 1.5", check=readable)
PERIOD = Rule(id="period", source="DOMAIN 6.1 rule 5, 6.2 rules 2 and 8", check=within_period)

WORDINGS = {
    "document_contradicts_itself": Wording(
        outcome=Outcome.REVIEW,
        text="Two parts of the document contradict each other. What they contradict each other about is left out here.",
        next="Ask the issuing institution what the document should say, and tell it that the credential is faulty.",
    ),
    "document_partly_unreadable": Wording(
        outcome=Outcome.ACCEPT_WITH_WARNING,
        text="Part of the document is not written as it should be and is left out here. The rest was checked.",
        next="Tell the issuing institution that the credential is faulty; ask it if you need the part that is missing.",
    ),
    "before_period": Wording(
        outcome=Outcome.REJECT,
        text="The document does not cover {on}: its period begins on {start}.",
        next="Ask for a document that covers this day; if there should be one, ask the issuing institution.",
    ),
    "after_period": Wording(
        outcome=Outcome.REJECT,
        text="The document does not cover {on}: its period ended on {end}.",
        next="Ask for a document that covers this day; if there should be one, ask the issuing institution.",
    ),
    "period_unknown": Wording(
        outcome=Outcome.UNDETERMINED,
        text="The document was shown without its full period, so it cannot be said whether the day is covered.",
        next="Ask the holder to show the first and the last day of the period as well.",
    ),
}
