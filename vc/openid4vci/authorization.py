"""The authorization request, pushed first and then named by its `request_uri` (OpenID4VCI 1.0 §5.1, RFC 9126, HAIP 1.0 §4)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from vc.errors import Malformed, Refused, VerificationFailed
from vc.openid4vci import authorization_details, members, pkce, redirection
from vc.openid4vci.authorization_response import parse_response, response_url
from vc.openid4vci.pkce import challenge_of, make_verifier

__all__ = [
    "REQUEST_URI_PREFIX",
    "AuthorizationRequest",
    "PushedResponse",
    "authorize_url",
    "bound_key",
    "challenge_of",
    "create_pushed",
    "make_verifier",
    "parse_authorize",
    "parse_pushed",
    "parse_pushed_response",
    "parse_response",
    "parse_scope",
    "pushed_response",
    "response_url",
]

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
LONGEST_REQUEST_URI = 600
"""Seconds a request_uri may live, and that is already too long (FAPI 2.0 Security Profile §5.3.2.2)."""
MAX_TEXT = 2048
_CODE = "request"
_RESPONSE = "pushed_response"
_REFERENCE = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_VISIBLE = re.compile(r"[\x20-\x7e]+")  # RFC 6749 Appendix A: VSCHAR
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §3.3: one scope token


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A pushed request. Who sent it the caller knows from client authentication, and compares `client_id` (VCI-AUTHZ-10).

    `scopes`: those we know. `configuration_ids_by_details`: None without `authorization_details`. `configuration_ids`: what
    is asked for, by both. `issuer_state`: may have been put into the wallet by anybody (VCI-OFF-9). `dpop_jkt`: see `bound_key`.
    """

    client_id: str
    redirect_uri: str
    code_challenge: str
    state: str | None = field(repr=False)
    scopes: tuple[str, ...]
    configuration_ids_by_details: tuple[str, ...] | None
    configuration_ids: tuple[str, ...]
    issuer_state: str | None = field(repr=False)
    resource: str | None
    dpop_jkt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedResponse:
    """The wallet's reading of a pushed response. `expires_in`: seconds."""

    request_uri: str
    expires_in: int


def parse_pushed(form: Mapping[str, str], *, credential_issuer: str, scopes: Mapping[str, str]) -> AuthorizationRequest:
    """Read the form of a pushed authorization request (RFC 9126 §2.1); each parameter was there once at most.

    `credential_issuer`: our identifier. `scopes`: the configuration behind each scope. Unknown parameters and scopes are
    ignored (VCI-AUTHZ-2, -8); where scope and details name the same configuration it counts once, as one of the details.

    1 no `request_uri` or `request` in it  2 `response_type` code, by query  3 client and redirect URI  4 PKCE  5 what is asked
    for is known  6 `resource` is this issuer  7 texts of reasonable form.

    Raises `Malformed("request")` with the place, `Refused("response_type")`, codes of `redirection.check` and
    `pkce.check_challenge`, `Malformed("authorization_details")`, `Refused("configuration_unknown")`, `Malformed("scope_form")`,
    `Refused("scope_unknown")`, `Refused("resource")`, `Malformed("dpop_jkt")`.
    """
    for name in ("request_uri", "request"):
        if name in form:
            raise Malformed(_CODE, "not allowed in a pushed request", pointer=f"/{name}")
    if _required(form, "response_type") != "code":
        raise Refused("response_type", "only the response type code is known", pointer="/response_type")
    if _parameter(form, "response_mode") not in (None, "query"):
        raise Malformed(_CODE, "only the response mode query is known", pointer="/response_mode")
    client_id = _required(form, "client_id")
    redirect_uri = redirection.check(_required(form, "redirect_uri"))
    challenge = pkce.check_challenge(_parameter(form, "code_challenge"), _parameter(form, "code_challenge_method"))
    known = tuple(scope for scope in parse_scope(_parameter(form, "scope")) if scope in scopes)
    text = form.get("authorization_details")
    details = authorization_details.parse(text, credential_issuer=credential_issuer) if text else None
    if not set(details or ()) <= set(scopes.values()):
        raise Refused("configuration_unknown", "there is no such credential configuration", pointer="/authorization_details")
    asked = tuple(dict.fromkeys([*(details or ()), *(scopes[scope] for scope in known)]))
    if not asked:
        raise Refused("scope_unknown", "neither scope nor authorization_details name a credential of this issuer")
    resource = _parameter(form, "resource")
    if resource not in (None, credential_issuer):  # RFC 8707 §2
        raise Refused("resource", "not this credential issuer", pointer="/resource")
    jkt = _parameter(form, "dpop_jkt")
    if jkt is not None and not _THUMBPRINT.fullmatch(jkt):
        raise Malformed("dpop_jkt", "not a SHA-256 thumbprint", pointer="/dpop_jkt")
    return AuthorizationRequest(
        client_id=client_id,
        redirect_uri=redirect_uri,
        code_challenge=challenge,
        state=_parameter(form, "state"),
        scopes=known,
        configuration_ids_by_details=details,
        configuration_ids=asked,
        issuer_state=_parameter(form, "issuer_state"),
        resource=resource,
        dpop_jkt=jkt,
    )


