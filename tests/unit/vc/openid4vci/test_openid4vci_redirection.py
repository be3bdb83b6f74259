"""Redirect URIs: VCI-AUTHZ-9 (no open redirect), RFC 8252, RFC 9700."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.errors import Malformed, Refused, VcError
from vc.openid4vci.authorization_response import parse_response, response_url
from vc.openid4vci.redirection import MAX_LENGTH, RESPONSE_PARAMETERS, check, is_registered

GOOD = (
    "https://wallet.test/cb",
    "https://wallet.test",
    "https://wallet.test:8443/cb?tenant=1&x=%C3%A9",
    "https://wallet.test/cb?",
    "https://xn--bcher-kva.test/cb",
    "https://wallet.test./cb",
    "https://192.0.2.1/cb",
    "https://[2001:db8::1]:8443/cb",
    "http://127.0.0.1:49152/cb",
    "http://127.9.9.9/cb",
    "http://[::1]:49152/cb",
    "http://localhost:49152/cb",
    "eu.example.wallet:/cb",
    "eu.example.wallet://cb",
    "eu.example.wallet:///cb",
    "eudi-wallet://authorize?x=1",
)


@pytest.mark.parametrize("redirect_uri", GOOD)
def test_a_place_a_wallet_may_name(redirect_uri: str) -> None:
    assert check(redirect_uri) == redirect_uri


@pytest.mark.parametrize(
    ("name", "redirect_uri", "code"),
    [
        ("empty", "", "redirect_uri_form"),
        ("endless", "https://wallet.test/" + "a" * MAX_LENGTH, "redirect_uri_form"),
        ("relative", "/cb", "redirect_uri_form"),
        ("no scheme", "//wallet.test/cb", "redirect_uri_form"),
        ("colon first", "://wallet.test/cb", "redirect_uri_form"),
        ("a digit first", "1a:/cb", "redirect_uri_form"),
        ("fragment", "https://wallet.test/cb#x", "redirect_uri_form"),
        ("empty fragment", "https://wallet.test/cb#", "redirect_uri_form"),
        ("user", "https://user@wallet.test/cb", "redirect_uri_form"),
        ("user and password", "https://good.test:x@evil.test/cb", "redirect_uri_form"),
        ("user of an app", "eu.example.wallet://good.test@evil.test/cb", "redirect_uri_form"),
        ("backslash", "https://good.test\\@evil.test/cb", "redirect_uri_form"),
        ("backslash in path", "https://good.test/\\evil.test", "redirect_uri_form"),
        ("blank", "https://wallet.test/c b", "redirect_uri_form"),
        ("leading blank", " https://wallet.test/cb", "redirect_uri_form"),
        ("line break", "https://wallet.test/cb\r\nSet-Cookie: x=1", "redirect_uri_form"),
        ("line break at the end", "https://wallet.test/cb\n", "redirect_uri_form"),
        ("tab in the scheme", "java\tscript:/x", "redirect_uri_form"),
        ("null", "https://wallet.test/\x00", "redirect_uri_form"),
        ("escaped line break", "https://wallet.test/cb%0d%0aSet-Cookie:x", "redirect_uri_form"),
        ("escaped null", "https://wallet.test/cb?x=%00", "redirect_uri_form"),
        ("escaped delete", "https://wallet.test/%7f", "redirect_uri_form"),
        ("half an escape", "https://wallet.test/%0", "redirect_uri_form"),
        ("no escape", "https://wallet.test/%zz", "redirect_uri_form"),
        ("umlaut in the host", "https://bücher.test/cb", "redirect_uri_form"),
        ("ideographic stop", "https://wallet。test/cb", "redirect_uri_form"),
        ("umlaut in the path", "https://wallet.test/ü", "redirect_uri_form"),
        ("right to left", "https://wallet.test/\u202ecb", "redirect_uri_form"),
        ("quote", 'https://wallet.test/"', "redirect_uri_form"),
        ("angle bracket", "https://wallet.test/<x>", "redirect_uri_form"),
        ("escape in the host", "https://wallet%2etest/cb", "redirect_uri_form"),
        ("no host", "https:///cb", "redirect_uri_form"),
        ("one slash", "https:/wallet.test/cb", "redirect_uri_form"),
        ("four slashes", "https:////wallet.test/cb", "redirect_uri_form"),
        ("no slash", "https:wallet.test/cb", "redirect_uri_form"),
        ("port only", "https://:443/cb", "redirect_uri_form"),
        ("port empty", "https://wallet.test:/cb", "redirect_uri_form"),
        ("port of words", "https://wallet.test:x/cb", "redirect_uri_form"),
        ("port too high", "https://wallet.test:65536/cb", "redirect_uri_form"),
        ("no address", "https://[::x]/cb", "redirect_uri_form"),
        ("bracket open", "https://[::1/cb", "redirect_uri_form"),
        ("underscore", "https://wallet_1.test/cb", "redirect_uri_form"),
        ("two dots", "https://wallet..test/cb", "redirect_uri_form"),
        ("semicolon in the host", "https://good.test;evil.test/cb", "redirect_uri_form"),
        ("asterisk", "https://*.test/cb", "redirect_uri_form"),
        ("private without slash", "eu.example.wallet:cb", "redirect_uri_form"),
        ("http elsewhere", "http://wallet.test/cb", "redirect_uri_loopback"),
        ("http to a name that begins so", "http://localhost.evil.test/cb", "redirect_uri_loopback"),
        ("http to a name that ends so", "http://evil.localhost/cb", "redirect_uri_loopback"),
        ("http to a short address", "http://127.1/cb", "redirect_uri_loopback"),
        ("http to a number", "http://2130706433/cb", "redirect_uri_loopback"),
        ("http to a hexadecimal address", "http://0x7f.0.0.1/cb", "redirect_uri_loopback"),
        ("http to any address", "http://0.0.0.0/cb", "redirect_uri_loopback"),
        ("http to a private address", "http://192.168.0.1/cb", "redirect_uri_loopback"),
        ("upper case http", "HTTP://wallet.test/cb", "redirect_uri_loopback"),
        ("script", "javascript:/alert(1)", "redirect_uri_scheme"),
        ("script as host", "javascript://wallet.test/%20alert(1)", "redirect_uri_scheme"),
        ("upper case script", "JavaScript://wallet.test/x", "redirect_uri_scheme"),
        ("data", "data:/text,x", "redirect_uri_scheme"),
        ("file", "file:///etc/passwd", "redirect_uri_scheme"),
        ("visual basic", "vbscript:/x", "redirect_uri_scheme"),
        ("blob", "blob://x", "redirect_uri_scheme"),
        ("about", "about:/blank", "redirect_uri_scheme"),
        ("ftp", "ftp://wallet.test/cb", "redirect_uri_scheme"),
        ("socket", "wss://wallet.test/cb", "redirect_uri_scheme"),
        ("intent", "intent://x/y", "redirect_uri_scheme"),
        ("system tool", "ms-msdt:/id", "redirect_uri_scheme"),
        ("system search", "search-ms:/query", "redirect_uri_scheme"),
        *((f"has {name}", f"https://wallet.test/cb?{name}=x", "redirect_uri_parameter") for name in sorted(RESPONSE_PARAMETERS)),
        ("parameter behind others", "https://wallet.test/cb?x=1&code=y", "redirect_uri_parameter"),
        ("parameter behind a semicolon", "https://wallet.test/cb?x=1;code=y", "redirect_uri_parameter"),
        ("parameter in disguise", "https://wallet.test/cb?%63ode=y", "redirect_uri_parameter"),
        ("parameter without value", "eu.example.wallet://cb?code", "redirect_uri_parameter"),
    ],
)  # fmt: skip
def test_vci_authz_9_a_place_nobody_is_sent_to(name: str, redirect_uri: str, code: str) -> None:
    with pytest.raises((Malformed, Refused)) as caught:
        check(redirect_uri)
    assert (caught.value.code, caught.value.pointer) == (code, "/redirect_uri"), name


REGISTERED = ("https://wallet.test/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb", "eu.example.wallet:/cb")


@pytest.mark.parametrize(
    "redirect_uri",
    [*REGISTERED, "http://127.0.0.1:49152/cb", "http://[::1]/cb", "http://[::1]:2/cb"],
)
def test_a_registered_place_and_any_port_of_this_machine(redirect_uri: str) -> None:
    assert is_registered(redirect_uri, REGISTERED)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://wallet.test/cb/",
        "https://wallet.test/CB",
        "https://WALLET.test/cb",
        "https://wallet.test:443/cb",
        "https://wallet.test/cb?",
        "https://wallet.test/cb?x=1",
        "https://wallet.test/cb/../cb",
        "https://wallet.test/%63b",
        "https://evil.test/cb",
        "http://127.0.0.1:49152/other",
        "http://127.0.0.2:49152/cb",
        "http://localhost:49152/cb",
        "http://127.0.0.1/cb:80",
        "HTTP://127.0.0.1:1/cb",
        "eu.example.wallet:/cb:80",
    ],
)
def test_vci_authz_9_another_place_is_not_registered(redirect_uri: str) -> None:
    assert not is_registered(redirect_uri, REGISTERED)
    assert not is_registered(redirect_uri, ())


PIECES = st.sampled_from(
    ["https", "http", "eu.test", "javascript", ":", "/", "//", "\\", "@", "#", "?", "&", "=", "%0d", "%", "[", "]", "::1",
     "127.0.0.1", "localhost", "wallet.test", "ü", "\n", "\t", " ", "code", "iss", "x", ":8", ".", ";", "%2e", "*"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=40))
def test_any_text_is_a_place_or_our_error_and_what_is_sent_there_comes_back(redirect_uri: str) -> None:
    try:
        assert check(redirect_uri) == redirect_uri
    except VcError:
        return
    sent = response_url(redirect_uri, code="a&b=c#d", state="s t", iss="https://issuer.test/fr")
    assert parse_response(sent, redirect_uri=redirect_uri, state="s t", issuer="https://issuer.test/fr") == "a&b=c#d"
