"""The wallet against the real verifier: honest in every mode, then each misbehaviour by name with the reaction it must get."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.support.internet import Internet
from tests.support.verifier import BASE_URL, World, check_results, sample
from tests.support.wallet import TestWallet, connect
from vc.documents import catalogue
from vc.errors import Malformed, Refused, Unreachable, VcError, VerificationFailed
from wallet_sim import mischief
from wallet_sim.present import Presented

FORMATS = ("dc+sd-jwt", "mso_mdoc")
PDA1 = {"dc+sd-jwt": "pda1_dc4eu-2_sd_jwt", "mso_mdoc": "eu.europa.ec.eudi.pda1_mdoc"}
PID = {"dc+sd-jwt": "pid_sd_jwt", "mso_mdoc": "pid_mdoc"}
HOST = urlsplit(BASE_URL).netloc


class Scene:
    """A verifier, and a wallet that holds PID and A1 in both formats."""

    def __init__(self, folder: Path, client: TestClient, world: World) -> None:
        self.world, self.client, self.internet = world, client, Internet()
        connect(self.internet, world)
        self.internet.function(HOST, self._verifier)
        self.wallet = TestWallet(folder / "wallet", world, self.internet)
        self.spoil: dict[str, Any] = {}
        entry = sample("pda1", "pda1-01")
        person = catalogue.parse("pid", {}, identity=entry["identity"])
        document = catalogue.parse("pda1", entry["document_data"], identity=entry["identity"])
        for form in FORMATS:
            self.wallet.hold(world.institutions["pids"], PID[form], person, copies=2)
            self.wallet.hold(world.institutions["urssaf"], PDA1[form], document, copies=2)

    def _verifier(self, request: httpx2.Request) -> httpx2.Response:
        """The verifier's answers, or what `spoil` puts in place of those whose path ends so."""
        for ending, answer in self.spoil.items():
            if request.url.path.endswith(ending):
                return answer if isinstance(answer, httpx2.Response) else answer(request)
        headers = {name: value for name, value in request.headers.items() if name in ("content-type", "accept")}
        got = self.client.request(request.method, request.url.raw_path.decode(), headers=headers, content=request.content)
        return httpx2.Response(got.status_code, headers=dict(got.headers), content=got.content)

    def ask(self, **question: Any) -> dict[str, Any]:
        body = {"purpose": "a1-inspection", "host_country": "DE", "on": "2026-10-15", "format": "dc+sd-jwt", **question}
        made = self.client.post("/api/v1/requests", json=body)
        assert made.status_code == 201, made.text
        answer: dict[str, Any] = made.json()
        return answer

    def present(self, made: dict[str, Any], name: str | None = None) -> Presented:
        row = None if name is None else mischief.presenting(name)
        return self.wallet.presenter().present(made["request_uri"], misbehave=row)

    def result(self, made: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(f"/api/v1/requests/{made['transaction_id']}").json()
        return answer


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, TestClient]]:
    """One verifier for all tests here; each has a wallet of its own."""
    world = World(tmp_path_factory.mktemp("world"))
    world.institution("urssaf", types=("pda1",))
    world.institution("pids", types=("pid",))
    world.publish_lists()
    with world.service() as client:
        yield world, client


@pytest.fixture
def scene(tmp_path: Path, running: tuple[World, TestClient], monkeypatch: pytest.MonkeyPatch) -> Scene:
    world, client = running
    monkeypatch.setattr(world, "now", world.now)  # what a test changes is put back
    monkeypatch.setattr(world, "access_authority", world.access_authority)
    return Scene(tmp_path, client, world)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_honest_wallet_is_accepted(scene: Scene, format: str, mode: str, method: str) -> None:
    prefix = "x509_san_dns" if method == "post" else "x509_hash"
    made = scene.ask(format=format, response_mode=mode, request_uri_method=method, client_id_prefix=prefix)
    done = scene.present(made)
    assert done.taken
    assert (done.status, done.encrypted, done.misbehaviour) == (200, mode == "direct_post.jwt", None)
    assert done.client_id.startswith(f"{prefix}:")
    verdict = scene.result(made)["verdict"]
    assert verdict["outcome"] == "accept", verdict["reasons"]
    assert set(done.disclosed) == set(done.credentials)
    assert len(done.disclosed) == 2
    assert all(done.disclosed.values())


