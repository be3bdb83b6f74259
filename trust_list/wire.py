"""A question to the trust lists as it comes over HTTP, read strictly (TRUST 8: `POST /trust/evaluate`)."""

from base64 import b64decode
from datetime import datetime
from typing import Annotated, Any, Literal

from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic import Field as Member

from trust_list.catalogue_types import authorisation
from trust_list.model import read_time
from trust_list.profiles import Role
from trust_list.query import Mode, TrustQuery
from vc.errors import Malformed, VcError
from vc.x509.certificate import MAX_CHAIN, from_der, subject_value

Short = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Question(BaseModel):
    """Members in the words of TRUST 8. `chain`: certificates as standard base64 of DER, signer first. Times are UTC, `…Z`.

    `type_id` (vct or doctype) is a usual one of `attestation_type` unless given; `issuing_country` is that of the certificate
    unless given; `t_now` is the present unless given, `t_issue` then is the time judged."""

    model_config = ConfigDict(extra="forbid", strict=True)

    list_id: Short = Member(default="pub-eaa", alias="list")
    role: Role = "issuance"
    chain: list[Annotated[str, StringConstraints(max_length=64 * 1024)]] = Member(min_length=1, max_length=MAX_CHAIN)
    format: Literal["dc+sd-jwt", "mso_mdoc"] | None = None
    type_id: Short | None = None
    attestation_type: Short | None = None
    issuing_country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    institution_ids: tuple[Short, ...] = Member(default=(), max_length=16, strict=False)
    entity_id: Short | None = None
    t_issue: Short | None = None
    t_now: Short | None = None
    mode: Mode = "strict"


def read(value: Any, *, clock: datetime) -> TrustQuery:
    """The query of a JSON value; `clock` is our own present. Raises `Malformed`: `question`, `certificate`."""
    try:
        asked = Question.model_validate(value)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Malformed("question", first["msg"], pointer="".join(f"/{step}" for step in first["loc"])) from exc
    try:
        chain = tuple(from_der(b64decode(text, validate=True)) for text in asked.chain)
    except ValueError as exc:
        raise Malformed("certificate", "a certificate is not standard base64 of DER", pointer="/chain") from exc
    moment = _time(asked.t_now, "/t_now") or clock
    attestation_type = asked.attestation_type or ("pid" if asked.list_id == "pid" else None)
    return TrustQuery(
        list_id=asked.list_id,
        role=asked.role,
        chain=chain,
        format=asked.format,
        type_id=asked.type_id or _usual(attestation_type, asked.format),
        attestation_type=attestation_type,
        issuing_country=asked.issuing_country or subject_value(chain[0], NameOID.COUNTRY_NAME),
        institution_ids=asked.institution_ids,
        entity_id=asked.entity_id,
        t_issue=_time(asked.t_issue, "/t_issue"),
        t_now=moment,
        t_clock=clock,
        mode=asked.mode,
    )


def _time(text: str | None, pointer: str) -> datetime | None:
    try:
        return None if text is None else read_time(text)
    except ValueError as exc:
        raise Malformed("question", "a time looks like 2026-11-24T12:00:00Z", pointer=pointer) from exc


def _usual(attestation_type: str | None, format_name: str | None) -> str | None:
    """The first type identifier our catalogue knows for the type in that format."""
    if attestation_type is None or format_name is None:
        return None
    try:
        found = authorisation(attestation_type, (format_name,)).formats
    except VcError as exc:
        raise Malformed("question", exc.detail, pointer="/attestation_type") from exc
    return found[0][1] if found else None
