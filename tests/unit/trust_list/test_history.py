"""Historical mode (TRUST 7.2 rule 6): what stands of the documents of an issuer that is not notified any more, and why.

The control of every refusal is `test_stands_after_an_orderly_withdrawal`.
"""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.support.pki import NOW, Authority, new_key
from tests.support.trust import Institution, ListOperator, subject
from tests.unit.trust_list.test_decide import EHIC_ASKED, ask, codes, known
from trust_list import drafts, model
from trust_list.decide import Outcome, TrustDecision, evaluate
from trust_list.model import WITHDRAWAL_REASON
from trust_list.profiles import profile
from trust_list.snapshot import TrustSnapshot
from trust_list.withdrawal import Withdrawal, classify, worst
from vc.keys.signer import LocalSigner
from vc.x509.certificate import ski

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
GONE = NOW + 5 * DAY
RULES = profile("pub-eaa")


def edited(lote: model.LoTE, change: Any) -> model.LoTE:
    """`lote` with its first service changed: `change` takes and returns `EntityService`."""
    entity = lote.entities[0]
    services = [change(entity.TrustedEntityServices[0]), *entity.TrustedEntityServices[1:]]
    return lote.model_copy(update={"TrustedEntitiesList": [entity.model_copy(update={"TrustedEntityServices": services})]})


def withdrawn(operator: ListOperator, who: Institution, reason: str | None) -> TrustSnapshot:
    first = operator.lote(who.draft())
    gone = drafts.withdraw(first, RULES, who.registration_id, reason=reason or "x", now=GONE)
    if reason is None:
        gone = edited(gone, _without_reason)
    lote = drafts.next_edition(gone, first, sequence=2, now=GONE, next_update=GONE + 30 * DAY)
    return known(operator, lote, at=GONE)


def _without_reason(service: model.EntityService) -> model.EntityService:
    information = service.ServiceInformation
    kept = [item for item in information.ServiceInformationExtensions or () if WITHDRAWAL_REASON not in item]
    return service.model_copy(
        update={"ServiceInformation": information.model_copy(update={"ServiceInformationExtensions": kept or None})}
    )


def judge(world: TrustSnapshot, who: Institution, **changes: Any) -> TrustDecision:
    members = {"t_issue": NOW + DAY, "t_now": GONE + DAY, "t_clock": GONE, "mode": "historical", **changes}
    return evaluate(ask(who.seal, **members), world)


def test_stands_after_an_orderly_withdrawal(operator: ListOperator, urssaf: Institution) -> None:
    decision = judge(withdrawn(operator, urssaf, "merged"), urssaf)
    assert decision.outcome is Outcome.TRUSTED_AT_ISSUANCE
    assert not decision.trusted
    assert (decision.axes["listed"].code, decision.reasons) == ("notified_at_issue", ())
    assert decision.withdrawn_at == GONE
    assert [warning.code for warning in decision.warnings] == ["withdrawn_since"]
    assert "2026-11-29T12:00:00Z" in decision.warnings[0].text


def test_strict_mode_never_looks_back(operator: ListOperator, urssaf: Institution) -> None:
    decision = judge(withdrawn(operator, urssaf, "merged"), urssaf, mode="strict")
    assert (decision.outcome, codes(decision)) == (Outcome.WITHDRAWN, {"listed": "withdrawn"})


def test_an_issuer_that_still_counts_is_simply_trusted(operator: ListOperator, urssaf: Institution) -> None:
    world = known(operator, operator.lote(urssaf.draft()))
    assert evaluate(ask(urssaf.seal, mode="historical"), world).outcome is Outcome.TRUSTED


@pytest.mark.parametrize("reason", ["keyCompromise", "Key compromise", "stolen", "suspected LEAK of the key"])
def test_a_compromise_fails_regardless(operator: ListOperator, urssaf: Institution, reason: str) -> None:
    """A thief can date back: the date of the document does not count."""
    decision = judge(withdrawn(operator, urssaf, reason), urssaf)
    assert (decision.outcome, codes(decision)) == (Outcome.WITHDRAWN, {"listed": "withdrawn_compromised"})
    assert "in other hands" in decision.reasons[0].next


