"""The person who signed in, as far as it serves to find their document: names, birth date, and personal numbers, if any."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vc.documents import text
from vc.documents.calendar import full_date
from vc.documents.holder import MAX_STORED
from vc.errors import Malformed, Refused

NUMBERS = ("authentic_source_person_id", "personal_administrative_number")
"""Members of the identity block that number a person."""
NEEDED = ("family_name", "given_name", "birth_date")
"""Members of the identity block a sign-in has to state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Never shown by repr, never logged. `birth_date`: ISO, known to the day. `numbers`: every personal number stated."""

    family_name: str = field(repr=False)
    given_name: str = field(repr=False)
    birth_date: str = field(repr=False)
    numbers: frozenset[str] = field(repr=False)


def person_of(claims: Mapping[str, Any], mapping: Mapping[str, str]) -> Person:
    """The person in the claims of a provider. `mapping`: member of the identity block → claim.

    Raises `Refused("claims_missing")` naming the members that are absent or no clean text, and a birth date that is not a day.
    """
    found = {member: _clean(claims.get(claim)) for member, claim in mapping.items()}
    lacking = [member for member in NEEDED if not found.get(member)]
    birth_date = found.get("birth_date")
    if birth_date and not _is_day(birth_date):
        lacking.append("birth_date")
    if lacking:
        raise Refused("claims_missing", f"the sign-in did not state: {', '.join(lacking)}")
    return Person(
        **{member: str(found[member]) for member in NEEDED},
        numbers=frozenset(number for number in (normal_number(found.get(member)) for member in NUMBERS) if number),
    )


def normal_number(value: object) -> str | None:
    """A personal number as it is compared: capital letters and digits only; None when there is none."""
    return "".join(c for c in value.upper() if c.isalnum()) or None if isinstance(value, str) else None


def _clean(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    tidy = text.tidy(value)
    return tidy if 0 < len(tidy) <= MAX_STORED and text.fault(tidy) is None else None


def _is_day(value: str) -> bool:
    try:
        full_date(value)
    except (Malformed, ValueError):
        return False
    return True
