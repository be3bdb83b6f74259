"""Receiving: from an offer, or of the wallet's own accord, to stored credentials (OpenID4VCI 1.0), one step after the other.

 1 read the offer, check the issuer (`issuer`, `issuer_trust`)     3 get a token (`authorize`, `token`)
 2 be somebody to its authorization server (`identity`)            4 for each credential: ask, check, store (`issuance`)
Later: collect what was deferred (`deferred`), have a credential issued again with the refresh token (`renew`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import Clock
from vc.errors import Refused
from vc.keys.signer import LocalSigner
from vc.openid4vci.authorization_server import AuthorizationServerMetadata
from vc.openid4vci.credential import Deferred
from vc.openid4vci.metadata import IssuerMetadata
from vc.openid4vci.notification import Event
from wallet_sim import deferred, proofs, token
from wallet_sim.authorize import authorize
from wallet_sim.caller import Caller
from wallet_sim.contents import Copy, Grant, Holding, Pending
from wallet_sim.holdings import Store
from wallet_sim.identity import ANONYMOUS, Identity, client_at
from wallet_sim.issuance import Issuance, Wishes
from wallet_sim.issuance_seams import HONEST_RECEIVING, ReceivingSeams
from wallet_sim.issuer import Offering, PreAuthorized, read_offer, read_request, read_server
from wallet_sim.issuer_trust import IssuerTrust
from wallet_sim.mischief import IssuanceMischief
from wallet_sim.mischief.needs import Circumstances, check_applicable
from wallet_sim.received import IssuerJudge
from wallet_sim.transcript import Wire
from wallet_sim.user_agent import UserAgent

USUAL = Wishes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came: stored, or to be collected later."""

    holdings: tuple[Holding, ...]
    pending: tuple[Pending, ...] = ()