@pytest.mark.parametrize("reason", [None, "see our letter", "merged, we think", "unspecified"])
def test_an_unstated_reason_is_for_the_institution_with_pda1(
    operator: ListOperator, urssaf: Institution, reason: str | None
) -> None:
    decision = judge(withdrawn(operator, urssaf, reason), urssaf)
    assert (decision.outcome, codes(decision)) == (Outcome.INDETERMINATE, {"listed": "withdrawal_reason_unknown"})
    assert [r.code for r in decision.reasons] == ["withdrawal_reason_unknown"]
    assert decision.reasons[0].next.startswith("Ask the institution to confirm")


def test_an_unstated_reason_is_a_compromise_with_ehic(operator: ListOperator, cnam: Institution) -> None:
    decision = judge(withdrawn(operator, cnam, None), cnam, **EHIC_ASKED)
    assert (decision.outcome, codes(decision)) == (Outcome.WITHDRAWN, {"listed": "withdrawn_compromised"})
    orderly = judge(withdrawn(operator, cnam, "cessationOfOperation"), cnam, **EHIC_ASKED)
    assert orderly.outcome is Outcome.TRUSTED_AT_ISSUANCE


@pytest.mark.parametrize(
    ("issued", "outcome", "code"),
    [
        (NOW - timedelta(seconds=61), Outcome.WITHDRAWN, "withdrawn"),
        (NOW - timedelta(seconds=60), Outcome.TRUSTED_AT_ISSUANCE, None),
        (GONE - SECOND, Outcome.TRUSTED_AT_ISSUANCE, None),
        (GONE, Outcome.WITHDRAWN, "withdrawn"),
        (None, Outcome.WITHDRAWN, "withdrawn"),
    ],
)
def test_the_time_of_signing_lies_in_the_notified_interval(
    operator: ListOperator, urssaf: Institution, issued: Any, outcome: Outcome, code: str | None
) -> None:
    decision = judge(withdrawn(operator, urssaf, "merged"), urssaf, t_issue=issued)
    assert decision.outcome is outcome
    if code:
        assert codes(decision)["listed"] == code


def test_the_other_questions_are_asked_all_the_same(operator: ListOperator, urssaf: Institution) -> None:
    world = withdrawn(operator, urssaf, None)
    assert judge(world, urssaf, **EHIC_ASKED).outcome is Outcome.WITHDRAWN
    world = withdrawn(operator, urssaf, "merged")
    assert judge(world, urssaf, **EHIC_ASKED).outcome is Outcome.OUT_OF_SCOPE
    assert judge(world, urssaf, issuing_country="SE", institution_ids=()).outcome is Outcome.OUT_OF_SCOPE
    silent = judge(world, urssaf, issuing_country=None, institution_ids=())
    assert silent.outcome is Outcome.INDETERMINATE


def test_a_status_signer_counts_now_or_not_at_all(operator: ListOperator, urssaf: Institution) -> None:
    """What a withdrawn service said about status once says nothing about today."""
    world = withdrawn(operator, urssaf, "merged")
    query = ask(
        urssaf.status, role="revocation", entity_id=urssaf.registration_id, t_issue=NOW + DAY, t_now=GONE, mode="historical"
    )
    assert evaluate(query, world).outcome is Outcome.WITHDRAWN


