"""A federation's answer told edge by edge: certificate, issuer, intermediates, anchor; and what the document adds."""

from collections.abc import Mapping
from typing import Any

from trust_list.advice import next_step
from trust_list.answers import AxisResult, Result, passed
from trust_list.decide import Outcome
from trust_list.federation.chains import FEDERATION_ENTITY, Chain
from trust_list.model import write_time
from trust_list.query import TrustQuery
from trust_list.source import Judgement
from vc.x509.certificate import sha256


def judgement(
    query: TrustQuery, outcome: Outcome, answers: Mapping[str, AxisResult], entity_id: str, chain: Chain | None
) -> Judgement:
    """The judgement with its facts; without `chain` nobody was found, and `entity_id` only says who was looked for."""
    if chain is None:
        said = answers["listed"]
        told = {"outcome": outcome.value, "issuer": entity_id, "code": said.code, "detail": said.detail}
        facts: dict[str, Any] = {"federation": told}
        if outcome is Outcome.INDETERMINATE:
            facts |= {"outcome": outcome.value}
        return Judgement(outcome=outcome, axes=answers, entity_id=None, facts=facts)
    way = [*(link.configuration.sub for link in chain.links), chain.anchor.sub]
    name = chain.metadata(FEDERATION_ENTITY).get("organization_name")
    shown = name if isinstance(name, str) else chain.subject
    facts = {
        "outcome": outcome.value,
        "entity": {"id": entity_id, "name": shown, "country": None},
        "elsewhere": [],
        "nodes": _nodes(query, chain, shown),
        "edges": _edges(outcome, answers, chain),
        "federation": {"outcome": outcome.value, "issuer": chain.subject, "path": way, "until": write_time(chain.until)},
    }
    return Judgement(outcome=outcome, axes=answers, entity_id=entity_id, facts=facts)


def _nodes(query: TrustQuery, chain: Chain, name: str) -> list[dict[str, Any]]:
    nodes = [_node("certificate", "certificate", "certificate of the signer", {"sha256": sha256(query.chain[0]).hex()})]
    for place, link in enumerate(chain.links):
        facts = {"id": link.configuration.sub, "valid_until": write_time(min(link.configuration.exp, link.statement.exp))}
        if place == 0:
            nodes.append(_node("member", "member", name, facts))
        else:
            nodes.append(_node(f"superior-{place}", "superior", link.configuration.sub, facts))
    nodes.append(_node("anchor", "anchor", chain.anchor.sub, {"id": chain.anchor.sub, "valid_until": write_time(chain.anchor.exp)}))
    stated = {"type": query.attestation_type, "type_id": query.type_id, "issuing_country": query.issuing_country}
    what = "status list" if query.role == "revocation" else query.attestation_type or "document"
    nodes.append(_node("document", "document", what, {key: value for key, value in stated.items() if value is not None}))
    return nodes


def _edges(outcome: Outcome, answers: Mapping[str, AxisResult], chain: Chain) -> list[dict[str, Any]]:
    edges = [_edge("certificate", "member", "identity", answers["identity"], outcome)]
    below = "member"
    for place, link in enumerate(chain.links, start=1):
        above = f"superior-{place}" if place < len(chain.links) else "anchor"
        until = write_time(link.statement.exp)
        vouched = passed("vouched", f"{link.statement.iss} vouches for {link.statement.sub} and its keys until {until}")
        edges.append(_edge(below, above, "vouched", vouched, outcome))
        below = above
    edges.append(_edge("document", "member", "scope", answers["scope"], outcome))
    edges.append(_edge("document", "member", "content", answers["content"], outcome))
    return edges


def _node(id: str, kind: str, title: str, facts: dict[str, str]) -> dict[str, Any]:
    return {"id": id, "kind": kind, "title": title, "facts": facts}


def _edge(start: str, end: str, question: str, answer: AxisResult, outcome: Outcome) -> dict[str, Any]:
    return {
        "from": start,
        "to": end,
        "question": question,
        "result": answer.result.value,
        "code": answer.code,
        "detail": answer.detail,
        "next": next_step(answer.code, outcome) if answer.result is Result.FAILED else "",
    }
