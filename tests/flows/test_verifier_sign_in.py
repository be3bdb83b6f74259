"""The verifier as OpenID Provider: a person signs in with the PID, on one device or two, and only in the browser that began."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from tests.support.openid_provider import (
    CLAIMS,
    OTHER,
    REDIRECT_URI,
    Person,
    asked,
    href,
    id_token,
    provider,
    provider_member,
    query_of,
    redeem,
    settings,
)
from tests.support.verifier import BASE_URL, Held, sample
from tests.support.verifier_scene import PID, Scene, pid_of
from vc.openid4vp import link, response
from verifier.qr import data_uri
from verifier.store.authorizations import Authorizations
from verifier.store.tables import connect
from verifier.store.transactions import Transactions


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


def another_browser(client: TestClient) -> TestClient:
    return TestClient(client.app, base_url=BASE_URL, raise_server_exceptions=False, follow_redirects=False)


def code_link(engine: Engine, page: str) -> str:
    """What the QR code of a page says."""
    found = Authorizations(engine).get(page.rpartition("/")[2])
    assert found is not None
    question = Transactions(engine).by_transaction(found.cross_device_id)
    assert question is not None
    return link.build(client_id=question.request["client_id"], request_uri=f"{BASE_URL}/oid4vp/{question.request_id}/request")


# --- the way through


def test_a_person_signs_in_on_one_device(scene: Scene, client: TestClient, person: Person) -> None:
    """HAIP-VP-4: the wallet sends the browser back with a response code; state, nonce and iss come through."""
    page = person.begin()
    told = person.present(person.link(page.text))
    back = person.return_with(told)
    answer = query_of(back.headers["location"])
    token = redeem(client, answer["code"])
    claims = id_token(client, token.json()["id_token"], scene.world.now)

    assert list(told.json()) == ["redirect_uri"]
    assert told.json()["redirect_uri"].startswith(f"{BASE_URL}/openid/return?response_code=")
    assert back.status_code == 303
    assert back.headers["location"].startswith(f"{REDIRECT_URI}?")
    assert answer == {"code": answer["code"], "state": "state-of-the-client", "iss": BASE_URL}
    assert token.status_code == 200
    assert token.headers["cache-control"] == "no-store"
    assert token.json().keys() == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    entry = sample("pda1", "pda1-01")["identity"]
    assert {name: claims[name] for name in CLAIMS} == {
        "family_name": entry["family_name"], "given_name": entry["given_name"], "birthdate": entry["birth_date"],
    }  # fmt: skip
    assert claims["nonce"] == "nonce-of-the-client"
    assert claims["amr"] == ["pop"]
    assert claims.keys() == {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", *CLAIMS}


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_the_pid_may_come_in_either_format(scene: Scene, client: TestClient, person: Person, form: str) -> None:
    scene.wallet.held = [one for one in scene.wallet.held if one.format == form]
    token = redeem(client, person.code()).json()["id_token"]

    assert id_token(client, token, scene.world.now)["birthdate"] == sample("pda1", "pda1-01")["identity"]["birth_date"]


def test_a_person_signs_in_with_a_wallet_on_another_device(
    scene: Scene, client: TestClient, person: Person, engine: Engine
) -> None:
    waiting = person.begin()
    code_link_shown = code_link(engine, person.page)
    told = person.present(code_link_shown)
    done = person.look()

    assert data_uri(code_link_shown) in waiting.text
    assert waiting.status_code == 200
    assert told.json() == {}, "the wallet of another device has no browser to send back"
    assert done.status_code == 303
    answer = query_of(done.headers["location"])
    assert redeem(client, answer["code"]).status_code == 200
    assert answer["state"] == "state-of-the-client"


def test_the_page_says_who_learns_what_and_needs_no_script(client: TestClient, person: Person) -> None:
    page = person.begin()

    assert '<meta http-equiv="refresh"' in page.text
    assert "data:image/svg+xml;base64," in page.text
    assert 'href="openid4vp:' in page.text
    assert "Urssaf (test)" in page.text
    assert "issuer.test" in page.text
    for label in ("surname", "forenames", "date of birth"):
        assert f"<li>{label}</li>" in page.text
    assert "Scan this code only if you opened this page yourself" in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


def test_the_wallet_is_asked_for_nothing_but_the_registered_claims(scene: Scene, person: Person) -> None:
    """P-9: one credential, exactly the claims of the client."""
    page = person.begin()
    request = scene.wallet.fetch(person.browser, person.link(page.text))

    paths = {query["format"]: [claim["path"] for claim in query["claims"]] for query in request.claims["dcql_query"]["credentials"]}
    assert paths == {
        "dc+sd-jwt": [["family_name"], ["given_name"], ["birthdate"]],
        "mso_mdoc": [["eu.europa.ec.eudi.pid.1", name] for name in ("family_name", "given_name", "birth_date")],
    }


def test_a_claim_a_pid_does_not_have_is_left_out(scene: Scene) -> None:
    """The personal number is asked for, and its absence keeps nobody out."""
    member = provider_member(scene.folder)
    member["clients"][0]["claims"] = ["family_name", "nationalities", "personal_administrative_number"]
    with provider(scene, scene.world.settings(openid_provider=member)) as client:
        without = id_token(client, redeem(client, Person(scene, client).code()).json()["id_token"], scene.world.now)
        scene.wallet.held = [_with_number(scene)]
        having = id_token(client, redeem(client, Person(scene, client).code()).json()["id_token"], scene.world.now)

    assert "personal_administrative_number" not in without
    assert having["personal_administrative_number"] == "TEST-1"
    assert having["nationalities"] == ["FR"]
    assert "given_name" not in having


def _with_number(scene: Scene) -> Held:
    document = pid_of(sample("pda1", "pda1-01"))
    return scene.world.issue(
        scene.pids, PID["dc+sd-jwt"], type(document)(type="pid", data={**document.data, "personal_administrative_number": "TEST-1"})
    )


def test_the_subject_is_another_one_each_time(scene: Scene, client: TestClient, person: Person) -> None:
    first, second = (id_token(client, redeem(client, person.code()).json()["id_token"], scene.world.now) for _ in range(2))

    assert first["sub"] != second["sub"]
    assert len(first["sub"]) >= 32


def test_an_acr_is_said_when_the_operator_states_one(scene: Scene) -> None:
    with provider(scene, settings(scene, acr="https://assurance.test/high")) as client:
        found = id_token(client, redeem(client, Person(scene, client).code()).json()["id_token"], scene.world.now)

        assert found["acr"] == "https://assurance.test/high"
        assert client.get("/.well-known/openid-configuration").json()["acr_values_supported"] == ["https://assurance.test/high"]


def test_a_registered_query_is_kept(client: TestClient, scene: Scene) -> None:
    """RFC 6749 §3.1.2."""
    person = Person(scene, client)
    page = person.begin(client_id=OTHER, redirect_uri="https://other.test/back?tenant=1")
    back = person.return_with(person.present(person.link(page.text)))

    assert query_of(back.headers["location"]).keys() == {"tenant", "code", "state", "iss"}


@pytest.mark.parametrize("missing", ["state", "nonce"])
def test_state_and_nonce_are_the_clients_to_use(scene: Scene, client: TestClient, person: Person, missing: str) -> None:
    page = person.begin(**{missing: None})
    answer = query_of(person.return_with(person.present(person.link(page.text))).headers["location"])
    claims = id_token(client, redeem(client, answer["code"]).json()["id_token"], scene.world.now)

    assert ("state" in answer) == (missing != "state")
    assert ("nonce" in claims) == (missing != "nonce")


def test_the_request_may_come_as_a_form(client: TestClient) -> None:
    """OpenID Connect Core 1.0 §3.1.2.1: GET and POST."""
    assert client.post("/openid/authorize", data=asked()).status_code == 303
    assert client.post("/openid/authorize", content=b"{}", headers={"content-type": "application/json"}).status_code == 400


def test_it_goes_on_at_another_worker_after_a_restart(scene: Scene) -> None:
    """Begun at one process, answered at a second, redeemed at a third."""
    made = settings(scene)
    with provider(scene, made) as first:
        person = Person(scene, first)
        page = person.begin()
        session = dict(first.cookies)
    with provider(scene, made) as second:
        told = Person(scene, second).present(person.link(page.text))
        second.cookies.update(session)
        back = Person(scene, second).return_with(told)
    with provider(scene, made) as third:
        assert redeem(third, query_of(back.headers["location"])["code"]).status_code == 200


# --- the browser that began, and no other


def test_the_cookie_is_kept_from_scripts_and_foreign_sites(client: TestClient, person: Person) -> None:
    begun = client.get("/openid/authorize", params=asked())

    cookie = begun.headers["set-cookie"]
    assert cookie.startswith("portadoc_sign_in=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_under_https_the_cookie_is_bound_to_the_host(scene: Scene) -> None:
    made = scene.world.settings(openid_provider=provider_member(scene.folder), base_url="https://localhost")
    with provider(scene, made) as client:
        cookie = client.get("/openid/authorize", params=asked()).headers["set-cookie"]

    assert cookie.startswith("__Host-portadoc_sign_in=")
    assert "Secure" in cookie


def test_a_response_code_is_refused_in_another_session(scene: Scene, client: TestClient, person: Person) -> None:
    """HAIP-VP-4, OpenID4VP 1.0 §13.3: a link sent on opens in a browser that did not begin; the one that began still can go on."""
    told = person.present(person.link(person.begin().text))
    victim = Person(scene, another_browser(client))
    nobody = victim.return_with(told)
    victim.begin()
    somebody = victim.return_with(told)

    for refused in (nobody, somebody):
        assert refused.status_code == 403
        assert "began in another browser" in refused.text
        assert "location" not in refused.headers
    assert person.return_with(told).status_code == 303


def test_the_page_alone_does_not_sign_in_whom_the_link_was_sent_to(client: TestClient, person: Person) -> None:
    """The browser that began waits in vain: without the response code it learns nothing."""
    person.present(person.link(person.begin().text))
    page = person.look()

    assert page.status_code == 200
    assert "Your wallet answered" in page.text
    assert "code=" not in href(page.text, "back")


@pytest.mark.parametrize("query", ["", "?response_code=", "?response_code=" + "0" * 48, "?response_code=" + "a" * 600,
                                   "?response_code=x&response_code=y", "?response_code=%ff"])  # fmt: skip
def test_a_missing_or_guessed_response_code_leads_nowhere(client: TestClient, person: Person, query: str) -> None:
    person.present(person.link(person.begin().text))
    found = client.get(f"/openid/return{query}")

    assert found.status_code == 404
    assert "There is no such sign-in here" in found.text


def test_a_response_code_works_once(client: TestClient, person: Person) -> None:
    told = person.present(person.link(person.begin().text))
    first, second = person.return_with(told), person.return_with(told)

    assert first.status_code == 303
    assert second.status_code == 404
    assert "This sign-in is finished" in person.look().text


def test_looking_ahead_uses_nothing_up(client: TestClient, person: Person, engine: Engine) -> None:
    told = person.present(person.link(person.begin().text))
    back = told.json()["redirect_uri"].removeprefix(BASE_URL)

    assert client.get(back, headers={"sec-purpose": "prefetch;prerender"}).status_code == 204
    person.present(code_link(engine, person.page))
    assert client.get(person.page, headers={"sec-purpose": "prefetch"}).status_code == 204
    assert person.return_with(told).status_code == 303


def test_the_page_of_a_sign_in_is_for_its_own_browser(client: TestClient, person: Person, engine: Engine) -> None:
    person.begin()
    person.present(code_link(engine, person.page))

    assert another_browser(client).get(person.page).status_code == 404
    stranger = another_browser(client)
    stranger.get("/openid/authorize", params=asked())
    assert stranger.get(person.page).status_code == 404
    stranger.cookies.clear()
    stranger.cookies.set("portadoc_sign_in", "short")
    assert stranger.get(person.page).status_code == 404
    assert person.look().status_code == 303


def test_one_browser_may_have_two_sign_ins_open(scene: Scene, client: TestClient, person: Person) -> None:
    told = person.present(person.link(person.begin(state="first").text))
    other = Person(scene, client)
    other_told = other.present(other.link(other.begin(state="second").text))

    assert query_of(other.return_with(other_told).headers["location"])["state"] == "second"
    assert query_of(person.return_with(told).headers["location"])["state"] == "first"


def test_only_one_of_two_answers_gives_a_code(client: TestClient, person: Person, engine: Engine) -> None:
    page = person.begin()
    told = person.present(person.link(page.text))
    person.present(code_link(engine, person.page))

    assert person.look().status_code == 303, "the QR code was quicker"
    assert person.return_with(told).status_code == 404
    assert "finished" in person.look().text


def test_a_question_takes_one_answer(scene: Scene, client: TestClient, person: Person) -> None:
    """Transaction reuse: the second response to the same request is refused and gets no response code."""
    page = person.begin()
    request = scene.wallet.fetch(client, person.link(page.text))
    form = scene.wallet.form(request, scene.wallet.present(request))
    first, second = scene.wallet.post(client, request, form), scene.wallet.post(client, request, form)

    assert first.status_code == 200
    assert second.status_code == 400
    assert "redirect_uri" not in second.json()


def test_the_answers_of_sign_ins_are_not_shown_by_the_api(client: TestClient, person: Person, engine: Engine) -> None:
    person.begin()
    person.present(code_link(engine, person.page))
    found = Authorizations(engine).get(person.page.rpartition("/")[2])

    assert found is not None
    assert client.get(f"/api/v1/requests/{found.cross_device_id}").status_code == 404
    assert client.get(f"/api/v1/requests/{found.same_device_id}").status_code == 404


def test_a_sign_in_cannot_be_asked_for_through_the_api(client: TestClient) -> None:
    assert client.post("/api/v1/requests", json={"purpose": "sign-in:family_name"}).status_code == 400


# --- what was shown is not enough


def _revoke(scene: Scene, form: str = "dc+sd-jwt") -> None:
    scene.wallet.held = [scene.world.issue(scene.pids, PID[form], pid_of(sample("pda1", "pda1-01")))]
    scene.pids.revoked[scene.world.last_index()] = 1


def _unreachable(scene: Scene) -> None:
    scene.world.reply["status.test"] = lambda _: httpx2.Response(503)


def _unlisted(scene: Scene) -> None:
    stranger = scene.world.institution("stranger", types=("pid",), listed=False)
    scene.wallet.held = [scene.world.issue(stranger, PID["dc+sd-jwt"], pid_of(sample("pda1", "pda1-01")))]


def _run_out(scene: Scene) -> None:
    document = pid_of(sample("pda1", "pda1-01"))
    until = scene.world.now - timedelta(days=1)
    scene.wallet.held = [scene.world.issue(scene.pids, PID["dc+sd-jwt"], document, valid_until=until)]


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (_revoke, "revoked"),
        (_unreachable, "status_unreachable"),
        (_unlisted, "issuer_not_listed"),
        (_run_out, "technically_expired"),
    ],
)
@pytest.mark.parametrize("device", ["this", "another"])
def test_a_pid_that_is_not_accepted_signs_nobody_in(
    *, scene: Scene, client: TestClient, person: Person, engine: Engine, bend: Any, code: str, device: str
) -> None:
    """The person reads why and what to do; the client gets access_denied when the person goes back."""
    bend(scene)
    page = person.begin()
    if device == "this":
        back = person.return_with(person.present(person.link(page.text)))
        assert back.headers["location"] == person.page
    else:
        person.present(code_link(engine, person.page))
    refused = person.look()

    assert refused.status_code == 200
    assert f'id="reason-{code}"' in refused.text
    assert "You are not signed in" in refused.text
    assert '<meta http-equiv="refresh"' not in refused.text
    answer = query_of(href(refused.text, "back"))
    assert answer.keys() == {"error", "error_description", "state", "iss"}
    assert answer["error"] == "access_denied"
    again = client.get(href(refused.text, "again"))
    assert again.headers["location"] not in ("", person.page)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(code_sha256) FROM verifier_authorizations")).scalar_one() == 0


def test_a_broken_presentation_gets_no_response_code(scene: Scene, client: TestClient, person: Person) -> None:
    page = person.begin()
    request = scene.wallet.fetch(client, person.link(page.text))
    vp_token = scene.wallet.present(request, now=scene.world.now - timedelta(days=2))
    told = scene.wallet.post(client, request, scene.wallet.form(request, vp_token))

    assert told.status_code == 400
    assert "redirect_uri" not in told.json()
    assert 'id="reason-holder_proof_time"' in person.look().text


def test_a_document_in_place_of_the_pid_is_refused(scene: Scene, client: TestClient, person: Person) -> None:
    page = person.begin()
    request = scene.wallet.fetch(client, person.link(page.text))
    other = scene.wallet.fetch(client, scene.wallet.ask(client)["request_uri"])
    answer = scene.wallet.present(other, challenge=scene.wallet.challenge(request))
    document = next(texts for name, texts in answer.items() if name == "document_sd_jwt")
    told = scene.wallet.post(client, request, scene.wallet.form(request, {"document_sd_jwt": document}))

    assert told.status_code == 400
    assert "You are not signed in" in person.look().text


def test_a_pid_shown_twice_is_refused(scene: Scene, client: TestClient, person: Person) -> None:
    """Either format was asked for; with both, nobody could say whose claims count."""
    page = person.begin()
    request = scene.wallet.fetch(client, person.link(page.text))
    held, vp_token = scene.wallet.held, dict[str, list[str]]()
    for form in ("dc+sd-jwt", "mso_mdoc"):
        scene.wallet.held = [one for one in held if one.format == form]
        vp_token |= scene.wallet.present(request)
    told = scene.wallet.post(client, request, scene.wallet.form(request, vp_token))

    assert len(vp_token) == 2
    assert told.status_code == 400
    assert 'id="reason-query_not_answered"' in person.look().text


def test_a_wallet_that_declines_brings_the_browser_back(scene: Scene, client: TestClient, person: Person) -> None:
    page = person.begin()
    request = scene.wallet.fetch(client, person.link(page.text))
    told = scene.wallet.post(client, request, response.build_error("access_denied", state=request.state))
    back = person.return_with(told)
    refused = person.look()

    assert back.headers["location"] == person.page
    assert "the holder declined" in refused.text
    assert query_of(href(refused.text, "back"))["error"] == "access_denied"


def test_a_sign_in_nobody_answers_is_over_and_can_be_begun_again(scene: Scene, client: TestClient, person: Person) -> None:
    page = person.begin()
    scene.world.now += timedelta(seconds=300)
    over = person.look()

    assert "The time for this sign-in is over" in over.text
    assert query_of(href(over.text, "back"))["error"] == "access_denied"
    assert client.get(href(over.text, "again")).status_code == 303
    assert person.look().status_code == 200, "another request has erased the questions, not what the page says"
    assert "The time for this sign-in is over" in person.look().text
    assert client.get(link.parse(person.link(page.text)).request_uri).status_code == 404


def test_a_late_return_is_refused(scene: Scene, client: TestClient, person: Person) -> None:
    told = person.present(person.link(person.begin().text))
    scene.world.now += timedelta(seconds=300)

    assert person.return_with(told).status_code == 404
