"""Pages and API of the verifier: without script, for their own browser only, strict at the door, silent in the logs."""

import io
import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from edge import logs
from tests.support.verifier import sample
from tests.support.verifier_scene import PDA1, Scene, document_of
from vc.documents.model import Document
from vc.encoding import json
from vc.openid4vp import response


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


# --- pages


def test_the_pages_lead_from_the_choice_to_the_verdict(scene: Scene, client: TestClient) -> None:
    start = client.get("/")
    fields = {"purpose": "a1-inspection", "host_country": "DE", "on": "2026-10-15", "format": "any"}
    posted = client.post("/requests", data=fields)
    pending = client.get(posted.headers["location"])
    request_link = re.search(r'href="(openid4vp:[^"]+)"', pending.text)
    assert request_link is not None

    scene.wallet.answer(client, {"request_uri": request_link[1].replace("&amp;", "&")})
    done = client.get(posted.headers["location"])

    assert start.status_code == 200
    assert posted.status_code == 303
    assert '<meta http-equiv="refresh"' in pending.text
    assert "data:image/svg+xml;base64," in pending.text
    assert 'class="verdict accept"' in done.text
    assert "MARTIN" in done.text
    assert '<meta http-equiv="refresh"' not in done.text
    for page in (start, pending, done):
        assert page.text.startswith("<!doctype html>")
        assert '<html lang="en">' in page.text
        assert page.text.count("<h1>") == 1
        assert '<main id="main">' in page.text
        assert "<script" not in page.text
        assert "style=" not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"


def test_a_page_is_for_the_browser_that_asked(scene: Scene, client: TestClient) -> None:
    """V-10, V-11: another browser, or the API, gets nothing with the transaction id alone."""
    posted = client.post("/requests", data={"purpose": "a1-inspection", "host_country": "DE"})
    where = posted.headers["location"]
    assert client.get(where).status_code == 200
    assert "HttpOnly" in posted.headers["set-cookie"]
    assert "SameSite=strict" in posted.headers["set-cookie"]

    client.cookies.clear()
    assert client.get(where).status_code == 404
    client.cookies.set("portadoc_session", "guessed")
    assert client.get(where).status_code == 404
    assert client.get(f"/api/v1{where}").status_code == 404


def test_the_page_follows_the_other_states(scene: Scene, client: TestClient) -> None:
    posted = client.post("/requests", data={"purpose": "ehic-care", "host_country": "IT"})
    where = posted.headers["location"]
    request_link = re.search(r'href="(openid4vp:[^"]+)"', client.get(where).text)
    assert request_link is not None
    asked = scene.wallet.fetch(client, request_link[1].replace("&amp;", "&"))

    scene.wallet.post(client, asked, {"vp_token": "{}", "state": "wrong"})
    refused = client.get(where).text
    scene.wallet.post(client, asked, response.build_error("access_denied", state=asked.state))
    failed = client.get(where).text
    other = client.post("/requests", data={"purpose": "ehic-care", "host_country": "IT"}).headers["location"]
    scene.world.now += timedelta(seconds=301)
    expired = client.get(other).text

    assert "turned away" in refused
    assert "the holder declined" in failed
    assert "The time for this request is over" in expired
    for page in (failed, expired):
        assert '<meta http-equiv="refresh"' not in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"purpose": "x", "host_country": "DE"}, "purpose: one of"),
        ({"purpose": "a1-inspection"}, "host_country:"),
        ({"purpose": "a1-inspection", "host_country": "US"}, "host_country:"),
        ({"purpose": "a1-inspection", "host_country": "DE", "on": "2026-02-30"}, "on: a date"),
        ({"purpose": "a1-inspection", "host_country": "DE", "format": "<b>"}, "format:"),
    ],
)
def test_a_wrong_choice_comes_back_with_the_form(client: TestClient, fields: dict[str, str], said: str) -> None:
    page = client.post("/requests", data=fields)

    assert page.status_code == 400
    assert said in page.text
    assert 'role="alert"' in page.text
    assert "<b>" not in page.text


def test_hostile_content_is_shown_harmless(scene: Scene, client: TestClient) -> None:
    """V-13: markup, direction marks and length in a document's own text."""
    entry = sample("pda1", "pda1-01")
    hostile = "<script>alert(1)</script>\u202e" + "x" * 60
    entry["document_data"]["employer"][0]["name"] = hostile
    scene.wallet.held = [scene.wallet.held[0]]
    scene.hold(
        scene.urssaf,
        PDA1["dc+sd-jwt"],
        Document(type="pda1", data=_with_name(document_of(sample("pda1", "pda1-01"), "pda1"), hostile)),
    )
    posted = client.post("/requests", data={"purpose": "a1-inspection", "host_country": "DE", "on": "2026-10-15"})
    request_link = re.search(r'href="(openid4vp:[^"]+)"', client.get(posted.headers["location"]).text)
    assert request_link is not None

    scene.wallet.answer(client, {"request_uri": request_link[1].replace("&amp;", "&")})
    page = client.get(posted.headers["location"]).text

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page


def _with_name(document: Document, name: str) -> dict[str, Any]:
    data = document.to_json()
    data["employer"][0]["name"] = name
    return data


def test_the_style_sheet_is_served(client: TestClient) -> None:
    found = client.get("/static/verifier.css")

    assert found.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in found.text
    assert "@media print" in found.text


