"""Settings: one frozen object, read once at start; a bad value stops the start with a sentence that names it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from issuer.institutions import Institution, KeyUse, load_signer
from vc.documents.catalogue import DOCUMENT_TYPES
from vc.encoding import json
from vc.errors import VcError
from vc.x509.certificate import spki


class SettingsError(ValueError):
    """A setting is wrong; the text is one sentence that names it, for the person who starts the service."""


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _KeyFiles(_Wire):
    key: str
    chain: str


class _Keys(_Wire):
    seal: _KeyFiles
    document_signer: _KeyFiles
    status: _KeyFiles


class _Tls(_Wire):
    certificate: str
    key: str


class _Listen(_Wire):
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=0, le=65535)]
    tls: _Tls | None = None


class _Institution(_Wire):
    id: Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    registration_id: Annotated[str, Field(min_length=1, max_length=100)]
    types: Annotated[list[str], Field(min_length=1)]
    api_token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    keys: _Keys


class _File(_Wire):
    profile: Literal["demo", "production"]
    base_url: str
    listen: _Listen
    database: str
    allow_http_loopback: bool = False
    status_ttl_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    status_lifetime_seconds: Annotated[int, Field(ge=60, le=7 * 86_400)] = 86_400
    offer_seconds: Annotated[int, Field(ge=30, le=3600)] = 900
    access_token_seconds: Annotated[int, Field(ge=30, le=300)] = 300  # VCI-TOK-9: longer only when sender-constrained
    nonce_seconds: Annotated[int, Field(ge=30, le=600)] = 300
    batch_size: Annotated[int, Field(ge=2, le=50)] = 10
    credentials_per_grant: Annotated[int, Field(ge=1, le=1000)] = 100
    credential_days: Annotated[int, Field(ge=1, le=730)] = 90
    time_rounding_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600
    idempotency_seconds: Annotated[int, Field(ge=60, le=7 * 86_400)] = 86_400
    writes_per_minute: Annotated[int, Field(ge=1)] = 6000
    nonces_per_minute: Annotated[int, Field(ge=1)] = 60_000
    institutions: Annotated[list[_Institution], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service knows about itself. Paths are absolute; durations are in seconds or as the name says."""

    profile: Literal["demo", "production"]
    base_url: str
    host: str
    port: int
    tls: tuple[Path, Path] | None
    database: str
    status_ttl_seconds: int
    status_lifetime_seconds: int
    offer_seconds: int
    access_token_seconds: int
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
    try:
        raw = json.loads_object(path.read_bytes())
    except OSError as exc:
        raise SettingsError(f"the settings file cannot be read: {exc.strerror}") from exc
    except VcError as exc:
        raise SettingsError(f"the settings file is not strict JSON: {exc}") from exc
    return parse(raw, base=path.resolve().parent)


def parse(raw: Mapping[str, Any], *, base: Path) -> Settings:
    """As `load`, from the JSON value; relative paths start at `base`."""
    try:
        file = _File.model_validate(raw)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        raise SettingsError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from exc
    base_url = _base_url(file.base_url, loopback_http=file.allow_http_loopback)
    settings = Settings(
        profile=file.profile,
        base_url=base_url,
        host=file.listen.host,
        port=file.listen.port,
        tls=None if file.listen.tls is None else (base / file.listen.tls.certificate, base / file.listen.tls.key),
        database=_database(file.database, base),
        status_ttl_seconds=file.status_ttl_seconds,
        status_lifetime_seconds=max(file.status_lifetime_seconds, 2 * file.status_ttl_seconds),
        offer_seconds=file.offer_seconds,
        access_token_seconds=file.access_token_seconds,
        nonce_seconds=file.nonce_seconds,
        batch_size=file.batch_size,
        credentials_per_grant=file.credentials_per_grant,
        credential_days=file.credential_days,
        time_rounding_seconds=file.time_rounding_seconds,
        idempotency_seconds=file.idempotency_seconds,
        writes_per_minute=file.writes_per_minute,
        nonces_per_minute=file.nonces_per_minute,
        institutions=_institutions(file.institutions, base_url, base),
    )
    if settings.profile == "production":
        _refuse_demo_values(settings, allow_http_loopback=file.allow_http_loopback)
    return settings


