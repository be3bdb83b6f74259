"""What is stored of a secret that somebody else holds: its digest, so that reading the database gives nobody a way in."""

import hashlib


def digest_of(secret: str) -> str:
    """The SHA-256 of a code, token or session, hexadecimal. For random values only: a guessable one would be found by trying."""
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()
