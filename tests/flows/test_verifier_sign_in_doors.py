"""The provider's doors: bad requests, bad codes, what is kept of a person, and what the metadata promise."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from edge import logs
from tests.support.openid_provider import (
    CLAIMS,
    CLIENT,
    OTHER,
    OTHER_SECRET,
    REDIRECT_URI,
    SECRET,
    Person,
    asked,
    basic,
    href,
    provider,
    provider_member,
    query_of,
    redeem,
    settings,
)
from tests.support.verifier import BASE_URL, sample
from tests.support.verifier_scene import Scene
from verifier.store.tables import connect


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with provider(scene) as client:
        yield client


@pytest.fixture
def engine(scene: Scene, client: TestClient) -> Iterator[Engine]:
    """The provider's database, as another worker sees it."""
    engine = connect(f"sqlite:///{scene.folder}/verifier.db")
    yield engine
    engine.dispose()


@pytest.fixture
def person(scene: Scene, client: TestClient) -> Person:
    return Person(scene, client)


def personal_traces(engine: Engine) -> list[str]:
    """Names of the person in any table of the database."""
    entry = sample("pda1", "pda1-01")["identity"]
    with engine.connect() as connection:
        rows = [
            str(tuple(row))
            for table in ("verifier_transactions", "verifier_authorizations")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    return [row for row in rows for name in ("family_name", "birth_date") if entry[name] in row]


# --- requests that are not as they must be


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_id": "nobody"}, "not registered"),
        ({"client_id": None}, "not registered"),
        ({"client_id": OTHER}, "address"),
        ({"redirect_uri": None}, "address"),
        ({"redirect_uri": "https://evil.test/"}, "address"),
        ({"redirect_uri": REDIRECT_URI + "/"}, "address"),
        ({"redirect_uri": REDIRECT_URI + "?x=1"}, "address"),
        ({"redirect_uri": REDIRECT_URI.upper()}, "address"),
        ({"redirect_uri": "javascript:alert(1)"}, "address"),
    ],
)
def test_an_unknown_client_or_address_is_never_redirected_to(client: TestClient, changes: dict[str, str], said: str) -> None:
    for found in (
        client.get("/openid/authorize", params=asked(**changes)),
        client.post("/openid/authorize", data=asked(**changes)),
    ):
        assert found.status_code == 400
        assert found.headers["content-type"].startswith("text/html")
        assert said in found.text
        assert "location" not in found.headers
        assert "set-cookie" not in found.headers
        assert "evil" not in found.text


def test_a_parameter_that_is_there_twice_is_refused(client: TestClient) -> None:
    found = client.get("/openid/authorize", params=[*asked().items(), ("redirect_uri", "https://evil.test/")])

    assert found.status_code == 400
    assert "location" not in found.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.test/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"nonce": "n" * 2000}, "invalid_request"),
        ({"nonce": "line\nbreak"}, "invalid_request"),
    ],
)
def test_a_bad_request_of_a_known_client_is_told_to_it(
    scene: Scene, client: TestClient, changes: dict[str, str], error: str
) -> None:
    found = client.get("/openid/authorize", params=asked(**changes))

    assert found.status_code == 303
    assert found.headers["location"].startswith(f"{REDIRECT_URI}?")
    answer = query_of(found.headers["location"])
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "state-of-the-client", BASE_URL)
    assert "evil" not in found.headers["location"]
    assert scene.world.asked == [one for one in scene.world.asked if "evil" not in one]


@pytest.mark.parametrize("state", ["s" * 2000, "line\r\nbreak", "ünïcode"])
def test_a_state_that_is_none_is_not_repeated(client: TestClient, state: str) -> None:
    answer = query_of(client.get("/openid/authorize", params=asked(state=state)).headers["location"])

    assert answer["error"] == "invalid_request"
    assert "state" not in answer


@pytest.mark.parametrize("prompt", ["login", "consent login", "select_account"])
def test_what_always_happens_may_be_asked_for(client: TestClient, prompt: str) -> None:
    assert "/openid/sign-in/" in client.get("/openid/authorize", params=asked(prompt=prompt, max_age="0")).headers["location"]


