"""Outgoing requests: destination, size and redirects (TM-5, D-13, VP-REQ-13)."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx2
import pytest

from edge.outbound import FetchLimits, Outbound
from vc.errors import Refused, Unreachable


def _client(handler: Any, **limits: Any) -> Outbound:
    return Outbound(FetchLimits(**limits), transport=httpx2.MockTransport(handler))


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/x",
        "ftp://issuer.example/x",
        "file:///etc/passwd",
        "https://user@issuer.example/",
        "https://",
        "https://issuer.example\\@other.example/",
        "https://issuer.example/a b",
        "https://ïssuer.example/",
        "https://[::1",
        "https://host:99999/",
        "https://issuer.example/" + "a" * 9000,
    ],
)
def test_addresses_that_are_never_asked(url: str) -> None:
    client = _client(lambda request: pytest.fail("a request left"))
    with pytest.raises(Refused) as caught:
        client.get(url)
    assert caught.value.code == "destination"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fe80::1]", "0.0.0.0", "[::ffff:10.0.0.1]"]
)
def test_private_addresses_are_refused(host: str) -> None:
    with pytest.raises(Refused):
        Outbound(FetchLimits()).get(f"https://{host}/")


def test_a_name_that_resolves_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(2, 1, 6, "", ("10.1.2.3", 443))])
    with pytest.raises(Refused):
        Outbound(FetchLimits()).get("https://issuer.example/")


def test_a_name_that_does_not_resolve_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable):
        Outbound(FetchLimits()).get("https://issuer.example/")


@pytest.mark.parametrize("name", ["a..example", "a" * 64 + ".example", ".example", "x" * 300])
def test_a_name_that_dns_cannot_have_is_refused(name: str) -> None:
    """The resolver's own encoder raises UnicodeError for these (R-17: a hostile address costs itself only)."""
    with pytest.raises(Refused) as caught:
        Outbound(FetchLimits()).get(f"https://{name}/")
    assert caught.value.code == "destination"


def test_what_only_the_http_client_cannot_parse_is_refused() -> None:
    """Its own error is no error of ours; letting it through ended a whole run (R-17)."""
    with pytest.raises(Refused) as caught:
        Outbound(FetchLimits(), transport=httpx2.MockTransport(lambda request: httpx2.Response(200))).get("https://a.example:/\x7f")
    assert caught.value.code == "destination"


@pytest.mark.parametrize("address", ["224.0.0.1", "[ff02::1]"])
def test_multicast_is_no_destination(address: str) -> None:
    with pytest.raises(Refused):
        Outbound(FetchLimits(allow_loopback=True)).get(f"https://{address}/")


def test_loopback_is_for_demo_and_tests() -> None:
    with pytest.raises(Refused):
        Outbound(FetchLimits()).get("http://localhost:1/")
    with pytest.raises(Unreachable):  # asked, and nobody is there
        Outbound(FetchLimits(allow_loopback=True)).get("http://127.0.0.1:1/")


def test_redirects_come_back_as_answers() -> None:
    fetched = _client(lambda request: httpx2.Response(302, headers={"location": "https://evil.example/"})).get("https://a.example/")
    assert (fetched.status, fetched.headers["location"]) == (302, "https://evil.example/")


def test_cookies_of_an_answer_never_go_out_again() -> None:
    """One client asks for everybody: a cookie of one person's errand must not be sent with another's."""
    seen: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers.get("cookie"))
        return httpx2.Response(200, headers={"set-cookie": "session=one; Path=/"})

    client = _client(answer)
    assert client.get("https://a.example/").headers["set-cookie"].startswith("session=one")
    client.get("https://a.example/")
    client.get("https://a.example/", headers={"cookie": "mine=1"})
    assert seen == [None, None, "mine=1"]


def test_an_answer_over_the_limit_is_cut() -> None:
    with pytest.raises(Unreachable) as caught:
        _client(lambda request: httpx2.Response(200, content=b"x" * 11), max_bytes=10).get("https://a.example/")
    assert caught.value.code == "too_large"
    fetched = _client(lambda request: httpx2.Response(200, content=b"x" * 11), max_bytes=10).get("https://a.example/", max_bytes=11)
    assert fetched.body == b"x" * 11


def test_a_compressed_answer_is_refused() -> None:
    with pytest.raises(Unreachable) as caught:
        _client(lambda r: httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=httpx2.ByteStream(b"x"))).get(
            "https://a.example/"
        )
    assert caught.value.code == "content_encoding"


@pytest.mark.parametrize(("error", "code"), [(httpx2.ReadTimeout("t"), "timeout"), (httpx2.ConnectError("c"), "unreachable")])
def test_transport_faults_have_a_code(error: Exception, code: str) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(Unreachable) as caught:
        _client(handler).get("https://a.example/")
    assert caught.value.code == code


def test_an_answer_that_trickles_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 1000, 6))
    monkeypatch.setattr("edge.outbound.time.monotonic", lambda: next(ticks))

    class Trickle(httpx2.SyncByteStream):
        def __iter__(self) -> Any:
            yield from (b"x" * 70000 for _ in range(5))

    with pytest.raises(Unreachable) as caught:
        _client(lambda request: httpx2.Response(200, stream=Trickle())).get("https://a.example/")
    assert caught.value.code == "timeout"


def test_post_forms_json_and_bytes() -> None:
    seen: list[tuple[str | None, bytes]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.headers.get("content-type"), request.content))
        return httpx2.Response(200, headers={"Content-Type": "Application/JSON; charset=utf-8"}, content=b"{}")

    client = _client(handler)
    assert client.post("https://a.example/", form={"a": "é"}).media_type == "application/json"
    client.post("https://a.example/", json={"a": 1})
    client.post("https://a.example/", body=b"raw", headers={"content-type": "application/jwt"})
    client.close()
    assert seen == [
        ("application/x-www-form-urlencoded", b"a=%C3%A9"),
        ("application/json", b'{"a":1}'),
        ("application/jwt", b"raw"),
    ]


class _Echo(BaseHTTPRequestHandler):
    """Answers with the Host header it got."""

    def do_GET(self) -> None:
        body = self.headers["host"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def test_the_address_that_was_judged_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means something else a moment later (DNS rebinding) leads nowhere; dead addresses are passed over."""
    real, asked = socket.getaddrinfo, list[str]()

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        if host != "rebind.localhost":
            return real(host, port, *args, **kwargs)
        if asked.count(host) > 1:
            pytest.fail("the name was resolved a second time")
        return [(2, 1, 6, "", ("127.0.0.2", 1)), (2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://rebind.localhost:{server.server_port}/x"
            fetched = Outbound(FetchLimits(allow_loopback=True)).get(url)
        finally:
            server.shutdown()
            thread.join()
    assert (fetched.body.decode(), fetched.url) == (f"rebind.localhost:{server.server_port}", url)


def test_revocation_lists_may_be_fetched_over_plain_http_and_from_no_further_address() -> None:
    """RFC 5280 §8: they are signed, and usually served so."""
    client = _client(lambda request: httpx2.Response(200, content=b"list"), allow_plain_http=True)
    assert client.get("http://ca.example/ca.crl").body == b"list"
    with pytest.raises(Refused):
        client.get("ftp://ca.example/ca.crl")
    for address in ("http://127.0.0.1/ca.crl", "http://10.0.0.1/ca.crl"):
        with pytest.raises(Refused):
            Outbound(FetchLimits(allow_plain_http=True)).get(address)
