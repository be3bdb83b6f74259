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
from vc.openid4vci import encryption_metadata, members, registration_certificate
from vc.openid4vci import proof_types as _proof_types
from vc.openid4vci import reuse_policy as _reuse_policy
from vc.openid4vci.display import ClaimDescription
from vc.openid4vci.encryption import EncryptionOffer, RequestEncryption
from vc.openid4vci.identifiers import check_endpoint, check_issuer, well_known
from vc.openid4vci.proof_types import KeyAttestationRequirement, ProofType
from vc.openid4vci.reuse_policy import ReuseOption, ReusePolicy

__all__ = [
    "WELL_KNOWN",
    "ClaimDescription",
    "CredentialConfiguration",
    "IssuerMetadata",
    "KeyAttestationRequirement",
    "ProofType",
    "ReuseOption",
    "ReusePolicy",
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

    `proof_types`: by name, empty when none is bound. `reuse_policy`: None when nothing is said, or nothing we know.
    """

    id: str
    format: str
    type_id: str | None
    scope: str | None
    signing_algorithms: tuple[str | int, ...]
    bound: bool
    proof_types: Mapping[str, ProofType]
    claims: tuple[ClaimDescription, ...]
    display: tuple[Mapping[str, Any], ...]
    reuse_policy: ReusePolicy | None = None

    @property
    def proof_algorithms(self) -> tuple[str, ...]:
        """For proofs of type `jwt`; empty when that type is not accepted."""
        return self.proof_types["jwt"].algorithms if "jwt" in self.proof_types else ()

    @property
    def key_attestation_required(self) -> bool:
        """Whether a proof of type `jwt` needs a key attestation."""
        return "jwt" in self.proof_types and self.proof_types["jwt"].key_attestation is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerMetadata:
    """The metadata of one issuer. `configurations`: as received; `configuration` reads one. `batch_size`: 1 without batches.

    `authorization_servers` is empty when the issuer is its own (VCI-META-7). `request_encryption`, `response_encryption`: how
    it can be done with this issuer, None when not. `registration_certificate`: the compact JWT in `issuer_info`, not verified.
    `preferred_client_status_period`: seconds (EAA-I-9).
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
    deferred_credential_endpoint: str | None = None
    request_encryption: RequestEncryption | None = None
    response_encryption: EncryptionOffer | None = None
    issuer_info: tuple[Mapping[str, Any], ...] = ()
    registration_certificate: str | None = None
    preferred_client_status_period: int | None = None

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
    proof_types: Sequence[str] = ("jwt",),
    key_attestation: KeyAttestationRequirement | None = None,
    reuse_policy: ReusePolicy | None = None,
) -> dict[str, Any]:
    """One entry of `credential_configurations_supported`. Without `proof_types` its credentials are bound to no key (EAA-I-7).

    `key_attestation`: what proofs must show about their keys, None when they need not. `signing`: the curve of the key that
    signs it; SD-JWT VC names the JOSE algorithm, mdoc the COSE number (VCI-META-23, OLD-10). `display`: objects with `name` and
    `locale`. Raises `Malformed("metadata")`, KeyError for an unknown format, ValueError for a proof type nobody checks.
    """
    row = FORMATS[format]
    built = {
        "format": format,
        row.type_member: type_id,
        "scope": scope,
        "credential_signing_alg_values_supported": [signing.cose_alg if row.mdoc else signing.alg],
        **(
            {
                "cryptographic_binding_methods_supported": [row.binding_method],
                "proof_types_supported": _proof_types.render(proof_types, proof_algorithms, key_attestation),
            }
            if proof_types
            else {}
        ),
        "credential_metadata": {
            "display": [dict(entry) for entry in display],
            "claims": [claim.render() for claim in claims],
            **({"credential_reuse_policy": reuse_policy.render()} if reuse_policy is not None else {}),
        },
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
    deferred_credential_endpoint: str | None = None,
    credential_request_encryption: Mapping[str, Any] | None = None,
    credential_response_encryption: Mapping[str, Any] | None = None,
    issuer_info: Sequence[Mapping[str, Any]] | None = None,
    preferred_client_status_period: int | None = None,
    authorization_servers: Sequence[str] | None = None,
    allow_http_loopback: bool = False,
) -> dict[str, Any]:
    """The metadata of an issuer, its own authorization server unless `authorization_servers` names others.

    `batch_size`: None, or at least 2 (VCI-META-8). `credential_request_encryption`, `credential_response_encryption`: as
    `encryption.request_metadata` and `response_metadata` make them. `issuer_info`: elements as
    `registration_certificate.element` makes them (EAA-I-2). `preferred_client_status_period`: seconds (EAA-I-9).

    ValueError for encrypted responses without encrypted requests, which nobody could ask for (VCI-ENC-2), and for a reuse
    policy with more copies than a batch has (EAA-I-4).
    """
    if credential_response_encryption is not None and credential_request_encryption is None:
        raise ValueError("an encrypted response is asked for in an encrypted request")
    optional: dict[str, Any] = {
        "authorization_servers": None if authorization_servers is None else list(authorization_servers),
        "deferred_credential_endpoint": deferred_credential_endpoint,
        "notification_endpoint": notification_endpoint,
        "credential_request_encryption": credential_request_encryption,
        "credential_response_encryption": credential_response_encryption,
        "batch_credential_issuance": None if batch_size is None else {"batch_size": batch_size},
        "issuer_info": None if issuer_info is None else [dict(entry) for entry in issuer_info],
        "preferred_client_status_period": preferred_client_status_period,
    }
    built: dict[str, Any] = {
        "credential_issuer": credential_issuer,
        "credential_endpoint": credential_endpoint,
        "nonce_endpoint": nonce_endpoint,
        **{name: member for name, member in optional.items() if member is not None},
        "display": [dict(entry) for entry in display],
        "credential_configurations_supported": {name: dict(entry) for name, entry in configurations.items()},
    }
    read = parse(built, credential_issuer=credential_issuer, allow_http_loopback=allow_http_loopback)
    for name in configurations:
        policy = read.configuration(name).reuse_policy
        if policy is not None and any((option.batch_size or 1) > read.batch_size for option in policy.options):
            raise ValueError("the reuse policy wants more copies than a batch has")
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
    info = members.array(document, "issuer_info", _CODE) or []
    return IssuerMetadata(
        credential_issuer=issuer,
        credential_endpoint=credential_endpoint,
        nonce_endpoint=endpoint("nonce_endpoint"),
        notification_endpoint=endpoint("notification_endpoint"),
        authorization_servers=servers,
        batch_size=_batch_size(document),
        encryption_required=encryption_metadata.required(document),
        display=displays.displays(document, "", name_required=False),
        configurations=configurations,
        deferred_credential_endpoint=endpoint("deferred_credential_endpoint"),
        request_encryption=encryption_metadata.request(document),
        response_encryption=encryption_metadata.response(document),
        issuer_info=tuple(info),
        registration_certificate=registration_certificate.find(info),
        preferred_client_status_period=members.positive(document, "preferred_client_status_period", _CODE),
    )


