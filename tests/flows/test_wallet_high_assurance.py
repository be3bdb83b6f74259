"""Both flows, both formats, both profiles, against the real issuer and the real OpenID Provider: what a wallet for HAIP does."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.high_chain import CLIENT_ID, FORMATS, HAIP, PILOT, STRICT, HighChain, running_high_chain
from tests.support.verifier import check_results
from vc.errors import Refused
from vc.openid4vci.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED
from wallet_sim.contents import Copy
from wallet_sim.identity import ANONYMOUS, Identity
from wallet_sim.issuance import Wishes
from wallet_sim.present import open_copy
from wallet_sim.receive import Receipt

BY_CODE, BY_OFFER = Wishes(grant=AUTHORIZATION_CODE), Wishes(grant=PRE_AUTHORIZED)
QUESTIONS = {"pda1": "a1-inspection", "ehic": "ehic-care"}
TYPES = {PILOT: "pda1", HAIP: "ehic", STRICT: "pda1"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HighChain]:
    with running_high_chain(tmp_path_factory.mktemp("chain")) as made:
        yield made


@pytest.fixture
def chain(tmp_path: Path, running: HighChain) -> HighChain:
    """The chain with a wallet of this test's own, which has a PID."""
    running.new_wallet(tmp_path / "wallet")
    running.get_pid()
    running.internet.seen.clear()
    return running


def numbers(copy: Copy) -> ec.EllipticCurvePublicNumbers:
    """The key of a copy, comparable."""
    return copy.key.public_key().public_numbers()


def in_format(chain: HighChain, institution: str, format: str) -> list[str]:
    """The newest configuration of the institution in that format."""
    return [name for name in chain.configurations(institution) if ("mdoc" in name) == (format == "mso_mdoc")][:1]


def accepted(chain: HighChain, institution: str, format: str) -> None:
    """An inspector takes what was received."""
    question = {"purpose": QUESTIONS[TYPES[institution]], "host_country": "DE", "on": "2026-10-15", "format": format}
    made = chain.verifier.post("/api/v1/requests", json=question).json()
    assert chain.wallet.presenter().present(made["request_uri"]).taken
    verdict = chain.verifier.get(f"/api/v1/requests/{made['transaction_id']}").json()["verdict"]
    assert verdict["outcome"] == "accept", (verdict["reasons"], verdict["checks"])
    assert check_results(verdict)["same_holder"] == "passed"


@pytest.mark.parametrize("institution", [PILOT, HAIP, STRICT])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("details", [False, True])
def test_a_wallet_asks_of_its_own_accord(chain: HighChain, institution: str, format: str, details: bool) -> None:
    chain.submit(institution)
    issuer = chain.deployment.credential_issuer(institution)
    receipt = chain.receiver().request(issuer, in_format(chain, institution, format), wishes=Wishes(details=details))
    (held,) = receipt.holdings
    assert (held.format, held.issuer) == (format, issuer)
    assert len(held.copies) > 1
    assert len({numbers(copy) for copy in held.copies}) == len(held.copies)
    assert open_copy(held, 1).holder == held.copies[1].key.public_key()
    accepted(chain, institution, format)


@pytest.mark.parametrize(
    ("institution", "wishes"), [(PILOT, BY_OFFER), (PILOT, BY_CODE), (STRICT, BY_OFFER), (STRICT, BY_CODE), (HAIP, BY_CODE)]
)
def test_a_wallet_takes_an_offer(chain: HighChain, institution: str, wishes: Wishes) -> None:
    created = chain.offer(institution)
    receipt = chain.receiver().receive(created["credential_offer_uri"], tx_code=created.get("tx_code"), wishes=wishes)
    assert sorted(held.format for held in receipt.holdings) == sorted(FORMATS)
    by_code = wishes is BY_CODE
    assert bool(chain.internet.requests("/par")) == by_code
    assert b"issuer_state" in chain.internet.requests("/par")[0].body if by_code else True
    for format in FORMATS:
        accepted(chain, institution, format)


@pytest.mark.parametrize("institution", [PILOT, HAIP, STRICT])
@pytest.mark.parametrize("proof_type", ["jwt", "attestation"])
def test_keys_are_shown_either_way(chain: HighChain, institution: str, proof_type: str) -> None:  # EAA-I-7
    chain.submit(institution)
    issuer = chain.deployment.credential_issuer(institution)
    wishes = Wishes(proof_type=proof_type, copies=4)
    (held,) = chain.receiver().request(issuer, in_format(chain, institution, "dc+sd-jwt"), wishes=wishes).holdings
    assert len(held.copies) == 4


def test_the_pilot_takes_an_anonymous_wallet_and_haip_does_not(chain: HighChain) -> None:
    created = chain.offer(PILOT)
    receiver = chain.receiver(ANONYMOUS)
    receiver.receive(created["credential_offer_uri"], tx_code=created["tx_code"], wishes=BY_OFFER)
    chain.submit(HAIP)
    with pytest.raises(Refused, match="binding_unsupported"):
        receiver.request(chain.deployment.credential_issuer(HAIP))
    with pytest.raises(Refused, match="client_needed"):
        receiver.request(chain.deployment.credential_issuer(PILOT))
    assert chain.internet.requests("/par") == []


def test_each_issuer_sees_another_wallet(chain: HighChain) -> None:  # VCI-WIA-9
    for institution in (PILOT, HAIP):
        chain.submit(institution)
        chain.receiver().request(chain.deployment.credential_issuer(institution), in_format(chain, institution, "mso_mdoc"))
    instances = chain.wallet.store.contents().instances
    assert set(instances) >= {chain.deployment.credential_issuer(one) for one in (PILOT, HAIP)}
    assert len({key.public_key().public_numbers() for key in instances.values()}) == len(instances)
    forms = [seen.body.decode() for seen in chain.internet.requests("/par")]
    assert all(f"client_id={CLIENT_ID.replace(':', '%3A').replace('/', '%2F')}" in form for form in forms)


