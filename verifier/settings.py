"""The settings of one verifier: read once at the start, checked as a whole, then handed down and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from edge import settings as shared
from edge.settings import SettingsError
from trust_list.federation import settings as federations
from vc.errors import VcError
from vc.keys.signer import LocalSigner
from vc.openid4vp.client_id import dns_names
from vc.x509.profiles import ACCESS
from verifier import registration
from verifier.openid_provider import registry
from verifier.openid_provider.claims import purpose as sign_in_purpose
from verifier.purposes import PURPOSES, Purpose
from verifier.registration import SIGN_IN, Registered

__all__ = ["ClientIdPrefix", "Settings", "SettingsError", "has_dns_name", "host_name", "load", "parse"]

ClientIdPrefix = Literal["x509_hash", "x509_san_dns"]


class _Trust(shared.Trust):
    """The trust lists, and a federation for issuers they know nothing about."""

    federation: federations.FederationFile | None = None


class _File(shared.Wire):
    profile: Literal["demo", "production"]
    base_url: str
    listen: shared.Listen
    database: str
    name: Annotated[str, Field(min_length=1, max_length=120)]
    allow_http_loopback: bool = False
    client_id_prefix: ClientIdPrefix = "x509_hash"
    access: shared.KeyFiles
    trust: _Trust
    tls_ca: str | None = None
    status_min_ttl_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    request_lifetime_seconds: Annotated[int, Field(ge=1, le=900)] = 300
    result_retention_seconds: Annotated[int, Field(ge=1, le=604_800)] = 3600
    api_token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    certificate_revocation: Literal["required", "off"] = "required"
    registration_certificates: Annotated[dict[str, str], Field(default_factory=dict)]
    registration_certificate_encoding: Literal["jwt", "base64url"] = "jwt"
    openid_provider: registry.ProviderFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service knows about itself. Paths are absolute; durations are in seconds."""

    profile: Literal["demo", "production"]
    base_url: str
    host: str
    port: int
    tls: tuple[Path, Path] | None
    database: str
    name: str
    allow_http_loopback: bool
    client_id_prefix: ClientIdPrefix
    access: LocalSigner
    trust_root: Path
    trust_state: Path
    trust_refresh_seconds: int
    trust_federation: federations.Federation | None
    tls_ca: Path | None
    status_min_ttl_seconds: int
    request_lifetime_seconds: int
    result_retention_seconds: int
    api_token_sha256: str | None
    certificate_revocation: Literal["required", "off"]
    registration_certificates: Mapping[str, Registered]
    registration_certificate_encoding: Literal["jwt", "base64url"]
    openid_provider: registry.Provider | None


def load(path: Path) -> Settings:
    """The settings in the JSON file at `path`. Raises `SettingsError` with a sentence that names the bad value."""
    return parse(shared.read(path), base=path.resolve().parent)


def parse(raw: dict[str, Any], *, base: Path) -> Settings:
    """As `load`, from the JSON value; relative paths start at `base`."""
    file = shared.validated(_File, raw)
    shared.base_url(file.base_url)
    access = shared.signer(file.access, base, "access", ACCESS)  # HAIP-VP-2
    provider = _provider(file, base)
    settings = Settings(
        profile=file.profile,
        base_url=file.base_url,
        host=file.listen.host,
        port=file.listen.port,
        tls=file.listen.tls_files(base),
        database=shared.database(file.database, base),
        name=file.name,
        allow_http_loopback=file.allow_http_loopback,
        client_id_prefix=file.client_id_prefix,
        access=access,
        trust_root=base / file.trust.root,
        trust_state=base / file.trust.state,
        trust_refresh_seconds=file.trust.refresh_seconds,
        trust_federation=_federation(file.trust.federation),
        tls_ca=None if file.tls_ca is None else base / file.tls_ca,
        status_min_ttl_seconds=file.status_min_ttl_seconds,
        request_lifetime_seconds=file.request_lifetime_seconds,
        result_retention_seconds=file.result_retention_seconds,
        api_token_sha256=file.api_token_sha256,
        certificate_revocation=file.certificate_revocation,
        registration_certificates=registration.read(
            file.registration_certificates, base=base, access=access.chain[0], purposes=_purposes(provider)
        ),
        registration_certificate_encoding=file.registration_certificate_encoding,
        openid_provider=provider,
    )
    if settings.client_id_prefix == "x509_san_dns" and not has_dns_name(settings):  # VP-CID-2
        raise SettingsError("setting client_id_prefix: the access certificate does not name the host of base_url")
    if settings.profile == "production":
        _refuse_demo_values(settings)
    return settings


def _federation(file: federations.FederationFile | None) -> federations.Federation | None:
    try:
        return None if file is None else federations.read(file)
    except VcError as exc:
        raise SettingsError(f"setting trust.federation: {exc.detail}") from exc


def _provider(file: _File, base: Path) -> registry.Provider | None:
    if file.openid_provider is None:
        return None
    return registry.read(file.openid_provider, base=base, allow_http_loopback=file.allow_http_loopback)


def _purposes(provider: registry.Provider | None) -> dict[str, list[Purpose]]:
    """What is asked in each intended use: the fixed purposes, and what each client of the OpenID Provider may learn."""
    clients = () if provider is None else provider.clients.values()
    return {**{name: [one] for name, one in PURPOSES.items()}, SIGN_IN: [sign_in_purpose(client.claims) for client in clients]}


def has_dns_name(settings: Settings) -> bool:
    """True when the host of `base_url` is a dNSName of the access certificate, so that x509_san_dns can be used (VP-CID-2)."""
    return host_name(settings).lower() in dns_names(settings.access.chain[0])


def host_name(settings: Settings) -> str:
    """The host of `base_url` without port."""
    return urlsplit(settings.base_url).hostname or ""


def _refuse_demo_values(settings: Settings) -> None:
    addresses = shared.demo_address(
        base_url=settings.base_url, host=settings.host, tls=settings.tls, allow_http_loopback=settings.allow_http_loopback
    )
    shared.refuse_demo_values(
        {
            **addresses,
            "access: the certificate is marked as a test certificate": shared.marked_as_test(settings.access.chain),
            "api_token_sha256: required": settings.api_token_sha256 is None,
            "trust.refresh_seconds: at least 60": settings.trust_refresh_seconds < 60,
            "status_min_ttl_seconds: at least 30": settings.status_min_ttl_seconds < 30,
        }
    )
