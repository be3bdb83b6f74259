"""One fault of a list, where it stands and which clause it breaks; and the small questions all rules ask."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from trust_list.model import MultiLangString, MultiLangUri, PostalAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`pointer`: JSON pointer below `/LoTE`. An error keeps a list from being published and from being accepted."""

    severity: Literal["error", "warning"]
    code: str
    clause: str
    pointer: str
    text: str


def error(code: str, clause: str, pointer: str, text: str) -> Finding:
    """A fault that forbids."""
    return Finding(severity="error", code=code, clause=clause, pointer=pointer, text=text)


def warning(code: str, clause: str, pointer: str, text: str) -> Finding:
    """A fault that is told and tolerated."""
    return Finding(severity="warning", code=code, clause=clause, pointer=pointer, text=text)


def critical(extensions: object, clause: str, at: str, known: frozenset[str]) -> Iterator[Finding]:
    """Clauses 6.3.17, 6.5.5, 6.6.9: an unknown critical extension refuses the whole list."""
    for number, item in enumerate(extensions if isinstance(extensions, list) else ()):
        understood = isinstance(item, dict) and not known.isdisjoint(item)
        if not isinstance(item, dict) or (item.get("Critical") is not False and not understood):
            yield error("critical_extension", clause, f"{at}/{number}", "an extension that is critical or says not whether it is")


def languages(texts: Iterable[MultiLangString | MultiLangUri | PostalAddress] | None, at: str) -> Iterator[Finding]:
    """Clause 6.1.4: every text and address exists in English at least, and tags of languages are in lower case."""
    if not texts:
        return
    tags = [item.lang for item in texts]
    if "en" not in {tag.lower().split("-")[0] for tag in tags}:
        yield error("language", "6.1.4", at, "nothing is stated in English (en)")
    if any(tag != tag.lower() for tag in tags):
        yield warning("language_tag", "6.1.4", at, "a language tag is not in lower case")


def countries(addresses: Iterable[PostalAddress], at: str) -> Iterator[Finding]:
    """Clauses 6.1.5 and 6.3.5.1: two capital letters; which of EL and GR is left open (Table H.2 asks for ISO's)."""
    for number, address in enumerate(addresses):
        if not re.fullmatch(r"[A-Z]{2}", address.Country):
            yield error("country_code", "6.1.5", f"{at}/{number}/Country", "a country is not two capital letters")


def has(addresses: list[MultiLangUri], scheme: str) -> bool:
    """Whether one of the addresses is of this URI scheme (`mailto:`)."""
    return any(item.uriValue.lower().startswith(scheme) for item in addresses)
