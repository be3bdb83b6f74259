"""The four questions (TRUST 3, 7.2, 8; SECURITY T-5 … T-7, T-10, T-11). The control of every refusal is `test_trusts`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.pki import NOW, Authority, root
from tests.support.trust import EHIC, PDA1, PID, Institution, ListOperator, institution, subject
from trust_list import drafts, model
from trust_list.accept import accept
from trust_list.answers import Result
from trust_list.authoring import EntityDraft, ServiceDraft
from trust_list.decide import Outcome, TrustDecision, TrustQuery, evaluate
from trust_list.profiles import profile
from trust_list.root import TrustRoot
from trust_list.snapshot import Event, Freshness, Listing, TrustSnapshot, listing, snapshot
from vc.keys.signer import LocalSigner
from vc.x509 import qc

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def known(operator: ListOperator, *lotes: model.LoTE, at: Any = NOW, checked_at: Any = None) -> TrustSnapshot:
    """The snapshot of a verifier that accepted these lists at `at`."""
    trust_root = operator.root()
    listings: dict[str, Listing] = {}
    for lote in lotes:
        list_id = next(name for name in ("pub-eaa", "pid", "wallet") if profile(name).list_type == lote.scheme.LoTEType)
        accepted = accept(list_id, operator.seal(lote), root=trust_root, state=None, now=at)
        listings[list_id] = listing(accepted, checked_at=checked_at or at)
    return snapshot(listings, trust_root)


def ask(signer: LocalSigner, **changes: Any) -> TrustQuery:
    """May this signer's SD-JWT PDA1 for France be believed, signed and judged now?"""
    members: dict[str, Any] = {
        "list_id": "pub-eaa",
        "role": "issuance",
        "format": "dc+sd-jwt",
        "type_id": "urn:eudi:pda1:1",
        "attestation_type": "pda1",
        "chain": signer.chain,
        "issuing_country": "FR",
        "institution_ids": ("FR:7500001",),
        "t_issue": NOW,
        "t_now": NOW,
    }
    return TrustQuery(**{**members, **changes})


EHIC_ASKED = {"attestation_type": "ehic", "type_id": "urn:eudi:ehic:1"}


def codes(decision: TrustDecision) -> Mapping[str, str]:
    """What was not answered yes; whether the seal is qualified is asked in `test_qualified.py`."""
    asked = {name: answer for name, answer in decision.axes.items() if name != "qualified"}
    return {name: answer.code for name, answer in asked.items() if answer.result is not Result.PASSED}


@pytest.fixture(scope="module")
def world(operator: ListOperator, urssaf: Institution, cnam: Institution, swedish: Institution) -> TrustSnapshot:
    return known(operator, operator.lote(urssaf.draft(), cnam.draft(), swedish.draft(), sequence=12))


# --- yes ---


def test_trusts(world: TrustSnapshot, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.seal), world)
    assert decision.outcome is Outcome.TRUSTED
    assert decision.trusted
    assert list(decision.axes) == ["path", "listed", "identity", "scope", "content", "qualified"]
    assert codes(decision) == {}
    assert decision.warnings == ()
    assert decision.reasons == ()
    assert (decision.entity_id, decision.entity_name, decision.entity_country) == ("NTRFR-000000010", "Urssaf-like (test)", "FR")
    facts = decision.list
    assert (facts.id, facts.sequence, facts.issued, facts.next_update) == ("pub-eaa", 12, NOW, NOW + 30 * DAY)
    assert (facts.state, facts.age_seconds, facts.operator) == (Freshness.FRESH, 0, "List Operator (test)")


def test_trusts_an_mdoc_of_the_document_signer(world: TrustSnapshot, urssaf: Institution) -> None:
    query = ask(urssaf.document_signer, format="mso_mdoc", type_id="eu.europa.ec.eudi.pda1.1")
    assert evaluate(query, world).outcome is Outcome.TRUSTED


def test_trusts_a_status_signer_of_the_same_entity(world: TrustSnapshot, urssaf: Institution) -> None:
    query = ask(urssaf.status, role="revocation", entity_id="NTRFR-000000010", attestation_type=None, format=None, type_id=None)
    decision = evaluate(query, world)
    assert decision.outcome is Outcome.TRUSTED
    assert codes(decision) == {"content": "not_applicable"}


