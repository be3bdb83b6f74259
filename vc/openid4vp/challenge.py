"""What a presentation must be bound to, taken from the request that was signed (VP-MDOC-2, -4, VP-SD-1, VP-CID-6)."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.formats import Challenge
from vc.keys.jwk import thumbprint


def of_request(claims: Mapping[str, Any], *, encrypted_to: ec.EllipticCurvePublicKey | None) -> Challenge:
    """The challenge of a checked request's `claims`.

    `encrypted_to`: the verifier's key actually used to encrypt the response, None when the response is not encrypted (then the
    mdoc handover carries null).
    """
    return Challenge(
        nonce=claims["nonce"],
        audience=claims["client_id"],
        response_uri=claims["response_uri"],
        encryption_thumbprint=None if encrypted_to is None else thumbprint(encrypted_to),
    )
