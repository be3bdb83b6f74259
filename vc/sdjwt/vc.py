"""SD-JWT VC (draft-ietf-oauth-sd-jwt-vc-13, reading what -18 adds): the claims that make an SD-JWT a credential."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, check_within, from_numeric_date
from vc.encoding.claims_path import Path
from vc.errors import Malformed, Refused
from vc.keys import jwk
from vc.sdjwt.verify import SdJwt
from vc.status import reference
from vc.status.reference import StatusReference

TYP, OLD_TYP = "dc+sd-jwt", "vc+sd-jwt"
MEDIA_TYPE = "application/dc+sd-jwt"
_TEXT_CLAIMS = ("iss", "sub", "vct#integrity", "category")


class SdJwtVc(NamedTuple):
    """A verified SD-JWT with the registered claims read. Not checked yet: trust in the key, time, status, key binding.

    `issuer`: `iss`, or None (the certificate then names the issuer). `holder`: key of `cnf`, None when the credential is bound
    to no key. `short_lived`: the ETSI member `shortLived` is there. `also_types`: `aka_vcts` of draft -18.
    """

    vct: str
    vct_integrity: str | None
    also_types: tuple[str, ...]
    issuer: str | None
    subject: str | None
    issued_at: datetime | None
    not_before: datetime | None
    expires: datetime | None
    holder: ec.EllipticCurvePublicKey | None
    status: StatusReference | None
    short_lived: bool
    category: str | None
    claims: Mapping[str, Any]
    disclosed: tuple[Path, ...]

    def check_validity(self, now: datetime, *, tolerance: timedelta = TOLERANCE) -> None:
        """Technical validity at `now` (RFC 7519 §4.1.4, §4.1.5): raises `VerificationFailed("not_yet_valid")` or `("expired")`.

        `exp` is the first moment at which the credential is no longer valid, moved by the tolerance.
        """
        check_within(now, start=self.not_before, end=self.expires, end_inside=False, tolerance=tolerance)


def check(sd_jwt: SdJwt, *, accept_old_typ: bool = False) -> SdJwtVc:
    """Read a verified SD-JWT as a credential (SD-JWT VC -13 §3.2).

    Raises `Refused("jws_typ")` for another `typ` than `dc+sd-jwt` (`accept_old_typ` adds `vc+sd-jwt`), `Malformed("vct")`,
    `Malformed("claim")` for a registered claim of the wrong kind, `Malformed("numeric_date")`, `Refused("audience_claim")` for
    an `aud` (a credential for one verifier is not known here; EAA-S-9), what `holder_key` and `status.reference` raise, and
    `Refused("status_and_short_lived")` for both at once (EAA-S-6).
    """
    claims = sd_jwt.claims
    typ = sd_jwt.header.get("typ")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in ((TYP, OLD_TYP) if accept_old_typ else (TYP,)):
        raise Refused("jws_typ", f"the token type is not {TYP}")
    vct = claims.get("vct")
    if not isinstance(vct, str) or not vct.strip():
        raise Malformed("vct", "a credential names its type", pointer="/vct")
    for name in _TEXT_CLAIMS:
        if not isinstance(claims.get(name, ""), str):
            raise Malformed("claim", "not text", pointer=f"/{name}")
    if "aud" in claims:
        raise Refused("audience_claim", "the credential is restricted to an audience", pointer="/aud")
    also = claims.get("aka_vcts", ())
    if "aka_vcts" in claims and (not isinstance(also, list) or not all(isinstance(entry, str) for entry in also)):
        raise Malformed("claim", "not an array of texts", pointer="/aka_vcts")
    short_lived = "shortLived" in claims
    if short_lived and claims["shortLived"] is not None:
        raise Malformed("claim", "not null", pointer="/shortLived")
    status = reference.of(claims)
    if short_lived and status is not None:
        raise Refused("status_and_short_lived", "the credential has a status and says it needs none", pointer="/status")
    values = (
        vct,
        claims.get("vct#integrity"),
        tuple(also),
        claims.get("iss"),
        claims.get("sub"),
        from_numeric_date(claims["iat"], pointer="/iat") if "iat" in claims else None,
        from_numeric_date(claims["nbf"], pointer="/nbf") if "nbf" in claims else None,
        from_numeric_date(claims["exp"], pointer="/exp") if "exp" in claims else None,
        holder_key(claims["cnf"]) if "cnf" in claims else None,
        status,
        short_lived,
        claims.get("category"),
        claims,
        sd_jwt.disclosed,
    )
    return tuple.__new__(SdJwtVc, values)  # directly, as in `verify.parse`


def holder_key(cnf: object) -> ec.EllipticCurvePublicKey:
    """The key of a `cnf` value: only a public EC `jwk` is understood (RFC 7800 §3.2, HAIP 1.0 §6.1).

    Raises `Malformed("cnf")`, `Refused("cnf_method")` for any way that would need a look-up or a secret (`kid` alone, `jku`,
    `jwe`), and what `jwk.parse_public` raises (private, symmetric or off-curve keys).
    """
    if not isinstance(cnf, dict):
        raise Malformed("cnf", "not an object", pointer="/cnf")
    if "jwk" not in cnf or "jku" in cnf or "jwe" in cnf:
        raise Refused("cnf_method", "the holder's key is not given as a public jwk", pointer="/cnf")
    return jwk.parse_public(cnf["jwk"], pointer="/cnf/jwk")
