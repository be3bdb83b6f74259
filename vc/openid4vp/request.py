"""The signed request object (OpenID4VP 1.0 §5, RFC 9101): built and signed by the verifier, verified by the wallet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cryptography import x509

from vc.clock import TOLERANCE, from_numeric_date, to_numeric_date
from vc.encoding import json
from vc.errors import Malformed, Refused, VerificationFailed
from vc.jose import jws
from vc.keys.jwk import thumbprint
from vc.keys.signer import Signer
from vc.openid4vp import client_id as client_ids
from vc.openid4vp import client_metadata as metadata
from vc.openid4vp import dcql
from vc.openid4vp.client_id import ClientId
from vc.openid4vp.client_metadata import ClientMetadata
from vc.openid4vp.dcql import DcqlQuery
from vc.openid4vp.errors import refuse_old_members
from vc.x509.certificate import public_key
from vc.x509.chain import check_presented, find_path
from vc.x509.profiles import ACCESS

TYP = "oauth-authz-req+jwt"
CONTENT_TYPE = "application/oauth-authz-req+jwt"
STATIC_DISCOVERY_AUDIENCE = "https://self-issued.me/v2"  # §5.8
DIRECT_POST, DIRECT_POST_JWT = "direct_post", "direct_post.jwt"
ResponseMode = Literal["direct_post", "direct_post.jwt"]
# 128 bits in base64url are 22 characters (errata-1); URL-safe characters only (§5.2).
_NONCE = re.compile(r"[A-Za-z0-9._~-]{22,512}\Z")
_MAX_STATE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request whose signature, client and rules were checked. `chain`: the verifier's access certificate first.

    `claims` is the signed content: what binds the answer is taken from it, never from the link (VP-MDOC-4).
    """

    client: ClientId
    chain: tuple[x509.Certificate, ...]
    claims: Mapping[str, Any]
    nonce: str
    state: str | None
    response_uri: str
    response_mode: ResponseMode
    query: DcqlQuery
    client_metadata: ClientMetadata

    @property
    def encrypted(self) -> bool:
        """True when the response must be encrypted."""
        return self.response_mode == DIRECT_POST_JWT


