"""One sign-in from the client's request to the code: two questions to a wallet, one browser, one answer.

The link on the page and the QR code are questions of their own, for they prove different things:

| question | answered by              | believed when                                                                        |
|----------|--------------------------|--------------------------------------------------------------------------------------|
| link     | a wallet on this device  | the browser that began comes back with the response code only that wallet was given  |
| QR code  | a wallet on another one  | the page of the browser that began asks for it                                       |

Sending somebody else one's own link therefore gains nothing: the answer opens in a browser that did not begin (OpenID4VP 1.0 §13.3,
HAIP 1.0 §5.1). With a code that was sent on, the person has to be warned; the page does.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog

from vc.clock import Clock
from vc.openid4vci.authorization_response import response_url
from verifier.answering import CODE_BYTES
from verifier.asking import Asking, Question, RandomBytes
from verifier.digest import digest_of
from verifier.openid_provider import claims, paths
from verifier.openid_provider.registry import Client, Provider
from verifier.openid_provider.request import AuthenticationRequest, RequestRefused
from verifier.store.authorizations import Authorization, Authorizations
from verifier.store.transactions import State, Transaction, Transactions
from verifier.verdict import Outcome

CODE_LIFETIME = timedelta(seconds=60)
_ACCEPTED = (str(Outcome.ACCEPT), str(Outcome.ACCEPT_WITH_WARNING))
_log = structlog.get_logger("verifier")


class Stage(StrEnum):
    """Where a sign-in stands, as its page shows it."""

    WAITING = "waiting"  # for a wallet
    ELSEWHERE = "elsewhere"  # the wallet on this device answered and opens a page of its own
    REFUSED = "refused"  # somebody answered, and it is not enough
    OVER = "over"  # nobody answered in time
    FINISHED = "finished"  # the code was given out before
    SIGNED_IN = "signed in"  # now: `location` leads back to the client


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to show next. `location`: where the browser goes, once signed in, or to tell the client that nothing comes of it.

    `link` and `code_link`: for this device and for the QR code, while waiting. `verdict` or `error`: what was refused and why.
    """

    stage: Stage
    authorization: Authorization
    client: Client
    location: str
    link: str = ""
    code_link: str = ""
    verdict: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


