"""Checks between members of a document, and the inner form of facts that profiles state in several ways.

Each works on what the reader could read; what is missing was reported already.
"""

from typing import Any

from vc.documents import country
from vc.documents.calendar import OPEN
from vc.documents.form import Reader
from vc.documents.model import drop


def constant(data: dict[str, Any], reader: Reader, name: str, value: str) -> None:
    """`name` may be stated, but only as `value`; the inner model does not keep it."""
    if data.pop(name, value) != value:
        reader.add((name,), "code_list", f"must be {value} for this document")


def one_issuing_country(data: dict[str, Any], reader: Reader) -> None:
    """The issuing country stands at the top or in `issuing_authority.country`; the inner model keeps it at the top."""
    authority = data.get("issuing_authority", {})
    inside = authority.pop("country", None)
    stated = data.get("issuing_country")
    if inside and stated and inside != stated:
        reader.add(("issuing_authority", "country"), "contradiction", "differs from issuing_country")
    if inside or stated:
        data["issuing_country"] = stated or inside
    elif not any(problem.pointer in _COUNTRY_POINTERS for problem in reader.problems):
        reader.add(("issuing_country",), "missing", "the issuing country is mandatory, here or in issuing_authority.country")


_COUNTRY_POINTERS = ("/issuing_country", "/issuing_authority/country")


def institution_of_country(data: dict[str, Any], reader: Reader) -> None:
    """The deciding institution's id begins with the issuing country (or EU)."""
    issuing = data.get("issuing_country")
    stated = country.of_institution(data.get("authentic_source", {}).get("id", ""))
    if issuing and stated and stated != issuing:
        reader.add(("authentic_source", "id"), "contradiction", "the institution is of another country than issuing_country")


def ordered(data: dict[str, Any], reader: Reader, first: str, last: str) -> None:
    """Day `first` is not after day `last` (an open end is after everything)."""
    start, end = data.get(first), data.get(last)
    if start and end and end != OPEN and start > end:
        reader.add((last,), "order", f"lies before {first}")


def source_country(data: dict[str, Any]) -> None:
    """Leave out the country of the deciding institution where it is the issuing country: nobody needs it said twice."""
    issuing = data.get("issuing_country")
    if issuing is not None and data.get("authentic_source", {}).get("country") == issuing:
        drop(data, ("authentic_source", "country"))
