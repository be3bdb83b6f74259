"""The doors of the verifier: each route translates between HTTP and one call, nothing more."""

from typing import Annotated

from fastapi import Depends, Request


async def read_body(request: Request) -> bytes:
    """The raw body; its size and time are bounded by `edge.inbound.guard`."""
    return await request.body()


Body = Annotated[bytes, Depends(read_body)]


def media_type(request: Request) -> str:
    """Content-Type without parameters, lower case; empty when absent."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()