def test_a_decision_is_the_same_each_time(world: TrustSnapshot, urssaf: Institution) -> None:
    assert evaluate(ask(urssaf.seal), world) == evaluate(ask(urssaf.seal), world)


# --- cannot be determined ---


@pytest.mark.parametrize(
    ("clock", "state", "code"),
    [
        (timedelta(hours=1), Freshness.FRESH, None),
        (timedelta(hours=1, seconds=1), Freshness.AGEING, None),
        (timedelta(hours=24), Freshness.AGEING, None),
        (timedelta(hours=24, seconds=1), Freshness.EXPIRED, "list_expired"),
    ],
)
def test_freshness_runs_out(
    world: TrustSnapshot, urssaf: Institution, clock: timedelta, state: Freshness, code: str | None
) -> None:
    decision = evaluate(ask(urssaf.seal, t_now=NOW + clock), world)
    assert decision.list.state is state
    assert decision.list.age_seconds == int(clock.total_seconds())
    assert decision.outcome is (Outcome.TRUSTED if code is None else Outcome.INDETERMINATE)
    if code is not None:
        assert set(codes(decision).values()) == {code}
        assert [reason.code for reason in decision.reasons] == [code]


def test_next_update_ends_a_list_that_is_still_confirmed(operator: ListOperator, urssaf: Institution) -> None:
    end = NOW + 30 * DAY
    world = known(operator, operator.lote(urssaf.draft()), checked_at=end - SECOND)
    assert evaluate(ask(urssaf.seal, t_now=end - SECOND), world).outcome is Outcome.TRUSTED
    assert evaluate(ask(urssaf.seal, t_now=end), world).outcome is Outcome.INDETERMINATE


def test_never_accepted(operator: ListOperator, urssaf: Institution) -> None:
    never = Listing(list_id="pub-eaa", accepted=None, anchors=None, checked_at=None)
    decision = evaluate(ask(urssaf.seal), snapshot({"pub-eaa": never}, operator.root()))
    assert (decision.outcome, decision.list.state) == (Outcome.INDETERMINATE, Freshness.NEVER)
    assert codes(decision)["listed"] == "list_never_accepted"


def test_a_list_the_root_does_not_know(world: TrustSnapshot, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.seal, list_id="pid"), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.INDETERMINATE, "list_unknown")


def test_an_expired_root(operator: ListOperator, urssaf: Institution) -> None:
    trust_root = replace(operator.root(), expires=NOW)
    accepted = accept("pub-eaa", operator.seal(operator.lote(urssaf.draft())), root=trust_root, state=None, now=NOW)
    world = snapshot({"pub-eaa": listing(accepted, checked_at=NOW)}, trust_root)
    assert evaluate(ask(urssaf.seal), world).outcome is Outcome.TRUSTED
    decision = evaluate(ask(urssaf.seal, t_now=NOW + SECOND), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.INDETERMINATE, "root_expired")


@pytest.mark.parametrize(("back", "outcome"), [(60, Outcome.TRUSTED), (61, Outcome.INDETERMINATE)])
def test_a_clock_set_back_is_noticed(world: TrustSnapshot, urssaf: Institution, back: int, outcome: Outcome) -> None:
    """T-10: our clock, not the time that is judged."""
    decision = evaluate(ask(urssaf.seal, t_clock=NOW - timedelta(seconds=back)), world)
    assert decision.outcome is outcome
    if outcome is Outcome.INDETERMINATE:
        assert codes(decision)["listed"] == "clock_set_back"


def test_the_floor_is_the_latest_thing_we_know(operator: ListOperator, urssaf: Institution) -> None:
    world = known(operator, operator.lote(urssaf.draft()), at=NOW + DAY)
    assert world.clock_floor == NOW + DAY
    empty = snapshot({}, operator.root())
    assert empty.clock_floor is None


def test_outage_and_alarm_are_shown_and_change_nothing(world: TrustSnapshot, urssaf: Institution) -> None:
    event = Event(code="sequence_rollback", text="t", first=NOW, last=NOW, count=1)
    troubled = replace(world.lists["pub-eaa"], alarm=event, outage=replace(event, code="timeout"))
    decision = evaluate(ask(urssaf.seal), replace(world, lists={"pub-eaa": troubled}))
    assert decision.outcome is Outcome.TRUSTED
    assert (decision.list.alarm, decision.list.outage) == ("sequence_rollback", "timeout")


# --- listed ---


