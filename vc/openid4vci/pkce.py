"""Proof Key for Code Exchange, S256 and nothing else (RFC 7636; OpenID4VCI 1.0 §5.1, HAIP 1.0 §4, VCI-AUTHZ-5)."""

import hashlib
import re
from collections.abc import Callable
from hmac import compare_digest

from vc.encoding import base64url
from vc.errors import Malformed, VerificationFailed

METHOD = "S256"
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")  # RFC 7636 §4.1
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of 32 octets


def make_verifier(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh `code_verifier` of 256 random bits (RFC 7636 §4.1). `random_bytes`: gives that many octets."""
    return base64url.encode(random_bytes(32))


def challenge_of(verifier: str) -> str:
    """The S256 `code_challenge` of a verifier (RFC 7636 §4.2). Raises `Malformed("pkce_verifier")` for a text that is none."""
    if not _VERIFIER.fullmatch(verifier):
        raise Malformed("pkce_verifier", "not 43 to 128 unreserved characters")
    return base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())


def check_challenge(challenge: str | None, method: str | None) -> str:
    """The challenge of an authorization request. Raises `Malformed`: `pkce_missing`, `pkce_method` (absent means `plain`,
    RFC 7636 §4.3, and that is not enough), `pkce_challenge` for a text that is no SHA-256 hash."""
    if challenge is None:
        raise Malformed("pkce_missing", "a code_challenge is needed", pointer="/code_challenge")
    if method != METHOD:
        raise Malformed("pkce_method", "code_challenge_method must be S256", pointer="/code_challenge_method")
    if not _CHALLENGE.fullmatch(challenge):
        raise Malformed("pkce_challenge", "not the base64url of a SHA-256 hash", pointer="/code_challenge")
    return challenge


def verify(verifier: str, challenge: str) -> None:
    """Compare a verifier with the challenge the code was asked for with. Raises `VerificationFailed("pkce_mismatch")`, for a
    text that can be no verifier too."""
    try:
        found = challenge_of(verifier)
    except Malformed as exc:
        raise VerificationFailed("pkce_mismatch", "code_verifier is none", pointer="/code_verifier") from exc
    if not compare_digest(found, challenge):
        raise VerificationFailed("pkce_mismatch", "code_verifier does not fit the code_challenge", pointer="/code_verifier")
