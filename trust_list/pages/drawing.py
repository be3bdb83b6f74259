"""An explanation as something to draw: the trunk from certificate to root with what stands between each two, and what branches off.

Made from the JSON of `explain.to_json` and from nothing else, so that whoever has that JSON can show the same picture.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TRUNK = ("certificate", "intermediate", "entry", "list", "signer", "root", "member", "superior", "anchor")
_KINDS = {
    "certificate": "Signer's certificate",
    "intermediate": "Intermediate authority",
    "entry": "Entry on the list",
    "list": "Trust list",
    "signer": "Signer of the list",
    "root": "Trust root",
    "member": "Member of a federation",
    "superior": "Superior in the federation",
    "anchor": "Trust anchor of the federation",
    "document": "What the document says",
    "national_lists": "National trusted lists",
}
_QUESTIONS = {
    "signature": "Signed by it?",
    "path": "Does the certificate lead to the entry?",
    "identity": "Is it the same body?",
    "listed": "Does the entry count?",
    "sealed": "Is the list sealed by its signer?",
    "pinned": "Is that signer pinned by the root?",
    "vouched": "Does its superior vouch for it?",
    "scope": "May the body issue this?",
    "content": "Does the document agree with the list?",
    "qualified": "Is the seal qualified?",
}
_FACTS = {
    "sha256": "SHA-256",
    "id": "Identifier",
    "type_id": "Type identifier",
    "next_update": "Next update by",
    "valid_from": "Valid from",
    "valid_until": "Valid until",
    "issuing_country": "Issuing country",
}
_PREFIXES = {
    "certificate": "certificate ",
    "intermediate": "intermediate ",
    "list": "list ",
    "signer": "list signer ",
    "root": "trust root ",
}
_SHORT = ("pda1", "ehic", "pid")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_MAX_SHOWN = 500
_OUTCOMES = {
    "TRUSTED": ("passed", "Trusted", "The signer counts now, for this kind of document."),
    "TRUSTED_AT_ISSUANCE": ("warned", "Trusted at issuance", "The signer counted when it signed and was withdrawn later."),
    "WITHDRAWN": ("failed", "Withdrawn", "The signer does not count any more."),
    "NOT_YET_NOTIFIED": ("failed", "Not yet notified", "The signer did not count yet."),
    "UNKNOWN_ISSUER": ("failed", "Unknown issuer", "No entry of the list speaks for this signer."),
    "OUT_OF_SCOPE": ("failed", "Out of scope", "The signer is known, but not for this."),
    "INDETERMINATE": ("not_checked", "Cannot be determined", "Something needed for an answer is missing."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One thing. `facts` in order, with their labels. `state`: the worst answer to what is asked of it: passed, failed,
    not_checked; whether a seal is qualified never decides and does not count."""

    kind: str
    title: str
    facts: tuple[tuple[str, str], ...]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One question between two things. `between`: their titles, where they do not stand next to each other."""

    question: str
    result: str
    detail: str
    code: str
    next: str
    between: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A box of the trunk and the links from it to the next box; none below the last."""

    box: Box
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What is asked beside the trunk: `start` and `end` are boxes, at least one of them on no trunk."""

    start: Box
    links: tuple[Link, ...]
    end: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """`state`, `word`, `meaning` of the outcome; the path; warnings; where else the certificate is known."""

    state: str
    word: str
    meaning: str
    steps: tuple[Step, ...]
    branches: tuple[Branch, ...]
    warnings: tuple[str, ...]
    elsewhere: tuple[str, ...]


def drawing(told: Mapping[str, Any]) -> Drawing:
    """The drawing of an explanation in JSON form."""
    nodes, edges = {node["id"]: node for node in told["nodes"]}, _advised_once(told["edges"])
    trunk = sorted((n for n in told["nodes"] if n["kind"] in _TRUNK), key=lambda node: _TRUNK.index(node["kind"]))
    places = {node["id"]: number for number, node in enumerate(trunk)}
    boxes = {name: _box(node, edges) for name, node in nodes.items()}
    steps = []
    for number, node in enumerate(trunk):
        links = [
            _link(edge, nodes, near=places[edge["from"]] == number)
            for edge in edges
            if edge["from"] in places and places.get(edge["to"]) == number + 1
        ]
        steps.append(Step(box=boxes[node["id"]], links=tuple(links)))
    aside = [edge for edge in edges if edge["from"] not in places or edge["to"] not in places]
    branches = []
    for start, end in dict.fromkeys((edge["from"], edge["to"]) for edge in aside):
        links = [_link(edge, nodes, near=True) for edge in aside if (edge["from"], edge["to"]) == (start, end)]
        branches.append(Branch(start=boxes[start], links=tuple(links), end=boxes[end]))
    state, word, meaning = _OUTCOMES[told["outcome"]]
    return Drawing(
        state=state,
        word=word,
        meaning=meaning,
        steps=tuple(steps),
        branches=tuple(branches),
        warnings=tuple(_upper(f"{warning['text']} ({warning['code']})") for warning in told.get("warnings", ())),
        elsewhere=tuple(
            _upper(f"on list {place['list']}, edition {place['seq']}, as {place['as']}: {place['entity']} (by {place['how']})")
            for place in told.get("elsewhere", ())
        ),
    )


def _advised_once(edges: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The edges; advice that several share stays on the first of them."""
    said: set[str] = set()
    kept = []
    for edge in edges:
        kept.append({**edge, "next": ""} if edge["next"] in said else edge)
        said.add(edge["next"])
    return kept


def _box(node: Mapping[str, Any], edges: Sequence[Mapping[str, Any]]) -> Box:
    end = "to" if node["kind"] == "national_lists" else "from"
    answers = {edge["result"] for edge in edges if node["id"] == edge[end] and (end == "to" or edge["question"] != "qualified")}
    state = next((result for result in ("failed", "not_checked") if result in answers), "passed")
    facts = tuple((_label(name), _plain(value)) for name, value in node["facts"].items())
    return Box(kind=_KINDS[node["kind"]], title=_title(node), facts=facts, state=state)


def _title(node: Mapping[str, Any]) -> str:
    """The title without the words that the kind says already."""
    title = str(node["title"])
    if title in _SHORT:
        return title.upper()
    rest = title.removeprefix(_PREFIXES.get(node["kind"], ""))
    return _plain(rest) if rest and rest != title and node["kind"] != "root" else _upper(rest or title)


def _link(edge: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]], *, near: bool) -> Link:
    return Link(
        question=_QUESTIONS[edge["question"]],
        result=edge["result"],
        detail=_upper(edge["detail"]),
        code=edge["code"],
        next=edge["next"],
        between="" if near else f"{_title(nodes[edge['from']])} → {_title(nodes[edge['to']])}",
    )


def _label(name: str) -> str:
    if name.startswith("status_"):
        return f"Status {name.removeprefix('status_')}"
    return _FACTS.get(name, _upper(name.replace("_", " ")))


def _upper(text: object) -> str:
    """A sentence as it is shown: bounded, first letter large, control and direction characters of foreign text made visible."""
    words = str(text)
    clean = "".join("\ufffd" if unicodedata.category(c) in _INVISIBLE else c for c in words[:_MAX_SHOWN])
    return clean[:1].upper() + clean[1:] + (" …" if len(words) > _MAX_SHOWN else "")


def _plain(text: object) -> str:
    """A value as it is shown: as `_upper`, letters unchanged."""
    words = str(text)
    return words[:1] + _upper(words)[1:] if words[:1].isalnum() else _upper(words)
