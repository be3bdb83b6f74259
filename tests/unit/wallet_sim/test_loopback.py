"""The listener for a real browser: one answer, on a path nobody can guess, on this machine, for a while (RFC 8252 §7.3)."""

import http.client
import socket
from urllib.parse import urlsplit

import pytest

from vc.errors import Unreachable
from wallet_sim import loopback
from wallet_sim.loopback import RealBrowser


def get(url: str, method: str = "GET") -> tuple[int, str, bytes]:
    """What a browser of this machine would see."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("cache-control", ""), answer.read()
    finally:
        connection.close()


def test_the_first_answer_to_the_right_path_counts() -> None:
    seen: list[tuple[int, str, bytes]] = []

    def person(url: str) -> None:
        assert url == "https://as.test/authorize"
        root = f"http://{urlsplit(window.redirect_uri).netloc}"
        with socket.create_connection(("127.0.0.1", int(root.rpartition(":")[2]))):  # an idle connection, as browsers make them
            for address in (
                f"{root}/favicon.ico",
                f"{root}/",
                f"{window.redirect_uri}x?code=evil",
                f"{window.redirect_uri}/?code=e",
            ):
                seen.append(get(address))
            seen.append(get(f"{window.redirect_uri}?code=c&state=s"))
            seen.append(get(f"{window.redirect_uri}?code=second"))

    with RealBrowser(person, seconds=5).window() as window:
        assert urlsplit(window.redirect_uri).hostname == "127.0.0.1"
        assert len(urlsplit(window.redirect_uri).path) > 20
        assert window.visit("https://as.test/authorize") == f"{window.redirect_uri}?code=c&state=s"
    assert [status for status, _, _ in seen] == [404, 404, 404, 404, 200, 404]
    assert b"close this window" in seen[4][2]
    assert all(cache == "no-store" for _, cache, _ in seen)


def test_nobody_listens_afterwards() -> None:
    with RealBrowser(lambda _: None).window() as window:
        port = urlsplit(window.redirect_uri).port
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port or 0), timeout=1)


def test_two_windows_have_nothing_in_common() -> None:
    with RealBrowser(lambda _: None).window() as one, RealBrowser(lambda _: None).window() as other:
        assert urlsplit(one.redirect_uri).path != urlsplit(other.redirect_uri).path


def test_nobody_comes_back() -> None:
    with RealBrowser(lambda _: None, seconds=0.01).window() as window, pytest.raises(Unreachable, match="sign_in"):
        window.visit("https://as.test/authorize")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_other_methods_are_no_answer(method: str) -> None:
    with RealBrowser(lambda _: None, seconds=0.01).window() as window:
        assert get(f"{window.redirect_uri}?code=c", method)[0] == 501
        with pytest.raises(Unreachable):
            window.visit("https://as.test/authorize")


def test_the_address_is_said_also_when_a_browser_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, said = list[str](), list[str]()
    monkeypatch.setattr("wallet_sim.loopback.webbrowser.open", opened.append)
    loopback.open_and_say(said.append)("https://as.test/authorize")
    assert opened == said == ["https://as.test/authorize"]
