"""A verdict in words for a page: an icon beside each word (never colour alone), facts in order, foreign text made safe to read."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

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


def facts(tree: Any, label: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a document with a readable label, in order: `work_address 1 country`."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from facts(value, f"{label} {str(key).replace('_', ' ')}".strip())
    elif isinstance(tree, list):
        for number, item in enumerate(tree, 1):
            yield from facts(item, f"{label} {number}")
    elif tree is not None:
        yield label.capitalize(), {True: "yes", False: "no"}[tree] if isinstance(tree, bool) else str(tree)


def lists(trust: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The trust lists a verdict rests on, each once."""
    found = [part["list"] for part in (trust, trust.get("pid") or {}) if part.get("list")]
    return list({entry["id"]: entry for entry in found}.values())


def verdict(title: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """What the verdict page needs of a verdict in its JSON form."""
    return {
        "title": title,
        "verdict": value,
        "label": LABELS[value["outcome"]],
        "result_words": RESULT_WORDS,
        "identity": list(facts(value["identity"] or {})),
        "document": list(facts(value["document"] or {})),
        "lists": lists(value["trust"]),
    }
