"""The one bridge from our errors to the protocol's (OpenID4VCI 1.0 §6.3, §8.3.1, §9.3, §11.3, RFC 6749 §4.1.2.1 and §5.2, RFC 9126
§2.3, RFC 9101 §7, RFC 6750, RFC 9449 §7, attestation-based client authentication draft-07 §6 and §8)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from vc.encoding import json
from vc.errors import Malformed, Refused, Unreachable, VcError, VerificationFailed
from vc.keys.ec import ALGORITHMS
from vc.openid4vci import members


class Endpoint(StrEnum):
    """Whose error table applies."""

    PAR = "par"
    AUTHORIZE = "authorize"
    TOKEN = "token"  # noqa: S105
    NONCE = "nonce"
    CHALLENGE = "challenge"
    CREDENTIAL = "credential"
    DEFERRED = "deferred"
    NOTIFICATION = "notification"


class ProtocolError(Refused):
    """An error in the protocol's shape: `error` is the specification's code, `status` the HTTP status, `headers` what goes with it.

    `description` is made only of the characters RFC 6749 allows (VCI-NOT-3). `code` is that of the error it was made from.
    """

    def __init__(
        self,
        error: str,
        description: str = "",
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(code or error, description)
        self.error = error
        self.status = status
        self.description = plain(description)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON body; empty for an error that has no code (a request without any token, RFC 6750 §3.1)."""
        if not self.error:
            return {}
        return {"error": self.error, **({"error_description": self.description} if self.description else {})}


def plain(text: str) -> str:
    """`text` reduced to %x20-21 / %x23-5B / %x5D-7E; what is not allowed becomes an apostrophe (VCI-NOT-3)."""
    return "".join(character if is_plain(character) else "'" for character in text)


def is_plain(text: str) -> bool:
    """Whether `text` has only the characters an `error_description` may have."""
    return all(" " <= character <= "~" and character not in '"\\' for character in text)


Row = tuple[str, int]  # protocol code, HTTP status

# An entry ending in `_` stands for all codes that begin with it. The more exact entry wins.
_ANY: dict[str, Row] = {"rate_limit": ("temporarily_unavailable", 429), "too_large": ("invalid_request", 413)}
_RESOURCE: dict[str, Row] = {
    "token_missing": ("", 401),
    "token_": ("invalid_token", 401),
    "scope_insufficient": ("insufficient_scope", 403),
    "dpop_": ("invalid_dpop_proof", 401),
    "dpop_nonce": ("use_dpop_nonce", 401),
}
_CLIENT: dict[str, Row] = {
    "client_": ("invalid_client", 401),
    "attestation_": ("invalid_client", 401),
    "attestation_challenge": ("use_attestation_challenge", 400),  # VCI-WIA-7
    "attestation_expired": ("use_fresh_attestation", 400),
    "attestation_stale": ("use_fresh_attestation", 400),
    "dpop_": ("invalid_dpop_proof", 400),
    "dpop_nonce": ("use_dpop_nonce", 400),
}
_ASKED: dict[str, Row] = {
    "authorization_details": ("invalid_authorization_details", 400),
    "configuration_": ("invalid_authorization_details", 400),
    "scope_": ("invalid_scope", 400),
    "redirect_uri_": ("invalid_request", 400),
    "pkce_": ("invalid_request", 400),
}
_AUTHORIZATION: dict[str, Row] = {
    **_ASKED,
    "response_type": ("unsupported_response_type", 400),
    "resource": ("invalid_target", 400),  # RFC 8707 §2
    "access_denied": ("access_denied", 400),
}
_CREDENTIAL: dict[str, Row] = {
    **_RESOURCE,
    "configuration_": ("unknown_credential_configuration", 400),
    "identifier_": ("unknown_credential_identifier", 400),
    "proof_": ("invalid_proof", 400),
    "nonce_": ("invalid_nonce", 400),
    "encryption_": ("invalid_encryption_parameters", 400),
    "document_revoked": ("credential_request_denied", 400),
    "grant_exhausted": ("credential_request_denied", 400),
}
_TABLE: dict[Endpoint, dict[str, Row]] = {
    Endpoint.PAR: {**_CLIENT, **_AUTHORIZATION},
    Endpoint.AUTHORIZE: {**_AUTHORIZATION, "client_": ("invalid_client", 401), "request_uri_": ("invalid_request_uri", 400)},
    Endpoint.TOKEN: {
        **_CLIENT,
        **_ASKED,
        "code_": ("invalid_grant", 400),
        "refresh_": ("invalid_grant", 400),
        "pkce_mismatch": ("invalid_grant", 400),
        "redirect_uri_mismatch": ("invalid_grant", 400),  # RFC 6749 §5.2
        "tx_code_wrong": ("invalid_grant", 400),
        "tx_code_missing": ("invalid_request", 400),
        "tx_code_unexpected": ("invalid_request", 400),
        "document_revoked": ("invalid_grant", 400),
        "grant_type": ("unsupported_grant_type", 400),
    },
    Endpoint.NONCE: {},
    Endpoint.CHALLENGE: {},
    Endpoint.CREDENTIAL: _CREDENTIAL,
    Endpoint.DEFERRED: {**_CREDENTIAL, "transaction_": ("invalid_transaction_id", 400)},
    Endpoint.NOTIFICATION: {**_RESOURCE, "notification_id": ("invalid_notification_id", 400)},
}
_MALFORMED = {
    **dict.fromkeys(Endpoint, "invalid_request"),
    Endpoint.CREDENTIAL: "invalid_credential_request",
    Endpoint.DEFERRED: "invalid_credential_request",
    Endpoint.NOTIFICATION: "invalid_notification_request",
}
_DENIED = {
    **_MALFORMED,
    Endpoint.CREDENTIAL: "credential_request_denied",
    Endpoint.DEFERRED: "credential_request_denied",
}
# What could not be asked is published by others, so that the caller may know of it; nothing is told about our own machines.
_OUTSIDE = ("attestation_", "proof_attestation_")


