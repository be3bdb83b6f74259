"""Messages that are wrong before any credential is looked at (SECURITY V-1 to V-6, V-9, R-7): refused, the reason named."""

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.support import pki
from tests.support.verifier import check_results, codes, result, verdict
from tests.support.verifier_scene import Attack, Scene
from trust_list.status_memory import ShortMemory
from vc import formats
from vc.encoding import base64url, json
from vc.formats import Challenge
from vc.jose import jwe
from vc.openid4vp import response
from vc.openid4vp.client_metadata import EncryptionTarget
from verifier.answering import Answering
from verifier.problems import Problem
from verifier.status import StatusLists
from verifier.store.tables import connect
from verifier.store.transactions import Transaction, Transactions


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


# --- V-1, V-2: the request object


@pytest.mark.parametrize("path", ["guessed", "a" * 32, "%00", "..%2f..%2fetc"])
def test_a_guessed_request_is_not_found(client: TestClient, path: str) -> None:
    for found in (client.get(f"/oid4vp/{path}/request"), client.post(f"/oid4vp/{path}/response", data={"state": "x"})):
        assert found.status_code in (400, 404)
        assert found.json()["error"] in ("invalid_request", "not_found")


def test_spent_expired_and_unknown_requests_look_the_same(scene: Scene, client: TestClient) -> None:
    """V-1, P-10."""
    spent, expired = Attack(scene, client), Attack(scene, client)
    spent.send()
    first = client.get(urlsplit(spent.made["request_object_uri"]).path)
    scene.world.now += timedelta(seconds=301)
    second = client.get(urlsplit(expired.made["request_object_uri"]).path)
    third = client.get("/oid4vp/unknown/request")

    assert first.status_code == second.status_code == third.status_code == 404
    assert first.content == second.content == third.content


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("wallet_nonce=" + "a" * 100_000, 400),
        ("wallet_nonce=a%0d%0aX-Injected:%201", 400),
        ("wallet_nonce=%00", 400),
        ("wallet_nonce=a&wallet_nonce=b", 400),
        ("wallet_nonce=", 400),
        ("wallet_metadata=junk", 400),
        ("wallet_metadata=[]", 400),
        ("wallet_nonce=nonce-nonce-nonce-nonce&unknown=x", 200),
        (
            "wallet_metadata=" + '{"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","alg":"ECDH-ES","kid":"1"}]}}',
            200,
        ),
        ("wallet_metadata=" + '{"jwks_uri":"http://status.test/jwks","jwks":17}', 200),
    ],
)
def test_wallet_metadata_is_bounded_and_never_fetched(scene: Scene, client: TestClient, fields: str, status: int) -> None:
    """V-2."""
    attack = Attack(scene, client, request_uri_method="post")
    before = list(scene.world.asked)

    found = client.post(
        urlsplit(attack.made["request_object_uri"]).path,
        content=fields,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert found.status_code == status
    assert "x-injected" not in found.headers
    assert scene.world.asked == before
    assert attack.send().status_code == 200


# --- V-3, V-4: messages that do not prove to belong to the request leave it as it was


def encrypted(attack: Attack, payload: dict[str, Any], **changes: Any) -> dict[str, str]:
    target = attack.asked.client_metadata.encryption
    assert target is not None
    values: dict[str, Any] = {"to": target.key, "kid": target.kid, "enc": "A256GCM", **changes}
    return {"response": jwe.encrypt(json.dumps(payload), **values)}


def payload(attack: Attack, **changes: Any) -> dict[str, Any]:
    return {"vp_token": attack.vp_token, "state": attack.asked.state, **changes}


def with_header(attack: Attack, **changes: Any) -> dict[str, str]:
    """A good JWE under another protected header."""
    token = encrypted(attack, payload(attack))["response"]
    head, rest = token.split(".", 1)
    header = {**json.loads(base64url.decode(head)), **changes}
    return {"response": f"{base64url.encode(json.dumps(header))}.{rest}"}


UNADDRESSED: dict[str, Callable[[Attack], dict[str, str]]] = {
    "nothing": lambda a: {"other": "field"},
    "only a state": lambda a: {"state": a.asked.state or ""},
    "junk as JWE": lambda a: {"response": "junk"},
    "five empty parts": lambda a: {"response": "...."},
    "a signed JWT as JWE": lambda a: {"response": "a.b.c"},
    "form and JWE together": lambda a: {**encrypted(a, payload(a)), "vp_token": "{}", "state": a.asked.state or ""},
    "error and JWE together": lambda a: {**encrypted(a, payload(a)), "error": "access_denied"},
    "no state inside": lambda a: encrypted(a, {"vp_token": a.vp_token}),
    "wrong state inside": lambda a: encrypted(a, payload(a, state="s" * 32)),
    "state as number": lambda a: encrypted(a, payload(a, state=1)),
    "state beside instead of inside": lambda a: {**encrypted(a, {"vp_token": a.vp_token}), "state": a.asked.state or ""},
    "neither token nor error inside": lambda a: encrypted(a, {"state": a.asked.state}),
    "a list inside": lambda a: encrypted(a, [a.vp_token]),  # type: ignore[arg-type]  # what a hostile wallet sends
    "foreign key": lambda a: encrypted(a, payload(a), to=pki.new_key().public_key()),
    "foreign kid": lambda a: encrypted(a, payload(a), kid="other"),
    "no kid": lambda a: encrypted(a, payload(a), kid=None),
    "alg dir": lambda a: with_header(a, alg="dir"),
    "alg RSA1_5": lambda a: with_header(a, alg="RSA1_5"),
    "alg PBES2 with a billion rounds": lambda a: with_header(a, alg="PBES2-HS256+A128KW", p2c=2_000_000_000),
    "enc not offered": lambda a: with_header(a, enc="A128CBC-HS256"),
    "compressed": lambda a: with_header(a, zip="DEF"),
    "critical extension": lambda a: with_header(a, crit=["exp"]),
    "epk off the curve": lambda a: with_header(a, epk={"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 42 + "E"}),
    "altered content": lambda a: {"response": encrypted(a, payload(a))["response"][:-30] + "A" * 30},
    "plain with wrong state": lambda a: response.build_plain(a.vp_token, state="s" * 32),
    "plain without state": lambda a: response.build_plain(a.vp_token, state=None),
    "error with wrong state": lambda a: response.build_error("access_denied", state="s" * 32),
    "error without state": lambda a: response.build_error("access_denied", state=None),
    "an old draft's submission": lambda a: {
        **response.build_plain(a.vp_token, state=a.asked.state),
        "presentation_submission": "{}",
    },
}


@pytest.mark.parametrize("case", UNADDRESSED)
def test_a_message_that_is_not_addressed_leaves_the_request_open(scene: Scene, client: TestClient, case: str) -> None:
    """V-3, V-4: 4xx within a second, something to act on, the transaction unharmed."""
    attack = Attack(scene, client)
    form = UNADDRESSED[case](attack)
    began = time.monotonic()

    answer = attack.post(form)

    assert time.monotonic() - began < 1.0
    refusal = result(client, attack.made)["last_refusal"]
    assert refusal["description"] == answer.json()["error_description"]
    attack.unharmed(answer)


def test_an_encrypted_answer_to_a_plain_question_is_turned_away(scene: Scene, client: TestClient) -> None:
    attack = Attack(scene, client, response_mode="direct_post")
    target = EncryptionTarget(key=pki.new_key().public_key(), kid="mine")

    attack.unharmed(attack.post(response.build_encrypted(attack.vp_token, state=attack.asked.state, to=target, enc="A128GCM")))


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b'{"vp_token":{}}', "application/json", 415),
        (b"vp_token={}", "text/plain", 415),
        (b"vp_token={}", "", 415),
        (b"a=1&a=2", "application/x-www-form-urlencoded", 400),
        (b"vp_token=%ff", "application/x-www-form-urlencoded", 400),
        (b"vp_token=%00", "application/x-www-form-urlencoded", 400),
        (b"response=" + b"a" * (2 << 20), "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=1" % n for n in range(200)), "application/x-www-form-urlencoded", 400),
    ],
)
def test_bodies_that_are_no_form(scene: Scene, client: TestClient, content: bytes, media_type: str, status: int) -> None:
    """VP-RSP-2, H-1, H-6, H-7."""
    attack = Attack(scene, client)
    headers = {"content-type": media_type} if media_type else {}

    answer = client.post(urlsplit(attack.asked.response_uri).path, content=content, headers=headers)

    attack.unharmed(answer, status)


