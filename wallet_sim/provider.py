"""The test wallet provider: it vouches for instances of the wallet and for the keys credentials are bound to.

In life this is a service of whoever offers the wallet; here its key lies beside the wallet, which is why what it says about key
storage is worth nothing outside of tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vc.encoding import json
from vc.errors import VcError
from vc.keys.signer import LocalSigner
from vc.openid4vci import key_attestation, wallet_attestation
from vc.status.reference import StatusReference

LIFETIME = timedelta(hours=1)
"""Of what is attested; TS3 allows less than 24 hours (VCI-WIA-10)."""
STATUS_KEPT_UP = timedelta(days=120)
"""How long the status of what was attested is kept up: longer than issuers want (`preferred_client_status_period`, EAA-I-9)."""
WALLET_NAME, WALLET_VERSION = "Portadoc wallet simulator (test)", "1"
CERTIFICATION = "https://wallet.example/certification/test"
LEVELS = ("iso_18045_high",)
"""What this provider says of key storage and user authentication when nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLevels:
    """Attack potential resistance, in the words of OpenID4VCI 1.0 Appendix D.2."""

    key_storage: Sequence[str] = LEVELS
    user_authentication: Sequence[str] = LEVELS


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletProvider:
    """`signer` with the provider's certificate chain. `client_id`: the same for every instance of the wallet (HAIP 1.0 §4.4.1).

    `status`: where it is said whether what was attested still holds, None when nowhere. `issuer`: what `iss` says, for servers that
    still follow draft-07 of attestation-based client authentication; None leaves it out.
    """

    signer: LocalSigner = field(repr=False)
    client_id: str
    status: StatusReference | None = None
    issuer: str | None = None

    def attest_instance(self, instance_key: ec.EllipticCurvePublicKey, *, now: datetime, lifetime: timedelta = LIFETIME) -> str:
        """A wallet attestation for the instance that has this key."""
        return wallet_attestation.create(
            self.signer,
            client_id=self.client_id,
            instance_key=instance_key,
            now=now,
            expires=now + lifetime,
            issuer=self.issuer,
            wallet_name=WALLET_NAME,
            wallet_version=WALLET_VERSION,
            wallet_solution_certification_information=CERTIFICATION,
            client_status_expires=now + STATUS_KEPT_UP,
            status=self.status,
        )

    def attest_keys(
        self, keys: Sequence[ec.EllipticCurvePublicKey], *, nonce: str, now: datetime, levels: KeyLevels | None = None
    ) -> str:
        """A key attestation for `keys`, made for the issuer's `nonce`."""
        said = levels or KeyLevels()
        return key_attestation.create(
            self.signer,
            keys=keys,
            now=now,
            expires=now + LIFETIME,
            nonce=nonce,
            key_storage=said.key_storage,
            user_authentication=said.user_authentication,
            status=self.status,
            key_storage_status_expires=now + STATUS_KEPT_UP,
            certification=CERTIFICATION,
        )


def read(material: Mapping[str, Any], *, base: Path) -> WalletProvider:
    """The provider described by `key`, `chain` (PEM files, relative to `base`), `client_id` and, optionally,
    `status` (uri, idx) and `issuer`.

    Raises ValueError with a sentence, OSError for files that cannot be read.
    """
    try:
        key = load_pem_private_key((base / material["key"]).read_bytes(), password=None)
        chain = tuple(x509.load_pem_x509_certificates((base / material["chain"]).read_bytes()))
        client_id, status, issuer = material["client_id"], material.get("status"), material.get("issuer")
        reference = None if status is None else StatusReference(uri=status["uri"], idx=status["idx"])
    except (KeyError, TypeError, VcError) as exc:
        raise ValueError("a wallet provider has key, chain, client_id and perhaps status with uri and idx") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or chain[0].public_key() != key.public_key():
        raise ValueError("the wallet provider's key is not that of its certificate")
    if not isinstance(client_id, str) or not client_id or not isinstance(issuer, str | None):
        raise ValueError("the wallet provider's client_id and issuer are texts")
    return WalletProvider(signer=LocalSigner(key, chain), client_id=client_id, status=reference, issuer=issuer)


def load(path: Path) -> WalletProvider:
    """The provider of a JSON file; its PEM files are named relative to it. Raises as `read`, and `VcError` for what is no JSON."""
    return read(json.loads_object(path.read_bytes()), base=path.parent)
