"""Where an authorization response may be sent: the forms of a redirect URI, and comparing two of them.

RFC 6749 §3.1.2, RFC 8252 §7 (native apps), RFC 9700 §2.1 and §4.1 (exact comparison, no open redirect; VCI-AUTHZ-9).
"""

import re
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, urlsplit

from vc.errors import Malformed, Refused

MAX_LENGTH = 2048
RESPONSE_PARAMETERS = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "response", "request_uri"})
"""What a redirect URI's own query may not have: the wallet would read two of them."""
# RFC 3986 §2: the characters a URI may have at all. No backslash, blank, quote, angle bracket, control or non-ASCII character.
_URI = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
_ESCAPES = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_ESCAPED_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?")  # ASCII: an internationalised name comes as xn--
# Schemes that no app claims for itself: what a browser or a system runs, opens or fetches under them is somebody else's.
_NOT_PRIVATE = frozenset(
    {
        "about", "acct", "android-app", "blob", "cid", "chrome", "chrome-extension", "content", "data", "dav", "dns", "edge",
        "feed", "file", "filesystem", "ftp", "ftps", "geo", "git", "gopher", "im", "imap", "intent", "ipfs", "jar",
        "javascript", "ldap", "ldaps", "livescript", "magnet", "mailto", "market", "mhtml", "mid", "mk", "mocha",
        "moz-extension", "news", "nntp", "pop", "res", "resource", "rtsp", "sftp", "shell", "sip", "sips", "smb", "sms",
        "ssh", "tel", "telnet", "urn", "vbscript", "view-source", "vnc", "ws", "wss", "xmpp",
    }
)  # fmt: skip
_NOT_PRIVATE_FAMILIES = ("ms-", "search-ms", "safari-")


def check(redirect_uri: str) -> str:
    """`redirect_uri` when an authorization response may be sent there, unchanged. Nothing is known of whose it is.

    Allowed: `https` with a host; `http` to a loopback address or `localhost`, any port (RFC 8252 §7.3); a private-use scheme
    followed by a slash (RFC 8252 §7.1). Never a fragment, user information, or a parameter that the response itself has.

    Raises `Malformed("redirect_uri_form")`, `Refused("redirect_uri_scheme")`, `Refused("redirect_uri_loopback")` for http to
    elsewhere, `Refused("redirect_uri_parameter")`.
    """
    at = "/redirect_uri"
    if not 0 < len(redirect_uri) <= MAX_LENGTH or not _URI.fullmatch(redirect_uri) or not _ESCAPES.fullmatch(redirect_uri):
        raise Malformed("redirect_uri_form", "not a URI without fragment", pointer=at)
    if _ESCAPED_CONTROL.search(redirect_uri):
        raise Malformed("redirect_uri_form", "an escaped control character has no place here", pointer=at)
    scheme, colon, rest = redirect_uri.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme) or not rest.startswith("/"):
        raise Malformed("redirect_uri_form", "not an absolute URI with a path or a host", pointer=at)
    parts = _split(redirect_uri, at)
    scheme = scheme.lower()
    if scheme in ("http", "https"):
        host = _host(parts, rest, at)
        if scheme == "http" and not _is_loopback(host):
            raise Refused("redirect_uri_loopback", "http is for this machine only", pointer=at)
    elif scheme in _NOT_PRIVATE or scheme.startswith(_NOT_PRIVATE_FAMILIES):
        raise Refused("redirect_uri_scheme", "no app receives redirects under this scheme", pointer=at)
    names = {name for name, _ in parse_qsl(parts.query.replace(";", "&"), keep_blank_values=True)}  # some still split at both
    if names & RESPONSE_PARAMETERS:
        raise Refused("redirect_uri_parameter", "the query has a parameter of the response itself", pointer=at)
    return redirect_uri


def _split(redirect_uri: str, pointer: str) -> SplitResult:
    try:
        parts = urlsplit(redirect_uri)
        _ = parts.hostname, parts.port  # an impossible host or port raises
    except ValueError as exc:
        raise Malformed("redirect_uri_form", "not a URI", pointer=pointer) from exc
    if "@" in parts.netloc or "%" in parts.netloc:
        raise Malformed("redirect_uri_form", "no user information, and no escape in the host", pointer=pointer)
    return parts


def _host(parts: SplitResult, rest: str, pointer: str) -> str:
    host = parts.hostname
    # `https:/x`, `https:///x`, and a second slash too many are read as a host by browsers and as none here.
    if not rest.startswith("//") or not host or parts.netloc.endswith(":"):
        raise Malformed("redirect_uri_form", "a host is needed", pointer=pointer)
    bracketed = parts.netloc.startswith("[")
    if not bracketed and not _HOST.fullmatch(host):
        raise Malformed("redirect_uri_form", "not a host name", pointer=pointer)
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_registered(redirect_uri: str, registered: Collection[str]) -> bool:
    """Whether a checked redirect URI is one of those a client has registered: octet by octet (RFC 9700 §2.1), except for the
    port of an `http` URI to this machine, which an app gets from its system (RFC 8252 §7.3)."""
    return redirect_uri in registered or _without_port(redirect_uri) in {_without_port(one) for one in registered}


def _without_port(redirect_uri: str) -> str:
    """The URI, without its port when it is `http`; anything that has none of its own stays as it is."""
    scheme, separator, rest = redirect_uri.partition("://")
    if scheme != "http":
        return redirect_uri
    authority = re.match(r"[^/?]*", rest)
    host = "" if authority is None else authority[0]
    return scheme + separator + re.sub(r":[0-9]+\Z", "", host) + rest[len(host) :]
