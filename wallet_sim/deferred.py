"""Collecting what an issuer needed time for (OpenID4VCI 1.0 §9; VCI-DEF): at the interval it asked for, and not more often."""

from datetime import timedelta

from edge.outbound import Fetched
from vc.errors import Malformed, Refused
from vc.openid4vci import deferred
from vc.openid4vci.credential import Deferred
from vc.openid4vci.metadata import CredentialConfiguration
from vc.openid4vci.notification import Event
from wallet_sim.answers import refusal
from wallet_sim.contents import Holding, Pending
from wallet_sim.envelope import Envelope, envelope
from wallet_sim.issuance import Issuance, read_answer
from wallet_sim.mischief.rows import not_applicable

_FINAL = frozenset({"invalid_transaction_id", "credential_request_denied"})


def collect(issuance: Issuance, pending: Pending, configuration: CredentialConfiguration) -> Holding | Pending:
    """Ask once. Gives what came, stored, or the same pending credential with the time of the next question.

    What will never come is forgotten (VCI-DEF-3, -4). Raises the issuer's refusal, and as `Issuance.accept`.
    """
    answer, cover = _ask(issuance, pending)
    if answer.status not in (200, 202):
        fault = refusal(answer, "deferred credential")
        if fault.code in _FINAL:
            issuance.store.settle(pending.number, None)
        raise fault
    response = read_answer(answer, cover, requested=len(pending.keys))
    if isinstance(response, Deferred):
        if response.transaction_id != pending.transaction_id:  # VCI-DEF-2
            raise Malformed("credential_response", "the answer is about another transaction")
        due = issuance.clock() + timedelta(seconds=response.interval)
        return issuance.store.postpone(pending.number, interval=response.interval, not_before=due)
    bound = issuance.accept(configuration, pending.keys, response)
    holding = issuance.holding(configuration, bound, pending.number)
    issuance.store.settle(pending.number, holding)
    issuance.tell(response, Event.ACCEPTED)
    return holding


def hammer(issuance: Issuance, came: Holding | Pending) -> None:
    """Ask again and again without waiting, as often as the seams say; always raises: the issuer's refusal, or
    `Refused("deferred")` when it stayed calm and gave nothing early."""
    if isinstance(came, Holding):
        raise not_applicable("the issuer did not defer")
    statuses = [_ask(issuance, came)[0].status for _ in range(issuance.seams.polls - 1)]
    issuance.caller.wire.transcript.note("hammering", statuses=statuses)
    answer, _ = _ask(issuance, came)
    if 200 in (*statuses, answer.status):
        raise Refused("deferred_early", "the issuer gave the credential to whoever asks often enough")
    if answer.status != 202:
        raise refusal(answer, "deferred credential")
    raise Refused("deferred", f"the issuer answered {len(statuses) + 1} questions in a row with 202 and gave nothing early")


def _ask(issuance: Issuance, pending: Pending) -> tuple[Fetched, Envelope]:
    endpoint = issuance.issuer.deferred_credential_endpoint
    if endpoint is None:
        raise Malformed("metadata", "the issuer defers but names no place to ask again", pointer="/deferred_credential_endpoint")
    cover = envelope(issuance.issuer)
    request = deferred.create_request(pending.transaction_id, response_encryption=cover.back)
    return issuance.caller.post(endpoint, **cover.seal(request)), cover
