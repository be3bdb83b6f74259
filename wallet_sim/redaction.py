"""What a transcript may show of a message: its shape and the protocol's own words, never names, numbers, tokens or keys (W-7)."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from vc.encoding import base64url, json
from vc.errors import Malformed

MAX_DEPTH = 12
# Members whose texts, numbers and lists are words of the protocol.
_SHOWN = frozenset(
    {
        "error", "error_description", "response_type", "response_mode", "grant_type", "token_type", "expires_in", "interval",
        "event", "format", "scope", "aud", "typ", "alg", "enc", "crv", "kty", "use", "id", "type", "credential_issuer",
        "credential_configuration_id", "credential_configuration_ids", "client_id", "path", "vct", "vct_values", "doctype",
        "doctype_value", "multiple", "required", "options", "claim_sets", "require_cryptographic_holder_binding",
        "intent_to_retain", "input_mode", "length", "batch_size", "request_uri_method", "alg_values_supported",
        "enc_values_supported", "vp_formats_supported", "encrypted_response_enc_values_supported", "proof_types_supported",
    }
)  # fmt: skip
_ADDRESS = ("_uri", "_endpoint", "_servers")
_SECRET_SEGMENT = re.compile(r"(?=.*[0-9A-Z])[A-Za-z0-9_~-]{16,}")  # an id, not words like openid-credential-issuer


def url(text: str) -> str:
    """`text` without what could open something: long path segments become `…`, of a query only the names stay.

    Of a URN (a `request_uri`) the last part is what opens something, whatever it looks like.
    """
    try:
        parts = urlsplit(text)
    except ValueError:
        return "…"
    if parts.scheme == "urn":
        return f"{text.partition('?')[0].rpartition(':')[0]}:…"
    path = "/".join("…" if _SECRET_SEGMENT.fullmatch(segment) else segment for segment in parts.path.split("/"))
    names = "&".join(f"{name}=…" for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    host = parts.netloc.rpartition("@")[2]
    slashes = "//" if text.partition(":")[2].startswith("//") else ""
    return f"{parts.scheme}:{slashes}{host}{path}" + (f"?{names}" if names else "")


def body(content_type: str, data: bytes) -> Any:
    """The shape of a message body."""
    if not data:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return f"<{len(data)} octets>"
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return {name: _field(name, item) for name, item in parse_qsl(text, keep_blank_values=True)}
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return value(json.loads(text))
        except Malformed:
            return f"<{len(data)} octets that are not JSON>"
    return token(text)


def value(item: Any, *, name: str = "", depth: int = 0) -> Any:
    """The shape of a JSON value; `name` is the member it stands in."""
    if depth > MAX_DEPTH:
        return "…"
    shown = name in _SHOWN or name.endswith("_supported")
    if isinstance(item, Mapping):
        return {key: value(child, name=key, depth=depth + 1) for key, child in item.items()}
    if isinstance(item, list):
        return [value(child, name=name, depth=depth + 1) for child in item]
    if item is None or isinstance(item, bool):
        return item
    if isinstance(item, int | float):
        return item if shown else "<number>"
    if name.endswith(_ADDRESS):
        return url(item)
    return item[:300] if shown else token(item)


def token(text: str) -> Any:
    """The shape of a text: of a signed token algorithm, type and claim names; of anything else the length."""
    parts = text.split("~")
    header = _header(parts[0])
    if header is not None and len(parts) > 1:
        return {"sd_jwt": _chosen(header), "disclosures": len(parts) - 2, "key_binding": bool(parts[-1])}
    if header is not None and text.count(".") == 4:
        return {"jwe": _chosen(header)}
    if header is not None and text.count(".") == 2:
        return {"jwt": _chosen(header), "claims": _claim_names(text.split(".")[1])}
    return f"<{len(text)} characters>"


def _field(name: str, text: str) -> Any:
    if text[:1] in "{[":
        try:
            return value(json.loads(text), name=name)
        except Malformed:
            pass
    return value(text, name=name)


def _chosen(header: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: header[name] for name in ("alg", "enc", "typ") if isinstance(header.get(name), str)}
    return shown | {"header": sorted(header)}


def _header(text: str) -> dict[str, Any] | None:
    try:
        return json.loads_object(base64url.decode(text.partition(".")[0])) if "." in text else None
    except Malformed:
        return None


def _claim_names(text: str) -> list[str]:
    try:
        return sorted(json.loads_object(base64url.decode(text)))
    except Malformed:
        return []
