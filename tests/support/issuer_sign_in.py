"""A wallet and the browser of a person for the authorization code flow: every step done rightly, each bent by the test."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.testclient import TestClient

from edge.outbound import FetchLimits, Outbound
from tests.support import issuer
from tests.support.internet import Internet
from tests.support.issuer import BASE_URL, INSTITUTIONS, Deployment, client_of
from tests.support.issuer_wallet import Answer, IssuerWallet
from tests.support.upstream import SIGN_IN, Upstream
from vc.openid4vci import authorization, token
from vc.openid4vci.authorization_response import parse_response

IDS = ("pda1_dc4eu-2_sd_jwt", "eu.europa.ec.eudi.pda1_mdoc")
"""The configurations the PD A1 of the tests fits into."""
TOO_SMALL = "pda1_dc4eu-1_sd_jwt"
"""One that has no place for some of what it says."""
PUBLIC_CLIENT, REDIRECT_URI = "example-wallet", "https://wallet.example/back"
OTHER_CLIENT = "other-wallet"
CLIENTS = [
    {"client_id": PUBLIC_CLIENT, "redirect_uris": [REDIRECT_URI, "http://127.0.0.1/back"]},
    {"client_id": OTHER_CLIENT, "redirect_uris": [REDIRECT_URI]},
]


def institution(**changes: Any) -> dict[str, Any]:
    """The settings entry of an institution at which people sign in."""
    return {**INSTITUTIONS["fr-urssaf"], "sign_in": SIGN_IN, "clients": CLIENTS, **changes}


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
    """A wallet that lets the person sign in. `verifier`: of PKCE. `attest`: gives the headers of a wallet attestation.
    `dpop_nonce`: goes into every proof."""

    client_id: str | None = PUBLIC_CLIENT
    redirect_uri: str = REDIRECT_URI
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    refresh_token: str = ""
    attest: Callable[[], dict[str, str]] = dict
    dpop_nonce: str | None = None

    def dpop(self, method: str, name: str, **options: Any) -> dict[str, str]:
        """See `IssuerWallet.dpop`; with the nonce it was told."""
        return super().dpop(method, name, **{"nonce": self.dpop_nonce, **options})

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
        headers = {**self.attest(), **(self.dpop("POST", "par") if dpop_proof else {})}
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
        answer = self.client.post(f"{self.issuer}/token", data=sent, headers={**self.attest(), **self.dpop("POST", "token")})
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


@contextmanager
def opened(folder: Path, **changes: Any) -> Iterator["Scene"]:
    """A scene over a deployment with these changes."""
    with ExitStack() as stack:
        yield Scene(folder, stack, **changes)


class Scene:
    """One deployment with two workers, a wallet at the first, a person's browser at the second."""

    def __init__(self, folder: Path, stack: ExitStack, **changes: Any) -> None:
        self.deployment, self.internet, self.upstream = build(folder, **changes)
        stack.callback(self.deployment.close)
        self.apps = [self.deployment.worker() for _ in range(2)]
        self.client = stack.enter_context(client_of(self.apps[0]))
        self.person = browser(self.apps[1])

    def wallet(self, institution: str = "fr-urssaf", **options: Any) -> SignInWallet:
        return SignInWallet(
            client=self.client,
            issuer=self.deployment.credential_issuer(institution),
            clock=self.deployment.clock,
            **options,
        )

    def code(self, wallet: SignInWallet, *configuration_ids: str, **options: Any) -> str:
        """A code for the person of the upstream."""
        pushed = wallet.push(*configuration_ids, **options)
        back = go(self.person, self.upstream, wallet.authorize_url(pushed))
        assert back.status_code == 303, back.text
        return parse_response(back.headers["location"], redirect_uri=wallet.redirect_uri, state=wallet.state, issuer=wallet.issuer)


def is_page(answer: Any, status: int, *, wallet: SignInWallet | None = None) -> dict[str, str]:
    """A page for people; gives what the wallet is told by its link (`wallet` given), or asserts that there is none."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert "location" not in answer.headers
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "<script" not in answer.text
    for part in ('<html lang="en">', 'id="what"', 'id="why"', 'id="next"', "<h1>"):
        assert part in answer.text
    if wallet is None:
        assert "return-to-wallet" not in answer.text
        return {}
    url = answer.text.split('id="return-to-wallet" href="')[1].split('"')[0].replace("&amp;", "&")
    assert url.startswith(wallet.redirect_uri)
    told = query(url)
    assert told["iss"] == wallet.issuer
    assert told["state"] == wallet.state
    assert "code" not in told
    assert told["error_description"]
    return told
