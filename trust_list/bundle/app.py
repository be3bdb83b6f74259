"""A device on the network: its bundle read, verified, replaced; and bundles made, where a maker's key is at hand.

Reading asks for nothing. What changes the device or uses the maker's key asks for the operator's token (RFC 6750).
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge.inbound import guard
from trust_list import authzen
from trust_list.bundle.applied import Device
from trust_list.bundle.contents import MAX_BUNDLE
from trust_list.bundle.making import make
from trust_list.bundle.opening import Opened
from trust_list.bundle.report import report
from trust_list.client import Getter
from trust_list.snapshot import Freshness, Listing, TrustSnapshot, snapshot
from vc.clock import Clock
from vc.encoding import json
from vc.errors import Malformed, Unreachable, VcError
from vc.keys.signer import Signer

MEDIA_TYPE = "application/jose"
_Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who seals bundles here, and how the network is asked: for the lists of the device's root, for status lists, for CRLs."""

    signer: Signer
    known: Callable[[], TrustSnapshot]
    outbound: Getter
    authorities: Getter


class _Order(BaseModel):
    """What a bundle is to carry besides the lists. `days`: how long it may be used."""

    model_config = ConfigDict(strict=True, extra="forbid")
    statusLists: list[str] = Field(default_factory=list, max_length=4096)
    aggregations: list[str] = Field(default_factory=list, max_length=256)
    days: int = Field(default=7, ge=1, le=31)


def create_app(device: Device, *, token: str, base_url: str, clock: Clock, maker: Maker | None = None) -> ASGIApp:
    """The ASGI application over one device. `token`: the operator's. `base_url`: where it is reached, for its metadata."""
    digest = sha256(token.encode()).digest()

    def allowed(handler: _Handler) -> _Handler:
        async def checked(request: Request) -> Response:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            right = hmac.compare_digest(sha256(given.strip().encode("latin-1")).digest(), digest)
            if scheme.lower() != "bearer" or not right:
                answer = _refusal(401, "unauthorized", "the operator's token is required")
                answer.headers["www-authenticate"] = "Bearer"
                return answer
            return await handler(request)

        return checked

    async def state(_: Request) -> Response:
        return await run_in_threadpool(_answered, lambda: report(_in_force(device, clock), clock()))

    async def octets(_: Request) -> Response:
        def read() -> Response:
            _in_force(device, clock)  # what is not in force is not handed on
            return Response((device.directory / "bundle.jws").read_bytes(), media_type=MEDIA_TYPE)

        return await run_in_threadpool(_answered, read)

    async def verify(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answered, lambda: report(device.verify(body, now=clock()), clock()))

    async def apply(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answered, lambda: report(device.apply(body, now=clock()), clock()))

    async def make_one(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answered, lambda: _make(device, maker, body, clock))

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    routes = [
        Route("/healthz", health),
        Route("/bundle", state, methods=["GET"]),
        Route("/bundle", allowed(apply), methods=["POST"]),
        Route("/bundle.jws", octets),
        Route("/bundle/verify", verify, methods=["POST"]),
    ]
    routes += authzen.routes(lambda: _known(device, clock), base_url=base_url, clock=clock)
    if maker is not None:
        routes.append(Route("/bundle/make", allowed(make_one), methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers={404: _missing, 405: _wrong_method})
    return guard(app, body_limit=_body_limit, problem=_problem)


def _make(device: Device, maker: Maker | None, body: bytes, clock: Clock) -> Response:
    assert maker is not None
    try:
        order = _Order.model_validate(json.loads_object(body) if body else {})
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Malformed("order", first["msg"], pointer="".join(f"/{step}" for step in first["loc"])) from exc
    root_file = (device.directory / "trust-root.json").read_bytes()
    made = make(
        maker.known(),
        root=device.root,
        root_file=root_file,
        outbound=maker.outbound,
        authorities=maker.authorities,
        signer=maker.signer,
        now=clock(),
        life=timedelta(days=order.days),
        statuses=order.statusLists,
        aggregations=order.aggregations,
    )
    return Response(made.bundle, media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})


def _in_force(device: Device, clock: Clock) -> Opened:
    opened = device.load(now=clock())
    if opened is None:
        raise Unreachable("bundle_never_applied", "no bundle has been applied yet: nothing can be determined")
    return opened


def _known(device: Device, clock: Clock) -> TrustSnapshot:
    """What the bundle in force makes known: nothing, where there is none or it cannot be used; then no decision is `true`."""
    try:
        return _in_force(device, clock).snapshot()
    except VcError:
        nothing = {entry.id: Listing(list_id=entry.id, accepted=None, anchors=None, checked_at=None) for entry in device.root.lists}
        return snapshot(nothing, device.root)


def _answered(work: Callable[[], dict[str, Any] | Response]) -> Response:
    """The answer of `work`, or the refusal in the shape of RFC 9457. A bundle that is over is told, with its state, not hidden."""
    try:
        told = work()
    except Unreachable as exc:
        return _refusal(503, exc.code, exc.detail)
    except VcError as exc:
        return _refusal(400 if isinstance(exc, Malformed) else 422, exc.code, exc.detail)
    if isinstance(told, Response):
        return told
    status = 200 if told["state"] != Freshness.EXPIRED.value else 410
    return Response(json.dumps(told), status_code=status, media_type="application/json", headers={"cache-control": "no-store"})


def _body_limit(path: str) -> int:
    return {"/bundle": MAX_BUNDLE, "/bundle/verify": MAX_BUNDLE, "/bundle/make": 1 << 20, authzen.EVALUATION: authzen.MAX_BODY}.get(
        path, 0
    )


def _problem(_: str, status: int, code: str, text: str) -> tuple[str, bytes]:
    return "application/problem+json", json.dumps({"type": "about:blank", "status": status, "title": code, "detail": text})


def _refusal(status: int, code: str, text: str) -> Response:
    content_type, body = _problem("", status, code, text)
    return Response(body, status_code=status, media_type=content_type, headers={"cache-control": "no-store"})


async def _missing(_: Request, __: Exception) -> Response:
    return _refusal(404, "not_found", "there is nothing at this address")


async def _wrong_method(_: Request, __: Exception) -> Response:
    return _refusal(405, "method_not_allowed", "this address is asked in another way")
