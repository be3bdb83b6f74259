"""Settings files: what is the same for every service. A bad value stops the start with a sentence that names it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

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
from vc.x509.chain import check_presented
from vc.x509.profiles import LeafRules, check_leaf


class SettingsError(ValueError):
    """A setting is wrong; the text is one sentence that names it, for the person who starts the service."""


class Wire(BaseModel):
    """Base of the members of a settings file: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class KeyFiles(Wire):
    """PEM files of a private key and of its certificate chain, the anchor not inside."""

    key: str
    chain: str


class Tls(Wire):
    """PEM files of the server certificate with its intermediates, and of its key."""

    certificate: str
    key: str


class Listen(Wire):
    """Where the server listens; `port` 0 takes a free one."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=0, le=65535)]
    tls: Tls | None = None

    def tls_files(self, base: Path) -> tuple[Path, Path] | None:
        """Certificate and key, relative paths from `base`."""
        return None if self.tls is None else (base / self.tls.certificate, base / self.tls.key)


class Trust(Wire):
    """The trust root file, the folder for what was learned, and how often the lists are asked for."""

    root: str
    state: str
    refresh_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600


_Model = TypeVar("_Model", bound=BaseModel)


def read(path: Path) -> dict[str, Any]:
    """The JSON object in the file. Raises `SettingsError`."""
    try:
        return json.loads_object(path.read_bytes())
    except OSError as exc:
        raise SettingsError(f"the settings file cannot be read: {exc.strerror}") from exc
    except VcError as exc:
        raise SettingsError(f"the settings file is not strict JSON: {exc}") from exc


def validated(model: type[_Model], raw: Mapping[str, Any]) -> _Model:
    """`raw` in the shape of `model`. Raises `SettingsError` naming the first bad member, never its value."""
    try:
        return model.model_validate(raw)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        raise SettingsError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from exc


def base_url(text: str, name: str = "base_url") -> SplitResult:
    """The parts of an http(s) URL without query, fragment, user name and last slash. Raises `SettingsError`."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # an impossible port raises
    except ValueError as exc:
        raise SettingsError(f"setting {name}: not a URL") from exc
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingsError(f"setting {name}: not an http(s) URL without query, fragment and user name")
    if text.endswith("/"):
        raise SettingsError(f"setting {name}: must not end with a slash")
    return parts


def database(text: str, base: Path) -> str:
    """The SQLAlchemy URL of an SQLite file, relative paths from `base`. Raises `SettingsError`."""
    try:
        url = make_url(text)
    except ArgumentError as exc:
        raise SettingsError("setting database: not an SQLAlchemy URL") from exc
    if url.get_backend_name() != "sqlite":
        raise SettingsError("setting database: only sqlite is supported in this version")
    if not url.database or url.database == ":memory:":
        raise SettingsError("setting database: a file is required, several workers share it")
    return url.set(database=str(base / url.database)).render_as_string(hide_password=False)


def private_key(path: Path, where: str) -> ec.EllipticCurvePrivateKey:
    """The EC key in a PEM file. Raises `SettingsError` naming `where`."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as exc:
        raise SettingsError(f"setting {where}: a file cannot be read: {exc.strerror}") from exc
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise SettingsError(f"setting {where}: not readable PEM") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SettingsError(f"setting {where}: not an EC key")
    return key


def signer(files: KeyFiles, base: Path, where: str, rules: LeafRules) -> LocalSigner:
    """The file-based signer of one use, checked as whoever relies on it would check it. Raises `SettingsError` naming `where`.

    Refused: the chain of another key, a self-signed certificate in the chain (HAIP 1.0 §5, §6.1.1), a leaf not fit for the use.
    """
    key = private_key(base / files.key, f"{where}.key")
    try:
        chain = tuple(x509.load_pem_x509_certificates((base / files.chain).read_bytes()))
    except OSError as exc:
        raise SettingsError(f"setting {where}.chain: a file cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise SettingsError(f"setting {where}.chain: not readable PEM") from exc
    if chain[0].public_key() != key.public_key():
        raise SettingsError(f"setting {where}: the first certificate of the chain is not that of the key")
    try:
        check_presented(chain)
        check_leaf(chain[0], rules)
    except VcError as exc:
        raise SettingsError(f"setting {where}.chain: {exc.detail}") from exc
    return LocalSigner(key, chain)


_TEST_NAME = re.compile(r"\b(test|demo)\b", re.IGNORECASE)


def marked_as_test(chain: Sequence[x509.Certificate]) -> bool:
    """Whether the leaf's own name or its issuer's says that it is for tests."""
    names = (chain[0].subject.rfc4514_string(), chain[0].issuer.rfc4514_string())
    return any(map(_TEST_NAME.search, names))


def demo_address(*, base_url: str, host: str, tls: object, allow_http_loopback: bool) -> dict[str, bool]:
    """What is wrong with the addresses of a service people rely on: sentence → whether it applies (SECURITY O-19)."""
    return {
        "base_url: https is required": not base_url.startswith("https://"),
        "base_url: a loopback host is not reachable by anybody": urlsplit(base_url).hostname in ("localhost", "127.0.0.1", "::1"),
        "allow_http_loopback: must be false": allow_http_loopback,
        "listen.host: a wildcard address needs tls": tls is None and host in ("0.0.0.0", "::", "*"),  # noqa: S104
    }


def refuse_demo_values(refusals: Mapping[str, bool]) -> None:
    """O-19: what is fine on one machine for a demonstration is refused where people rely on the answer."""
    for sentence, refused in refusals.items():
        if refused:
            raise SettingsError(f"profile production refuses setting {sentence}")
