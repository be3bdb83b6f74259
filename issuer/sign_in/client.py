"""One sign-in as the client of an OpenID Provider: where the browser is sent, and what must come back (Core 1.0 §3.1, RFC 9700)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import quote_plus, urlencode

from edge.outbound import Fetched
from issuer.institutions import SignIn
from issuer.sign_in import id_token
from issuer.sign_in.provider import MAX_LENGTH, Provider, Providers, json_of
from vc.encoding import base64url
from vc.errors import Refused, VerificationFailed
from vc.openid4vci import pkce

_ANSWER = "provider_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What a sign-in that was begun must come back with; kept by us, for the time of the sign-in only."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    def is_state(self, state: str) -> bool:
        """Whether an answer with this `state` is the one to this sign-in."""
        return compare_digest(state.encode(), self.state.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInClient:
    """Our client at one provider. `redirect_uri`: where its answers come back to. The methods may wait for the network."""

    sign_in: SignIn
    providers: Providers
    redirect_uri: str

    def begin(self, state: str, random_bytes: Callable[[int], bytes]) -> tuple[str, Pending]:
        """The address at the provider the browser is sent to, and what must come back. Raises as `Providers.find`."""
        provider = self.providers.find(self.sign_in.issuer)
        nonce, verifier = base64url.encode(random_bytes(32)), pkce.make_verifier(random_bytes)
        query = {
            "response_type": "code",
            "client_id": self.sign_in.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.sign_in.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": pkce.challenge_of(verifier),
            "code_challenge_method": pkce.METHOD,
        }
        joint = "&" if "?" in provider.authorization_endpoint else "?"
        return f"{provider.authorization_endpoint}{joint}{urlencode(query)}", Pending(state=state, nonce=nonce, verifier=verifier)

    def finish(self, answer: Mapping[str, str], pending: Pending, *, now: datetime) -> Mapping[str, Any]:
        """The claims about the person, from the ID token and, where it lacks one of the mapped ones, from userinfo.

        Raises `Refused("sign_in_refused")` when the provider says so, `VerificationFailed` for an answer of another provider, a
        token that is not believed, userinfo about another person; `Unreachable`; `Refused("destination")`.
        """
        provider = self.providers.find(self.sign_in.issuer)
        if answer.get("iss", None if provider.sends_iss else provider.issuer) != provider.issuer:  # RFC 9207 §2.4
            raise VerificationFailed("sign_in_iss", "the answer is that of another provider")
        if "error" in answer or not answer.get("code"):
            raise Refused("sign_in_refused", "the provider did not sign the person in")
        tokens = json_of(self._redeem(provider, answer["code"], pending.verifier))
        access_token, token = tokens.get("access_token"), tokens.get("id_token")
        if not isinstance(token, str) or not isinstance(access_token, str) or str(tokens.get("token_type")).lower() != "bearer":
            raise VerificationFailed(_ANSWER, "the provider's answer holds no ID token")
        claims = id_token.verify(
            token,
            keys=lambda newer: self.providers.keys(provider, newer=newer),
            issuer=provider.issuer,
            client_id=self.sign_in.client_id,
            nonce=pending.nonce,
            algorithms=provider.algorithms,
            access_token=access_token,
            now=now,
        )
        if provider.userinfo_endpoint is None or set(self.sign_in.claims.values()) <= claims.keys():
            return claims
        return {**self._user_info(provider.userinfo_endpoint, access_token, claims["sub"]), **claims}

    def _redeem(self, provider: Provider, code: str, verifier: str) -> Fetched:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"accept": "application/json"}
        if provider.auth_method == "client_secret_basic":  # RFC 6749 §2.3.1: each part form-encoded first
            pair = f"{quote_plus(self.sign_in.client_id)}:{quote_plus(self.sign_in.client_secret)}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode('ascii')}"
        else:
            form |= {"client_id": self.sign_in.client_id, "client_secret": self.sign_in.client_secret}
        return self.providers.outbound.post(provider.token_endpoint, form=form, headers=headers, max_bytes=MAX_LENGTH)

    def _user_info(self, endpoint: str, access_token: str, subject: str) -> Mapping[str, Any]:
        if not access_token.isascii() or not access_token.isprintable():
            raise VerificationFailed(_ANSWER, "the provider's access token is none")
        headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
        found = json_of(self.providers.outbound.get(endpoint, headers=headers, max_bytes=MAX_LENGTH))
        if found.get("sub") != subject:  # Core 1.0 §5.3.2
            raise VerificationFailed("user_info", "userinfo is about another person than the ID token")
        return found
