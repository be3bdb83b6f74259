"""The door of the protocol endpoints: which institution, who may, and one bridge from our errors to the protocol's."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response

from edge.inbound import form
from issuer import grants
from issuer.institutions import Institution
from issuer.routes.answers import not_found, refusal
from issuer.service import Service
from issuer.store import grants as store
from issuer.store import retention
from issuer.store.engine import reading, writing
from issuer.store.grants import Grant
from vc.encoding import json
from vc.errors import Malformed, Refused, Unreachable, VcError
from vc.openid4vci import dpop
from vc.openid4vci.dpop import DpopProof

Handler = Callable[[Request, Service, Institution], Awaitable[Response]]
_log = structlog.get_logger("issuer")


def endpoint(name: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """`handler` for the institution named in the path. Our errors become the endpoint's own, and are counted."""

    async def run(request: Request) -> Response:
        service: Service = request.app.state.service
        institution = service.institution(request.path_params["institution"])
        if institution is None:
            return not_found()
        try:
            return await handler(request, service, institution)
        except VcError as exc:
            return _refused(service, institution, name, exc)

    return run
