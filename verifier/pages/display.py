"""A verdict in words for a page: an icon beside each word (never colour alone), facts in order, foreign text made safe to read."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from trust_list.pages.drawing import Drawing, drawing
from vc.documents import catalogue, country
from vc.documents.calendar import OPEN, full_date, spoken
from vc.documents.claim import Claim, Kind, Table
from vc.documents.model import pattern

_LABELS = (
    ("accept", "✔", "Accept", "Authentic, in force, and it fits this control."),
    ("accept-with-warning", "✔!", "Accept, with a remark", "Nothing stands against it; see the remarks."),
    ("review", "?", "Look closer", "A person has to look at the points below before deciding."),
    ("undetermined", "…", "Cannot be determined", "Something needed for an answer is missing. It says nothing against the holder."),
    ("refresh", "↻", "Ask for a fresh copy", "The digital copy has run out; a fresh one can be fetched in the wallet."),
    ("reject", "✖", "Do not accept", "At least one check failed; see below."),
)
LABELS: Mapping[str, Mapping[str, str]] = {
    outcome: {"icon": icon, "word": word, "meaning": meaning} for outcome, icon, word, meaning in _LABELS
}
RESULT_WORDS: Mapping[str, str] = {"passed": "✔ passed", "failed": "✖ failed", "not_checked": "– not checked"}
_WALLET_ERRORS = {
    "access_denied": "the holder declined, or the wallet does not hold what was asked",
    "wallet_unavailable": "no wallet answered",
    "vp_formats_not_supported": "the wallet does not support the formats asked for",
}
_MAX_SHOWN = 500


def shown(value: object) -> str:
    """Foreign text for a page: bounded, control and direction characters made visible (V-13); escaping is the template's."""
    text = str(value)
    clean = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else c for c in text[:_MAX_SHOWN])
    return clean + (" …" if len(text) > _MAX_SHOWN else "")


def wallet_error(error: Mapping[str, Any] | None) -> str:
    """A sentence for the error code of a wallet."""
    code = "" if error is None else str(error.get("code", ""))
    return _WALLET_ERRORS.get(code, f"it reported {code}" if code else "no reason given")


def facts(tree: Any, table: Table, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every value of a document with the label and box number of its declaration, in order: `Place of work: town 1 (5.2)`.

    `at`: where `tree` stands in the declaration. A member the declaration does not know keeps its own name.
    """
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from facts(value, table, (*at, str(key)))
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from facts(item, table, (*at, index))
    elif tree is not None:
        claim = table.by_path.get(pattern(at))
        yield _label(at, claim), _value(tree, claim)


def _label(at: tuple[str | int, ...], claim: Claim | None) -> str:
    label = str(at[-1]).replace("_", " ").capitalize() if claim is None else claim.labels["en"]
    numbers = "".join(f" {step + 1}" for step in at if isinstance(step, int))
    return f"{label}{numbers}{f' ({claim.paper})' if claim is not None and claim.paper else ''}"


def _value(value: object, claim: Claim | None) -> str:
    """A value for people: codes with their titles, countries by name, days spelled out, never the stand-in for "no end"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if claim is None:
        return text
    if claim.kind is Kind.COUNTRY:
        return f"{text} – {country.name(text)}" if country.name(text) != text else text
    if isinstance(claim.codes, Mapping) and text in claim.codes:
        return f"{text} – {claim.codes[text]}"
    if claim.kind in (Kind.DATE, Kind.END_DATE):
        return "no end" if text == OPEN else spoken(full_date(text))
    return text


def moment(text: str | None) -> str:
    """A time or day of a validity layer: `2026-11-24 17:00 UTC`; a day as it is, spelled out."""
    if text is None:
        return "not stated"
    if text == OPEN:
        return "no end"
    return spoken(full_date(text)) if len(text) == 10 else f"{text[:10]} {text[11:16]} UTC"


def lists(trust: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The trust lists a verdict rests on, each once."""
    found = [part["list"] for part in (trust, trust.get("pid") or {}) if part.get("list")]
    return list({entry["id"]: entry for entry in found}.values())


def paths(trust: Mapping[str, Any]) -> list[tuple[str, Drawing]]:
    """The way from each signer of the verdict to the trust root, with what it signed, where the lists were asked."""
    parts = (("the document", trust), ("the proof of identity", trust.get("pid") or {}))
    return [(what, drawing(part)) for what, part in parts if part.get("nodes")]


def verdict(title: str, document_type: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """What the verdict page needs of a verdict in its JSON form; `document_type` is the one that was asked for."""
    declared = catalogue.DOCUMENT_TYPES
    return {
        "title": title,
        "verdict": value,
        "label": LABELS[value["outcome"]],
        "result_words": RESULT_WORDS,
        "identity": list(facts(value["identity"] or {}, declared["pid"].table, ("holder",))),
        "document": list(facts(value["document"] or {}, declared[document_type].table)),
        "moment": moment,
        "lists": lists(value["trust"]),
        "paths": paths(value["trust"]),
    }
