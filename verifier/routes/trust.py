"""The consumer side of the trust lists over HTTP (TRUST 8): ask them, see how they stand here, and the same as metrics.

Every call needs the API's bearer token where the settings name one.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from trust_list import explain, metrics, wire
from trust_list.decide import evaluate
from trust_list.health import alerts, signer_of
from trust_list.model import write_time
from trust_list.snapshot import Event, Listing, TrustSnapshot
from vc.clock import Clock
from vc.encoding import json
from vc.errors import Malformed
from verifier.problems import Problem
from verifier.routes import Body, media_type
from verifier.routes.api import authenticate
from verifier.settings import Settings

Known = Callable[[], TrustSnapshot]


def routes(settings: Settings, known: Known, clock: Clock) -> APIRouter:
    """`POST /trust/evaluate`, `GET /trust/state` and `GET /metrics` over what `known` gives at the time."""
    router = APIRouter()

    @router.post("/trust/evaluate")
    def decide(request: Request, body: Body) -> Response:
        """The decision with its whole path, as `explain.to_json`. That a signer is not trusted is an answer (200), no error."""
        authenticate(settings, request)
        if media_type(request) != "application/json":
            raise Problem(415, "invalid_request", "the body is sent as application/json")
        try:
            query = wire.read(json.loads(body), clock=clock())
        except Malformed as error:
            code = "invalid_json" if error.code.startswith("json") else "invalid_request"
            raise Problem(400, code, f"{error.pointer}: {error.detail}" if error.pointer else error.detail) from error
        snapshot = known()
        return _json(explain.to_json(query, evaluate(query, snapshot), snapshot))

    @router.get("/trust/state")
    def state(request: Request) -> Response:
        authenticate(settings, request)
        snapshot, now = known(), clock()
        return _json(
            {
                "at": write_time(now),
                "snapshot": snapshot.digest,
                "root": {
                    "version": snapshot.root_version,
                    "expires": write_time(snapshot.root_expires),
                    "alarm": _event(snapshot.root_alarm),
                },
                "clock_floor": write_time(snapshot.clock_floor) if snapshot.clock_floor else None,
                "lists": [
                    {
                        "id": item.list_id,
                        "state": item.freshness(now).value,
                        "age": max(0, int((now - item.checked_at).total_seconds())) if item.checked_at else None,
                        "checked": write_time(item.checked_at) if item.checked_at else None,
                        **_edition(item),
                        "alarm": _event(item.alarm),
                        "outage": _event(item.outage),
                    }
                    for item in snapshot.lists.values()
                ],
                "alerts": [alert.to_json() for alert in alerts(snapshot, now)],
            }
        )

    @router.get("/metrics")
    def numbers(request: Request) -> Response:
        authenticate(settings, request)
        snapshot, now = known(), clock()
        return Response(content=metrics.text(snapshot, alerts(snapshot, now), now), media_type=metrics.CONTENT_TYPE)

    return router


def _edition(item: Listing) -> dict[str, Any]:
    accepted = item.accepted
    return {
        "seq": accepted.sequence if accepted else None,
        "issued": write_time(accepted.issued_at) if accepted else None,
        "next_update": write_time(accepted.next_update) if accepted else None,
        "signer": signer_of(item),
    }


def _event(event: Event | None) -> dict[str, Any] | None:
    if event is None:
        return None
    first, last = write_time(event.first), write_time(event.last)
    return {"code": event.code, "text": event.text, "first": first, "last": last, "count": event.count}


def _json(value: dict[str, Any]) -> Response:
    return Response(content=json.dumps(value), media_type="application/json")
