"""A pretend OpenID Provider, a national login: real signatures and rules, made by a library of its own; it misbehaves by name."""

import secrets
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.support.internet import Internet, json_answer
from vc.openid4vci import pkce

HOST = "login.test"
ISSUER = f"https://{HOST}"
CLIENT_ID, CLIENT_SECRET = "urssaf-at-login", "s3cret: with+signs and 32 letters"
PERSON: dict[str, Any] = {"sub": "person-1", "family_name": "Martin", "given_name": "Camille", "birthdate": "1988-04-17"}
SIGN_IN: dict[str, Any] = {
    "issuer": ISSUER,
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "scopes": ["openid", "profile"],
    "claims": {"family_name": "family_name", "given_name": "given_name", "birth_date": "birthdate"},
}
_EC, _OTHER_EC = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Upstream:
    """`misbehaviours`: names, see where they are asked for. `changes`: to the claims of ID tokens. `metadata`: to its metadata.

    `in_userinfo`: claims that are not in the ID token but at the userinfo endpoint.
    """

    internet: Internet
    clock: Any
    alg: str = "ES256"
    misbehaviours: set[str] = field(default_factory=set)
    person: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    changes: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    in_userinfo: tuple[str, ...] = ()
    kid: str = "key-1"
    keys_type: str = "application/json"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.internet.function(HOST, self._answer)

    def sign_in(self, url: str, *, refuse: bool = False) -> str:
        """The person at the authorization endpoint; gives where the browser is sent."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/authorize"
        asked = dict(parse_qsl(parts.query, strict_parsing=True))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        state = {"state": asked["state"]}
        iss = {"iss": "https://other.test" if "iss of another" in self.misbehaviours else ISSUER}
        iss = {} if "no iss" in self.misbehaviours else iss
        if refuse:
            return self._back(asked, {"error": "access_denied", "error_description": "<b>declined</b>", **state, **iss})
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        if "state swapped" in self.misbehaviours:
            state = {"state": asked["state"][:-3] + "abc"}
        return self._back(asked, {"code": code, **state, **iss})

    @staticmethod
    def _back(asked: dict[str, str], answer: dict[str, str]) -> str:
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if "slow error page" in self.misbehaviours and request.method == "POST":
            return httpx2.Response(500, content=b"<h1>Oops</h1>", headers={"content-type": "text/html"})
        match request.url.path:
            case "/.well-known/openid-configuration":
                return json_answer(self._metadata())
            case "/jwks":
                if "keys that are no JSON" in self.misbehaviours:
                    return httpx2.Response(200, content=b"{", headers={"content-type": "application/json"})
                if "keys as a page" in self.misbehaviours:
                    return httpx2.Response(200, json={"keys": self._keys()}, headers={"content-type": "text/html"})
                return httpx2.Response(200, json={"keys": self._keys()}, headers={"content-type": self.keys_type})
            case "/token":
                answer = self._token(request)
                if "good answer as an error" in self.misbehaviours:
                    answer.status_code = 500
                return answer
            case "/userinfo":
                subject = "person-2" if "userinfo of another" in self.misbehaviours else self.person["sub"]
                assert request.headers["authorization"] == "Bearer upstream-access-token"
                return json_answer({name: self.person[name] for name in self.in_userinfo} | {"sub": subject})
        return httpx2.Response(404)

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def _keys(self) -> list[dict[str, Any]]:
        keys: list[dict[str, Any]] = [
            {"kty": "AKP", "alg": "ML-DSA-44", "kid": "future", "pub": "AAAA"},  # a kind nobody here knows yet
            {**ECAlgorithm.to_jwk(_EC.public_key(), as_dict=True), "kid": self.kid, "use": "sig", "alg": "ES256"},
            {**RSAAlgorithm.to_jwk(_RSA.public_key(), as_dict=True), "kid": "rsa", "use": "sig", "alg": "RS256"},
        ]
        if "empty key set" in self.misbehaviours:
            return []
        return keys[:1] if "no keys" in self.misbehaviours else keys

    def _token(self, request: httpx2.Request) -> httpx2.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode(), strict_parsing=True).items()}
        asked = self.codes.pop(form["code"], None)
        if not self._knows_client(request, form):
            return json_answer({"error": "invalid_client"}, 401)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"] or form["grant_type"] != "authorization_code":
            return json_answer({"error": "invalid_grant"}, 400)
        if pkce.challenge_of(form["code_verifier"]) != asked["code_challenge"]:
            return json_answer({"error": "invalid_grant"}, 400)
        access_token = "line\nbreak" if "odd access token" in self.misbehaviours else "upstream-access-token"
        answer = {"access_token": access_token, "token_type": "Bearer", "id_token": self._id_token(asked)}
        if "no ID token" in self.misbehaviours:
            del answer["id_token"]
        return json_answer(answer)

    @staticmethod
    def _knows_client(request: httpx2.Request, form: dict[str, str]) -> bool:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            user, _, secret = b64decode(credentials).decode().partition(":")
            return (unquote_plus(user), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)

    def _id_token(self, asked: dict[str, str]) -> str:
        now: datetime = self.clock()
        claims = {
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + timedelta(minutes=5),
            "nonce": asked["nonce"],
            **{name: value for name, value in self.person.items() if name not in self.in_userinfo},
            **self.changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if "claims nested without end" in self.misbehaviours:
            nested = b'{"iss":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
            return jwt.api_jws.encode(nested, _EC, algorithm="ES256", headers={"kid": self.kid})
        if "unsigned" in self.misbehaviours:
            return jwt.encode(claims, "", algorithm="none")
        if "HMAC with its secret" in self.misbehaviours:
            return jwt.encode(claims, CLIENT_SECRET, algorithm="HS256", headers={"kid": self.kid})
        if "another key" in self.misbehaviours:
            return jwt.encode(claims, _OTHER_EC, algorithm="ES256", headers={"kid": self.kid})
        if self.alg == "RS256":
            return jwt.encode(claims, _RSA, algorithm="RS256", headers={"kid": "rsa"})
        return jwt.encode(claims, _EC, algorithm="ES256", headers={"kid": self.kid})
