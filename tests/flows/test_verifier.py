"""The verifier in one process: questions, answers and verdicts, over two workers, in both formats and both response modes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from tests.support import pki
from tests.support.verifier import check_results, codes, result, sample, verdict
from tests.support.verifier_scene import EHIC, FORMATS, PDA1, PID, Scene, document_of, pid_of
from vc.jose import jws
from vc.openid4vp import link, request_uri, response
from vc.openid4vp.client_metadata import EncryptionTarget
from verifier.store.transactions import Transactions


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


# --- happy paths


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@pytest.mark.parametrize("form", [*FORMATS, "any"])
def test_a_good_answer_is_accepted(scene: Scene, client: TestClient, form: str, mode: str, method: str) -> None:
    made = scene.wallet.ask(client, format=form, response_mode=mode, request_uri_method=method)

    answer = scene.wallet.answer(client, made)

    assert (answer.status_code, answer.json()) == (200, {})
    found = verdict(client, made)
    assert found["outcome"] == "accept", found["reasons"]
    assert found["reasons"] == []
    results = check_results(found)
    core = [
        "structure", "issuer_signature", "certificate_path", "trust_listed", "trust_identity", "trust_scope", "trust_content",
        "technical_validity", "status", "holder_binding", "query", "same_holder",
    ]  # fmt: skip
    assert list(results)[: len(core)] == core
    assert {results[name] for name in core} == {"passed"}
    assert {results[f"pid.{name}"] for name in core[:6] + core[7:10]} == {"passed"}
    assert found["document"]["document_number"] == "FR-A1-2026-0000001"
    assert found["identity"]["family_name"] == "MARTIN"
    assert found["validity"]["cover"] == {"from": "2026-09-01", "until": "2027-02-28"}
    assert found["trust"]["list"]["id"] == "pub-eaa"
    assert found["trust"]["list"]["seq"] == 1
    assert found["trust"]["entity"]["name"] == "Institution urssaf (test)"
    assert found["trust"]["pid"]["list"]["id"] == "pid"


@pytest.mark.parametrize("form", FORMATS)
def test_an_insurance_card_is_accepted(scene: Scene, client: TestClient, form: str) -> None:
    entry = sample("ehic", "ehic-01")
    scene.wallet.held = []
    scene.hold(scene.pids, PID[form], pid_of(entry))
    scene.hold(scene.cnam, EHIC[form], document_of(entry, "ehic"))
    made = scene.wallet.ask(client, purpose="ehic-care", host_country="IT", on="2026-12-24", format=form)

    assert scene.wallet.answer(client, made).status_code == 200
    assert verdict(client, made)["outcome"] == "accept"


def test_identity_and_document_may_come_in_different_formats(scene: Scene, client: TestClient) -> None:
    scene.wallet.held = [scene.wallet.held[1], scene.wallet.held[2]]  # PID as mdoc, A1 as SD-JWT VC
    made = scene.wallet.ask(client)

    scene.wallet.answer(client, made)

    assert verdict(client, made)["outcome"] == "accept"


def test_the_san_prefix_works_too(scene: Scene, client: TestClient) -> None:
    made = scene.wallet.ask(client, client_id_prefix="x509_san_dns")

    assert link.parse(made["request_uri"]).client_id == "x509_san_dns:localhost"
    assert scene.wallet.answer(client, made).status_code == 200
    assert verdict(client, made)["outcome"] == "accept"


# --- the request (VP-REQ, VP-CID, VP-DCQL)


def test_the_request_object_is_what_the_specifications_want(scene: Scene, client: TestClient) -> None:
    """VP-REQ-1, -2, -3, -9, -10, -11, HAIP-VP-2, -3, EAA-P-1, -2."""
    made = scene.wallet.ask(client)
    parsed = link.parse(made["request_uri"])
    found = client.get(urlsplit(parsed.request_uri).path)
    token = jws.parse(found.text)
    claims = token.claims()

    assert made["request_uri"].startswith("openid4vp://?")
    assert made["request_object_uri"] == parsed.request_uri
    assert found.headers["content-type"] == "application/oauth-authz-req+jwt"
    assert found.headers["cache-control"] == "no-store"
    assert token.header["typ"] == "oauth-authz-req+jwt"
    assert token.header["iat"] == int(pki.NOW.timestamp())
    assert len(token.header["x5c"]) == 1
    assert claims["client_id"] == parsed.client_id
    assert claims["response_type"] == "vp_token"
    assert claims["response_mode"] == "direct_post.jwt"
    assert claims["aud"] == "https://self-issued.me/v2"
    assert claims["response_uri"].startswith("http://localhost/oid4vp/")
    assert "redirect_uri" not in claims
    assert min(len(claims["nonce"]), len(claims["state"])) >= 22
    assert claims["client_metadata"]["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
    (key,) = claims["client_metadata"]["jwks"]["keys"]
    assert (key["use"], key["alg"], key["crv"]) == ("enc", "ECDH-ES", "P-256")
    assert "d" not in key


def test_every_request_is_fresh(scene: Scene, client: TestClient) -> None:
    """HAIP-VP-3: an ephemeral key per request; ids, nonce and state never repeat, and none of them is another."""
    seen: set[str] = set()
    for _ in range(5):
        made = scene.wallet.ask(client)
        claims = jws.parse(client.get(urlsplit(made["request_object_uri"]).path).text).claims()
        key = claims["client_metadata"]["jwks"]["keys"][0]
        request_id = urlsplit(made["request_object_uri"]).path.split("/")[2]
        seen |= {made["transaction_id"], request_id, claims["nonce"], claims["state"], key["x"]}
        assert made["transaction_id"] not in made["request_uri"]

    assert len(seen) == 25


def test_only_what_the_purpose_needs_is_asked(scene: Scene, client: TestClient) -> None:
    """SECURITY P-9 and DOMAIN 0, first trap: of the DC4EU shapes only the two selectively disclosable claims."""
    made = scene.wallet.ask(client, format="dc+sd-jwt")
    asked = scene.wallet.fetch(client, made["request_uri"])

    queries = {one.id: one for one in asked.query.credentials}
    assert {claim.path for claim in queries["pid_sd_jwt"].claims or ()} == {("family_name",), ("given_name",), ("birthdate",)}
    assert {claim.path for claim in queries["document_sd_jwt"].claims or ()} == {
        ("personal_administrative_number",),
        ("document_number",),
    }
    assert "urn:eudi:pda1:1" in queries["document_sd_jwt"].type_ids
    assert asked.query.sets == ()


def test_any_format_is_offered_by_credential_sets(scene: Scene, client: TestClient) -> None:
    asked = scene.wallet.fetch(client, scene.wallet.ask(client)["request_uri"])

    assert [one.options for one in asked.query.sets] == [
        (("pid_sd_jwt",), ("pid_mdoc",)),
        (("document_sd_jwt",), ("document_mdoc",)),
    ]


def test_fetching_twice_gives_the_same_and_harms_nothing(scene: Scene, client: TestClient) -> None:
    """R-9, VP-REQ-8."""
    made = scene.wallet.ask(client)
    path = urlsplit(made["request_object_uri"]).path

    first, second = client.get(path), client.get(path)

    assert first.text == second.text
    assert scene.wallet.answer(client, made).status_code == 200


def test_the_wallet_nonce_is_copied_and_nothing_else_changes(scene: Scene, client: TestClient) -> None:
    """VP-REQ-7."""
    made = scene.wallet.ask(client, request_uri_method="post")
    path = urlsplit(made["request_object_uri"]).path
    plain = jws.parse(client.get(path).text).claims()

    posted = jws.parse(client.post(path, data=request_uri.build_form(wallet_nonce="a-nonce-of-the-wallet")).text).claims()

    assert link.parse(made["request_uri"]).method == "post"
    assert posted == {**plain, "wallet_nonce": "a-nonce-of-the-wallet"}


def test_the_request_object_is_encrypted_when_the_wallet_asks(scene: Scene, client: TestClient) -> None:
    """VP-REQ-7: nested JWT to the key in wallet_metadata."""
    made = scene.wallet.ask(client, request_uri_method="post")
    key = pki.new_key()
    form = request_uri.build_form(wallet_nonce="n" * 22, encryption=EncryptionTarget(key=key.public_key(), kid="k"))

    found = client.post(urlsplit(made["request_object_uri"]).path, data=form)

    assert found.text.count(".") == 4
    token = request_uri.open_request(found.content, find_key=lambda _kid: key)
    assert jws.parse(token).claims()["wallet_nonce"] == "n" * 22


# --- workers and time


def test_two_workers_share_every_step(scene: Scene) -> None:
    """R-13: made on one worker, fetched on the other, answered on the first, read on the second."""
    settings = scene.world.settings()
    with scene.world.service(settings) as one, scene.world.service(settings) as two:
        made = scene.wallet.ask(one)
        asked = scene.wallet.fetch(two, made["request_uri"])
        form = scene.wallet.form(asked, scene.wallet.present(asked))

        assert scene.wallet.post(one, asked, form).status_code == 200
        assert scene.wallet.post(two, asked, form).status_code == 400
        assert verdict(two, made)["outcome"] == "accept"


def test_a_restart_in_between_loses_nothing(scene: Scene) -> None:
    """O-5."""
    settings = scene.world.settings()
    with scene.world.service(settings) as before:
        made = scene.wallet.ask(before)
        asked = scene.wallet.fetch(before, made["request_uri"])
    with scene.world.service(settings) as after:
        assert scene.wallet.post(after, asked, scene.wallet.form(asked, scene.wallet.present(asked))).status_code == 200
        assert verdict(after, made)["outcome"] == "accept"


def test_a_request_ends_after_five_minutes(scene: Scene, client: TestClient) -> None:
    made = scene.wallet.ask(client)
    asked = scene.wallet.fetch(client, made["request_uri"])
    scene.world.now += timedelta(seconds=299)
    assert client.get(urlsplit(made["request_object_uri"]).path).status_code == 200
    scene.world.now += timedelta(seconds=1)

    assert client.get(urlsplit(made["request_object_uri"]).path).status_code == 404
    late = scene.wallet.post(client, asked, scene.wallet.form(asked, scene.wallet.present(asked)))
    assert late.status_code == 400
    assert result(client, made) | {"expires_at": ""} == {
        "state": "expired", "verdict": None, "error": None, "last_refusal": None, "expires_at": "",
    }  # fmt: skip


def test_results_are_deleted_after_the_retention_time(scene: Scene, client: TestClient) -> None:
    """P-6, EAA-P-8."""
    made = scene.wallet.ask(client)
    scene.wallet.answer(client, made)
    scene.world.now += timedelta(seconds=300 + 3600)
    assert client.get(f"/api/v1/requests/{made['transaction_id']}").status_code == 200
    scene.world.now += timedelta(seconds=1)

    assert client.get(f"/api/v1/requests/{made['transaction_id']}").status_code == 404


def test_a_locked_database_keeps_nobody_from_reading_what_is_not_too_old(
    scene: Scene, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-7: deleting waits for a better moment, the retention time holds all the same."""

    def locked(self: Transactions, before: datetime) -> int:
        raise OperationalError("DELETE", {}, Exception("database is locked"))

    made = scene.wallet.ask(client)
    scene.wallet.answer(client, made)
    monkeypatch.setattr(Transactions, "purge", locked)
    assert client.get(f"/api/v1/requests/{made['transaction_id']}").json()["state"] == "answered"
    scene.world.now += timedelta(seconds=300 + 3601)
    assert client.get(f"/api/v1/requests/{made['transaction_id']}").status_code == 404