def parse_scope(text: str | None) -> tuple[str, ...]:
    """The scope values of a space-separated list, each once (RFC 6749 §3.3). Raises `Malformed("scope_form")`."""
    if text is None:
        return ()
    found = text.split(" ")
    if not all(_SCOPE.fullmatch(scope) for scope in found):
        raise Malformed("scope_form", "not a list of scope values", pointer="/scope")
    return tuple(dict.fromkeys(found))


def _parameter(form: Mapping[str, str], name: str) -> str | None:
    """A parameter; without value it counts as absent (RFC 6749 §3.1)."""
    value = form.get(name) or None
    if value is not None and (len(value) > MAX_TEXT or not _VISIBLE.fullmatch(value)):
        raise Malformed(_CODE, "too long, or with characters it may not have", pointer=f"/{name}")
    return value


def _required(form: Mapping[str, str], name: str) -> str:
    value = _parameter(form, name)
    if value is None:
        raise Malformed(_CODE, "missing", pointer=f"/{name}")
    return value


def bound_key(request: AuthorizationRequest, thumbprint: str | None) -> str | None:
    """The thumbprint of the key the code is bound to (RFC 9449 §10, §10.1; VCI-DPOP-5); None: not bound to any.

    `thumbprint`: that of the DPoP proof sent with the pushed request, None without one. Raises
    `VerificationFailed("dpop_key")` when `dpop_jkt` names another key.
    """
    if request.dpop_jkt is None:
        return thumbprint
    if thumbprint is not None and not compare_digest(request.dpop_jkt, thumbprint):
        raise VerificationFailed("dpop_key", "dpop_jkt is not the key of the DPoP proof", pointer="/dpop_jkt")
    return request.dpop_jkt


def create_pushed(
    *,
    client_id: str,
    redirect_uri: str,
    code_challenge: str,
    state: str,
    scopes: Sequence[str] = (),
    configuration_ids: Sequence[str] = (),
    issuer_state: str | None = None,
    location: str | None = None,
    dpop_jkt: str | None = None,
) -> dict[str, str]:
    """The form a wallet pushes. HAIP wants `scopes`; `configuration_ids` become `authorization_details`.

    `location`: the credential issuer, when its metadata name several authorization servers (VCI-AUTHZ-1, -3).
    """
    optional = {
        "scope": " ".join(scopes) or None,
        "authorization_details": authorization_details.create(configuration_ids, location=location) if configuration_ids else None,
        "resource": location if scopes else None,
        "issuer_state": issuer_state,
        "dpop_jkt": dpop_jkt,
    }
    return {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "code_challenge": code_challenge,
        "code_challenge_method": pkce.METHOD,
        "state": state,
        **{name: value for name, value in optional.items() if value is not None},
    }


def pushed_response(request_uri: str, expires_in: int) -> dict[str, Any]:
    """The body of the answer to a pushed request, to be sent with 201 and `no-store` (RFC 9126 §2.2).

    ValueError for a request_uri that lives too long or is none of ours.
    """
    if not 0 < expires_in < LONGEST_REQUEST_URI or not _is_ours(request_uri):
        raise ValueError("a request_uri is a short-lived reference of ours")
    return {"request_uri": request_uri, "expires_in": expires_in}


def parse_pushed_response(value: object) -> PushedResponse:
    """The wallet's reading of the decoded answer. Raises `Malformed("pushed_response")`."""
    document = members.an_object(value, _RESPONSE)
    request_uri = members.required_text(document, "request_uri", _RESPONSE)
    expires_in = members.positive(document, "expires_in", _RESPONSE)
    if expires_in is None:
        raise Malformed(_RESPONSE, "missing", pointer="/expires_in")
    if len(request_uri) > MAX_TEXT or not _VISIBLE.fullmatch(request_uri):
        raise Malformed(_RESPONSE, "not a URI", pointer="/request_uri")
    return PushedResponse(request_uri=request_uri, expires_in=expires_in)


def authorize_url(endpoint: str, *, client_id: str, request_uri: str) -> str:
    """The address a wallet opens in the browser after the request was pushed (RFC 9126 §4)."""
    query = urlencode({"client_id": client_id, "request_uri": request_uri})
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def parse_authorize(query: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """`client_id` and `request_uri` of an authorization request, of which nothing else counts (RFC 9126 §4, RFC 9101 §5).

    `query`: its decoded parameters in order. What a pushed request may say is refused here, never fetched (VCI-AUTHZ-4).

    Raises `Malformed("request")` for a parameter twice, `request`, or no client; `Malformed("par_required")` without
    `request_uri`; `Refused("request_uri_foreign")` for one that is none of ours. Nobody may be redirected for any of these.
    """
    names = [name for name, _ in query]
    if len(set(names)) != len(names):  # RFC 6749 §3.1
        raise Malformed(_CODE, "a parameter is there twice")
    form = dict(query)
    if "request" in form:
        raise Malformed(_CODE, "request objects are not taken", pointer="/request")
    request_uri = _parameter(form, "request_uri")
    if request_uri is None:
        raise Malformed("par_required", "the request must be pushed first", pointer="/request_uri")
    if not _is_ours(request_uri):
        raise Refused("request_uri_foreign", "not a request_uri of this server", pointer="/request_uri")
    return _required(form, "client_id"), request_uri


def _is_ours(request_uri: str) -> bool:
    return request_uri.startswith(REQUEST_URI_PREFIX) and bool(_REFERENCE.fullmatch(request_uri[len(REQUEST_URI_PREFIX) :]))
