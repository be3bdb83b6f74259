"""The lists as a policy decision point: "may this key be believed for this role?" (AuthZEN Authorization API 1.0, with the profile
for trust of draft-johansson-authzen-trust).

The subject is a key by its name, the resource that key with its certificates, the action the role asked about. A decision is
`true` only for what `decide.evaluate` calls TRUSTED; everything else is `false` with outcome and reasons in the context. What the
question leaves open stays open, and open is not `true`. Only the lists in force here are asked: no certificate of the question
becomes an anchor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trust_list.decide import TrustDecision, TrustQuery, evaluate
from trust_list.model import read_time, write_time
from trust_list.profiles import Role
from trust_list.snapshot import TrustSnapshot
from vc.clock import Clock
from vc.encoding import json
from vc.errors import Malformed
from vc.x509.certificate import from_x5c

METADATA = "/.well-known/authzen-configuration"
EVALUATION = "/access/v1/evaluation"
MAX_BODY = 256 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """Which list answers for an action, and in which role."""

    list_id: str
    role: Role


ACTIONS = {
    "pub-eaa-provider": Asked("pub-eaa", "issuance"),
    "pub-eaa-status": Asked("pub-eaa", "revocation"),
    "pid-provider": Asked("pid", "issuance"),
    "pid-status": Asked("pid", "revocation"),
    "wallet-provider": Asked("wallet", "issuance"),
}
"""The names of `action`."""

_Time = Annotated[datetime, BeforeValidator(read_time)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Open(BaseModel):
    """Members that another implementation adds are passed over, as the API asks for objects of the asker's own making."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Subject(_Open):
    type: Literal["key"]
    id: str = Field(min_length=1, max_length=8192)


class _Resource(_Open):
    type: Literal["x5c"]
    id: str = Field(min_length=1, max_length=8192)
    key: list[str] = Field(min_length=1, max_length=8)


class _Question(_Strict):
    """Properties of the action: what is to be signed, or was. Misspelt ones are refused, for they would be left open."""

    format: str | None = None
    type_id: str | None = None
    attestation_type: str | None = None
    issuing_country: str | None = None
    institution_ids: list[str] = Field(default_factory=list, max_length=16)
    entity_id: str | None = None
    issued_at: _Time | None = None


class _Action(_Open):
    name: str
    properties: _Question = Field(default_factory=_Question)


class _Evaluation(_Open):
    subject: _Subject
    resource: _Resource
    action: _Action


def routes(known: Callable[[], TrustSnapshot], *, base_url: str, clock: Clock) -> list[Route]:
    """The endpoints over what is `known`, for the application at `base_url` (no slash at the end)."""

    def metadata(_: Request) -> Response:
        told = {"policy_decision_point": base_url, "access_evaluation_endpoint": f"{base_url}{EVALUATION}"}
        return Response(json.dumps(told), media_type="application/json", headers={"cache-control": "public, max-age=3600"})

    async def evaluation(request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return _answer({"error": "the question is sent as application/json"}, request, 415)
        body = await request.body()
        try:
            told = await run_in_threadpool(lambda: answer(body, known(), now=clock()))
        except Malformed as exc:
            return _answer({"error": f"{exc.pointer}: {exc.detail}" if exc.pointer else exc.detail}, request, 400)
        return _answer(told, request, 200)

    return [Route(METADATA, metadata), Route(EVALUATION, evaluation, methods=["POST"])]


def answer(body: bytes, known: TrustSnapshot, *, now: datetime) -> dict[str, Any]:
    """The decision as the API has it: `{"decision": …, "context": …}`. Raises `Malformed` for what is no question."""
    try:
        asked = _Evaluation.model_validate(json.loads_object(body, max_bytes=MAX_BODY))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Malformed("evaluation", first["msg"], pointer="".join(f"/{step}" for step in first["loc"])) from exc
    if asked.resource.id != asked.subject.id:
        raise Malformed("evaluation", "subject and resource are the same key and have the same id", pointer="/resource/id")
    if asked.action.name not in ACTIONS:
        raise Malformed("evaluation", f"the actions are {', '.join(ACTIONS)}", pointer="/action/name")
    target, question = ACTIONS[asked.action.name], asked.action.properties
    query = TrustQuery(
        list_id=target.list_id,
        role=target.role,
        chain=from_x5c(asked.resource.key),
        format=question.format,
        type_id=question.type_id,
        attestation_type=question.attestation_type or ("pid" if target.list_id == "pid" else None),
        issuing_country=question.issuing_country,
        institution_ids=tuple(question.institution_ids),
        entity_id=question.entity_id,
        t_issue=question.issued_at,
        t_now=now,
    )
    return _told(evaluate(query, known))


def _told(decision: TrustDecision) -> dict[str, Any]:
    facts = decision.list
    context: dict[str, Any] = {
        "outcome": decision.outcome.value,
        "reason": {reason.code: reason.text for reason in decision.reasons},
        "next": {reason.code: reason.next for reason in decision.reasons},
        "list": {
            "id": facts.id,
            "seq": facts.sequence,
            "next_update": write_time(facts.next_update) if facts.next_update else None,
            "state": facts.state.value,
            "age": facts.age_seconds,
        },
        "snapshot": decision.snapshot,
    }
    if decision.entity_id is not None:
        context["entity"] = {"id": decision.entity_id, "name": decision.entity_name, "country": decision.entity_country}
    return {"decision": decision.trusted, "context": context}


def _answer(told: dict[str, Any], request: Request, status: int) -> Response:
    """The API asks that a request's own identifier comes back (§10.1, X-Request-ID)."""
    headers = {"cache-control": "no-store"}
    identifier = request.headers.get("x-request-id", "")
    if 0 < len(identifier) <= 128 and identifier.isascii() and identifier.isprintable():
        headers["x-request-id"] = identifier
    return Response(json.dumps(told), status_code=status, media_type="application/json", headers=headers)
