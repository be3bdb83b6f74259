"""A verifier that is an OpenID Provider, a client of it, and the browser of a person who signs in with the wallet of the scene."""

import hashlib
import html
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient

from tests.support.verifier import BASE_URL
from tests.support.verifier_scene import Scene
from vc.openid4vci import pkce
from verifier.settings import Settings

SECRET = "relying-party-secret-for-tests"
OTHER_SECRET = "another-secret-for-tests"
CLIENT, OTHER = "https://issuer.test/urssaf", "other"
REDIRECT_URI = "https://issuer.test/urssaf/sign-in/callback"
CLAIMS = ["family_name", "given_name", "birthdate"]
VERIFIER = "v" * 43


def provider_member(folder: Path, **changes: Any) -> dict[str, Any]:
    """The settings member with two clients; the key is written to `folder`."""
    path = folder / "openid.key"
    if not path.exists():
        path.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {
        "key": "openid.key",
        "clients": [
            {
                "client_id": CLIENT,
                "name": "Urssaf (test)",
                "client_secret_sha256": hashlib.sha256(SECRET.encode()).hexdigest(),
                "redirect_uris": [REDIRECT_URI],
                "claims": CLAIMS,
            },
            {
                "client_id": OTHER,
                "client_secret_sha256": hashlib.sha256(OTHER_SECRET.encode()).hexdigest(),
                "redirect_uris": ["https://other.test/back?tenant=1"],
                "claims": ["family_name"],
            },
        ],
        **changes,
    }


def settings(scene: Scene, **changes: Any) -> Settings:
    return scene.world.settings(openid_provider=provider_member(scene.folder, **changes))


def asked(**changes: Any) -> dict[str, str]:
    """The parameters of a good authentication request with changes; None takes one out."""
    values = {
        "client_id": CLIENT,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid",
        "state": "state-of-the-client",
        "nonce": "nonce-of-the-client",
        "code_challenge": pkce.challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def basic(client_id: str = CLIENT, secret: str = SECRET) -> dict[str, str]:
    """The header of `client_secret_basic`."""
    return {"authorization": "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()}


def query_of(location: str) -> dict[str, str]:
    """The parameters of the answer to the client, each of which must be there once."""
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


class Person:
    """A person with a browser of its own, and the scene's wallet."""

    def __init__(self, scene: Scene, browser: TestClient) -> None:
        self.scene, self.browser, self.page = scene, browser, ""

    def begin(self, **changes: Any) -> httpx2.Response:
        """Come from the client; gives the page of the sign-in."""
        answer = self.browser.get("/openid/authorize", params=asked(**changes))
        assert answer.status_code == 303, answer.text
        self.page = answer.headers["location"]
        return self.look()

    def look(self) -> httpx2.Response:
        """What the page says now."""
        found: httpx2.Response = self.browser.get(self.page)
        return found

    def link(self, page: str) -> str:
        """The wallet link for this device."""
        return href(page, "wallet-link")

    def present(self, request_link: str, **options: Any) -> httpx2.Response:
        """The wallet answers the question behind a link; gives the verifier's answer to the wallet."""
        wallet_client = TestClient(self.browser.app, base_url=BASE_URL, raise_server_exceptions=False, follow_redirects=False)
        answer: httpx2.Response = self.scene.wallet.answer(wallet_client, {"request_uri": request_link}, **options)
        return answer

    def return_with(self, answer: httpx2.Response) -> httpx2.Response:
        """The wallet opens in this browser what it was told to."""
        back = urlsplit(answer.json()["redirect_uri"])
        found: httpx2.Response = self.browser.get(f"{back.path}?{back.query}")
        return found

    def code(self, **changes: Any) -> str:
        """A whole sign-in on one device; gives the code the client receives."""
        page = self.begin(**changes)
        back = self.return_with(self.present(self.link(page.text)))
        assert back.status_code == 303, back.text
        return query_of(back.headers["location"])["code"]


def href(page: str, element: str) -> str:
    """Where the link with that id leads."""
    found = re.search(rf'<a id="{element}"[^>]*href="([^"]+)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def redeem(browser: TestClient, code: str, /, *, headers: dict[str, str] | None = None, **changes: Any) -> httpx2.Response:
    """The token request of the client; None takes a field out."""
    values = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, **changes}
    fields = {name: value for name, value in values.items() if value is not None}
    found: httpx2.Response = browser.post("/openid/token", data=fields, headers=basic() if headers is None else headers)
    return found


def id_token(browser: TestClient, token: str, now: Any, *, audience: str = CLIENT) -> dict[str, Any]:
    """The claims, checked by another implementation with the published key set."""
    (key,) = browser.get("/openid/jwks").json()["keys"]
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "JWT", "kid": key["kid"]}
    found: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(key),
        algorithms=["ES256"],
        audience=audience,
        issuer=BASE_URL,
        options={"require": ["iss", "sub", "aud", "exp", "iat", "auth_time"], "verify_exp": False, "verify_iat": False},
    )
    assert found["iat"] <= now.timestamp() < found["exp"] <= now.timestamp() + 600
    return found


@contextmanager
def provider(scene: Scene, made: Settings | None = None) -> Iterator[TestClient]:
    """A running provider over the scene's world."""
    with scene.world.service(made or settings(scene)) as client:
        yield client