def _base_url(text: str, *, loopback_http: bool) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError as exc:
        raise SettingsError("setting base_url: not a URL") from exc
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingsError("setting base_url: not an http(s) URL without query, fragment and user name")
    if text.endswith("/") or parts.path:
        raise SettingsError("setting base_url: scheme, host and port only; the institutions' paths are added")
    if parts.scheme == "http" and not (loopback_http and host in ("localhost", "127.0.0.1", "::1")):
        raise SettingsError("setting base_url: plain http is for loopback with allow_http_loopback only (OpenID4VCI 1.0 §12.2.1)")
    return text


def _database(text: str, base: Path) -> str:
    try:
        url = make_url(text)
    except ArgumentError as exc:
        raise SettingsError("setting database: not an SQLAlchemy URL") from exc
    if url.get_backend_name() != "sqlite":
        raise SettingsError("setting database: only sqlite is supported in this version")
    if not url.database or url.database == ":memory:":
        raise SettingsError("setting database: a file is required, several workers share it")
    return url.set(database=str(base / url.database)).render_as_string(hide_password=False)


def _institutions(wires: list[_Institution], base_url: str, base: Path) -> dict[str, Institution]:
    institutions: dict[str, Institution] = {}
    for wire in wires:
        where = f"institutions.{wire.id}"
        if wire.id in institutions or wire.id in _RESERVED:
            raise SettingsError(f"setting {where}: the id is used twice or is a path of the service itself")
        unknown = sorted(set(wire.types) - DOCUMENT_TYPES.keys())
        if unknown:
            raise SettingsError(f"setting {where}.types: unknown document type {unknown[0]}")
        if any(other.api_token_sha256 == wire.api_token_sha256 for other in institutions.values()):
            raise SettingsError(f"setting {where}.api_token_sha256: the same token for two institutions")
        files = {KeyUse.SEAL: wire.keys.seal, KeyUse.DOCUMENT_SIGNER: wire.keys.document_signer, KeyUse.STATUS: wire.keys.status}
        signers = {}
        for use, file in files.items():
            try:
                signers[use] = load_signer(base / file.key, base / file.chain, use=use)
            except (VcError, OSError, ValueError) as exc:
                reason = exc.detail if isinstance(exc, VcError) else getattr(exc, "strerror", None) or "not readable PEM"
                raise SettingsError(f"setting {where}.keys.{use}: {reason}") from exc
        mine = {spki(signer.chain[0]) for signer in signers.values()}
        if any(spki(signer.chain[0]) in mine for other in institutions.values() for signer in other.signers.values()):
            raise SettingsError(f"setting {where}.keys: a key of another institution")  # O-12
        institutions[wire.id] = Institution(
            id=wire.id,
            name=wire.name,
            country=wire.country,
            registration_id=wire.registration_id,
            types=tuple(wire.types),
            api_token_sha256=wire.api_token_sha256,
            credential_issuer=f"{base_url}/{wire.id}",
            signers=signers,
        )
    return institutions


_RESERVED = frozenset({"api", "type-metadata", "healthz"})
_TEST_NAME = re.compile(r"\b(test|demo)\b", re.IGNORECASE)
_DEFAULT_TOKENS = ("", "admin", "changeme", "demo", "password", "secret", "test", "token")


def _refuse_demo_values(settings: Settings, *, allow_http_loopback: bool) -> None:
    """O-19: what is fine on one machine for a demonstration is refused where people rely on the answer."""
    host = urlsplit(settings.base_url).hostname or ""
    refusals = {
        "base_url: https is required": not settings.base_url.startswith("https://"),
        "base_url: a loopback host is not reachable by anybody": host in ("localhost", "127.0.0.1", "::1"),
        "allow_http_loopback: must be false": allow_http_loopback,
        "listen.host: a wildcard address needs tls": settings.tls is None and settings.host in ("0.0.0.0", "::", "*"),  # noqa: S104
        "status_ttl_seconds: at least 30": settings.status_ttl_seconds < 30,
        "time_rounding_seconds: at least 60, times must not tell copies of one batch apart": settings.time_rounding_seconds < 60,
    }
    known = {hashlib.sha256(word.encode()).hexdigest() for word in _DEFAULT_TOKENS}
    for institution in settings.institutions.values():
        names = (
            text
            for signer in institution.signers.values()
            for text in (signer.chain[0].subject.rfc4514_string(), signer.chain[0].issuer.rfc4514_string())
        )
        where = f"institutions.{institution.id}"
        refusals[f"{where}.keys: a certificate is marked as a test certificate"] = any(map(_TEST_NAME.search, names))
        refusals[f"{where}.api_token_sha256: the digest of a default token"] = institution.api_token_sha256 in known
    for sentence, refused in refusals.items():
        if refused:
            raise SettingsError(f"profile production refuses setting {sentence}")
