"""A way past the framework for the few endpoints that are asked most: its layers cost as much as a credential's signature."""

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]
Failure = Callable[[Request, OperationalError], Awaitable[Response]]


def direct(app: ASGIApp, endpoints: Mapping[str, Endpoint], *, failure: Failure) -> ASGIApp:
    """`app`, with `POST /{institution}/{name}` answered by `endpoints[name]` at once; everything else takes the usual way.

    An endpoint is written as for a bare route of `app`: same request, same path parameters. `failure` answers when the database
    does not; other errors are the caller's, who stands outside of `app` anyway.
    """

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = None
        if scope["type"] == "http" and scope["method"] == "POST":
            institution, slash, name = scope["path"][1:].partition("/")
            endpoint = endpoints.get(name) if slash else None
        if endpoint is None:
            await app(scope, receive, send)
            return
        scope["app"], scope["path_params"] = app, {"institution": institution}
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except OperationalError as exc:
            response = await failure(request, exc)
        await response(scope, receive, send)

    return dispatch