class SignIn:
    """Begins sign-ins and carries each to its end. Only the browser that began one gets anywhere with it."""

    def __init__(
        self,
        issuer: str,
        provider: Provider,
        authorizations: Authorizations,
        transactions: Transactions,
        asking: Asking,
        *,
        clock: Clock,
        random_bytes: RandomBytes,
    ) -> None:
        self._issuer, self._provider, self._asking = issuer, provider, asking
        self._authorizations, self._transactions = authorizations, transactions
        self._clock, self._random_bytes = clock, random_bytes

    def begin(self, request: AuthenticationRequest, session: str) -> Authorization:
        """Open a sign-in for the browser with that session.

        Raises `RequestRefused("temporarily_unavailable")` when the client has too many open.
        """
        now = self._clock()
        self._authorizations.purge(now)
        if self._authorizations.count(request.client.client_id, now) >= self._provider.max_open:
            raise RequestRefused(request.redirect_uri, request.state, "temporarily_unavailable", "too many sign-ins are open")
        digest = digest_of(session)
        question = Question(purpose=claims.purpose(request.client.claims), country=None, on=self._asking.today(None))
        same = self._asking.ask(question, session_sha256=digest, return_uri=self._issuer + paths.RETURN)
        cross = self._asking.ask(question, session_sha256=digest)
        made = Authorization(
            authorization_id=self._token(),
            client_id=request.client.client_id,
            redirect_uri=request.redirect_uri,
            state=request.state,
            nonce=request.nonce,
            code_challenge=request.code_challenge,
            session_sha256=digest,
            same_device_id=same.transaction_id,
            cross_device_id=cross.transaction_id,
            created_at=now,
            expires_at=min(same.expires_at, cross.expires_at),
        )
        self._authorizations.add(made)
        _log.info("sign-in begun", client=made.client_id)
        return made

    def look(self, authorization_id: str, session: str | None) -> Step | None:
        """Where the sign-in stands; a good answer to the QR code ends it here. None for an unknown one or another browser's."""
        found = self._authorizations.get(authorization_id)
        if found is None or found.client_id not in self._provider.clients or not _owns(found, session):
            return None
        now = self._clock()
        if found.code_sha256 is not None:
            return self._step(Stage.FINISHED, found)
        if now >= found.expires_at:
            return self._step(Stage.OVER, found)
        same = self._transactions.by_transaction(found.same_device_id)
        cross = self._transactions.by_transaction(found.cross_device_id)
        if same is None or cross is None:  # another request of the same browser was quicker, or they were just erased
            return self._step(Stage.FINISHED, found)
        if _accepted(cross):
            return self._grant(found, cross, now)
        for one in (cross, same):
            if one.state in (State.ANSWERED, State.FAILED) and not _accepted(one):
                return self._refused(found, one)
        if _accepted(same):
            return self._step(Stage.ELSEWHERE, found)
        return self._step(Stage.WAITING, found, link=self._asking.link(same), code_link=self._asking.link(cross))

    def returned(self, response_code: str, session: str | None) -> Step | None:
        """The wallet on this device sent the browser back: the end, if it is the browser that began.

        None for a code nobody was given, or one already used. Raises `OtherBrowser` when the browser is not the one.
        """
        now = self._clock()
        self._authorizations.purge(now)
        answered = self._transactions.by_response_code(digest_of(response_code))
        found = None if answered is None else self._authorizations.of_same_device(answered.transaction_id)
        if answered is None or found is None or found.client_id not in self._provider.clients:
            return None
        if not _owns(found, session):
            raise OtherBrowser
        return self._grant(found, answered, now) if _accepted(answered) else self._refused(found, answered)

    def _grant(self, found: Authorization, answered: Transaction, now: datetime) -> Step:
        """The code, for the claims this client is registered for and no others; only one of several callers gets it."""
        code, client = self._token(), self._provider.clients[found.client_id]
        granted = self._authorizations.grant(
            found.authorization_id,
            code_sha256=digest_of(code),
            claims=claims.values((answered.result or {})["document"], client.claims),
            now=now,
            expires_at=now + CODE_LIFETIME,
        )
        if not granted:
            return self._step(Stage.FINISHED, found)
        _log.info("signed in", client=client.client_id)
        location = response_url(found.redirect_uri, iss=self._issuer, code=code, state=found.state)
        return self._step(Stage.SIGNED_IN, found, location=location)

    def _refused(self, found: Authorization, answered: Transaction) -> Step:
        members = {"verdict": answered.result} if answered.state is State.ANSWERED else {"error": answered.result}
        return self._step(Stage.REFUSED, found, **members)

    def _step(self, stage: Stage, found: Authorization, **members: Any) -> Step:
        location = response_url(
            found.redirect_uri, iss=self._issuer, error="access_denied", description=_DENIED[stage], state=found.state
        )
        client = self._provider.clients[found.client_id]
        return Step(**{"stage": stage, "authorization": found, "client": client, "location": location, **members})

    def _token(self) -> str:
        return self._random_bytes(CODE_BYTES).hex()


class OtherBrowser(Exception):
    """The browser is not the one that began the sign-in; nothing was changed."""


_DENIED = {
    Stage.WAITING: "the person did not want to sign in",
    Stage.ELSEWHERE: "the person did not want to sign in",
    Stage.REFUSED: "the proof of identity was not accepted",
    Stage.OVER: "the time for the sign-in is over",
    Stage.FINISHED: "the sign-in was finished before",
    Stage.SIGNED_IN: "",
}


def _owns(found: Authorization, session: str | None) -> bool:
    return session is not None and hmac.compare_digest(found.session_sha256, digest_of(session))


def _accepted(transaction: Transaction) -> bool:
    result = transaction.result if transaction.state is State.ANSWERED else None
    return result is not None and result.get("outcome") in _ACCEPTED and result.get("document") is not None
