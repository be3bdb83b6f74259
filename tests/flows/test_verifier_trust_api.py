"""The trust lists asked over the verifier's own door (TRUST 8), and the path drawn where people read the verdict."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.support.verifier_scene import Scene
from trust_list.model import write_time
from vc.keys.signer import LocalSigner
from vc.x509.certificate import der

HOUR = timedelta(hours=1)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


def chain(signer: LocalSigner) -> list[str]:
    return [b64encode(der(certificate)).decode() for certificate in signer.chain]


def asked(signer: LocalSigner, **changes: Any) -> dict[str, Any]:
    body = {"chain": chain(signer), "format": "dc+sd-jwt", "attestation_type": "pda1", **changes}
    return {name: value for name, value in body.items() if value is not None}


def evaluate(client: TestClient, signer: LocalSigner, **changes: Any) -> dict[str, Any]:
    answer = client.post("/trust/evaluate", json=asked(signer, **changes))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_decision_with_its_whole_path(scene: Scene, client: TestClient) -> None:
    told = evaluate(client, scene.urssaf.seal)
    assert (told["outcome"], told["entity"]["id"], told["list"]["seq"]) == ("TRUSTED", scene.urssaf.registration_id, 1)
    assert {edge["question"] for edge in told["edges"]} >= {"path", "identity", "listed", "sealed", "pinned", "scope", "content"}
    document = next(node for node in told["nodes"] if node["id"] == "document")
    assert document["facts"]["issuing_country"] == "FR"  # that of the certificate, since none was given
    assert document["facts"]["type_id"].startswith("urn:")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"attestation_type": "ehic"}, "OUT_OF_SCOPE"),
        ({"issuing_country": "SE"}, "OUT_OF_SCOPE"),
        ({"list": "pid"}, "UNKNOWN_ISSUER"),
        ({"role": "revocation"}, "UNKNOWN_ISSUER"),
        ({"list": "other"}, "INDETERMINATE"),
        ({"t_now": "2020-01-01T00:00:00Z"}, "UNKNOWN_ISSUER"),
    ],
)
def test_that_a_signer_is_not_believed_is_an_answer(
    scene: Scene, client: TestClient, changes: dict[str, Any], outcome: str
) -> None:
    told = evaluate(client, scene.urssaf.seal, **changes)
    assert told["outcome"] == outcome
    assert told["reasons"]


def test_a_status_signer_is_asked_about_with_its_body(scene: Scene, client: TestClient) -> None:
    members = {"role": "revocation", "format": None, "attestation_type": None}
    for entity_id, outcome in ((scene.urssaf.registration_id, "TRUSTED"), (scene.cnam.registration_id, "UNKNOWN_ISSUER")):
        assert evaluate(client, scene.urssaf.status_signer, entity_id=entity_id, **members)["outcome"] == outcome


def test_both_modes(scene: Scene, client: TestClient) -> None:
    scene.world.withdraw(scene.urssaf)
    signed = write_time(scene.world.now - HOUR)
    scene.world.now += HOUR
    with scene.world.service() as later:
        assert evaluate(later, scene.urssaf.seal, t_issue=signed)["outcome"] == "WITHDRAWN"
        assert evaluate(later, scene.urssaf.seal, t_issue=signed, mode="historical")["outcome"] == "TRUSTED_AT_ISSUANCE"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"chain": None}, "/chain"),
        ({"chain": []}, "/chain"),
        ({"chain": ["%"]}, "/chain"),
        ({"chain": ["AAAA"]}, ""),
        ({"role": "wallet"}, "/role"),
        ({"format": "jwt_vc"}, "/format"),
        ({"issuing_country": "fr"}, "/issuing_country"),
        ({"t_issue": "yesterday"}, "/t_issue"),
        ({"t_now": 1}, "/t_now"),
        ({"attestation_type": "cake"}, "/attestation_type"),
        ({"mode": "lenient"}, "/mode"),
        ({"anchors": []}, "/anchors"),  # nothing that is sent along can become an anchor
    ],
)
def test_a_question_that_breaks_the_form(scene: Scene, client: TestClient, changes: dict[str, Any], pointer: str) -> None:
    answer = client.post("/trust/evaluate", json=asked(scene.urssaf.seal, **changes))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["code"] == "invalid_request"
    assert answer.json()["detail"].startswith(pointer)


@pytest.mark.parametrize("body", [b"", b"[", b'{"mode":"strict","mode":"strict"}', b"[" * 10_000])
def test_what_is_no_json_object(client: TestClient, body: bytes) -> None:
    answer = client.post("/trust/evaluate", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert client.post("/trust/evaluate", content=body, headers={"content-type": "text/plain"}).status_code == 415


def test_the_state_of_the_lists(scene: Scene, client: TestClient) -> None:
    state = client.get("/trust/state").json()
    assert [(row["id"], row["state"], row["seq"], row["age"]) for row in state["lists"][:2]] == [
        ("pid", "FRESH", 1, 0), ("pub-eaa", "FRESH", 1, 0),
    ]  # fmt: skip
    assert (state["root"]["version"], state["root"]["alarm"]) == (1, None)
    # listed for 20 of 30 days: over half of the edition's life is gone
    assert {alert["code"] for alert in state["alerts"]} == {"next_update_near"}
    scene.world.reply["lists.test"] = lambda _: httpx2.Response(500)
    scene.world.now += 3 * HOUR
    for _ in range(2):  # the second comes when the refresh that the first began is over
        row = client.get("/trust/state").json()["lists"][0]
    assert (row["state"], row["age"], row["outage"]["code"], row["alarm"]) == ("AGEING", 3 * 3600, "status", None)


def test_the_state_as_metrics(scene: Scene, client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, sample.labels.get("list")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["portadoc_trust_list_edition", "pub-eaa"] == 1
    assert samples["portadoc_trust_alerts", "pub-eaa"] == 1


def test_the_token_of_the_api_guards_them(scene: Scene) -> None:
    settings = scene.world.settings(api_token_sha256=sha256(b"secret").hexdigest())
    with scene.world.service(settings) as client:
        calls = (("POST", "/trust/evaluate"), ("GET", "/trust/state"), ("GET", "/metrics"))
        for method, path in calls:
            refused = client.request(method, path)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer"), path
            told = client.request(method, path, headers={"authorization": "Bearer secret"})
            assert told.status_code == (415 if method == "POST" else 200)


def verdict_page(scene: Scene, client: TestClient) -> str:
    posted = client.post("/requests", data={"purpose": "a1-inspection", "host_country": "DE", "on": "2026-10-15"})
    where = posted.headers["location"]
    link = client.get(where).text.split('href="openid4vp:')[1].split('"')[0].replace("&amp;", "&")
    scene.wallet.answer(client, {"request_uri": f"openid4vp:{link}"})
    return client.get(urlsplit(where).path).text


def test_the_verdict_page_draws_both_paths(scene: Scene, client: TestClient) -> None:
    text = verdict_page(scene, client)
    assert text.count('<ol class="trunk"') == 2
    assert "Why the signer of the document is believed" in text
    assert "Why the signer of the proof of identity is believed" in text
    assert "<details>\n    <summary>The path" in text
    assert "style=" not in text
    assert ".trunk" in client.get("/static/verifier.css").text


def test_the_verdict_page_opens_the_path_where_it_breaks(scene: Scene) -> None:
    scene.world.withdraw(scene.urssaf)
    with scene.world.service() as client:
        text = verdict_page(scene, client)
    assert "Why the signer of the document is not believed" in text
    assert "<details open>" in text
    assert "What to do:" in text
