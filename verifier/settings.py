"""The settings of one verifier: read once at the start, checked as a whole, then handed down and never changed."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from vc.encoding import json
from vc.errors import VcError
from vc.keys.signer import LocalSigner
from vc.openid4vp.client_id import dns_names
from vc.x509.chain import self_signed
from vc.x509.profiles import ACCESS, check_leaf

ClientIdPrefix = Literal["x509_hash", "x509_san_dns"]


class SettingsError(ValueError):
    """A setting is wrong; the text is one sentence that names it, for the person who starts the service."""


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Tls(_Wire):
    certificate: str
    key: str


class _Listen(_Wire):
    host: str
    port: Annotated[int, Field(ge=0, le=65535)]
    tls: _Tls | None = None


class _Access(_Wire):
    key: str
    chain: str


class _Trust(_Wire):
    root: str
    state: str
    refresh_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600


class _File(_Wire):
    profile: Literal["demo", "production"]
    base_url: str
    listen: _Listen
    database: str
    name: Annotated[str, Field(min_length=1, max_length=120)]
    allow_http_loopback: bool = False
    client_id_prefix: ClientIdPrefix = "x509_hash"
    access: _Access
    trust: _Trust
    tls_ca: str | None = None
    status_min_ttl_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    request_lifetime_seconds: Annotated[int, Field(ge=1, le=900)] = 300
    result_retention_seconds: Annotated[int, Field(ge=1, le=604_800)] = 3600
    api_token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


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
    tls_ca: Path | None
    status_min_ttl_seconds: int
    request_lifetime_seconds: int
    result_retention_seconds: int
    api_token_sha256: str | None


def load(path: Path) -> Settings:
    """The settings in the JSON file at `path`. Raises `SettingsError` with a sentence that names the bad value."""
    try:
        raw = json.loads_object(path.read_bytes())
    except OSError as exc:
        raise SettingsError(f"the settings file cannot be read: {exc.strerror}") from exc
    except VcError as exc:
        raise SettingsError(f"the settings file is not strict JSON: {exc}") from exc
    return parse(raw, base=path.resolve().parent)


def parse(raw: dict[str, Any], *, base: Path) -> Settings:
    """As `load`, from the JSON value; relative paths start at `base`."""
    try:
        file = _File.model_validate(raw)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        raise SettingsError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from exc
    settings = Settings(
        profile=file.profile,
        base_url=_base_url(file.base_url),
        host=file.listen.host,
        port=file.listen.port,
        tls=None if file.listen.tls is None else (base / file.listen.tls.certificate, base / file.listen.tls.key),
        database=_database(file.database, base),
        name=file.name,
        allow_http_loopback=file.allow_http_loopback,
        client_id_prefix=file.client_id_prefix,
        access=_access(base / file.access.key, base / file.access.chain),
        trust_root=base / file.trust.root,
        trust_state=base / file.trust.state,
        trust_refresh_seconds=file.trust.refresh_seconds,
        tls_ca=None if file.tls_ca is None else base / file.tls_ca,
        status_min_ttl_seconds=file.status_min_ttl_seconds,
        request_lifetime_seconds=file.request_lifetime_seconds,
        result_retention_seconds=file.result_retention_seconds,
        api_token_sha256=file.api_token_sha256,
    )
    _check_access(settings)
    if settings.profile == "production":
        _refuse_demo_values(settings)
    return settings


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise SettingsError("setting base_url: not an http(s) URL without query, fragment and user name")
    if text.endswith("/"):
        raise SettingsError("setting base_url: must not end with a slash")
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


def _access(key_path: Path, chain_path: Path) -> LocalSigner:
    try:
        key = load_pem_private_key(key_path.read_bytes(), password=None)
        chain = tuple(x509.load_pem_x509_certificates(chain_path.read_bytes()))
    except OSError as exc:
        raise SettingsError(f"setting access: a file cannot be read: {exc.strerror}") from exc
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise SettingsError("setting access: the key or the chain is not readable PEM") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SettingsError("setting access.key: not an EC key")
    if not chain or chain[0].public_key() != key.public_key():
        raise SettingsError("setting access: the first certificate of the chain is not that of the key")
    return LocalSigner(key, chain)


def _check_access(settings: Settings) -> None:
    """HAIP-VP-2: leaf not self-signed, anchor not in the chain; VP-CID-2: the DNS name is in the leaf."""
    leaf, *rest = settings.access.chain
    if self_signed(leaf) or any(self_signed(certificate) for certificate in rest):
        raise SettingsError("setting access.chain: a self-signed certificate has no place in the chain (HAIP 1.0 §5)")
    try:
        check_leaf(leaf, ACCESS)
    except VcError as exc:
        raise SettingsError(f"setting access.chain: {exc.detail}") from exc
    if settings.client_id_prefix == "x509_san_dns" and not has_dns_name(settings):
        raise SettingsError("setting client_id_prefix: the access certificate does not name the host of base_url")


def has_dns_name(settings: Settings) -> bool:
    """True when the host of `base_url` is a dNSName of the access certificate, so that x509_san_dns can be used (VP-CID-2)."""
    return host_name(settings).lower() in dns_names(settings.access.chain[0])


def host_name(settings: Settings) -> str:
    """The host of `base_url` without port."""
    return urlsplit(settings.base_url).hostname or ""


_TEST_NAME = re.compile(r"\b(test|demo)\b", re.IGNORECASE)


def _refuse_demo_values(settings: Settings) -> None:
    """O-19: what is fine on one machine for a demonstration is refused where people rely on the answer."""
    leaf = settings.access.chain[0]
    host = urlsplit(settings.base_url).hostname or ""
    refusals = {
        "base_url: https is required": not settings.base_url.startswith("https://"),
        "base_url: a loopback host is not reachable by anybody": host in ("localhost", "127.0.0.1", "::1"),
        "allow_http_loopback: must be false": settings.allow_http_loopback,
        "access: the certificate is marked as a test certificate": bool(
            _TEST_NAME.search(leaf.subject.rfc4514_string()) or _TEST_NAME.search(leaf.issuer.rfc4514_string())
        ),
        "api_token_sha256: required": settings.api_token_sha256 is None,
        "trust.refresh_seconds: at least 60": settings.trust_refresh_seconds < 60,
        "status_min_ttl_seconds: at least 30": settings.status_min_ttl_seconds < 30,
        "listen.host: a wildcard address needs tls": settings.tls is None and settings.host in ("0.0.0.0", "::"),  # noqa: S104
    }
    for sentence, refused in refusals.items():
        if refused:
            raise SettingsError(f"profile production refuses setting {sentence}")
