"""Who calls the token endpoint (OpenID Connect Core 1.0 §9, RFC 6749 §2.3.1): one method, a secret compared by its digest."""

import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from verifier.digest import digest_of
from verifier.openid_provider.registry import Client
from verifier.problems import Problem

METHODS = ("client_secret_basic", "client_secret_post")
"""What is understood. The metadata say the same."""
_NOBODY = "0" * 64
"""The digest an unknown client is compared with, so that its answer takes as long; no secret is known to have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Credentials:
    client_id: str
    secret: str = field(repr=False)


def authenticate(authorization: str | None, form: Mapping[str, str], clients: Mapping[str, Client]) -> Client:
    """The client whose secret came with the request.

    Raises `Problem`: 401 `invalid_client` for none, an unknown client or a wrong secret, all alike; 400 `invalid_request` for two
    methods at once.
    """
    given = _by_header(authorization) if authorization is not None else _by_form(form)
    if authorization is not None and ("client_secret" in form or form.get("client_id", given.client_id) != given.client_id):
        raise Problem(400, "invalid_request", "the client authenticates in one way, and as one client")
    client = clients.get(given.client_id)
    expected = _NOBODY if client is None else client.secret_sha256
    if not hmac.compare_digest(digest_of(given.secret), expected) or client is None:
        raise _unknown()
    return client


def _by_header(authorization: str) -> _Credentials:
    """`client_secret_basic`: both parts are form-encoded before they are joined (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = b64decode(encoded.strip(), validate=True).decode("ascii").partition(":")
    except ValueError as exc:
        raise _unknown() from exc
    if scheme.lower() != "basic" or not colon:
        raise _unknown()
    return _Credentials(client_id=unquote_plus(client_id), secret=unquote_plus(secret))


def _by_form(form: Mapping[str, str]) -> _Credentials:
    """`client_secret_post`."""
    if not form.get("client_id") or not form.get("client_secret"):
        raise _unknown()
    return _Credentials(client_id=form["client_id"], secret=form["client_secret"])


def _unknown() -> Problem:
    headers = {"www-authenticate": 'Basic realm="token"'}  # RFC 6749 §5.2
    return Problem(401, "invalid_client", "the client is unknown or did not prove that it is the one", headers=headers)
