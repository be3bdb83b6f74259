"""Who signed in, and whose document it is, over HTTP (VCI-OFF-9; SECURITY A-10, A-15, R-5)."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from issuer.pages.words import ENDINGS, LANGUAGES, language_of
from issuer.routes import person
from issuer.store import retention
from issuer.store.engine import reading, writing
from issuer.store.tables import authorizations
from tests.support import issuer
from tests.support.issuer import IDENTITY, bearer, submit
from tests.support.issuer_sign_in import (
    IDS,
    Scene,
    go,
    institution,
    is_page,
    opened,
)
from tests.support.pki import NOW, holder
from tests.support.upstream import CLIENT_ID, HOST, SIGN_IN


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(tmp_path) as made:
        yield made


# --- whose document ------------------------------------------------------------------------------------------------------


def test_an_issuer_state_of_another_person_leaks_nothing(scene: Scene) -> None:
    """VCI-OFF-9, SECURITY A-15: the same page as for a person without any document."""
    other = submit(scene.client, identity={**IDENTITY, "family_name": "BERNARD", "authentic_source_person_id": "FR-TEST-0002"})
    offered = issuer.offer(scene.client, document_id=other)
    state = offered["credential_offer"]["grants"]["authorization_code"]["issuer_state"]
    wallet = scene.wallet()
    pages = []
    for options in ({}, {"issuer_state": state}):
        pushed = wallet.push(IDS[0], **options)
        answer = go(scene.person, scene.upstream, wallet.authorize_url(pushed))
        told = is_page(answer, 403, wallet=wallet)
        assert told["error"] == "access_denied"
        pages.append(answer.text)
    assert pages[0] == pages[1]
    assert "BERNARD" not in pages[1]
    submit(scene.client)  # now there is one of this person; the injected state still leads to the other's, that is to nothing
    pushed = wallet.push(IDS[0], issuer_state=state)
    is_page(go(scene.person, scene.upstream, wallet.authorize_url(pushed)), 403, wallet=wallet)


def test_an_offer_covers_what_was_offered(scene: Scene) -> None:
    """SECURITY R-5."""
    offered = issuer.offer(scene.client, formats=["dc+sd-jwt"], grants=["authorization_code"])
    assert offered["tx_code"] is None
    state = offered["credential_offer"]["grants"]["authorization_code"]["issuer_state"]
    assert "urn:ietf:params:oauth:grant-type:pre-authorized_code" not in offered["credential_offer"]["grants"]
    refused = scene.wallet().push(IDS[1], issuer_state=state)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert scene.wallet("fr-cnam").push("x", issuer_state=state).status_code == 400


def test_a_document_without_a_person_is_not_offered_by_sign_in(scene: Scene) -> None:
    nobody = submit(scene.client, "fr-cnam", identity=None)
    offered = issuer.offer(scene.client, "fr-cnam", document_id=nobody, formats=["dc+sd-jwt"])
    assert set(offered["credential_offer"]["grants"]) == {"urn:ietf:params:oauth:grant-type:pre-authorized_code"}
    path = f"/api/v1/documents/{nobody}/offers"
    for wanted in (["authorization_code"], ["authorization_code", "pre-authorized_code"]):
        refused = scene.client.post(path, json={"grants": wanted, "formats": ["dc+sd-jwt"]}, headers=bearer("fr-cnam"))
        assert (refused.status_code, refused.json()["code"]) == (422, "grant_unavailable")


def test_the_institution_sees_who_came_how_far(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """History of the document, and no personal data or secret in the log (SECURITY P-1)."""
    document_id = submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    code = scene.code(wallet, IDS[0])
    wallet.redeem(code)
    wallet.refresh()
    history = scene.client.get(f"/api/v1/documents/{document_id}/history", headers=bearer("fr-urssaf")).json()["events"]
    words = [event["event"] for event in history]
    assert words == ["document_created", "holder_signed_in", "authorization_redeemed", "grant_renewed"]
    logged = capsys.readouterr().out
    for secret in (code, wallet.access_token, wallet.refresh_token, wallet.verifier, wallet.state, "Martin", "1988-04-17"):
        assert secret not in logged


def test_everything_of_the_sign_in_is_erased_in_the_end(scene: Scene) -> None:
    """SECURITY P-6."""

    submit(scene.client)
    wallet = scene.wallet()
    wallet.redeem(scene.code(wallet, IDS[0]))
    wallet.push(IDS[0])
    engine = scene.deployment.engines[0]
    with reading(engine) as connection:
        rows = connection.execute(authorizations.select()).all()
        assert [row.upstream for row in rows if row.stage == "redeemed"] == [None]
    with writing(engine) as connection:
        retention.purge(connection, scene.deployment.clock() + timedelta(minutes=6))
        assert connection.execute(authorizations.select()).all() == []


# --- the provider --------------------------------------------------------------------------------------------------------

FAULTS: list[tuple[str, dict[str, Any], int, str]] = [
    ("state swapped", {"misbehaviours": {"state swapped"}}, 400, ""),
    ("iss of another", {"misbehaviours": {"iss of another"}}, 502, "server_error"),
    ("no iss although announced", {"misbehaviours": {"no iss"}}, 502, "server_error"),
    ("unsigned", {"misbehaviours": {"unsigned"}}, 502, "server_error"),
    ("HMAC with its secret", {"misbehaviours": {"HMAC with its secret"}}, 502, "server_error"),
    ("another key", {"misbehaviours": {"another key"}}, 502, "server_error"),
    ("no ID token", {"misbehaviours": {"no ID token"}}, 502, "server_error"),
    ("no keys", {"misbehaviours": {"no keys"}}, 502, "server_error"),
    ("empty key set", {"misbehaviours": {"empty key set"}}, 502, "server_error"),
    ("keys that are no JSON", {"misbehaviours": {"keys that are no JSON"}}, 502, "server_error"),
    ("keys as a page", {"misbehaviours": {"keys as a page"}}, 502, "server_error"),
    ("odd access token", {"misbehaviours": {"odd access token"}, "in_userinfo": ("birthdate",)}, 502, "server_error"),
    ("endless ID token", {"changes": {"padding": "x" * 70_000}}, 502, "server_error"),
    ("claims nested without end", {"misbehaviours": {"claims nested without end"}}, 502, "server_error"),
    ("error page at its token endpoint", {"misbehaviours": {"slow error page"}}, 502, "server_error"),
    ("good answer as an error", {"misbehaviours": {"good answer as an error"}}, 502, "server_error"),
    ("nonce swapped", {"changes": {"nonce": "another"}}, 502, "server_error"),
    ("no nonce", {"changes": {"nonce": None}}, 502, "server_error"),
    ("another issuer", {"changes": {"iss": "https://other.test"}}, 502, "server_error"),
    ("another audience", {"changes": {"aud": "another-client"}}, 502, "server_error"),
    ("another audience, issued to this client", {"changes": {"aud": "another-client", "azp": CLIENT_ID}}, 502, "server_error"),
    ("two audiences without azp", {"changes": {"aud": [CLIENT_ID, "another"]}}, 502, "server_error"),
    ("issued to another client", {"changes": {"aud": [CLIENT_ID, "another"], "azp": "another"}}, 502, "server_error"),
    ("azp of another", {"changes": {"azp": "another"}}, 502, "server_error"),
    ("expired", {"changes": {"exp": NOW - timedelta(seconds=61)}}, 502, "server_error"),
    ("no exp", {"changes": {"exp": None}}, 502, "server_error"),
    ("no iat", {"changes": {"iat": None}}, 502, "server_error"),
    ("of the future", {"changes": {"iat": NOW + timedelta(seconds=120)}}, 502, "server_error"),
    ("not yet good", {"changes": {"nbf": NOW + timedelta(seconds=120)}}, 502, "server_error"),
    ("no subject", {"changes": {"sub": None}}, 502, "server_error"),
    ("at_hash of another token", {"changes": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}, 502, "server_error"),
    ("metadata of another", {"metadata": {"issuer": "https://login.test/"}}, 502, "server_error"),
    ("no PKCE", {"metadata": {"code_challenge_methods_supported": ["plain"]}}, 502, "server_error"),
    ("no algorithm of ours", {"metadata": {"id_token_signing_alg_values_supported": ["HS256", "none"]}}, 502, "server_error"),
    ("no client authentication of ours", {"metadata": {"token_endpoint_auth_methods_supported": ["none"]}}, 502, "server_error"),
    ("plain http", {"metadata": {"token_endpoint": "http://elsewhere.test/token"}}, 502, "server_error"),
    ("userinfo of another", {"in_userinfo": ("birthdate",), "misbehaviours": {"userinfo of another"}}, 502, "server_error"),
    ("no birth date", {"changes": {"birthdate": None}}, 403, "access_denied"),
    ("a year only", {"changes": {"birthdate": "1988"}}, 403, "access_denied"),
    ("no such day", {"changes": {"birthdate": "1988-02-31"}}, 403, "access_denied"),
    ("a name of two scripts", {"changes": {"family_name": "M\u0430rtin"}}, 403, "access_denied"),
    ("a name that is none", {"changes": {"family_name": ["Martin"]}}, 403, "access_denied"),
    ("an endless name", {"changes": {"family_name": "M" * 300}}, 403, "access_denied"),
]


@pytest.mark.parametrize(("faults", "status", "error"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_what_a_provider_does_wrong_ends_on_a_page(scene: Scene, faults: dict[str, Any], status: int, error: str) -> None:
    """SECURITY A-10, A-15: OpenID Connect Core §3.1.3.7, Discovery §4.3, RFC 9207 §2.4."""
    submit(scene.client)
    for name, value in faults.items():
        setattr(scene.upstream, name, value)
    wallet = scene.wallet()
    answer = scene.person.get(wallet.authorize_url(wallet.push(IDS[0])))
    assert (answer.status_code == 303) == ("metadata" not in faults)  # nobody is sent to a provider that cannot be used
    if answer.status_code == 303:
        answer = scene.person.get(scene.upstream.sign_in(answer.headers["location"]))
    told = is_page(answer, status, wallet=wallet if error else None)
    assert told.get("error", "") == error
    if error == "access_denied":
        assert told["error_description"] == "the sign-in did not state name and birth date"


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("client_secret_post", {"metadata": {"token_endpoint_auth_methods_supported": ["client_secret_post"]}}),
    ("authentication method by default", {"metadata": {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}}),
    ("audience as a list", {"changes": {"aud": [CLIENT_ID]}}),
    ("two audiences with azp", {"changes": {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}}),
    ("claims in userinfo", {"in_userinfo": ("family_name", "given_name", "birthdate")}),
    ("a clock a little ahead", {"changes": {"iat": NOW + timedelta(seconds=30)}}),
    ("nothing said of PKCE", {"metadata": {"code_challenge_methods_supported": ["S256", "plain"]}}),
    ("iss not announced", {"metadata": {"authorization_response_iss_parameter_supported": False}, "misbehaviours": {"no iss"}}),
    ("iss not announced but sent", {"metadata": {"authorization_response_iss_parameter_supported": False}}),
    ("keys under their own media type", {"keys_type": "application/jwk-set+json; charset=utf-8"}),
]


@pytest.mark.parametrize("variant", [case[1] for case in GOOD], ids=[case[0] for case in GOOD])
def test_providers_differ(scene: Scene, variant: dict[str, Any]) -> None:
    submit(scene.client)
    for name, value in variant.items():
        setattr(scene.upstream, name, value)
    wallet = scene.wallet()
    assert wallet.redeem(scene.code(wallet, IDS[0])).status_code == 200


def test_a_provider_changes_its_key_and_is_not_asked_without_end(scene: Scene) -> None:
    """A key not known is fetched, but not more often than twice a minute."""
    submit(scene.client)
    wallet = scene.wallet()
    scene.code(wallet, IDS[0])
    assert len(scene.internet.requests("/jwks")) == 1
    scene.upstream.kid = "key-2"
    scene.deployment.clock.advance(seconds=31)
    scene.code(wallet, IDS[0])
    assert len(scene.internet.requests("/jwks")) == 2
    for number in range(3):
        scene.upstream.kid = f"unknown-{number}"
        is_page(go(scene.person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0]))), 502, wallet=wallet)
    assert len(scene.internet.requests("/jwks")) == 2
    scene.deployment.clock.advance(minutes=61)
    scene.code(wallet, IDS[0])
    assert len(scene.internet.requests("openid-configuration")) >= 2


def test_a_provider_that_hangs_holds_up_its_own_institution_only() -> None:
    """However many wait for the one: whoever signs in at another institution goes on."""
    held = threading.Event()

    async def main() -> str:
        stuck = [asyncio.create_task(person.aside("fr-urssaf", lambda: held.wait(30))) for _ in range(50)]
        try:
            return await asyncio.wait_for(person.aside("fr-cnam", lambda: "served"), 10)
        finally:
            held.set()
            await asyncio.gather(*stuck)

    assert asyncio.run(main()) == "served"


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_provider_that_is_away_is_said_so(scene: Scene, when: str) -> None:
    submit(scene.client)
    wallet = scene.wallet()
    url = wallet.authorize_url(wallet.push(IDS[0]))
    if when == "before":
        scene.internet.down.add(HOST)
        answer = scene.person.get(url)
    else:
        begun = scene.person.get(url)
        back = scene.upstream.sign_in(begun.headers["location"])
        scene.internet.down.add(HOST)
        answer = scene.person.get(back)
    assert is_page(answer, 503, wallet=wallet)["error"] == "temporarily_unavailable"
    scene.internet.down.clear()
    if when == "before":
        assert scene.person.get(url).status_code == 303  # the link was not used up


def test_a_person_who_declines_is_told_and_the_wallet_too(scene: Scene) -> None:
    submit(scene.client)
    wallet = scene.wallet()
    answer = go(scene.person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0])), refuse=True)
    assert is_page(answer, 403, wallet=wallet)["error"] == "access_denied"
    assert "<b>" not in answer.text  # nothing of what the provider wrote is shown
    assert len(scene.internet.requests("/token")) == 0


# --- who is found --------------------------------------------------------------------------------------------------------

PEOPLE: list[tuple[str, dict[str, Any], bool]] = [
    ("as written", {}, True),
    ("small letters and marks", {"family_name": "martín"}, True),
    ("a forename more", {"given_name": "Camille Anne"}, False),
    ("another forename", {"given_name": "Anne"}, False),
    ("another surname", {"family_name": "Bernard"}, False),
    ("another day", {"birthdate": "1988-04-18"}, False),
    ("another script", {"family_name": "Мартин"}, False),
]


@pytest.mark.parametrize(("changes", "found"), [case[1:] for case in PEOPLE], ids=[case[0] for case in PEOPLE])
def test_a_document_is_found_by_name_and_birth_date(scene: Scene, changes: dict[str, Any], found: bool) -> None:
    """SECURITY A-15: what is not beyond doubt is not given out."""
    submit(scene.client)
    scene.upstream.person |= changes
    wallet = scene.wallet()
    answer = go(scene.person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0])))
    if found:
        assert answer.status_code == 303
    else:
        assert is_page(answer, 403, wallet=wallet)["error"] == "access_denied"


NUMBERS: list[tuple[str, dict[str, Any], bool]] = [
    ("the same number", {"number": "288 04 69 999 999"}, True),
    ("another number", {"number": "1880469999999"}, False),
    ("no number", {}, True),
    ("the same number, a forename more", {"number": "2880469999999", "given_name": "Camille Anne"}, True),
    ("the same number, another forename", {"number": "2880469999999", "given_name": "Anne"}, False),
]


@pytest.mark.parametrize(("changes", "found"), [case[1:] for case in NUMBERS], ids=[case[0] for case in NUMBERS])
def test_numbers_that_both_sides_have_must_agree(tmp_path: Path, changes: dict[str, Any], found: bool) -> None:
    claims = {**SIGN_IN["claims"], "personal_administrative_number": "number"}
    facts = {"fr-urssaf": institution(sign_in={**SIGN_IN, "claims": claims})}
    with opened(tmp_path, institutions=facts) as scene:
        submit(scene.client)
        scene.upstream.person |= changes
        wallet = scene.wallet()
        answer = go(scene.person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0])))
        assert answer.status_code == (303 if found else 403), answer.text


def test_only_standing_documents_count(scene: Scene) -> None:
    """Withdrawn, refused, run out, of another type or institution: none of them is found, and none makes two of one."""
    withdrawn = submit(scene.client)
    scene.client.post(f"/api/v1/documents/{withdrawn}/revocation", json={}, headers=bearer("fr-urssaf"))
    old = {**issuer.PDA1, "date_of_issuance": "2020-01-01", "starting_date": "2020-01-01"}
    submit(scene.client, document_data={**old, "ending_date": "2020-12-31", "date_of_expiry": "2020-12-31"})
    submit(scene.client, "fr-cnam")
    refused = submit(scene.client, hold=True)
    scene.client.post(f"/api/v1/documents/{refused}/refusal", json={"reason": "not_entitled"}, headers=bearer("fr-urssaf"))
    wallet = scene.wallet()
    answer = go(scene.person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0])))
    assert "holds no document" in answer.text
    is_page(answer, 403, wallet=wallet)
    submit(scene.client)
    assert wallet.redeem(scene.code(wallet, IDS[0])).status_code == 200


def test_two_documents_are_one_too_many(scene: Scene) -> None:
    """SECURITY A-15: the page says so, without naming them; the wallet is told."""
    submit(scene.client)
    submit(scene.client)
    wallet = scene.wallet()
    answer = go(scene.person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0])))
    told = is_page(answer, 403, wallet=wallet)
    assert told["error"] == "access_denied"
    assert "several documents" in told["error_description"]
    assert "more than one document" in answer.text


def test_texts_are_there_for_every_ending_and_language() -> None:
    for texts in LANGUAGES.values():
        assert texts.keys() == ENDINGS.keys() | {"question"}
    assert language_of("xx, de;q=0.9, en-GB;q=0.8") == "en"
    assert language_of("") == "en"


def test_a_database_that_does_not_answer_is_a_page_too(scene: Scene) -> None:
    """SECURITY O-7."""
    wallet = scene.wallet()
    url = wallet.authorize_url(wallet.push(IDS[0]))
    with scene.deployment.engines[0].connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        is_page(scene.person.get(url), 503)
        connection.exec_driver_sql("ROLLBACK")
    assert scene.person.get(url).status_code == 303


def test_the_style_sheet_is_ours(scene: Scene) -> None:
    answer = scene.person.get("/static/issuer.css")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
