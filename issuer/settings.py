"""Settings: one frozen object, read once at start; a bad value stops the start with a sentence that names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from edge import settings as shared
from edge.settings import SettingsError, Wire
from issuer.institution_settings import InstitutionWire, Surroundings, institutions
from issuer.institutions import Institution
from vc.openid4vci.identifiers import is_loopback

__all__ = ["Settings", "SettingsError", "TrustSettings", "load", "parse"]


class _File(Wire):
    profile: Literal["demo", "production"]
    base_url: str
    listen: shared.Listen
    database: str
    allow_http_loopback: bool = False
    trust: shared.Trust | None = None
    tls_ca: str | None = None
    status_ttl_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    status_lifetime_seconds: Annotated[int, Field(ge=60, le=7 * 86_400)] = 86_400
    offer_seconds: Annotated[int, Field(ge=30, le=3600)] = 900
    access_token_seconds: Annotated[int, Field(ge=30, le=300)] = 300  # VCI-TOK-9: longer only when sender-constrained
    pushed_request_seconds: Annotated[int, Field(ge=5, le=90)] = 90  # FAPI 2.0: below 600
    sign_in_seconds: Annotated[int, Field(ge=60, le=600)] = 600
    code_seconds: Annotated[int, Field(ge=5, le=60)] = 60  # FAPI 2.0: at most 60
    refresh_days: Annotated[int, Field(ge=1, le=365)] = 365  # HAIP-VCI-13: not for longer than a year
    nonce_seconds: Annotated[int, Field(ge=30, le=600)] = 300
    batch_size: Annotated[int, Field(ge=1, le=50)] = 10
    credentials_per_grant: Annotated[int, Field(ge=1, le=1000)] = 100
    credential_days: Annotated[int, Field(ge=1, le=730)] = 90
    time_rounding_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600
    idempotency_seconds: Annotated[int, Field(ge=60, le=7 * 86_400)] = 86_400
    writes_per_minute: Annotated[int, Field(ge=1)] = 6000
    nonces_per_minute: Annotated[int, Field(ge=1)] = 60_000
    institutions: Annotated[list[InstitutionWire], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSettings:
    """Where the trust lists begin, where what was learned of them is kept, and how often they are asked for."""

    root: Path
    state: Path
    refresh_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service knows about itself. Paths are absolute; durations are in seconds or as the name says.

    `trust` None: no list is read, so wallet and key attestations are neither asked for nor taken. `tls_ca`: a CA besides those
    of the system, for what the service fetches. `batch_size` 1: one credential at a time.
    """

    profile: Literal["demo", "production"]
    base_url: str
    host: str
    port: int
    tls: tuple[Path, Path] | None
    database: str
    allow_http_loopback: bool
    trust: TrustSettings | None
    tls_ca: Path | None
    status_ttl_seconds: int
    status_lifetime_seconds: int
    offer_seconds: int
    access_token_seconds: int
    pushed_request_seconds: int
    sign_in_seconds: int
    code_seconds: int
    refresh_days: int
    nonce_seconds: int
    batch_size: int
    credentials_per_grant: int
    credential_days: int
    time_rounding_seconds: int
    idempotency_seconds: int
    writes_per_minute: int
    nonces_per_minute: int
    institutions: Mapping[str, Institution]


def load(path: Path) -> Settings:
    """The settings in the JSON file at `path`. Raises `SettingsError` with a sentence that names the bad value."""
    return parse(shared.read(path), base=path.resolve().parent)


def parse(raw: Mapping[str, Any], *, base: Path) -> Settings:
    """As `load`, from the JSON value; relative paths start at `base`."""
    file = shared.validated(_File, raw)
    _check_base_url(file)
    settings = Settings(
        profile=file.profile,
        base_url=file.base_url,
        host=file.listen.host,
        port=file.listen.port,
        tls=file.listen.tls_files(base),
        database=shared.database(file.database, base),
        allow_http_loopback=file.allow_http_loopback,
        trust=None
        if file.trust is None
        else TrustSettings(root=base / file.trust.root, state=base / file.trust.state, refresh_seconds=file.trust.refresh_seconds),
        tls_ca=None if file.tls_ca is None else base / file.tls_ca,
        status_ttl_seconds=file.status_ttl_seconds,
        status_lifetime_seconds=max(file.status_lifetime_seconds, 2 * file.status_ttl_seconds),
        offer_seconds=file.offer_seconds,
        access_token_seconds=file.access_token_seconds,
        pushed_request_seconds=file.pushed_request_seconds,
        sign_in_seconds=file.sign_in_seconds,
        code_seconds=file.code_seconds,
        refresh_days=file.refresh_days,
        nonce_seconds=file.nonce_seconds,
        batch_size=file.batch_size,
        credentials_per_grant=file.credentials_per_grant,
        credential_days=file.credential_days,
        time_rounding_seconds=file.time_rounding_seconds,
        idempotency_seconds=file.idempotency_seconds,
        writes_per_minute=file.writes_per_minute,
        nonces_per_minute=file.nonces_per_minute,
        institutions=institutions(
            file.institutions,
            Surroundings(
                base=base,
                base_url=file.base_url,
                allow_http_loopback=file.allow_http_loopback,
                trust=file.trust is not None,
                batch_size=file.batch_size,
                credential_seconds=file.credential_days * 86_400,
            ),
        ),
    )
    if settings.profile == "production":
        _refuse_demo_values(settings)
    return settings


def _check_base_url(file: _File) -> None:
    parts = shared.base_url(file.base_url)
    if parts.path:
        raise SettingsError("setting base_url: scheme, host and port only; the institutions' paths are added")
    if parts.scheme == "http" and not (file.allow_http_loopback and is_loopback(parts.hostname)):
        raise SettingsError("setting base_url: plain http is for loopback with allow_http_loopback only (OpenID4VCI 1.0 §12.2.1)")


_DEFAULT_SECRETS = ("", "admin", "changeme", "demo", "password", "secret", "test", "token")


def _refuse_demo_values(settings: Settings) -> None:
    addresses = shared.demo_address(
        base_url=settings.base_url, host=settings.host, tls=settings.tls, allow_http_loopback=settings.allow_http_loopback
    )
    refusals = {
        **addresses,
        "status_ttl_seconds: at least 30": settings.status_ttl_seconds < 30,
        "time_rounding_seconds: at least 60, times must not tell copies of one batch apart": settings.time_rounding_seconds < 60,
        "trust.refresh_seconds: at least 60": settings.trust is not None and settings.trust.refresh_seconds < 60,
    }
    known = {sha256(word.encode()).hexdigest() for word in _DEFAULT_SECRETS}
    for institution in settings.institutions.values():
        where, sign_in = f"institutions.{institution.id}", institution.sign_in
        refusals |= {
            f"{where}.keys: a certificate is marked as a test certificate": any(
                shared.marked_as_test(signer.chain) for signer in institution.signers.values()
            ),
            f"{where}.api_token_sha256: the digest of a default token": institution.api_token_sha256 in known,
            f"{where}.sign_in.issuer: https is required": sign_in is not None and not sign_in.issuer.startswith("https://"),
            f"{where}.sign_in.client_secret: a default or short secret": sign_in is not None
            and (sign_in.client_secret in _DEFAULT_SECRETS or len(sign_in.client_secret) < 16),
        }
    shared.refuse_demo_values(refusals)
