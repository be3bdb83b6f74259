"""Token request and response (OpenID4VCI 1.0 §6, RFC 6749 §4.1.3 and §6): three grants, each only where the caller takes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any, Literal, overload

from vc.errors import Malformed, Refused, VerificationFailed
from vc.openid4vci import authorization_details, members, pkce
from vc.openid4vci.authorization import parse_scope
from vc.openid4vci.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED

REFRESH_TOKEN = "refresh_token"  # noqa: S105
GRANTS = (PRE_AUTHORIZED, AUTHORIZATION_CODE, REFRESH_TOKEN)
LONGEST_BEARER = 300
"""Seconds a token may live that is bound to no key (VCI-TOK-9)."""
MAX_LENGTH = 256 * 1024
_CODE = "request"
_RESPONSE = "token_response"
TokenType = Literal["DPoP", "Bearer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreAuthorizedTokenRequest:
    """A token request. `tx_code` None: none was sent. `configuration_ids`: from `authorization_details`, None without them."""

    pre_authorized_code: str = field(repr=False)
    tx_code: str | None = field(repr=False)
    client_id: str | None
    configuration_ids: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCodeTokenRequest:
    """A token request with a code from the authorization endpoint; to be compared by `check_binding`.

    `client_id`: as a parameter, None without it (then client authentication says it). `configuration_ids`: a part of what was
    asked for before, from `authorization_details`, None without them (VCI-TOK-8).
    """

    code: str = field(repr=False)
    redirect_uri: str
    code_verifier: str = field(repr=False)
    client_id: str | None
    configuration_ids: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenRequest:
    """A token request with a refresh token. `scopes`, `configuration_ids`: a part of the grant, None for all of it."""

    refresh_token: str = field(repr=False)
    client_id: str | None
    scopes: tuple[str, ...] | None
    configuration_ids: tuple[str, ...] | None


TokenRequest = PreAuthorizedTokenRequest | AuthorizationCodeTokenRequest | RefreshTokenRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse:
    """What a wallet got. `credential_identifiers`: by configuration; when a configuration has some, they must be used.

    `scopes`: what the token is for, when the server said so.
    """

    access_token: str = field(repr=False)
    token_type: TokenType
    expires_in: int | None
    credential_identifiers: Mapping[str, tuple[str, ...]]
    refresh_token: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] | None = None


@overload
def parse_request(form: Mapping[str, str], *, credential_issuer: str) -> PreAuthorizedTokenRequest: ...
@overload
def parse_request(form: Mapping[str, str], *, credential_issuer: str, grants: Collection[str]) -> TokenRequest: ...
def parse_request(form: Mapping[str, str], *, credential_issuer: str, grants: Collection[str] = (PRE_AUTHORIZED,)) -> TokenRequest:
    """Read the form of a token request (VCI-TOK-1); unknown parameters are ignored, one without value counts as absent.

    `credential_issuer`: our identifier; details with `locations` must name it. `grants`: those of `GRANTS` this server takes,
    which its metadata name. Whether a transaction code is due is not known here: the caller compares with the offer
    (`tx_code_missing`, `tx_code_unexpected`, `tx_code_wrong` in the error table).

    Raises `Malformed("request")` for a missing parameter, `Malformed("pkce_missing")` for a code without verifier,
    `Refused("grant_type")` for another grant (SECURITY A-3), `Malformed("authorization_details")`, `Malformed("scope_form")`.
    """
    grant_type = _required(form, "grant_type")
    if grant_type not in grants or grant_type not in GRANTS:
        raise Refused("grant_type", "this kind of grant is not taken here")
    details = _parameter(form, "authorization_details")
    asked = None if details is None else authorization_details.parse(details, credential_issuer=credential_issuer)
    client_id = _parameter(form, "client_id")
    if grant_type == PRE_AUTHORIZED:
        return PreAuthorizedTokenRequest(
            pre_authorized_code=_required(form, "pre-authorized_code"),
            tx_code=_parameter(form, "tx_code"),
            client_id=client_id,
            configuration_ids=asked,
        )
    if grant_type == REFRESH_TOKEN:
        return RefreshTokenRequest(
            refresh_token=_required(form, "refresh_token"),
            client_id=client_id,
            scopes=parse_scope(_parameter(form, "scope")) or None,
            configuration_ids=asked,
        )
    return AuthorizationCodeTokenRequest(
        code=_required(form, "code"),
        redirect_uri=_required(form, "redirect_uri"),
        code_verifier=_required(form, "code_verifier", "pkce_missing"),
        client_id=client_id,
        configuration_ids=asked,
    )


def _parameter(form: Mapping[str, str], name: str) -> str | None:
    return members.text(form, name, _CODE) if form.get(name) else None  # RFC 6749 §3.2: sent without value means omitted


def _required(form: Mapping[str, str], name: str, code: str = _CODE) -> str:
    value = _parameter(form, name)
    if value is None:
        raise Malformed(code, "missing", pointer=f"/{name}")
    return value


def check_binding(
    request: AuthorizationCodeTokenRequest, *, client_id: str, issued_to: str, redirect_uri: str, code_challenge: str
) -> None:
    """Compare a redemption with the request the code was given for (RFC 6749 §4.1.3, RFC 7636 §4.6; VCI-AUTHZ-5).

    `client_id`: of the client that authenticated now; `issued_to`, `redirect_uri`, `code_challenge`: as pushed.
    Raises `VerificationFailed`: `code_client`, `code_redirect_uri`, `pkce_mismatch`. The keys of DPoP and of the wallet instance
    are compared where their proofs are verified.
    """
    if not compare_digest(client_id.encode(), issued_to.encode()):
        raise VerificationFailed("code_client", "the code was given to another client")
    if request.redirect_uri != redirect_uri:
        raise VerificationFailed("code_redirect_uri", "not the redirect_uri the code was sent to", pointer="/redirect_uri")
    pkce.verify(request.code_verifier, code_challenge)


def create_request(
    *,
    pre_authorized_code: str,
    tx_code: str | None = None,
    client_id: str | None = None,
    configuration_ids: Sequence[str] = (),
) -> dict[str, str]:
    """The form a wallet sends. `configuration_ids` become `authorization_details`, empty: everything that was offered."""
    given = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": pre_authorized_code, "tx_code": tx_code, "client_id": client_id}
    return _form(given, configuration_ids)


def create_authorization_code_request(
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    client_id: str | None = None,
    configuration_ids: Sequence[str] = (),
) -> dict[str, str]:
    """The form a wallet redeems a code with; `redirect_uri` as it was pushed, `configuration_ids` only for a part of it."""
    given = {
        "grant_type": AUTHORIZATION_CODE,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
        "client_id": client_id,
    }
    return _form(given, configuration_ids)


def create_refresh_request(
    *, refresh_token: str, client_id: str | None = None, scopes: Sequence[str] = (), configuration_ids: Sequence[str] = ()
) -> dict[str, str]:
    """The form a wallet asks for a new access token with (RFC 6749 §6); without scopes and configurations for the same."""
    given = {
        "grant_type": REFRESH_TOKEN,
        "refresh_token": refresh_token,
        "client_id": client_id,
        "scope": " ".join(scopes) or None,
    }
    return _form(given, configuration_ids)


def _form(given: Mapping[str, str | None], configuration_ids: Sequence[str]) -> dict[str, str]:
    details = {"authorization_details": authorization_details.create(configuration_ids)} if configuration_ids else {}
    return {**{name: value for name, value in given.items() if value is not None}, **details}


def response(
    *,
    access_token: str,
    token_type: TokenType,
    expires_in: int,
    credential_identifiers: Mapping[str, Sequence[str]] | None = None,
    refresh_token: str | None = None,
    scope: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The body of a token response (§6.2), to be sent `no-store`; there is no nonce in it (OLD-03).

    `credential_identifiers`: by configuration, when `authorization_details` were used (VCI-TOK-5). `scope`: the scope values
    the token is for. ValueError for a `Bearer` token that lives too long (VCI-TOK-9) or comes with a refresh token, which is
    bound to a key always (VCI-TOK-10), and for a configuration without identifiers.
    """
    if token_type == "Bearer" and expires_in > LONGEST_BEARER:  # noqa: S105
        raise ValueError("a token that is bound to no key lives five minutes at most")
    if token_type == "Bearer" and refresh_token is not None:  # noqa: S105
        raise ValueError("a refresh token is bound to a key")
    if credential_identifiers is not None and not all(credential_identifiers.values()):
        raise ValueError("every configuration in authorization_details has an identifier")
    details = [
        {
            "type": authorization_details.TYPE,
            "credential_configuration_id": name,
            "credential_identifiers": list(identifiers),
        }
        for name, identifiers in (credential_identifiers or {}).items()
    ]
    return {
        "access_token": access_token,
        "token_type": token_type,
        "expires_in": expires_in,
        **({"refresh_token": refresh_token} if refresh_token is not None else {}),
        **({"scope": " ".join(scope)} if scope else {}),
        **({"authorization_details": details} if details else {}),
    }