def test_consent_names_verifier_claims_and_destination(scene: Scene) -> None:
    scene.present(scene.ask())
    (text,) = scene.wallet.asked
    assert text.startswith("Inspection (test) (DE) asks for 2 credential(s).")
    assert f"answer goes to: {BASE_URL}/oid4vp/" in text
    assert "(encrypted)" in text
    assert "    - document_number" in text
    assert "Dupont" not in text


def test_each_copy_is_shown_once(scene: Scene) -> None:
    for _ in range(2):
        scene.present(scene.ask())
    shown = [holding for holding in scene.wallet.store.holdings() if holding.format == "dc+sd-jwt"]
    assert [[copy.uses for copy in holding.copies] for holding in shown] == [[1, 1], [1, 1]]
    assert all(copy.last for holding in shown for copy in holding.copies)


def test_the_transcript_tells_everything_but_the_person(scene: Scene) -> None:
    made = scene.ask()
    scene.present(made, "stale-nonce")
    text = json.dumps(scene.wallet.transcript.to_json(), ensure_ascii=False)
    entry = sample("pda1", "pda1-01")
    for secret in (entry["identity"]["family_name"], entry["document_data"]["personal_administrative_number"]):
        assert secret not in text
    assert "stale-nonce" in text
    decided = ["request verified", "verifier registration", "misbehaviour", "match", "consent"]
    assert [note["what"] for note in scene.wallet.notes()] == decided


# --- misbehaviours: name → check that fails, or the code of the refusal that leaves the transaction alone

REJECTED = {
    "stale-nonce": "holder_binding",
    "wrong-audience": "holder_binding",
    "wrong-transcript": "holder_binding",
    "replay": "holder_binding",
    "foreign-key": "holder_binding",
    "no-key-binding": "holder_binding",
    "old-key-binding": "holder_binding",
    "alg-none": "holder_binding",
    "issuer-alg-none": "issuer_signature",
    "altered-disclosure": ("structure", "issuer_signature"),
    "extra-disclosure": "holder_binding",
    "missing-claim": "query",
    "altered-mdoc-item": ("structure", "issuer_signature"),
    "two-documents": "structure",
    "unencrypted": "structure",
    "unknown-query-id": "query",
}
TURNED_AWAY = {"foreign-request-key", "wrong-state"}
OTHER = {"double-post", "unasked-claim"}


def test_every_misbehaviour_of_presenting_is_tried_here() -> None:
    assert {*REJECTED, *TURNED_AWAY, *OTHER} == mischief.PRESENTING.keys()


CASES = [(name, format) for name in REJECTED for format in FORMATS if format in mischief.PRESENTING[name].seams.formats]


@pytest.mark.parametrize(("name", "format"), CASES)
def test_a_misbehaving_wallet_is_rejected_for_its_reason(scene: Scene, name: str, format: str) -> None:
    made = scene.ask(format=format)
    done = scene.present(made, name)
    found = scene.result(made)
    assert found["state"] == "answered"
    assert found["verdict"]["outcome"] == "reject"
    expected = REJECTED[name]
    results = check_results(found["verdict"])
    failed = {check for check, result in results.items() if result == "failed"}
    wanted = {expected} if isinstance(expected, str) else set(expected)
    assert failed & (wanted | {f"pid.{check}" for check in wanted}), failed
    assert "holder_binding" in failed or results["holder_binding"] != "passed" or name in ("missing-claim", "unknown-query-id")
    assert done.status == 400
    assert not done.taken
    assert done.misbehaviour == name


