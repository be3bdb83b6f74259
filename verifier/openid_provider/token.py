"""The token endpoint: a code for an ID token, once (OpenID Connect Core 1.0 §2, §3.1.3; RFC 6749 §4.1.3; RFC 7636 §4.6)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from vc.clock import Clock, to_numeric_date
from vc.encoding import json
from vc.errors import VerificationFailed
from vc.jose import jws
from vc.openid4vci import pkce
from verifier.asking import RandomBytes
from verifier.digest import digest_of
from verifier.openid_provider.client_authentication import authenticate
from verifier.openid_provider.registry import Client, Provider
from verifier.problems import Problem
from verifier.store.authorizations import Authorization, Authorizations

GRANT_TYPES = ("authorization_code",)
ID_TOKEN_LIFETIME = timedelta(minutes=5)
_REQUIRED = ("code", "redirect_uri", "code_verifier")
_RANDOM_BYTES = 24
_log = structlog.get_logger("verifier")


class TokenEndpoint:
    """Answers token requests. A code that reached its client is spent by the first request that names it, good or bad."""

    def __init__(
        self, issuer: str, provider: Provider, authorizations: Authorizations, *, clock: Clock, random_bytes: RandomBytes
    ) -> None:
        self._issuer, self._provider, self._authorizations = issuer, provider, authorizations
        self._clock, self._random_bytes = clock, random_bytes

    def answer(self, authorization: str | None, form: Mapping[str, str]) -> dict[str, Any]:
        """The token response. Raises `Problem` with the code of RFC 6749 §5.2.

        The access token opens nothing, for there is no resource behind this provider; the specification asks for one.
        """
        client = authenticate(authorization, form, self._provider.clients)
        if not form.get("grant_type"):
            raise Problem(400, "invalid_request", "grant_type is missing")
        if form["grant_type"] not in GRANT_TYPES:
            raise Problem(400, "unsupported_grant_type", f"grant_type: {', '.join(GRANT_TYPES)}")
        for name in _REQUIRED:
            if not form.get(name):
                raise Problem(400, "invalid_request", f"{name} is missing")
        redeemed = self._redeem(client, form)
        return {
            "access_token": self._random_bytes(_RANDOM_BYTES).hex(),
            "token_type": "Bearer",
            "expires_in": int(ID_TOKEN_LIFETIME.total_seconds()),
            "scope": "openid",
            "id_token": self._id_token(client, redeemed),
        }

    def _redeem(self, client: Client, form: Mapping[str, str]) -> Authorization:
        now = self._clock()
        self._authorizations.purge(now)
        found = self._authorizations.redeem(digest_of(form["code"]), client_id=client.client_id, now=now)
        if found is None or found.claims is None:
            raise Problem(400, "invalid_grant", "the code is unknown, used or over, or another client's")
        if form["redirect_uri"] != found.redirect_uri:
            raise Problem(400, "invalid_grant", "redirect_uri is not the one of the authentication request")
        try:
            pkce.verify(form["code_verifier"], found.code_challenge)
        except VerificationFailed as error:
            raise Problem(400, "invalid_grant", error.detail) from error
        _log.info("code redeemed", client=client.client_id)
        return found

    def _id_token(self, client: Client, redeemed: Authorization) -> str:
        """`sub` is fresh for every sign-in (docs/decisions/0013): who the person is, the claims say, and only they."""
        now = self._clock()
        claims: dict[str, Any] = {
            **(redeemed.claims or {}),
            "iss": self._issuer,
            "sub": self._random_bytes(_RANDOM_BYTES).hex(),
            "aud": client.client_id,
            "iat": to_numeric_date(now),
            "exp": to_numeric_date(now + ID_TOKEN_LIFETIME),
            "auth_time": to_numeric_date(redeemed.auth_time or now),
            "amr": ["pop"],  # RFC 8176: proof of possession of the key the PID is bound to; how the key is kept is not known here
        }
        if redeemed.nonce is not None:
            claims["nonce"] = redeemed.nonce
        if self._provider.acr is not None:
            claims["acr"] = self._provider.acr
        return jws.sign({"typ": "JWT", "kid": self._provider.kid}, json.dumps(claims), self._provider.signer)
