"""Credential Issuer Metadata (OpenID4VCI 1.0 §12.2): built by the issuer, read strictly by the wallet, by the same rules.

What is built goes through the reader before it is given out, so an issuer cannot publish what our own wallet refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vc.encoding import json
from vc.errors import Malformed, Refused, VerificationFailed
from vc.keys.ec import ALGORITHMS, Curve
from vc.openid4vci import display as displays
from vc.openid4vci import members
from vc.openid4vci.display import ClaimDescription
from vc.openid4vci.identifiers import check_endpoint, check_issuer, well_known

__all__ = [
    "WELL_KNOWN",
    "ClaimDescription",
    "CredentialConfiguration",
    "IssuerMetadata",
    "build",
    "build_configuration",
    "parse",
    "parse_configuration",
    "well_known",
]  # fmt: skip

WELL_KNOWN = "openid-credential-issuer"
MAX_LENGTH = 1024 * 1024
_CODE = "metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    type_member: str
    binding_method: str
    mdoc: bool


# VCI-META-11, -12: what a format adds to a configuration (Appendix A.2, A.3).
FORMATS = {
    "dc+sd-jwt": _Format(type_member="vct", binding_method="jwk", mdoc=False),
    "mso_mdoc": _Format(type_member="doctype", binding_method="cose_key", mdoc=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialConfiguration:
    """One kind of credential an issuer offers. `type_id` None: a format we do not know. `bound`: a holder key must be proved.

    `proof_algorithms`: for proofs of type `jwt`, empty when that type is not accepted. `key_attestation_required`: proofs need
    one, which our wallet does not have.
    """

    id: str
    format: str
    type_id: str | None
    scope: str | None
    signing_algorithms: tuple[str | int, ...]
    bound: bool
    proof_algorithms: tuple[str, ...]
    key_attestation_required: bool
    claims: tuple[ClaimDescription, ...]
    display: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerMetadata:
    """The metadata of one issuer. `configurations`: as received; `configuration` reads one. `batch_size`: 1 without batches.

    `authorization_servers` is empty when the issuer is its own (VCI-META-7).
    """

    credential_issuer: str
    credential_endpoint: str
    nonce_endpoint: str | None
    notification_endpoint: str | None
    authorization_servers: tuple[str, ...]
    batch_size: int
    encryption_required: bool
    display: tuple[Mapping[str, Any], ...]
    configurations: Mapping[str, Mapping[str, Any]]

    def configuration(self, configuration_id: str) -> CredentialConfiguration:
        """One configuration, read strictly; faults in the others do not matter. Raises `Refused("configuration_unknown")`."""
        if configuration_id not in self.configurations:
            raise Refused("configuration_unknown", "the issuer has no such credential configuration")
        found = parse_configuration(configuration_id, self.configurations[configuration_id])
        if found.bound and self.nonce_endpoint is None:  # VCI-META-6, HAIP 1.0 §4.1
            raise Malformed(_CODE, "missing, although a configuration is bound to a key", pointer="/nonce_endpoint")
        return found


def build_configuration(
    *,
    format: str,
    type_id: str,
    scope: str,
    signing: Curve,
    claims: Sequence[ClaimDescription],
    display: Sequence[Mapping[str, Any]],
    proof_algorithms: Sequence[str] = ALGORITHMS,
) -> dict[str, Any]:
    """One entry of `credential_configurations_supported`, for credentials bound to a holder key.

    `signing`: the curve of the key that signs it; SD-JWT VC names the JOSE algorithm, mdoc the COSE number (VCI-META-23,
    OLD-10). `display`: objects with `name` and `locale`. Raises `Malformed("metadata")`, KeyError for an unknown format.
    """
    row = FORMATS[format]
    built = {
        "format": format,
        row.type_member: type_id,
        "scope": scope,
        "cryptographic_binding_methods_supported": [row.binding_method],
        "credential_signing_alg_values_supported": [signing.cose_alg if row.mdoc else signing.alg],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": list(proof_algorithms)}},
        "credential_metadata": {"display": [dict(entry) for entry in display], "claims": [claim.render() for claim in claims]},
    }
    parse_configuration(scope, built)
    return built


def build(
    *,
    credential_issuer: str,
    credential_endpoint: str,
    nonce_endpoint: str,
    configurations: Mapping[str, Mapping[str, Any]],
    display: Sequence[Mapping[str, Any]],
    notification_endpoint: str | None = None,
    batch_size: int | None = None,
    allow_http_loopback: bool = False,
) -> dict[str, Any]:
    """The metadata of an issuer that is its own authorization server. `batch_size`: None, or at least 2 (VCI-META-8)."""
    built: dict[str, Any] = {
        "credential_issuer": credential_issuer,
        "credential_endpoint": credential_endpoint,
        "nonce_endpoint": nonce_endpoint,
        **({"notification_endpoint": notification_endpoint} if notification_endpoint is not None else {}),
        **({"batch_credential_issuance": {"batch_size": batch_size}} if batch_size is not None else {}),
        "display": [dict(entry) for entry in display],
        "credential_configurations_supported": {name: dict(entry) for name, entry in configurations.items()},
    }
    read = parse(built, credential_issuer=credential_issuer, allow_http_loopback=allow_http_loopback)
    for name in configurations:
        read.configuration(name)
    return built


def parse(value: object, *, credential_issuer: str, allow_http_loopback: bool = False) -> IssuerMetadata:
    """The wallet's reading of issuer metadata, JSON octets or a decoded object. Unknown members are ignored (VCI-META-17).

    `credential_issuer`: the identifier they were fetched for; other metadata are `VerificationFailed("metadata_issuer")`
    (VCI-META-4). Raises `Malformed` with `metadata` or `url` and the place.
    """
    document = json.loads_object(value, max_bytes=MAX_LENGTH) if isinstance(value, bytes) else members.an_object(value, _CODE)

    def endpoint(name: str) -> str | None:
        if name not in document:
            return None
        return check_endpoint(document[name], allow_http_loopback=allow_http_loopback, pointer=f"/{name}")

    issuer = check_issuer(document.get("credential_issuer"), allow_http_loopback=allow_http_loopback, pointer="/credential_issuer")
    if issuer != credential_issuer:
        raise VerificationFailed("metadata_issuer", "the metadata are those of another issuer", pointer="/credential_issuer")
    credential_endpoint = endpoint("credential_endpoint")
    if credential_endpoint is None:
        raise Malformed(_CODE, "missing", pointer="/credential_endpoint")
    configurations = members.an_object(
        document.get("credential_configurations_supported"), _CODE, "/credential_configurations_supported"
    )
    for name, entry in configurations.items():
        members.an_object(entry, _CODE, f"/credential_configurations_supported/{name}")
    servers = members.texts(document, "authorization_servers", _CODE) or ()
    for index, server in enumerate(servers):
        check_issuer(server, allow_http_loopback=allow_http_loopback, pointer=f"/authorization_servers/{index}")
    return IssuerMetadata(
        credential_issuer=issuer,
        credential_endpoint=credential_endpoint,
        nonce_endpoint=endpoint("nonce_endpoint"),
        notification_endpoint=endpoint("notification_endpoint"),
        authorization_servers=servers,
        batch_size=_batch_size(document),
        encryption_required=_encryption_required(document),
        display=displays.displays(document, "", name_required=False),
        configurations=configurations,
    )


def _batch_size(document: Mapping[str, Any]) -> int:
    if "batch_credential_issuance" not in document:
        return 1
    at = "/batch_credential_issuance"
    size = members.positive(members.an_object(document[at[1:]], _CODE, at), "batch_size", _CODE, at, least=2)
    if size is None:
        raise Malformed(_CODE, "missing", pointer=f"{at}/batch_size")
    return size


def _encryption_required(document: Mapping[str, Any]) -> bool:
    """Whether messages must be encrypted (VCI-META-9, -10); the rest of these objects is for those who can."""
    required = False
    for name in ("credential_request_encryption", "credential_response_encryption"):
        if name in document:
            required |= members.flag(members.an_object(document[name], _CODE, f"/{name}"), "encryption_required", _CODE, f"/{name}")
    return required


def parse_configuration(configuration_id: str, value: object) -> CredentialConfiguration:
    """One entry of `credential_configurations_supported` (VCI-META-11 to -15). Raises `Malformed("metadata")` with the place."""
    at = f"/credential_configurations_supported/{configuration_id}"
    entry = members.an_object(value, _CODE, at)
    name = members.required_text(entry, "format", _CODE, at)
    row = FORMATS.get(name)
    methods = members.texts(entry, "cryptographic_binding_methods_supported", _CODE, at)
    if (methods is None) != ("proof_types_supported" not in entry):  # VCI-META-12
        raise Malformed(_CODE, "binding methods and proof types are there together or not at all", pointer=at)
    proof_types = members.an_object(entry.get("proof_types_supported", {}), _CODE, f"{at}/proof_types_supported")
    if methods is not None and not proof_types:
        raise Malformed(_CODE, "empty", pointer=f"{at}/proof_types_supported")
    algorithms = {kind: _proof_type(proof, f"{at}/proof_types_supported/{kind}") for kind, proof in proof_types.items()}
    about = members.an_object(entry.get("credential_metadata", {}), _CODE, f"{at}/credential_metadata")
    return CredentialConfiguration(
        id=configuration_id,
        format=name,
        type_id=None if row is None else members.required_text(entry, row.type_member, _CODE, at),
        scope=members.text(entry, "scope", _CODE, at),
        signing_algorithms=_signing_algorithms(entry, row, at),
        bound=methods is not None,
        proof_algorithms=algorithms.get("jwt", ()),
        key_attestation_required="key_attestations_required" in proof_types.get("jwt", {}),
        claims=displays.claims(about, f"{at}/credential_metadata", mdoc=row is not None and row.mdoc),
        display=displays.displays(about, f"{at}/credential_metadata", name_required=True),
    )


def _signing_algorithms(entry: Mapping[str, Any], row: _Format | None, pointer: str) -> tuple[str | int, ...]:
    name = "credential_signing_alg_values_supported"
    values = members.array(entry, name, _CODE, pointer) or []
    wanted = int if row is not None and row.mdoc else str
    if row is not None and not all(type(value) is wanted for value in values):  # OLD-10
        raise Malformed(_CODE, "COSE numbers for mdoc, JOSE names for SD-JWT VC", pointer=f"{pointer}/{name}")
    return tuple(values)


def _proof_type(value: object, pointer: str) -> tuple[str, ...]:
    """The algorithms of one proof type (VCI-META-13)."""
    proof = members.an_object(value, _CODE, pointer)
    algorithms = members.texts(proof, "proof_signing_alg_values_supported", _CODE, pointer)
    if algorithms is None:
        raise Malformed(_CODE, "missing", pointer=f"{pointer}/proof_signing_alg_values_supported")
    if "key_attestations_required" in proof:
        required = members.an_object(proof["key_attestations_required"], _CODE, f"{pointer}/key_attestations_required")
        for name in ("key_storage", "user_authentication"):
            members.texts(required, name, _CODE, f"{pointer}/key_attestations_required")
    return algorithms
