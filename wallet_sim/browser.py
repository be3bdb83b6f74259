"""The simulator's own browser: follows redirects with cookies, answers a request for a PID, and does nothing else.

It fills in no form and runs no script: a sign-in page that wants more is for a real browser (`loopback`). Links to `openid4vp:`
and its relatives are what a phone would hand to the wallet; the address the verifier answers with is opened in the same window,
so that its session is that of the browser which began (SECURITY A-16).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import cast
from urllib.parse import urljoin, urlsplit
from urllib.request import Request

from edge.outbound import Fetched
from vc.errors import Refused, Unreachable
from vc.openid4vp.link import SCHEMES
from wallet_sim.present import Presenter
from wallet_sim.transcript import Wire
from wallet_sim.user_agent import PresentPid, is_return

REDIRECT_URI = "eu.portadoc.wallet-simulator:/authorized"
"""A private-use scheme in reverse domain order (RFC 8252 §7.1); nothing is ever sent there."""
MAX_STEPS = 30
_REDIRECTS = (301, 302, 303, 307, 308)
# One field line with several cookies: a comma that begins the next name, not one within a date.
_NEXT_COOKIE = re.compile(r",\s*(?=[!#$%&'*+.^_`|~0-9A-Za-z-]+=)")


def presenting(presenter: Presenter) -> PresentPid:
    """Answers a request with what `presenter` holds. Raises `Refused("sign_in")` when the verifier does not take it."""

    def present(link: str) -> str:
        done = presenter.present(link)
        back = done.answer.get("redirect_uri")
        if not done.taken or not isinstance(back, str):
            raise Refused("sign_in", f"the sign-in did not take what was presented: HTTP {done.status}")
        return back

    return present


class OwnBrowser:
    """`present`: shows the wallet's PID to a verifier."""

    def __init__(self, wire: Wire, present: PresentPid) -> None:
        self._wire, self._present = wire, present

    @contextmanager
    def window(self) -> Iterator["OwnWindow"]:
        """See `UserAgent.window`."""
        yield OwnWindow(self._wire, self._present)


class OwnWindow:
    """One window with a cookie jar of its own."""

    redirect_uri = REDIRECT_URI

    def __init__(self, wire: Wire, present: PresentPid) -> None:
        self._wire, self._present = wire, present
        self._cookies = CookieJar()
        self._presented: set[str] = set()

    def visit(self, url: str) -> str:
        """See `Window.visit`. Raises `Refused("sign_in")`, `Refused("sign_in_redirect")`, what presenting raises, `Unreachable`."""
        for _ in range(MAX_STEPS):
            if is_return(url, self.redirect_uri):
                return url
            if urlsplit(url).scheme not in ("http", "https"):
                raise Refused("sign_in_redirect", "the sign-in leads to an address that is neither a page nor this wallet's")
            url = self._next(self._get(url))
        raise Refused("sign_in_redirect", "the sign-in does not come to an end")

    def _get(self, url: str) -> Fetched:
        asked = Request(url)  # noqa: S310 — only carries the address to the cookie jar; `Wire` fetches
        self._cookies.add_cookie_header(asked)
        cookie = asked.get_header("Cookie")
        page = self._wire.get(url, headers={"accept": "text/html", **({} if cookie is None else {"cookie": cookie})})
        answer = _Headers(page)
        self._cookies.extract_cookies(cast("HTTPResponse", answer), asked)
        return page

    def _next(self, page: Fetched) -> str:
        if page.status in _REDIRECTS and page.headers.get("location"):
            return urljoin(page.url, page.headers["location"])
        links = _links(page)
        back = [link for link in links if is_return(link, self.redirect_uri)]
        if back:  # a page that says why it ends here, and takes the person back to the wallet
            return back[0]
        if page.status >= 500:
            raise Unreachable("sign_in", f"the sign-in page answers with HTTP {page.status}")
        if page.status != 200:
            raise Refused("sign_in", f"the sign-in page shows an error: HTTP {page.status}")
        requests = [link for link in links if link.partition(":")[0].lower() in SCHEMES and link not in self._presented]
        if not requests:
            raise Refused("sign_in", "the sign-in page asks for something only a person with a real browser can give: --browser")
        self._presented.add(requests[0])
        return self._present(requests[0])


class _Headers:
    """The header fields of an answer, in the shape the cookie jar of the standard library reads."""

    def __init__(self, page: Fetched) -> None:
        self._message = Message()
        for line in _NEXT_COOKIE.split(page.headers.get("set-cookie", "")):
            if line:
                self._message["Set-Cookie"] = line

    def info(self) -> Message:
        """What `http.cookiejar` asks for."""
        return self._message


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember where an `a` leads."""
        target = dict(attrs).get("href") if tag == "a" else None
        if target is not None:
            self.found.append(target)


def _links(page: Fetched) -> list[str]:
    """Where the links of a page lead, in order; what is no page has none."""
    if page.media_type not in ("text/html", "application/xhtml+xml"):
        return []
    reader = _LinkReader()
    reader.feed(page.body.decode("utf-8", errors="replace"))
    return list(dict.fromkeys(reader.found))
