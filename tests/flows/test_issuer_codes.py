"""Codes and refresh tokens over HTTP: who may exchange them, when, how often.

VCI-TOK, VCI-DPOP-5; SECURITY A-3, A-6, A-9, A-11, A-13, R-4.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from issuer import tokens
from issuer.store import authorizations
from issuer.store.engine import reading, writing
from issuer.store.tables import refresh_tokens
from tests.support import issuer
from tests.support.issuer import bearer, submit
from tests.support.issuer_sign_in import (
    IDS,
    OTHER_CLIENT,
    Scene,
    opened,
)
from tests.support.pki import holder
from vc.encoding import base64url
from vc.keys import jwk
from vc.openid4vci import authorization_details


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(tmp_path) as made:
        yield made


# --- the token endpoint --------------------------------------------------------------------------------------------------

REDEEMED: list[tuple[str, dict[str, Any], int, str]] = [
    ("wrong verifier", {"code_verifier": "w" * 43}, 400, "invalid_grant"),
    ("verifier that is none", {"code_verifier": "short"}, 400, "invalid_grant"),
    ("no verifier", {"code_verifier": None}, 400, "invalid_request"),
    ("another redirect URI", {"redirect_uri": "http://127.0.0.1/back"}, 400, "invalid_grant"),
    ("no redirect URI", {"redirect_uri": None}, 400, "invalid_request"),
    ("unknown code", {"code": "invented"}, 400, "invalid_grant"),
    ("unknown client", {"client_id": "nobody"}, 401, "invalid_client"),
    ("no client", {"client_id": None}, 401, "invalid_client"),
    ("password", {"grant_type": "password"}, 400, "unsupported_grant_type"),
    ("client credentials", {"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    ("implicit", {"grant_type": "implicit"}, 400, "unsupported_grant_type"),
    ("no grant type", {"grant_type": None}, 400, "invalid_request"),
]


@pytest.mark.parametrize(("changes", "status", "error"), [case[1:] for case in REDEEMED], ids=[case[0] for case in REDEEMED])
def test_a_bad_redemption_is_refused_and_spends_nothing(scene: Scene, changes: dict[str, Any], status: int, error: str) -> None:
    """SECURITY A-3, A-6; RFC 6749 §5.2."""
    submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0])
    answer = wallet.redeem(changes.get("code", code), **{name: value for name, value in changes.items() if name != "code"})
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert wallet.redeem(code).status_code == 200


def test_a_code_of_one_client_is_not_good_for_another(scene: Scene) -> None:
    submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0])
    answer = wallet.redeem(code, client_id=OTHER_CLIENT)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def _events(scene: Scene, document_id: str) -> list[str]:
    history = scene.client.get(f"/api/v1/documents/{document_id}/history", headers=bearer("fr-urssaf")).json()["events"]
    return [event["event"] for event in history]


def test_a_code_lives_a_minute(scene: Scene) -> None:
    document_id = submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0])
    scene.deployment.clock.advance(seconds=60)
    assert wallet.redeem(code).json()["error"] == "invalid_grant"
    assert "code_replayed" not in _events(scene, document_id)  # late is not twice


def test_a_code_shown_twice_takes_its_tokens_with_it(scene: Scene) -> None:
    """SECURITY A-9, VCI-AUTHZ-7: access and refresh token, also long after the code has ended."""
    submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    code = scene.code(wallet, IDS[0])
    assert wallet.redeem(code).status_code == 200
    assert wallet.credential(IDS[0]).status_code == 200
    access, refresh = wallet.access_token, wallet.refresh_token
    scene.deployment.clock.advance(seconds=120)
    assert wallet.redeem(code).json()["error"] == "invalid_grant"
    refused = wallet.credential(IDS[0])
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert (wallet.access_token, wallet.refresh_token) == (access, refresh)
    assert wallet.refresh().json()["error"] == "invalid_grant"


def test_six_redemptions_at_once_end_with_none(scene: Scene) -> None:
    """One caller at most gets a token, and what it got is revoked: two have the code."""
    submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0])
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": wallet.redirect_uri,
        "code_verifier": wallet.verifier,
        "client_id": wallet.client_id,
    }
    callers = [TestClient(app, base_url=issuer.BASE_URL) for app in scene.apps * 3]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda caller: caller.post("/fr-urssaf/token", data=form), callers))
    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    wallet.access_token = good[0].json()["access_token"]
    assert wallet.credential(IDS[0]).status_code == 401


def test_a_code_redeemed_by_another_caller_meanwhile(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is faster between the look at the code and its spending: no second token, and the first is revoked."""
    document_id = submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0])
    faster = scene.wallet(verifier=wallet.verifier)
    faster.client = TestClient(scene.apps[1], base_url=issuer.BASE_URL)
    make = tokens.make

    def slowly(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(tokens, "make", make)
        assert faster.redeem(code).status_code == 200
        return make(*arguments, **options)

    monkeypatch.setattr(tokens, "make", slowly)
    assert wallet.redeem(code).json()["error"] == "invalid_grant"
    assert faster.credential(IDS[0]).status_code == 401
    assert "code_replayed" in _events(scene, document_id)


def test_a_withdrawal_ordered_for_later_ends_codes_and_refresh_tokens_at_its_moment(scene: Scene) -> None:
    """SECURITY D-11, R-4: nothing was erased when it was ordered, so it is looked at again."""
    document_id = submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    wallet.redeem(scene.code(wallet, IDS[0]))
    code = scene.code(wallet, IDS[0])
    moment = (scene.deployment.clock() + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ordered = scene.client.post(
        f"/api/v1/documents/{document_id}/revocation", json={"effective_from": moment}, headers=bearer("fr-urssaf")
    )
    assert ordered.json()["state"] == "revocation_scheduled"
    assert wallet.refresh().status_code == 200
    scene.deployment.clock.advance(seconds=31)
    assert wallet.redeem(code).json()["error"] == "invalid_grant"
    assert wallet.refresh().json()["error"] == "invalid_grant"


def test_a_code_for_a_document_withdrawn_meanwhile_is_worth_nothing(scene: Scene) -> None:
    """SECURITY D-11."""
    document_id = submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0])
    revoked = scene.client.post(f"/api/v1/documents/{document_id}/revocation", json={}, headers=bearer("fr-urssaf"))
    assert revoked.status_code == 200
    assert wallet.redeem(code).json()["error"] == "invalid_grant"