class Receiver:
    """A wallet ready to receive. `judge`: decides which credentials are believed; `trust`: which issuers are asked at all.

    `identity`: who it is to authorization servers. `agent`: where the person signs in; None when nobody can.
    """

    def __init__(
        self,
        store: Store,
        wire: Wire,
        *,
        judge: IssuerJudge,
        clock: Clock,
        identity: Identity = ANONYMOUS,
        agent: UserAgent | None = None,
        trust: IssuerTrust | None = None,
    ) -> None:
        self._store, self._wire, self._judge, self._clock = store, wire, judge, clock
        self._identity, self._agent = identity, agent
        self._trust = trust or IssuerTrust(clock=clock)

    def receive(
        self, text: str, *, tx_code: str | None = None, wishes: Wishes = USUAL, misbehave: IssuanceMischief | None = None
    ) -> Receipt:
        """Everything offered behind the link `text`, checked and stored.

        Raises `Refused` with the issuer's own code, `Malformed`, `VerificationFailed` for what may not be asked for or stored,
        `Unreachable` when it cannot be told, `Refused("mischief_not_applicable")`.
        """
        seams = self._seams(misbehave)
        offering = read_offer(self._wire, text, trust=self._trust, wish=wishes.grant)
        return self._receive(offering, tx_code, wishes, misbehave, seams)

    def request(
        self,
        credential_issuer: str,
        configuration_ids: Sequence[str] = (),
        *,
        wishes: Wishes = USUAL,
        misbehave: IssuanceMischief | None = None,
    ) -> Receipt:
        """Credentials nobody offered: the person asks the issuer for them, all it has when none is named. Raises as `receive`."""
        seams = self._seams(misbehave)
        offering = read_request(self._wire, credential_issuer, configuration_ids, trust=self._trust)
        return self._receive(offering, None, wishes, misbehave, seams)

    def collect(self, number: int) -> Holding | Pending:
        """Ask for a deferred credential, once. Nothing is asked before the issuer wants to be asked.

        Raises as `deferred.collect`, and what the authorization server says when a new access token is due.
        """
        pending = self._store.pending(number)
        if self._clock() < pending.not_before:
            return pending
        issuance, server = self._again(pending.grant, pending.configuration_id, HONEST_RECEIVING, USUAL)
        configuration = issuance.issuer.configuration(pending.configuration_id)
        if _is_over(issuance.grant, self._clock):
            issuance = self._refreshed(issuance, server)
        try:
            return deferred.collect(issuance, pending, configuration)
        except Refused as refusal:
            if refusal.code != "invalid_token" or issuance.grant.refresh_token is None:
                raise
        return deferred.collect(self._refreshed(issuance, server), pending, configuration)

    def renew(self, number: int, *, wishes: Wishes = USUAL, misbehave: IssuanceMischief | None = None) -> Holding | Pending:
        """Have a credential issued again, by its refresh token and to this wallet only (EAA-I-10); the new copies replace the old.

        Raises `Refused("refresh_missing")` when the issuer gave nothing to do it with, else as `receive`.
        """
        seams = self._seams(misbehave)
        held = self._store.holding(number)
        if held.grant is None:
            raise Refused("refresh_missing", "the issuer gave no refresh token with this credential; ask for a new offer")
        issuance, server = self._again(held.grant, held.configuration_id, seams, wishes)
        configuration = issuance.issuer.configuration(held.configuration_id)
        check_applicable(misbehave, Circumstances(client=issuance.caller.client, server=server, renewing=True))
        issuance = self._refreshed(issuance, server)
        keys, response = issuance.ask(configuration)
        if not isinstance(response, Deferred):
            bound = issuance.accept(configuration, keys, response)
            copies = [Copy(credential=text, key=key) for text, key in bound]
            renewed = self._store.renew(number, copies=copies, received=self._clock(), grant=issuance.grant.id)
            issuance.tell(response, Event.ACCEPTED)
            return renewed
        return issuance.defer(configuration, keys, response)

    # --- the steps

    def _seams(self, misbehave: IssuanceMischief | None) -> ReceivingSeams:
        if misbehave is None:
            return HONEST_RECEIVING
        self._wire.transcript.note("misbehaviour", name=misbehave.name, rule=misbehave.rule)
        return misbehave.seams

    def _receive(
        self,
        offering: Offering,
        tx_code: str | None,
        wishes: Wishes,
        misbehave: IssuanceMischief | None,
        seams: ReceivingSeams,
    ) -> Receipt:
        plans = [proofs.plan(one, self._identity.provider, wish=wishes.proof_type) for one in offering.configurations]
        key = LocalSigner(ec.generate_private_key(ec.SECP256R1())) if "ES256" in offering.server.dpop_algorithms else None
        caller = self._caller(offering.server, key, seams)
        check_applicable(
            misbehave,
            Circumstances(client=caller.client, server=offering.server, issuer=offering.issuer, grant=offering.grant, plans=plans),
        )
        grant = self._grant(caller, offering, tx_code, wishes, seams)
        if caller.key is not None:
            caller.key = seams.resource_key(caller.key)
        issuance = self._issuance(offering.issuer, caller, grant, seams, wishes)
        came = []
        for configuration in offering.configurations:
            one = issuance.obtain(configuration)
            if seams.polls > 1:
                deferred.hammer(issuance, one)
            came.append(one)
        return Receipt(
            holdings=tuple(one for one in came if isinstance(one, Holding)),
            pending=tuple(one for one in came if isinstance(one, Pending)),
        )

    def _grant(self, caller: Caller, offering: Offering, tx_code: str | None, wishes: Wishes, seams: ReceivingSeams) -> Grant:
        if isinstance(offering.grant, PreAuthorized):
            if caller.client is None and not offering.server.anonymous:  # VCI-TOK-6
                raise Refused(
                    "client_needed", "the authorization server takes no anonymous client, and this wallet has no name there"
                )
            return token.redeem_offer(caller, offering, offering.grant, tx_code=tx_code, seams=seams)
        if self._agent is None:
            raise Refused("browser_needed", "the person has to sign in, and there is no browser")
        code = authorize(caller, offering, self._agent, details=wishes.details, seams=seams)
        return token.redeem_code(caller, offering, code, seams=seams)

    def _again(
        self, grant_id: str, configuration_id: str, seams: ReceivingSeams, wishes: Wishes
    ) -> tuple[Issuance, AuthorizationServerMetadata]:
        """An issuance that goes on with a grant of before; issuer and server are read and checked anew."""
        grant = self._store.grant(grant_id)
        known = self._trust.read(self._wire, grant.credential_issuer)
        issuer = known.metadata
        self._trust.check_registered(self._wire, known, [issuer.configuration(configuration_id)])
        server = read_server(self._wire, grant.server)
        caller = self._caller(server, None if grant.dpop_key is None else LocalSigner(grant.dpop_key), seams)
        caller.access_token = grant.access_token
        return self._issuance(issuer, caller, grant, seams, wishes), server

    def _refreshed(self, issuance: Issuance, server: AuthorizationServerMetadata) -> Issuance:
        caller, seams = issuance.caller, issuance.seams
        if caller.key is not None:
            caller.key = seams.refresh_key(caller.key)
        grant = token.refresh(caller, server.token_endpoint, issuance.grant)
        self._store.keep_grant(grant)
        return self._issuance(issuance.issuer, caller, grant, seams, issuance.wishes)

    def _caller(self, server: AuthorizationServerMetadata, key: LocalSigner | None, seams: ReceivingSeams) -> Caller:
        client = client_at(server, self._identity, store=self._store, wire=self._wire, clock=self._clock, seams=seams)
        return Caller(self._wire, self._clock, key, client)

    def _issuance(self, issuer: IssuerMetadata, caller: Caller, grant: Grant, seams: ReceivingSeams, wishes: Wishes) -> Issuance:
        return Issuance(
            store=self._store,
            caller=caller,
            clock=self._clock,
            judge=self._judge,
            issuer=issuer,
            grant=grant,
            provider=self._identity.provider,
            wishes=wishes,
            seams=seams,
        )


def _is_over(grant: Grant, clock: Clock) -> bool:
    return grant.refresh_token is not None and grant.expires is not None and grant.expires <= clock()
