"""The member `openid_provider` of the settings: the signing key and the clients somebody registered, each checked at the start."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge import settings as shared
from edge.settings import SettingsError
from vc.encoding import base64url
from vc.errors import VcError
from vc.keys.jwk import thumbprint
from vc.keys.signer import LocalSigner
from vc.openid4vci import redirection
from verifier.openid_provider.claims import CLAIMS

ALGORITHM = "ES256"
"""The one algorithm of ID tokens: what the key must fit and what the metadata say."""


class ClientFile(shared.Wire):
    """One registered client as written in the file; `claims` are the names it may learn."""

    client_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]
    name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    client_secret_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    redirect_uris: Annotated[list[str], Field(min_length=1, max_length=20)]
    claims: Annotated[list[str], Field(min_length=1, max_length=20)]


class ProviderFile(shared.Wire):
    """The whole member. `acr`: the assurance the operator's trust list stands for; said in ID tokens only when given."""

    key: str
    clients: Annotated[list[ClientFile], Field(min_length=1, max_length=500)]
    acr: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")] | None = None
    max_open: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A relying party. `secret_sha256`: hexadecimal digest of its secret."""

    client_id: str
    name: str
    secret_sha256: str
    redirect_uris: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What the provider knows about itself. `max_open`: sign-ins of one client that may be open at a time."""

    signer: LocalSigner
    clients: Mapping[str, Client]
    acr: str | None
    max_open: int

    @property
    def kid(self) -> str:
        """The name of the signing key in the key set: its thumbprint (RFC 7638)."""
        return base64url.encode(thumbprint(self.signer.public_key))


def read(file: ProviderFile, *, base: Path, allow_http_loopback: bool) -> Provider:
    """The provider of a settings file. Raises `SettingsError` naming the member."""
    signer = LocalSigner(shared.private_key(base / file.key, "openid_provider.key"))
    if signer.curve.alg != ALGORITHM:
        raise SettingsError("setting openid_provider.key: not a key on P-256")
    clients: dict[str, Client] = {}
    for number, entry in enumerate(file.clients):
        where = f"openid_provider.clients.{number}"
        if entry.client_id in clients:
            raise SettingsError(f"setting {where}.client_id: registered twice")
        if unknown := [name for name in entry.claims if name not in CLAIMS]:
            raise SettingsError(f"setting {where}.claims: {unknown[0]} is none of {', '.join(CLAIMS)}")
        if len(set(entry.claims)) != len(entry.claims):
            raise SettingsError(f"setting {where}.claims: a claim occurs twice")
        for uri in entry.redirect_uris:
            _check_redirect_uri(uri, f"{where}.redirect_uris", allow_http_loopback=allow_http_loopback)
        clients[entry.client_id] = Client(
            client_id=entry.client_id,
            name=entry.name or entry.client_id,
            secret_sha256=entry.client_secret_sha256,
            redirect_uris=tuple(entry.redirect_uris),
            claims=tuple(entry.claims),
        )
    return Provider(signer=signer, clients=clients, acr=file.acr, max_open=file.max_open)


def _check_redirect_uri(uri: str, where: str, *, allow_http_loopback: bool) -> None:
    """RFC 6749 §3.1.2 and RFC 9700 §2.1: https; plain http on loopback for demo and tests only (docs/decisions/0007)."""
    try:
        redirection.check(uri)
    except VcError as exc:
        raise SettingsError(f"setting {where}: {exc.detail}") from exc
    if not uri.startswith("https://") and not (uri.startswith("http://") and allow_http_loopback):
        raise SettingsError(f"setting {where}: https is required")
