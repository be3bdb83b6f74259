"""Beside the trust lists: whether the certificate that signed a document was revoked by the authority that issued it.

Only a certificate the trust list believes is asked about, and only where it names a revocation list. What cannot be had is not
concluded from: the check is then open, and the verdict undetermined (docs/decisions/0017).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from trust_list.revocation import Authorities, RevocationLists, Standing
from trust_list.snapshot import TrustSnapshot
from vc.documents.document import Document
from vc.documents.outcome import Result
from vc.formats import Credential
from verifier.sources import Checked, TrustAnswer, TrustSource

_RESULTS = {
    Standing.GOOD: (Result.PASSED, None),
    Standing.UNNAMED: (Result.PASSED, None),
    Standing.REVOKED: (Result.FAILED, "certificate_revoked"),
    Standing.UNKNOWN: (Result.NOT_CHECKED, "certificate_status_unknown"),
}


class RevocableTrust:
    """A trust source whose believed signers are also asked for at their own authority."""

    def __init__(self, trust: TrustSource, lists: RevocationLists, snapshot: Callable[[], TrustSnapshot]) -> None:
        self._trust, self._lists, self._snapshot = trust, lists, snapshot
        self._authorities = Authorities()

    def issuer(self, credential: Credential, document: Document, *, now: datetime) -> TrustAnswer:
        """See `TrustSource.issuer`."""
        answer = self._trust.issuer(credential, document, now=now)
        if not answer.trusted:
            return answer
        leaf, *others = credential.chain
        issuers = (*others, *self._authorities.of(self._snapshot()))
        said = self._lists.check(leaf, issuers, signed_at=credential.issued_at, now=now)
        result, because = _RESULTS[said.standing]
        return replace(answer, revocation=Checked(result=result, because=because, detail=f"{said.detail} [{said.code}]"))
