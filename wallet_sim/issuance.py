"""One issuer being asked for credentials, with an access token in hand (OpenID4VCI 1.0 §8, §9, §11).

 1 new keys, a fresh c_nonce, proofs      3 check what came (`received`)            5 tell the issuer
 2 the request, in its envelope           4 store it, or what is to be collected
Nothing is stored before 3; without a c_nonce there is no proof (SECURITY W-4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from edge.outbound import Fetched
from vc.clock import Clock
from vc.errors import Malformed, VcError
from vc.openid4vci import credential as messages
from vc.openid4vci import nonce as nonces
from vc.openid4vci import notification
from vc.openid4vci.credential import CredentialResponse, Deferred
from vc.openid4vci.metadata import CredentialConfiguration, IssuerMetadata
from vc.openid4vci.notification import Event
from wallet_sim import proofs, received
from wallet_sim.answers import refusal
from wallet_sim.caller import Caller
from wallet_sim.contents import Copy, Grant, Holding, Pending
from wallet_sim.envelope import Envelope, envelope
from wallet_sim.holdings import Store
from wallet_sim.issuance_seams import HONEST_RECEIVING, ReceivingSeams
from wallet_sim.provider import WalletProvider
from wallet_sim.received import IssuerJudge, Offered
from wallet_sim.transcript import json_object

DEFAULT_COPIES = 3
"""Copies asked for when the issuer issues batches and nobody says how many."""
Bound = Sequence[tuple[str, ec.EllipticCurvePrivateKey]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person wants. `copies` None: what is usual. `grant`, `proof_type` None: whatever the issuer takes.

    `details`: ask by `authorization_details` instead of scopes.
    """

    copies: int | None = None
    grant: str | None = None
    proof_type: str | None = None
    details: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """Everything one request needs; `grant` is the one `caller` has the token of."""

    store: Store
    caller: Caller
    clock: Clock
    judge: IssuerJudge
    issuer: IssuerMetadata
    grant: Grant
    provider: WalletProvider | None
    wishes: Wishes
    seams: ReceivingSeams

    # --- asking

    def obtain(self, configuration: CredentialConfiguration) -> Holding | Pending:
        """Ask for one credential; store it, or what is to be collected.

        Raises `Refused` with the issuer's own code, `Malformed` and `VerificationFailed` for what may not be stored.
        """
        keys, response = self.ask(configuration)
        if isinstance(response, Deferred):
            return self.defer(configuration, keys, response)
        bound = self.accept(configuration, keys, response)
        if self.grant.refresh_token is not None:
            self.store.keep_grant(self.grant)
        holding = self.store.add(lambda number: self.holding(configuration, bound, number))
        self.tell(response, Event.ACCEPTED)
        return holding

    def ask(self, configuration: CredentialConfiguration) -> tuple[list[ec.EllipticCurvePrivateKey], CredentialResponse | Deferred]:
        """The request, twice if the c_nonce was too old (VCI-NONCE-4), and what was answered to its keys."""
        batch_size = self.issuer.batch_size
        count = self.seams.copies(copies(configuration, batch_size, self.wishes.copies), batch_size)
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(count)]
        answer, cover = self._send(configuration, keys)
        if self.seams is HONEST_RECEIVING and answer.status == 400 and refusal(answer, "credential").code == "invalid_nonce":
            answer, cover = self._send(configuration, keys)
        if answer.status not in (200, 202):
            raise refusal(answer, "credential")
        return keys, read_answer(answer, cover, requested=len(keys))

    def _send(self, configuration: CredentialConfiguration, keys: Sequence[ec.EllipticCurvePrivateKey]) -> tuple[Fetched, Envelope]:
        cover = envelope(self.issuer, encrypted=self.seams.encrypted)
        sealed = cover.seal(self.seams.request(self._request(configuration, keys, cover)))
        answer = self.caller.post(self.issuer.credential_endpoint, **sealed)
        if self.seams.repeat_dpop:
            answer = self.caller.again(self.issuer.credential_endpoint, **sealed)
        return answer, cover

    def _request(
        self, configuration: CredentialConfiguration, keys: Sequence[ec.EllipticCurvePrivateKey], cover: Envelope
    ) -> dict[str, Any]:
        chosen = proofs.plan(configuration, self.provider, wish=self.wishes.proof_type)
        made = proofs.make(
            chosen,
            keys,
            provider=self.provider,
            audience=self.issuer.credential_issuer,
            nonce=self.seams.nonce(self._nonce()),
            client_id=self.caller.client_id,
            now=self.clock(),
            seams=self.seams,
        )
        identifiers = self.grant.identifiers.get(configuration.id, ())
        return messages.create_request(
            identifier=identifiers[0] if identifiers else None,  # VCI-CRED-1
            configuration_id=None if identifiers else configuration.id,
            proofs=made,
            proof_type=chosen.kind,
            response_encryption=cover.back,
        )

    def _nonce(self) -> str:
        """A fresh c_nonce (VCI-NONCE-1). Whatever goes wrong here ends the issuance."""
        endpoint = self.issuer.nonce_endpoint
        assert endpoint is not None  # `IssuerMetadata.configuration` refuses a bound credential without one
        answer = self.caller.wire.post(endpoint)
        self.caller.learn(answer)
        if not 200 <= answer.status < 300:
            raise refusal(answer, "nonce")
        return nonces.parse_response(json_object(answer, what="nonce"))

    def defer(
        self, configuration: CredentialConfiguration, keys: Sequence[ec.EllipticCurvePrivateKey], response: Deferred
    ) -> Pending:
        """Keep all that is needed to ask again, also after a restart (VCI-DEF-1)."""
        self.store.keep_grant(self.grant)
        pending = self.store.defer(
            lambda number: Pending(
                number=number,
                grant=self.grant.id,
                configuration_id=configuration.id,
                format=configuration.format,
                type_id=str(configuration.type_id),
                issuer=self.issuer.credential_issuer,
                transaction_id=response.transaction_id,
                interval=response.interval,
                not_before=self.clock() + timedelta(seconds=response.interval),
                keys=tuple(keys),
            )
        )
        self.caller.wire.transcript.note("deferred", number=pending.number, interval=pending.interval)
        return pending

    # --- what came

    def accept(
        self, configuration: CredentialConfiguration, keys: Sequence[ec.EllipticCurvePrivateKey], response: CredentialResponse
    ) -> Bound:
        """What came, checked, each copy with its key. Raises as `received.check`, after telling the issuer."""
        transcript = self.caller.wire.transcript
        offered = Offered(
            format=configuration.format,
            type_id=str(configuration.type_id),
            mandatory=tuple(claim.path for claim in configuration.claims if claim.mandatory),
        )
        try:
            bound, said = received.check(response.credentials, offered=offered, keys=keys, judge=self.judge, now=self.clock())
        except VcError as fault:
            transcript.note("not stored", configuration=configuration.id, code=fault.code)
            self.tell(response, Event.FAILURE)
            raise
        transcript.note("checked", configuration=configuration.id, copies=len(bound), issuer=said)
        return bound

    def holding(self, configuration: CredentialConfiguration, bound: Bound, number: int) -> Holding:
        """The credential for the store; it names its grant when that can be used again."""
        return Holding(
            number=number,
            format=configuration.format,
            type_id=str(configuration.type_id),
            configuration_id=configuration.id,
            issuer=self.issuer.credential_issuer,
            received=self.clock(),
            grant=None if self.grant.refresh_token is None else self.grant.id,
            copies=tuple(Copy(credential=text, key=key) for text, key in bound),
        )

    def tell(self, response: CredentialResponse, event: Event) -> None:
        """Tell the issuer (VCI-NOT-1); that it does not listen changes nothing for the holder."""
        endpoint, transcript = self.issuer.notification_endpoint, self.caller.wire.transcript
        if endpoint is None or response.notification_id is None:
            return
        try:
            answer = self.caller.post(endpoint, body=notification.create(response.notification_id, event))
        except VcError as fault:
            transcript.note("notification not delivered", code=fault.code)
            return
        if not 200 <= answer.status < 300:
            transcript.note("notification refused", status=answer.status)


def copies(configuration: CredentialConfiguration, batch_size: int, wished: int | None) -> int:
    """How many copies to ask for: what is wished, else what the issuer's reuse policy prefers, else a few; never more than a
    batch or the policy allows (EAA-I-4)."""
    policy = configuration.reuse_policy
    preferred = None if policy is None else policy.options[0].batch_size
    wanted = wished if wished is not None else preferred or DEFAULT_COPIES
    return max(1, min(wanted, batch_size if preferred is None else min(batch_size, preferred)))


def read_answer(answer: Fetched, cover: Envelope, *, requested: int) -> CredentialResponse | Deferred:
    """A good answer of the credential or the deferred endpoint. Raises `Malformed("credential_response")` when status and content
    do not say the same (VCI-RESP-1)."""
    response = messages.parse_response(cover.open(answer, what="credential"), requested=requested)
    if (answer.status == 202) != isinstance(response, Deferred):
        raise Malformed("credential_response", "the status is not that of the content")
    return response
