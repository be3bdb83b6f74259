"""The same verdict on an artefact from a file: what was not proved is said to be not checked, never passed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import pki
from tests.support.pki import NOW
from tests.support.verifier import Held, sample
from tests.support.verifier_scene import PDA1, Scene, document_of
from trust_list.status_lists import StatusAnswer
from trust_list.status_memory import ShortMemory
from vc import formats
from vc.documents.model import Document
from vc.documents.outcome import Outcome, Result
from vc.encoding import base64url
from vc.formats import Challenge, Credential, TranscriptChallenge
from vc.keys.signer import LocalSigner
from vc.mdoc import handover
from vc.status.bits import StatusValue
from verifier import bare
from verifier.bare import Case
from verifier.purposes import PURPOSES
from verifier.sources import StatusSource
from verifier.status import StatusLists
from verifier.trust import NoTrust
from verifier.verdict import Verdict

CHALLENGE = Challenge(nonce="n" * 32, audience="x509_hash:verifier", response_uri="https://verifier.test/response")


class Desk(Scene):
    """The scene with a check of single artefacts instead of a service."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.trust = self.world.trust()
        self.status = StatusLists(self.world.outbound(), ShortMemory(), self.trust, min_ttl=timedelta(seconds=1))

    def held(self, form: str, kind: str = "pda1") -> Held:
        place = {"dc+sd-jwt": 0, "mso_mdoc": 1}[form] + (2 if kind == "pda1" else 0)
        return self.wallet.held[place]

    def check(self, artefact: str | bytes, *, trusted: bool = True, status: StatusSource | None = None, **changes: Any) -> Verdict:
        data = artefact.encode() if isinstance(artefact, str) else artefact
        case = Case(artefact=data, on=date(2026, 10, 15), now=self.world.now, country="DE")
        no_trust = NoTrust()
        return bare.check(
            replace(case, **changes),
            trust=self.trust if trusted else no_trust,
            status=status or self.status,
            judge=self.trust if trusted else no_trust,
        )

    def presented(self, form: str, *, challenge: Challenge = CHALLENGE, holder: LocalSigner | None = None) -> str:
        held = self.held(form)
        unverified = formats.parse_issued(form, held.text)
        credential = unverified.verify_issuer(unverified.chain[0].public_key())  # type: ignore[arg-type]  # EC in this world
        return formats.present(
            form, held.text, holder=holder or held.holder, disclose=credential.disclosed, challenge=challenge, now=self.world.now
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


def results(verdict: Verdict) -> dict[str, str]:
    return {check.id: str(check.result) for check in verdict.checks}


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_bare_credential_is_genuine_but_its_bearer_is_not_proved(desk: Desk, form: str) -> None:
    verdict = desk.check(desk.held(form).text)

    assert verdict.outcome is Outcome.REVIEW
    assert set(verdict.codes) == {"bearer_not_proved", "bearer_identity_not_checked"}
    assert verdict["holder_binding"].result is Result.NOT_CHECKED
    assert verdict["query"].result is Result.NOT_CHECKED
    assert verdict["same_holder"].result is Result.NOT_CHECKED
    assert verdict["status"].result is Result.PASSED
    assert verdict["host_country"].result is Result.PASSED
    assert verdict.document is not None
    assert verdict.document["document_number"] == "FR-A1-2026-0000001"


@pytest.mark.parametrize("shape", [base64url.encode, lambda raw: raw.hex(), lambda raw: raw])
def test_an_mdoc_may_be_text_hexadecimal_or_raw(desk: Desk, shape: Callable[[bytes], str | bytes]) -> None:
    raw = base64url.decode(desk.held("mso_mdoc").text)

    assert desk.check(shape(raw)).outcome is Outcome.REVIEW


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_presentation_without_expectations_is_not_checked_never_passed(desk: Desk, form: str) -> None:
    """R-8."""
    verdict = desk.check(desk.presented(form))

    assert verdict["holder_binding"].result is Result.NOT_CHECKED
    assert "bearer_not_proved" in verdict.codes


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_presentation_is_checked_against_what_is_expected(desk: Desk, form: str) -> None:
    good = desk.check(desk.presented(form), challenge=CHALLENGE)
    replayed = desk.check(desk.presented(form), challenge=replace(CHALLENGE, nonce="m" * 32))
    elsewhere = desk.check(desk.presented(form), challenge=replace(CHALLENGE, audience="x509_hash:other"))
    foreign = desk.check(desk.presented(form, holder=pki.holder()), challenge=CHALLENGE)

    assert good["holder_binding"].result is Result.PASSED
    assert good.codes == ("bearer_identity_not_checked",)
    for bad in (replayed, elsewhere, foreign):
        assert bad["holder_binding"].result is Result.FAILED
        assert bad.outcome is Outcome.REJECT
        assert bad.document is None


def test_an_mdoc_is_checked_against_a_transcript(desk: Desk) -> None:
    transcript = handover.redirect(CHALLENGE.audience, CHALLENGE.nonce, None, CHALLENGE.response_uri)

    def binding(form: str, over: bytes) -> Result:
        return desk.check(desk.presented(form), challenge=TranscriptChallenge(over))["holder_binding"].result

    assert binding("mso_mdoc", transcript) is Result.PASSED
    assert binding("mso_mdoc", transcript[:-1] + b"\x00") is Result.FAILED
    assert binding("dc+sd-jwt", transcript) is Result.FAILED


def test_an_mdoc_needs_the_response_uri_too(desk: Desk) -> None:
    verdict = desk.check(desk.presented("mso_mdoc"), challenge=replace(CHALLENGE, response_uri=""))

    assert verdict["holder_binding"].result is Result.NOT_CHECKED
    assert "bearer_not_proved" in verdict.codes


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_credential_that_was_never_presented_proves_no_holder(desk: Desk, form: str) -> None:
    """R-8: an expectation is there and the proof is not."""
    verdict = desk.check(desk.held(form).text, challenge=CHALLENGE)

    assert verdict["holder_binding"].result is Result.FAILED
    assert verdict.codes[0] == "holder_proof_missing"
    assert verdict.outcome is Outcome.REJECT


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_without_a_trust_list_nothing_is_trusted(desk: Desk, form: str) -> None:
    before = len(desk.world.asked)
    verdict = desk.check(desk.presented(form), challenge=CHALLENGE, trusted=False)

    assert verdict.outcome is Outcome.UNDETERMINED
    assert verdict.codes[0] == "trust_not_configured"
    assert {verdict[name].result for name in ("trust_listed", "trust_identity", "trust_scope", "trust_content", "status")} == {
        Result.NOT_CHECKED
    }
    assert verdict["certificate_path"].result is Result.PASSED
    assert len(desk.world.asked) == before


def test_the_purpose_must_fit_the_document(desk: Desk) -> None:
    verdict = desk.check(desk.held("dc+sd-jwt").text, purpose=PURPOSES["ehic-care"])

    assert verdict.outcome is Outcome.REJECT
    assert "document_type_unexpected" in verdict.codes


def test_without_a_country_the_place_is_not_checked_and_that_is_said(desk: Desk) -> None:
    verdict = desk.check(desk.presented("dc+sd-jwt"), challenge=CHALLENGE, country=None)

    assert "host_country_not_given" in verdict.codes
    assert verdict["host_country"].result is Result.NOT_CHECKED


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_pid_by_itself_is_checked_against_its_own_list(desk: Desk, form: str) -> None:
    verdict = desk.check(desk.held(form, "pid").text)

    assert verdict.codes == ("bearer_not_proved",)
    assert verdict.trust["list"]["id"] == "pid"
    assert verdict["same_holder"].result is Result.NOT_CHECKED


@pytest.mark.parametrize(
    ("form", "passed", "outcome", "code"),
    [
        ("dc+sd-jwt", timedelta(days=80, seconds=59), Outcome.REVIEW, None),
        ("dc+sd-jwt", timedelta(days=80, seconds=60), Outcome.REFRESH, "technically_expired"),
        ("mso_mdoc", timedelta(days=80, seconds=60), Outcome.REVIEW, None),
        ("mso_mdoc", timedelta(days=80, seconds=61), Outcome.REFRESH, "technically_expired"),
        ("dc+sd-jwt", timedelta(days=-10, seconds=-60), Outcome.REVIEW, None),
        ("dc+sd-jwt", timedelta(days=-10, seconds=-61), Outcome.REJECT, "technically_not_yet_valid"),
    ],
)
def test_the_technical_layer_has_one_tolerance(
    desk: Desk, form: str, passed: timedelta, outcome: Outcome, code: str | None
) -> None:
    """J-8, SECURITY 4.2: sixty seconds at both ends; `exp` itself is too late (RFC 7519 §4.1.4), `validUntil` is still good."""
    verdict = desk.check(desk.held(form).text, now=NOW + passed)

    assert (code in verdict.codes) is (code is not None)
    if code is not None:
        assert verdict.outcome is outcome
        assert verdict["status"].result is Result.NOT_CHECKED
    else:
        assert verdict["technical_validity"].result is Result.PASSED


def test_a_short_lived_document_needs_no_status(desk: Desk) -> None:
    document = document_of(sample("pda1", "pda1-01"), "pda1")
    held = desk.world.issue(desk.urssaf, PDA1["dc+sd-jwt"], document, status=None)

    verdict = desk.check(held.text)

    assert verdict["status"].result is Result.PASSED
    assert "short-lived" in verdict["status"].detail


@dataclass(frozen=True)
class Says:
    """A status source with one answer; it remembers whether it was asked."""

    answer: StatusAnswer
    asked: list[str] = field(default_factory=list)

    def look_up(self, credential: Credential, document: Document, *, entity_id: str | None, now: datetime) -> StatusAnswer:
        self.asked.append(entity_id or "")
        return self.answer


@pytest.mark.parametrize(
    ("value", "because", "result", "code", "outcome"),
    [
        (StatusValue.VALID, None, Result.PASSED, None, Outcome.REVIEW),
        (StatusValue.VALID, "status_from_cache", Result.PASSED, "status_from_cache", Outcome.REVIEW),
        (StatusValue.VALID, "status_stale", Result.NOT_CHECKED, "status_stale", Outcome.REVIEW),
        (StatusValue.INVALID, None, Result.FAILED, "revoked", Outcome.REJECT),
        (StatusValue.INVALID, "status_stale", Result.FAILED, "revoked", Outcome.REJECT),
        (StatusValue.SUSPENDED, None, Result.FAILED, "suspended", Outcome.REJECT),
        (StatusValue.APPLICATION_SPECIFIC, None, Result.NOT_CHECKED, "status_value_unknown", Outcome.UNDETERMINED),
        (StatusValue.UNKNOWN, None, Result.NOT_CHECKED, "status_value_unknown", Outcome.UNDETERMINED),
        (None, "status_unreachable", Result.NOT_CHECKED, "status_unreachable", Outcome.UNDETERMINED),
        (None, "status_list_untrusted", Result.NOT_CHECKED, "status_list_untrusted", Outcome.UNDETERMINED),
        (None, None, Result.NOT_CHECKED, "status_list_invalid", Outcome.UNDETERMINED),
    ],
)
def test_what_the_status_list_says_becomes_the_check(
    desk: Desk, *, value: StatusValue | None, because: str | None, result: Result, code: str | None, outcome: Outcome
) -> None:
    """TSL-8, S-7: only valid is valid; only revoked and suspended reject; every other fault leaves it open."""
    source = Says(StatusAnswer(value=value, because=because, detail="said"))

    verdict = desk.check(desk.held("dc+sd-jwt").text, status=source)

    assert verdict["status"].result is result
    assert verdict.outcome is outcome
    assert code is None or code in verdict.codes
    assert len(source.asked) == 1
    assert source.asked[0]


def test_the_status_of_what_does_not_stand_is_not_asked(desk: Desk) -> None:
    """TSL-7: expired, not bound, not trusted, not authentic."""
    source = Says(StatusAnswer(value=StatusValue.VALID, detail="said"))
    text = desk.held("dc+sd-jwt").text

    desk.check(text, status=source, now=NOW + timedelta(days=81))
    desk.check(text, status=source, challenge=CHALLENGE)
    desk.check(text, status=source, trusted=False)
    desk.check(text.replace("~", "A~", 1), status=source)

    assert source.asked == []


def test_a_document_signed_before_its_signer_was_listed_is_refused(desk: Desk) -> None:
    document = document_of(sample("pda1", "pda1-01"), "pda1")
    early = NOW - timedelta(days=25)
    held = desk.world.issue(desk.urssaf, PDA1["dc+sd-jwt"], document, issued_at=early, valid_from=early)

    assert "issuer_not_yet_listed" in desk.check(held.text).codes


@pytest.mark.parametrize(
    "elsewhere",
    [{"authentic_source": {"id": "DE:99012345", "name": "Elsewhere (test)"}}, {"issuing_country": "DE"}],
    ids=["institution", "country"],
)
def test_an_institution_of_another_country_is_refused(desk: Desk, elsewhere: dict[str, Any]) -> None:
    """TRUST question D: country and institution on the document are those of the signer, each by itself."""
    data = document_of(sample("pda1", "pda1-01"), "pda1").to_json() | elsewhere
    held = desk.world.issue(desk.urssaf, PDA1["dc+sd-jwt"], Document(type="pda1", data=data))

    assert "issuer_content_mismatch" in desk.check(held.text).codes


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_self_signed_signer_is_refused(desk: Desk, form: str) -> None:
    """HAIP-SD-2."""
    authority = pki.root("Test self", subject={"C": "FR", "O": "Self (test)", "CN": "self"})
    signer = LocalSigner(authority.key, (authority.certificate,))
    held = desk.world.issue(desk.urssaf, PDA1[form], document_of(sample("pda1", "pda1-01"), "pda1"), signer=signer)

    verdict = desk.check(held.text)

    assert verdict.outcome is Outcome.REJECT
    assert "certificate_invalid" in verdict.codes


def test_an_anchor_inside_the_chain_is_refused(desk: Desk) -> None:
    """HAIP 1.0 §6.1.1."""
    signer = LocalSigner(desk.urssaf.seal.private_key, (*desk.urssaf.seal.chain, desk.world.authority.certificate))
    held = desk.world.issue(desk.urssaf, PDA1["dc+sd-jwt"], document_of(sample("pda1", "pda1-01"), "pda1"), signer=signer)

    verdict = desk.check(held.text)

    assert "certificate_invalid" in verdict.codes
    assert "x5c_anchor_included" in verdict["certificate_path"].detail


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_certificate_for_another_use_is_refused_whoever_is_listed(desk: Desk, form: str) -> None:
    """J-2, M-8: the leaf is judged by itself, even where no trust list is at hand."""
    wrong: dict[str, Any] = {"usages": ("key_agreement",)} if form == "dc+sd-jwt" else {"eku": ()}
    subject = {"C": "FR", "O": desk.urssaf.name, "CN": "other use"}
    signer = desk.world.authority.leaf(subject=subject, **wrong)
    held = desk.world.issue(desk.urssaf, PDA1[form], document_of(sample("pda1", "pda1-01"), "pda1"), signer=signer)

    verdict = desk.check(held.text, trusted=False)

    assert verdict["certificate_path"].result is Result.FAILED
    assert verdict.outcome is Outcome.REJECT
    assert verdict.codes[0] == "certificate_invalid"


def test_a_signature_outside_the_life_of_the_certificate_is_refused_without_a_trust_list(desk: Desk) -> None:
    """M-5."""
    document = document_of(sample("pda1", "pda1-01"), "pda1")
    held = desk.world.issue(desk.urssaf, PDA1["dc+sd-jwt"], document, issued_at=NOW - timedelta(days=31))

    assert "certificate_expired" in desk.check(held.text, trusted=False).codes


def test_two_documents_in_one_response_are_refused(desk: Desk) -> None:
    """M-9."""
    value = cbor2.loads(base64url.decode(desk.presented("mso_mdoc")))
    value["documents"] *= 2

    assert desk.check(cbor2.dumps(value)).outcome is Outcome.REJECT


# --- status list tokens


@pytest.mark.parametrize("kind", ["jwt", "cwt"])
def test_a_status_list_is_checked_by_itself(desk: Desk, kind: str) -> None:
    verdict = desk.check(desk.urssaf.status_token(kind, NOW))

    assert verdict.outcome is Outcome.ACCEPT, verdict.checks
    assert verdict["trust_listed"].result is Result.PASSED
    assert verdict["trust_scope"].result is Result.NOT_CHECKED
    assert verdict.document == {"type": "status_list", "uri": desk.urssaf.status_uri, "bits": 1, "entries": 1024}
    assert verdict.validity.technical.until == "2026-11-25T18:00:00Z"


@pytest.mark.parametrize("kind", ["jwt", "cwt"])
def test_a_status_list_of_a_pid_provider_is_found_on_its_list(desk: Desk, kind: str) -> None:
    verdict = desk.check(desk.pids.status_token(kind, NOW))

    assert verdict.outcome is Outcome.ACCEPT
    assert verdict.trust["list"]["id"] == "pid"


@pytest.mark.parametrize("kind", ["jwt", "cwt"])
def test_bad_status_lists(desk: Desk, kind: str) -> None:
    expired = desk.check(desk.urssaf.status_token(kind, NOW - timedelta(days=3)))
    unlisted = desk.check(desk.urssaf.status_token(kind, NOW, signer=desk.urssaf.seal))
    untrusted = desk.check(desk.urssaf.status_token(kind, NOW), trusted=False)
    altered = desk.check(desk.urssaf.status_token(kind, NOW)[:-8] + b"AAAAAAAA")

    assert (expired.outcome, expired.codes) == (Outcome.UNDETERMINED, ("status_list_expired",))
    assert (unlisted.outcome, unlisted.codes) == (Outcome.REJECT, ("issuer_not_listed",))
    assert (untrusted.outcome, untrusted.codes) == (Outcome.UNDETERMINED, ("trust_not_configured",))
    assert altered.outcome is Outcome.REJECT
    assert altered["issuer_signature"].result is Result.FAILED


# --- anything at all


@pytest.mark.parametrize(
    "artefact", ["", "junk", "a.b.c", "~", "~~~", "{}", "a1", "A" * 2_000_000, "\x00", "é", "eyJ0eXAiOiJKV1QifQ.e30.AA"]
)
def test_junk_has_a_verdict_too(desk: Desk, artefact: str) -> None:
    verdict = desk.check(artefact)

    assert verdict.outcome is Outcome.REJECT
    assert verdict.codes == ("presentation_malformed",)
    assert verdict["structure"].result is Result.FAILED


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bytes_have_a_verdict_and_none_is_accepted(desk: Desk, data: st.DataObject) -> None:
    """STYLE 9: any bytes give a verdict, never a stray error; bent genuine ones are never accepted."""
    genuine = data.draw(st.sampled_from([desk.held("dc+sd-jwt").text.encode(), base64url.decode(desk.held("mso_mdoc").text), b""]))
    at = data.draw(st.integers(0, len(genuine)))
    bent = genuine[:at] + data.draw(st.binary(min_size=1, max_size=20)) + genuine[at + data.draw(st.integers(0, 5)) :]

    verdict = desk.check(bent)

    assert verdict.outcome not in (Outcome.ACCEPT, Outcome.ACCEPT_WITH_WARNING)
    if bent.strip() != genuine:
        assert verdict.checks[0].id == "structure"
