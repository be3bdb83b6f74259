"""Registration certificates of this verifier (ETSI TS 119 475): one for each intended use, shown to wallets in `verifier_info`.

They are read at the start and held to what the verifier asks: one that a wallet would find too narrow, or of another organisation,
stops the start. Whose registrar it is from is the wallet's to judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from cryptography import x509
from cryptography.x509.oid import NameOID

from edge.settings import SettingsError
from vc.clock import from_numeric_date
from vc.errors import VcError
from vc.jose import jws
from vc.openid4vci import registration_certificate
from vc.openid4vci.registered_use import RequestedCredential
from vc.x509.certificate import subject_value
from verifier.purposes import PURPOSES, Purpose

SIGN_IN = "sign-in"
USES = (*PURPOSES, SIGN_IN)
"""The intended uses: the purposes, and signing in at the OpenID Provider."""
_log = structlog.get_logger("verifier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One certificate: the compact JWT, and when it ends (None: never said)."""

    text: str
    expires: datetime | None


def use_of(purpose: Purpose) -> str:
    """The intended use a question belongs to."""
    return purpose.id.partition(":")[0]


def asked(purpose: Purpose) -> tuple[RequestedCredential, ...]:
    """Everything a wallet may be asked for this purpose, in both formats."""
    return tuple(RequestedCredential(format=one.format, type_ids=one.types, claims=one.claims) for one in purpose.asks())


def read(
    files: Mapping[str, str], *, base: Path, access: x509.Certificate, purposes: Mapping[str, Sequence[Purpose]]
) -> Mapping[str, Registered]:
    """The certificates of these files by intended use. `purposes`: what is asked in each use.

    Raises `SettingsError` for one that cannot be read, is of another organisation than the access certificate, or covers less than
    is asked.
    """
    return {use: _read(use, base / file, access, purposes.get(use, ())) for use, file in files.items()}


def _read(use: str, path: Path, access: x509.Certificate, purposes: Sequence[Purpose]) -> Registered:
    where = f"setting registration_certificates.{use}"
    if use not in USES:
        raise SettingsError(f"{where}: an intended use is one of {', '.join(USES)}")
    try:
        text = path.read_text(encoding="ascii").strip()
        issued = from_numeric_date(jws.parse(text).claims().get("iat"))
        certificate = registration_certificate.verify(text, now=issued, judge=lambda _: None)
        organisation = subject_value(access, NameOID.ORGANIZATION_IDENTIFIER)
        for purpose in purposes:
            registration_certificate.check_request(certificate, organization_identifier=organisation, asked=asked(purpose))
    except OSError as exc:
        raise SettingsError(f"{where}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{where}: not a compact JWT") from exc
    except VcError as exc:
        raise SettingsError(f"{where}: {exc.detail or exc.code}") from exc
    return Registered(text=text, expires=certificate.expires)


def verifier_info(
    certificates: Mapping[str, Registered], purpose: Purpose, *, now: datetime, encoded: bool
) -> tuple[Mapping[str, Any], ...]:
    """What a request for `purpose` says of the verifier (OpenID4VP 1.0 §5.1, VP-VI-1, -2): one certificate, or nothing. One that is
    over is left out, for a wallet would refuse the request because of it; the log says so."""
    found = certificates.get(use_of(purpose))
    if found is None:
        return ()
    if found.expires is not None and now >= found.expires:
        _log.error("registration_certificate_expired", use=use_of(purpose))
        return ()
    return (registration_certificate.element(found.text, encoded=encoded),)
