"""DPoP nonces (RFC 9449 §8): made and checked without memory, by a secret all workers share; so one given here is good there."""

import threading
from collections.abc import Callable
from datetime import datetime

from issuer.service import Service
from issuer.store import secrets
from vc.openid4vci import dpop

HEADER = "DPoP-Nonce"
_NAME = "dpop_nonce"


class DpopNonces:
    """The nonces of one service. Every answer that concerns DPoP carries one, so that the wallet's next proof has it already."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._secret: bytes | None = None

    def current(self, now: datetime) -> str:
        """The nonce to give out at `now`."""
        return dpop.nonce_make(self._known(now), now)

    def checker(self, now: datetime) -> Callable[[str | None], None]:
        """For `dpop.verify`: raises `Refused("dpop_nonce")` for a nonce that is absent, not ours, or over."""

        def check(nonce: str | None) -> None:
            dpop.nonce_check((self._known(now),), nonce, now)

        return check

    def _known(self, now: datetime) -> bytes:
        with self._lock:
            if self._secret is None:
                service = self._service
                self._secret = secrets.shared(service.engine, _NAME, random_bytes=service.random_bytes, now=now)
            return self._secret
