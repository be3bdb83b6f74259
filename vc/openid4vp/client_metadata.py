"""`client_metadata`: which formats, algorithms and encryption the verifier offers (OpenID4VP 1.0 §5.1, §8.3, §11.1, Appendix B)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.errors import Malformed, Refused, VcError
from vc.jose.jwe import ENC_VALUES
from vc.keys.ec import ALGORITHMS, CURVES
from vc.keys.jwk import from_public, parse_public
from vc.openid4vp.dcql.query import MSO_MDOC, SD_JWT_VC
from vc.openid4vp.errors import refuse_old_formats, refuse_old_members

_COSE_ALGORITHMS = [number for row in CURVES for number in (row.cose_alg, row.cose_alg_specified)]
VP_FORMATS: Mapping[str, Mapping[str, Sequence[str | int]]] = {
    SD_JWT_VC: {"sd-jwt_alg_values": list(ALGORITHMS), "kb-jwt_alg_values": list(ALGORITHMS)},
    MSO_MDOC: {"issuerauth_alg_values": _COSE_ALGORITHMS, "deviceauth_alg_values": _COSE_ALGORITHMS},  # no MAC: EAA-P-5
}
"""`vp_formats_supported` of this product, both as verifier and as wallet."""
_ISSUER_AND_HOLDER = {
    SD_JWT_VC: ("sd-jwt_alg_values", "kb-jwt_alg_values"),
    MSO_MDOC: ("issuerauth_alg_values", "deviceauth_alg_values"),
}
_MAX_KEYS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionTarget:
    """The verifier's key a response is encrypted to."""

    key: ec.EllipticCurvePublicKey
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadata:
    """`encryption`: first usable key of `jwks`, None when there is none. `enc_values`: what the verifier can decrypt."""

    formats: Mapping[str, Mapping[str, tuple[str | int, ...]]]
    encryption: EncryptionTarget | None
    enc_values: tuple[str, ...]

    def accepts(self, credential_format: str, *, issuer_alg: str | int | None, holder_alg: str | int | None) -> bool:
        """True when the verifier takes this format with these algorithms (JOSE names, COSE numbers; None is not compared)."""
        values = self.formats.get(credential_format)
        if values is None:
            return False
        offered = (values.get(name) for name in _ISSUER_AND_HOLDER[credential_format])
        return all(
            names is None or alg is None or alg in names for names, alg in zip(offered, (issuer_alg, holder_alg), strict=True)
        )

    def content_encryption(self) -> str:
        """The `enc` to use: A256GCM when offered (HAIP 1.0 §5), else A128GCM. Raises `Refused("jwe_enc")`."""
        for enc in reversed(ENC_VALUES):
            if enc in self.enc_values:
                return enc
        raise Refused("jwe_enc", "the verifier offers no content encryption that is supported")


def build(*, encryption: EncryptionTarget | None, formats: Sequence[str] = tuple(VP_FORMATS)) -> dict[str, Any]:
    """The `client_metadata` object; `encryption` is this request's own ephemeral key (HAIP 1.0 §5), None for plain responses."""
    metadata: dict[str, Any] = {"vp_formats_supported": {name: VP_FORMATS[name] for name in formats}}
    if encryption is not None:
        jwk = from_public(encryption.key, kid=encryption.kid, use="enc", alg="ECDH-ES")
        metadata |= {"jwks": {"keys": [jwk]}, "encrypted_response_enc_values_supported": list(ENC_VALUES)}
    return metadata


def parse(value: object, *, pointer: str = "/client_metadata") -> ClientMetadata:
    """Read `client_metadata`; unknown members and keys that cannot be used are ignored (VP-REQ-11, -12).

    Raises `Malformed("client_metadata")` for a wrong shape or a missing `vp_formats_supported`, `Refused("old_draft")` for OLD-14
    and OLD-15.
    """
    if not isinstance(value, Mapping):
        raise Malformed("client_metadata", "client_metadata is an object", pointer=pointer)
    refuse_old_members(value, pointer=pointer)
    formats = value.get("vp_formats_supported")
    if not isinstance(formats, Mapping) or not formats:
        raise Malformed("client_metadata", "vp_formats_supported is required", pointer=f"{pointer}/vp_formats_supported")
    refuse_old_formats(formats, pointer=f"{pointer}/vp_formats_supported")
    enc_values = value.get("encrypted_response_enc_values_supported", ["A128GCM"])  # §8.3: the default
    if not isinstance(enc_values, list) or not enc_values or not all(isinstance(enc, str) for enc in enc_values):
        where = f"{pointer}/encrypted_response_enc_values_supported"
        raise Malformed("client_metadata", "a non-empty list of texts is expected", pointer=where)
    return ClientMetadata(
        formats={name: _algorithms(name, formats[name], pointer) for name in _ISSUER_AND_HOLDER if name in formats},
        encryption=encryption_target(value.get("jwks"), pointer=f"{pointer}/jwks"),
        enc_values=tuple(enc_values),
    )


def encryption_target(jwks: object, *, pointer: str) -> EncryptionTarget | None:
    """The first key of a JWK Set that is meant for ECDH-ES on P-256 and has a `kid`; None when there is none.

    Raises `Malformed("client_metadata")` when the value is not a JWK Set or two keys share a `kid`.
    """
    if jwks is None:
        return None
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS or not all(isinstance(key, Mapping) for key in keys):
        raise Malformed("client_metadata", "jwks is a JWK Set", pointer=pointer)
    kids = [str(key["kid"]) for key in keys if "kid" in key]
    if len(set(kids)) != len(kids):
        raise Malformed("client_metadata", "two keys have the same kid", pointer=pointer)
    for jwk in keys:
        kid = jwk.get("kid")
        if not isinstance(kid, str) or jwk.get("alg") != "ECDH-ES" or jwk.get("use", "enc") != "enc" or jwk.get("crv") != "P-256":
            continue
        try:
            return EncryptionTarget(key=parse_public(jwk), kid=kid)
        except VcError:  # an unusable key is passed over, another one may do
            continue
    return None


def _algorithms(name: str, value: object, pointer: str) -> dict[str, tuple[str | int, ...]]:
    where = f"{pointer}/vp_formats_supported/{name}"
    if not isinstance(value, Mapping):
        raise Malformed("client_metadata", "the entry of a format is an object", pointer=where)
    found: dict[str, tuple[str | int, ...]] = {}
    for member in _ISSUER_AND_HOLDER[name]:
        if member in value:
            algorithms = value[member]
            if not isinstance(algorithms, list) or not algorithms or not all(isinstance(a, str | int) for a in algorithms):
                raise Malformed("client_metadata", "a non-empty list of algorithms is expected", pointer=f"{where}/{member}")
            found[member] = tuple(algorithms)
    return found
