"""From the wallet's message to a stored verdict: addressed? open it; claim the transaction, once; judge; answer the wallet.

| what arrives                                             | wallet gets            | transaction                     |
|----------------------------------------------------------|------------------------|---------------------------------|
| unknown request, or one that is over                     | 404, 400               | unchanged                       |
| not addressed: no or wrong state, does not decrypt, junk | 400 with what to do    | unchanged, refusal remembered   |
| an error of the wallet, with the right state             | 200                    | failed                          |
| right state, but unencrypted, malformed or not the query | 400 with what to do    | answered: reject, with the code |
| right state, a holder or structure rule broken           | 400 with what to do    | answered: reject, with the code |
| right state, anything about issuer, trust, status, rules | 200                    | answered: the verdict           |

The last row tells the wallet nothing: the verdict is the inspector's (VP-RSP-5). Where a browser on the same device waits, an
answer with 200 names the page to open there, with a fresh response code; without it the browser learns nothing (§13.3).
"""

import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from vc.clock import Clock, to_numeric_date
from vc.encoding import json
from vc.errors import VcError
from vc.openid4vp import challenge, dcql, response
from vc.openid4vp.errors import WALLET_ERRORS
from vc.openid4vp.response import DecryptionKey, PlainResponse, VpToken, WalletError
from verifier import checks
from verifier.asking import GONE, Question, RandomBytes, kid_of, private_key
from verifier.digest import digest_of
from verifier.problems import Problem
from verifier.report import describe
from verifier.settings import Settings
from verifier.sources import Control, Shown, StatusSource, TrustSource
from verifier.store.transactions import State, Transaction, Transactions
from verifier.verdict import Result, Verdict

_OVER = "this request was already answered or its time is over: scan a new code"
_WALLET_CHECKS = ("structure", "issuer_signature", "holder_binding", "query")
"""Checks whose failure is a fault in what the wallet made; it is told which, so that its makers can act (FIELD pain 17)."""
CODE_BYTES = 24
"""192 random bits of a response code; OpenID4VP 1.0 §8.2 wants it fresh and unguessable."""
_log = structlog.get_logger("verifier")


