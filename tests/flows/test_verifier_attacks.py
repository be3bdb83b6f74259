"""Every misbehaviour of the catalogue a live transaction can meet (SECURITY V-1 to V-12, J, M): refused, the reason named."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import cbor2
import pytest
from starlette.testclient import TestClient

from tests.flows.test_verifier import EHIC, PDA1, PID, Scene, document_of, pid_of
from tests.support import pki
from tests.support.verifier import check_results, codes, result, sample, verdict
from vc import formats
from vc.clock import to_numeric_date
from vc.encoding import base64url, json
from vc.formats import Challenge
from vc.jose import jwe, jws
from vc.openid4vp import response
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.sdjwt.disclosure import digest
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


class Attack:
    """One open request and the good answer to it, to be bent."""

    def __init__(self, scene: Scene, client: TestClient, **question: Any) -> None:
        self.scene, self.client = scene, client
        self.made = scene.wallet.ask(client, **question)
        self.asked = scene.wallet.fetch(client, self.made["request_uri"])
        self.vp_token = scene.wallet.present(self.asked)

    def post(self, form: dict[str, str]) -> Any:
        return self.scene.wallet.post(self.client, self.asked, form)

    def send(self, vp_token: dict[str, list[str]] | None = None) -> Any:
        return self.post(self.scene.wallet.form(self.asked, self.vp_token if vp_token is None else vp_token))

    def refused(self, answer: Any, code: str, check: str) -> None:
        """The wallet is told what is wrong, and the verdict is reject with the code."""
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"] == "invalid_request"
        assert check in answer.json()["error_description"]
        found = verdict(self.client, self.made)
        assert found["outcome"] == "reject"
        assert code in codes(found), (codes(found), found["checks"])
        assert check_results(found)[check] == "failed"

    def unharmed(self, answer: Any, status: int = 400) -> None:
        """Turned away with something to act on, and the transaction still takes the good answer."""
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"] == "invalid_request"
        assert len(answer.json()["error_description"]) > 10
        assert result(self.client, self.made)["state"] == "pending"
        assert self.send().status_code == 200
        assert verdict(self.client, self.made)["outcome"] == "accept"


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


# --- V-7, J-7, M-4: holder binding


def rebound(attack: Attack, **changes: Any) -> dict[str, list[str]]:
    """The good answer with the document's key binding made anew: header, claims or key changed."""
    text = attack.vp_token["document_sd_jwt"][0]
    hashed = text[: text.rindex("~") + 1]
    holder = changes.pop("holder", attack.scene.wallet.held[2].holder)
    typ, alg = changes.pop("typ", "kb+jwt"), changes.pop("alg", None)
    claims = {
        "nonce": attack.asked.nonce,
        "aud": attack.asked.client.full,
        "iat": to_numeric_date(attack.scene.world.now),
        "sd_hash": digest(changes.pop("hashed", hashed)),
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    if alg is None:
        token = jws.sign({"typ": typ}, json.dumps(claims), holder)
    else:
        head = base64url.encode(json.dumps({"alg": alg, "typ": typ}))
        token = f"{head}.{base64url.encode(json.dumps(claims))}."
    return {**attack.vp_token, "document_sd_jwt": [hashed + token]}


def extra_disclosure(attack: Attack) -> dict[str, list[str]]:
    """A further genuine disclosure slipped in after the holder signed."""
    text = attack.vp_token["pid_sd_jwt"][0]
    held = attack.scene.wallet.held[0].text
    more = next(one for one in held.split("~")[1:] if one and one not in text)
    head, tail = text.rsplit("~", 1)
    return {**attack.vp_token, "pid_sd_jwt": [f"{head}~{more}~{tail}"]}


HOLDER_ATTACKS: dict[str, tuple[Callable[[Attack], dict[str, list[str]]], str]] = {
    "no key binding": (
        lambda a: {**a.vp_token, "document_sd_jwt": [a.vp_token["document_sd_jwt"][0].rsplit("~", 1)[0] + "~"]},
        "holder_proof_missing",
    ),
    "another key": (lambda a: rebound(a, holder=pki.holder()), "holder_proof_signature"),
    "stale nonce": (lambda a: rebound(a, nonce="x" * 32), "holder_proof_wrong_nonce"),
    "no nonce": (lambda a: rebound(a, nonce=None), "holder_proof_wrong_nonce"),
    "wrong audience": (lambda a: rebound(a, aud="x509_hash:other"), "holder_proof_wrong_audience"),
    "audience without prefix": (lambda a: rebound(a, aud=a.asked.client.value), "holder_proof_wrong_audience"),
    "audience as list": (lambda a: rebound(a, aud=[a.asked.client.full, "other"]), "holder_proof_wrong_audience"),
    "old": (lambda a: rebound(a, iat=to_numeric_date(a.scene.world.now) - 361), "holder_proof_time"),
    "future": (lambda a: rebound(a, iat=to_numeric_date(a.scene.world.now) + 61), "holder_proof_time"),
    "no time": (lambda a: rebound(a, iat=None), "holder_proof_time"),
    "another typ": (lambda a: rebound(a, typ="JWT"), "holder_proof_invalid"),
    "alg none": (lambda a: rebound(a, alg="none"), "holder_proof_invalid"),
    "another hash": (lambda a: rebound(a, hashed="x"), "holder_proof_altered"),
}


@pytest.mark.parametrize("case", HOLDER_ATTACKS)
def test_a_bad_key_binding_is_refused_with_the_exact_reason(scene: Scene, client: TestClient, case: str) -> None:
    """J-7, VP-SD-1."""
    attack = Attack(scene, client, format="dc+sd-jwt")
    bend, code = HOLDER_ATTACKS[case]

    answer = attack.send(bend(attack))

    attack.refused(answer, code, "holder_binding")
    found = verdict(client, attack.made)
    assert found["document"] is None
    assert check_results(found)["status"] == "not_checked"


def test_a_disclosure_added_after_signing_is_refused(scene: Scene, client: TestClient) -> None:
    attack = Attack(scene, client, format="dc+sd-jwt")

    answer = attack.send(extra_disclosure(attack))

    assert answer.status_code == 400
    assert codes(verdict(client, attack.made))[0] == "pid.holder_proof_altered"
    assert verdict(client, attack.made)["identity"] is None


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_presentation_copied_from_another_request_is_refused(scene: Scene, client: TestClient, form: str) -> None:
    """V-7: replayed by a second phone into its own, well-addressed answer."""
    victim, thief = Attack(scene, client, format=form), Attack(scene, client, format=form)
    victim.send()

    answer = thief.send(victim.vp_token)

    code = "holder_proof_wrong_nonce" if form == "dc+sd-jwt" else "holder_proof_mismatch"
    thief.refused(answer, code, "holder_binding")


CHALLENGES: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "x" * 32},
    "client": {"audience": "x509_hash:x"},
    "response URI": {"response_uri": "https://x"},
    "thumbprint": {"encryption_thumbprint": secrets.token_bytes(32)},
    "no thumbprint": {"encryption_thumbprint": None},
}


