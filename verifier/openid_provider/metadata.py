"""What the provider says about itself (OpenID Connect Discovery 1.0 §3), made from the names the checks use."""

from typing import Any

from vc.keys.jwk import from_public
from verifier.openid_provider import paths
from verifier.openid_provider.client_authentication import METHODS
from verifier.openid_provider.registry import ALGORITHM, Provider
from verifier.openid_provider.request import CHALLENGE_METHODS, RESPONSE_MODES, RESPONSE_TYPES, SCOPES
from verifier.openid_provider.token import GRANT_TYPES


def metadata(issuer: str, provider: Provider) -> dict[str, Any]:
    """The provider's configuration document."""
    claims = sorted({name for client in provider.clients.values() for name in client.claims})
    found: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": issuer + paths.AUTHORIZE,
        "token_endpoint": issuer + paths.TOKEN,
        "jwks_uri": issuer + paths.JWKS,
        "scopes_supported": list(SCOPES),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "code_challenge_methods_supported": list(CHALLENGE_METHODS),
        "claim_types_supported": ["normal"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", *claims],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
    if provider.acr is not None:
        found["acr_values_supported"] = [provider.acr]
        found["claims_supported"].append("acr")
    return found


def key_set(provider: Provider) -> dict[str, Any]:
    """The public signing key (RFC 7517 §5)."""
    return {"keys": [from_public(provider.signer.public_key, kid=provider.kid, use="sig", alg=ALGORITHM)]}
