"""The transcript: every message the wallet sent or got, redacted, and what it decided in between."""

from collections.abc import Mapping
from typing import Any

from edge.outbound import Fetched, Outbound
from vc.clock import Clock
from vc.encoding import json
from vc.errors import Unreachable, VcError
from wallet_sim import redaction

_HEADERS = frozenset({"content-type", "cache-control", "www-authenticate", "location", "accept"})
# Of these only the shape is shown: they open something.
_SHAPES = frozenset(
    {
        "dpop", "dpop-nonce", "oauth-client-attestation", "oauth-client-attestation-pop", "oauth-client-attestation-challenge",
    }
)  # fmt: skip


class Transcript:
    """A list of entries, oldest first; each has `n`, `at` and `kind` (`exchange` or `note`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[dict[str, Any]] = []

    def note(self, what: str, **facts: Any) -> None:
        """Record a decision; `facts` must be free of personal data."""
        self._add({"kind": "note", "what": what, **facts})

    def exchange(self, *, method: str, url: str, headers: Mapping[str, str], sent: Any, got: Fetched | VcError) -> None:
        """Record one request and its answer, or why there was none."""
        answer: dict[str, Any]
        if isinstance(got, VcError):
            answer = {"error": got.code}
        else:
            content_type = got.headers.get("content-type", "")
            answer = {
                "status": got.status,
                "headers": _headers(got.headers),
                "body": redaction.body(content_type, got.body),
            }
        request = {"method": method, "url": redaction.url(url), "headers": _headers(headers), "body": sent}
        self._add({"kind": "exchange", "request": request, "answer": answer})

    def to_json(self) -> list[dict[str, Any]]:
        """The entries."""
        return list(self._entries)

    def _add(self, entry: dict[str, Any]) -> None:
        at = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        self._entries.append({"n": len(self._entries) + 1, "at": at, **entry})


class Wire:
    """The wallet's only way out: bounded requests, each written to the transcript, redirects never followed (VP-REQ-13)."""

    def __init__(self, outbound: Outbound, transcript: Transcript) -> None:
        self._outbound = outbound
        self.transcript = transcript

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        """GET, as `Outbound.get`."""
        shown = headers or {}
        try:
            got = self._outbound.get(url, headers=headers, max_bytes=max_bytes)
        except VcError as error:
            self.transcript.exchange(method="GET", url=url, headers=shown, sent=None, got=error)
            raise
        self.transcript.exchange(method="GET", url=url, headers=shown, sent=None, got=got)
        return got

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Fetched:
        """POST a form, a JSON value (`body`), a signed or encrypted `token`, or nothing, as `Outbound.post`."""
        sent = redaction.value(form if form is not None else body if token is None else token)
        shown = dict(headers or {}) | ({} if token is None else {"content-type": "application/jwt"})
        raw = None if token is None else token.encode("ascii")
        try:
            got = self._outbound.post(url, form=form, json=body, body=raw, headers=shown)
        except VcError as error:
            self.transcript.exchange(method="POST", url=url, headers=shown, sent=sent, got=error)
            raise
        self.transcript.exchange(method="POST", url=url, headers=shown, sent=sent, got=got)
        return got


def json_object(fetched: Fetched, *, what: str) -> dict[str, Any]:
    """The JSON object of an answer (strict). Raises `Unreachable("content_type")` when it does not say it is JSON."""
    if fetched.media_type != "application/json":
        raise Unreachable("content_type", f"the {what} answer is not application/json")
    return json.loads_object(fetched.body)


def _headers(headers: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, text in headers.items():
        lower = name.lower()
        if lower in _HEADERS:
            shown[lower] = redaction.url(text) if lower == "location" else text[:200]
        elif lower in _SHAPES:
            shown[lower] = redaction.token(text)
        elif lower == "authorization":
            shown[lower] = f"{text.partition(' ')[0]} …"
    return shown