@pytest.mark.parametrize("case", CHALLENGES)
def test_an_mdoc_over_another_transcript_is_refused(scene: Scene, client: TestClient, case: str) -> None:
    """M-4, VP-MDOC-2."""
    attack = Attack(scene, client, format="mso_mdoc")
    bent = scene.wallet.present(attack.asked, challenge=replace(scene.wallet.challenge(attack.asked), **CHALLENGES[case]))

    attack.refused(attack.send(bent), "holder_proof_mismatch", "holder_binding")


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_copied_credential_without_its_key_is_refused(scene: Scene, client: TestClient, form: str) -> None:
    for one in scene.wallet.held[2:]:
        one.holder = pki.holder()
    attack = Attack(scene, client, format=form)

    answer = attack.send()

    attack.refused(answer, "holder_proof_signature" if form == "dc+sd-jwt" else "holder_proof_mismatch", "holder_binding")


# --- J-1 to J-6: what the issuer signed


def bent_document(attack: Attack, change: Callable[[list[str]], list[str]]) -> dict[str, list[str]]:
    """The document with its parts (`jwt`, disclosures) changed and a key binding that fits again."""
    text = attack.vp_token["document_sd_jwt"][0]
    *parts, _kb = text.split("~")
    hashed = "~".join(change(parts)) + "~"
    holder = attack.scene.wallet.held[2].holder
    claims = {
        "nonce": attack.asked.nonce,
        "aud": attack.asked.client.full,
        "iat": to_numeric_date(attack.scene.world.now),
        "sd_hash": digest(hashed),
    }
    return {**attack.vp_token, "document_sd_jwt": [hashed + jws.sign({"typ": "kb+jwt"}, json.dumps(claims), holder)]}


