"""Answers of the protocol endpoints: JSON, never cached unless a route says so, errors in the protocol's own shape."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from vc.encoding import json
from vc.openid4vci.errors import plain

NO_STORE = {"cache-control": "no-store"}
PUBLIC = {"access-control-allow-origin": "*"}  # any origin, and so never with credentials (SECURITY H-15, TSL-5)


def answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`body` as JSON."""
    return Response(json.dumps(body), status, headers={**NO_STORE, **(headers or {})}, media_type="application/json")


def refusal(status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as RFC 6749 §5.2 shapes it. `description` is made of the characters that are allowed there (VCI-NOT-3)."""
    return answer({"error": error, "error_description": plain(description)}, status=status, headers=headers)


def not_found() -> Response:
    """One answer for everything that is not there (SECURITY P-10)."""
    return refusal(404, "not_found", "there is nothing here")
