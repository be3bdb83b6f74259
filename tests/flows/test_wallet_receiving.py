"""The wallet against an issuer that keeps the rules, then against one that breaks them by name (SECURITY W-3, W-4, W-5, R-16)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.internet import Internet
from tests.support.verifier import World
from tests.support.wallet import ISSUER_HOST, PDA1_MDOC, PDA1_SD_JWT, TX_CODE, SimulatedIssuer, TestWallet, connect
from vc.errors import Refused, Unreachable, VcError
from wallet_sim import mischief
from wallet_sim.contents import Holding, Pending
from wallet_sim.issuance import Wishes
from wallet_sim.present import open_copy


class Scene:
    """One institution, listed, and a wallet of this test's own."""

    def __init__(self, folder: Path, world: World) -> None:
        self.world, self.urssaf = world, world.institutions["urssaf"]
        self.internet = Internet()
        connect(self.internet, self.world)
        self.wallet = TestWallet(folder / "wallet", self.world, self.internet)

    def issuer(self, *faults: str, **settings: Any) -> SimulatedIssuer:
        made = SimulatedIssuer(world=self.world, institution=self.urssaf, faults=frozenset(faults), **settings)
        self.internet.function(ISSUER_HOST, made.answer)
        return made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"))
    made.institution("urssaf", types=("pda1",))
    made.publish_lists()
    return made


@pytest.fixture
def scene(tmp_path: Path, world: World) -> Scene:
    return Scene(tmp_path, world)


@pytest.mark.parametrize("by_value", [True, False])
@pytest.mark.parametrize("configuration", [PDA1_SD_JWT, PDA1_MDOC])
def test_an_offer_becomes_a_stored_credential(scene: Scene, configuration: str, by_value: bool) -> None:
    issuer = scene.issuer(configurations=(configuration,))
    (held,) = (
        scene.wallet.receiver(scene.wallet.judge())
        .receive(issuer.link() if by_value else issuer.reference(), tx_code=TX_CODE)
        .holdings
    )
    assert [one.number for one in scene.wallet.store.holdings()] == [held.number]
    assert (held.configuration_id, held.issuer, len(held.copies)) == (configuration, issuer.id, 1)
    credential = open_copy(held, 0)
    assert credential.holder == held.copies[0].key.public_key()
    assert issuer.notifications == [{"notification_id": "n-1", "event": "credential_accepted"}]
    (checked,) = [note for note in scene.wallet.notes() if note["what"] == "checked"]
    assert checked["issuer"] == "Institution urssaf (test) (FR)"


def test_both_formats_of_one_offer(scene: Scene) -> None:
    issuer = scene.issuer(configurations=(PDA1_SD_JWT, PDA1_MDOC))
    held = scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE).holdings
    assert [one.format for one in held] == ["dc+sd-jwt", "mso_mdoc"]


def test_a_batch_has_a_key_of_its_own_for_each_copy(scene: Scene) -> None:  # VCI-CRED-10
    issuer = scene.issuer(batch_size=5)
    (held,) = scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE, wishes=Wishes(copies=4)).holdings
    assert len(held.copies) == 4
    assert len({open_copy(held, at).holder.public_numbers() for at in range(4)}) == 4  # type: ignore[union-attr]
    assert len(issuer.proofs) == 4


@pytest.mark.parametrize(("batch_size", "copies", "count"), [(1, 10, 1), (2, 10, 2), (5, None, 3), (5, 0, 1)])
def test_no_more_copies_than_the_issuer_issues(scene: Scene, batch_size: int, copies: int | None, count: int) -> None:
    issuer = scene.issuer(batch_size=batch_size)
    (held,) = scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE, wishes=Wishes(copies=copies)).holdings
    assert len(held.copies) == count


def test_a_demanded_dpop_nonce_is_used_in_one_more_try(scene: Scene) -> None:  # VCI-DPOP-3
    issuer = scene.issuer(dpop_nonce="server-nonce")
    scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE)
    assert [seen.status for seen in scene.internet.requests("/token")] == [400, 200]
    assert [seen.status for seen in scene.internet.requests("/urssaf/credential")] == [200]