@pytest.mark.parametrize("format", FORMATS)
def test_a_replay_sends_what_was_taken_before_bit_by_bit(scene: Scene, format: str) -> None:  # SECURITY V-7
    assert scene.present(scene.ask(format=format, response_mode="direct_post")).taken
    assert not scene.present(scene.ask(format=format, response_mode="direct_post"), "stale-nonce").taken
    made = scene.ask(format=format, response_mode="direct_post")
    assert not scene.present(made, "replay").taken
    first, _, last = (dict(parse_qsl(seen.body.decode()))["vp_token"] for seen in scene.internet.requests("/response"))
    assert last == first
    assert check_results(scene.result(made)["verdict"])["holder_binding"] == "failed"


@pytest.mark.parametrize("name", sorted(TURNED_AWAY))
def test_what_is_not_addressed_leaves_the_transaction_alone(scene: Scene, name: str) -> None:  # SECURITY V-3, V-4
    made = scene.ask()
    assert scene.present(made, name).status == 400
    assert scene.result(made)["state"] == "pending"
    assert scene.present(made).taken
    assert scene.result(made)["verdict"]["outcome"] == "accept"


def test_the_second_of_two_posts_is_refused(scene: Scene) -> None:  # R-7
    made = scene.ask()
    done = scene.present(made, "double-post")
    assert done.statuses == (200, 400)
    assert scene.result(made)["verdict"]["outcome"] == "accept"


@pytest.mark.parametrize("format", FORMATS)
def test_what_nobody_asked_for_is_not_shown(scene: Scene, format: str) -> None:  # SECURITY V-12
    plain, more = scene.ask(format=format), scene.ask(format=format)
    scene.present(plain)
    scene.present(more, "unasked-claim")
    first, second = scene.result(plain)["verdict"], scene.result(more)["verdict"]
    assert second["document"] == first["document"]


WRONG_USE = [
    ("altered-disclosure", {"format": "mso_mdoc"}),
    ("wrong-transcript", {"format": "dc+sd-jwt"}),
    ("unencrypted", {"response_mode": "direct_post"}),
    ("foreign-request-key", {"response_mode": "direct_post"}),
]


@pytest.mark.parametrize(("name", "question"), WRONG_USE)
def test_a_misbehaviour_without_a_place_sends_nothing(scene: Scene, name: str, question: dict[str, Any]) -> None:
    made = scene.ask(**question)
    with pytest.raises(Refused, match="mischief_not_applicable"):
        scene.present(made, name)
    assert scene.internet.requests("/response") == []
    assert scene.result(made)["state"] == "pending"


# --- what an honest wallet refuses (SECURITY W-1, W-2)


def nothing_was_disclosed(scene: Scene) -> bool:
    return all(b"vp_token" not in seen.body and b"response=" not in seen.body for seen in scene.internet.seen)


REFUSED: list[tuple[str, Any, type[VcError], str]] = [
    ("gone", httpx2.Response(404), Unreachable, "request_uri"),
    ("redirect", httpx2.Response(302, headers={"location": "https://evil.example/"}), Unreachable, "request_uri"),
    ("page", httpx2.Response(200, content=b"<html>", headers={"content-type": "text/html"}), Malformed, "content_type"),
    (
        "junk",
        httpx2.Response(200, content=b"\xff", headers={"content-type": "application/oauth-authz-req+jwt"}),
        Malformed,
        "jws",
    ),
]