def _payload_changed(parts: list[str]) -> list[str]:
    head, body, signature = parts[0].split(".")
    claims = {**json.loads(base64url.decode(body)), "ending_date": "2499-01-01"}
    return [f"{head}.{base64url.encode(json.dumps(claims))}.{signature}", *parts[1:]]


def _alg(name: str) -> Callable[[list[str]], list[str]]:
    def change(parts: list[str]) -> list[str]:
        head, body, signature = parts[0].split(".")
        header = {**json.loads(base64url.decode(head)), "alg": name}
        return [f"{base64url.encode(json.dumps(header))}.{body}.{'' if name == 'none' else signature}", *parts[1:]]

    return change


def _value(parts: list[str]) -> list[str]:
    salt, name, _ = json.loads(base64url.decode(parts[1]))
    return [parts[0], base64url.encode(json.dumps([salt, name, "changed"])), *parts[2:]]


def _without_chain(parts: list[str]) -> list[str]:
    head, body, signature = parts[0].split(".")
    header = {key: value for key, value in json.loads(base64url.decode(head)).items() if key != "x5c"}
    return [f"{base64url.encode(json.dumps(header))}.{body}.{signature}", *parts[1:]]


def _zero_signature(parts: list[str]) -> list[str]:
    head, body, _ = parts[0].split(".")
    return [f"{head}.{body}.{base64url.encode(bytes(64))}", *parts[1:]]


ISSUER_ATTACKS: dict[str, tuple[Callable[[list[str]], list[str]], str, str]] = {
    "payload changed": (_payload_changed, "issuer_signature_invalid", "issuer_signature"),
    "alg none": (_alg("none"), "issuer_signature_invalid", "issuer_signature"),
    "HMAC": (_alg("HS256"), "issuer_signature_invalid", "issuer_signature"),
    "another curve's alg": (_alg("ES384"), "issuer_signature_invalid", "issuer_signature"),
    "zero signature": (_zero_signature, "issuer_signature_invalid", "issuer_signature"),
    "no certificate": (_without_chain, "certificate_missing", "issuer_signature"),
    "altered disclosure": (_value, "content_altered", "structure"),
    "foreign disclosure": (
        lambda parts: [*parts, base64url.encode(json.dumps(["salt-salt-salt-salt", "extra", 1]))],
        "content_altered",
        "structure",
    ),
    "disclosure twice": (lambda parts: [*parts, parts[1]], "content_altered", "structure"),
    "disclosure overrides a claim": (
        lambda parts: [*parts, base64url.encode(json.dumps(["salt-salt-salt-salt", "vct", "urn:eudi:pid:1"]))],
        "content_altered",
        "structure",
    ),
    "disclosure is no JSON": (lambda parts: [*parts, base64url.encode(b"junk")], "presentation_malformed", "structure"),
    "no JWT": (lambda parts: ["junk", *parts[1:]], "presentation_malformed", "structure"),
    "a million tildes": (lambda parts: [parts[0], *([""] * 100_000)], "presentation_malformed", "structure"),
}


