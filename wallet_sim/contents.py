"""What the wallet file holds: credentials with copies and keys, the grants they came by, and what is still to be collected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy of a credential with the key it is bound to. `uses`: how often it was presented.

    `last`: the presentation a verifier took last, kept so that a replay can be tried.
    """

    credential: str = field(repr=False)
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    uses: int = 0
    last: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One credential as the user sees it: `number` never changes. All copies say the same and differ in keys and salts.

    `grant`: id of the grant it can be issued again by, None when there is none.
    """

    number: int
    format: str
    type_id: str
    configuration_id: str
    issuer: str
    received: datetime
    copies: tuple[Copy, ...]
    grant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an authorization server allowed. `server`: its identifier. `client_id` None: asked for anonymously.

    `dpop_key`: the key its tokens are bound to, None for bearer tokens. `identifiers`: credential identifiers by configuration.
    """

    id: str
    credential_issuer: str
    server: str
    client_id: str | None
    access_token: str = field(repr=False)
    expires: datetime | None
    refresh_token: str | None = field(repr=False)
    dpop_key: ec.EllipticCurvePrivateKey | None = field(repr=False)
    identifiers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A credential the issuer needs time for. `number`: the one the credential will have. `keys`: those it will be bound to.

    `not_before`: the issuer does not want to be asked earlier; `interval`: seconds between two questions.
    """

    number: int
    grant: str
    configuration_id: str
    format: str
    type_id: str
    issuer: str
    transaction_id: str = field(repr=False)
    interval: int
    not_before: datetime
    keys: tuple[ec.EllipticCurvePrivateKey, ...] = field(repr=False)


@dataclass(slots=True)
class Contents:
    """The whole file. `instances`: the wallet's instance key at each authorization server, by its identifier: another one at
    each, so that two issuers cannot tell that they have the same wallet before them (HAIP 1.0 §4.4.1)."""

    holdings: list[Holding] = field(default_factory=list)
    grants: dict[str, Grant] = field(default_factory=dict)
    pending: list[Pending] = field(default_factory=list)
    instances: dict[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)

    def next_number(self) -> int:
        """The next free number, of credentials and of those to come."""
        taken = [holding.number for holding in self.holdings] + [pending.number for pending in self.pending]
        return max(taken, default=0) + 1

    def drop_unused_grants(self) -> None:
        """Forget the tokens nothing depends on any more."""
        used = {holding.grant for holding in self.holdings} | {pending.grant for pending in self.pending}
        self.grants = {name: grant for name, grant in self.grants.items() if name in used}
