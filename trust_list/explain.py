"""A decision told edge by edge: certificate, intermediates, list entry, list, list signer, trust root; and the document.

Each edge has its answer, the exact reason and what to do about it. As JSON, from which pages draw the path, and as text.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from trust_list import matching
from trust_list.advice import next_step
from trust_list.answers import AxisResult, Result, failed, not_checked, passed
from trust_list.decide import TrustDecision
from trust_list.model import write_time
from trust_list.query import TrustQuery
from trust_list.snapshot import Freshness, TrustSnapshot
from vc.x509.certificate import is_ca, sha256, subject_value
from vc.x509.chain import self_signed

Kind = Literal["certificate", "intermediate", "entry", "list", "signer", "root", "document", "national_lists"]
_stamp = lru_cache(maxsize=4096)(write_time)  # lists and certificates show the same few moments again and again
_MARKS = {"passed": "yes", "failed": "NO", "not_checked": "open"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing on the path. `id` is unique in the explanation; `facts` in the order to show them."""

    id: str
    kind: Kind
    title: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One question between two nodes, named by their ids. `next`: what to do, empty when the answer is yes."""

    start: str
    end: str
    question: str
    answer: AxisResult
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`nodes` from the presented certificate up to the root, then what the document adds; `edges` in the same order."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def explanation(query: TrustQuery, decision: TrustDecision, snapshot: TrustSnapshot) -> Explanation:
    """The whole path of `decision`, which `evaluate` made for `query` over `snapshot`."""
    chain = query.chain
    nodes = [_certificate_node(number, certificate) for number, certificate in enumerate(chain)]
    if not chain:
        nodes.append(Node(id="certificate", kind="certificate", title="no certificate", facts={}))
    nodes += [_entry_node(query, decision), _list_node(decision), _signer_node(query, snapshot), _root_node(snapshot)]
    nodes.append(_document_node(query))
    axes = decision.axes
    told: list[tuple[str, str, str, AxisResult]] = []
    for number in range(1, len(chain)):
        told.append((_id(number - 1), _id(number), "signature", _signed(query, number, decision)))
    no_entry = decision.entry is None and axes["listed"].result is Result.FAILED
    top = _id(len(chain) - 1) if decision.entry is not None and len(chain) > 1 and not _itself(query, decision) else "certificate"
    told.append((top, "entry", "path", axes["listed"] if no_entry else axes["path"]))
    told.append(("certificate", "entry", "identity", axes["identity"]))
    told.append(("entry", "list", "listed", axes["listed"]))
    told.append(("list", "signer", "sealed", _sealed(query, decision, snapshot)))
    told.append(("signer", "root", "pinned", _pinned(query, snapshot)))
    told.append(("document", "entry", "scope", axes["scope"]))
    told.append(("document", "entry", "content", axes["content"]))
    if axes["qualified"].code not in ("not_applicable", "no_entry"):
        nodes.append(Node(id="national_lists", kind="national_lists", title="national trusted lists", facts={}))
        told.append(("certificate", "national_lists", "qualified", axes["qualified"]))
    edges = tuple(
        Edge(start=start, end=end, question=question, answer=answer, next=_next(answer, decision))
        for start, end, question, answer in told
    )
    return Explanation(nodes=tuple(nodes), edges=edges)


def to_json(query: TrustQuery, decision: TrustDecision, snapshot: TrustSnapshot) -> dict[str, Any]:
    """The whole explanation as JSON members.

    `nodes`: [{id, kind, title, facts}]; `edges`: [{from, to, question, result, code, detail, next}] between node ids;
    `elsewhere`: where all lists know the certificate, for a signer that is not believed.
    """
    facts, told = decision.list, explanation(query, decision, snapshot)
    return {
        "outcome": decision.outcome.value,
        "mode": query.mode,
        "judged": _stamp(query.t_now),
        "signed": _stamp(query.t_issue) if query.t_issue else None,
        "withdrawn": _stamp(decision.withdrawn_at) if decision.withdrawn_at else None,
        "certificate": {"sha256": sha256(query.chain[0]).hex()} if query.chain else None,
        "entity": {"id": decision.entity_id, "name": decision.entity_name, "country": decision.entity_country}
        if decision.entity_id is not None
        else None,
        "list": {
            "id": facts.id,
            "seq": facts.sequence,
            "issued": _stamp(facts.issued) if facts.issued else None,
            "next_update": _stamp(facts.next_update) if facts.next_update else None,
            "state": facts.state.value,
            "age": facts.age_seconds,
            "operator": facts.operator,
            "alarm": facts.alarm,
            "outage": facts.outage,
        },
        "root": {"version": snapshot.root_version, "expires": _stamp(snapshot.root_expires)},
        "snapshot": decision.snapshot,
        "nodes": [{"id": node.id, "kind": node.kind, "title": node.title, "facts": node.facts} for node in told.nodes],
        "edges": [
            {
                "from": edge.start,
                "to": edge.end,
                "question": edge.question,
                "result": edge.answer.result.value,
                "code": edge.answer.code,
                "detail": edge.answer.detail,
                "next": edge.next,
            }
            for edge in told.edges
        ],
        "reasons": [{"code": reason.code, "text": reason.text, "next": reason.next} for reason in decision.reasons],
        "warnings": [{"code": warning.code, "text": warning.text} for warning in decision.warnings],
        "elsewhere": []
        if decision.entry is not None
        else [
            {"list": place.list_id, "seq": place.sequence, "as": place.purpose, "entity": place.entity, "how": place.how}
            for place in matching.everywhere(query.chain, snapshot)
        ],
    }


def to_text(told: dict[str, Any]) -> list[str]:
    """The lines of an explanation in JSON form, for a terminal: outcome, path, reasons, warnings."""
    titles = {node["id"]: node["title"] for node in told["nodes"]}
    lines = [f"{told['outcome']} ({told['mode']}, judged for {told['judged']})"]
    for edge in told["edges"]:
        between = f"{titles[edge['from']]} → {titles[edge['to']]}, {edge['question']}"
        lines.append(f"[{_MARKS[edge['result']]}] {between}: {edge['detail']} ({edge['code']})")
        if edge["next"]:
            lines.append(f"     what to do: {edge['next']}")
    for place in told["elsewhere"]:
        lines.append(f"also on list {place['list']} edition {place['seq']} as {place['as']}: {place['entity']} (by {place['how']})")
    lines += [f"warning: {warning['text']} ({warning['code']})" for warning in told["warnings"]]
    return lines


def _next(answer: AxisResult, decision: TrustDecision) -> str:
    """What to do about one edge: for a no always, for an open answer where the decision hangs on it."""
    if answer.result is Result.FAILED or any(answer.code == reason.code for reason in decision.reasons):
        return next_step(answer.code, decision.outcome)
    return ""


def _id(number: int) -> str:
    return "certificate" if number == 0 else f"intermediate-{number}"


def _itself(query: TrustQuery, decision: TrustDecision) -> bool:
    """Whether the entry names the signer's own certificate or key, so that no intermediate is needed."""
    return decision.entry is not None and decision.entry.has_key(query.chain[0])


