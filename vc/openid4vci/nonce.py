"""The nonce response (OpenID4VCI 1.0 §7.2). The request has no content; the answer is never stored (VCI-NONCE-2)."""

from typing import Any

from vc.openid4vci import members


def response(c_nonce: str) -> dict[str, Any]:
    """The body of a nonce response."""
    return {"c_nonce": c_nonce}


def parse_response(value: object) -> str:
    """The wallet's reading: the nonce. Raises `Malformed("nonce_response")`; a wallet then stops (SECURITY W-4)."""
    return members.required_text(members.an_object(value, "nonce_response"), "c_nonce", "nonce_response")
