"""Client identifiers and their prefixes (OpenID4VP 1.0 §5.9, VP-CID-1, -2, -5, -6): who asks, and how that is proved."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from cryptography import x509

from vc.encoding import base64url
from vc.errors import Malformed, Refused, VerificationFailed
from vc.openid4vp.errors import refuse_old_prefix
from vc.x509.certificate import sha256

MAX_LENGTH = 2048


class Prefix(StrEnum):
    """The prefixes understood here; both prove the client by the certificate that signed the request."""

    X509_HASH = "x509_hash"
    X509_SAN_DNS = "x509_san_dns"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientId:
    """`full` is the identifier with its prefix: the audience everywhere (VP-CID-6). `value` is what follows the prefix."""

    full: str
    prefix: Prefix
    value: str


def of_certificate(prefix: Prefix, leaf: x509.Certificate) -> str:
    """The client identifier of the holder of `leaf`; for `x509_san_dns` its first dNSName.

    Raises `Refused("client_id_san")` when a DNS name is needed and the certificate has none.
    """
    if prefix is Prefix.X509_HASH:
        return f"{prefix}:{base64url.encode(sha256(leaf))}"
    names = dns_names(leaf)
    if not names:
        raise Refused("client_id_san", "the certificate has no DNS name")
    return f"{prefix}:{names[0]}"


def parse(text: object, *, pointer: str = "/client_id") -> ClientId:
    """Take a client identifier apart.

    Raises `Malformed("client_id")`, `Refused("old_draft")` for a prefix of a draft (OLD-12), and `Refused("client_id_prefix")`: a
    prefix that is never signed (`redirect_uri`), never allowed in a request (`origin`) or not supported; no prefix at all
    means a registered client, and nobody is registered here.
    """
    if not isinstance(text, str) or not 0 < len(text) <= MAX_LENGTH or not text.isascii() or not text.isprintable():
        raise Malformed("client_id", "a client identifier is a short printable text", pointer=pointer)
    prefix, colon, value = text.partition(":")
    if not colon:
        raise Refused("client_id_prefix", "a client identifier without prefix needs a registration", pointer=pointer)
    refuse_old_prefix(prefix)
    if prefix not in tuple(Prefix):
        raise Refused("client_id_prefix", _OTHERS.get(prefix, "the client identifier prefix is unknown"), pointer=pointer)
    if not value:
        raise Malformed("client_id", "nothing follows the prefix", pointer=pointer)
    return ClientId(full=text, prefix=Prefix(prefix), value=value)


_OTHERS = {
    "redirect_uri": "a request under the prefix redirect_uri is never signed (§5.9.3)",
    "origin": "the prefix origin is never accepted in a request (§5.9.3)",
    "decentralized_identifier": "the prefix decentralized_identifier is not supported",
    "openid_federation": "the prefix openid_federation is not supported",
    "verifier_attestation": "the prefix verifier_attestation is not supported",
}


def check_certificate(client: ClientId, leaf: x509.Certificate) -> None:
    """Check that `leaf` is the certificate of `client`. Raises `VerificationFailed("client_id_hash")` or `("client_id_san")`."""
    if client.prefix is Prefix.X509_HASH:
        if client.value != base64url.encode(sha256(leaf)):
            raise VerificationFailed("client_id_hash", "the client identifier is not the hash of the signing certificate")
    elif client.value.lower() not in dns_names(leaf):
        raise VerificationFailed("client_id_san", "the client identifier is not a DNS name of the signing certificate")


def check_response_uri(client: ClientId, leaf: x509.Certificate, response_uri: object, *, allow_http_loopback: bool) -> str:
    """`response_uri` when the answer may go there.

    The host must be the DNS name of `x509_san_dns` (VP-CID-2). For `x509_hash` the specification has no such rule; ours is that a
    certificate that names hosts certifies only those (SECURITY W-2). Ports are not compared. Raises
    `Refused("response_uri")`: not an absolute https address without user and fragment, or another host.
    """
    pointer = "/response_uri"
    host = _host(response_uri, allow_http_loopback=allow_http_loopback) if isinstance(response_uri, str) else None
    if host is None:
        raise Refused("response_uri", "response_uri is not an absolute https address", pointer=pointer)
    allowed: Sequence[str] = (client.value.lower(),) if client.prefix is Prefix.X509_SAN_DNS else dns_names(leaf)
    if allowed and host not in allowed:
        raise Refused("response_uri", "response_uri has another host than the certified client", pointer=pointer)
    return str(response_uri)


def dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The dNSName entries of subjectAltName in lower case, in order."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))


def _host(url: str, *, allow_http_loopback: bool) -> str | None:
    """The lower-case host of an acceptable address, None for any other."""
    if not url.isascii() or not url.isprintable() or any(character in url for character in ' #\\"<>'):
        return None
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc:
        return None
    if parts.scheme == "https" or (parts.scheme == "http" and allow_http_loopback and _loopback(host)):
        return host
    return None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