def _signed(query: TrustQuery, number: int, decision: TrustDecision) -> AxisResult:
    """Whether certificate `number` of the chain signed the one before it."""
    if _itself(query, decision):
        return not_checked("not_needed", "the certificate below is listed itself; nothing hangs on this one")
    below, above = query.chain[number - 1], query.chain[number]
    if self_signed(above):
        return not_checked(
            "presented_root", "a self-signed certificate that came along with the document is no anchor and is not used"
        )
    if not is_ca(above):
        return failed("not_a_ca", "the certificate above may not sign others")
    try:
        below.verify_directly_issued_by(above)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return failed("not_signed", "the certificate above did not sign the one below")
    return passed("signed", "the certificate above signed the one below")


def _sealed(query: TrustQuery, decision: TrustDecision, snapshot: TrustSnapshot) -> AxisResult:
    facts, listing = decision.list, snapshot.lists.get(query.list_id)
    code = f"list_{facts.state.value.lower()}"
    event = None if listing is None else listing.alarm or listing.outage
    trouble = f"; the last attempt to refresh it failed: {event.text}" if event is not None else ""
    if listing is None or listing.accepted is None or facts.next_update is None:
        return not_checked(code, f"list {facts.id}: no edition was accepted{trouble}")
    detail = (
        f"{matching.edition(listing)} bears the seal of the pinned signer, was confirmed {facts.age_seconds} second(s) ago "
        f"and holds until {_stamp(facts.next_update)}{trouble}"
    )
    usable = facts.state in (Freshness.FRESH, Freshness.AGEING)
    return passed(code, detail) if usable else not_checked(code, detail)


