"""An institution: who it is, what it may issue, and its keys, each for one use only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vc.errors import Refused
from vc.keys.signer import LocalSigner, Signer
from vc.x509.chain import check_presented
from vc.x509.profiles import DOCUMENT_SIGNER, SEAL, STATUS_SIGNER, check_leaf


class KeyUse(StrEnum):
    """What a key may sign. A key has one use; asking it for another is refused here, not left to the caller (SECURITY O-12)."""

    SEAL = "seal"
    DOCUMENT_SIGNER = "document_signer"
    STATUS = "status"


_RULES = {KeyUse.SEAL: SEAL, KeyUse.DOCUMENT_SIGNER: DOCUMENT_SIGNER, KeyUse.STATUS: STATUS_SIGNER}
_USE_BY_FORMAT = {"dc+sd-jwt": KeyUse.SEAL, "mso_mdoc": KeyUse.DOCUMENT_SIGNER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """`country`: ISO 3166-1 alpha-2. `registration_id`: EN 319 412-1 §5.1.4. `types`: the document types it may issue."""

    id: str
    name: str
    country: str
    registration_id: str
    types: tuple[str, ...]
    api_token_sha256: str
    credential_issuer: str
    signers: Mapping[KeyUse, Signer] = field(repr=False)

    def signer_for(self, credential_format: str) -> Signer:
        """The signer of credentials in that format. Raises `Refused("key_use")` for a format without one."""
        use = _USE_BY_FORMAT.get(credential_format)
        if use is None:
            raise Refused("key_use", "no key is kept for this format")
        return self.signers[use]

    @property
    def status_signer(self) -> Signer:
        return self.signers[KeyUse.STATUS]


def load_signer(key_path: Path, chain_path: Path, *, use: KeyUse) -> LocalSigner:
    """The file-based signer of one use, checked as a verifier would check it.

    Raises `Refused`/`VerificationFailed` (wrong kind of key, chain of another key, self-signed or anchor in the chain, leaf
    not fit for the use), OSError, ValueError (not PEM).
    """
    try:
        key = load_pem_private_key(key_path.read_bytes(), password=None)
        chain = tuple(x509.load_pem_x509_certificates(chain_path.read_bytes()))
    except (TypeError, UnsupportedAlgorithm) as exc:
        raise ValueError("not readable PEM") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Refused("key_type", "not an EC key")
    if not chain or chain[0].public_key() != key.public_key():
        raise Refused("key_chain", "the first certificate of the chain is not that of the key")
    check_presented(chain)
    check_leaf(chain[0], _RULES[use])
    return LocalSigner(key, chain)