def test_a_form_field_twice_is_refused(scene: Scene, client: TestClient) -> None:
    attack = Attack(scene, client, response_mode="direct_post")
    form = response.build_plain(attack.vp_token, state=attack.asked.state)
    twice = urlencode([*form.items(), ("vp_token", "{}")])

    answer = client.post(
        urlsplit(attack.asked.response_uri).path, content=twice, headers={"content-type": "application/x-www-form-urlencoded"}
    )

    attack.unharmed(answer)


def test_an_answer_for_another_request_is_turned_away_by_both(scene: Scene, client: TestClient) -> None:
    one, two = Attack(scene, client), Attack(scene, client)

    crossed = scene.wallet.post(client, two.asked, scene.wallet.form(one.asked, one.vp_token))

    assert crossed.status_code == 400
    assert one.send().status_code == 200
    two.unharmed(crossed)


# --- V-3, R-7: once


def test_the_same_answer_twice_is_taken_once(scene: Scene, client: TestClient) -> None:
    attack = Attack(scene, client)
    form = scene.wallet.form(attack.asked, attack.vp_token)

    first, second = attack.post(form), attack.post(form)

    assert (first.status_code, second.status_code) == (200, 400)
    assert "already answered" in second.json()["error_description"]
    assert verdict(client, attack.made)["outcome"] == "accept"