def _pinned(query: TrustQuery, snapshot: TrustSnapshot) -> AxisResult:
    root = f"trust root version {snapshot.root_version}, in force until {_stamp(snapshot.root_expires)}"
    if query.clock > snapshot.root_expires:
        return failed("root_expired", f"{root}, has expired")
    if query.list_id not in snapshot.lists:
        return failed("list_unknown", f"{root}, names no list {query.list_id}")
    return passed("pinned", f"{root}, names who may seal list {query.list_id}")


def _certificate_node(number: int, certificate: x509.Certificate) -> Node:
    name, facts = _read(certificate)
    kind: Kind = "certificate" if number == 0 else "intermediate"
    return Node(id=_id(number), kind=kind, title=f"{kind} {name}", facts=dict(facts))


@lru_cache(maxsize=1024)  # every verdict shows the same few certificates
def _read(certificate: x509.Certificate) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The name of a certificate and its facts."""
    name = subject_value(certificate, NameOID.COMMON_NAME) or subject_value(certificate, NameOID.ORGANIZATION_NAME)
    return name or "without a name", (
        ("subject", certificate.subject.rfc4514_string()),
        ("issuer", certificate.issuer.rfc4514_string()),
        ("sha256", sha256(certificate).hex()),
        ("valid_from", _stamp(certificate.not_valid_before_utc)),
        ("valid_until", _stamp(certificate.not_valid_after_utc)),
    )


def _entry_node(query: TrustQuery, decision: TrustDecision) -> Node:
    entry = decision.entry
    what = matching.purpose(query.list_id, query.role)
    if entry is None:
        return Node(id="entry", kind="entry", title=f"entry as {what}", facts={})
    facts = {"entity": entry.entity.name, "id": entry.entity.id, "service": entry.role}
    if entry.entity.country is not None:
        facts["country"] = entry.entity.country
    for number, interval in enumerate(reversed(entry.intervals), start=1):
        status = "notified" if interval.notified else f"withdrawn ({interval.reason or 'no reason stated'})"
        facts[f"status_{number}"] = f"{status} since {_stamp(interval.start)}" if interval.start else status
    return Node(id="entry", kind="entry", title=f"{what} {entry.entity.name}", facts=facts)


def _list_node(decision: TrustDecision) -> Node:
    facts = {"state": decision.list.state.value}
    if decision.list.operator is not None:
        facts["operator"] = decision.list.operator
    if decision.list.issued is not None and decision.list.next_update is not None:
        facts |= {"issued": _stamp(decision.list.issued), "next_update": _stamp(decision.list.next_update)}
    edition = f" edition {decision.list.sequence}" if decision.list.sequence is not None else ""
    return Node(id="list", kind="list", title=f"list {decision.list.id}{edition}", facts=facts)


def _signer_node(query: TrustQuery, snapshot: TrustSnapshot) -> Node:
    listing = snapshot.lists.get(query.list_id)
    if listing is None or listing.accepted is None:
        return Node(id="signer", kind="signer", title="list signer", facts={})
    name, facts = _read(listing.accepted.signer)
    return Node(id="signer", kind="signer", title=f"list signer {name}", facts=dict(facts))


def _root_node(snapshot: TrustSnapshot) -> Node:
    facts = {"version": str(snapshot.root_version), "expires": _stamp(snapshot.root_expires)}
    return Node(id="root", kind="root", title=f"trust root version {snapshot.root_version}", facts=facts)


def _document_node(query: TrustQuery) -> Node:
    stated = {
        "type": query.attestation_type,
        "type_id": query.type_id,
        "format": query.format,
        "issuing_country": query.issuing_country,
        "signed": _stamp(query.t_issue) if query.t_issue else None,
        "judged": _stamp(query.t_now),
    }
    what = {"revocation": "status list"}.get(query.role, query.attestation_type or "document")
    return Node(
        id="document", kind="document", title=what, facts={name: value for name, value in stated.items() if value is not None}
    )