def test_nobody_is_on_an_empty_list(operator: ListOperator, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.seal), known(operator, operator.lote()))
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "not_listed")
    assert decision.entity_id is None


def test_an_empty_chain(world: TrustSnapshot) -> None:
    decision = evaluate(replace(ask(LocalSigner(root().key)), chain=()), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "chain_missing")


def test_a_sibling_of_a_listed_leaf_is_not_listed(world: TrustSnapshot, urssaf: Institution, authority: Authority) -> None:
    """The CA of a listed certificate is no anchor, even when the chain brings it along."""
    sibling = authority.leaf(subject=subject(urssaf.name, "FR", urssaf.registration_id))
    for chain in (sibling.chain, (*sibling.chain, authority.certificate)):
        decision = evaluate(ask(sibling, chain=chain), world)
        assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "not_listed")
    assert "called like" in decision.axes["listed"].detail


def test_a_listed_leaf_never_acts_as_issuer(operator: ListOperator, urssaf: Institution) -> None:
    """A leaf signed with the key of a listed certificate that is no CA."""
    pretender = Authority(urssaf.seal.chain[0], urssaf.seal.private_key)
    leaf = pretender.leaf(subject=subject(urssaf.name, "FR", urssaf.registration_id))
    world = known(operator, operator.lote(urssaf.draft()))
    decision = evaluate(ask(leaf, chain=(*leaf.chain, urssaf.seal.chain[0])), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "not_listed")


@pytest.mark.parametrize("asked", ["issuance", "revocation"])
def test_roles_share_no_anchors(world: TrustSnapshot, urssaf: Institution, asked: str) -> None:
    signer = urssaf.status if asked == "issuance" else urssaf.seal
    decision = evaluate(ask(signer, role=asked, entity_id=urssaf.registration_id), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "listed_for_other_role")


def test_another_list_does_not_count_and_is_named(operator: ListOperator, urssaf: Institution, authority: Authority) -> None:
    signer = authority.leaf(subject=subject("Wallet maker (test)", "FR", "NTRFR-000000070"))
    service = ServiceDraft(role="issuance", certificates=signer.chain, unique_identifier="urn:example:wallet:1")
    maker = EntityDraft(name="Wallet maker (test)", country="FR", registration_id="NTRFR-000000070", services=(service,))
    world = known(operator, operator.lote(urssaf.draft()), operator.lote(maker, list_id="wallet", sequence=3))
    decision = evaluate(ask(signer), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "listed_elsewhere")
    assert decision.axes["listed"].detail == (
        "this certificate is on list wallet edition 3 as wallet provider, Wallet maker (test), "
        "not on list pub-eaa edition 1 as Pub-EAA provider"
    )
    own = evaluate(ask(signer, list_id="wallet", format=None, type_id=None, attestation_type=None), world)
    assert own.outcome is Outcome.TRUSTED
    assert codes(own) == {"content": "not_applicable"}


def _withdrawn(operator: ListOperator, who: Institution, at: Any, *others: Institution) -> model.LoTE:
    first = operator.lote(who.draft(), *(other.draft() for other in others))
    gone = drafts.withdraw(first, profile("pub-eaa"), who.registration_id, reason="merged", now=at)
    return drafts.next_edition(gone, first, sequence=2, now=at, next_update=at + 30 * DAY)


def test_withdrawn_shows_both_instants(operator: ListOperator, urssaf: Institution) -> None:
    """T-5: signed while notified, judged after the withdrawal: strict mode says no, and says both."""
    later = NOW + 5 * DAY
    world = known(operator, _withdrawn(operator, urssaf, later), at=later)
    decision = evaluate(ask(urssaf.seal, t_issue=NOW + DAY, t_now=later), world)
    assert decision.outcome is Outcome.WITHDRAWN
    assert codes(decision) == {"listed": "withdrawn"}
    detail = decision.axes["listed"].detail
    assert "withdrawn since 2026-11-29T12:00:00Z (merged)" in detail
    assert "was notified when the document was signed, 2026-11-25T12:00:00Z" in detail
    signed_after = evaluate(ask(urssaf.seal, t_issue=later, t_now=later), world)
    assert "was not notified when the document was signed" in signed_after.axes["listed"].detail


