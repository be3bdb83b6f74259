"""What a presentation is bound to (VP-MDOC-2, VP-SD-1)."""

from cryptography.hazmat.primitives.asymmetric import ec

from vc.keys.jwk import thumbprint
from vc.openid4vp.challenge import of_request

CLAIMS = {"nonce": "n-0123456789", "client_id": "x509_hash:abc", "response_uri": "https://verifier.test/response", "state": "s"}


def test_the_challenge_is_what_was_signed() -> None:
    """The audience is the whole client_id, prefix included; an answer that is not encrypted has no thumbprint to be bound to."""
    challenge = of_request(CLAIMS, encrypted_to=None)
    assert (challenge.nonce, challenge.audience, challenge.response_uri) == (
        CLAIMS["nonce"],
        CLAIMS["client_id"],
        CLAIMS["response_uri"],
    )
    assert challenge.encryption_thumbprint is None


def test_an_encrypted_answer_is_bound_to_the_key_it_is_encrypted_to() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert of_request(CLAIMS, encrypted_to=key).encryption_thumbprint == thumbprint(key)