def _batch_size(document: Mapping[str, Any]) -> int:
    if "batch_credential_issuance" not in document:
        return 1
    at = "/batch_credential_issuance"
    size = members.positive(members.an_object(document[at[1:]], _CODE, at), "batch_size", _CODE, at, least=2)
    if size is None:
        raise Malformed(_CODE, "missing", pointer=f"{at}/batch_size")
    return size


def parse_configuration(configuration_id: str, value: object) -> CredentialConfiguration:
    """One entry of `credential_configurations_supported` (VCI-META-11 to -15). Raises `Malformed("metadata")` with the place."""
    at = f"/credential_configurations_supported/{configuration_id}"
    entry = members.an_object(value, _CODE, at)
    name = members.required_text(entry, "format", _CODE, at)
    row = FORMATS.get(name)
    methods = members.texts(entry, "cryptographic_binding_methods_supported", _CODE, at)
    if (methods is None) != ("proof_types_supported" not in entry):  # VCI-META-12
        raise Malformed(_CODE, "binding methods and proof types are there together or not at all", pointer=at)
    proof_types = _proof_types.parse(entry.get("proof_types_supported", {}), f"{at}/proof_types_supported")
    if methods is not None and not proof_types:
        raise Malformed(_CODE, "empty", pointer=f"{at}/proof_types_supported")
    about = members.an_object(entry.get("credential_metadata", {}), _CODE, f"{at}/credential_metadata")
    return CredentialConfiguration(
        id=configuration_id,
        format=name,
        type_id=None if row is None else members.required_text(entry, row.type_member, _CODE, at),
        scope=members.text(entry, "scope", _CODE, at),
        signing_algorithms=_signing_algorithms(entry, row, at),
        bound=methods is not None,
        proof_types=proof_types,
        claims=displays.claims(about, f"{at}/credential_metadata", mdoc=row is not None and row.mdoc),
        display=displays.displays(about, f"{at}/credential_metadata", name_required=True),
        reuse_policy=_reuse_policy.parse(about, f"{at}/credential_metadata"),
    )


def _signing_algorithms(entry: Mapping[str, Any], row: _Format | None, pointer: str) -> tuple[str | int, ...]:
    name = "credential_signing_alg_values_supported"
    values = members.array(entry, name, _CODE, pointer) or []
    wanted = int if row is not None and row.mdoc else str
    if row is not None and not all(type(value) is wanted for value in values):  # OLD-10
        raise Malformed(_CODE, "COSE numbers for mdoc, JOSE names for SD-JWT VC", pointer=f"{pointer}/{name}")
    return tuple(values)
