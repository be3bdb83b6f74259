"""Any bytes give an accepted list or our error, whether sealed by us or not; and decisions never raise (STYLE habit 9)."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.pki import NOW
from tests.support.trust import Institution, ListOperator
from tests.unit.trust_list.test_decide import ask, known
from trust_list import explain, model
from trust_list.accept import AcceptedList, accept
from trust_list.anchors import Interval
from trust_list.decide import Outcome, TrustDecision, evaluate
from trust_list.root import TrustRoot
from vc.encoding import json
from vc.errors import VcError

BOUNDED = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


def outcome(token: bytes, root: TrustRoot) -> str:
    try:
        accepted = accept("pub-eaa", token, root=root, state=None, now=NOW)
    except VcError as error:
        return error.code
    assert isinstance(accepted, AcceptedList)
    return "accepted"


@given(data=st.binary(max_size=400))
@BOUNDED
def test_any_bytes(operator: ListOperator, data: bytes) -> None:
    assert outcome(data, operator.root()) != "accepted"
    assert outcome(operator.seal_bytes(data), operator.root()) != "accepted"


@given(position=st.floats(0, 1, exclude_max=True), octet=st.integers(0, 255))
@BOUNDED
def test_any_changed_octet_of_a_good_list(operator: ListOperator, urssaf: Institution, position: float, octet: int) -> None:
    token = bytearray(operator.seal(operator.lote(urssaf.draft())))
    at = int(position * len(token))
    changed = token[at] != octet
    token[at] = octet
    trailing = at == len(token) - 1 and octet in b"\r\n"
    assert (outcome(bytes(token), operator.root()) == "accepted") == (not changed) or trailing


@given(data=st.data())
@BOUNDED
def test_any_value_at_any_place_of_a_sealed_list(operator: ListOperator, urssaf: Institution, data: Any) -> None:
    document = copy.deepcopy(json.loads(model.render(operator.lote(urssaf.draft()))))
    places: list[tuple[Any, Any]] = []
    todo: list[Any] = [document]
    while todo:
        item = todo.pop()
        steps = list(item) if isinstance(item, dict) else range(len(item))
        for step in steps:
            places.append((item, step))
            if isinstance(item[step], dict | list):
                todo.append(item[step])
    holder, step = data.draw(st.sampled_from(places))
    holder[step] = data.draw(VALUES)
    try:
        payload = json.dumps(document)
    except VcError:
        return
    token = operator.seal_bytes(payload)
    if outcome(token, operator.root()) == "accepted":
        accepted = accept("pub-eaa", token, root=operator.root(), state=None, now=NOW)
        decision = evaluate(ask(urssaf.seal), known(operator, accepted.lote))
        assert isinstance(decision, TrustDecision)


@given(header=st.dictionaries(st.sampled_from(["typ", "iat", "sigT", "crit", "x5c", "x5t#S256", "x5t", "b64", "cty"]), VALUES))
@BOUNDED
def test_any_header(operator: ListOperator, urssaf: Institution, header: dict[str, Any]) -> None:
    try:
        token = operator.seal_changed(operator.lote(urssaf.draft()), header=header)
    except VcError:
        return
    result = outcome(token, operator.root())
    assert result != "accepted" or not {"x5t", "b64", "x5c"} & set(header)


@given(data=st.binary(max_size=300))
@BOUNDED
def test_any_root(data: bytes) -> None:
    with pytest.raises(VcError):
        TrustRoot.load(data)


@given(
    starts=st.lists(st.integers(0, 50), min_size=1, max_size=6, unique=True),
    notified=st.lists(st.booleans(), min_size=6, max_size=6),
    when=st.integers(-5, 55),
)
@BOUNDED
def test_exactly_one_interval_is_in_force(
    operator: ListOperator, urssaf: Institution, starts: list[int], notified: list[bool], when: int
) -> None:
    anchors = known(operator, operator.lote(urssaf.draft())).lists["pub-eaa"].anchors
    assert anchors is not None
    ordered = sorted(starts, reverse=True)
    intervals = tuple(
        Interval(start=NOW + timedelta(days=start), notified=flag) for start, flag in zip(ordered, notified, strict=False)
    )
    entry = replace(anchors.entries[0], intervals=intervals)
    found = entry.at(NOW + timedelta(days=when))
    begun = [start for start in starts if start <= when]
    assert (found is None) == (not begun)
    assert found is None or found.start == NOW + timedelta(days=max(begun))


@given(changes=st.fixed_dictionaries({}, optional={
    "list_id": st.sampled_from(["pub-eaa", "pid", "", "x"]), "role": st.sampled_from(["issuance", "revocation"]),
    "format": st.none() | st.text(max_size=5), "type_id": st.none() | st.text(max_size=5),
    "attestation_type": st.none() | st.text(max_size=5), "issuing_country": st.none() | st.text(max_size=3),
    "institution_ids": st.tuples(st.text(max_size=8), st.text(max_size=8)), "entity_id": st.none() | st.text(max_size=5),
    "mode": st.sampled_from(["strict", "historical"]), "chain": st.just(()),
}))  # fmt: skip
@BOUNDED
def test_any_question_gets_an_answer(operator: ListOperator, urssaf: Institution, changes: dict[str, Any]) -> None:
    query, world = ask(urssaf.seal, **changes), known(operator, operator.lote(urssaf.draft()))
    decision = evaluate(query, world)
    assert (decision.outcome is Outcome.TRUSTED) == (decision.reasons == ())
    told = explain.to_json(query, decision, world)
    ids = {node["id"] for node in told["nodes"]}
    assert all({edge["from"], edge["to"]} <= ids for edge in told["edges"])
    assert explain.to_text(told)[0].startswith(decision.outcome)
