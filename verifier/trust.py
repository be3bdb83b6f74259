"""The bridge to the trust lists: a PID against the list of PID providers, documents against that of public EAA providers, and a
status list against the Revocation service of the very entity that issued the document."""

from collections.abc import Callable
from datetime import datetime

from trust_list.decide import Outcome, TrustQuery
from trust_list.snapshot import TrustSnapshot
from trust_list.source import Judgement, ListsFirst, ListSource, OptionalSource, TrustSource
from trust_list.status_lists import StatusSigner
from vc.clock import Clock
from vc.documents.document import Document
from vc.documents.outcome import Result
from vc.formats import Credential
from verifier.sources import TrustAnswer

_AXES = {
    "path": "certificate_path",
    "listed": "trust_listed",
    "identity": "trust_identity",
    "scope": "trust_scope",
    "content": "trust_content",
}
_FAILED = {
    "path": "certificate_invalid",
    "listed": "issuer_not_listed",
    "identity": "issuer_identity_mismatch",
    "scope": "issuer_out_of_scope",
    "content": "issuer_content_mismatch",
}
# Where the code of the trust list says more than that an axis failed.
_BY_CODE = {
    "cert_expired": "certificate_expired",
    "cert_not_yet_valid": "certificate_expired",
    "listed_certificate_expired": "certificate_expired",
    "withdrawn": "issuer_withdrawn",
    "not_yet_notified": "issuer_not_yet_listed",
    "not_notified_at_issue": "issuer_not_yet_listed",
    "list_expired": "trust_list_expired",
    "list_never_accepted": "trust_list_unavailable",
    "list_unknown": "trust_not_configured",
    "root_expired": "trust_root_expired",
    "clock_set_back": "clock_wrong",
    "content_not_stated": "issuer_content_not_stated",
}
_LISTS = {"pid": "pid"}  # document type → list; every document of social security stands on the other one
_DOCUMENT_LIST = "pub-eaa"


class ListTrust:
    """Answers from the snapshot of accepted lists. `clock`: our own, for freshness; the time judged is handed in.

    `other`: asked beside the lists about signers they know nothing about.
    """

    def __init__(self, snapshot: Callable[[], TrustSnapshot], *, clock: Clock, other: OptionalSource | None = None) -> None:
        lists = ListSource(snapshot)
        self._source: TrustSource = lists if other is None else ListsFirst(lists, other)
        self._clock = clock

    def issuer(self, credential: Credential, document: Document, *, now: datetime) -> TrustAnswer:
        """See `TrustSource.issuer`."""
        return self._ask(
            TrustQuery(
                list_id=_LISTS.get(document.type, _DOCUMENT_LIST),
                role="issuance",
                format=credential.format,
                type_id=credential.type_id,
                attestation_type=document.type,
                chain=credential.chain,
                issuing_country=document.issuing_country,
                institution_ids=document.institution_ids,
                t_issue=credential.issued_at,
                t_now=now,
                t_clock=self._clock(),
                issuer=credential.issuer,
            )
        )

    def status_signer(self, signer: StatusSigner, document_type: str, *, entity_id: str | None, now: datetime) -> TrustAnswer:
        """See `SignerJudge.status_signer`."""
        return self._ask(
            TrustQuery(
                list_id=_LISTS.get(document_type, _DOCUMENT_LIST),
                role="revocation",
                chain=signer.chain,
                entity_id=entity_id,
                t_issue=signer.signed_at,
                t_now=now,
                t_clock=self._clock(),
            )
        )

    def _ask(self, query: TrustQuery) -> TrustAnswer:
        return _answer(self._source.judge(query))


class NoTrust:
    """Where no trust root was given: nothing is trusted, and it is said why."""

    def issuer(self, credential: Credential, document: Document, *, now: datetime) -> TrustAnswer:
        """See `TrustSource.issuer`: every question open."""
        return _NOT_CONFIGURED

    def status_signer(self, signer: StatusSigner, document_type: str, *, entity_id: str | None, now: datetime) -> TrustAnswer:
        """See `SignerJudge.status_signer`."""
        return _NOT_CONFIGURED


_NOT_CONFIGURED = TrustAnswer(
    trusted=False,
    checks={
        check_id: (Result.NOT_CHECKED, "trust_not_configured" if check_id == "trust_listed" else None, "no trust list was given")
        for check_id in _AXES.values()
        if check_id != "certificate_path"
    },
)


def _answer(judged: Judgement) -> TrustAnswer:
    return TrustAnswer(
        trusted=judged.outcome is Outcome.TRUSTED,
        checks={check_id: _check(name, judged) for name, check_id in _AXES.items()},
        entity_id=judged.entity_id,
        facts=judged.facts,
    )


def _check(name: str, judged: Judgement) -> tuple[Result, str | None, str]:
    """Result, reason code and detail of one axis; what stops every axis gives its reason once, where the list is asked."""
    axis = judged.axes[name]
    result, detail = Result(str(axis.result)), f"{axis.detail} [{axis.code}]"
    because = None
    if result is Result.FAILED:
        because = _BY_CODE.get(axis.code, _FAILED[name])
    elif result is Result.NOT_CHECKED and judged.outcome is Outcome.INDETERMINATE:
        stopped = name == "listed" or axis.code == "content_not_stated"
        because = _BY_CODE.get(axis.code, "trust_list_unavailable") if stopped else None
    elif name == "listed" and judged.stale:
        because = "trust_list_stale"
    return result, because, detail
