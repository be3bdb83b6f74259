"""A service whose trust lists are kept fresh for as long as it is up."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from trust_list.client import TrustClient


def kept_fresh(app: ASGIApp, client: TrustClient) -> ASGIApp:
    """`app`, with `client` refreshing in the background from the server's start to its shutdown (ASGI lifespan)."""

    async def kept(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        client.start()
        try:
            await app(scope, receive, send)
        finally:
            await asyncio.to_thread(client.close)

    return kept
