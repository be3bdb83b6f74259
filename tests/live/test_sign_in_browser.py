"""Signing in at our verifier with a real browser: its cookies, its redirects, its idea of what a page may do."""

import json
import secrets
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import jwt
import pytest
from playwright.sync_api import Page, expect

from tests.live.conftest import free_ports
from tests.live.running import Demo
from tests.live.services import browser, service
from vc.openid4vci import pkce

CLIENT, SECRET, VERIFIER = "client", secrets.token_urlsafe(24), "v" * 43


class Client:
    """A relying party on loopback that notes where the browser came back."""

    def __init__(self) -> None:
        self.came: list[str] = []
        came = self.came

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                came.append(self.path)
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(b"<!doctype html><title>Client</title><h1>Back at the client</h1>")

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.redirect_uri = f"http://localhost:{self._server.server_port}/back"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answers(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(urlsplit(path).query)) for path in self.came if path.startswith("/back?")]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.close()


@pytest.fixture(scope="module")
def provider(demo: Demo, client: Client) -> Iterator[str]:
    """Our verifier with that client registered; gives the issuer identifier."""
    key = json.loads((demo.state / "verifier.json").read_bytes())["openid_provider"]["key"]
    registered = {
        "client_id": CLIENT,
        "name": "Client (test)",
        "client_secret_sha256": sha256(SECRET.encode()).hexdigest(),
        "redirect_uris": [client.redirect_uri],
        "claims": ["family_name", "given_name", "birthdate"],
    }
    member = {"openid_provider": {"key": key, "clients": [registered]}}
    with service(demo, "verifier", free_ports(1), member) as settings:
        yield settings["base_url"]


@pytest.fixture(scope="module")
def wallet(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wallet") / "wallet.json"
    demo.json("wallet", "get-pid", "--identity", str(demo.state / "samples" / "a1.json"), "--store", str(path))
    return path


def begin(page: Page, provider: str, client: Client, state: str) -> None:
    asked = {
        "client_id": CLIENT, "redirect_uri": client.redirect_uri, "response_type": "code", "scope": "openid", "state": state,
        "nonce": "n", "code_challenge": pkce.challenge_of(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip
    page.goto(f"{provider}/openid/authorize?{urlencode(asked)}")


def present(demo: Demo, page: Page, wallet: Path) -> str:
    """Hand the link of the page to the wallet; gives the address it opens in the browser."""
    link = page.locator("#wallet-link").get_attribute("href")
    assert link is not None
    answer = demo.json("wallet", "present", link, "--store", str(wallet))["answer"]
    return str(answer["redirect_uri"])


def test_a_real_browser_brings_the_person_through(demo: Demo, provider: str, client: Client, wallet: Path) -> None:
    """HAIP-VP-4: the page, the wallet beside it, the way back with the cookie of the session, and the client's answer."""
    faults: list[str] = []
    with browser() as page:
        page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        begin(page, provider, client, "one-device")
        expect(page.locator("h1")).to_have_text("Sign in at Client (test)")
        assert page.locator("#qr").evaluate("image => image.complete && image.naturalWidth > 0"), "the policy lets the QR code show"
        assert page.locator("#wallet-link").evaluate("link => getComputedStyle(link).fontWeight") == "600", "and the style sheet"
        page.goto(present(demo, page, wallet))
        expect(page.locator("h1")).to_have_text("Back at the client")

    assert [fault for fault in faults if "favicon" not in fault and "404" not in fault] == []
    (answer,) = [one for one in client.answers() if one["state"] == "one-device"]
    form = {
        "grant_type": "authorization_code", "code": answer["code"], "redirect_uri": client.redirect_uri, "code_verifier": VERIFIER,
    }  # fmt: skip
    token = httpx2.post(f"{provider}/openid/token", data=form, auth=(CLIENT, SECRET), trust_env=False).json()["id_token"]
    (key,) = httpx2.get(f"{provider}/openid/jwks", trust_env=False).json()["keys"]
    claims = jwt.decode(token, jwt.PyJWK(key), algorithms=["ES256"], audience=CLIENT, issuer=provider)
    identity = json.loads((demo.state / "samples" / "a1.json").read_bytes())["identity"]
    assert [claims[name] for name in ("family_name", "given_name", "birthdate", "nonce")] == [
        *(identity[name] for name in ("family_name", "given_name", "birth_date")), "n",
    ]  # fmt: skip


def test_the_way_back_in_another_browser_is_refused(demo: Demo, provider: str, client: Client, wallet: Path) -> None:
    with browser() as page:
        begin(page, provider, client, "two-browsers")
        back = present(demo, page, wallet)
        assert page.context.browser is not None
        other = page.context.browser.new_context()
        refused = other.new_page()
        refused.goto(back)
        expect(refused.locator("#state")).to_contain_text("began in another browser")
        other.close()
        assert [one for one in client.answers() if one["state"] == "two-browsers"] == []
        page.goto(back)
        expect(page.locator("h1")).to_have_text("Back at the client")


def test_a_page_that_waits_goes_on_by_itself(demo: Demo, provider: str, client: Client) -> None:
    """No script: the page renews itself, and a wallet that declines shows on it."""
    with browser() as page:
        begin(page, provider, client, "waiting")
        expect(page.locator("#state")).to_contain_text("Waiting for your wallet")
        with page.expect_navigation(timeout=10_000):
            pass
        expect(page.locator("#state")).to_contain_text("Waiting for your wallet")
        page.locator("#back").click()
        expect(page.locator("h1")).to_have_text("Back at the client")

    (answer,) = [one for one in client.answers() if one["state"] == "waiting"]
    assert answer["error"] == "access_denied"