def test_history_answers_for_a_day_before_the_withdrawal(operator: ListOperator, urssaf: Institution) -> None:
    later = NOW + 5 * DAY
    world = known(operator, _withdrawn(operator, urssaf, later), at=later)
    assert evaluate(ask(urssaf.seal, t_issue=NOW, t_now=later - SECOND, t_clock=later), world).outcome is Outcome.TRUSTED
    assert evaluate(ask(urssaf.seal, t_issue=NOW, t_now=later, t_clock=later), world).outcome is Outcome.WITHDRAWN


def test_history_of_another_key_is_not_read(operator: ListOperator, urssaf: Institution) -> None:
    later = NOW + 5 * DAY
    lote = _withdrawn(operator, urssaf, later)
    entity = lote.entities[0]
    first = entity.TrustedEntityServices[0]
    assert first.ServiceHistory is not None
    forged = first.ServiceHistory[0].model_copy(update={"ServiceDigitalIdentity": model.DigitalIdentity(X509SKIs=["AAAA"])})
    services = [first.model_copy(update={"ServiceHistory": [forged]}), *entity.TrustedEntityServices[1:]]
    changed = lote.model_copy(update={"TrustedEntitiesList": [entity.model_copy(update={"TrustedEntityServices": services})]})
    world = known(operator, changed, at=later)
    decision = evaluate(ask(urssaf.seal, t_now=later - SECOND, t_clock=later), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.NOT_YET_NOTIFIED, "not_yet_notified")


def test_withdrawal_of_one_entity_leaves_the_others(operator: ListOperator, urssaf: Institution, swedish: Institution) -> None:
    later = NOW + DAY
    world = known(operator, _withdrawn(operator, urssaf, later, swedish), at=later)
    query = ask(swedish.seal, issuing_country="SE", institution_ids=(), t_now=later)
    assert evaluate(query, world).outcome is Outcome.TRUSTED


@pytest.mark.parametrize(("early", "outcome"), [(60, Outcome.TRUSTED), (61, Outcome.NOT_YET_NOTIFIED)])
def test_signed_before_it_was_notified(world: TrustSnapshot, urssaf: Institution, early: int, outcome: Outcome) -> None:
    decision = evaluate(ask(urssaf.seal, t_issue=NOW - timedelta(seconds=early)), world)
    assert decision.outcome is outcome
    if outcome is not Outcome.TRUSTED:
        assert codes(decision)["listed"] == "not_notified_at_issue"


def test_an_issuer_that_rounds_gets_the_tolerance_asked_for(world: TrustSnapshot, urssaf: Institution) -> None:
    rounded = ask(urssaf.seal, t_issue=NOW.replace(hour=0), issue_tolerance=DAY)
    assert evaluate(rounded, world).outcome is Outcome.TRUSTED


def test_judged_before_it_was_notified(world: TrustSnapshot, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.seal, t_issue=None, t_now=NOW - DAY, t_clock=NOW), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.NOT_YET_NOTIFIED, "not_yet_notified")
    assert "not notified before 2026-11-24T12:00:00Z" in decision.axes["listed"].detail


# --- rotation ---


def test_rotation_overlap(operator: ListOperator, urssaf: Institution, authority: Authority) -> None:
    """Second key as second service: both count; then the first is withdrawn and only the second does (TRUST 7.2 rule 10)."""
    rules = profile("pub-eaa")
    fresh = authority.leaf(subject=subject(urssaf.name, "FR", urssaf.registration_id))
    added = ServiceDraft(role="issuance", certificates=fresh.chain, authorisations=(PDA1,))
    first = operator.lote(urssaf.draft())
    both = drafts.next_edition(
        drafts.add_service(first, rules, urssaf.registration_id, added, now=NOW + DAY),
        first, sequence=2, now=NOW + DAY, next_update=NOW + 30 * DAY,
    )  # fmt: skip
    world, now = known(operator, both, at=NOW + DAY), NOW + DAY
    assert evaluate(ask(urssaf.seal, t_now=now), world).outcome is Outcome.TRUSTED
    assert evaluate(ask(fresh, t_issue=now, t_now=now), world).outcome is Outcome.TRUSTED
    assert evaluate(ask(fresh, t_issue=NOW, t_now=now), world).outcome is Outcome.NOT_YET_NOTIFIED
    old_key = both.entities[0].TrustedEntityServices[0].ServiceInformation.ServiceDigitalIdentity.skis[0]
    without = drafts.withdraw(both, rules, urssaf.registration_id, reason="rotation", now=NOW + 2 * DAY, key=old_key)
    one = drafts.next_edition(without, both, sequence=3, now=NOW + 2 * DAY, next_update=NOW + 30 * DAY)
    world, now = known(operator, one, at=NOW + 2 * DAY), NOW + 2 * DAY
    assert evaluate(ask(urssaf.seal, t_now=now), world).outcome is Outcome.WITHDRAWN
    assert evaluate(ask(fresh, t_issue=now, t_now=now), world).outcome is Outcome.TRUSTED


