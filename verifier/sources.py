"""What goes into a verdict from outside: the question, what was shown, and who answers about trust and status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from trust_list.status_lists import StatusAnswer
from vc.documents.document import Document
from vc.documents.outcome import Result
from vc.formats import Credential
from verifier.purposes import Ask, Purpose, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The question behind the verdict: what for, where, as of which day; `now` is the time of checking."""

    purpose: Purpose | None
    country: str | None
    on: date
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One presentation as received. `ask`: the query it answers, None for a bare artefact."""

    role: Role
    format: str
    text: str
    ask: Ask | None = None
    issued: bool = False  # as an issuer delivers it, without any proof of a holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One thing looked at: the result, a reason code where there is one, the detail."""

    result: Result
    because: str | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnswer:
    """What the trust lists say about a signer. `checks`: by check id the result, a reason code where there is one, the detail.

    `revocation`: what the authority of the certificate says of it; None where it was not asked.
    """

    trusted: bool
    checks: Mapping[str, tuple[Result, str | None, str]]
    entity_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    revocation: Checked | None = None


class TrustSource(Protocol):
    """Answers from accepted trust lists; never raises for an outage."""

    def issuer(self, credential: Credential, document: Document, *, now: datetime) -> TrustAnswer:
        """The four questions about the signer of a credential."""
        ...


class StatusSource(Protocol):
    """Answers from status lists; never raises for an outage."""

    def look_up(self, credential: Credential, document: Document, *, entity_id: str | None, now: datetime) -> StatusAnswer:
        """The status of a credential that has a status reference; its list must be signed by the same trusted entity."""
        ...
