"""Token request and response for the pre-authorized code (OpenID4VCI 1.0 §6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vc.encoding import json
from vc.errors import Malformed, Refused, VerificationFailed
from vc.openid4vci import members
from vc.openid4vci.authorization_server import OPENID_CREDENTIAL
from vc.openid4vci.offer import PRE_AUTHORIZED

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
class TokenResponse:
    """What a wallet got. `credential_identifiers`: by configuration; when a configuration has some, they must be used."""

    access_token: str = field(repr=False)
    token_type: TokenType
    expires_in: int | None
    credential_identifiers: Mapping[str, tuple[str, ...]]


def parse_request(form: Mapping[str, str], *, credential_issuer: str) -> PreAuthorizedTokenRequest:
    """Read the form of a token request (VCI-TOK-1); unknown parameters are ignored, one without value counts as absent.

    `credential_issuer`: our identifier; details with `locations` must name it. Whether a transaction code is due is not known
    here: the caller compares with the offer (`tx_code_missing`, `tx_code_unexpected`, `tx_code_wrong` in the error table).

    Raises `Malformed("request")` for a missing grant type or code, `Refused("grant_type")` for another grant (SECURITY A-3),
    `Malformed("authorization_details")`.
    """
    grant_type = _parameter(form, "grant_type")
    if grant_type is None:
        raise Malformed(_CODE, "missing", pointer="/grant_type")
    if grant_type != PRE_AUTHORIZED:
        raise Refused("grant_type", "only the pre-authorized code is a grant here")
    code = _parameter(form, "pre-authorized_code")
    if code is None:
        raise Malformed(_CODE, "missing", pointer="/pre-authorized_code")
    details = _parameter(form, "authorization_details")
    return PreAuthorizedTokenRequest(
        pre_authorized_code=code,
        tx_code=_parameter(form, "tx_code"),
        client_id=_parameter(form, "client_id"),
        configuration_ids=None if details is None else _configuration_ids(details, credential_issuer),
    )


def _parameter(form: Mapping[str, str], name: str) -> str | None:
    return members.text(form, name, _CODE) if form.get(name) else None  # RFC 6749 §3.2: sent without value means omitted


def _configuration_ids(details: str, credential_issuer: str) -> tuple[str, ...]:
    """VCI-AUTHZ-1: entries of type `openid_credential`; fields nobody knows never make one invalid."""
    code = "authorization_details"
    try:
        value = json.loads(details)
    except Malformed as exc:
        raise Malformed(code, "not JSON", pointer="/authorization_details") from exc
    if not isinstance(value, list) or not value:
        raise Malformed(code, "not a non-empty array", pointer="/authorization_details")
    found: list[str] = []
    for index, entry in enumerate(value):
        at = f"/authorization_details/{index}"
        detail = members.an_object(entry, code, at)
        if detail.get("type") != OPENID_CREDENTIAL:
            raise Malformed(code, "only openid_credential is known", pointer=f"{at}/type")
        if credential_issuer not in (members.texts(detail, "locations", code, at) or (credential_issuer,)):
            raise Malformed(code, "meant for another credential issuer", pointer=f"{at}/locations")
        found.append(members.required_text(detail, "credential_configuration_id", code, at))
    return tuple(dict.fromkeys(found))


def create_request(
    *,
    pre_authorized_code: str,
    tx_code: str | None = None,
    client_id: str | None = None,
    configuration_ids: Sequence[str] = (),
) -> dict[str, str]:
    """The form a wallet sends. `configuration_ids` become `authorization_details`, empty: everything that was offered."""
    details = [{"type": OPENID_CREDENTIAL, "credential_configuration_id": name} for name in configuration_ids]
    optional = {
        "tx_code": tx_code,
        "client_id": client_id,
        "authorization_details": json.dumps(details).decode("utf-8") if details else None,
    }
    return {
        "grant_type": PRE_AUTHORIZED,
        "pre-authorized_code": pre_authorized_code,
        **{name: value for name, value in optional.items() if value is not None},
    }


def response(
    *,
    access_token: str,
    token_type: TokenType,
    expires_in: int,
    credential_identifiers: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The body of a token response (§6.2), to be sent `no-store`; there is no nonce in it (OLD-03).

    `credential_identifiers`: by configuration, when `authorization_details` were used (VCI-TOK-5). ValueError for a `Bearer`
    token that lives too long (VCI-TOK-9) and for a configuration without identifiers.
    """
    if token_type == "Bearer" and expires_in > LONGEST_BEARER:  # noqa: S105
        raise ValueError("a token that is bound to no key lives five minutes at most")
    if credential_identifiers is not None and not all(credential_identifiers.values()):
        raise ValueError("every configuration in authorization_details has an identifier")
    details = [
        {"type": OPENID_CREDENTIAL, "credential_configuration_id": name, "credential_identifiers": list(identifiers)}
        for name, identifiers in (credential_identifiers or {}).items()
    ]
    return {
        "access_token": access_token,
        "token_type": token_type,
        "expires_in": expires_in,
        **({"authorization_details": details} if details else {}),
    }


def parse_response(value: object, *, dpop: bool) -> TokenResponse:
    """The wallet's reading of a decoded token response; unknown members, an old `c_nonce` among them, are ignored.

    `dpop`: a DPoP proof was sent; a token that is not bound to it is `VerificationFailed("token_type")` (RFC 9449 §5), as is a
    bound one nobody asked for. Raises `Malformed("token_response")`.
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
        if detail.get("type") == OPENID_CREDENTIAL:
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
    )