@pytest.mark.parametrize("case", ISSUER_ATTACKS)
def test_an_sd_jwt_that_the_issuer_did_not_sign_is_refused(scene: Scene, client: TestClient, case: str) -> None:
    attack = Attack(scene, client, format="dc+sd-jwt")
    change, code, check = ISSUER_ATTACKS[case]
    began = time.monotonic()

    answer = attack.send(bent_document(attack, change))

    assert time.monotonic() - began < 2.0
    attack.refused(answer, code, check)
    assert verdict(client, attack.made)["document"] is None


# --- M-1 to M-3, M-9


def bent_mdoc(attack: Attack, change: Callable[[dict[str, Any]], None]) -> dict[str, list[str]]:
    decoded = cbor2.loads(base64url.decode(attack.vp_token["document_mdoc"][0]))
    change(decoded)
    return {**attack.vp_token, "document_mdoc": [base64url.encode(cbor2.dumps(decoded))]}


def _items(value: dict[str, Any]) -> list[Any]:
    items: list[Any] = value["documents"][0]["issuerSigned"]["nameSpaces"]["eu.europa.ec.eudi.pda1.1"]
    return items


def _change_item(position: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        items = _items(value)
        item = {**cbor2.loads(items[position].value), **changes}
        items[position] = cbor2.CBORTag(24, cbor2.dumps(item))

    return change


def _other_doctype(value: dict[str, Any]) -> None:
    value["documents"][0]["docType"] = "eu.europa.ec.eudi.ehic.1"


def _other_namespace(value: dict[str, Any]) -> None:
    spaces = value["documents"][0]["issuerSigned"]["nameSpaces"]
    spaces["other"] = spaces.pop("eu.europa.ec.eudi.pda1.1")


def _two_documents(value: dict[str, Any]) -> None:
    value["documents"].append(value["documents"][0])


def _status_one(value: dict[str, Any]) -> None:
    value["status"] = 10


def _document_errors(value: dict[str, Any]) -> None:
    value["documentErrors"] = [{"eu.europa.ec.eudi.pda1.1": 0}]


def _no_documents(value: dict[str, Any]) -> None:
    value["documents"] = []


def _mac_instead(value: dict[str, Any]) -> None:
    auth = value["documents"][0]["deviceSigned"]["deviceAuth"]
    value["documents"][0]["deviceSigned"]["deviceAuth"] = {"deviceMac": [auth["deviceSignature"][0], {}, None, b"\x00" * 32]}


def _broken_issuer_signature(value: dict[str, Any]) -> None:
    value["documents"][0]["issuerSigned"]["issuerAuth"][3] = b"\x01" * 64


def _no_chain(value: dict[str, Any]) -> None:
    value["documents"][0]["issuerSigned"]["issuerAuth"][1] = {}


MDOC_ATTACKS: dict[str, tuple[Callable[[dict[str, Any]], None], set[str]]] = {
    "first item altered": (_change_item(0, elementValue="changed"), {"content_altered"}),
    "middle item altered": (_change_item(4, elementValue="changed"), {"content_altered"}),
    "last item altered": (_change_item(-1, elementValue="changed"), {"content_altered"}),
    "item renamed": (_change_item(0, elementIdentifier="other"), {"content_altered"}),
    "random altered": (_change_item(0, random=bytes(32)), {"content_altered"}),
    "digest id altered": (_change_item(0, digestID=999), {"content_altered"}),
    "another document type": (_other_doctype, {"content_altered"}),
    "another namespace": (_other_namespace, {"content_altered", "presentation_malformed"}),
    "two documents": (_two_documents, {"presentation_malformed"}),
    "status not 0": (_status_one, {"presentation_malformed"}),
    "document errors": (_document_errors, {"presentation_malformed"}),
    "no documents": (_no_documents, {"presentation_malformed"}),
    "MAC instead of signature": (_mac_instead, {"holder_proof_invalid"}),
    "issuer signature broken": (_broken_issuer_signature, {"issuer_signature_invalid"}),
    "no certificate": (_no_chain, {"certificate_missing", "presentation_malformed"}),
}


@pytest.mark.parametrize("case", MDOC_ATTACKS)
def test_an_altered_mdoc_is_refused(scene: Scene, client: TestClient, case: str) -> None:
    """M-1 to M-4, M-9, R-6: each item counts, first, middle and last."""
    attack = Attack(scene, client, format="mso_mdoc")
    change, expected = MDOC_ATTACKS[case]

    answer = attack.send(bent_mdoc(attack, change))

    assert answer.status_code == 400
    found = verdict(client, attack.made)
    assert found["outcome"] == "reject"
    assert expected & set(codes(found)), (codes(found), found["checks"])
    assert found["document"] is None


@pytest.mark.parametrize("text", ["junk", "", "AAAA", base64url.encode(b"\xa1" * 5000), base64url.encode(b"\x81" * 100_000)])
def test_junk_instead_of_an_mdoc_is_refused(scene: Scene, client: TestClient, text: str) -> None:
    """M-6."""
    attack = Attack(scene, client, format="mso_mdoc")

    answer = attack.send({**attack.vp_token, "document_mdoc": [text or "="]})

    attack.refused(answer, "presentation_malformed", "structure")


# --- J-2, trust: the wallet did nothing wrong, the inspector is told


def rejected_for(scene: Scene, client: TestClient, code: str, **question: Any) -> dict[str, Any]:
    attack = Attack(scene, client, **question)
    answer = attack.send()
    assert (answer.status_code, answer.json()) == (200, {})
    found = verdict(client, attack.made)
    assert found["outcome"] == "reject"
    assert code in codes(found), (codes(found), found["checks"])
    return found


def only_pid(scene: Scene, form: str) -> None:
    scene.wallet.held = [one for one in scene.wallet.held[:2] if one.format == form]


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_look_alike_issuer_is_not_listed(scene: Scene, client: TestClient, form: str) -> None:
    """J-2, M-8: the same names under another authority's key."""
    fake = scene.world.institution("urssaf-copy", listed=False)
    genuine = scene.world.institutions["urssaf"]
    other = pki.root("Test issuing CA")
    subject = {"C": "FR", "O": genuine.name, "organizationIdentifier": genuine.registration_id, "CN": "copy"}
    fake.seal, fake.document_signer = other.leaf(subject=subject), other.leaf(subject=subject, eku=(MDOC_DOCUMENT_SIGNER,))
    only_pid(scene, form)
    scene.hold(fake, PDA1[form], document_of(sample("pda1", "pda1-01"), "pda1"))

    found = rejected_for(scene, client, "issuer_not_listed", format=form)

    assert check_results(found)["issuer_signature"] == "passed"
    assert check_results(found)["status"] == "not_checked"


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_an_institution_for_cards_may_not_issue_certificates(scene: Scene, client: TestClient, form: str) -> None:
    only_pid(scene, form)
    scene.hold(scene.cnam, PDA1[form], document_of(sample("pda1", "pda1-01"), "pda1"))

    rejected_for(scene, client, "issuer_out_of_scope", format=form)


def test_a_pid_provider_may_not_issue_certificates(scene: Scene, client: TestClient) -> None:
    """Roles never share anchors: the list of PID providers says nothing about documents."""
    only_pid(scene, "dc+sd-jwt")
    scene.hold(scene.pids, PDA1["dc+sd-jwt"], document_of(sample("pda1", "pda1-01"), "pda1"))

    rejected_for(scene, client, "issuer_not_listed")


def test_a_document_provider_may_not_issue_identities(scene: Scene, client: TestClient) -> None:
    scene.wallet.held = [one for one in scene.wallet.held[2:] if one.format == "dc+sd-jwt"]
    scene.hold(scene.urssaf, PID["dc+sd-jwt"], pid_of(sample("pda1", "pda1-01")))

    rejected_for(scene, client, "pid.issuer_not_listed")


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_another_countrys_document_is_refused(scene: Scene, client: TestClient, form: str) -> None:
    only_pid(scene, form)
    scene.hold(scene.urssaf, PDA1[form], document_of(sample("pda1", "pda1-06"), "pda1"))

    found = rejected_for(scene, client, "issuer_content_mismatch", format=form, host_country="FR", on="2027-01-10")

    assert check_results(found)["trust_content"] == "failed"


@pytest.mark.parametrize("key", ["seal", "status_signer"])
def test_the_key_of_another_use_does_not_count(scene: Scene, client: TestClient, key: str) -> None:
    """Anchors of one role are none for another: the status key seals nothing, the seal key signs no mdoc."""
    form = "dc+sd-jwt" if key == "status_signer" else "mso_mdoc"
    only_pid(scene, form)
    scene.hold(scene.urssaf, PDA1[form], document_of(sample("pda1", "pda1-01"), "pda1"), signer=getattr(scene.urssaf, key))

    attack = Attack(scene, client, format=form)
    attack.send()

    assert verdict(client, attack.made)["outcome"] == "reject"


def test_a_credential_dated_before_its_certificate_is_refused(scene: Scene, client: TestClient) -> None:
    """M-5 for both formats: signed outside the life of the certificate."""
    only_pid(scene, "dc+sd-jwt")
    scene.hold(
        scene.urssaf, PDA1["dc+sd-jwt"], document_of(sample("pda1", "pda1-01"), "pda1"), issued_at=pki.NOW - timedelta(days=31)
    )

    rejected_for(scene, client, "certificate_expired")


# --- V-8: the same person


@pytest.mark.parametrize(
    ("identity", "what"),
    [
        ({"family_name": "DUPONT"}, "surname"),
        ({"given_name": "Dominique"}, "forenames"),
        ({"birth_date": "1988-04-18"}, "date of birth"),
    ],
)
def test_a_document_of_somebody_else_is_refused(scene: Scene, client: TestClient, identity: dict[str, str], what: str) -> None:
    """V-8: another person; the same name with another birth date."""
    entry = sample("pda1", "pda1-01")
    entry["identity"] |= identity
    only_pid(scene, "mso_mdoc")
    scene.hold(scene.urssaf, PDA1["mso_mdoc"], document_of(entry, "pda1"))

    found = rejected_for(scene, client, "identity_mismatch", format="mso_mdoc")

    assert check_results(found)["same_holder"] == "failed"
    detail = next(one["detail"] for one in found["checks"] if one["id"] == "same_holder")
    assert what in detail


def test_a_card_held_for_a_child_names_the_child(scene: Scene, client: TestClient) -> None:
    """DOMAIN 6.2 rule 5: the parent is the PID's person, the child stands in `subject`."""
    entry = sample("ehic", "ehic-03")
    country = entry["document_data"]["issuing_country"]
    issuer = scene.world.institution("issuer-of-the-card", country, types=("ehic",))
    scene.world.now += timedelta(seconds=5)
    for form in ("dc+sd-jwt", "mso_mdoc"):
        scene.wallet.held = []
        scene.hold(scene.pids, PID[form], pid_of(entry))
        configuration = "ehic_dc4eu-2_sd_jwt" if form == "dc+sd-jwt" else EHIC[form]
        scene.hold(issuer, configuration, document_of(entry, "ehic"), issued_at=scene.world.now)
        attack = Attack(scene, client, purpose="ehic-care", host_country="GR", on="2026-07-01", format=form)
        attack.send()
        found = verdict(client, attack.made)

        assert found["outcome"] == "accept", found["reasons"]
        assert codes(found) == ["representation"]
        assert found["document"]["subject"]["forenames"]
