"""Requests to an issuer and its authorization server: DPoP-bound, from a client that shows who it is, and once more when the
server demands something that can be had (VCI-DPOP-3, VCI-WIA-7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from edge.outbound import Fetched
from vc.clock import Clock
from vc.keys.signer import LocalSigner
from vc.openid4vci import dpop, errors
from wallet_sim.client import Client
from wallet_sim.transcript import Wire


class Demand(Enum):
    """What a server may want of the next try."""

    DPOP_NONCE = "use_dpop_nonce"
    CHALLENGE = "use_attestation_challenge"
    FRESH_ATTESTATION = "use_fresh_attestation"


@dataclass(slots=True)
class Caller:
    """`key`: the DPoP key, fresh and not that of any credential; None without DPoP. `client` None: anonymous.

    `nonces`: the last DPoP-Nonce of each host; it may come with any answer.
    """

    wire: Wire
    clock: Clock
    key: LocalSigner | None
    client: Client | None = None
    access_token: str | None = field(default=None, repr=False)
    nonces: dict[str, str] = field(default_factory=dict)
    last_proof: str | None = field(default=None, repr=False)

    @property
    def client_id(self) -> str | None:
        """The client's name; None for an anonymous one."""
        return None if self.client is None else self.client.client_id

    def authenticated(self, url: str, form: Mapping[str, str]) -> Fetched:
        """POST a form as this client, without the access token."""
        return self._tried(url, form=form, access_token=None, attested=True)

    def post(self, url: str, *, body: Any = None, encrypted: str | None = None) -> Fetched:
        """POST JSON, or a JWE, with the access token."""
        return self._tried(url, body=body, encrypted=encrypted, access_token=self.access_token)

    def again(self, url: str, *, body: Any = None, encrypted: str | None = None) -> Fetched:
        """POST with the very proof sent last: what a thief of the message would do."""
        headers = {} if self.last_proof is None else {"dpop": self.last_proof}
        return self._send(url, headers, body=body, encrypted=encrypted, access_token=self.access_token)

    def learn(self, answer: Fetched) -> None:
        """Keep the DPoP-Nonce and the challenge of an answer."""
        if "dpop-nonce" in answer.headers:
            self.nonces[urlsplit(answer.url).netloc] = answer.headers["dpop-nonce"]
        if self.client is not None and self.client.attester is not None:
            self.client.attester.learn(answer)

    def _tried(self, url: str, *, access_token: str | None, attested: bool = False, **content: Any) -> Fetched:
        met: set[Demand] = set()
        while True:
            headers = self._proof(url, access_token)
            if attested and self.client is not None and self.client.attester is not None:
                headers |= self.client.attester.headers()
            answer = self._send(url, headers, access_token=access_token, **content)
            demand = self._demand(answer)
            if demand is None or demand in met:
                return answer
            met.add(demand)
            if demand is Demand.FRESH_ATTESTATION and self.client is not None and self.client.attester is not None:
                self.client.attester.renew()

    def _proof(self, url: str, access_token: str | None) -> dict[str, str]:
        if self.key is None:
            return {}
        self.last_proof = dpop.create(
            self.key,
            method="POST",
            url=url,
            now=self.clock(),
            jti=token_urlsafe(24),
            nonce=self.nonces.get(urlsplit(url).netloc),
            access_token=access_token,
        )
        return {"dpop": self.last_proof}

    def _send(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        access_token: str | None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        encrypted: str | None = None,
    ) -> Fetched:
        fields = dict(headers)
        if access_token is not None:
            fields["authorization"] = f"{'Bearer' if self.key is None else 'DPoP'} {access_token}"
        answer = self.wire.post(url, form=form, body=body, token=encrypted, headers=fields)
        self.learn(answer)
        return answer

    def _demand(self, answer: Fetched) -> Demand | None:
        """What the server wants (RFC 9449 §8 and §9: the body or, where it may be empty, the header), if it can be had."""
        if answer.status not in (400, 401):
            return None
        said = errors.parse(answer.body, status=answer.status).error
        if said == Demand.DPOP_NONCE.value or 'error="use_dpop_nonce"' in answer.headers.get("www-authenticate", ""):
            return Demand.DPOP_NONCE if self.key is not None and "dpop-nonce" in answer.headers else None
        attested = self.client is not None and self.client.attester is not None
        return Demand(said) if attested and said in (Demand.CHALLENGE.value, Demand.FRESH_ATTESTATION.value) else None
