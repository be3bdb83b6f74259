"""The limit: nothing but the signatures, by `cryptography`, with the key at hand."""

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ES256 = ec.ECDSA(hashes.SHA256())
_MESSAGE = b"m" * 4096


def sign_once() -> Callable[[], object]:
    """One ES256 signature over a message of a few kB."""
    key = ec.generate_private_key(ec.SECP256R1())
    return lambda: key.sign(_MESSAGE, ES256)


def verify_twice() -> Callable[[], object]:
    """Two ES256 verifications: issuer and holder."""
    pairs = []
    for message in (_MESSAGE, _MESSAGE[:512]):
        key = ec.generate_private_key(ec.SECP256R1())
        pairs.append((key.public_key(), key.sign(message, ES256), message))

    def work() -> None:
        for public, signature, message in pairs:
            public.verify(signature, message, ES256)

    return work
