"""What a client would rather have: media types (RFC 9110 §12.5.1) and languages (§12.5.4, RFC 4647 §3.4)."""

import re
from collections.abc import Collection, Sequence

MAX_RANGES = 64
"""Ranges of one header field that are looked at."""
_WEIGHT = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_MACRO = {"no": ("nb", "nn")}
"""Languages that stand for others: who asks for Norwegian is given both of its written forms."""


def quality(accept: str, media_type: str) -> float:
    """The weight of `media_type` in an Accept field: of the most specific range that covers it, 0 for none.

    An empty field says nothing, so everything weighs 1. Ranges that cannot be read are passed over.
    """
    ranges = _weighed(accept)
    if not ranges:
        return 1.0
    major = media_type.partition("/")[0]
    for name in (media_type, f"{major}/*", "*/*"):
        weights = [weight for given, weight in ranges if given == name]
        if weights:
            return max(weights)
    return 0.0


def names(accept: str, media_type: str) -> bool:
    """Whether an Accept field names the media type itself, not only a range that covers it."""
    return any(given == media_type for given, _ in _weighed(accept))


def locales(accept_language: str, available: Collection[str]) -> tuple[str, ...]:
    """Those of `available` a client asks for, best first; empty when it has no wish that can be met, and then it gets them all.

    A range finds a locale by being shortened from the end (`de-AT` finds `de`); `*` and nothing readable mean no wish.
    """
    found: dict[str, float] = {}
    by_name = {locale.lower(): locale for locale in available}
    for given, weight in _weighed(accept_language):
        if given == "*" and weight > 0:
            return ()
        for name in _MACRO.get(given.partition("-")[0], (given,)):
            locale = _look_up(name, by_name)
            if locale is not None:
                found[locale] = max(weight, found.get(locale, 0.0))
    wanted = sorted(((weight, locale) for locale, weight in found.items() if weight > 0), key=lambda entry: -entry[0])
    return tuple(locale for _, locale in wanted)


def _look_up(name: str, by_name: dict[str, str]) -> str | None:
    while name:
        if name in by_name:
            return by_name[name]
        name = name.rpartition("-")[0]
    return None


def _weighed(field: str) -> Sequence[tuple[str, float]]:
    """The ranges of a field in lower case with their weights; one whose weight cannot be read is left out."""
    found = []
    for part in field.split(",")[:MAX_RANGES]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        if name and _WEIGHT.fullmatch(weight):
            found.append((name, float(weight)))
    return found