def test_markup_in_state_and_name_stays_text(scene: Scene) -> None:
    hostile = '"><script>alert(1)</script>\u202e'
    member = provider_member(scene.folder)
    member["clients"][0]["name"] = hostile
    with provider(scene, scene.world.settings(openid_provider=member)) as client:
        person = Person(scene, client)
        page = person.begin(state='"><img src=x>&a=b#c')
        scene.world.now += timedelta(seconds=300)
        over = person.look()

    for text_of in (page.text, over.text):
        assert "<script" not in text_of
        assert "<img src=x" not in text_of
        assert "\u202e" not in text_of
    assert query_of(href(over.text, "back"))["state"] == '"><img src=x>&a=b#c'


def test_a_client_has_a_limited_number_of_open_sign_ins(scene: Scene) -> None:
    with provider(scene, settings(scene, max_open=2)) as client:
        for _ in range(2):
            assert "/openid/sign-in/" in client.get("/openid/authorize", params=asked()).headers["location"]
        third = query_of(client.get("/openid/authorize", params=asked()).headers["location"])
        other = asked(client_id=OTHER, redirect_uri="https://other.test/back?tenant=1")
        assert "/openid/sign-in/" in client.get("/openid/authorize", params=other).headers["location"]
        scene.world.now += timedelta(seconds=300)
        assert "/openid/sign-in/" in client.get("/openid/authorize", params=asked()).headers["location"]

    assert third["error"] == "temporarily_unavailable"


# --- the code


@pytest.mark.parametrize(
    ("headers", "changes", "status", "error"),
    [
        (basic(secret="wrong"), {}, 401, "invalid_client"),
        (basic(client_id="nobody"), {}, 401, "invalid_client"),
        ({}, {}, 401, "invalid_client"),
        ({}, {"client_id": CLIENT}, 401, "invalid_client"),
        ({}, {"client_id": CLIENT, "client_secret": "wrong"}, 401, "invalid_client"),
        ({"authorization": "Bearer x"}, {}, 401, "invalid_client"),
        ({"authorization": "Basic ???"}, {}, 401, "invalid_client"),
        ({"authorization": "Basic bm9ib2R5"}, {}, 401, "invalid_client"),
        (basic(), {"client_secret": "x"}, 400, "invalid_request"),
        (basic(), {"client_id": OTHER}, 400, "invalid_request"),
        (basic(), {"grant_type": None}, 400, "invalid_request"),
        (basic(), {"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        (basic(), {"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        (basic(), {"code": None}, 400, "invalid_request"),
        (basic(), {"code_verifier": None}, 400, "invalid_request"),
        (basic(), {"redirect_uri": None}, 400, "invalid_request"),
        (basic(), {"code": "guessed"}, 400, "invalid_grant"),
        (basic(OTHER, OTHER_SECRET), {}, 400, "invalid_grant"),
    ],
)
def test_a_bad_token_request_is_refused_and_spends_nothing(
    *, client: TestClient, person: Person, headers: dict[str, str], changes: dict[str, Any], status: int, error: str
) -> None:
    """R-3: whoever is not the client, or does not name the code, does not spoil it for the client."""
    code = person.code()
    refused = redeem(client, code, headers=headers, **changes)

    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert ("www-authenticate" in refused.headers) == (status == 401)
    assert "id_token" not in refused.text
    assert redeem(client, code).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": "short"},
        {"redirect_uri": "https://evil.test/"},
        {"redirect_uri": REDIRECT_URI + "/"},
    ],
)
def test_a_code_with_the_wrong_proof_is_spent(client: TestClient, person: Person, changes: dict[str, Any]) -> None:
    """One try: a verifier or an address cannot be guessed at."""
    code = person.code()
    refused, again = redeem(client, code, **changes), redeem(client, code)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_works_once(client: TestClient, person: Person) -> None:
    code = person.code()
    first, second = redeem(client, code), redeem(client, code)

    assert first.status_code == 200
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400)])
def test_a_code_lives_a_minute(scene: Scene, client: TestClient, person: Person, seconds: int, status: int) -> None:
    code = person.code()
    scene.world.now += timedelta(seconds=seconds)

    assert redeem(client, code).status_code == status


