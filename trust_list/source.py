"""Where an answer about a signer comes from, behind one interface: the trust lists, and a federation where one is configured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from trust_list import explain
from trust_list.answers import AxisResult
from trust_list.decide import Outcome, TrustDecision, evaluate
from trust_list.query import TrustQuery
from trust_list.snapshot import Freshness, TrustSnapshot

_FACTS = ("outcome", "list", "entity", "warnings", "snapshot", "nodes", "edges", "elsewhere")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a source says. `axes`: as `TrustDecision.axes`. `entity_id`: who was found, in the namespace of the source.

    `unknown`: the lists know nothing of the signer, neither certificate nor key nor the body it names. `stale`: rests on knowledge
    that could not be refreshed. `facts`: what to show of it, as JSON members (outcome, list, entity,
    warnings, snapshot, nodes, edges, elsewhere; a federation adds its own).
    """

    outcome: Outcome
    axes: Mapping[str, AxisResult]
    entity_id: str | None
    unknown: bool = False
    stale: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


class TrustSource(Protocol):
    """Narrower than `evaluate`: a source that is no list has no edition and no entry to show. Never raises for an outage."""

    def judge(self, query: TrustQuery) -> Judgement:
        """The answers to the questions of TRUST 3 about the signer of `query`."""
        ...


class OptionalSource(TrustSource, Protocol):
    """A source that is asked beside the lists."""

    def answers(self, query: TrustQuery) -> bool:
        """Whether it is configured for questions of this kind."""
        ...


class ListSource:
    """The accepted trust lists of the moment."""

    def __init__(self, snapshot: Callable[[], TrustSnapshot]) -> None:
        self._snapshot = snapshot

    def judge(self, query: TrustQuery) -> Judgement:
        """See `TrustSource.judge`."""
        snapshot = self._snapshot()
        decision = evaluate(query, snapshot)
        told = explain.to_json(query, decision, snapshot)
        return Judgement(
            outcome=decision.outcome,
            axes=decision.axes,
            entity_id=decision.entity_id,
            unknown=_unknown(query, decision, snapshot),
            stale=_stale(decision),
            # The facts a verdict shows (TRUST 7.2 rule 3): which list, which edition, how old, who was found, and the whole path.
            facts={name: told[name] for name in _FACTS},
        )


class ListsFirst:
    """The lists, and `other` only for a signer they know nothing at all about: in no role, under no name, on no list.

    What the lists have withdrawn, limited, or know as something else keeps that answer, also with a new key of the same body, and
    so does everything while the lists cannot be read.
    """

    def __init__(self, lists: TrustSource, other: OptionalSource) -> None:
        self._lists, self._other = lists, other

    def judge(self, query: TrustQuery) -> Judgement:
        """See `TrustSource.judge`; what the lists said stays among the facts."""
        said = self._lists.judge(query)
        if not said.unknown or not self._other.answers(query):
            return said
        more = self._other.judge(query)
        if more.outcome is Outcome.UNKNOWN_ISSUER and more.entity_id is None:
            listed = said.axes["listed"]
            both = replace(listed, detail=f"{listed.detail}; {more.axes['listed'].detail} ({more.axes['listed'].code})")
            return replace(said, axes={**said.axes, "listed": both}, facts={**said.facts, "federation": more.facts["federation"]})
        return replace(more, facts={**said.facts, **more.facts})


def _unknown(query: TrustQuery, decision: TrustDecision, snapshot: TrustSnapshot) -> bool:
    if decision.outcome is not Outcome.UNKNOWN_ISSUER or decision.axes["listed"].code != "not_listed":
        return False
    for listing in snapshot.lists.values():
        if listing.anchors is not None:
            leaf = listing.anchors.leaf(query.chain[0])
            entities = {entry.entity.id: entry.entity for entry in listing.anchors.entries}.values()
            if any(leaf.organisation in one.names or leaf.identifier in one.trade_names for one in entities):
                return False
    return True


def _stale(decision: TrustDecision) -> bool:
    return decision.list.state is Freshness.AGEING and bool(decision.list.outage or decision.list.alarm)
