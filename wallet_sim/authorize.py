"""The authorization code: what is wanted is pushed, the person signs in in a browser, the browser brings the code back.

 1 push the request, as a client that shows who it is and bound to the DPoP key     3 compare `state` and `iss`, take the code
 2 open the authorization endpoint in the browser, wait for it to come back
OpenID4VCI 1.0 §5, RFC 9126, RFC 7636, RFC 9207, HAIP 1.0 §4; VCI-AUTHZ-1 to -9.
"""

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from vc.errors import Refused
from vc.openid4vci import authorization, authorization_server
from vc.openid4vci.authorization_details import TYPE as OPENID_CREDENTIAL
from wallet_sim.answers import refusal
from wallet_sim.caller import Caller
from wallet_sim.issuance_seams import ReceivingSeams
from wallet_sim.issuer import ByCode, Offering
from wallet_sim.transcript import json_object
from wallet_sim.user_agent import UserAgent, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An authorization code and what it is redeemed with."""

    code: str = field(repr=False)
    redirect_uri: str
    verifier: str = field(repr=False)


def authorize(caller: Caller, offering: Offering, agent: UserAgent, *, details: bool, seams: ReceivingSeams) -> Code:
    """Have the person authorize what `offering` names. `details`: by `authorization_details`; else by scope where there is one.

    Raises `VerificationFailed` for a server no careful wallet uses (`as_…`), `Refused("client_needed")` when this wallet has no
    name to give, the server's refusal, what the browser raises, and what `authorization.parse_response` raises for a way back
    that is not the answer to this request.
    """
    pushed, endpoint = authorization_server.check_authorization_code(offering.server)
    if caller.client_id is None:
        raise Refused(
            "client_needed", "who asks must be known here: a wallet provider (--wallet-provider) or --client-id is needed"
        )
    verifier, state = authorization.make_verifier(secrets.token_bytes), secrets.token_urlsafe(24)
    with agent.window() as window:
        form = _form(caller.client_id, offering, window, verifier=verifier, state=state, details=details)
        url = _pushed(caller, pushed, endpoint, seams.form(form)) if seams.pushed else f"{endpoint}?{urlencode(form)}"
        returned = window.visit(url)
        code = authorization.parse_response(returned, redirect_uri=window.redirect_uri, state=state, issuer=offering.server.issuer)
        caller.wire.transcript.note("authorized", iss=offering.server.issuer)
        return Code(code=code, redirect_uri=window.redirect_uri, verifier=verifier)


def _form(client_id: str, offering: Offering, window: Window, *, verifier: str, state: str, details: bool) -> dict[str, str]:
    scopes = tuple(dict.fromkeys(configuration.scope for configuration in offering.configurations))
    by_details = details or None in scopes
    if by_details and OPENID_CREDENTIAL not in offering.server.authorization_details_types:
        raise Refused("scope_missing", "a credential has no scope, and the server takes no authorization_details")
    several = len(offering.issuer.authorization_servers) > 0
    return authorization.create_pushed(
        client_id=client_id,
        redirect_uri=window.redirect_uri,
        code_challenge=authorization.challenge_of(verifier),
        state=state,
        scopes=() if by_details else [scope for scope in scopes if scope is not None],
        configuration_ids=[configuration.id for configuration in offering.configurations] if by_details else (),
        issuer_state=offering.grant.issuer_state if isinstance(offering.grant, ByCode) else None,  # VCI-OFF-8: as it came
        location=offering.issuer.credential_issuer if several else None,
    )


def _pushed(caller: Caller, pushed: str, endpoint: str, form: dict[str, str]) -> str:
    answer = caller.authenticated(pushed, form)
    if answer.status not in (200, 201):
        raise refusal(answer, "pushed authorization request")
    response = authorization.parse_pushed_response(json_object(answer, what="pushed authorization request"))
    return authorization.authorize_url(endpoint, client_id=form["client_id"], request_uri=response.request_uri)