def test_a_compromise_between_two_orderly_withdrawals_counts(operator: ListOperator, urssaf: Institution) -> None:
    """Withdrawn for compromise, notified again by mistake, withdrawn for good: the worst reason since the signing decides."""

    def twice(service: model.EntityService) -> model.EntityService:
        now = service.ServiceInformation
        past = model.PastService(
            ServiceName=now.ServiceName,
            ServiceDigitalIdentity=model.DigitalIdentity(X509SKIs=[_text(ski(urssaf.seal.chain[0]))]),
            ServiceStatus=RULES.withdrawn,
            StatusStartingTime=NOW + 2 * DAY,
            ServiceInformationExtensions=[{"Critical": False, WITHDRAWAL_REASON: "keyCompromise"}],
        )
        again = past.model_copy(
            update={"ServiceStatus": RULES.notified, "StatusStartingTime": NOW + 3 * DAY, "ServiceInformationExtensions": None}
        )
        return service.model_copy(update={"ServiceHistory": [again, past, *(service.ServiceHistory or ())]})

    first = operator.lote(urssaf.draft())
    gone = edited(drafts.withdraw(first, RULES, urssaf.registration_id, reason="merged", now=GONE), twice)
    world = known(operator, drafts.next_edition(gone, first, sequence=2, now=GONE, next_update=GONE + 30 * DAY), at=GONE)
    assert codes(judge(world, urssaf)) == {"listed": "withdrawn_compromised"}
    between = judge(world, urssaf, t_issue=NOW + 2 * DAY + SECOND)
    assert codes(between) == {"listed": "withdrawn"}
    after = judge(world, urssaf, t_issue=NOW + 4 * DAY)
    assert after.outcome is Outcome.TRUSTED_AT_ISSUANCE
    strict = judge(world, urssaf, mode="strict", t_issue=NOW + 2 * DAY + SECOND, t_now=NOW + 4 * DAY)
    assert (strict.outcome, codes(strict)) == (Outcome.WITHDRAWN, {"listed": "withdrawn_at_issue"})


# --- history by key identifier ---


def _text(identifier: bytes) -> str:
    return b64encode(identifier).decode("ascii")


@pytest.fixture(scope="module")
def replaced(operator: ListOperator, urssaf: Institution, authority: Authority) -> TrustSnapshot:
    """A list whose operator changed the key inside the service entry: only the history names the old key."""
    fresh = authority.leaf(subject=subject(urssaf.name, "FR", urssaf.registration_id))

    def replace_key(service: model.EntityService) -> model.EntityService:
        now = service.ServiceInformation
        past = model.PastService(
            ServiceTypeIdentifier=now.ServiceTypeIdentifier,
            ServiceName=now.ServiceName,
            ServiceDigitalIdentity=model.DigitalIdentity(X509SKIs=[_text(ski(urssaf.seal.chain[0]))]),
            ServiceStatus=RULES.notified,
            StatusStartingTime=NOW,
            ServiceInformationExtensions=now.ServiceInformationExtensions,
        )
        identity = model.DigitalIdentity(X509Certificates=[model.pki_object(fresh.chain[0])], X509SKIs=[_text(ski(fresh.chain[0]))])
        current = now.model_copy(update={"ServiceDigitalIdentity": identity, "StatusStartingTime": GONE})
        return service.model_copy(update={"ServiceInformation": current, "ServiceHistory": [past]})

    lote = edited(operator.lote(urssaf.draft()), replace_key)
    dates = {"ListIssueDateTime": GONE, "NextUpdate": GONE + 30 * DAY}
    later = lote.model_copy(update={"ListAndSchemeInformation": lote.scheme.model_copy(update=dates)})
    return known(operator, later, at=GONE)


def test_a_key_only_the_history_names(replaced: TrustSnapshot, urssaf: Institution) -> None:
    """Its end has no stated reason, so it is a question for the institution; in strict mode it is withdrawn, not unknown."""
    asked = judge(replaced, urssaf)
    assert (asked.outcome, codes(asked)) == (Outcome.INDETERMINATE, {"listed": "withdrawal_reason_unknown"})
    assert "its key is replaced since 2026-11-29T12:00:00Z" in asked.axes["listed"].detail
    assert "a key that the history of the entry names" in asked.axes["path"].detail
    assert judge(replaced, urssaf, mode="strict").outcome is Outcome.WITHDRAWN
    before = judge(replaced, urssaf, t_now=GONE - SECOND)
    assert before.outcome is Outcome.TRUSTED  # for a day on which it did count