def test_a_dpop_nonce_that_is_never_right_ends_it(scene: Scene) -> None:
    issuer = scene.issuer("dpop-nonce-never-right", dpop_nonce="server-nonce")
    with pytest.raises(Refused, match="use_dpop_nonce"):
        scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE)
    assert len(scene.internet.requests("/token")) == 2


def test_a_slow_wallet_gets_a_fresh_nonce_once(scene: Scene) -> None:  # VCI-NONCE-4
    issuer = scene.issuer("nonce-slow")
    scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE)
    assert len(scene.internet.requests("/nonce")) == 2


def test_a_server_without_dpop_gets_a_bearer_wallet(scene: Scene) -> None:
    issuer = scene.issuer("server-without-dpop")
    assert scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE).holdings


def test_identifiers_of_the_token_response_are_used(scene: Scene) -> None:  # VCI-CRED-1
    issuer = scene.issuer("token-identifiers")
    assert scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE).holdings


def test_a_due_transaction_code_is_asked_for_before_anything_is_sent(scene: Scene) -> None:
    issuer = scene.issuer()
    with pytest.raises(Refused, match="tx_code_needed"):
        scene.wallet.receiver().receive(issuer.link())
    assert scene.internet.requests("/token") == []


def test_a_transaction_code_nobody_asked_for_is_not_sent(scene: Scene) -> None:
    issuer = scene.issuer(needs_tx_code=False)
    assert scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE).holdings
    assert TX_CODE.encode() not in b"".join(seen.body for seen in scene.internet.seen)


@pytest.mark.parametrize("fault", ["notification-refused", "notification-unreachable", "nothing-to-notify"])
def test_an_issuer_deaf_to_notifications_changes_nothing(scene: Scene, fault: str) -> None:
    issuer = scene.issuer(fault)
    scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE)
    assert len(scene.wallet.store.holdings()) == 1
    assert issuer.used_faults == {fault}


FAULTS: list[tuple[str, type[VcError], str]] = [
    ("offer-unknown-configuration", VcError, "offer_configuration"),
    ("offer-other-grant", Refused, "grant_unsupported"),
    ("offer-foreign-server", VcError, "offer_authorization_server"),
    ("offer-redirect", Unreachable, "metadata"),
    ("offer-as-jwt", VcError, "content_type"),
    ("metadata-other-issuer", VcError, "metadata_issuer"),  # VCI-META-4, W-3
    ("metadata-endless", Unreachable, "too_large"),  # W-3
    ("metadata-as-page", Unreachable, "content_type"),
    ("metadata-redirect", Unreachable, "metadata"),  # W-2
    ("metadata-with-duplicates", VcError, "json_duplicate_member"),
    ("metadata-without-nonce-endpoint", VcError, "metadata"),  # W-4
    ("metadata-encryption-required", Refused, "encryption_unsupported"),
    ("metadata-promises-more", VcError, "claim_missing"),  # W-5
    ("metadata-promises-another-shape", VcError, "claim_missing"),
    ("metadata-key-attestation", Refused, "binding_unsupported"),
    ("metadata-other-proof-algorithm", Refused, "binding_unsupported"),
    ("metadata-unknown-format", Refused, "format_unsupported"),
    ("server-other-issuer", VcError, "as_metadata_issuer"),
    ("server-wants-client-id", Refused, "client_needed"),
    ("server-other-grants", Refused, "grant_unsupported"),
    ("token-error-page", Unreachable, "issuer"),
    ("token-not-bound", VcError, "token_type"),
    ("nonce-fails", Unreachable, "issuer"),  # W-4
    ("nonce-refused", Refused, "invalid_request"),
    ("nonce-empty", VcError, "nonce_response"),
    ("nonce-as-page", Unreachable, "content_type"),
    ("nonce-redirect", Refused, "redirect"),
    ("credential-redirect", Refused, "redirect"),
    ("credential-deferred-as-issued", VcError, "credential_response"),  # VCI-RESP-1
    ("credential-old-draft", VcError, "credential_response"),  # OLD-04
    ("more-than-asked", VcError, "credential_response"),
    ("credential-other-key", VcError, "holder_key"),  # W-5
    ("credential-alg-none", VcError, "jws_alg"),  # W-5
    ("credential-foreign-signature", VcError, "signature"),
    ("credential-altered", VcError, ""),
    ("credential-foreign-disclosure", VcError, ""),
    ("credential-with-key-binding", VcError, ""),
    ("credential-not-text", VcError, ""),
    ("credential-self-signed", VcError, "x5c_self_signed"),
    ("credential-without-certificate", VcError, "x5c_missing"),
    ("credential-other-type", VcError, "type"),
    ("credential-expired", VcError, "expired"),
    ("credential-unlisted", VcError, "issuer_not_trusted"),
    ("copies-of-one-key", VcError, "holder_key"),
    ("copies-differ", VcError, "batch_differs"),
]


