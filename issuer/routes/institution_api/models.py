"""What the institution API takes and gives. Requests are strict: an unknown member or another type is a fault, named by pointer."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from issuer.reasons import Reason

_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2}))?", re.ASCII)
_Word = Annotated[str, Field(min_length=1, max_length=64)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NewDocument(_Request):
    """A document to be put on record. `document_data` has the shape of its type; the person stands in `identity`."""

    document_data: dict[str, Any]
    identity: dict[str, Any] | None = None
    type: _Word | None = Field(None, description="pda1, ehic or pid; told by the shape of the data when absent")
    profile: _Word | None = Field(
        None, description="the shape of the SD-JWT VC, such as dc4eu-1; the default of the type when absent"
    )
    paper_only: dict[str, Any] | None = Field(
        None, description="entries of the paper form that no credential carries, by box number"
    )
    hold: bool = Field(False, description="promise credentials to wallets that ask, and give them only after the release")


class Release(_Request):
    """Nothing needs to be said."""


class Refusal(_Request):
    """Why no credential is given: a word of the institution's own, kept with the record and not told to wallets."""

    reason: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]


class NewOffer(_Request):
    """How to offer a document."""

    formats: Annotated[list[Literal["dc+sd-jwt", "mso_mdoc"]], Field(min_length=1, max_length=2)] = ["dc+sd-jwt", "mso_mdoc"]
    profile: _Word | None = None
    tx_code: bool = Field(True, description="ask for a transaction code, sent to the holder by another way than the offer")
    by_value: bool = Field(False, description="put the whole offer into the link, rather than a reference to it")
    grants: Annotated[list[Literal["pre-authorized_code", "authorization_code"]], Field(min_length=1, max_length=2)] | None = Field(
        None, description="how the holder can collect it: by a code in the offer, by signing in; absent: every way there is"
    )

    @field_validator("formats", "grants")
    @classmethod
    def _distinct(cls, values: list[str] | None) -> list[str] | None:
        if values is not None and len(set(values)) != len(values):
            raise ValueError("a value occurs twice")
        return values


class Revocation(_Request):
    """Why and from when a document is withdrawn."""

    reason: Reason = "unspecified"
    effective_from: str | None = Field(
        None,
        description="RFC 3339 date-time with offset, or a date: 00:00 UTC of that day; the status turns then if it lies ahead",
        json_schema_extra={"format": "date-time"},
    )

    @field_validator("effective_from")
    @classmethod
    def _moment(cls, text: str | None) -> str | None:
        if text is not None:
            moment(text)
        return text

    @property
    def effective(self) -> datetime | None:
        """The moment, aware UTC in whole seconds."""
        return None if self.effective_from is None else moment(self.effective_from)


def moment(text: str) -> datetime:
    """A point in time as the API takes it. Raises ValueError, also without offset and outside the years 1951 to 2099."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError("not an RFC 3339 date, nor a date-time with its offset from UTC")
    try:
        if len(text) == 10:
            found = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        else:
            found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError("there is no such day or time") from exc
    if not 1950 < found.year < 2100:
        raise ValueError("the year is out of range")
    return found.astimezone(UTC).replace(microsecond=0)


class DocumentSummary(BaseModel):
    """A document in a list."""

    document_id: str
    type: str
    state: Literal["valid", "revocation_scheduled", "revoked"]
    hold: Literal["held", "refused"] | None
    hold_reason: str | None
    created_at: str


class DocumentPage(BaseModel):
    """`next_cursor` is null on the last page."""

    documents: list[DocumentSummary]
    next_cursor: str | None


class IssuedCredential(BaseModel):
    """One copy in a wallet. `status`: what the status list says of it now. A short-lived copy is in no list and ends within a day,
    whatever becomes of its document."""

    credential_id: str
    configuration_id: str
    format: str
    recorded_at: str
    valid_from: str
    valid_until: str
    signed: bool
    status: Literal["valid", "invalid"]
    short_lived: bool
    status_list: str | None
    status_index: int | None


class DeferredIssuance(BaseModel):
    """Credentials promised to a wallet (OpenID4VCI 1.0 §9). `last_look_at`: when the wallet last came to see, roughly."""

    configuration_id: str
    state: Literal["pending", "delivered", "expired"]
    asked_at: str
    expires_at: str
    last_look_at: str | None


class WalletReport(BaseModel):
    """What a wallet told about credentials of the document (OpenID4VCI 1.0 §11); `description` is the wallet's own text."""

    notification_id: str
    event: Literal["credential_accepted", "credential_failure", "credential_deleted"]
    description: str | None
    received_at: str


class DocumentDetail(DocumentSummary):
    """All the institution may know about its document."""

    profile: str | None
    document: dict[str, Any]
    identity: dict[str, Any] | None
    paper_only: dict[str, Any] | None
    revocation: "RevocationRecord | None"
    credentials: list[IssuedCredential]
    deferred: list[DeferredIssuance]
    reports: list[WalletReport]


class RevocationRecord(BaseModel):
    """The withdrawal on record."""

    document_id: str
    state: Literal["revocation_scheduled", "revoked"]
    reason: str
    revoked_at: str
    effective_from: str
    status_changes_at: str


class OfferCreated(BaseModel):
    """The offer with its secrets: the link for the holder's wallet, the transaction code for another way to the holder."""

    offer_id: str
    document_id: str
    credential_offer_uri: str
    credential_offer: dict[str, Any]
    tx_code: str | None
    expires_at: str
    qr_svg: str
    qr_png: str


class History(BaseModel):
    """Everything that happened to the document, oldest first."""

    document_id: str
    events: list[dict[str, Any]]


class Statistics(BaseModel):
    """Refused requests per day, endpoint and error code."""

    refusals: list[dict[str, Any]]


class FaultModel(BaseModel):
    """One fault of a request."""

    pointer: str
    code: str
    detail: str


class ProblemModel(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FaultModel] | None = None