def parse_response(value: object, *, dpop: bool) -> TokenResponse:
    """The wallet's reading of a decoded token response; unknown members, an old `c_nonce` among them, are ignored.

    `dpop`: a DPoP proof was sent; a token that is not bound to it is `VerificationFailed("token_type")` (RFC 9449 §5), as is a
    bound one nobody asked for. Raises `Malformed("token_response")`, `Malformed("scope_form")`.
    """
    document = members.an_object(value, _RESPONSE)
    kind = members.required_text(document, "token_type", _RESPONSE)
    expected: TokenType = "DPoP" if dpop else "Bearer"
    if kind.lower() != expected.lower():
        raise VerificationFailed("token_type", "the access token is not of the kind that was asked for", pointer="/token_type")
    identifiers: dict[str, tuple[str, ...]] = {}
    for index, entry in enumerate(members.array(document, "authorization_details", _RESPONSE) or []):
        at = f"/authorization_details/{index}"
        detail = members.an_object(entry, _RESPONSE, at)
        if detail.get("type") == authorization_details.TYPE:
            found = members.texts(detail, "credential_identifiers", _RESPONSE, at)
            if found is None:  # VCI-TOK-5
                raise Malformed(_RESPONSE, "missing", pointer=f"{at}/credential_identifiers")
            name = members.required_text(detail, "credential_configuration_id", _RESPONSE, at)
            identifiers[name] = identifiers.get(name, ()) + found
    return TokenResponse(
        access_token=members.required_text(document, "access_token", _RESPONSE),
        token_type=expected,
        expires_in=members.positive(document, "expires_in", _RESPONSE),
        credential_identifiers=identifiers,
        refresh_token=members.text(document, "refresh_token", _RESPONSE),
        scopes=parse_scope(members.text(document, "scope", _RESPONSE)) or None,
    )