# --- the API's own door


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"host_country": "DE"}, "/purpose"),
        ({"purpose": 1, "host_country": "DE"}, "/purpose"),
        ({"purpose": "a1-inspection", "host_country": ["DE"]}, "/host_country"),
        ({"purpose": "a1-inspection", "host_country": "DE", "format": "vc+sd-jwt"}, "/format"),
        ({"purpose": "a1-inspection", "host_country": "DE", "response_mode": "fragment"}, "/response_mode"),
        ({"purpose": "a1-inspection", "host_country": "DE", "request_uri_method": "PUT"}, "/request_uri_method"),
        ({"purpose": "a1-inspection", "host_country": "DE", "client_id_prefix": "redirect_uri"}, "/client_id_prefix"),
        ({"purpose": "a1-inspection", "host_country": "DE", "dcql_query": {}}, "/dcql_query"),
        ({"purpose": "a1-inspection", "host_country": "XX"}, "host_country"),
        ({"purpose": "tax", "host_country": "DE"}, "purpose"),
        ({"purpose": "a1-inspection", "host_country": "DE", "on": "tomorrow"}, "on"),
    ],
)
def test_a_bad_question_is_a_problem_that_names_the_member(client: TestClient, body: dict[str, Any], pointer: str) -> None:
    found = client.post("/api/v1/requests", json=body)

    assert found.status_code == 400
    assert found.headers["content-type"] == "application/problem+json"
    assert pointer in found.json()["detail"]
    assert "tomorrow" not in found.text
    assert "XX" not in found.text


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"purpose":"a1-inspection","purpose":"ehic-care"}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"purpose":NaN}', "application/json", 400),
        (b'{"purpose":"\\u0000"}', "application/json", 400),
        (b"\xff\xfe{\x00}\x00", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"purpose=a1-inspection", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
        (b"x" * (300 << 10), "application/json", 413),
    ],
)
def test_bad_bodies_get_problems_never_a_fault(client: TestClient, content: bytes, media_type: str, status: int) -> None:
    headers = {"content-type": media_type} if media_type else {}
    found = client.post("/api/v1/requests", content=content, headers=headers)

    assert found.status_code == status
    assert found.json()["status"] == status
    assert "Traceback" not in found.text


def test_other_methods_and_paths(client: TestClient) -> None:
    assert client.put("/api/v1/requests").status_code == 405
    assert client.request("TRACE", "/").status_code == 405
    assert client.get("/api/v1/requests/unknown").json()["code"] == "not_found"
    assert client.get("/oid4vp/unknown/request").json()["error"] == "invalid_request"
    assert client.get("/oid4vp/x/../../etc/passwd").status_code == 404
    assert client.get("/healthz").json() == {"status": "ok"}


def test_the_published_addresses_come_from_the_settings(scene: Scene, client: TestClient) -> None:
    """H-12: a foreign Host changes nothing."""
    body = {"purpose": "a1-inspection", "host_country": "DE"}
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    made = client.post("/api/v1/requests", json=body, headers=headers).json()

    assert "evil" not in json.dumps(made).decode()
    assert made["request_object_uri"].startswith("http://localhost/oid4vp/")


def test_the_api_token_is_asked_when_there_is_one(scene: Scene) -> None:
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # of the text "test"
    with scene.world.service(scene.world.settings(api_token_sha256=digest)) as client:
        body = {"purpose": "a1-inspection", "host_country": "DE"}
        good = client.post("/api/v1/requests", json=body, headers={"authorization": "Bearer test"})
        found = f"/api/v1/requests/{good.json()['transaction_id']}"

        assert good.status_code == 201
        for headers in ({}, {"authorization": "Bearer tes"}, {"authorization": "Basic test"}, {"authorization": "Bearer "}):
            assert client.post("/api/v1/requests", json=body, headers=headers).status_code == 401
            assert client.get(found, headers=headers).status_code == 401
        assert client.get(found, headers={"authorization": "Bearer test"}).status_code == 200


def test_a_database_that_fails_is_said_to_be_temporary(scene: Scene, client: TestClient) -> None:
    """O-7, H-17: 503 in the endpoint's shape, nothing of the database in it."""
    made = scene.wallet.ask(client)
    with sqlite3.connect(scene.folder / "verifier.db") as broken:
        broken.execute("DROP TABLE verifier_transactions")

    for found in (
        client.get(f"/api/v1/requests/{made['transaction_id']}"),
        client.get(urlsplit(made["request_object_uri"]).path),
        client.get(f"/requests/{made['transaction_id']}"),
    ):
        assert found.status_code == 503
        assert found.headers["retry-after"] == "2"
        assert "sqlite" not in found.text.lower()
        assert "verifier_transactions" not in found.text


# --- privacy


def test_nothing_personal_reaches_a_log(scene: Scene, client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    """P-1, at the lowest level, over good and bad answers."""
    written = io.StringIO()
    logs.configure(written, level=10)
    entry = sample("pda1", "pda1-01")
    made = scene.wallet.ask(client)
    asked = scene.wallet.fetch(client, made["request_uri"])
    vp_token = scene.wallet.present(asked)
    scene.wallet.post(client, asked, {"response": "a.b.c.d.e"})
    scene.wallet.post(client, asked, {"vp_token": "MARKED-VALUE", "state": "MARKED-VALUE"})
    scene.wallet.post(client, asked, scene.wallet.form(asked, vp_token))
    scene.wallet.post(client, asked, scene.wallet.form(asked, vp_token))

    captured = capfd.readouterr()
    text = written.getvalue() + captured.out + captured.err
    secret = [
        "MARKED-VALUE", entry["identity"]["family_name"], entry["identity"]["birth_date"], made["transaction_id"], asked.nonce,
        entry["document_data"]["personal_administrative_number"], entry["document_data"]["document_number"], asked.state or "",
        next(iter(vp_token.values()))[0][:40],
    ]  # fmt: skip
    assert "answered" in text
    assert [value for value in secret if value in text] == []
