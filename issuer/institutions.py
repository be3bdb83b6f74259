"""An institution: who it is, what it may issue, and its keys, each for one use only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec

from issuer.profiles import IssuanceProfile
from vc.errors import Refused
from vc.keys.signer import Signer
from vc.openid4vci.reuse_policy import ReusePolicy
from vc.x509.profiles import ACCESS, DOCUMENT_SIGNER, SEAL, STATUS_SIGNER


class KeyUse(StrEnum):
    """What a key may sign. A key has one use; asking it for another is refused here, not left to the caller (SECURITY O-12)."""

    SEAL = "seal"
    DOCUMENT_SIGNER = "document_signer"
    STATUS = "status"
    ACCESS = "access"


RULES = {
    KeyUse.SEAL: SEAL,
    KeyUse.DOCUMENT_SIGNER: DOCUMENT_SIGNER,
    KeyUse.STATUS: STATUS_SIGNER,
    KeyUse.ACCESS: ACCESS,
}
"""What the certificate of each use must say."""
SHORT_LIVED_SECONDS = 86_400
"""The longest life of a credential without status (EAA-S-6)."""
_USE_BY_FORMAT = {"dc+sd-jwt": KeyUse.SEAL, "mso_mdoc": KeyUse.DOCUMENT_SIGNER}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKey:
    """A key wallets may encrypt credential requests to (VCI-META-9). `kid`: its RFC 7638 thumbprint, base64url."""

    kid: str
    private: ec.EllipticCurvePrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The OpenID Provider at which the person signs in. `issuer`: its identifier, from which everything else is discovered.

    `claims`: member of the identity block → claim of the ID token or of userinfo.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    claims: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A public client the institution knows by name; `redirect_uris` are compared octet by octet."""

    client_id: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """An institution as credential issuer and authorization server.

    `country`: ISO 3166-1 alpha-2. `registration_id`: EN 319 412-1 §5.1.4. `types`: the document types it may issue.
    `profile`: what is offered and enforced here, and all that is. `encryption_keys`: the first is the current one; all are
    accepted. `registration_certificate`: compact JWT (TS 119 475). `deferred_seconds`: how long a deferred issuance can be
    collected. `deferred_interval_seconds`: how long a wallet waits between two looks.
    """

    id: str
    name: str
    country: str
    registration_id: str
    types: tuple[str, ...]
    api_token_sha256: str
    credential_issuer: str
    signers: Mapping[KeyUse, Signer] = field(repr=False)
    profile: IssuanceProfile
    sign_in: SignIn | None = None
    clients: tuple[RegisteredClient, ...] = ()
    encryption_keys: tuple[EncryptionKey, ...] = ()
    registration_certificate: str | None = None
    short_lived_types: frozenset[str] = frozenset()
    deferred_seconds: int = 30 * 86_400
    deferred_interval_seconds: int = 5

    def signer_for(self, credential_format: str) -> Signer:
        """The signer of credentials in that format. Raises `Refused("key_use")` for a format without one."""
        use = _USE_BY_FORMAT.get(credential_format)
        if use is None:
            raise Refused("key_use", "no key is kept for this format")
        return self.signers[use]

    @property
    def status_signer(self) -> Signer:
        return self.signers[KeyUse.STATUS]

    @property
    def access_signer(self) -> Signer | None:
        """The signer of the issuer metadata (VCI-META-20); None where metadata are not signed."""
        return self.signers.get(KeyUse.ACCESS)

    @property
    def reuse_policy(self) -> ReusePolicy | None:
        """How often a copy may be shown, as the metadata announce it (EAA-I-4)."""
        return self.profile.reuse_policy

    def short_lived(self, document_type: str) -> bool:
        """Whether credentials of that type live a day at most and have no place in a status list."""
        return document_type in self.short_lived_types

    def encryption_key(self, kid: str) -> EncryptionKey | None:
        """The key of that name, current or older."""
        return next((key for key in self.encryption_keys if key.kid == kid), None)

    def client(self, client_id: str) -> RegisteredClient | None:
        """The registered public client of that name."""
        return next((client for client in self.clients if client.client_id == client_id), None)
