"""The door of the institution API: token, content type, strict JSON, idempotency key, cursor."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from issuer.institutions import Institution
from issuer.problems import Problem, of_error, of_validation
from issuer.service import Service
from vc.encoding import base64url, json
from vc.errors import VcError

_Model = TypeVar("_Model", bound=BaseModel)
_KEY_LENGTH = 255
_MAX_LIMIT = 200


def service_of(request: Request) -> Service:
    """The service the application was made with."""
    found: Service = request.app.state.service
    return found


def institution_of(request: Request) -> Institution:
    """The institution that asks, by its bearer token and nothing else (SECURITY I-1, I-2, D-2).

    Raises a 401 `Problem` with `WWW-Authenticate`.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = service_of(request).institution_of_token(token.strip()) if scheme.lower() == "bearer" and token.isascii() else None
    if found is None:
        challenge = 'Bearer realm="institution API"' + (', error="invalid_token"' if scheme else "")
        raise Problem(401, "invalid_token", "a valid institution token is required", headers={"WWW-Authenticate": challenge})
    return found


def body_of(model: type[_Model]) -> Callable[[Request], Coroutine[Any, Any, _Model]]:
    """A dependency that reads the body strictly and checks it against `model`; every fault is named, no value is echoed."""

    async def read(request: Request) -> _Model:
        institution_of(request)  # a stranger is told nothing about the body
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise Problem(415, "content_type", "the body must be application/json")
        try:
            return model.model_validate(json.loads_object(await request.body()))
        except VcError as exc:
            raise of_error(exc) from exc
        except ValidationError as exc:
            raise of_validation(exc) from exc

    return read


def described(model: type[BaseModel], *, idempotent: bool = True) -> dict[str, Any]:
    """The OpenAPI description of a body read by `body_of`."""
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": _KEY_LENGTH},
        "description": "the same key with the same request gives the same answer, with another request 422",
    }
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"requestBody": body, "parameters": [key] if idempotent else []}


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, 1 to 255 visible ASCII characters. Raises a 400 `Problem` otherwise (SECURITY D-7)."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= _KEY_LENGTH or not all(" " < character <= "~" for character in key):
        raise Problem(400, "idempotency_key", "the Idempotency-Key is 1 to 255 visible ASCII characters")
    return key


def only(request: Request, *names: str) -> dict[str, str]:
    """The query parameters, each known and given once. Raises a 400 `Problem`."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in names or name in found:
            raise Problem(400, "query", "a query parameter is unknown here or occurs twice")
        found[name] = value
    return found


def page_of(request: Request) -> tuple[int, str | None]:
    """`limit` (1 to 200, default 50) and the document id inside `cursor`. Raises a 400 `Problem` (SECURITY D-10)."""
    query = only(request, "limit", "cursor")
    limit = query.get("limit", "50")
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= _MAX_LIMIT):
        raise Problem(400, "limit", f"the limit is a number from 1 to {_MAX_LIMIT}")
    cursor = query.get("cursor")
    return int(limit), None if cursor is None else _opened(cursor)


def cursor_after(document_id: str) -> str:
    """The cursor of the page that follows this document."""
    return base64url.encode(b"after:" + document_id.encode())


def _opened(cursor: str) -> str:
    try:
        content = base64url.decode(cursor).decode("ascii")
    except (VcError, UnicodeDecodeError) as exc:
        raise bad_cursor() from exc
    if not content.startswith("after:"):
        raise bad_cursor()
    return content.removeprefix("after:")


def bad_cursor() -> Problem:
    """For a cursor we did not give to this institution."""
    return Problem(400, "cursor", "the cursor is not one of ours")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks whom: the institution of the token, the service, the Idempotency-Key."""

    service: Service
    institution: Institution
    key: str | None


def _caller(request: Request) -> Caller:
    return Caller(service_of(request), institution_of(request), idempotency_key(request))


CallerDep = Annotated[Caller, Depends(_caller)]