def test_a_key_of_the_history_may_not_sign_outside_its_certificate(
    replaced: TrustSnapshot, urssaf: Institution, authority: Authority
) -> None:
    who = subject(urssaf.name, "FR", urssaf.registration_id)
    for limits, code in (
        ({"not_after": NOW + SECOND}, "cert_expired"),
        ({"not_before": NOW + 2 * DAY}, "cert_not_yet_valid"),
        ({"usages": ("key_agreement",)}, "cert_key_usage"),
    ):
        other = authority.leaf(key=urssaf.seal.private_key, subject=who, **limits)
        decision = evaluate(ask(other, t_issue=NOW + DAY, t_now=GONE, mode="historical"), replaced)
        assert (decision.outcome, codes(decision)["path"]) == (Outcome.UNKNOWN_ISSUER, code)


def test_a_forged_key_identifier_finds_no_history(replaced: TrustSnapshot, urssaf: Institution, authority: Authority) -> None:
    """The identifier is computed from the key; an extension that claims another one is not looked at."""
    claimed, key = x509.SubjectKeyIdentifier(ski(urssaf.seal.chain[0])), new_key()
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
         "encipher_only", "decipher_only"), False
    )  # fmt: skip
    built = (
        x509.CertificateBuilder(subject_name=urssaf.seal.chain[0].subject, issuer_name=authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 100 * DAY)
        .add_extension(claimed, critical=False)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
    )
    forged = LocalSigner(key, (built.sign(authority.key, hashes.SHA256()),))
    decision = evaluate(ask(forged, t_issue=NOW + DAY, t_now=GONE, mode="historical"), replaced)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "not_listed")


def test_a_key_of_the_history_under_another_body(replaced: TrustSnapshot, urssaf: Institution, authority: Authority) -> None:
    taken = authority.leaf(key=urssaf.seal.private_key, subject=subject(urssaf.name, "FR", "NTRFR-999999999"))
    decision = evaluate(ask(taken, t_issue=NOW + DAY, t_now=GONE, mode="historical"), replaced)
    assert (decision.outcome, codes(decision)["listed"]) == (Outcome.UNKNOWN_ISSUER, "key_of_other_body")


# --- reasons ---


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, Withdrawal.UNKNOWN),
        ("", Withdrawal.UNKNOWN),
        ("rotation", Withdrawal.ORDERLY),
        ("Cessation of operation", Withdrawal.ORDERLY),
        ("superseded", Withdrawal.ORDERLY),
        ("privilegeWithdrawn", Withdrawal.ORDERLY),
        ("not merged", Withdrawal.UNKNOWN),
        ("cACompromise", Withdrawal.COMPROMISE),
        ("rotation after a breach", Withdrawal.COMPROMISE),
    ],
)
def test_what_an_operator_means(text: str | None, kind: Withdrawal) -> None:
    assert classify(text) is kind


def test_the_worst_of_several_reasons() -> None:
    assert worst(["merged", None]) is Withdrawal.UNKNOWN
    assert worst(["merged", None, "stolen"]) is Withdrawal.COMPROMISE
    assert worst(["merged"]) is Withdrawal.ORDERLY
    assert worst([]) is Withdrawal.UNKNOWN


def test_an_older_reason_carried_along_does_not_hide_a_compromise(operator: ListOperator, urssaf: Institution) -> None:
    def carried(service: model.EntityService) -> model.EntityService:
        now = service.ServiceInformation
        stated = [{"Critical": False, WITHDRAWAL_REASON: "keyCompromise"}, *(now.ServiceInformationExtensions or ())]
        return service.model_copy(update={"ServiceInformation": now.model_copy(update={"ServiceInformationExtensions": stated})})

    first = operator.lote(urssaf.draft())
    gone = edited(drafts.withdraw(first, RULES, urssaf.registration_id, reason="merged", now=GONE), carried)
    world = known(operator, drafts.next_edition(gone, first, sequence=2, now=GONE, next_update=GONE + 30 * DAY), at=GONE)
    assert codes(judge(world, urssaf)) == {"listed": "withdrawn_compromised"}