def build(
    *,
    client_id: str,
    response_uri: str,
    response_mode: ResponseMode,
    nonce: str,
    state: str,
    dcql_query: Mapping[str, Any],
    client_metadata: Mapping[str, Any],
    wallet_nonce: str | None = None,
    aud: str = STATIC_DISCOVERY_AUDIENCE,
    verifier_info: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The claims of a request object (VP-REQ-2, -3, -7, -9, -10). `nonce` and `state`: fresh, at least 128 bits, URL-safe.

    The rules a wallet applies are applied here too: raises as `verify` does for the content, so that no request leaves that
    a wallet must refuse.
    """
    claims: dict[str, Any] = {
        "response_type": "vp_token",
        "response_mode": response_mode,
        "client_id": client_id,
        "response_uri": response_uri,
        "aud": aud,
        "nonce": nonce,
        "state": state,
        "dcql_query": dict(dcql_query),
        "client_metadata": dict(client_metadata),
    }
    if wallet_nonce is not None:
        claims["wallet_nonce"] = wallet_nonce
    if verifier_info:
        claims["verifier_info"] = [dict(entry) for entry in verifier_info]
    _check_parameters(claims)
    _content(claims)
    return claims


def sign(claims: Mapping[str, Any], signer: Signer, *, now: datetime) -> str:
    """The compact JWS of a request object: `typ`, `x5c` of `signer` without the anchor, and the `iat` header of EAA-P-2."""
    header = {"typ": TYP, "x5c": jws.x5c(signer.chain), "iat": to_numeric_date(now)}
    return jws.sign(header, json.dumps(claims), signer)


def verify(
    token: str,
    *,
    outer_client_id: str,
    wallet_nonce: str | None,
    anchors: Sequence[x509.Certificate],
    now: datetime,
    audience: str = STATIC_DISCOVERY_AUDIENCE,
    allow_http_loopback: bool = False,
) -> AuthorizationRequest:
    """The request in `token`, believed only after every check; nothing is fetched or disclosed here.

    1 token type  2 outer and inner client identifier  3 certificate path to `anchors`, for an access certificate
    4 signature by that certificate  5 the certificate is the client's  6 `wallet_nonce`, audience, times
    7 parameters, formats, query  8 where the answer goes.
    Raises `Malformed`, `Refused` or `VerificationFailed` with the code of the first check that fails.
    """
    unverified = jws.parse(token)
    typ = unverified.header.get("typ")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") != TYP:  # 1, VP-REQ-1
        raise Refused("jws_typ", f"the token type is not {TYP}")
    claims = unverified.claims()
    refuse_old_members(claims)
    client = client_ids.parse(claims.get("client_id"))
    if client.full != outer_client_id:  # 2, VP-REQ-4
        raise Refused("client_id_mismatch", "the signed client_id is not the one of the link", pointer="/client_id")
    chain = jws.chain_of(unverified)
    check_presented(chain)  # 3, HAIP-VP-2
    find_path(chain, anchors=anchors, at=now, rules=ACCESS)
    jws.verify(unverified, public_key(chain[0]), typ=TYP)  # 4
    client_ids.check_certificate(client, chain[0])  # 5
    if wallet_nonce is not None and claims.get("wallet_nonce") != wallet_nonce:  # 6, VP-REQ-7
        raise VerificationFailed("wallet_nonce", "the request does not carry the nonce it was asked with", pointer="/wallet_nonce")
    if claims.get("aud") != audience:  # VP-REQ-3
        raise VerificationFailed("aud", "the request is meant for somebody else", pointer="/aud")
    _check_times(unverified.header, claims, now)
    _check_parameters(claims)  # 7
    query, offered = _content(claims)
    if offered.encryption is not None and thumbprint(offered.encryption.key) == thumbprint(public_key(chain[0])):
        raise Refused("key_reuse", "the encryption key is the key that signed the request", pointer="/client_metadata/jwks")
    response_uri = client_ids.check_response_uri(  # 8
        client, chain[0], claims.get("response_uri"), allow_http_loopback=allow_http_loopback
    )
    return AuthorizationRequest(
        client=client,
        chain=chain,
        claims=claims,
        nonce=claims["nonce"],
        state=claims.get("state"),
        response_uri=response_uri,
        response_mode=claims["response_mode"],
        query=query,
        client_metadata=offered,
    )


def _check_times(header: Mapping[str, Any], claims: Mapping[str, Any], now: datetime) -> None:
    if "exp" in claims and from_numeric_date(claims["exp"], pointer="/exp") + TOLERANCE < now:
        raise VerificationFailed("expired", "the request has expired", pointer="/exp")
    for name, value in (("nbf", claims.get("nbf")), ("iat", claims.get("iat")), ("iat", header.get("iat"))):
        if value is not None and from_numeric_date(value, pointer=f"/{name}") - TOLERANCE > now:
            raise VerificationFailed("not_yet_valid", "the request is from the future", pointer=f"/{name}")


def _check_parameters(claims: Mapping[str, Any]) -> None:
    """VP-REQ-2, -9, -10, -12."""
    if claims.get("response_type") != "vp_token":
        raise Refused("response_type", "only vp_token is answered", pointer="/response_type")
    if "request" in claims or "request_uri" in claims:
        raise Malformed("request", "a request object does not point to another one")  # RFC 9101 §4
    if claims.get("response_mode") not in (DIRECT_POST, DIRECT_POST_JWT):
        raise Refused("response_mode", "only direct_post and direct_post.jwt are answered", pointer="/response_mode")
    if "redirect_uri" in claims:  # §8.2
        raise Refused("redirect_uri", "redirect_uri is not allowed with direct_post", pointer="/redirect_uri")
    if "transaction_data" in claims:  # §8.4: a wallet that does not know the type must refuse
        raise Refused("transaction_data", "transaction data are not supported", pointer="/transaction_data")
    nonce, state = claims.get("nonce"), claims.get("state")
    if not isinstance(nonce, str) or not _NONCE.match(nonce):
        raise Malformed("nonce", "nonce is missing, not URL-safe or shorter than 128 bits", pointer="/nonce")
    if state is not None and (not isinstance(state, str) or not 0 < len(state) <= _MAX_STATE):
        raise Malformed("state", "state is a short text", pointer="/state")
    if "scope" in claims and "dcql_query" in claims:
        raise Malformed("request", "scope and dcql_query exclude each other", pointer="/scope")
    if "scope" in claims:
        raise Refused("scope_unknown", "no scope values are defined here, a dcql_query is needed", pointer="/scope")


def _content(claims: Mapping[str, Any]) -> tuple[DcqlQuery, ClientMetadata]:
    query = dcql.parse(claims.get("dcql_query"))
    if claims.get("state") is None and not all(credential.holder_binding for credential in query.credentials):  # VP-REQ-9
        raise Malformed("state", "state is required when no holder binding is asked for", pointer="/state")
    offered = metadata.parse(claims.get("client_metadata"))
    if claims["response_mode"] == DIRECT_POST_JWT:
        if offered.encryption is None:
            raise Refused("encryption_key", "there is no usable key to encrypt the response to", pointer="/client_metadata/jwks")
        offered.content_encryption()
    if not any(credential.format in offered.formats for credential in query.credentials):
        raise Refused("vp_formats", "no format that is asked for is offered in vp_formats_supported", pointer="/client_metadata")
    return query, offered