def test_a_renewed_certificate_of_a_listed_key(world: TrustSnapshot, urssaf: Institution, authority: Authority) -> None:
    renewed = authority.leaf(key=urssaf.seal.private_key, subject=subject(urssaf.name, "FR", urssaf.registration_id))
    assert evaluate(ask(renewed), world).outcome is Outcome.TRUSTED


def test_a_listed_key_under_another_body(world: TrustSnapshot, urssaf: Institution, authority: Authority) -> None:
    taken = authority.leaf(key=urssaf.seal.private_key, subject=subject(urssaf.name, "FR", "NTRFR-999999999"))
    decision = evaluate(ask(taken), world)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "key_of_other_body")


def test_a_renewed_certificate_after_the_listed_one_ended(operator: ListOperator, authority: Authority) -> None:
    short = institution(authority, "Short (test)", "FR", "NTRFR-000000040", PDA1, not_after=NOW + DAY)
    renewed = authority.leaf(key=short.seal.private_key, subject=subject(short.name, "FR", short.registration_id))
    world, now = known(operator, operator.lote(short.draft())), NOW + 2 * DAY
    at_two = replace(world, lists={"pub-eaa": replace(world.lists["pub-eaa"], checked_at=now)})
    decision = evaluate(ask(renewed, t_issue=now, t_now=now), at_two)
    assert codes(decision)["path"] == "listed_certificate_expired"
    assert decision.outcome is Outcome.UNKNOWN_ISSUER


# --- path ---


def test_a_certificate_is_judged_at_the_time_of_signing(operator: ListOperator, authority: Authority) -> None:
    """Shell model (TRUST 7.2 rule 7): a document outlives the certificate it was sealed with, a later signature does not."""
    short = institution(authority, "Short (test)", "FR", "NTRFR-000000040", PDA1, not_after=NOW + DAY)
    world, now = known(operator, operator.lote(short.draft())), NOW + 2 * DAY
    at_two = replace(world, lists={"pub-eaa": replace(world.lists["pub-eaa"], checked_at=now)})
    assert evaluate(ask(short.seal, t_issue=NOW, t_now=now), at_two).outcome is Outcome.TRUSTED
    decision = evaluate(ask(short.seal, t_issue=now, t_now=now), at_two)
    assert (decision.outcome, codes(decision)) == (Outcome.UNKNOWN_ISSUER, {"path": "cert_expired"})


def test_a_seal_certificate_may_not_sign_an_mdoc(world: TrustSnapshot, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.seal, format="mso_mdoc", type_id="eu.europa.ec.eudi.pda1.1"), world)
    assert (decision.outcome, codes(decision)) == (Outcome.UNKNOWN_ISSUER, {"path": "cert_extended_key_usage"})


def test_a_format_without_rules(world: TrustSnapshot, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.seal, format="jwt_vc_json"), world)
    assert (decision.outcome, codes(decision)["path"]) == (Outcome.UNKNOWN_ISSUER, "format_unknown")


def test_an_entity_with_its_own_ca(operator: ListOperator) -> None:
    """PKIX to a listed CA of the entity; a CA of that name that is not listed leads nowhere."""
    name, number = "Own CA (test)", "NTRFR-000000050"
    who = subject(name, "FR", number)
    authority = root(subject={**who, "CN": "CA"})
    stranger = root(subject={**who, "CN": "CA"})
    service = ServiceDraft(role="issuance", certificates=(authority.certificate,), authorisations=(PDA1,))
    draft = EntityDraft(name=name, country="FR", registration_id=number, law="OJ:FR-TEST-1", services=(service,))
    world = known(operator, operator.lote(draft))
    assert evaluate(ask(authority.leaf(subject=who)), world).outcome is Outcome.TRUSTED
    deep = authority.authority("Intermediate").leaf(subject=who)
    assert "leads over 2 step(s) to a listed CA" in evaluate(ask(deep), world).axes["path"].detail
    assert evaluate(ask(deep, chain=deep.chain[:1]), world).outcome is Outcome.UNKNOWN_ISSUER
    decision = evaluate(ask(stranger.leaf(subject=who)), world)
    assert (decision.outcome, codes(decision)["path"]) == (Outcome.UNKNOWN_ISSUER, "path_unknown_issuer")
    itself = evaluate(ask(LocalSigner(authority.key, (authority.certificate,))), world)
    assert (itself.outcome, codes(itself)["path"]) == (Outcome.UNKNOWN_ISSUER, "cert_is_ca")


