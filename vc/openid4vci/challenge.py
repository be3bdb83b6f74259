"""The challenge response for wallet attestations (attestation-based client authentication draft-07 §8, VCI-WIA-6).

The request has no content; the answer is never stored. A server may also send one in `wallet_attestation.CHALLENGE_HEADER`.
"""

from typing import Any

from vc.openid4vci import members


def response(challenge: str) -> dict[str, Any]:
    """The body of a challenge response."""
    return {"attestation_challenge": challenge}


def parse_response(value: object) -> str:
    """The wallet's reading: the challenge. Raises `Malformed("challenge_response")`."""
    return members.required_text(members.an_object(value, "challenge_response"), "attestation_challenge", "challenge_response")