@pytest.mark.parametrize(("fault", "family", "code"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_an_issuer_that_breaks_a_rule_gets_nothing_stored(scene: Scene, fault: str, family: type[VcError], code: str) -> None:
    issuer = scene.issuer(fault, batch_size=3)
    with pytest.raises(family) as caught:
        scene.wallet.receiver(scene.wallet.judge()).receive(issuer.reference(), tx_code=TX_CODE)
    assert fault in issuer.used_faults
    assert not code or caught.value.code == code
    assert scene.wallet.store.holdings() == ()
    asked = b"".join(seen.body for seen in scene.internet.seen)
    if fault.startswith("nonce"):
        assert b"proofs" not in asked  # never a proof without nonce
    if fault.startswith("credential-") and issuer.notifications:
        assert issuer.notifications[0]["event"] == "credential_failure"


def deferred(scene: Scene, *faults: str) -> tuple[SimulatedIssuer, Pending]:
    """An issuer that needs time, and what the wallet waits for; the interval is over."""
    issuer = scene.issuer("credential-deferred", *faults, batch_size=2)
    receipt = scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE)
    assert receipt.holdings == ()
    (pending,) = receipt.pending
    scene.world.now += timedelta(seconds=pending.interval)
    return issuer, pending


def test_an_anonymous_wallet_collects_too(scene: Scene) -> None:  # VCI-DEF-1
    issuer, pending = deferred(scene)
    held = scene.wallet.receiver(scene.wallet.judge()).collect(pending.number)
    assert isinstance(held, Holding)
    assert (held.number, len(held.copies), held.grant) == (pending.number, 2, None)
    assert issuer.notifications == [{"notification_id": "n-1", "event": "credential_accepted"}]
    assert scene.wallet.store.contents().grants == {}  # nothing is left that a token would be good for


def test_the_issuer_says_when_to_ask_again(scene: Scene) -> None:  # VCI-DEF-2
    _, pending = deferred(scene, "deferred-again")
    again = scene.wallet.receiver().collect(pending.number)
    assert isinstance(again, Pending)
    assert (again.interval, again.not_before) == (9, scene.world.now + timedelta(seconds=9))
    assert scene.wallet.store.pending(pending.number).not_before == again.not_before


@pytest.mark.parametrize(
    ("fault", "code", "kept"),
    [
        ("deferred-other-transaction", "credential_response", True),
        ("deferred-nowhere", "metadata", True),
        ("token-over", "invalid_token", True),  # and there is no refresh token
        ("deferred-gone", "invalid_transaction_id", False),  # VCI-DEF-3
    ],
)
def test_a_wait_that_ends_badly(scene: Scene, fault: str, code: str, kept: bool) -> None:
    issuer, pending = deferred(scene, fault)
    with pytest.raises(VcError) as caught:
        scene.wallet.receiver().collect(pending.number)
    assert caught.value.code == code
    assert fault in issuer.used_faults
    assert bool(scene.wallet.store.contents().pending) == kept
    assert scene.wallet.store.holdings() == ()


def test_an_unreachable_trust_list_is_not_a_yes(scene: Scene) -> None:
    issuer = scene.issuer()
    scene.internet.down.add("lists.test")
    with pytest.raises(Unreachable, match="trust_list"):
        scene.wallet.receiver(scene.wallet.judge()).receive(issuer.link(), tx_code=TX_CODE)
    assert scene.wallet.store.holdings() == ()


def test_without_a_trust_root_the_transcript_says_that_nobody_was_asked(scene: Scene) -> None:
    scene.wallet.receiver().receive(scene.issuer().link(), tx_code=TX_CODE)
    (checked,) = [note for note in scene.wallet.notes() if note["what"] == "checked"]
    assert checked["issuer"].startswith("not checked")


def test_the_transcript_is_free_of_secrets_and_of_the_person(scene: Scene) -> None:  # W-7
    issuer = scene.issuer(dpop_nonce="server-nonce", batch_size=2)
    (held,) = scene.wallet.receiver(scene.wallet.judge()).receive(issuer.reference(), tx_code=TX_CODE).holdings
    text = json.dumps(scene.wallet.transcript.to_json())
    person = [str(value) for value in _leaves(open_copy(held, 0).claims) if isinstance(value, str) and len(value) > 5]
    assert len(person) > 10
    public = {"dc+sd-jwt", held.type_id, issuer.id}
    for secret in [TX_CODE, "server-nonce", '"token"', *issuer.proofs, held.copies[0].credential, *(set(person) - public)]:
        assert secret not in text, secret
    assert [entry["n"] for entry in scene.wallet.transcript.to_json()] == list(range(1, len(scene.wallet.transcript.to_json()) + 1))


ANONYMOUS = [
    "stale-c-nonce", "proof-without-nonce", "proof-without-audience", "foreign-proof-key", "wrong-proof-audience",
    "symmetric-proof", "dpop-replay", "dpop-other-key", "tx-code-guessing",
]  # fmt: skip


@pytest.mark.parametrize("name", ANONYMOUS)
def test_a_misbehaving_wallet_breaks_its_rule_and_no_other(scene: Scene, name: str) -> None:
    issuer, row = scene.issuer(), mischief.receiving(name)
    with pytest.raises(Refused) as caught:
        scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE, misbehave=row)
    assert caught.value.code in row.refusals
    assert scene.wallet.store.holdings() == ()
    assert scene.wallet.notes()[0] == {**scene.wallet.notes()[0], "what": "misbehaviour", "name": name}


@pytest.mark.parametrize(
    "name",
    ["expired-attestation", "challenge-missing", "wrong-verifier", "no-par", "weak-key-attestation", "plain-request",
     "refresh-other-instance"],
)  # fmt: skip
def test_a_misbehaviour_that_would_change_nothing_is_not_done(scene: Scene, name: str) -> None:
    issuer = scene.issuer()
    with pytest.raises(Refused, match="mischief_not_applicable"):
        scene.wallet.receiver().receive(issuer.link(), tx_code=TX_CODE, misbehave=mischief.receiving(name))
    assert scene.internet.requests("/token") == []


def test_guessing_needs_something_to_guess(scene: Scene) -> None:
    issuer = scene.issuer(needs_tx_code=False)
    with pytest.raises(Refused, match="mischief_not_applicable"):
        scene.wallet.receiver().receive(issuer.link(), misbehave=mischief.receiving("tx-code-guessing"))


def test_unknown_misbehaviours_are_refused() -> None:
    with pytest.raises(Refused, match="mischief_unknown"):
        mischief.receiving("nothing")
    with pytest.raises(Refused, match="mischief_unknown"):
        mischief.presenting("nothing")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