def test_a_ca_listed_by_mistake_does_not_bless_a_sibling(operator: ListOperator) -> None:
    """The CA bears the entity's name, so the list is in order; what it signed for others still fails the second question."""
    name, number = "Own CA (test)", "NTRFR-000000050"
    authority = root(subject={**subject(name, "FR", number), "CN": "CA"})
    service = ServiceDraft(role="issuance", certificates=(authority.certificate,), authorisations=(PDA1,))
    draft = EntityDraft(name=name, country="FR", registration_id=number, law="OJ:FR-TEST-1", services=(service,))
    sibling = authority.leaf(subject=subject("Somebody else (test)", "FR", "NTRFR-000000060"))
    decision = evaluate(ask(sibling), known(operator, operator.lote(draft)))
    assert (decision.outcome, codes(decision)) == (Outcome.UNKNOWN_ISSUER, {"identity": "name_mismatch"})


# --- identity ---


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({"C": "FR", "O": "X (test)", "organizationIdentifier": "NTRFR-2", "CN": "X"}, "organization_identifier_mismatch"),
        ({"C": "FR", "O": "X (test)", "CN": "X"}, "organization_identifier_mismatch"),
        ({"C": "DE", "O": "X (test)", "organizationIdentifier": "NTRFR-1", "CN": "X"}, "country_mismatch"),
        ({"O": "X (test)", "organizationIdentifier": "NTRFR-1", "CN": "X"}, "country_mismatch"),
    ],
)
def test_the_certificate_speaks_for_the_entity(
    operator: ListOperator, authority: Authority, who: dict[str, str], code: str
) -> None:
    """Same O with another organizationIdentifier is another body."""
    x = institution(authority, "X (test)", "FR", "NTRFR-1", PDA1, subject=who)
    decision = evaluate(ask(x.seal), known(operator, operator.lote(x.draft())))
    assert (decision.outcome, codes(decision)) == (Outcome.UNKNOWN_ISSUER, {"identity": code})


@pytest.mark.parametrize(
    ("listed", "certified", "stated"), [("EL", "GR", "GR"), ("GR", "EL", "EL"), ("UK", "GB", "GB"), ("GB", "UK", "UK")]
)
def test_greece_and_the_united_kingdom_have_two_codes(
    operator: ListOperator, authority: Authority, listed: str, certified: str, stated: str
) -> None:
    who = subject("Two codes (test)", certified, "NTREL-1")
    x = replace(institution(authority, "Two codes (test)", listed, "NTREL-1", PDA1, subject=who), country=listed)
    query = ask(x.seal, issuing_country=stated, institution_ids=(f"{certified}:1234",))
    assert evaluate(query, known(operator, operator.lote(x.draft()))).outcome is Outcome.TRUSTED


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (qc.extension(qc.QcPsb(country="EU", authentic_source="a", legislation="l")), None),
        (qc.extension(None, qualified=True), None),
        (qc.extension(qc.QcPsb(country="DE", authentic_source="a", legislation="l")), "legislation_country_mismatch"),
        (qc.extension(qc.QcPsb(country="fr", authentic_source="a", legislation="l")), "qc_statements"),
    ],
    ids=["eu", "no-psb", "other-country", "unreadable"],
)
def test_the_legislation_named_in_the_certificate(
    operator: ListOperator, authority: Authority, statement: Any, code: str | None
) -> None:
    base = institution(authority, "Q (test)", "FR", "NTRFR-1", PDA1)
    seal = authority.leaf(subject=subject("Q (test)", "FR", "NTRFR-1"), more=((statement, False),))
    x = replace(base, seal=seal)
    decision = evaluate(ask(x.seal), known(operator, operator.lote(x.draft())))
    assert codes(decision) == ({} if code is None else {"identity": code})


