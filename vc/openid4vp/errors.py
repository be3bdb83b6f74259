"""What the two sides call a fault: the table from our codes to the error codes of OpenID4VP §8.5, and the old-draft traps."""

from collections.abc import Mapping
from typing import Any

from vc.errors import Malformed, Refused, VcError

WALLET_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "access_denied",
        "invalid_scope",
        "vp_formats_not_supported",
        "invalid_request_uri_method",
        "invalid_transaction_data",
        "wallet_unavailable",
    }
)
"""VP-RSP-9: the codes a verifier understands; any other text is reported as it came, bounded, but means the same refusal."""

_BY_CODE = {
    "dcql_unsatisfied": "access_denied",
    "declined": "access_denied",
    "scope_unknown": "invalid_scope",
    "vp_formats": "vp_formats_not_supported",
    "request_uri_method": "invalid_request_uri_method",
    "transaction_data": "invalid_transaction_data",
    "client_id_prefix": "invalid_client",
    "client_id_hash": "invalid_client",
    "client_id_san": "invalid_client",
}

# member → the rule it breaks and what the final specification says (PROTOCOLS 0.1).
_MEMBER_TRAPS: Mapping[str, str] = {
    "client_id_scheme": "OLD-12: client_id_scheme is gone, the prefix stands inside client_id (§5.9)",
    "presentation_definition": "OLD-13: presentation_definition is gone, a query is a dcql_query (§6)",
    "presentation_definition_uri": "OLD-13: presentation_definition_uri is gone, a query is a dcql_query (§6)",
    "presentation_submission": "OLD-13: presentation_submission is gone, vp_token names the query ids itself (§8.1)",
    "vp_formats": "OLD-14: vp_formats is gone, the member is vp_formats_supported (§11.1)",
    "authorization_encrypted_response_alg": "OLD-15: the key's own alg counts, in client_metadata.jwks (§8.3)",
    "authorization_encrypted_response_enc": "OLD-15: the member is encrypted_response_enc_values_supported (§8.3)",
    "authorization_signed_response_alg": "OLD-15: a response is a JWE only, never a signed JWT (§8.3)",
    "verifier_attestations": "OLD-17: verifier_attestations is gone, the member is verifier_info (§5.1)",
}
_PREFIX_TRAPS: Mapping[str, str] = {
    "did": "OLD-12: a DID is written decentralized_identifier:did:… (§5.9.3)",
    "https": "OLD-12: a federation entity is written openid_federation:https://… (§5.9.3)",
    "x509_san_uri": "OLD-12: x509_san_uri is gone, use x509_san_dns or x509_hash (§5.9.3)",
    "entity_id": "OLD-12: entity_id is gone, use openid_federation (§5.9.3)",
}


def refuse_old_members(members: Mapping[str, Any], *, pointer: str = "") -> None:
    """Raise `Refused("old_draft")` naming the trap when a member of a pre-final draft is present."""
    for name, sentence in _MEMBER_TRAPS.items():
        if name in members:
            raise Refused("old_draft", sentence, pointer=f"{pointer}/{name}")


def refuse_old_prefix(prefix: str) -> None:
    """Raise `Refused("old_draft")` naming the trap when a client identifier starts like one of a pre-final draft."""
    if prefix in _PREFIX_TRAPS:
        raise Refused("old_draft", _PREFIX_TRAPS[prefix], pointer="/client_id")


def refuse_old_formats(formats: Mapping[str, Any], *, pointer: str) -> None:
    """Raise `Refused("old_draft")` for the flat `alg` lists that `vp_formats_supported` had in the drafts (OLD-14)."""
    for name, members in formats.items():
        if isinstance(members, Mapping) and "alg" in members:
            sentence = "OLD-14: alg is gone, the members end in alg_values (Appendix B)"
            raise Refused("old_draft", sentence, pointer=f"{pointer}/{name}/alg")


def authorization_error(error: VcError) -> str:
    """The OpenID4VP §8.5 code a wallet answers with for one of our errors."""
    return _BY_CODE.get(error.code, "invalid_request" if isinstance(error, Malformed | Refused) else "access_denied")
