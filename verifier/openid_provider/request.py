"""The authentication request (OpenID Connect Core 1.0 §3.1.2.1): read strictly, answered by redirect only where that is safe."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vc.errors import Malformed
from vc.openid4vci import pkce
from verifier.openid_provider.registry import Client

RESPONSE_TYPES = ("code",)
RESPONSE_MODES = ("query",)
SCOPES = ("openid",)
CHALLENGE_METHODS = (pkce.METHOD,)
"""What is understood. The metadata are made from the same names."""
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_SHORT = re.compile(r"[\x20-\x7e]{1,1024}\Z")  # RFC 6749 appendix A.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationRequest:
    """A request of a registered client to one of its own addresses; every rule was checked."""

    client: Client
    redirect_uri: str
    state: str | None
    nonce: str | None
    code_challenge: str


class NoClient(Exception):
    """Nobody can be told but the person: the client or its address is not known. `text` says what is wrong."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class RequestRefused(Exception):
    """The client is told by redirect. `code` is the specification's error code (RFC 6749 §4.1.2.1, OpenID Core §3.1.2.6)."""

    def __init__(self, redirect_uri: str, state: str | None, code: str, text: str) -> None:
        super().__init__(code)
        self.redirect_uri, self.state, self.code, self.text = redirect_uri, state, code, text


def parse(fields: Mapping[str, str], clients: Mapping[str, Client]) -> AuthenticationRequest:
    """The request in `fields`. Raises `NoClient` before the address is known to be the client's, `RequestRefused` after."""
    client = clients.get(fields.get("client_id", ""))
    if client is None:
        raise NoClient("The service that sent you here is not registered with this verifier.")
    redirect_uri = fields.get("redirect_uri", "")
    if redirect_uri not in client.redirect_uris:  # exact comparison, RFC 9700 §2.1
        raise NoClient("The address to which you would be sent back is not registered for the service that sent you here.")
    state = fields.get("state") or None
    if state is not None and not _SHORT.match(state):
        raise RequestRefused(redirect_uri, None, "invalid_request", "state is a short printable text")
    for code, text, broken in _RULES:
        if broken(fields):
            raise RequestRefused(redirect_uri, state, code, text)
    return AuthenticationRequest(
        client=client,
        redirect_uri=redirect_uri,
        state=state,
        nonce=fields.get("nonce") or None,
        code_challenge=fields["code_challenge"],
    )


def _challenge(fields: Mapping[str, str]) -> str | None:
    try:
        return pkce.check_challenge(fields.get("code_challenge"), fields.get("code_challenge_method"))
    except Malformed:
        return None


def _bad_prompt(fields: Mapping[str, str]) -> bool:
    prompts = fields.get("prompt", "").split()
    return not _PROMPTS.issuperset(prompts) or ("none" in prompts and len(prompts) > 1)


_RULES: tuple[tuple[str, str, Callable[[Mapping[str, str]], bool]], ...] = (
    ("request_not_supported", "request objects are not supported", lambda f: "request" in f),
    ("request_uri_not_supported", "request objects are not supported", lambda f: "request_uri" in f),
    ("registration_not_supported", "clients are registered by the operator", lambda f: "registration" in f),
    ("invalid_request", "response_type is missing", lambda f: not f.get("response_type")),
    ("unsupported_response_type", "response_type: code", lambda f: f["response_type"] not in RESPONSE_TYPES),
    ("invalid_request", "response_mode: query", lambda f: f.get("response_mode", "query") not in RESPONSE_MODES),
    ("invalid_scope", "scope must contain openid", lambda f: "openid" not in f.get("scope", "").split(" ")),
    ("invalid_request", "PKCE with S256 is required: code_challenge, code_challenge_method", lambda f: _challenge(f) is None),
    ("invalid_request", "nonce is a short printable text", lambda f: bool(f.get("nonce")) and not _SHORT.match(f["nonce"])),
    ("invalid_request", "prompt is not understood", _bad_prompt),
    ("login_required", "every sign-in needs the wallet: nobody stays signed in", lambda f: f.get("prompt", "").split() == ["none"]),
)
"""(error code, text, whether the request breaks the rule), in order; each may rely on the ones before it."""
