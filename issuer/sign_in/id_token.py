"""ID tokens (OpenID Connect Core 1.0 §3.1.3.7): signature by joserfc, rules of the claims by Authlib."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from vc.clock import TOLERANCE, to_numeric_date
from vc.errors import VerificationFailed

MAX_LENGTH = 64 * 1024
_KTY = {"E": "EC", "R": "RSA", "P": "RSA"}


def verify(
    token: str,
    *,
    keys: Callable[[bool], KeySet],
    issuer: str,
    client_id: str,
    nonce: str,
    algorithms: Sequence[str],
    access_token: str | None,
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of an ID token that this provider made for this client and this sign-in, now.

    `keys(newer)`: the provider's keys, newer ones when asked. 1 length  2 `alg` among `algorithms`  3 its key  4 signature
    5 `iss`  6 `aud`, `azp`  7 `exp`, `iat`, `nbf`  8 `nonce`  9 `at_hash`, if there is one.

    Raises `VerificationFailed("id_token")` with a word on what was wrong, never a value.
    """
    if len(token) > MAX_LENGTH:
        raise VerificationFailed("id_token", "too long")
    registry = jws.JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    try:
        header = jws.extract_compact(token.encode("utf-8")).headers()
        key = _key(header, keys)
        decoded = jwt.decode(token, key, algorithms=list(algorithms), registry=registry)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
            params={"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(now=to_numeric_date(now), leeway=int(TOLERANCE.total_seconds()))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise VerificationFailed("id_token", f"not believed: {type(exc).__name__}") from exc
    return dict(claims)


def _key(header: Mapping[str, Any], keys: Callable[[bool], KeySet]) -> Key:
    """The key the header names; fetched anew once when it is not known. Without a name there must be no choice."""
    for newer in (False, True):
        kid, kty = header.get("kid"), _KTY.get(str(header.get("alg"))[:1])
        fitting = [key for key in keys(newer) if key.key_type == kty and kid in (None, key.kid)]
        if len(fitting) == 1:
            return fitting[0]
    raise VerificationFailed("id_token", "signed with a key the provider does not publish")
