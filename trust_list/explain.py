"""A decision told edge by edge: trust root, list signer, list, entity, certificate, document; each with its reason."""

from typing import Any

from trust_list.decide import TrustDecision
from trust_list.model import write_time
from trust_list.query import TrustQuery
from trust_list.snapshot import Freshness, TrustSnapshot
from vc.x509.certificate import sha256

_EDGES = {
    "path": ("certificate", "list entry"),
    "listed": ("list", "entity"),
    "identity": ("certificate", "entity"),
    "scope": ("entity", "document type"),
    "content": ("document", "entity"),
}


def edges(query: TrustQuery, decision: TrustDecision, snapshot: TrustSnapshot) -> list[dict[str, str]]:
    """`[{from, to, result, code, detail}]` from the root down to the document."""
    told = [_root_edge(query, snapshot), _list_edge(query, decision, snapshot)]
    for name, answer in decision.axes.items():
        start, end = _EDGES[name]
        told.append({"from": start, "to": end, "result": answer.result.value, "code": answer.code, "detail": answer.detail})
    return told


def to_json(query: TrustQuery, decision: TrustDecision, snapshot: TrustSnapshot) -> dict[str, Any]:
    """The whole explanation as JSON members."""
    facts = decision.list
    return {
        "outcome": decision.outcome.value,
        "certificate": {"sha256": sha256(query.chain[0]).hex()} if query.chain else None,
        "entity": {"id": decision.entity_id, "name": decision.entity_name, "country": decision.entity_country}
        if decision.entity_id is not None
        else None,
        "list": {
            "id": facts.id,
            "seq": facts.sequence,
            "issued": write_time(facts.issued) if facts.issued else None,
            "next_update": write_time(facts.next_update) if facts.next_update else None,
            "state": facts.state.value,
            "age": facts.age_seconds,
            "operator": facts.operator,
            "alarm": facts.alarm,
            "outage": facts.outage,
        },
        "edges": edges(query, decision, snapshot),
        "reasons": [{"code": reason.code, "text": reason.text, "next": reason.next} for reason in decision.reasons],
    }


def _root_edge(query: TrustQuery, snapshot: TrustSnapshot) -> dict[str, str]:
    expired = (query.t_clock or query.t_now) > snapshot.root_expires
    return {
        "from": "trust root",
        "to": "list signer",
        "result": "failed" if expired else "passed" if query.list_id in snapshot.lists else "failed",
        "code": "root_expired" if expired else "pinned" if query.list_id in snapshot.lists else "list_unknown",
        "detail": f"trust root version {snapshot.root_version}, in force until {write_time(snapshot.root_expires)}",
    }


def _list_edge(query: TrustQuery, decision: TrustDecision, snapshot: TrustSnapshot) -> dict[str, str]:
    facts, listing = decision.list, snapshot.lists.get(query.list_id)
    usable = facts.state in (Freshness.FRESH, Freshness.AGEING)
    detail = f"list {facts.id}: no edition was accepted"
    if listing is not None and listing.accepted is not None and facts.next_update is not None:
        signer = sha256(listing.accepted.signer).hex()
        detail = (
            f"list {facts.id} edition {facts.sequence}, sealed by the pinned certificate {signer[:16]}…, "
            f"next update by {write_time(facts.next_update)}"
        )
    event = None if listing is None else listing.alarm or listing.outage
    if event is not None:
        detail += f"; last attempt to refresh it failed: {event.text}"
    code = f"list_{facts.state.value.lower()}"
    return {"from": "list signer", "to": "list", "result": "passed" if usable else "not_checked", "code": code, "detail": detail}
