"""The authorization code flow at the issuer, over HTTP: pushed request, sign-in, code, tokens; and everything that stops it.

VCI-AUTHZ, VCI-TOK, VCI-OFF-9, VCI-DPOP-5; SECURITY A-3 to A-10, A-13, A-16, A-17, R-4, R-5.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import issuer
from tests.support.issuer import bearer, client_of, submit
from tests.support.issuer_sign_in import (
    IDS,
    REDIRECT_URI,
    TOO_SMALL,
    Scene,
    SignInWallet,
    browser,
    go,
    institution,
    is_page,
    opened,
    query,
)
from tests.support.pki import holder


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(tmp_path) as made:
        yield made


# --- the way through -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
@pytest.mark.parametrize("by_details", [True, False])
@pytest.mark.parametrize("with_dpop", [True, False])
def test_a_wallet_collects_after_the_person_signed_in(scene: Scene, *, by_details: bool, with_dpop: bool, alg: str) -> None:
    """VCI-AUTHZ-1, -2, -4, -6, -7; VCI-TOK-4, -5. Wallet-initiated; wallet and browser at different workers."""
    submit(scene.client)
    scene.upstream.alg = alg
    wallet = scene.wallet(dpop_key=holder() if with_dpop else None)
    pushed = wallet.push(*IDS, by_details=by_details)
    assert pushed.status_code == 201
    assert pushed.headers["cache-control"] == "no-store"
    assert 0 < pushed.json()["expires_in"] <= 90
    begun = scene.person.get(wallet.authorize_url(pushed))
    assert begun.status_code == 303
    assert begun.headers["cache-control"] == "no-store"
    assert begun.headers["referrer-policy"] == "no-referrer"
    cookie = begun.headers["set-cookie"].lower()
    assert cookie.startswith("__host-")
    assert all(word in cookie for word in ("httponly", "secure", "samesite=lax", "path=/"))
    back = scene.person.get(scene.upstream.sign_in(begun.headers["location"]))
    assert back.status_code == 303
    assert back.headers["cache-control"] == "no-store"
    answer = query(back.headers["location"])
    assert answer.keys() == {"code", "state", "iss"}
    assert answer["iss"] == wallet.issuer
    assert answer["state"] == wallet.state
    redeemed = wallet.redeem(answer["code"])
    assert redeemed.status_code == 200, redeemed.text
    assert redeemed.headers["cache-control"] == "no-store"
    body = redeemed.json()
    assert body["token_type"] == ("DPoP" if with_dpop else "Bearer")
    assert ("refresh_token" in body) == with_dpop
    assert set(wallet.identifiers) == (set(IDS) if by_details else set())
    if not by_details:
        assert body["scope"].split() == list(IDS)
    for configuration in IDS:
        assert wallet.credential(configuration).status_code == 200


def test_an_offer_leads_to_its_document_alone(scene: Scene) -> None:
    """Two documents of one person: without the offer the institution cannot tell which; the offer says it, once."""
    first, second = submit(scene.client), submit(scene.client)
    offered = issuer.offer(scene.client, document_id=second)
    grants = offered["credential_offer"]["grants"]
    assert set(grants) == {"authorization_code", "urn:ietf:params:oauth:grant-type:pre-authorized_code"}
    wallet = scene.wallet()
    state = grants["authorization_code"]["issuer_state"]
    code = scene.code(wallet, IDS[0], issuer_state=state)
    assert wallet.redeem(code).status_code == 200
    assert wallet.credential(IDS[0]).status_code == 200
    credentials = {
        name: scene.client.get(f"/api/v1/documents/{name}", headers=bearer("fr-urssaf")).json()["credentials"]
        for name in (first, second)
    }
    assert (len(credentials[first]), len(credentials[second])) == (0, 1)
    again = wallet.push(IDS[0], issuer_state=state)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")  # the offer is spent
    by_code = issuer_wallet_token(scene, offered)
    assert (by_code.status_code, by_code.json()["error"]) == (400, "invalid_grant")  # by both grants


def issuer_wallet_token(scene: Scene, offered: dict[str, Any]) -> Any:
    """Redeem the pre-authorized code of an offer with two grants."""
    grant = offered["credential_offer"]["grants"]["urn:ietf:params:oauth:grant-type:pre-authorized_code"]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        "pre-authorized_code": grant["pre-authorized_code"],
        "tx_code": offered["tx_code"],
    }
    return scene.client.post("/fr-urssaf/token", data=form)


def test_a_part_can_be_asked_for_at_the_token_endpoint(scene: Scene) -> None:
    """VCI-TOK-7, -8."""
    submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, *IDS, by_details=True)
    details = '[{"type": "openid_credential", "credential_configuration_id": "%s"}]'
    foreign = wallet.redeem(code, authorization_details=details % "ehic_dc4eu-2_sd_jwt")
    assert (foreign.status_code, foreign.json()["error"]) == (400, "invalid_authorization_details")
    assert wallet.redeem(code, authorization_details=details % IDS[1]).status_code == 200
    assert set(wallet.identifiers) == {IDS[1]}
    wallet.identifiers = {}
    refused = wallet.credential(IDS[0])
    assert refused.status_code in (400, 403)


def test_a_form_the_document_does_not_fit_into_is_not_granted(scene: Scene) -> None:
    """RFC 6749 §3.3: what was granted is said where it is less than what was asked for. Nothing of a document is left out."""
    submit(scene.client)
    wallet = scene.wallet()
    body = wallet.redeem(scene.code(wallet, TOO_SMALL, IDS[0])).json()
    assert body["scope"] == IDS[0]
    assert wallet.credential(TOO_SMALL).status_code == 403
    pushed = wallet.push(TOO_SMALL)
    told = is_page(go(scene.person, scene.upstream, wallet.authorize_url(pushed)), 403, wallet=wallet)
    assert told["error"] == "invalid_scope"


# --- pushed requests -----------------------------------------------------------------------------------------------------

PUSHED: list[tuple[str, dict[str, Any], int, str]] = [
    ("no PKCE", {"code_challenge": None}, 400, "invalid_request"),
    ("plain PKCE", {"code_challenge_method": "plain"}, 400, "invalid_request"),
    ("PKCE method left out", {"code_challenge_method": None}, 400, "invalid_request"),
    ("foreign redirect URI", {"redirect_uri": "https://evil.example/back"}, 400, "invalid_request"),
    ("redirect URI as prefix", {"redirect_uri": f"{REDIRECT_URI}/more"}, 400, "invalid_request"),
    ("redirect URI with a query", {"redirect_uri": f"{REDIRECT_URI}?a=b"}, 400, "invalid_request"),
    ("javascript", {"redirect_uri": "javascript:alert(1)"}, 400, "invalid_request"),
    ("line break", {"redirect_uri": f"{REDIRECT_URI}\r\nx-header: 1"}, 400, "invalid_request"),
    ("user information", {"redirect_uri": "https://wallet.example@evil.example/back"}, 400, "invalid_request"),
    ("no redirect URI", {"redirect_uri": None}, 400, "invalid_request"),
    ("request object", {"request": "eyJhbGciOiJub25lIn0.e30."}, 400, "invalid_request"),
    ("request_uri", {"request_uri": "https://evil.example/request"}, 400, "invalid_request"),
    ("another response type", {"response_type": "token"}, 400, "unsupported_response_type"),
    ("unknown scope only", {"scope": "unknown"}, 400, "invalid_scope"),
    ("unknown client", {"client_id": "nobody"}, 401, "invalid_client"),
    ("no client", {"client_id": None}, 400, "invalid_request"),
    ("invented issuer_state", {"issuer_state": "invented"}, 400, "invalid_request"),
    ("details of an unknown type", {"authorization_details": '[{"type": "other"}]'}, 400, "invalid_authorization_details"),
]


@pytest.mark.parametrize(("changes", "status", "error"), [case[1:] for case in PUSHED], ids=[case[0] for case in PUSHED])
def test_a_bad_pushed_request_is_refused(scene: Scene, changes: dict[str, Any], status: int, error: str) -> None:
    """SECURITY A-5, A-6, A-8; VCI-AUTHZ-5, -9; nothing is fetched, nobody redirected."""
    answer = scene.wallet().push(IDS[0], **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert "location" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert scene.internet.seen == []


def test_parameters_belong_into_the_body_and_occur_once(scene: Scene) -> None:
    """SECURITY A-4."""
    wallet = scene.wallet()
    assert scene.client.post(f"{wallet.issuer}/par?client_id=x", data={}).json()["error"] == "invalid_request"
    assert scene.client.post(f"{wallet.issuer}/par", json={"client_id": "x"}).json()["error"] == "invalid_request"
    twice = scene.client.post(
        f"{wallet.issuer}/par",
        content=b"client_id=example-wallet&client_id=other",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert wallet.push(IDS[0], unknown_parameter="ignored").status_code == 201  # VCI-AUTHZ-8


def test_one_authorization_is_for_documents_of_one_type(tmp_path: Path) -> None:
    with opened(tmp_path, institutions={"fr-urssaf": institution(types=["pda1", "ehic"])}) as both:
        declared = both.client.get("/.well-known/openid-credential-issuer/fr-urssaf").json()
        ehic = next(name for name in declared["credential_configurations_supported"] if name.startswith("ehic"))
        answer = both.wallet().push(IDS[0], ehic)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
        assert "one type" in answer.json()["error_description"]


def test_a_loopback_redirect_may_have_any_port(scene: Scene) -> None:
    """RFC 8252 §7.3."""
    submit(scene.client)
    wallet = scene.wallet(redirect_uri="http://127.0.0.1:51723/back")
    assert wallet.redeem(scene.code(wallet, IDS[0])).status_code == 200


def test_an_institution_without_sign_in_has_none_of_it(tmp_path: Path) -> None:
    deployment = issuer.build(tmp_path)
    with client_of(deployment.worker()) as client:
        wallet = SignInWallet(client=client, issuer=deployment.credential_issuer("fr-urssaf"), clock=deployment.clock)
        assert wallet.push(IDS[0]).status_code == 404
        assert client.get("/fr-urssaf/authorize?client_id=x&request_uri=y").status_code == 404
        assert client.get("/fr-urssaf/sign-in/callback?code=x&state=y").status_code == 404
        assert wallet.redeem("x").json()["error"] == "unsupported_grant_type"
        wallet.dpop_key = holder()
        assert wallet.refresh(refresh_token="x").json()["error"] == "unsupported_grant_type"
        answer = client.post(
            f"/api/v1/documents/{submit(client)}/offers", json={"grants": ["authorization_code"]}, headers=bearer("fr-urssaf")
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "grant_unavailable")
    deployment.close()


# --- the authorization endpoint ------------------------------------------------------------------------------------------


def test_the_link_is_good_once_soon_and_for_its_client(scene: Scene) -> None:
    """SECURITY A-7, VCI-AUTHZ-4, -7: nobody is redirected, and nothing of the request is shown."""
    wallet = scene.wallet()
    url = wallet.authorize_url(wallet.push(IDS[0]))
    is_page(scene.person.get(f"{wallet.issuer}/authorize?client_id={wallet.client_id}&response_type=code"), 400)
    is_page(scene.person.get(url.replace("example-wallet", "another")), 400)
    is_page(scene.person.get(url[:-5] + "AAAAA"), 400)
    is_page(scene.person.get(url.replace("fr-urssaf", "fr-cnam")), 400)
    is_page(scene.person.get(f"{url}&client_id=example-wallet"), 400)
    is_page(scene.person.get(f"{url}&request=eyJhbGciOiJub25lIn0.e30."), 400)
    assert scene.person.get(url, headers={"sec-purpose": "prefetch"}).status_code == 204
    assert scene.person.head(url).status_code == 204
    assert scene.internet.seen == []
    assert scene.person.get(url).status_code == 303  # none of it has used the link up
    is_page(scene.person.get(url), 400)
    late = wallet.authorize_url(wallet.push(IDS[0]))
    scene.deployment.clock.advance(seconds=90)
    is_page(scene.person.get(late), 400)


@pytest.mark.parametrize("foreign", ["https://evil.example/request.jwt", "http://127.0.0.1/x", "urn:other:1"])
def test_a_foreign_request_uri_is_not_fetched(scene: Scene, foreign: str) -> None:
    """SECURITY A-8."""
    wallet = scene.wallet()
    answer = scene.person.get(f"{wallet.issuer}/authorize", params={"client_id": wallet.client_id, "request_uri": foreign})
    is_page(answer, 400)
    assert scene.internet.seen == []


def test_six_browsers_open_one_link_and_one_goes_on(scene: Scene) -> None:
    """SECURITY A-7, over two workers."""
    wallet = scene.wallet()
    url = wallet.authorize_url(wallet.push(IDS[0]))
    people = [browser(app) for app in scene.apps * 3]
    with ThreadPoolExecutor(6) as pool:
        states = [answer.status_code for answer in pool.map(lambda person: person.get(url), people)]
    assert sorted(states) == [303, 400, 400, 400, 400, 400]


def test_what_a_wallet_puts_into_state_is_no_markup(scene: Scene) -> None:
    """SECURITY A-17."""
    wallet = scene.wallet(state='"><script>alert(1)</script>')
    pushed = wallet.push(IDS[0])
    refused = go(scene.person, scene.upstream, wallet.authorize_url(pushed), refuse=True)
    assert "<script" not in refused.text
    assert "alert(1)</" not in refused.text
    is_page(refused, 403, wallet=wallet)


def test_pushed_requests_are_limited_per_minute(tmp_path: Path) -> None:
    """SECURITY H-19."""
    with opened(tmp_path, writes_per_minute=2) as scene:
        answers = [scene.wallet().push(IDS[0]) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert answers[2].headers["retry-after"] == "60"
        scene.deployment.clock.advance(minutes=1)
        assert scene.wallet().push(IDS[0]).status_code == 201


# --- coming back ---------------------------------------------------------------------------------------------------------


def test_another_browser_cannot_finish_and_does_not_spoil_it(scene: Scene) -> None:
    """SECURITY A-16: session fixation, both ways round."""
    submit(scene.client)
    wallet = scene.wallet()
    begun = scene.person.get(wallet.authorize_url(wallet.push(IDS[0])))
    back = scene.upstream.sign_in(begun.headers["location"])
    victim = browser(scene.apps[0])
    is_page(victim.get(back), 403)
    own = wallet.authorize_url(wallet.push(IDS[0]))
    assert victim.get(own).status_code == 303  # with a cookie of its own
    is_page(victim.get(back), 403)
    assert len(scene.internet.requests("/token")) == 0
    assert scene.person.get(back).status_code == 303


def test_a_sign_in_comes_back_once_and_in_time(scene: Scene) -> None:
    submit(scene.client)
    wallet = scene.wallet()
    begun = scene.person.get(wallet.authorize_url(wallet.push(IDS[0])))
    back = scene.upstream.sign_in(begun.headers["location"])
    assert scene.person.get(back).status_code == 303
    is_page(scene.person.get(back), 400)
    begun = scene.person.get(wallet.authorize_url(wallet.push(IDS[0])))
    scene.deployment.clock.advance(seconds=600)
    late = is_page(scene.person.get(scene.upstream.sign_in(begun.headers["location"])), 400, wallet=wallet)
    assert late["error"] == "access_denied"


def test_an_answer_that_says_something_twice_is_none_and_spends_nothing(scene: Scene) -> None:
    """RFC 6749 §3.1: which of two codes is meant, nobody decides."""
    submit(scene.client)
    wallet = scene.wallet()
    begun = scene.person.get(wallet.authorize_url(wallet.push(IDS[0])))
    back = scene.upstream.sign_in(begun.headers["location"])
    for name, value in query(back).items():
        is_page(scene.person.get(f"{back}&{name}={value}"), 400)
    assert scene.person.get(back).status_code == 303


def test_a_browser_may_sign_in_for_two_wallets_at_once(scene: Scene) -> None:
    submit(scene.client)
    wallets = [scene.wallet(), scene.wallet()]
    begun = [scene.person.get(wallet.authorize_url(wallet.push(IDS[0]))).headers["location"] for wallet in wallets]
    for wallet, url in zip(wallets, begun, strict=True):
        back = scene.person.get(scene.upstream.sign_in(url))
        assert wallet.redeem(query(back.headers["location"])["code"]).status_code == 200


@pytest.mark.parametrize("state", ["", "x", "0" * 32, f"{'0' * 32}.x"])
def test_an_answer_to_no_sign_in_is_a_page(scene: Scene, state: str) -> None:
    wallet = scene.wallet()
    is_page(scene.person.get(f"{wallet.issuer}/sign-in/callback", params={"code": "x", "state": state}), 400)
    is_page(scene.person.get(f"{wallet.issuer}/sign-in/callback?state=a&state=b&code=x"), 400)
    is_page(scene.person.get(f"{wallet.issuer}/sign-in/callback"), 400)
    assert scene.internet.seen == []