def test_a_status_signer_of_another_entity(world: TrustSnapshot, cnam: Institution) -> None:
    decision = evaluate(ask(cnam.status, role="revocation", entity_id="NTRFR-000000010"), world)
    assert (decision.outcome, codes(decision)["identity"]) == (Outcome.UNKNOWN_ISSUER, "other_entity")


# --- scope ---


def test_issuer_of_one_type_sealing_another(world: TrustSnapshot, cnam: Institution) -> None:
    decision = evaluate(ask(cnam.seal), world)
    assert (decision.outcome, codes(decision)) == (Outcome.OUT_OF_SCOPE, {"scope": "type_not_authorised"})
    text = "this certificate is on list pub-eaa edition 12 as EHIC issuer for FR, not for PDA1"
    assert decision.reasons[0].text == text
    assert decision.reasons[0].next
    assert decision.entity_name == "CNAM-like (test)"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type_id": "urn:eudi:pda1:2"}, "type_not_authorised"),
        ({"type_id": "urn:eudi:ehic:1"}, "type_not_authorised"),  # says PDA1, is EHIC by type identifier
        ({"type_id": None}, "type_not_authorised"),
        ({"attestation_type": None, "type_id": "urn:eudi:ehic:1"}, "type_not_authorised"),
        ({"issuing_country": "DE", "institution_ids": ()}, "country_not_authorised"),
    ],
)
def test_scope_is_type_identifier_format_and_country(
    world: TrustSnapshot, urssaf: Institution, changes: dict[str, Any], code: str
) -> None:
    decision = evaluate(ask(urssaf.seal, **changes), world)
    assert (decision.outcome, codes(decision)["scope"]) == (Outcome.OUT_OF_SCOPE, code)


def test_a_foreign_type_identifier_is_told_from_a_foreign_type(world: TrustSnapshot, urssaf: Institution) -> None:
    detail = evaluate(ask(urssaf.seal, type_id="urn:eudi:pda1:2"), world).axes["scope"].detail
    assert detail.endswith("as PDA1 issuer for FR, but not for this type identifier and format")


def test_scope_without_a_type_asked_goes_by_type_identifier(world: TrustSnapshot, urssaf: Institution) -> None:
    assert evaluate(ask(urssaf.seal, attestation_type=None), world).outcome is Outcome.TRUSTED


def _with_scope(operator: ListOperator, who: Institution, *types: Any) -> TrustSnapshot:
    service = ServiceDraft(role="issuance", certificates=who.seal.chain[:1], authorisations=types)
    return known(operator, operator.lote(who.draft(services=(service,))))


def test_silence_denies(operator: ListOperator, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.seal), _with_scope(operator, urssaf))
    assert (decision.outcome, codes(decision)) == (Outcome.OUT_OF_SCOPE, {"scope": "scope_unstated"})


def test_a_scope_ends(operator: ListOperator, urssaf: Institution) -> None:
    world = _with_scope(operator, urssaf, replace(PDA1, valid_until=NOW + SECOND))
    assert evaluate(ask(urssaf.seal, t_issue=NOW + SECOND, t_now=NOW + DAY), world).outcome is Outcome.TRUSTED
    decision = evaluate(ask(urssaf.seal, t_issue=NOW + 2 * SECOND, t_now=NOW + DAY), world)
    assert (decision.outcome, codes(decision)) == (Outcome.OUT_OF_SCOPE, {"scope": "scope_period"})


def test_an_unreadable_scope_denies(operator: ListOperator, urssaf: Institution) -> None:
    lote = operator.lote(urssaf.draft())
    entity = lote.entities[0]
    first = entity.TrustedEntityServices[0]
    broken = first.ServiceInformation.model_copy(
        update={"ServiceInformationExtensions": [{"Critical": False, "AuthorisedAttestations": {"profile": 1}}]}
    )
    services = [first.model_copy(update={"ServiceInformation": broken})]
    changed = lote.model_copy(update={"TrustedEntitiesList": [entity.model_copy(update={"TrustedEntityServices": services})]})
    decision = evaluate(ask(urssaf.seal), known(operator, changed))
    assert (decision.outcome, codes(decision)) == (Outcome.OUT_OF_SCOPE, {"scope": "scope_unreadable"})


