"""The simulator's own browser: redirects, cookies, one request for a PID, and nothing else (SECURITY A-16, W-2)."""

from collections.abc import Callable

import httpx2
import pytest

from edge.outbound import FetchLimits, Outbound
from tests.support.internet import Internet
from tests.support.pki import NOW
from vc.errors import Refused, Unreachable
from wallet_sim.browser import MAX_STEPS, REDIRECT_URI, OwnBrowser
from wallet_sim.transcript import Transcript, Wire

LINK = "openid4vp://?client_id=x509_hash%3Aa&request_uri=https%3A%2F%2Fop.test%2Fr"
Page = httpx2.Response


class Site:
    """Two hosts whose answers are a table, and a wallet that presents what it is asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[httpx2.Request], Page]] = {}
        self.presented: list[str] = []
        self.cookies: dict[str, str] = {}
        self.internet = Internet()
        for host in ("as.test", "op.test"):
            self.internet.function(host, self._answer)
        self.wire = Wire(Outbound(FetchLimits(), transport=self.internet), Transcript(lambda: NOW))

    def visit(self, url: str = "https://as.test/authorize?request_uri=u") -> str:
        with OwnBrowser(self.wire, self._present).window() as window:
            assert window.redirect_uri == REDIRECT_URI
            return window.visit(url)

    def page(self, address: str, answer: Page) -> None:
        self.pages[address] = lambda _: answer

    def _present(self, link: str) -> str:
        self.presented.append(link)
        return "https://op.test/back?response_code=r"

    def _answer(self, request: httpx2.Request) -> Page:
        address = str(request.url).partition("?")[0]
        self.cookies[address] = request.headers.get("cookie", "")
        return self.pages[address](request) if address in self.pages else Page(404)


def to(location: str, status: int = 303, **headers: str) -> Page:
    return Page(status, headers={"location": location, **{name.replace("_", "-"): text for name, text in headers.items()}})


def html(text: str, status: int = 200) -> Page:
    return Page(status, content=text.encode(), headers={"content-type": "text/html; charset=utf-8"})


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_sign_in_with_the_pid_comes_back_to_the_wallet(site: Site) -> None:
    site.page(
        "https://as.test/authorize",
        to("https://op.test/authorize", set_cookie="__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax"),
    )
    href = LINK.replace("&", "&amp;")
    page = f'<a href="/imprint">i</a><a href="{href}">same device</a><img src="{href}"><a href="{href}">again</a>'
    answer = html(page)
    answer.headers["set-cookie"] = "b=2; Path=/; HttpOnly, c=3; Expires=Wed, 25 Nov 2099 10:00:00 GMT; Path=/"
    site.page("https://op.test/authorize", answer)
    site.page("https://op.test/back", to("https://as.test/callback?code=x", 302))
    site.page("https://as.test/callback", to(f"{REDIRECT_URI}?code=y&state=s&iss=i"))
    assert site.visit() == f"{REDIRECT_URI}?code=y&state=s&iss=i"
    assert site.presented == [LINK]
    assert site.cookies["https://op.test/authorize"] == ""  # a cookie of another host stays there
    assert site.cookies["https://op.test/back"] == "b=2; c=3"
    assert site.cookies["https://as.test/callback"] == "__Host-a=1"


def test_each_window_has_its_own_cookies(site: Site) -> None:
    site.page("https://as.test/authorize", to(f"{REDIRECT_URI}?code=y", set_cookie="a=1; Path=/"))
    site.visit()
    site.visit()
    assert site.cookies["https://as.test/authorize"] == ""


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("javascript:alert(1)", "sign_in_redirect"),
        ("other.app:/authorized?code=x", "sign_in_redirect"),
        (f"{REDIRECT_URI}/elsewhere?code=x", "sign_in_redirect"),
        (f"{REDIRECT_URI}evil?code=x", "sign_in_redirect"),
        ("http://as.test@evil.example/", "destination"),
    ],
)
def test_redirects_to_what_is_neither_a_page_nor_ours_are_not_followed(site: Site, location: str, code: str) -> None:
    site.page("https://as.test/authorize", to(location))
    with pytest.raises(Refused) as caught:
        site.visit()
    assert caught.value.code == code


def test_redirects_come_to_an_end(site: Site) -> None:
    site.page("https://as.test/authorize", to("https://as.test/authorize"))
    with pytest.raises(Refused, match="sign_in_redirect"):
        site.visit()
    assert len(site.internet.seen) == MAX_STEPS


@pytest.mark.parametrize(
    ("page", "family"),
    [
        (html("<form method=post><input name=password></form>"), Refused),  # W: nothing is filled in
        (html("no document fits", 403), Refused),
        (Page(200, content=LINK.encode(), headers={"content-type": "application/json"}), Refused),
        (Page(303), Refused),
        (html("later", 503), Unreachable),
    ],
)
def test_pages_that_want_or_say_something_else_end_it(site: Site, page: Page, family: type[Exception]) -> None:
    site.page("https://as.test/authorize", page)
    with pytest.raises(family, match="sign_in"):
        site.visit()
    assert site.presented == []


@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_page_that_says_why_it_ends_leads_back_to_the_wallet(site: Site, status: int) -> None:
    back = f"{REDIRECT_URI}?error=access_denied&amp;state=s&amp;iss=i"
    site.page(
        "https://as.test/authorize", html(f'<a href="{LINK}">x</a><a href="{REDIRECT_URI}x">y</a><a href="{back}">z</a>', status)
    )
    assert site.visit() == back.replace("&amp;", "&")
    assert site.presented == []


def test_one_request_is_answered_once(site: Site) -> None:
    site.page("https://as.test/authorize", html(f'<a href="{LINK}">x</a>'))
    site.page("https://op.test/back", to("https://as.test/authorize"))
    with pytest.raises(Refused, match="sign_in"):
        site.visit()
    assert site.presented == [LINK]


def test_the_transcript_has_neither_code_nor_cookie(site: Site) -> None:
    site.page("https://as.test/authorize", to("https://as.test/next?state=secret-state", set_cookie="a=secret-cookie; Path=/"))
    site.page("https://as.test/next", to(f"{REDIRECT_URI}?code=secret-code"))
    site.visit()
    assert "secret" not in repr(site.wire.transcript.to_json())