def test_a_bad_answer_uses_the_request_up(scene: Scene, client: TestClient) -> None:
    """The good answer that follows does not turn a reject into an accept."""
    attack = Attack(scene, client)
    bad = scene.wallet.present(attack.asked, challenge=Challenge(nonce="x" * 32, audience="y", response_uri="z"))

    assert attack.send(bad).status_code == 400
    assert attack.send().status_code == 400
    assert verdict(client, attack.made)["outcome"] == "reject"


class Slow(Transactions):
    """A worker that read the transaction a moment ago and does not know that another one was faster."""

    def __init__(self, engine: Engine, read: Transaction) -> None:
        super().__init__(engine)
        self._read = read

    def by_request(self, request_id: str) -> Transaction | None:
        return self._read


@pytest.mark.parametrize("form", ["good", "unencrypted", "declined"])
def test_of_two_answers_at_once_the_second_is_refused(scene: Scene, client: TestClient, form: str) -> None:
    """R-7: both workers saw the open request; the claim in the store decides."""
    attack = Attack(scene, client)
    settings = scene.world.settings()
    engine = connect(settings.database)
    path = urlsplit(attack.made["request_object_uri"]).path
    request_id = path.split("/")[2]
    read = Transactions(engine).by_request(request_id)
    assert read is not None
    trust = scene.world.trust()
    status = StatusLists(scene.world.outbound(), ShortMemory(), trust, min_ttl=timedelta(seconds=1))
    slow = Answering(
        settings, Slow(engine, read), trust=trust, status=status, clock=scene.world.clock, random_bytes=secrets.token_bytes
    )
    forms = {
        "good": scene.wallet.form(attack.asked, attack.vp_token),
        "unencrypted": response.build_plain(attack.vp_token, state=attack.asked.state),
        "declined": response.build_error("access_denied", state=attack.asked.state),
    }
    assert attack.send().status_code == 200

    with pytest.raises(Problem) as refused:
        slow.answer(request_id, forms[form])

    engine.dispose()
    assert refused.value.status == 400
    assert "already answered" in refused.value.text
    assert verdict(client, attack.made)["outcome"] == "accept"


# --- V-5, V-6, V-9: addressed, but not what was agreed


def test_an_unencrypted_answer_is_refused(scene: Scene, client: TestClient) -> None:
    """V-5."""
    attack = Attack(scene, client)

    answer = attack.post(response.build_plain(attack.vp_token, state=attack.asked.state))

    attack.refused(answer, "response_not_encrypted", "structure")
    found = verdict(client, attack.made)
    assert found["document"] is None
    assert found["identity"] is None