def test_one_certificate_in_two_entries_is_decided_entry_by_entry(operator: ListOperator, swedish: Institution) -> None:
    """T-7: one key, a PDA1 service and an EHIC service; the latter is withdrawn."""
    rules, certificates = profile("pub-eaa"), swedish.seal.chain[:1]
    services = tuple(ServiceDraft(role="issuance", certificates=certificates, authorisations=(item,)) for item in (EHIC, PDA1))
    first = operator.lote(swedish.draft(services=services))
    entity = first.entities[0]
    gone = drafts.withdraw(first, rules, swedish.registration_id, reason="test", now=NOW + DAY)
    kept = [gone.entities[0].TrustedEntityServices[0], entity.TrustedEntityServices[1]]
    mixed = gone.model_copy(update={"TrustedEntitiesList": [entity.model_copy(update={"TrustedEntityServices": kept})]})
    world = known(operator, mixed, at=NOW + DAY)
    now = {"t_now": NOW + DAY, "issuing_country": "SE", "institution_ids": ()}
    assert evaluate(ask(swedish.seal, **now), world).outcome is Outcome.TRUSTED
    assert evaluate(ask(swedish.seal, **now, **EHIC_ASKED), world).outcome is Outcome.WITHDRAWN


def test_a_status_list_of_nobody_in_particular(world: TrustSnapshot, urssaf: Institution) -> None:
    decision = evaluate(ask(urssaf.status, role="revocation"), world)
    assert (decision.outcome, codes(decision)["scope"]) == (Outcome.OUT_OF_SCOPE, "entity_missing")


# --- content ---


@pytest.mark.parametrize(
    ("changes", "outcome", "code"),
    [
        ({"institution_ids": ()}, Outcome.TRUSTED, None),
        ({"issuing_country": None}, Outcome.TRUSTED, None),
        ({"institution_ids": ("EU:1", "12345", "FR:1")}, Outcome.TRUSTED, None),
        ({"institution_ids": ("FR:1", "DE:1")}, Outcome.OUT_OF_SCOPE, "institution_mismatch"),
        ({"issuing_country": None, "institution_ids": ()}, Outcome.INDETERMINATE, "content_not_stated"),
        ({"issuing_country": None, "institution_ids": ("EU:1", "12345")}, Outcome.INDETERMINATE, "content_not_stated"),
    ],
)
def test_the_document_agrees_with_the_list(
    world: TrustSnapshot, urssaf: Institution, changes: dict[str, Any], outcome: Outcome, code: str | None
) -> None:
    decision = evaluate(ask(urssaf.seal, **changes), world)
    assert decision.outcome is outcome
    assert codes(decision) == ({} if code is None else {"content": code})
    assert [reason.code for reason in decision.reasons] == ([] if code is None else [code])


def test_issuer_of_one_country_sealing_for_another(world: TrustSnapshot, swedish: Institution) -> None:
    decision = evaluate(ask(swedish.seal), world)
    assert decision.outcome is Outcome.OUT_OF_SCOPE
    assert codes(decision) == {"scope": "country_not_authorised", "content": "issuing_country_mismatch"}


# --- PID list ---


@pytest.mark.parametrize("types", [(PID,), ()], ids=["stated", "by-list"])
def test_a_pid_provider(operator: ListOperator, authority: Authority, types: Any) -> None:
    signer = authority.leaf(subject=subject("PID provider (test)", "FR", "NTRFR-000000090"))
    service = ServiceDraft(role="issuance", certificates=signer.chain, authorisations=types)
    draft = EntityDraft(name="PID provider (test)", country="FR", registration_id="NTRFR-000000090", services=(service,))
    world = known(operator, operator.lote(draft, list_id="pid"))
    asked = {"list_id": "pid", "attestation_type": "pid", "type_id": "urn:eudi:pid:1"}
    assert evaluate(ask(signer, **asked), world).outcome is Outcome.TRUSTED
    silent = evaluate(ask(signer, **asked, issuing_country=None, institution_ids=()), world)
    assert silent.outcome is Outcome.TRUSTED
    assert codes(silent) == {"content": "not_applicable"}
    other = evaluate(ask(signer, **{**asked, "attestation_type": "pda1", "type_id": "urn:eudi:pda1:1"}), world)
    assert other.outcome is Outcome.OUT_OF_SCOPE
    assert evaluate(ask(signer, **{**asked, "issuing_country": "DE"}), world).outcome is Outcome.OUT_OF_SCOPE


def test_root_is_read_back_as_written(operator: ListOperator) -> None:
    assert TrustRoot.load(operator.root().render()) == operator.root()
