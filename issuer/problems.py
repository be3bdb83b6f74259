"""Errors of the institution API as RFC 9457 problem documents: all faults at once, each with a JSON pointer, no value echoed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from vc.documents.model import DocumentInvalid
from vc.encoding import json
from vc.errors import VcError

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in the request: `pointer` into its JSON body (RFC 6901), a stable `code`, words for people."""

    pointer: str
    code: str
    detail: str

    def shown(self) -> dict[str, str]:
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


class Problem(Exception):
    """An answer that is not the one hoped for: HTTP `status`, stable `code`, words, and every fault found."""

    def __init__(
        self, status: int, code: str, detail: str, errors: Sequence[Fault] = (), *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.errors, self.headers = status, code, detail, errors, dict(headers or {})

    def body(self) -> bytes:
        """The problem document."""
        return document(self.status, self.code, self.detail, self.errors)


def document(status: int, code: str, detail: str, errors: Sequence[Fault] = ()) -> bytes:
    """RFC 9457 §3: `type` is stable per code, `title` is that of the status."""
    members: dict[str, Any] = {
        "type": f"urn:portadoc:problem:{code.replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors:
        members["errors"] = [fault.shown() for fault in errors]
    return json.dumps(members)


_STATUS_BY_CODE = {
    "not_found": 404,
    "idempotency_key_reused": 422,
    "type_not_entitled": 403,
    "rate_limit": 429,
    "json": 400,
    "json_duplicate_member": 400,
    "json_depth": 400,
    "json_object": 400,
    "too_large": 413,
    "cursor": 400,
    "document_revoked": 409,
    "document_refused": 409,
    "document_not_held": 409,
}


def of_error(error: VcError) -> Problem:
    """The problem for one of our own errors; what the table does not know is 422."""
    if isinstance(error, DocumentInvalid):
        faults = [Fault(pointer=_under_document(p.pointer), code=p.code, detail=p.detail) for p in error.problems]
        return Problem(422, "document_invalid", "the document breaks rules of its type", faults)
    facts = getattr(error, "facts", None)
    if isinstance(facts, list):
        faults = [Fault(pointer=_under_document(fact), code=error.code, detail=_FACTS[error.code]) for fact in facts]
        return Problem(422, error.code, error.detail, faults)
    status = _STATUS_BY_CODE.get(error.code, 422)
    headers = {"Retry-After": "60"} if status == 429 else {}
    faults = [Fault(pointer=error.pointer, code=error.code, detail=error.detail)] if error.pointer else []
    return Problem(status, error.code, error.detail, faults, headers=headers)


_FACTS = {
    "projection_loses": "the profile has no place for this fact",
    "projection_lacks": "the profile needs this fact",
}


def of_validation(error: ValidationError) -> Problem:
    """The problem for a body that has not the shape of the operation's model."""
    faults = [
        Fault(
            pointer="".join("/" + str(step).replace("~", "~0").replace("/", "~1")[:64] for step in entry["loc"]),
            code=_CODES.get(entry["type"], "value"),
            detail=_PLAIN.get(entry["type"], entry["msg"]),
        )
        for entry in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return Problem(422, "request_invalid", "the request has not the shape this operation asks for", faults)


_CODES = {"missing": "missing", "extra_forbidden": "unknown_member"} | dict.fromkeys(
    ("string_type", "dict_type", "list_type", "bool_type", "int_type", "model_type", "model_attributes_type"), "type"
)
_PLAIN = {"extra_forbidden": "this member is not known here", "missing": "this member is mandatory"}


def _under_document(pointer: str) -> str:
    """Pointers of the document rules begin at the document data, or with `/identity` at the identity block beside it."""
    inside = pointer == "/identity" or pointer.startswith("/identity/")
    return pointer if inside else f"/document_data{pointer}"
