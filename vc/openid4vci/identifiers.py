"""Issuer identifiers and endpoint URLs (OpenID4VCI 1.0 §12.2.1), and where their metadata is (RFC 8414 §3.1, RFC 8615)."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from vc.errors import Malformed

MAX_URL = 2048


def check_issuer(value: object, *, allow_http_loopback: bool = False, pointer: str = "") -> str:
    """`value` as an issuer identifier (VCI-META-1): https, a host, no query, no fragment, compared octet by octet ever after.

    `allow_http_loopback`: also `http` when the host is this machine, for demos and tests. Raises `Malformed("url")`.
    """
    url, parts = _parse(value, allow_http_loopback, pointer)
    if parts.query or "?" in url:
        raise Malformed("url", "an issuer identifier has no query", pointer=pointer)
    return url


def check_endpoint(value: object, *, allow_http_loopback: bool = False, pointer: str = "") -> str:
    """`value` as the URL of an endpoint: as `check_issuer`, but a query is allowed."""
    return _parse(value, allow_http_loopback, pointer)[0]


def well_known(issuer: str, name: str) -> str:
    """The metadata URL of `issuer`: `/.well-known/<name>` between host and path, a last slash removed (VCI-META-2, OLD-11)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.removesuffix('/')}"


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address means this machine."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 §6.3
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parse(value: object, allow_http_loopback: bool, pointer: str) -> tuple[str, SplitResult]:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_URL or not value.isascii() or not value.isprintable():
        raise Malformed("url", "not a URL in printable ASCII", pointer=pointer)
    if " " in value or "\\" in value or "#" in value:
        raise Malformed("url", "a blank, a backslash or a fragment has no place here", pointer=pointer)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port  # an impossible port raises
    except ValueError as exc:
        raise Malformed("url", "not a URL", pointer=pointer) from exc
    if not host or "@" in parts.netloc:
        raise Malformed("url", "a host is needed, and no user information", pointer=pointer)
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_http_loopback and is_loopback(host)):
        raise Malformed("url", "not https", pointer=pointer)
    return value, parts
