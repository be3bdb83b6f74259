"""A wallet and the browser of a person for the authorization code flow: every step done rightly, each bent by the test."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.testclient import TestClient

from edge.outbound import FetchLimits, Outbound
from tests.support import issuer
from tests.support.internet import Internet
from tests.support.issuer import BASE_URL, INSTITUTIONS, Deployment
from tests.support.issuer_wallet import Answer, IssuerWallet
from tests.support.upstream import SIGN_IN, Upstream
from vc.openid4vci import authorization, token

PUBLIC_CLIENT, REDIRECT_URI = "example-wallet", "https://wallet.example/back"
CLIENTS = [{"client_id": PUBLIC_CLIENT, "redirect_uris": [REDIRECT_URI, "http://127.0.0.1/back"]}]


def build(folder: Path, **changes: Any) -> tuple[Deployment, Internet, Upstream]:
    """A deployment whose institutions let people sign in at a pretend provider, and know one public client."""
    internet, clock = Internet(), issuer.TestClock()
    institutions = {
        name: {**facts, **({} if "pid" in facts["types"] else {"sign_in": SIGN_IN, "clients": CLIENTS})}
        for name, facts in INSTITUTIONS.items()
    }
    arguments = {"institutions": institutions, "clock": clock, **changes}
    outbound = Outbound(FetchLimits(), transport=internet)
    return issuer.build(folder, outbound=outbound, **arguments), internet, Upstream(internet, clock)


def browser(app: Any) -> TestClient:
    """A browser: a cookie jar of its own, and it does not follow redirects by itself."""
    return TestClient(app, base_url=BASE_URL, follow_redirects=False)


def query(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))


@dataclass
class SignInWallet(IssuerWallet):
    """A wallet that lets the person sign in. `verifier`: of PKCE."""

    client_id: str | None = PUBLIC_CLIENT
    redirect_uri: str = REDIRECT_URI
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    refresh_token: str = ""
    extra_headers: dict[str, str] = field(default_factory=dict)

    def push(self, *configuration_ids: str, by_details: bool = False, dpop_proof: bool = True, **changes: Any) -> Answer:
        """Push a request; a change of None takes the parameter out."""
        form = authorization.create_pushed(
            client_id=self.client_id or "",
            redirect_uri=self.redirect_uri,
            code_challenge=authorization.challenge_of(self.verifier),
            state=self.state,
            scopes=() if by_details else configuration_ids,
            configuration_ids=configuration_ids if by_details else (),
        )
        sent = {name: value for name, value in {**form, **changes}.items() if value is not None}
        headers = {**self.extra_headers, **(self.dpop("POST", "par") if dpop_proof else {})}
        return self.client.post(f"{self.issuer}/par", data=sent, headers=headers)

    def authorize_url(self, pushed: Answer, **changes: Any) -> str:
        """The address to open in the browser."""
        assert pushed.status_code == 201, pushed.text
        arguments = {"client_id": self.client_id, "request_uri": pushed.json()["request_uri"], **changes}
        return authorization.authorize_url(f"{self.issuer}/authorize", **arguments)

    def redeem(self, code: str, **changes: Any) -> Answer:
        """Exchange a code."""
        form = token.create_authorization_code_request(
            code=code, redirect_uri=self.redirect_uri, code_verifier=self.verifier, client_id=self.client_id
        )
        return self._ask_token({**form, **changes})

    def refresh(self, **changes: Any) -> Answer:
        """Ask for a new access token."""
        form = token.create_refresh_request(refresh_token=self.refresh_token, client_id=self.client_id)
        return self._ask_token({**form, **changes})

    def _ask_token(self, form: dict[str, Any]) -> Answer:
        sent = {name: value for name, value in form.items() if value is not None}
        answer = self.client.post(f"{self.issuer}/token", data=sent, headers={**self.extra_headers, **self.dpop("POST", "token")})
        if answer.status_code == 200:
            body = answer.json()
            self.access_token, self.refresh_token = body["access_token"], body.get("refresh_token", self.refresh_token)
            self.identifiers = {
                entry["credential_configuration_id"]: entry["credential_identifiers"][0]
                for entry in body.get("authorization_details", [])
            }
        return answer


def go(person: TestClient, upstream: Upstream, url: str, *, refuse: bool = False) -> Answer:
    """The person opens `url`, signs in at the provider and is sent back; gives the answer to that."""
    begun = person.get(url)
    assert begun.status_code == 303, begun.text
    return person.get(upstream.sign_in(begun.headers["location"], refuse=refuse))
