"""One interface over lists and a federation: the lists come first, and what they know is never asked elsewhere."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.federation import ISSUER, NAME, PREFIX, PretendFederation
from tests.support.pki import NOW, root
from tests.support.trust import EHIC, Institution, ListOperator, institution
from trust_list.accept import accept
from trust_list.decide import Outcome
from trust_list.federation.source import FederationSource
from trust_list.query import TrustQuery
from trust_list.snapshot import TrustSnapshot, listing, snapshot
from trust_list.source import ListsFirst, ListSource
from vc.keys.signer import LocalSigner


@pytest.fixture(scope="module")
def known(operator: ListOperator, urssaf: Institution, swedish: Institution) -> TrustSnapshot:
    trusted = operator.root()
    lote = operator.lote(urssaf.draft(), swedish.draft(), sequence=5)
    accepted = accept("pub-eaa", operator.seal(lote), root=trusted, state=None, now=NOW)
    return snapshot({"pub-eaa": listing(accepted, checked_at=NOW)}, trusted)


def query(signer: LocalSigner, **changes: Any) -> TrustQuery:
    given: dict[str, Any] = {
        "list_id": "pub-eaa",
        "role": "issuance",
        "format": "dc+sd-jwt",
        "type_id": "urn:eudi:pda1:1",
        "attestation_type": "pda1",
        "chain": signer.chain[:1],
        "issuing_country": "SE",
        "issuer": ISSUER,
        "t_now": NOW,
    }
    return TrustQuery(**{**given, **changes})


def member(world: PretendFederation, name: str = NAME, **more: str) -> LocalSigner:
    world.issuer.metadata["federation_entity"]["organization_name"] = name
    return root().leaf(key=world.issuer.signer.private_key, subject={"C": "SE", "O": name, "CN": "Seal", **more})


def both(world: PretendFederation, known: TrustSnapshot) -> ListsFirst:
    return ListsFirst(ListSource(lambda: known), FederationSource(world.settings(), world.outbound()))


def test_an_issuer_the_lists_do_not_know_may_be_a_member(known: TrustSnapshot) -> None:
    world = PretendFederation()
    signer = member(world)
    assert ListSource(lambda: known).judge(query(signer)).outcome is Outcome.UNKNOWN_ISSUER
    said = both(world, known).judge(query(signer))
    assert said.outcome is Outcome.TRUSTED
    assert said.facts["list"]["id"] == "pub-eaa"
    assert said.facts["outcome"] == "TRUSTED"


def test_who_is_no_member_either_stays_unknown_and_is_told_both(known: TrustSnapshot) -> None:
    world = PretendFederation()
    signer = member(world)
    world.issuer.hints = []
    said = both(world, known).judge(query(signer))
    assert said.outcome is Outcome.UNKNOWN_ISSUER
    assert "federation_foreign_anchor" in said.axes["listed"].detail
    assert said.axes["listed"].code == "not_listed"
    assert said.facts["federation"]["code"] == "federation_foreign_anchor"


def test_a_silent_anchor_leaves_it_open(known: TrustSnapshot) -> None:
    world = PretendFederation()
    signer = member(world)
    world.internet.down.add("anchor.test")
    said = both(world, known).judge(query(signer))
    assert (said.outcome, said.facts["outcome"]) == (Outcome.INDETERMINATE, "INDETERMINATE")


def test_a_body_on_the_lists_is_not_asked_about_with_another_key(known: TrustSnapshot, swedish: Institution) -> None:
    world = PretendFederation()
    by_name = member(world, swedish.name)
    by_number = member(world, organizationIdentifier=swedish.registration_id)
    for signer in (by_name, by_number):
        assert both(world, known).judge(query(signer)).outcome is Outcome.UNKNOWN_ISSUER
    assert world.internet.seen == []


def test_what_the_lists_answer_is_not_widened(operator: ListOperator) -> None:
    """An EHIC issuer whose very key has a trust mark for PDA1; and the same while the list has run out."""
    world, authority = PretendFederation(), root("Test seal CA")
    ehic = institution(authority, NAME, "SE", "NTRSE-000000077", EHIC, key=world.issuer.signer.private_key)
    trusted = operator.root()
    accepted = accept("pub-eaa", operator.seal(operator.lote(ehic.draft(), sequence=6)), root=trusted, state=None, now=NOW)
    limited = snapshot({"pub-eaa": listing(accepted, checked_at=NOW)}, trusted)
    assert both(world, limited).judge(query(ehic.seal)).outcome is Outcome.OUT_OF_SCOPE
    assert both(world, limited).judge(query(member(world), t_now=NOW + timedelta(days=2))).outcome is Outcome.INDETERMINATE
    assert world.internet.seen == []


def test_questions_the_federation_is_not_configured_for_stay_with_the_lists(known: TrustSnapshot) -> None:
    world = PretendFederation()
    said = both(world, known).judge(query(member(world), attestation_type="ehic"))
    assert said.outcome is Outcome.UNKNOWN_ISSUER
    assert world.internet.seen == []


def test_a_member_without_the_mark_is_out_of_scope(known: TrustSnapshot) -> None:
    world = PretendFederation()
    world.issuer.about["trust_marks"] = [world.mark(trust_mark_type=f"{PREFIX}/fr")]
    assert both(world, known).judge(query(member(world))).outcome is Outcome.OUT_OF_SCOPE
