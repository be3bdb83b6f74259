"""The publisher over HTTP: validators, immutability, problems (SECURITY 2.1)."""

from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.support.pki import NOW
from tests.support.trust import Institution
from trust_list import authoring
from trust_list.app import create_app
from trust_list.serving import listen
from trust_list.store import Publisher
from vc.encoding import json
from vc.errors import Malformed


@pytest.fixture
def home(tmp_path: Path, urssaf: Institution) -> Path:
    authoring.init(tmp_path, base_url="http://lists.test", now=NOW)
    authoring.add_entities(tmp_path, "pub-eaa", (urssaf.draft(),), now=NOW)
    authoring.publish(tmp_path, "pub-eaa", now=NOW)
    return tmp_path


@pytest.fixture
def client(home: Path) -> TestClient:
    return TestClient(create_app(home, clock=lambda: NOW), base_url="http://lists.test")


def test_serves_the_current_edition_with_a_validator(home: Path, client: TestClient) -> None:
    first = client.get("/lists/pub-eaa.jws")
    edition = Publisher(home).latest("pub-eaa")
    assert edition is not None
    assert (first.status_code, first.headers["content-type"], first.content) == (200, "application/jose", edition.jws)
    assert first.headers["cache-control"] == "public, max-age=60"
    again = client.get("/lists/pub-eaa.jws", headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    authoring.publish(home, "pub-eaa", now=NOW + timedelta(days=1))
    changed = client.get("/lists/pub-eaa.jws", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_past_editions_never_change(home: Path, client: TestClient) -> None:
    current = client.get("/lists/pub-eaa.jws").content
    authoring.publish(home, "pub-eaa", now=NOW)
    past = client.get("/lists/pub-eaa/1.jws")
    assert (past.content, past.headers["cache-control"]) == (current, "public, max-age=31536000, immutable")


def test_an_edition_that_is_not_current_yet_is_not_served(home: Path, client: TestClient) -> None:
    authoring.publish(home, "pub-eaa", now=NOW)
    assert client.get("/lists/pub-eaa/2.jws").status_code == 200
    (home / "lists" / "pub-eaa" / "latest.json").write_text('{"sequence":1}')
    assert client.get("/lists/pub-eaa/2.jws").status_code == 404


def test_serves_the_readable_form(client: TestClient) -> None:
    found = client.get("/lists/pub-eaa.json")
    assert found.headers["content-type"] == "application/json"
    assert found.json()["LoTE"]["ListAndSchemeInformation"]["LoTESequenceNumber"] == 1
    assert found.headers["etag"] != client.get("/lists/pub-eaa.jws").headers["etag"]
    assert client.get("/lists/pub-eaa.json", headers={"if-none-match": found.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/lists/pid.jws",  # not published yet
        "/lists/other.jws",
        "/lists/..%2Foperator.key.pem",
        "/lists/%2e%2e/operator.key.pem",
        "/lists/pub-eaa/2.jws",
        "/lists/pub-eaa/-1.jws",
        "/lists/other/1.jws",
        "/operator.key.pem",
        "/drafts/pub-eaa.json",
        "/config.json",
        "/trust-root.json",
    ],
)
def test_not_found_in_problem_shape(client: TestClient, path: str) -> None:
    found = client.get(path)
    assert (found.status_code, found.headers["content-type"]) == (404, "application/problem+json")
    assert found.json()["title"] == "not_found"


def test_serves_the_trust_root_when_there_is_one(home: Path, client: TestClient) -> None:
    authoring.write_trust_root(home, home / "trust-root.json", now=NOW)
    found = client.get("/trust-root.json")
    assert (found.status_code, found.content) == (200, (home / "trust-root.json").read_bytes())


def test_reads_only(client: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "TRACE"):
        found = client.request(method, "/lists/pub-eaa.jws")
        assert (found.status_code, found.headers["content-type"]) == (405, "application/problem+json")
    assert client.post("/lists/pub-eaa.jws", content=b"x").status_code == 413
    assert client.head("/lists/pub-eaa.jws").status_code == 200


def test_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(("configured", "served"), [(0, 0), (14400, 14400), (999999, 14400), (-1, 60), ("60", 60)])
def test_caches_keep_it_for_four_hours_at_most(home: Path, client: TestClient, configured: object, served: int) -> None:
    config = {**json.loads_object((home / "config.json").read_bytes()), "max_age_seconds": configured}
    (home / "config.json").write_bytes(json.dumps(config))
    assert client.get("/lists/pub-eaa.jws").headers["cache-control"] == f"public, max-age={served}"


def test_reads_where_to_listen(home: Path) -> None:
    assert (listen(home).host, listen(home).port) == ("127.0.0.1", 8003)
    config = {**json.loads_object((home / "config.json").read_bytes()), "listen": {"host": "127.0.0.1", "port": 0}}
    (home / "config.json").write_bytes(json.dumps(config))
    with pytest.raises(Malformed) as caught:
        listen(home)
    assert "listen.port" in caught.value.detail