def translate(endpoint: Endpoint, error: VcError, *, scheme: str = "DPoP") -> ProtocolError:
    """`error` as `endpoint` says it. `scheme`: the authentication scheme the caller used, for `WWW-Authenticate`.

    Something unreachable is 503, with its reason when it is not of our own house. Else a code in the table decides, else the
    family: bad bytes and failed checks are the endpoint's "invalid request", a refusal its "denied". An error of no family is
    `server_error` without detail.
    """
    if isinstance(error, ProtocolError):
        return error
    if isinstance(error, Unreachable):  # whatever it is about: it is no verdict on the request
        why = error.detail if error.code.startswith(_OUTSIDE) else "try again later"
        return ProtocolError("temporarily_unavailable", why, status=503, headers={"Retry-After": "5"}, code=error.code)
    row = _row(endpoint, error.code)
    if row is not None:
        return _made(*row, error, scheme)
    match error:
        case Malformed() | VerificationFailed():
            return _made(_MALFORMED[endpoint], 400, error, scheme)
        case Refused():
            return _made(_DENIED[endpoint], 400, error, scheme)
        case _:
            return ProtocolError("server_error", status=500, code=error.code)


def _row(endpoint: Endpoint, code: str) -> Row | None:
    table = {**_ANY, **_TABLE[endpoint]}
    families = [name for name in table if name.endswith("_") and code.startswith(name)]
    return table.get(code) or table.get(max(families, key=len, default=""))


def _made(error: str, status: int, cause: VcError, scheme: str) -> ProtocolError:
    where = f" ({cause.pointer})" if cause.pointer else ""
    description = plain(cause.detail + where)
    headers = {"WWW-Authenticate": challenge(scheme, error, description)} if status in (401, 403) else {}
    if status == 429:
        headers["Retry-After"] = "60"
    return ProtocolError(error, description if error else "", status=status, headers=headers, code=cause.code)


def challenge(scheme: str, error: str = "", description: str = "") -> str:
    """The value of `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §7.1). Without `error` nothing was presented."""
    parts = [f'error="{error}"'] if error else []
    if error and description:
        parts.append(f'error_description="{plain(description)}"')
    if scheme == "DPoP":
        parts.append(f'algs="{" ".join(ALGORITHMS)}"')
    return f"{scheme} {', '.join(parts)}" if parts else scheme


def parse(body: bytes, *, status: int) -> ProtocolError:
    """The wallet's reading of an error answer; anything that is not one becomes `server_error` of that status."""
    try:
        value = json.loads_object(body)
        error = members.required_text(value, "error", "error")
        description = members.text(value, "error_description", "error") or ""
    except Malformed:
        return ProtocolError("server_error", f"an answer with status {status} that is no error message", status=status)
    return ProtocolError(plain(error)[:100], description[:1000], status=status)
