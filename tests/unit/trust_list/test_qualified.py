"""The qualified axis: fed by a source of its own, deciding nothing about the others (TRUST 0.5, 2)."""

from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from cryptography import x509

from tests.support.pki import NOW
from tests.support.trust import Institution, ListOperator
from tests.unit.trust_list.test_decide import ask, known
from trust_list.answers import AxisResult, Result, failed, not_checked, passed
from trust_list.decide import Outcome, evaluate
from trust_list.snapshot import TrustSnapshot


@dataclass(frozen=True)
class NationalList:
    """A source that knows one certificate at one moment."""

    answer: AxisResult
    certificate: x509.Certificate

    def qualified(self, chain: tuple[x509.Certificate, ...], *, at: datetime) -> AxisResult:
        assert (chain[0], at) == (self.certificate, NOW)
        return self.answer


@pytest.fixture(scope="module")
def world(operator: ListOperator, urssaf: Institution) -> TrustSnapshot:
    return known(operator, operator.lote(urssaf.draft()))


def test_without_a_source_it_is_open(world: TrustSnapshot, urssaf: Institution) -> None:
    answer = evaluate(ask(urssaf.seal), world).axes["qualified"]
    assert (answer.result, answer.code) == (Result.NOT_CHECKED, "no_source")


@pytest.mark.parametrize(
    ("answer", "warned"),
    [
        (passed("qualified_seal", "granted"), []),
        (failed("not_granted", "the trust service is withdrawn"), ["not_qualified"]),
        (not_checked("list_unreadable", "the national list is unreadable"), []),
    ],
)
def test_a_source_feeds_the_axis_and_nothing_else(
    world: TrustSnapshot, urssaf: Institution, answer: AxisResult, warned: list[str]
) -> None:
    source = NationalList(answer, urssaf.seal.chain[0])
    decision = evaluate(ask(urssaf.seal), replace(world, qualified=source))
    assert decision.axes["qualified"] == answer
    assert (decision.outcome, decision.reasons) == (Outcome.TRUSTED, ())
    assert [warning.code for warning in decision.warnings] == warned


def test_an_open_answer_is_no_reason_for_anything(world: TrustSnapshot, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.seal, issuing_country=None, institution_ids=()), world)
    assert decision.outcome is Outcome.INDETERMINATE
    assert [reason.code for reason in decision.reasons] == ["content_not_stated"]


def test_a_status_signer_needs_no_qualified_seal(world: TrustSnapshot, urssaf: Institution) -> None:
    query = ask(urssaf.status, role="revocation", entity_id=urssaf.registration_id)
    assert evaluate(query, world).axes["qualified"].code == "not_applicable"
