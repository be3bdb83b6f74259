"""The register on the network, for anybody to read: TS5's read methods, signed; the status list; the key of the answers.

Changes are made by the registrar's own people on the command line: `put` and `delete` of TS5 are not offered here.
"""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge.inbound import guard
from trust_list.registrar.model import Credential, IntendedUse, Party
from trust_list.registrar.register import Register
from vc.clock import Clock, to_numeric_date
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused
from vc.jose import jws
from vc.keys import jwk

PAGE, MAX_PAGE = 20, 100
_Filter = Callable[[Party, str], bool]
_PAGING = ("limit", "cursor")


def _credentials(party: Party) -> list[Any]:
    return [*(one for use in party.intendedUse for one in use.credentials), *party.providesAttestations]


FILTERS: dict[str, _Filter] = {
    "identifier": lambda party, value: any(one.identifier == value for one in party.identifier),
    "legalname": lambda party, value: value.casefold() in (name.casefold() for name in party.legalPerson.legalName),
    "tradename": lambda party, value: value.casefold() == party.tradeName.casefold(),
    "policy": lambda party, value: any(value in (one.policyURI, one.type) for one in party.policy),
    "entitlement": lambda party, value: value in party.entitlements,
    "credentialmeta": lambda party, value: any(value in one.meta for one in _credentials(party)),
    "credentialformat": lambda party, value: any(value == one.format for one in _credentials(party)),
    "intendeduseidentifier": lambda party, value: party.use(value) is not None,
    "usesintermediary": lambda party, value: False,  # nobody is registered with an intermediary
    "isintermediary": lambda party, value: value == "false",
}
"""The query parameters of TS5 that narrow a list; all that are given must hold."""
_USE_FILTERS = ("intendeduseidentifier", "credentialformat", "claimpath", "credentialmeta", "policyurl")


def create_app(register: Register, *, clock: Clock) -> ASGIApp:
    """The ASGI application. It reads the directory at each request, so a change is seen at once."""

    def signed(data: Any, **more: Any) -> Response:
        """A JWS of issuer, time and data (TS5), with the address of the key set beside it."""
        signer = register.signer
        claims = {"iss": register.address, "iat": to_numeric_date(clock()), "data": data, **more}
        header = {"typ": "JWT", "kid": base64url.encode(jwk.thumbprint(signer.public_key)), "x5c": jws.x5c(signer.chain)}
        token = jws.sign(header, json.dumps(claims), signer)
        return Response(token, media_type="application/jwt", headers={"x-jku-url": f"{register.address}/jwks.json"})

    def parties(request: Request) -> Response:
        asked = _asked(request, (*FILTERS, *_PAGING))
        limit, after = _limit(asked.pop("limit", None)), _after(asked.pop("cursor", None))
        found = [
            party
            for party in register.parties()
            if party.id > after and all(FILTERS[name](party, value) for name, value in asked.items())
        ]
        page, more = found[:limit], len(found) > limit
        pagination: dict[str, Any] = {"has_next_page": more}
        if more:
            pagination["next_cursor"] = base64url.encode(page[-1].id.encode())
        return signed([_shown(party, register) for party in page], pagination=pagination)

    def party(request: Request) -> Response:
        return signed(_shown(register.party(request.path_params["identifier"]), register))

    def check_use(request: Request) -> Response:
        asked = _asked(request, ("rpidentifier", *_USE_FILTERS))
        if "rpidentifier" not in asked or len(asked) == 1:
            raise Malformed("query", "rpidentifier and at least one thing to check are needed")
        found = register.party(asked.pop("rpidentifier"))
        uses = [use for use in found.intendedUse if use.revokedAt is None and _registered(use, asked)]
        names = ", ".join(use.intendedUseIdentifier for use in uses)
        return signed(
            {"isRegistered": bool(uses), "details": f"intended use: {names}" if uses else "no intended use has all of it"}
        )

    def keys(_: Request) -> Response:
        key = register.signer.public_key
        return JSONResponse({"keys": [jwk.from_public(key, kid=base64url.encode(jwk.thumbprint(key)), use="sig", alg="ES256")]})

    def status(_: Request) -> Response:
        return Response(
            register.status_token(now=clock()), media_type="application/statuslist+jwt", headers={"cache-control": "max-age=300"}
        )

    def policy(_: Request) -> Response:
        return Response(
            "Registration certificates of this register are issued for tests. They entitle nobody.\n", media_type="text/plain"
        )

    def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def unknown(_: Request, __: Exception) -> Response:
        return _answer(404, "not_found", "there is nothing here")

    async def refused(_: Request, exc: Exception) -> Response:
        return _answer(404, "not_found", str(getattr(exc, "detail", "")))

    async def malformed(_: Request, exc: Exception) -> Response:
        return _answer(400, "invalid_request", str(getattr(exc, "detail", "")))

    routes = [
        Route("/wrp", parties),
        Route("/wrp/check-intended-use", check_use),
        Route("/wrp/{identifier}", party),
        Route("/jwks.json", keys),
        Route("/status/1", status),
        Route("/policy", policy),
        Route("/healthz", health),
    ]
    app = Starlette(routes=routes, exception_handlers={404: unknown, Refused: refused, Malformed: malformed})
    return guard(app, body_limit=lambda _: 0, problem=_problem)


def _shown(party: Party, register: Register) -> dict[str, Any]:
    return {**party.to_json(), "registryURI": f"{register.address}/wrp/{party.id}"}


def _asked(request: Request, known: tuple[str, ...]) -> dict[str, str]:
    """The query parameters. A name that is not known or comes twice is refused: an overlooked filter answers another question."""
    items = request.query_params.multi_items()
    names = [name for name, _ in items]
    if not set(known).issuperset(names) or len(set(names)) != len(names):
        raise Malformed("query", f"parameters, each once: {', '.join(known)}")
    return dict(items)


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) <= 4) or not 1 <= int(text) <= MAX_PAGE:
        raise Malformed("query", f"limit: a number from 1 to {MAX_PAGE}")
    return int(text)


def _after(cursor: str | None) -> str:
    """The identifier after which a page begins: a cursor stays good whoever comes or goes."""
    if cursor is None:
        return ""
    try:
        return base64url.decode(cursor).decode("ascii")
    except (Malformed, UnicodeDecodeError) as exc:
        raise Malformed("query", "cursor: not one that was given out") from exc


def _registered(use: IntendedUse, asked: dict[str, str]) -> bool:
    """Whether one intended use has everything that is asked about; what is asked of credentials must hold of one of them."""
    if "intendeduseidentifier" in asked and use.intendedUseIdentifier != asked["intendeduseidentifier"]:
        return False
    if "policyurl" in asked and use.privacyPolicy.policyURI != asked["policyurl"]:
        return False
    return any(_fits(one, asked) for one in use.credentials)


def _fits(one: Credential, asked: dict[str, str]) -> bool:
    path = asked.get("claimpath")
    return (
        asked.get("credentialformat", one.format) == one.format
        and asked.get("credentialmeta", "") in one.meta
        and (path is None or any(path == claim.path or path in json.loads(claim.path.encode()) for claim in one.claims))
    )


def _answer(status: int, code: str, text: str) -> Response:
    media_type, body = _problem("", status, code, text)
    return Response(body, status_code=status, media_type=media_type)


def _problem(_: str, status: int, code: str, text: str) -> tuple[str, bytes]:
    return "application/problem+json", json.dumps({"type": "about:blank", "status": status, "title": code, "detail": text})
