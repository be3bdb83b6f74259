"""Bounded HTTP requests to the outside: size, time and destination are limits, redirects are answers, not instructions.

SECURITY 4.2 "outbound fetch", TM-5, D-13, VP-REQ-13.
"""

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from vc.encoding import json as strict_json
from vc.errors import Refused, Unreachable

_USER_AGENT = "portadoc"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_MAX_URL = 8 * 1024  # SECURITY 4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """`allow_loopback` is for demo and tests: it admits loopback addresses, and plain http to them only.

    `allow_plain_http` is for revocation lists and authorities' certificates alone, which are signed and by RFC 5280 §8 served over
    http: it admits that scheme, and no further address.
    """

    connect_seconds: float = 5.0
    total_seconds: float = 10.0
    max_bytes: int = 1 << 20
    allow_loopback: bool = False
    allow_plain_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer, read to its end within the limits. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, lower case; empty when absent."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


class Outbound:
    """A client for untrusted addresses. Synchronous, safe to share between threads.

    `transport`: for tests, an in-process one (then names are not resolved). `ca_file`: PEM of extra TLS roots.
    """

    def __init__(self, limits: FetchLimits, *, transport: httpx2.BaseTransport | None = None, ca_file: Path | None = None) -> None:
        self._limits = limits
        self._resolve = transport is None
        verify: ssl.SSLContext | bool = True
        if ca_file is not None:
            verify = ssl.create_default_context()
            verify.load_verify_locations(cafile=str(ca_file))
        self._client = httpx2.Client(
            transport=transport,
            verify=verify,
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # what one answer sets never goes out with another request
            timeout=httpx2.Timeout(limits.total_seconds, connect=limits.connect_seconds),
            limits=httpx2.Limits(max_keepalive_connections=0),  # a kept connection would be shared by all names of one address
            headers={"user-agent": _USER_AGENT, "accept-encoding": "identity"},
        )

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        """GET `url`. 3xx is returned, never followed.

        Raises `Refused("destination")` for a scheme, host or address that is not allowed and `Unreachable` with code
        `unreachable`, `timeout` or `too_large`.
        """
        return self._ask("GET", url, max_bytes, headers=headers)

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Fetched:
        """POST a form, a JSON value or raw bytes; as `get` otherwise."""
        fields = dict(headers or {})
        if form is not None:
            return self._ask("POST", url, max_bytes, data=dict(form), headers=fields)
        if json is not None:
            content = strict_json.dumps(json)
            return self._ask("POST", url, max_bytes, content=content, headers={"content-type": "application/json", **fields})
        return self._ask("POST", url, max_bytes, content=body or b"", headers=fields)

    def close(self) -> None:
        """Close pooled connections."""
        self._client.close()

    def _ask(self, method: str, url: str, max_bytes: int | None, **options: Any) -> Fetched:
        """Check the address, build the request, send it. What the client's own stricter parser rejects is refused as well."""
        addresses = self._checked(url)
        try:
            request = self._client.build_request(method, url, **options)
        except httpx2.InvalidURL as exc:
            raise Refused("destination", "the address is not a URL") from exc
        return self._send(request, addresses, max_bytes)

    def _send(self, request: httpx2.Request, addresses: Sequence[_Address], max_bytes: int | None) -> Fetched:
        limit = self._limits.max_bytes if max_bytes is None else max_bytes
        url = str(request.url)
        deadline = _Deadline(self._limits.total_seconds)
        request.extensions = {**request.extensions, "trace": deadline.watch}
        try:
            response = self._open(request, addresses)
            try:
                body = bytearray()
                if response.headers.get("content-encoding", "identity").lower() != "identity":
                    raise Unreachable("content_encoding", "the answer is compressed although that was not asked for")
                for chunk in response.iter_bytes():  # as it comes: a drop at a time must not be collected first
                    body += chunk
                    if len(body) > limit:
                        raise Unreachable("too_large", "the answer is longer than allowed")
                    if deadline.passed:
                        raise Unreachable("timeout", "the answer did not arrive in time")
            finally:
                response.close()
        except httpx2.TimeoutException as exc:
            raise Unreachable("timeout", "no answer in time") from exc
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ssl.SSLError) as exc:
            if deadline.passed:
                raise Unreachable("timeout", "the answer did not arrive in time") from exc
            raise Unreachable("unreachable", "the address could not be reached") from exc
        finally:
            deadline.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Fetched(status=response.status_code, headers=headers, body=bytes(body), url=url)

    def _open(self, request: httpx2.Request, addresses: Sequence[_Address]) -> httpx2.Response:
        """Connect to the addresses that were judged, not to what the name means a moment later (DNS rebinding).

        The `Host` header was set from the name; TLS still expects a certificate for the name.
        """
        name = request.url.host
        for place, address in enumerate(addresses, 1):
            request.url = request.url.copy_with(host=str(address))
            request.extensions = {**request.extensions, "sni_hostname": name}
            try:
                return self._client.send(request, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if place == len(addresses):
                    raise
        return self._client.send(request, stream=True)  # an in-process transport: names are not resolved

    def _checked(self, url: str) -> Sequence[_Address]:
        """The addresses `url` may be asked at, none for an in-process transport. Raises `Refused("destination")`."""
        if len(url) > _MAX_URL:
            raise Refused("destination", "the address is too long")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as exc:
            raise Refused("destination", "the address is not a URL") from exc
        if not host or "@" in parts.netloc or not url.isascii() or any(c <= " " or c == "\\" for c in url):
            raise Refused("destination", "the address has no host, names a user or holds characters that do not belong there")
        loopback_name = host == "localhost" or host.endswith(".localhost")
        addresses = self._addresses(host, port) if self._resolve else []
        loopback = loopback_name or (bool(addresses) and all(address.is_loopback for address in addresses))
        plain = self._limits.allow_plain_http or (self._limits.allow_loopback and (loopback or not self._resolve))
        if parts.scheme == "http" and not plain:
            raise Refused("destination", "plain http is allowed to loopback in demo and tests only")
        if parts.scheme not in ("http", "https"):
            raise Refused("destination", "only https is asked")
        if any(not self._allowed(address) for address in addresses):
            raise Refused("destination", "the address is private, local or reserved")
        return addresses

    def _allowed(self, address: _Address) -> bool:
        if address.is_loopback:
            return self._limits.allow_loopback
        return address.is_global and not address.is_multicast

    @staticmethod
    def _addresses(host: str, port: int) -> list[_Address]:
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as exc:  # a label that is empty or longer than DNS has
            raise Refused("destination", "the host name is none") from exc
        except OSError as exc:
            raise Unreachable("unreachable", "the host name does not resolve") from exc
        return [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]


class _Deadline:
    """Cuts the line of one request when its time is over.

    The client's own limits count from one octet to the next: whoever sends a head or a body a drop at a time never meets them.
    """

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self._line: socket.socket | None = None
        self._timer: threading.Timer | None = None

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._at

    def watch(self, event: str, told: Mapping[str, Any]) -> None:
        """What the client tells of a request under way. A line of our own to the same connection outlives the change to TLS."""
        if event == "connection.connect_tcp.complete":
            self.close()
            self._line = told["return_value"].get_extra_info("socket").dup()
            self._timer = threading.Timer(max(0.0, self._at - time.monotonic()), _cut, (self._line,))
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """The request is over, or another address is tried."""
        if self._timer is not None and self._line is not None:
            self._timer.cancel()
            self._timer.join()  # before the number of the line is free for another
            self._line.close()


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
