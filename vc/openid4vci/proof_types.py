"""How possession of a key may be proved, as metadata say it: `proof_types_supported` (OpenID4VCI 1.0 §12.2.4, VCI-META-13)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vc.errors import Malformed
from vc.openid4vci import members

KINDS = ("jwt", "attestation")
_CODE = "metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAttestationRequirement:
    """What a key attestation must show (EAA-I-7). `key_storage`, `user_authentication`: accepted levels, one of which must be
    reached; empty: any will do. `preferred_key_storage_status_period`: seconds the attestation should still be watched over
    (EAA-I-9), None when nothing is said."""

    key_storage: tuple[str, ...] = ()
    user_authentication: tuple[str, ...] = ()
    preferred_key_storage_status_period: int | None = None

    def render(self) -> dict[str, Any]:
        """The value of `key_attestations_required`; an empty object says that one is needed, of whatever level."""
        period = self.preferred_key_storage_status_period
        return {
            **({"key_storage": list(self.key_storage)} if self.key_storage else {}),
            **({"user_authentication": list(self.user_authentication)} if self.user_authentication else {}),
            **({"preferred_key_storage_status_period": period} if period is not None else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofType:
    """One proof type an issuer takes. `key_attestation` None: it is not required."""

    algorithms: tuple[str, ...]
    key_attestation: KeyAttestationRequirement | None = None


def render(kinds: Sequence[str], algorithms: Sequence[str], required: KeyAttestationRequirement | None) -> dict[str, Any]:
    """The value of `proof_types_supported`. ValueError for a kind that nobody here checks."""
    if not set(kinds) <= set(KINDS):
        raise ValueError("a proof type that is not enforced is not announced")
    one = {
        "proof_signing_alg_values_supported": list(algorithms),
        **({"key_attestations_required": required.render()} if required is not None else {}),
    }
    return {kind: dict(one) for kind in kinds}


def parse(value: object, pointer: str) -> dict[str, ProofType]:
    """The proof types of a configuration, by name. Raises `Malformed("metadata")` with the place."""
    return {kind: _one(proof, f"{pointer}/{kind}") for kind, proof in members.an_object(value, _CODE, pointer).items()}


def _one(value: object, pointer: str) -> ProofType:
    proof = members.an_object(value, _CODE, pointer)
    algorithms = members.texts(proof, "proof_signing_alg_values_supported", _CODE, pointer)
    if algorithms is None:
        raise Malformed(_CODE, "missing", pointer=f"{pointer}/proof_signing_alg_values_supported")
    if "key_attestations_required" not in proof:
        return ProofType(algorithms=algorithms)
    at = f"{pointer}/key_attestations_required"
    return ProofType(algorithms=algorithms, key_attestation=_requirement(proof["key_attestations_required"], at))


def _requirement(value: object, pointer: str) -> KeyAttestationRequirement:
    required: Mapping[str, Any] = members.an_object(value, _CODE, pointer)
    return KeyAttestationRequirement(
        key_storage=members.texts(required, "key_storage", _CODE, pointer) or (),
        user_authentication=members.texts(required, "user_authentication", _CODE, pointer) or (),
        preferred_key_storage_status_period=members.positive(required, "preferred_key_storage_status_period", _CODE, pointer),
    )
