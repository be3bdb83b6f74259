"""Receiving: from the offer to stored credentials (OpenID4VCI 1.0, pre-authorized code), one step after the other.

 1 read the offer, compare it with the issuer's metadata (`issuer`)     4 check what came (`received`)
 2 get a token (`grant`)                                                5 store it, all copies as one credential
 3 for each credential: a fresh c_nonce, new keys, a proof of each      6 tell the issuer
Nothing is stored before 4; without a c_nonce there is no proof (SECURITY W-4).
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from edge.outbound import Fetched
from vc.clock import Clock
from vc.errors import Unreachable, VcError
from vc.keys.signer import LocalSigner
from vc.openid4vci import credential as messages
from vc.openid4vci import nonce as nonces
from vc.openid4vci import notification
from vc.openid4vci.credential import CredentialResponse, Deferred
from vc.openid4vci.metadata import CredentialConfiguration
from vc.openid4vci.notification import Event
from wallet_sim import received
from wallet_sim.grant import Caller, redeem
from wallet_sim.holdings import Copy, Holding, Store
from wallet_sim.issuer import Offering, read_offer, refusal
from wallet_sim.mischief import IssuanceMischief
from wallet_sim.received import IssuerJudge, Offered
from wallet_sim.seams import HONEST_RECEIVING, ProofPart, ReceivingSeams
from wallet_sim.transcript import Wire, json_object

DEFAULT_COPIES = 3
"""Copies asked for when the issuer issues batches and nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issuance:
    """One offering being redeemed."""

    offering: Offering
    caller: Caller
    identifiers: tuple[str, ...]
    configuration: CredentialConfiguration
    seams: ReceivingSeams


class Receiver:
    """A wallet ready to receive. `judge` decides which issuers are believed."""

    def __init__(self, store: Store, wire: Wire, *, judge: IssuerJudge, clock: Clock) -> None:
        self._store, self._wire, self._judge, self._clock = store, wire, judge, clock

    def receive(
        self, text: str, *, tx_code: str | None = None, copies: int | None = None, misbehave: IssuanceMischief | None = None
    ) -> tuple[Holding, ...]:
        """Everything offered behind the link `text`, checked and stored.

        `copies`: how many of each are wanted; the issuer's batch size is the limit. Raises `Refused` with the issuer's own code,
        `Malformed`, `VerificationFailed` for what may not be stored, `Unreachable` when it cannot be told.
        """
        seams = HONEST_RECEIVING if misbehave is None else misbehave.seams
        if misbehave is not None:
            self._wire.transcript.note("misbehaviour", name=misbehave.name, rule=misbehave.rule)
        offering = read_offer(self._wire, text)  # 1
        caller, granted = redeem(self._wire, offering, tx_code=tx_code, clock=self._clock, seams=seams)  # 2
        return tuple(
            self._one(
                _Issuance(
                    offering=offering,
                    caller=caller,
                    identifiers=granted.credential_identifiers.get(configuration.id, ()),
                    configuration=configuration,
                    seams=seams,
                ),
                copies,
            )
            for configuration in offering.configurations
        )

    def _one(self, issuance: _Issuance, copies: int | None) -> Holding:
        count = max(1, min(issuance.offering.issuer.batch_size, DEFAULT_COPIES if copies is None else copies))
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(count)]
        response = self._request(issuance, keys)  # 3
        configuration = issuance.configuration
        offered = Offered(
            format=configuration.format,
            type_id=str(configuration.type_id),
            mandatory=tuple(claim.path for claim in configuration.claims if claim.mandatory),
        )
        try:
            bound, said = received.check(
                response.credentials, offered=offered, keys=keys, judge=self._judge, now=self._clock()
            )  # 4
        except VcError as fault:
            self._wire.transcript.note("not stored", configuration=configuration.id, code=fault.code)
            self._notify(issuance, response, Event.FAILURE)
            raise
        self._wire.transcript.note("checked", configuration=configuration.id, copies=len(bound), issuer=said)
        holding = self._store.add(  # 5
            lambda number: Holding(
                number=number,
                format=configuration.format,
                type_id=str(configuration.type_id),
                configuration_id=configuration.id,
                issuer=issuance.offering.offer.credential_issuer,
                received=self._clock(),
                copies=tuple(Copy(credential=text, key=key) for text, key in bound),
            )
        )
        self._notify(issuance, response, Event.ACCEPTED)  # 6
        return holding

    def _request(self, issuance: _Issuance, keys: list[ec.EllipticCurvePrivateKey]) -> CredentialResponse:
        answer = self._ask(issuance, keys)
        if answer.status == 400 and refusal(answer, "credential").code == "invalid_nonce" and issuance.seams is HONEST_RECEIVING:
            answer = self._ask(issuance, keys)  # VCI-NONCE-4: somebody was slow, a fresh one helps
        if issuance.seams.repeat_dpop:
            answer = issuance.caller.again(issuance.offering.issuer.credential_endpoint, body=self._body(issuance, keys))
        if answer.status not in (200, 202):
            raise refusal(answer, "credential")
        response = messages.parse_response(json_object(answer, what="credential"), requested=len(keys))
        if isinstance(response, Deferred) or answer.status != 200:
            raise Unreachable("deferred", "the issuer needs more time; deferred credentials are not fetched by this wallet")
        return response

    def _ask(self, issuance: _Issuance, keys: list[ec.EllipticCurvePrivateKey]) -> Fetched:
        return issuance.caller.post(issuance.offering.issuer.credential_endpoint, body=self._body(issuance, keys))

    def _body(self, issuance: _Issuance, keys: list[ec.EllipticCurvePrivateKey]) -> dict[str, object]:
        c_nonce = issuance.seams.nonce(self._nonce(issuance))
        proofs = [
            issuance.seams.proof(
                ProofPart(
                    holder=LocalSigner(key),
                    audience=issuance.offering.offer.credential_issuer,
                    nonce=c_nonce,
                    now=self._clock(),
                )
            )
            for key in keys
        ]
        if issuance.identifiers:  # VCI-CRED-1
            return messages.create_request(identifier=issuance.identifiers[0], proofs=proofs)
        return messages.create_request(configuration_id=issuance.configuration.id, proofs=proofs)

    def _nonce(self, issuance: _Issuance) -> str:
        """A fresh c_nonce (VCI-NONCE-1). Whatever goes wrong here ends the issuance."""
        endpoint = issuance.offering.issuer.nonce_endpoint
        assert endpoint is not None  # `IssuerMetadata.configuration` refuses a bound credential without one
        answer = self._wire.post(endpoint)
        issuance.caller.learn(answer)
        if not 200 <= answer.status < 300:
            raise refusal(answer, "nonce")
        return nonces.parse_response(json_object(answer, what="nonce"))

    def _notify(self, issuance: _Issuance, response: CredentialResponse, event: Event) -> None:
        """Tell the issuer (VCI-NOT-1); that it does not listen changes nothing for the holder."""
        endpoint = issuance.offering.issuer.notification_endpoint
        if endpoint is None or response.notification_id is None:
            return
        try:
            answer = issuance.caller.post(endpoint, body=notification.create(response.notification_id, event))
        except VcError as fault:
            self._wire.transcript.note("notification not delivered", code=fault.code)
            return
        if not 200 <= answer.status < 300:
            self._wire.transcript.note("notification refused", status=answer.status)
