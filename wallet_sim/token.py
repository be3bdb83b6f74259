"""Getting access tokens: for a pre-authorized code, an authorization code, a refresh token (OpenID4VCI 1.0 §6; VCI-TOK)."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from vc.errors import Refused
from vc.openid4vci import token
from vc.openid4vci.token import TokenResponse
from wallet_sim.answers import refusal
from wallet_sim.authorize import Code
from wallet_sim.caller import Caller
from wallet_sim.contents import Grant
from wallet_sim.issuance_seams import ReceivingSeams
from wallet_sim.issuer import Offering, PreAuthorized
from wallet_sim.transcript import json_object


def redeem_offer(caller: Caller, offering: Offering, grant: PreAuthorized, *, tx_code: str | None, seams: ReceivingSeams) -> Grant:
    """Exchange the pre-authorized code (VCI-TOK-1).

    Raises `Refused("tx_code_needed")` when a transaction code is due and none was given, and the server's refusal.
    """
    due = grant.tx_code is not None
    if due and tx_code is None:
        raise Refused("tx_code_needed", "the offer asks for a transaction code; it came by another way: --tx-code")
    if not due and tx_code is not None:
        caller.wire.transcript.note("the transaction code is not sent: the offer asks for none")
    *guesses, right = seams.tx_codes(tx_code if due else None)
    forms = [
        token.create_request(pre_authorized_code=grant.code, tx_code=code, client_id=caller.client_id) for code in (*guesses, right)
    ]
    for form in forms[:-1]:
        caller.wire.transcript.note("guess", status=caller.authenticated(offering.server.token_endpoint, form).status)
    return _redeem(caller, offering, forms[-1], seams)


def redeem_code(caller: Caller, offering: Offering, code: Code, *, seams: ReceivingSeams) -> Grant:
    """Exchange an authorization code. Raises the server's refusal."""
    form = token.create_authorization_code_request(
        code=code.code, redirect_uri=code.redirect_uri, code_verifier=code.verifier, client_id=caller.client_id
    )
    return _redeem(caller, offering, form, seams)


def refresh(caller: Caller, token_endpoint: str, grant: Grant) -> Grant:
    """The grant with a new access token (VCI-TOK-10). Raises `Refused("refresh_missing")` and the server's refusal."""
    if grant.refresh_token is None:
        raise Refused("refresh_missing", "the issuer gave no refresh token with this credential; ask for a new offer")
    form = token.create_refresh_request(refresh_token=grant.refresh_token, client_id=grant.client_id)
    granted = _ask(caller, token_endpoint, form)
    return replace(
        grant,
        access_token=granted.access_token,
        expires=_expiry(caller, granted),
        refresh_token=granted.refresh_token or grant.refresh_token,
        identifiers=granted.credential_identifiers or grant.identifiers,
    )


def _redeem(caller: Caller, offering: Offering, form: dict[str, str], seams: ReceivingSeams) -> Grant:
    granted = _ask(caller, offering.server.token_endpoint, seams.form(form))
    if seams.redeem_again:
        granted = _ask(caller, offering.server.token_endpoint, form)
    return Grant(
        id=secrets.token_urlsafe(12),
        credential_issuer=offering.issuer.credential_issuer,
        server=offering.server.issuer,
        client_id=caller.client_id,
        access_token=granted.access_token,
        expires=_expiry(caller, granted),
        refresh_token=granted.refresh_token,
        dpop_key=None if caller.key is None else caller.key.private_key,
        identifiers=granted.credential_identifiers,
    )


def _ask(caller: Caller, token_endpoint: str, form: dict[str, str]) -> TokenResponse:
    answer = caller.authenticated(token_endpoint, form)
    if answer.status != 200:
        raise refusal(answer, "token")
    granted = token.parse_response(json_object(answer, what="token"), dpop=caller.key is not None)
    caller.access_token = granted.access_token
    return granted


def _expiry(caller: Caller, granted: TokenResponse) -> datetime | None:
    return None if granted.expires_in is None else caller.clock() + timedelta(seconds=granted.expires_in)