MALFORMED_TOKENS: dict[str, str] = {
    "not JSON": "{",
    "a text": '"x"',
    "a list": "[]",
    "empty": "{}",
    "a text as answer": '{"document_sd_jwt":"x"}',
    "an empty answer": '{"document_sd_jwt":[]}',
    "a number as presentation": '{"document_sd_jwt":[1]}',
    "an empty presentation": '{"document_sd_jwt":[""]}',
    "a name twice": '{"document_sd_jwt":["x"],"document_sd_jwt":["y"]}',
    "ten thousand entries": "{" + ",".join(f'"q{n}":["x"]' for n in range(10_000)) + "}",
    "deep": '{"document_sd_jwt":' + "[" * 5000 + "]" * 5000 + "}",
    "a strange id": '{"<script>":["x"]}',
}


@pytest.mark.parametrize("case", MALFORMED_TOKENS)
def test_a_malformed_token_is_refused_as_a_whole(scene: Scene, client: TestClient, case: str) -> None:
    """V-6, VP-RSP-1."""
    attack = Attack(scene, client, response_mode="direct_post")

    answer = attack.post({"vp_token": MALFORMED_TOKENS[case], "state": attack.asked.state or ""})

    attack.refused(answer, "response_malformed", "structure")


def test_a_malformed_token_inside_an_encrypted_answer_is_refused(scene: Scene, client: TestClient) -> None:
    attack = Attack(scene, client)

    attack.refused(attack.post(encrypted(attack, payload(attack, vp_token=[]))), "response_malformed", "structure")


ANSWER_SHAPES: dict[str, Callable[[Attack], dict[str, list[str]]]] = {
    "the document alone": lambda a: {"document_sd_jwt": a.vp_token["document_sd_jwt"]},
    "the PID alone": lambda a: {"pid_sd_jwt": a.vp_token["pid_sd_jwt"]},
    "an unknown id": lambda a: {**a.vp_token, "other": a.vp_token["pid_sd_jwt"]},
    "two presentations for one query": lambda a: {**a.vp_token, "document_sd_jwt": a.vp_token["document_sd_jwt"] * 2},
    "the good one and junk": lambda a: {**a.vp_token, "document_sd_jwt": [*a.vp_token["document_sd_jwt"], "junk~"]},
    "the same document in both formats": lambda a: {**a.vp_token, "document_mdoc": ["x"]},
    "answers exchanged": lambda a: {"pid_sd_jwt": a.vp_token["document_sd_jwt"], "document_sd_jwt": a.vp_token["pid_sd_jwt"]},
}


@pytest.mark.parametrize("case", ANSWER_SHAPES)
def test_an_answer_that_is_not_the_query_is_refused(scene: Scene, client: TestClient, case: str) -> None:
    """V-6, V-9, VP-DCQL-5, -6, -11."""
    attack = Attack(scene, client)

    answer = attack.send(ANSWER_SHAPES[case](attack))

    assert answer.status_code == 400
    found = verdict(client, attack.made)
    assert found["outcome"] == "reject"
    assert {"query_not_answered", "document_type_unexpected"} & set(codes(found))
    assert check_results(found)["query"] == "failed"


def test_a_claim_that_was_asked_for_and_is_missing_is_refused(scene: Scene, client: TestClient) -> None:
    """VP-DCQL-3, -11."""
    attack = Attack(scene, client, format="dc+sd-jwt")
    less = scene.wallet.present(attack.asked, disclose=lambda query, chosen: list(chosen)[:1])

    attack.refused(attack.send(less), "query_not_answered", "query")


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_more_than_asked_is_neither_stored_nor_shown(scene: Scene, client: TestClient, form: str) -> None:
    """V-12."""
    attack = Attack(scene, client, format=form)
    more = scene.wallet.present(
        attack.asked, disclose=lambda query, chosen: _everything(scene, form) if query.startswith("pid") else chosen
    )

    answer = attack.send(more)

    assert answer.status_code == 200
    found = verdict(client, attack.made)
    assert found["outcome"] == "accept-with-warning"
    assert codes(found) == ["unasked_claims"]
    assert set(found["identity"]) == {"family_name", "given_name", "birth_date"}
    assert "Lyon" not in client.get(f"/api/v1/requests/{attack.made['transaction_id']}").text


def _everything(scene: Scene, form: str) -> list[Any]:
    held = next(one for one in scene.wallet.held if one.format == form)
    unverified = formats.parse_issued(held.format, held.text)
    return list(unverified.verify_issuer(unverified.chain[0].public_key()).disclosed)  # type: ignore[arg-type]  # EC here
