"""What every part of the service is handed: settings, database, clock and randomness. Nothing else is shared between requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest

from sqlalchemy import Engine

from issuer.institutions import Institution
from issuer.settings import Settings
from issuer.sign_in.provider import Providers
from issuer.store.engine import Reader
from issuer.store.writer import Writer
from issuer.wallet_trust import WalletTrust
from vc.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`clock` gives aware UTC in whole seconds, `random_bytes` comes from the operating system (or a test).

    `writer`: for what hot paths write; `reader`: for what they read on the event loop. Both open their connection at first use.
    `wallet_trust`: which wallet providers are believed; None where no trust list was given, and then none is.
    `providers`: the OpenID Providers people sign in at; None where no institution has one.
    """

    settings: Settings
    engine: Engine
    clock: Clock
    random_bytes: Callable[[int], bytes]
    wallet_trust: WalletTrust | None = None
    writer: Writer = field(init=False, repr=False, compare=False)
    reader: Reader = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "writer", Writer(self.engine))
        object.__setattr__(self, "reader", Reader(self.engine))

    async def close(self) -> None:
        """Finish what is being written and let go of the kept connections; they are opened again when needed."""
        await self.writer.close()
        self.reader.close()

    providers: Providers | None = None

    def institution(self, institution_id: str) -> Institution | None:
        """The institution whose path that is."""
        return self.settings.institutions.get(institution_id)

    def institution_of_token(self, token: str) -> Institution | None:
        """The institution an API token belongs to. Every digest is compared, each in constant time."""
        given, found = sha256(token.encode()).hexdigest(), None
        for institution in self.settings.institutions.values():
            if compare_digest(given, institution.api_token_sha256):
                found = institution
        return found

    def opaque_id(self) -> str:
        """128 random bits in hex: unguessable, and safe in a path and as a command-line argument."""
        return self.random_bytes(16).hex()


def system_clock() -> datetime:
    """The present second."""
    return datetime.now(UTC).replace(microsecond=0)
