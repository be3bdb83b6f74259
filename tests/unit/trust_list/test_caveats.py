"""Warnings: what an answer should be read with, without changing it (TRUST 7.2 rules 3, 4)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.pki import NOW
from tests.support.trust import Institution, ListOperator
from tests.unit.trust_list.test_decide import ask, known
from trust_list.caveats import ROOT_ENDS_WITHIN
from trust_list.decide import Outcome, evaluate
from trust_list.snapshot import Event, TrustSnapshot

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
EVENT = Event(code="timeout", text="no answer", first=NOW, last=NOW, count=1)


@pytest.fixture(scope="module")
def world(operator: ListOperator, urssaf: Institution) -> TrustSnapshot:
    return known(operator, operator.lote(urssaf.draft(), sequence=12))


def changed(world: TrustSnapshot, **changes: Any) -> TrustSnapshot:
    return replace(world, lists={"pub-eaa": replace(world.lists["pub-eaa"], **changes)})


def test_nothing_to_warn_of(world: TrustSnapshot, urssaf: Institution) -> None:
    assert evaluate(ask(urssaf.seal), world).warnings == ()


def test_each_trouble_has_its_warning(world: TrustSnapshot, urssaf: Institution) -> None:
    accepted = world.lists["pub-eaa"].accepted
    assert accepted is not None
    noted = replace(accepted, notes=("no signing time",))
    cases: list[tuple[TrustSnapshot, Any, list[str]]] = [
        (changed(world, alarm=EVENT), NOW, ["list_alarm"]),
        (changed(world, outage=EVENT), NOW, ["list_outage"]),
        (changed(world, accepted=noted), NOW, ["list_tolerated"]),
        (world, NOW + timedelta(hours=2), ["list_ageing"]),
        (changed(world, outage=EVENT, checked_at=NOW + 15 * DAY - SECOND), NOW + 15 * DAY - SECOND, ["list_outage"]),
        (changed(world, outage=EVENT, checked_at=NOW + 15 * DAY), NOW + 15 * DAY, ["list_outage", "list_half_life"]),
        (replace(world, root_alarm=EVENT), NOW, ["root_alarm"]),
        (replace(world, root_expires=NOW + ROOT_ENDS_WITHIN), NOW, []),
        (replace(world, root_expires=NOW + ROOT_ENDS_WITHIN - SECOND), NOW, ["root_ends"]),
    ]
    for known_then, moment, codes in cases:
        decision = evaluate(ask(urssaf.seal, t_issue=NOW, t_now=moment), known_then)
        assert (decision.outcome, [warning.code for warning in decision.warnings]) == (Outcome.TRUSTED, codes)
        assert all(warning.text for warning in decision.warnings)


def test_a_decision_names_what_it_rests_on(
    world: TrustSnapshot, operator: ListOperator, urssaf: Institution, cnam: Institution
) -> None:
    decision = evaluate(ask(urssaf.seal), world)
    assert (decision.snapshot, len(decision.snapshot)) == (world.digest, 64)
    assert known(operator, operator.lote(cnam.draft(), sequence=12)).digest != world.digest
    assert replace(world, root_version=2).digest != world.digest
