"""Which headers a seal carries: the header profiles we write, and what a seal lacks of one (ETSI TS 119 182-1 V1.2.1 clause 5)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography import x509

from trust_list.finding import Finding, error, warning
from vc.clock import to_numeric_date
from vc.encoding import base64url
from vc.errors import Refused
from vc.jose import jws
from vc.x509.certificate import sha256

_CERTIFICATE_HEADERS = ("x5t#S256", "x5c", "x5t#o", "sigX5ts")


class HeaderProfile(StrEnum):
    """`baseline`: the certificate travels with the seal. `aptitude`: it does not; readers know it and find it by digest."""

    BASELINE = "baseline"
    APTITUDE = "aptitude"


def header_profile(name: object) -> HeaderProfile:
    """The profile of this name. Raises `Refused("jades_profile")`."""
    try:
        return HeaderProfile(str(name))
    except ValueError as exc:
        raise Refused("jades_profile", f"the header profiles are {', '.join(HeaderProfile)}") from exc


def header(certificate: x509.Certificate, *, at: datetime, profile: HeaderProfile) -> dict[str, Any]:
    """The protected header beside `alg`; `at` becomes `iat`, which every new seal must have and `sigT` must not replace."""
    members: dict[str, Any] = {"typ": "JOSE", "iat": to_numeric_date(at), "x5t#S256": base64url.encode(sha256(certificate))}
    if profile is HeaderProfile.BASELINE:
        members["x5c"] = jws.x5c((certificate,))
    return members


def check(header: Mapping[str, Any], profile: HeaderProfile) -> tuple[Finding, ...]:
    """What a newly made seal does not keep. Pointers are below the protected header. Reading is more lenient: see `jades`."""
    found: list[Finding] = []
    if "iat" not in header:
        found.append(error("iat", "TS 119 182-1, 5.1.11", "/iat", "iat is missing, which new seals must carry since 15 July 2025"))
    elif type(header["iat"]) is not int:
        found.append(error("iat", "TS 119 182-1, 5.1.11", "/iat", "iat is not an integer"))
    if "sigT" in header:
        found.append(warning("sigT", "TS 119 182-1, 5.2.1", "/sigT", "sigT belongs to seals made before 15 July 2025"))
    if "x5t" in header:
        found.append(error("x5t", "TS 119 182-1, 5.1.6", "/x5t", "a certificate is never named by SHA-1"))
    if "sigD" in header or header.get("b64", True) is not True:
        found.append(error("detached", "TS 119 602, 6.8.0", "/sigD", "the list is not inside its seal"))
    if not any(name in header for name in _CERTIFICATE_HEADERS):
        found.append(error("certificate", "TS 119 182-1, 5.1.7", "", "no header names the signer's certificate"))
    if header.get("typ", "JOSE") != "JOSE":
        found.append(warning("typ", "RFC 7515, 4.1.9", "/typ", "typ of a compact JWS is JOSE"))
    if profile is HeaderProfile.APTITUDE:
        if "x5c" in header:
            found.append(error("x5c", "APTITUDE", "/x5c", "the profile names the certificate by digest and does not carry it"))
        if "x5t#S256" not in header:
            found.append(error("x5t#S256", "APTITUDE", "/x5t#S256", "the digest of the certificate is missing"))
    return tuple(found)
