"""Issuance profiles: one row of data per profile. Routes ask it what to enforce, metadata are generated from it.

A row says what the product can do under that name; `fitted` takes away what the settings of an institution give no means for,
and adds what they tighten. What is in neither cannot be advertised, and what is advertised is asked for.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from vc.errors import Refused
from vc.keys.ec import ALGORITHMS
from vc.openid4vci.encryption import EncryptionOffer
from vc.openid4vci.key_attestation import LEVELS
from vc.openid4vci.offer import PRE_AUTHORIZED
from vc.openid4vci.proof_types import KeyAttestationRequirement
from vc.openid4vci.reuse_policy import ReusePolicy

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 — the name of a grant type
PUBLIC_CLIENT = "none"
ATTESTED_CLIENT = "attest_jwt_client_auth"
JWT_PROOF = "jwt"
ATTESTATION_PROOF = "attestation"


class ProfileName(StrEnum):
    """The names settings use."""

    PILOT = "pilot"
    HAIP = "haip"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceProfile:
    """What one institution offers and enforces.

    `grants`: grant types of the token endpoint; an authorization request is pushed always. `client_auth`: how clients may
    authenticate at PAR and token endpoint; `none` is a registered public client. `anonymous`: a pre-authorized code is taken
    without client. `dpop_required`: no bearer tokens. `dpop_nonce`: proofs carry a nonce of ours. `attestation_challenge`: proofs
    of wallet attestations carry a challenge of ours. `key_attestation`: what proofs must show about their keys, None where they
    may do without. `encryption`: of credential requests and responses, None where there is none. `signed_metadata`: to be had as
    a JWT. `reuse_policy`: how often a copy is to be shown, None where nothing is said.
    """

    name: ProfileName
    grants: tuple[str, ...]
    client_auth: tuple[str, ...]
    anonymous: bool
    dpop_required: bool
    dpop_nonce: bool
    dpop_algorithms: tuple[str, ...] = ALGORITHMS
    attestation_challenge: bool = True
    attestation_algorithms: tuple[str, ...] = ALGORITHMS
    proof_types: tuple[str, ...] = (JWT_PROOF, ATTESTATION_PROOF)
    proof_algorithms: tuple[str, ...] = ALGORITHMS
    key_attestation: KeyAttestationRequirement | None = None
    encryption: EncryptionOffer | None = None
    signed_metadata: bool = True
    reuse_policy: ReusePolicy | None = None

    @property
    def authorization_code(self) -> bool:
        """Whether people can sign in and authorize a wallet."""
        return AUTHORIZATION_CODE in self.grants

    @property
    def pre_authorized(self) -> bool:
        """Whether the institution can offer a pre-authorized code."""
        return PRE_AUTHORIZED in self.grants

    @property
    def refresh(self) -> bool:
        """Whether tokens can be renewed; always bound to a DPoP key, and to the wallet instance where one attested itself."""
        return REFRESH_TOKEN in self.grants

    @property
    def attested_clients(self) -> bool:
        """Whether wallet attestations are taken."""
        return ATTESTED_CLIENT in self.client_auth


PROFILES: dict[ProfileName, IssuanceProfile] = {
    ProfileName.PILOT: IssuanceProfile(
        name=ProfileName.PILOT,
        grants=(PRE_AUTHORIZED, AUTHORIZATION_CODE, REFRESH_TOKEN),
        client_auth=(PUBLIC_CLIENT, ATTESTED_CLIENT),
        anonymous=True,
        dpop_required=False,
        dpop_nonce=False,
        encryption=EncryptionOffer(zip=True),
    ),
    ProfileName.HAIP: IssuanceProfile(
        name=ProfileName.HAIP,
        grants=(AUTHORIZATION_CODE, REFRESH_TOKEN),  # HAIP-VCI-1, -13; the pre-authorized code is no part of HAIP
        client_auth=(ATTESTED_CLIENT,),  # HAIP-VCI-9, -10
        anonymous=False,
        dpop_required=True,  # HAIP-VCI-3
        dpop_nonce=True,  # HAIP-VCI-3
        proof_types=(JWT_PROOF, ATTESTATION_PROOF),  # HAIP-VCI-11
        key_attestation=KeyAttestationRequirement(
            key_storage=("iso_18045_moderate",), user_authentication=("iso_18045_moderate",)
        ),  # HAIP-VCI-11, EAA-I-7
        encryption=EncryptionOffer(zip=True),
        signed_metadata=True,  # HAIP-VCI-6
    ),
}


def fitted(
    row: IssuanceProfile,
    *,
    sign_in: bool,
    trust: bool,
    clients: bool,
    access_key: bool,
    encryption_keys: bool,
    encryption_required: bool = False,
    key_attestation: KeyAttestationRequirement | None = None,
    reuse_policy: ReusePolicy | None = None,
) -> IssuanceProfile:
    """The profile of an institution that has these means and asks for this much more.

    `sign_in`: people can sign in. `trust`: the lists of wallet providers are read. `clients`: public clients are registered.
    The flags with `required` and the requirement only ever tighten. Raises `Refused` with `profile_lacks` where the profile
    cannot do without what is missing, `profile_loosens` where it does not allow what is there.
    """
    strict = not row.anonymous
    for needed, there in {"sign_in": sign_in, "trust": trust, "keys.access": access_key}.items():
        if strict and not there:
            raise Refused("profile_lacks", f"profile {row.name} needs {needed}", pointer=needed)
    if clients and PUBLIC_CLIENT not in row.client_auth:
        raise Refused("profile_loosens", f"profile {row.name} takes attested wallets only", pointer="clients")
    if sign_in and not trust and not clients:
        raise Refused("profile_lacks", "nobody could ask for a sign-in without trust or clients", pointer="sign_in")
    if encryption_required and not encryption_keys:
        raise Refused("profile_lacks", "encryption cannot be required without keys.encryption", pointer="encryption")
    if key_attestation is not None and not trust:
        raise Refused("profile_lacks", "key attestations cannot be judged without trust", pointer="key_attestation")
    without = {
        *(() if sign_in else (AUTHORIZATION_CODE,)),
        *(() if sign_in or trust else (REFRESH_TOKEN,)),
        *(() if trust else (ATTESTED_CLIENT, ATTESTATION_PROOF)),
    }
    return replace(
        row,
        grants=tuple(grant for grant in row.grants if grant not in without),
        client_auth=tuple(method for method in row.client_auth if method not in without),
        attestation_challenge=row.attestation_challenge and trust,
        proof_types=tuple(kind for kind in row.proof_types if kind not in without),
        key_attestation=_stricter(row.key_attestation, key_attestation),
        encryption=replace(row.encryption, required=row.encryption.required or encryption_required)
        if row.encryption is not None and encryption_keys
        else None,
        signed_metadata=row.signed_metadata and access_key,
        reuse_policy=reuse_policy,
    )


def _stricter(row: KeyAttestationRequirement | None, asked: KeyAttestationRequirement | None) -> KeyAttestationRequirement | None:
    """`asked` where it is at least as strict as the row; raises `Refused("profile_loosens")` where it is not."""
    if row is None or asked is None:
        return asked or row
    for mine, other in ((row.key_storage, asked.key_storage), (row.user_authentication, asked.user_authentication)):
        if mine and (not other or min(map(_level, other)) < min(map(_level, mine))):
            raise Refused("profile_loosens", "key attestations weaker than those of the profile", pointer="key_attestation")
    return asked


def _level(value: str) -> int:
    return LEVELS.index(value)
