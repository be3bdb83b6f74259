"""The authorization response, carried by the browser to the wallet (RFC 6749 §4.1.2, RFC 9207; VCI-AUTHZ-6, -9)."""

from hmac import compare_digest
from urllib.parse import parse_qsl, quote, urlencode

from vc.errors import Malformed, VerificationFailed
from vc.openid4vci import redirection
from vc.openid4vci.errors import ProtocolError, plain

MAX_LENGTH = 8 * 1024
MAX_CODE = 1024
_CODE = "authorization_response"


def response_url(
    redirect_uri: str,
    *,
    iss: str,
    code: str | None = None,
    error: str | None = None,
    state: str | None = None,
    description: str = "",
) -> str:
    """The address to redirect the browser to with 303: `redirect_uri` with its query kept and the response added.

    `iss`: our identifier (RFC 9207 §2). `description`: of an error, for the wallet's developer. ValueError for neither or both
    of code and error; what `redirection.check` raises for a place nothing may be sent to.
    """
    if (code is None) == (error is None):
        raise ValueError("exactly one of code and error")
    redirection.check(redirect_uri)
    told = plain(description)[:500] if error is not None else ""
    given = {"code": code, "error": error, "error_description": told or None, "state": state, "iss": iss}
    query = urlencode({name: value for name, value in given.items() if value is not None}, quote_via=quote)
    return f"{redirect_uri}{_joint(redirect_uri)}{query}"


def _joint(redirect_uri: str) -> str:
    if "?" not in redirect_uri:
        return "?"
    return "" if redirect_uri.endswith(("?", "&")) else "&"


def parse_response(url: str, *, redirect_uri: str, state: str, issuer: str) -> str:
    """The wallet's reading of the address it was called with: the authorization code.

    `redirect_uri`, `state`: as this wallet sent them. `issuer`: the authorization server it pushed the request to.

    1 an address of ours  2 every parameter once  3 `state`  4 `iss` is there and that server's (RFC 9207 §2.4, against mix-up)
    5 no error  6 a code.

    Raises `Malformed("authorization_response")`, `VerificationFailed("authorization_redirect")` for another address,
    `VerificationFailed("authorization_state")`, `VerificationFailed("authorization_mix_up")`, and `ProtocolError` for an error
    of that server.
    """
    if len(url) > MAX_LENGTH:
        raise Malformed(_CODE, "the address is too long")
    start = redirect_uri + _joint(redirect_uri)
    if not url.startswith(start):
        raise VerificationFailed("authorization_redirect", "the response came to another address")
    try:
        pairs = parse_qsl(
            url[len(start) :].partition("#")[0], keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20
        )
    except ValueError as exc:
        raise Malformed(_CODE, "not a query") from exc
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed(_CODE, "a parameter is there twice")
    if not compare_digest(found.get("state", "").encode(), state.encode()):
        raise VerificationFailed("authorization_state", "state is not that of the request", pointer="/state")
    if found.get("iss") != issuer:
        raise VerificationFailed("authorization_mix_up", "iss is missing or another authorization server", pointer="/iss")
    if "error" in found:
        raise ProtocolError(plain(found["error"])[:100], found.get("error_description", "")[:1000])
    code = found.get("code", "")
    if not 0 < len(code) <= MAX_CODE:
        raise Malformed(_CODE, "neither error nor a code of reasonable length", pointer="/code")
    return code
