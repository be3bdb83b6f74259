"""Statuses from status lists: a list is fetched whole, cached, and believed only when the service that the caller trusts for it
signed it. A fault of the network never becomes "revoked", nor "valid" (SECURITY 2.7).

Written rules (S-9): a kept list is used without asking again until `min(fetched + ttl, exp)`, that moment excluded; it may be
used when asking fails until `exp`, that moment excluded too. `exp` always outranks `ttl` (R-14).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from cryptography import x509

from trust_list.client import Getter
from trust_list.status_memory import KeptToken, TokenMemory
from vc.errors import Refused, Unreachable, VcError
from vc.status import token as tokens
from vc.status.bits import StatusValue
from vc.status.reference import StatusReference
from vc.status.token import StatusToken, UnverifiedStatusToken
from vc.x509.certificate import public_key

DEFAULT_TTL = timedelta(minutes=5)
MAX_TTL = timedelta(hours=12)
STALE_AFTER = timedelta(hours=24)  # DOMAIN 6.1 rule 4
MAX_TOKEN = 12 << 20  # 8 MiB packed, in base64url, and the envelope (SECURITY 4.2)
MAX_IN_MEMORY = 256 << 20
_MEDIA_TYPES = {"jwt": "application/statuslist+jwt", "cwt": "application/statuslist+cwt"}
_log = structlog.get_logger("trust_list.status")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSigner:
    """Who signed a status list, by its own word: certificates, leaf first, and the time of signing."""

    chain: tuple[x509.Certificate, ...]
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAnswer:
    """What the status list says: `value` None when nothing can be said; `because` is the code of a reason or warning."""

    value: StatusValue | None
    detail: str
    because: str | None = None


SignerJudge = Callable[[StatusSigner], bool]
"""May this signer speak about the thing whose status is asked? Asked each time, also for a kept list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A token whose signature and dates held with the key it brought; whether that key counts is asked each time."""

    token: StatusToken
    signer: StatusSigner
    raw: bytes
    fetched_at: datetime


class _Problem(Exception):
    """Why there is no fresh list: reason code and detail."""

    def __init__(self, because: str, detail: str) -> None:
        super().__init__(because)
        self.because, self.detail = because, detail


class StatusLists:
    """Looks statuses up. Safe to share between threads; one fetch per list at a time."""

    def __init__(self, outbound: Getter, memory: TokenMemory, *, min_ttl: timedelta) -> None:
        self._outbound, self._memory, self._min_ttl = outbound, memory, min_ttl
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._fetching: dict[tuple[str, str], threading.Lock] = {}

    def look_up(self, reference: StatusReference, kind: str, *, trusted: SignerJudge, now: datetime) -> StatusAnswer:
        """What the list of `kind` (`jwt` or `cwt`) says at `reference`, or why nothing can be said.

        Never raises for an outage or a bad list.
        """
        entry, warning = self._usable(reference.uri, kind, now, trusted)
        if entry is None:
            return StatusAnswer(value=None, because=warning[0], detail=warning[1])
        return _read(entry, reference, warning)

    def _usable(self, uri: str, kind: str, now: datetime, trusted: SignerJudge) -> tuple[_Entry | None, tuple[str, str]]:
        with self._lock:
            lock = self._fetching.setdefault((uri, kind), threading.Lock())
        with lock:
            held = self._held(uri, kind, now)
            if held is not None and not trusted(held.signer):
                held = None
            if held is not None and now < self._fresh_until(held):
                return held, ("", f"list of {held.token.iat:%Y-%m-%d %H:%M:%S} UTC")
            try:
                found = self._fetch(uri, kind, now)
                if not trusted(found.signer):
                    raise _Problem("status_list_untrusted", "the signer is not the status service of the issuer")
            except _Problem as problem:
                return _fall_back(held, problem, now)
            if held is not None and found.token.iat < held.token.iat:
                _log.warning("status list rollback")
                return held, ("status_rollback", "the address delivered an older list; the newer one was used")
            self._keep(uri, kind, found)
            return found, ("", f"list of {found.token.iat:%Y-%m-%d %H:%M:%S} UTC")

    def _fetch(self, uri: str, kind: str, now: datetime) -> _Entry:
        try:
            fetched = self._outbound.get(uri, headers={"accept": _MEDIA_TYPES[kind]}, max_bytes=MAX_TOKEN)
        except Refused as error:
            raise _Problem("status_address_refused", _told(error)) from error
        except Unreachable as error:
            raise _Problem("status_unreachable", _told(error)) from error
        if not 200 <= fetched.status < 300:
            raise _Problem("status_unreachable", f"the address answered with {fetched.status}")
        if fetched.media_type != _MEDIA_TYPES[kind]:
            raise _Problem("status_list_invalid", f"the answer is not {_MEDIA_TYPES[kind]}")
        try:
            return _open(fetched.body, uri, kind, now, fetched_at=now)
        except VcError as error:
            because = "status_list_expired" if error.code == "status_expired" else "status_list_invalid"
            raise _Problem(because, _told(error)) from error

    def _held(self, uri: str, kind: str, now: datetime) -> _Entry | None:
        """The newest kept list that is still in its time, from this process or from the store (verified again)."""
        kept = self._memory.get(uri, kind)
        with self._lock:
            entry = self._entries.get((uri, kind))
        if kept is not None and (entry is None or kept.token != entry.raw):
            try:
                entry = _open(kept.token, uri, kind, now, fetched_at=kept.fetched_at)
            except VcError:
                return None
            self._remember(uri, kind, entry)
        elif kept is not None and entry is not None and kept.fetched_at > entry.fetched_at:
            entry = _Entry(token=entry.token, signer=entry.signer, raw=entry.raw, fetched_at=kept.fetched_at)
            self._remember(uri, kind, entry)
        if entry is None or (entry.token.exp is not None and now >= entry.token.exp):
            return None
        return entry

    def _keep(self, uri: str, kind: str, entry: _Entry) -> None:
        self._memory.put(uri, kind, KeptToken(token=entry.raw, issued_at=entry.token.iat, fetched_at=entry.fetched_at))
        self._remember(uri, kind, entry)

    def _remember(self, uri: str, kind: str, entry: _Entry) -> None:
        with self._lock:
            self._entries[uri, kind] = entry
            self._entries.move_to_end((uri, kind))
            while len(self._entries) > 1 and sum(len(one.token.list.data) for one in self._entries.values()) > MAX_IN_MEMORY:
                self._entries.popitem(last=False)

    def _fresh_until(self, entry: _Entry) -> datetime:
        ceiling = DEFAULT_TTL if entry.token.ttl is None else MAX_TTL
        return entry.token.fresh_until(entry.fetched_at, floor=self._min_ttl, ceiling=max(ceiling, self._min_ttl))


def _open(raw: bytes, uri: str, kind: str, now: datetime, *, fetched_at: datetime) -> _Entry:
    """Parse and verify a token with the key of its own leaf. Raises what `vc.status.token` raises."""
    unverified: UnverifiedStatusToken
    if kind == "jwt":
        try:
            unverified = tokens.parse_jwt(raw.decode("ascii"))
        except UnicodeDecodeError as exc:
            raise Refused("status_token", "the list is not a JWT") from exc
    else:
        unverified = tokens.parse_cwt(raw)
    chain = unverified.chain
    token = tokens.verify(unverified, public_key(chain[0]), uri=uri, now=now)
    return _Entry(token=token, signer=StatusSigner(chain=chain, signed_at=token.iat), raw=raw, fetched_at=fetched_at)


def _fall_back(held: _Entry | None, problem: _Problem, now: datetime) -> tuple[_Entry | None, tuple[str, str]]:
    """What an older copy is still good for when asking failed (DOMAIN 6.1 rule 4)."""
    if held is None:
        return None, (problem.because, problem.detail)
    age = now - held.fetched_at
    because = "status_from_cache" if age <= STALE_AFTER else "status_stale"
    return held, (because, f"{problem.detail}; the copy used is {int(age.total_seconds() // 60)} minutes old")


def _read(entry: _Entry, reference: StatusReference, warning: tuple[str, str]) -> StatusAnswer:
    because, detail = warning
    try:
        value = entry.token.status(reference.idx)
    except VcError as error:  # index past the end, S-3
        return StatusAnswer(value=None, because="status_index_invalid", detail=_told(error))
    return StatusAnswer(value=value, because=because or None, detail=detail)


def _told(error: VcError) -> str:
    """Detail and code of an error, and where; errors of the core never quote the input."""
    where = f" at {error.pointer}" if error.pointer else ""
    return f"{error.detail or 'refused'}{where} [{error.code}]"