# --- what the wallet may say instead


@pytest.mark.parametrize(("error", "code"), [("access_denied", "access_denied"), ("made_up", "other")])
def test_a_wallet_that_declines_ends_the_request(scene: Scene, client: TestClient, error: str, code: str) -> None:
    """VP-RSP-4, -7, -9: unencrypted even where encryption is asked, answered with 200."""
    made = scene.wallet.ask(client)
    asked = scene.wallet.fetch(client, made["request_uri"])

    answer = scene.wallet.post(client, asked, response.build_error(error, state=asked.state))

    assert (answer.status_code, answer.json()) == (200, {})
    found = result(client, made)
    assert (found["state"], found["error"], found["verdict"]) == ("failed", {"code": code}, None)
    assert scene.wallet.post(client, asked, scene.wallet.form(asked, scene.wallet.present(asked))).status_code == 400


def down(_asked: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("down")


# --- verdicts about the issuer and the document, told to the inspector only


def judged(scene: Scene, client: TestClient, **question: Any) -> dict[str, Any]:
    made = scene.wallet.ask(client, **question)
    answer = scene.wallet.answer(client, made)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text
    return verdict(client, made)


@pytest.mark.parametrize("form", FORMATS)
def test_a_revoked_document_is_rejected(scene: Scene, client: TestClient, form: str) -> None:
    assert judged(scene, client, format=form)["outcome"] == "accept"
    scene.urssaf.revoked[scene.index[form]] = 1
    scene.world.now += timedelta(seconds=61)

    found = judged(scene, client, format=form)

    assert found["outcome"] == "reject"
    assert codes(found) == ["revoked"]
    assert check_results(found)["status"] == "failed"


def test_a_host_country_that_is_not_covered_is_rejected(scene: Scene, client: TestClient) -> None:
    assert judged(scene, client, host_country="AT")["outcome"] == "reject"


def test_the_day_after_the_end_is_rejected(scene: Scene, client: TestClient) -> None:
    assert judged(scene, client, on="2027-02-28")["outcome"] == "accept"
    assert judged(scene, client, on="2027-03-01")["outcome"] == "reject"


def test_an_issuer_removed_from_the_list_is_rejected(scene: Scene, client: TestClient) -> None:
    assert judged(scene, client)["outcome"] == "accept"
    scene.world.now += timedelta(seconds=5)
    scene.world.withdraw(scene.urssaf)

    found = judged(scene, client)

    assert found["outcome"] == "reject"
    assert codes(found) == ["issuer_withdrawn"]
    assert found["trust"]["list"]["seq"] == 2
    assert check_results(found)["status"] == "not_checked"


def test_a_trust_list_that_has_run_out_is_undetermined(scene: Scene, client: TestClient) -> None:
    """SECURITY O-23: exactly at the written age."""
    scene.world.reply["lists.test"] = down
    scene.world.now += timedelta(hours=23)
    aged = judged(scene, client)
    assert (aged["outcome"], aged["trust"]["list"]["state"], set(codes(aged))) == (
        "accept-with-warning", "AGEING", {"trust_list_stale", "pid.trust_list_stale"},
    )  # fmt: skip
    scene.world.now += timedelta(hours=2)

    found = judged(scene, client)

    assert found["outcome"] == "undetermined"
    assert "trust_list_expired" in codes(found)
    assert check_results(found)["trust_listed"] == "not_checked"


def test_an_expired_copy_asks_for_a_fresh_one(scene: Scene, client: TestClient) -> None:
    entry = sample("pda1", "pda1-01")
    scene.wallet.held = [scene.wallet.held[0]]
    scene.hold(scene.urssaf, PDA1["dc+sd-jwt"], document_of(entry, "pda1"), valid_until=pki.NOW - timedelta(days=1))

    found = judged(scene, client)

    assert found["outcome"] == "refresh"
    assert codes(found) == ["technically_expired"]
    assert check_results(found)["status"] == "not_checked"
    assert not any("status.test/urssaf" in url for url in scene.world.asked)
