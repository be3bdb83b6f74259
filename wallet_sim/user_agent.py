"""Where the person signs in: a browser that is sent to the authorization server and comes back to the wallet (RFC 8252)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Window(Protocol):
    """One sign-in."""

    @property
    def redirect_uri(self) -> str:
        """Where the authorization server sends the browser back to."""
        ...

    def visit(self, url: str) -> str:
        """Open `url`; gives the address the browser came back to, an address of `redirect_uri` with the answer in its query.

        Raises `Refused` or `Unreachable` when it does not come back.
        """
        ...


class UserAgent(Protocol):
    """Something that opens pages."""

    def window(self) -> AbstractContextManager[Window]:
        """A window for one sign-in; after the block nobody listens any more."""
        ...


PresentPid = Callable[[str], str]
"""Answers the OpenID4VP request behind a link; gives the address the verifier wants the browser to go on to."""


def is_return(url: str, redirect_uri: str) -> bool:
    """True when `url` is the redirect URI with nothing but a query added."""
    return url == redirect_uri or url.startswith(f"{redirect_uri}?")
