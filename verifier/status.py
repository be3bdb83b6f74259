"""The status of a credential: from the status list of its issuer, signed by the service the trust list names for that issuer."""

from datetime import datetime, timedelta
from typing import Protocol

from trust_list import status_lists
from trust_list.client import Getter
from trust_list.status_lists import StatusAnswer, StatusSigner
from trust_list.status_memory import TokenMemory
from vc.documents.document import Document
from vc.formats import Credential
from verifier.sources import TrustAnswer


class SignerJudge(Protocol):
    """Who may sign the status list of an issuer: the Revocation service of the same entity (TRUST 3)."""

    def status_signer(self, signer: StatusSigner, document_type: str, *, entity_id: str | None, now: datetime) -> TrustAnswer: ...


class StatusLists:
    """Looks statuses of credentials up. Safe to share between threads."""

    def __init__(self, outbound: Getter, memory: TokenMemory, judge: SignerJudge, *, min_ttl: timedelta) -> None:
        self._lists, self._judge = status_lists.StatusLists(outbound, memory, min_ttl=min_ttl), judge

    def look_up(self, credential: Credential, document: Document, *, entity_id: str | None, now: datetime) -> StatusAnswer:
        """The status of `credential`, or why nothing can be said. Never raises for an outage or a bad list."""
        reference = credential.status
        if reference is None:
            raise ValueError("the credential has no status reference")
        kind = "cwt" if credential.format == "mso_mdoc" else "jwt"

        def trusted(signer: StatusSigner) -> bool:
            return self._judge.status_signer(signer, document.type, entity_id=entity_id, now=now).trusted

        return self._lists.look_up(reference, kind, trusted=trusted, now=now)