def test_messages_are_encrypted_where_the_issuer_can(chain: HighChain) -> None:  # VCI-ENC
    chain.submit(STRICT)
    chain.receiver().request(chain.deployment.credential_issuer(STRICT), in_format(chain, STRICT, "dc+sd-jwt"))
    (asked,) = chain.internet.requests(f"{STRICT}/credential")
    assert asked.status == 200
    assert asked.body.count(b".") == asked.answer.count(b".") == 4
    assert b"proofs" not in asked.body


def test_the_person_nobody_knows_is_told_so_and_the_wallet_too(chain: HighChain) -> None:
    with pytest.raises(Refused, match="access_denied"):
        chain.receiver().request(chain.deployment.credential_issuer(HAIP), in_format(chain, HAIP, "mso_mdoc"))
    assert len(chain.wallet.store.holdings()) == 2  # the PID


# --- later


@pytest.mark.parametrize("institution", [HAIP, STRICT])
def test_what_takes_time_is_collected_after_a_restart_with_a_new_token(chain: HighChain, institution: str) -> None:  # VCI-DEF
    document_id = chain.submit(institution, hold=True)
    issuer = chain.deployment.credential_issuer(institution)
    receipt = chain.receiver().request(issuer, in_format(chain, institution, "dc+sd-jwt"))
    assert receipt.holdings == ()
    (pending,) = receipt.pending
    asked = len(chain.internet.seen)
    assert chain.receiver().collect(pending.number).number == pending.number  # not before the interval is over
    assert len(chain.internet.seen) == asked
    chain.let_pass(seconds=pending.interval)
    again = chain.receiver().collect(pending.number)  # a new process would do no other: all is in the file
    assert again.number == pending.number
    assert [seen.status for seen in chain.internet.requests("/deferred")][-1] == 202
    chain.decide(institution, document_id, "release")
    chain.let_pass(minutes=30)
    held = chain.receiver().collect(pending.number)
    assert held.number == pending.number
    assert chain.internet.requests("/token")[-1].body.startswith(b"grant_type=refresh_token")
    assert [one.number for one in chain.wallet.store.holdings()] == [1, 2, pending.number]
    assert chain.wallet.store.contents().pending == []
    accepted(chain, institution, "dc+sd-jwt")


def test_what_will_never_come_is_forgotten(chain: HighChain) -> None:  # VCI-DEF-4
    document_id = chain.submit(HAIP, hold=True)
    (pending,) = chain.receiver().request(chain.deployment.credential_issuer(HAIP), in_format(chain, HAIP, "dc+sd-jwt")).pending
    chain.decide(HAIP, document_id, "refusal", reason="not_entitled")
    chain.let_pass(seconds=pending.interval)
    with pytest.raises(Refused, match="credential_request_denied"):
        chain.receiver().collect(pending.number)
    contents = chain.wallet.store.contents()
    assert contents.pending == []
    assert set(contents.grants) == {held.grant for held in contents.holdings}  # those of the PID, no other


@pytest.mark.parametrize("institution", [PILOT, HAIP, STRICT])
def test_new_copies_take_the_place_of_the_old(chain: HighChain, institution: str) -> None:  # VCI-TOK-10, EAA-I-5
    chain.submit(institution)
    issuer = chain.deployment.credential_issuer(institution)
    (held,) = chain.receiver().request(issuer, in_format(chain, institution, "mso_mdoc")).holdings
    chain.let_pass(hours=5)
    renewed = chain.receiver().renew(held.number, wishes=Wishes(copies=2))
    assert (renewed.number, len(renewed.copies)) == (held.number, 2)  # type: ignore[union-attr]
    stored = chain.wallet.store.holding(held.number)
    assert not {copy.credential for copy in stored.copies} & {copy.credential for copy in held.copies}
    assert not set(map(numbers, stored.copies)) & set(map(numbers, held.copies))
    assert [seen.status for seen in chain.internet.requests("/par")].count(201) == 1
    accepted(chain, institution, "mso_mdoc")


def test_without_a_refresh_token_nothing_is_renewed(chain: HighChain) -> None:
    created = chain.offer(PILOT, formats=["dc+sd-jwt"])
    receiver = chain.receiver(ANONYMOUS)
    (held,) = receiver.receive(created["credential_offer_uri"], tx_code=created["tx_code"], wishes=BY_OFFER).holdings
    assert held.grant is None
    with pytest.raises(Refused, match="refresh_missing"):
        receiver.renew(held.number)


def test_the_transcript_holds_no_secret(chain: HighChain) -> None:  # W-7
    chain.submit(STRICT)
    issuer = chain.deployment.credential_issuer(STRICT)
    receipt: Receipt = chain.receiver(Identity(provider=chain.voucher())).request(issuer, in_format(chain, STRICT, "dc+sd-jwt"))
    text = json.dumps(chain.wallet.transcript.to_json())
    (grant,) = [one for one in chain.wallet.store.contents().grants.values() if one.credential_issuer == issuer]
    form = dict(pair.split("=", 1) for pair in chain.internet.requests("/token")[-1].body.decode().split("&"))
    secrets = [
        grant.access_token, grant.refresh_token, form["code"], form["code_verifier"], chain.identity["family_name"],
        receipt.holdings[0].copies[0].credential,
    ]  # fmt: skip
    for secret in secrets:
        assert secret, form
        assert secret not in text, secret
    assert "oauth-client-attestation-pop" in text
