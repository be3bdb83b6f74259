"""Errors as answers: one exception that knows its HTTP status, and the two JSON shapes (wallet side, API side)."""

from collections.abc import Mapping

from vc.encoding import json


class Problem(Exception):
    """An answer that is not a success. `code` is the specification's error code, `text` says what to do about it."""

    def __init__(self, status: int, code: str, text: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.text, self.headers = status, code, text, dict(headers or {})


_TITLES = {
    400: "Bad request",
    401: "Authentication required",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    413: "Too long",
    414: "Address too long",
    415: "Unsupported media type",
    500: "Unexpected fault",
    503: "Temporarily unavailable",
}


def render(path: str, status: int, code: str, text: str) -> tuple[str, bytes]:
    """(content type, body) of an error at `path`: problem details (RFC 9457) for the APIs, OAuth's members for wallets."""
    if path.startswith(("/api/", "/trust/")):
        body = {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status, "code": code, "detail": text}
        return "application/problem+json", json.dumps(body)
    return "application/json", json.dumps({"error": code, "error_description": text})
