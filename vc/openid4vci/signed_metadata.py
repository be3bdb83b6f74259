"""Issuer metadata as a JWT, signed with the key of the access certificate (OpenID4VCI 1.0 §12.2.3, HAIP 1.0 §4.1; EAA-I-1)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509

from vc.clock import TOLERANCE, from_numeric_date, to_numeric_date
from vc.encoding import json
from vc.errors import Malformed, VerificationFailed
from vc.jose import jws
from vc.keys.signer import Signer
from vc.openid4vci.metadata import MAX_LENGTH
from vc.x509.certificate import public_key
from vc.x509.chain import check_presented

TYP = "openidvci-issuer-metadata+jwt"
CONTENT_TYPE = "application/jwt"
Judge = Callable[[tuple[x509.Certificate, ...]], object]
"""Raises when the chain leads to nobody who is trusted for this; what it returns is not looked at."""


def sign(metadata: Mapping[str, Any], signer: Signer, *, now: datetime, expires: datetime) -> str:
    """The JWT over built metadata (VCI-META-19, -20), all of them as claims beside `sub`, `iat` and `exp`.

    ValueError for a signer without chain, or with the trust anchor in it, for metadata that have one of these claims
    themselves, and for an end that is not after `now`.
    """
    if not signer.chain or {"sub", "iat", "exp"} & metadata.keys() or expires <= now:
        raise ValueError("signed metadata have a certificate, a subject and an end of their own")
    check_presented(signer.chain)
    claims = {
        "sub": metadata["credential_issuer"],
        "iat": to_numeric_date(now),
        "exp": to_numeric_date(expires),
        **metadata,
    }
    return jws.sign({"typ": TYP, "x5c": jws.x5c(signer.chain)}, json.dumps(claims), signer)


def verify(text: str, *, credential_issuer: str, now: datetime, judge: Judge) -> dict[str, Any]:
    """The claims of signed metadata, to be given to `metadata.parse`; whoever gets an error has no metadata (VCI-META-21).

    1 a JWT of reasonable length  2 `x5c` without anchor, leaf not self-signed (VCI-META-20)  3 type and signature with the
    leaf's key  4 `sub` is this issuer  5 `iat` not in the future, `exp` not over  6 `judge` trusts the chain.

    Raises what `jws` raises, `x5c_missing`, `x5c_self_signed`, `x5c_anchor_included`,
    `VerificationFailed("signed_metadata_subject")`, `VerificationFailed("signed_metadata_time")`, `Malformed` for times that are
    none, and what `judge` raises.
    """
    unverified = jws.parse(text, max_length=2 * MAX_LENGTH)
    chain = jws.chain_of(unverified)
    check_presented(chain)
    jws.verify(unverified, public_key(chain[0]), typ=TYP)
    claims = unverified.claims()
    if claims.get("sub") != credential_issuer:
        raise VerificationFailed("signed_metadata_subject", "the metadata are signed for another issuer", pointer="/sub")
    if from_numeric_date(claims.get("iat"), pointer="/iat") > now + TOLERANCE:
        raise VerificationFailed("signed_metadata_time", "signed in the future", pointer="/iat")
    if "exp" in claims and from_numeric_date(claims["exp"], pointer="/exp") <= now - TOLERANCE:
        raise VerificationFailed("signed_metadata_time", "the signed metadata have expired", pointer="/exp")
    if "iss" in claims and not isinstance(claims["iss"], str):
        raise Malformed("signed_metadata", "not a text", pointer="/iss")
    judge(chain)
    return claims