# --- DPoP ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["proof", "parameter"])
def test_a_code_bound_to_a_key_is_good_with_that_key_only(scene: Scene, by: str) -> None:
    """VCI-DPOP-5, RFC 9449 §10."""

    submit(scene.client)
    key, other = holder(), holder()
    wallet = scene.wallet(dpop_key=key)
    named = {} if by == "proof" else {"dpop_jkt": base64url.encode(jwk.thumbprint(key.public_key))}
    code = scene.code(wallet, IDS[0], dpop_proof=by == "proof", **named)
    for wrong in (other, None):
        wallet.dpop_key = wrong
        refused = wallet.redeem(code)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    wallet.dpop_key = key
    assert wallet.redeem(code).status_code == 200
    mismatch = wallet.push(IDS[0], dpop_jkt="A" * 43)
    assert (mismatch.status_code, mismatch.json()["error"]) == (400, "invalid_dpop_proof")


def test_a_dpop_proof_is_good_once_at_the_par_endpoint(scene: Scene) -> None:
    """VCI-DPOP-2, SECURITY A-11: at the other worker too."""
    wallet = scene.wallet(dpop_key=holder())
    headers = wallet.dpop("POST", "par")
    form = {
        "response_type": "code",
        "client_id": wallet.client_id,
        "redirect_uri": wallet.redirect_uri,
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
        "scope": IDS[0],
    }
    answers = [TestClient(app, base_url=issuer.BASE_URL).post("/fr-urssaf/par", data=form, headers=headers) for app in scene.apps]
    assert [answer.status_code for answer in answers] == [201, 400]
    assert answers[1].json()["error"] == "invalid_dpop_proof"