@pytest.mark.parametrize(("answer", "family", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_request_that_cannot_be_had_ends_it(scene: Scene, answer: Any, family: type[VcError], code: str) -> None:
    made = scene.ask()
    scene.spoil["/request"] = answer
    with pytest.raises(family) as caught:
        scene.present(made)
    assert caught.value.code == code
    assert nothing_was_disclosed(scene)


def test_a_request_of_an_unknown_authority_is_not_answered_at_all(scene: Scene) -> None:
    made = scene.ask()
    scene.world.access_authority = scene.world.authority
    with pytest.raises(VerificationFailed, match="path_unknown_issuer"):
        scene.present(made)
    assert scene.internet.requests("/response") == []


def test_a_link_for_another_client_is_not_answered(scene: Scene) -> None:  # VP-REQ-4
    made = scene.ask()
    other = made["request_uri"].replace("x509_hash%3A", "x509_hash%3Ax")
    with pytest.raises(Refused, match="client_id_mismatch"):
        scene.wallet.presenter().present(other)
    assert scene.internet.requests("/response") == []


def test_a_replayed_request_does_not_carry_our_nonce(scene: Scene) -> None:  # VP-REQ-7
    made = scene.ask(request_uri_method="post")
    path = urlsplit(made["request_object_uri"]).path
    earlier = scene.client.post(path, data={"wallet_nonce": "another"})
    scene.spoil["/request"] = httpx2.Response(200, content=earlier.content, headers=dict(earlier.headers))
    with pytest.raises(VerificationFailed, match="wallet_nonce"):
        scene.present(made)


def test_a_wallet_that_lacks_something_says_so_and_shows_nothing(scene: Scene) -> None:  # VP-DCQL-5, VP-RSP-9
    made = scene.ask(purpose="ehic-care")
    with pytest.raises(Refused, match="dcql_unsatisfied"):
        scene.present(made)
    assert nothing_was_disclosed(scene)
    found = scene.result(made)
    assert found["state"] == "failed"
    assert found["error"]["code"] == "access_denied"


def test_a_user_who_declines_shows_nothing(scene: Scene, tmp_path: Path) -> None:
    shy = TestWallet(tmp_path / "wallet", scene.world, scene.internet, agree=False)
    made = scene.ask()
    with pytest.raises(Refused, match="declined"):
        shy.presenter().present(made["request_uri"])
    assert nothing_was_disclosed(scene)
    assert scene.result(made)["state"] == "failed"


def test_an_error_response_that_does_not_arrive_is_only_noted(scene: Scene) -> None:
    made = scene.ask(purpose="ehic-care")
    scene.spoil["/response"] = lambda request: (_ for _ in ()).throw(httpx2.ConnectError("gone", request=request))
    with pytest.raises(Refused, match="dcql_unsatisfied"):
        scene.present(made)
    assert scene.wallet.notes()[-1] == {**scene.wallet.notes()[-1], "what": "error response not delivered", "code": "unreachable"}


ANSWERS: list[tuple[str, httpx2.Response, str | None]] = [
    ("redirect", httpx2.Response(303, headers={"location": "https://evil.example/"}), "redirect"),
    ("page", httpx2.Response(200, content=b"<html>", headers={"content-type": "text/html"}), "content_type"),
    ("relative redirect_uri", httpx2.Response(200, json={"redirect_uri": "/done"}), "redirect_uri"),
    ("redirect_uri not text", httpx2.Response(200, json={"redirect_uri": 1}), "redirect_uri"),
    ("redirect_uri", httpx2.Response(200, json={"redirect_uri": "https://verifier.example/done?code=x"}), None),
    ("error page", httpx2.Response(500, content=b"<html>", headers={"content-type": "text/html"}), None),
]


@pytest.mark.parametrize(("answer", "code"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_the_verifiers_answer_is_read_strictly(scene: Scene, answer: httpx2.Response, code: str | None) -> None:  # VP-RSP-4
    made = scene.ask()
    scene.spoil["/response"] = answer
    if code is None:
        done = scene.present(made)
        assert done.taken is (answer.status_code == 200)
        assert done.answer == (answer.json() if answer.status_code == 200 else {"error": "content_type"})
        return
    with pytest.raises(VcError) as caught:
        scene.present(made)
    assert caught.value.code == code


def test_expired_copies_are_still_shown_because_the_verifier_judges(scene: Scene) -> None:
    scene.world.now += timedelta(days=85)
    made = scene.ask()
    assert scene.present(made).taken
    assert scene.result(made)["verdict"]["outcome"] in ("reject", "refresh")