class Answering:
    """Takes answers of wallets and gives results to the verifier's own side."""

    def __init__(
        self,
        settings: Settings,
        transactions: Transactions,
        *,
        trust: TrustSource,
        status: StatusSource,
        clock: Clock,
        random_bytes: RandomBytes,
    ) -> None:
        self._settings, self._transactions = settings, transactions
        self._trust, self._status, self._clock, self._random_bytes = trust, status, clock, random_bytes

    def answer(self, request_id: str, form: Mapping[str, str]) -> bytes:
        """The JSON a wallet gets for its message (VP-RSP-4). Raises `Problem` as the table above says."""
        now = self._clock()
        transaction = self._transactions.by_request(request_id)
        if transaction is None:
            raise Problem(404, "invalid_request", GONE)
        if transaction.state is not State.PENDING or now >= transaction.expires_at:
            raise Problem(400, "invalid_request", _OVER)
        opened = self._open(transaction, form, now)
        if isinstance(opened, WalletError):
            code = opened.error if opened.error in WALLET_ERRORS else "other"
            answer, digest = self._farewell(transaction)
            if not self._transactions.fail(request_id, {"code": code}, now, response_code_sha256=digest):
                raise Problem(400, "invalid_request", _OVER)
            _log.info("wallet declined", request=request_id, code=code)
            return json.dumps(answer)
        verdict = opened if isinstance(opened, Verdict) else self._judge(transaction, opened, now)
        fault = _fault_of_wallet(verdict)
        answer, digest = self._farewell(transaction) if fault is None else ({}, None)
        self._transactions.finish(request_id, verdict.to_json(), response_code_sha256=digest)
        _log.info("answered", request=request_id, outcome=str(verdict.outcome), codes=list(verdict.codes))
        if fault is not None:
            raise Problem(400, "invalid_request", fault)
        return json.dumps(answer)

    def _farewell(self, transaction: Transaction) -> tuple[dict[str, str], str | None]:
        """The wallet's answer and the digest of the code in it, made now and known to the wallet alone (VP-RSP-4, HAIP-VP-4)."""
        if transaction.return_uri is None:
            return {}, None
        code = self._random_bytes(CODE_BYTES).hex()
        return {"redirect_uri": f"{transaction.return_uri}?response_code={code}"}, digest_of(code)

    def result(self, transaction_id: str) -> dict[str, Any] | None:
        """What the API says about a transaction; None for one that is unknown, deleted, or a browser's own (VP-RSP-5)."""
        found = self.look_up(transaction_id, session_sha256=None)
        return None if found is None else found[1]

    def look_up(self, transaction_id: str, *, session_sha256: str | None) -> tuple[Transaction, dict[str, Any]] | None:
        """The transaction and its result.

        One that a browser began is shown to that browser only (V-10, V-11), one made through the API to whoever holds its id.
        """
        now = self._clock()
        kept_since = now - timedelta(seconds=self._settings.result_retention_seconds)
        with suppress(OperationalError):  # a locked database keeps nobody from reading; what is too old is hidden below
            self._transactions.purge(kept_since)
        transaction = self._transactions.by_transaction(transaction_id)
        if transaction is None or transaction.expires_at < kept_since:
            return None
        owner = transaction.session_sha256
        if owner is not None and not hmac.compare_digest(owner, session_sha256 or ""):
            return None
        state = transaction.shown_state(now)
        return transaction, {
            "state": str(state),
            "verdict": transaction.result if state is State.ANSWERED else None,
            "error": transaction.result if state is State.FAILED else None,
            "last_refusal": transaction.last_refusal,
            "expires_at": transaction.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _open(self, transaction: Transaction, form: Mapping[str, str], now: datetime) -> VpToken | WalletError | Verdict:
        """The opened message; with it the right to judge is claimed, unless the wallet reports an error."""
        message = None
        try:
            message = response.parse_form(form)
            opened = response.open_response(message, encryption=_decryption(transaction), state=transaction.request_state)
        except VcError as error:
            if not _addressed(message, transaction, error):
                refusal = {"code": error.code, "description": describe(error), "at": to_numeric_date(now)}
                self._transactions.note_refusal(transaction.request_id, refusal)
                _log.info("turned away", request=transaction.request_id, code=error.code)
                raise Problem(400, "invalid_request", describe(error)) from error
            self._claim(transaction, now)
            because = "response_not_encrypted" if error.code == "encryption_required" else "response_malformed"
            return checks.refused("structure", because, describe(error))
        if isinstance(opened, WalletError):
            return opened
        self._claim(transaction, now)
        try:
            dcql.check_shape(_query(transaction), {name: len(texts) for name, texts in opened.entries.items()})
        except VcError as error:
            return checks.refused("query", "query_not_answered", describe(error))
        return opened

    def _claim(self, transaction: Transaction, now: datetime) -> None:
        if not self._transactions.claim(transaction.request_id, now):
            raise Problem(400, "invalid_request", _OVER)

    def _judge(self, transaction: Transaction, token: VpToken, now: datetime) -> Verdict:
        question = Question.from_json(transaction.question)
        asks = {ask.id: ask for ask in question.purpose.asks(question.formats)}
        presented = [
            Shown(role=asks[name].role, format=asks[name].format, text=texts[0], ask=asks[name])
            for name, texts in token.entries.items()
        ]
        if sorted(shown.role for shown in presented) != sorted(question.purpose.roles):
            return checks.refused("query", "query_not_answered", "one credential was asked for in each role")
        key = _decryption(transaction)
        return checks.run(
            presented,
            control=Control(purpose=question.purpose, country=question.country, on=question.on, now=now),
            challenge=challenge.of_request(transaction.request, encrypted_to=None if key is None else key.key.public_key()),
            query=_query(transaction),
            trust=self._trust,
            status=self._status,
        )


def _query(transaction: Transaction) -> dcql.DcqlQuery:
    return dcql.parse(transaction.request["dcql_query"])


def _decryption(transaction: Transaction) -> DecryptionKey | None:
    if transaction.encryption_key is None:
        return None
    key = private_key(transaction.encryption_key)
    return DecryptionKey(key=key, kid=kid_of(key.public_key()))


def _addressed(message: response.Response | None, transaction: Transaction, error: VcError) -> bool:
    """Whether a bad message still proved, by the request's state, that it is an answer to this request (V-3)."""
    if isinstance(message, PlainResponse):
        return message.state is not None and hmac.compare_digest(message.state.encode(), transaction.request_state.encode())
    return message is not None and error.code == "vp_token"  # found after decryption and after the state was compared


def _fault_of_wallet(verdict: Verdict) -> str | None:
    """What a wallet's makers can act on: the first failed check that is about their message; None when there is none."""
    for check in verdict.checks:
        if check.result is Result.FAILED and check.id.removeprefix("pid.") in _WALLET_CHECKS:
            return f"{check.id}: {check.detail}"
    return None
