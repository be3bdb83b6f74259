"""The link a wallet opens (OpenID4VP 1.0 §5.4, §5.7, §13.1.2): who asks, where the signed request lies; none of it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_to_bytes, urlencode

from vc.errors import Malformed, Refused
from vc.openid4vp.errors import refuse_old_members

SCHEMES = ("openid4vp", "haip-vp", "eu-eaap")
"""OpenID4VP's default, HAIP 1.0 §5.1 and ETSI TS 119 472-2 (EAA-P-1)."""
MAX_LENGTH = 8192
Method = Literal["get", "post"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLink:
    """`client_id` is only compared with the signed one (VP-REQ-4)."""

    client_id: str
    request_uri: str
    method: Method


def build(*, client_id: str, request_uri: str, method: Method = "get", scheme: str = SCHEMES[0]) -> str:
    """The link to show as QR code or button; `request_uri_method` is written only when it is not the default."""
    parameters = {"client_id": client_id, "request_uri": request_uri}
    if method != "get":
        parameters["request_uri_method"] = method
    return f"{scheme}://?{urlencode(parameters)}"


def parse(text: str) -> RequestLink:
    """Read a link.

    Raises `Malformed("link")` (not such a link, a parameter twice or missing), `Refused("request_uri_method")` (VP-REQ-6),
    `Refused("old_draft")` (OLD-12, OLD-13) and `Refused("request_unsigned")` for a request without `request_uri` (SECURITY W-1).
    """
    if len(text) > MAX_LENGTH or not text.isascii():
        raise Malformed("link", "the link is too long or not ASCII")
    address, question, query = text.strip().partition("?")
    scheme, separator, path = address.partition("://")
    if not question or not separator or scheme.lower() not in SCHEMES or path.strip("/").lower() not in ("", "authorize"):
        raise Malformed("link", "not an OpenID4VP link")
    parameters = _parameters(query)
    refuse_old_members(parameters)
    client_id, request_uri = parameters.get("client_id"), parameters.get("request_uri")
    method = parameters.get("request_uri_method", "get")
    if not client_id:
        raise Malformed("link", "client_id is missing", pointer="/client_id")
    if "request_uri_method" in parameters and request_uri is None:
        raise Refused("request_uri_method", "request_uri_method stands without request_uri", pointer="/request_uri_method")
    if not request_uri:
        raise Refused("request_unsigned", "only a signed request behind a request_uri is answered", pointer="/request_uri")
    if "request" in parameters:
        raise Malformed("link", "request and request_uri exclude each other", pointer="/request")  # RFC 9101 §5
    if method == "get":
        return RequestLink(client_id=client_id, request_uri=request_uri, method="get")
    if method == "post":
        return RequestLink(client_id=client_id, request_uri=request_uri, method="post")
    raise Refused("request_uri_method", "request_uri_method is neither get nor post", pointer="/request_uri_method")


def _parameters(query: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&"):
        raw_name, _, raw_value = pair.partition("=")
        try:
            name, value = (unquote_to_bytes(part.replace("+", " ")).decode("utf-8") for part in (raw_name, raw_value))
        except UnicodeDecodeError as exc:
            raise Malformed("link", "a parameter is not UTF-8") from exc
        if name in found:
            raise Malformed("link", "a parameter occurs twice")
        found[name] = value
    return found
