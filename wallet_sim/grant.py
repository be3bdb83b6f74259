"""The token and what is asked with it: every request DPoP-bound, one retry when a nonce is demanded (VCI-TOK, VCI-DPOP)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from edge.outbound import Fetched
from vc.clock import Clock
from vc.errors import Refused
from vc.keys.signer import LocalSigner
from vc.openid4vci import dpop, errors, token
from vc.openid4vci.token import TokenResponse
from wallet_sim.issuer import Offering, refusal
from wallet_sim.seams import ReceivingSeams
from wallet_sim.transcript import Wire, json_object


@dataclass(slots=True)
class Caller:
    """Sends requests with DPoP proofs of one fresh key (not the key of any credential); without DPoP when `key` is None.

    `nonces`: the last DPoP-Nonce of each host; it may come with any answer (VCI-DPOP-3).
    """

    wire: Wire
    clock: Clock
    key: LocalSigner | None
    access_token: str | None = field(default=None, repr=False)
    nonces: dict[str, str] = field(default_factory=dict)
    last_proof: str | None = field(default=None, repr=False)

    def post(self, url: str, *, form: Mapping[str, str] | None = None, body: Any = None) -> Fetched:
        """POST; once more when the server wants its nonce in the proof."""
        answer = self._once(url, form, body)
        if self.key is not None and answer.status in (400, 401) and _wants_nonce(answer):
            answer = self._once(url, form, body)
        return answer

    def again(self, url: str, *, body: Any) -> Fetched:
        """POST with the very proof sent last: what a thief of the message would do."""
        return self._send(url, None, body, self.last_proof)

    def learn(self, answer: Fetched) -> None:
        """Keep the DPoP-Nonce of an answer."""
        if "dpop-nonce" in answer.headers:
            self.nonces[urlsplit(answer.url).netloc] = answer.headers["dpop-nonce"]

    def _once(self, url: str, form: Mapping[str, str] | None, body: Any) -> Fetched:
        if self.key is not None:
            self.last_proof = dpop.create(
                self.key,
                method="POST",
                url=url,
                now=self.clock(),
                jti=token_urlsafe(24),
                nonce=self.nonces.get(urlsplit(url).netloc),
                access_token=self.access_token,
            )
        return self._send(url, form, body, self.last_proof)

    def _send(self, url: str, form: Mapping[str, str] | None, body: Any, proof: str | None) -> Fetched:
        headers = {} if proof is None else {"dpop": proof}
        if self.access_token is not None:
            headers["authorization"] = f"{'Bearer' if self.key is None else 'DPoP'} {self.access_token}"
        answer = self.wire.post(url, form=form, body=body, headers=headers)
        self.learn(answer)
        return answer


def redeem(
    wire: Wire, offering: Offering, *, tx_code: str | None, clock: Clock, seams: ReceivingSeams
) -> tuple[Caller, TokenResponse]:
    """Exchange the pre-authorized code for a token (VCI-TOK-1); DPoP is used whenever the server knows ES256 for it.

    Raises `Refused("tx_code_needed")` when a transaction code is due and none was given, and the server's refusal.
    """
    due = offering.offer.tx_code is not None
    if due and tx_code is None:
        raise Refused("tx_code_needed", "the offer asks for a transaction code; it came by another way: --tx-code")
    if not due and tx_code is not None:
        wire.transcript.note("the transaction code is not sent: the offer asks for none")
    uses_dpop = "ES256" in offering.server.dpop_algorithms
    caller = Caller(wire, clock, LocalSigner(ec.generate_private_key(ec.SECP256R1())) if uses_dpop else None)
    *guesses, right = seams.tx_codes(tx_code if due else None)
    for guess in guesses:
        wire.transcript.note("guess", status=_ask(caller, offering, guess).status)
    answer = _ask(caller, offering, right)
    if answer.status != 200:
        raise refusal(answer, "token")
    granted = token.parse_response(json_object(answer, what="token"), dpop=uses_dpop)
    caller.access_token = granted.access_token
    return caller, granted


def _ask(caller: Caller, offering: Offering, tx_code: str | None) -> Fetched:
    form = token.create_request(pre_authorized_code=str(offering.offer.pre_authorized_code), tx_code=tx_code)
    return caller.post(offering.server.token_endpoint, form=form)


def _wants_nonce(answer: Fetched) -> bool:
    """RFC 9449 §8 at the token endpoint, §9 at the others, where the body may say nothing."""
    said = errors.parse(answer.body, status=answer.status).error == "use_dpop_nonce"
    return "dpop-nonce" in answer.headers and (said or 'error="use_dpop_nonce"' in answer.headers.get("www-authenticate", ""))