def test_a_client_may_send_its_secret_in_the_form(client: TestClient, person: Person) -> None:
    assert redeem(client, person.code(), headers={}, client_id=CLIENT, client_secret=SECRET).status_code == 200


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"{}", "application/json"),
        (b"code=a&code=b", "application/x-www-form-urlencoded"),
        (b"grant_type=password", "text/plain"),  # unsupported_grant_type if it were read
        (b"", ""),
    ],
)
def test_a_body_that_is_no_form_is_refused(client: TestClient, content: bytes, media_type: str) -> None:
    headers = {**basic(), **({"content-type": media_type} if media_type else {})}
    found = client.post("/openid/token", content=content, headers=headers)

    assert (found.status_code, found.json()["error"]) == (400, "invalid_request")


# --- what is kept


def test_nothing_of_the_person_is_left_after_the_code_was_redeemed(client: TestClient, person: Person, engine: Engine) -> None:
    code = person.code()
    assert personal_traces(engine), "until then the claims wait for the client"
    assert not [row for row in personal_traces(engine) if "vp_token" in row]
    redeem(client, code)

    assert personal_traces(engine) == []


@pytest.mark.parametrize("answered", ["claims", "verdict"])
def test_nothing_of_the_person_is_left_after_the_time_is_over(
    scene: Scene, client: TestClient, person: Person, engine: Engine, answered: str
) -> None:
    if answered == "claims":
        person.code()
    else:
        person.present(person.link(person.begin().text))
    assert personal_traces(engine)
    scene.world.now += timedelta(seconds=301)
    client.get("/openid/authorize", params=asked())

    assert personal_traces(engine) == []


def test_nothing_personal_and_no_secret_reaches_a_log(
    scene: Scene, client: TestClient, person: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    """P-1, at the lowest level, over a good sign-in and bad token requests."""
    written = io.StringIO()
    logs.configure(written, level=10)
    page = person.begin()
    told = person.present(person.link(page.text))
    code = query_of(person.return_with(told).headers["location"])["code"]
    redeem(client, code, headers=basic(secret="MARKED-VALUE"))
    redeem(client, "MARKED-VALUE")
    token = redeem(client, code).json()

    captured = capfd.readouterr()
    found = written.getvalue() + captured.out + captured.err
    entry = sample("pda1", "pda1-01")["identity"]
    secret = [
        "MARKED-VALUE", entry["family_name"], entry["given_name"], entry["birth_date"], code, token["id_token"], SECRET,
        told.json()["redirect_uri"].partition("=")[2], person.page.rpartition("/")[2], client.cookies["portadoc_sign_in"],
        "state-of-the-client", "nonce-of-the-client",
    ]  # fmt: skip
    assert "code redeemed" in found
    assert [value for value in secret if value in found] == []


# --- what the provider says about itself


def test_the_metadata_say_what_is_enforced(client: TestClient) -> None:
    told = client.get("/.well-known/openid-configuration")
    found = told.json()

    assert told.headers["content-type"] == "application/json"
    assert found["issuer"] == BASE_URL
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    assert found["request_uri_parameter_supported"] is False
    assert found["authorization_response_iss_parameter_supported"] is True
    assert set(CLAIMS) < set(found["claims_supported"])
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert client.get(found[name]).status_code in (200, 400, 405)
    (key,) = client.get(found["jwks_uri"]).json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_without_the_setting_there_is_no_provider(scene: Scene) -> None:
    with scene.world.service() as client:
        for path in ("/.well-known/openid-configuration", "/openid/authorize", "/openid/jwks", "/openid/return"):
            assert client.get(path).status_code == 404