def test_a_dpop_proof_is_good_once_at_the_token_endpoint(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """VCI-DPOP-2, SECURITY A-11: for another code, and for a refresh token, it is spent; they are not."""
    submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    first, second = scene.code(wallet, IDS[0]), scene.code(wallet, IDS[0])
    proof = wallet.dpop("POST", "token")
    with monkeypatch.context() as patched:
        patched.setattr(type(wallet), "dpop", lambda *_, **__: proof)
        assert wallet.redeem(first).status_code == 200
        for refused in (wallet.redeem(second), wallet.refresh()):
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    assert wallet.refresh().status_code == 200
    assert wallet.redeem(second).status_code == 200


# --- refresh tokens ------------------------------------------------------------------------------------------------------


def test_a_refresh_token_gets_credentials_again_with_every_check(scene: Scene) -> None:
    """VCI-TOK-10, SECURITY R-4: not rotated, bound to the key, and worth nothing once the document is withdrawn."""
    document_id = submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    assert wallet.redeem(scene.code(wallet, *IDS)).status_code == 200
    kept = wallet.refresh_token
    scene.deployment.clock.advance(days=20)
    for _ in range(2):
        renewed = wallet.refresh()
        assert renewed.status_code == 200, renewed.text
        assert renewed.json()["token_type"] == "DPoP"
        assert renewed.json()["expires_in"] <= 300
        assert "refresh_token" not in renewed.json()
        assert wallet.credential(IDS[0]).status_code == 200
    part = wallet.refresh(scope=IDS[1])
    assert part.json()["scope"] == IDS[1]
    assert wallet.credential(IDS[0]).status_code == 403
    assert wallet.refresh(scope="ehic").json()["error"] == "invalid_scope"
    assert wallet.refresh(refresh_token="invented").json()["error"] == "invalid_grant"
    assert wallet.refresh_token == kept
    scene.client.post(f"/api/v1/documents/{document_id}/revocation", json={}, headers=bearer("fr-urssaf"))
    assert wallet.refresh().json()["error"] == "invalid_grant"
    assert wallet.credential(IDS[1]).status_code == 401


def test_identifiers_stay_the_same_over_a_refresh(scene: Scene) -> None:
    submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    wallet.redeem(scene.code(wallet, *IDS, by_details=True))
    before = wallet.identifiers
    assert wallet.refresh().status_code == 200
    assert wallet.identifiers == before
    assert wallet.credential(IDS[1]).status_code == 200


def test_a_refresh_may_ask_by_details_for_the_first_time(scene: Scene) -> None:
    """VCI-TOK-5: details in the token request are answered with identifiers, which must then be used (VCI-CRED-1)."""
    submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    wallet.redeem(scene.code(wallet, *IDS))
    assert wallet.identifiers == {}
    details = authorization_details.create([IDS[1]])
    renewed = wallet.refresh(authorization_details=details)
    assert list(wallet.identifiers) == [IDS[1]]
    assert "scope" not in renewed.json()
    assert wallet.credential(IDS[1]).status_code == 200
    wallet.identifiers = {}
    assert wallet.credential(IDS[1]).json()["error"] == "invalid_credential_request"


def test_a_refresh_beside_a_revocation_gives_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY A-9, A-13: another worker revokes the family after this one has looked; no token survives it."""
    submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    wallet.redeem(scene.code(wallet, IDS[0]))
    engine, make = scene.deployment.engines[1], tokens.make
    with reading(engine) as connection:
        (grant_id,) = connection.execute(select(refresh_tokens.c.grant_id)).scalars()

    def making(*arguments: Any, **options: Any) -> Any:
        with writing(engine) as connection:
            authorizations.revoke_tokens(connection, grant_id, scene.deployment.clock())
        return make(*arguments, **options)

    monkeypatch.setattr(tokens, "make", making)
    refused = wallet.refresh()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert wallet.credential(IDS[0]).status_code == 401


@pytest.mark.parametrize("thief", ["another key", "another client"])
def test_a_stolen_refresh_token_is_worth_nothing_to_anybody(scene: Scene, thief: str) -> None:
    """SECURITY A-13."""
    submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    wallet.redeem(scene.code(wallet, IDS[0]))
    changes = {"client_id": OTHER_CLIENT} if thief == "another client" else {}
    other = scene.wallet(dpop_key=holder() if thief == "another key" else wallet.dpop_key)
    stolen = other.refresh(refresh_token=wallet.refresh_token, **changes)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert wallet.refresh().json()["error"] == "invalid_grant"
    assert wallet.credential(IDS[0]).status_code == 401


def test_a_refresh_token_without_dpop_is_refused_and_stays(scene: Scene) -> None:
    submit(scene.client)
    wallet = scene.wallet(dpop_key=holder())
    wallet.redeem(scene.code(wallet, IDS[0]))
    key, wallet.dpop_key = wallet.dpop_key, None
    refused = wallet.refresh()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    wallet.dpop_key = key
    assert wallet.refresh().status_code == 200
    scene.deployment.clock.advance(days=365)
    assert wallet.refresh().json()["error"] == "invalid_grant"
