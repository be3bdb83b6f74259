"""The part of the settings file that describes one institution, and what is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from edge import settings as shared
from edge.settings import KeyFiles, SettingsError, Wire
from issuer.entitlements import issued_by
from issuer.institutions import RULES, SHORT_LIVED_SECONDS, EncryptionKey, Institution, KeyUse, RegisteredClient, SignIn
from issuer.profiles import PROFILES, IssuanceProfile, ProfileName, fitted
from issuer.sign_in.person import NEEDED, NUMBERS
from vc.clock import from_numeric_date
from vc.documents.catalogue import DOCUMENT_TYPES
from vc.encoding import base64url
from vc.errors import VcError
from vc.jose import jws
from vc.keys import jwk
from vc.keys.ec import curve_of
from vc.openid4vci import redirection, registration_certificate
from vc.openid4vci.identifiers import check_issuer
from vc.openid4vci.proof_types import KeyAttestationRequirement
from vc.openid4vci.reuse_policy import ReuseOption, ReusePolicy

_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Level = Literal["iso_18045_basic", "iso_18045_enhanced-basic", "iso_18045_moderate", "iso_18045_high"]


class _EncryptionKey(Wire):
    key: str


class _Keys(Wire):
    seal: KeyFiles
    document_signer: KeyFiles
    status: KeyFiles
    access: KeyFiles | None = None
    encryption: Annotated[list[_EncryptionKey], Field(default_factory=list, max_length=10)]


class _SignIn(Wire):
    issuer: str
    client_id: _Text
    client_secret: _Text
    scopes: Annotated[list[_Text], Field(default_factory=lambda: ["openid"])]
    claims: dict[str, _Text]


class _Client(Wire):
    client_id: _Text
    redirect_uris: Annotated[list[_Text], Field(min_length=1, max_length=20)]


class _KeyAttestation(Wire):
    key_storage: Annotated[list[_Level], Field(default_factory=list)]
    user_authentication: Annotated[list[_Level], Field(default_factory=list)]


class _ReusePolicy(Wire):
    details: Annotated[list[Literal["once_only", "limited_time"]], Field(min_length=1, max_length=2)]
    reissue_trigger_unused: Annotated[int, Field(ge=1)] | None = None
    reissue_trigger_lifetime_left: Annotated[int, Field(ge=1)] | None = None


class InstitutionWire(Wire):
    """One entry of `institutions`; paths are relative to the settings file."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    registration_id: Annotated[str, Field(min_length=1, max_length=100)]
    types: Annotated[list[str], Field(min_length=1)]
    api_token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    keys: _Keys
    issuance_profile: Literal["pilot", "haip"] = "pilot"
    registration_certificate: str | None = None
    sign_in: _SignIn | None = None
    clients: Annotated[list[_Client], Field(default_factory=list, max_length=100)]
    encryption: Literal["offered", "required"] = "offered"
    key_attestation: _KeyAttestation | None = None
    short_lived: Annotated[list[str], Field(default_factory=list)]
    reuse_policy: _ReusePolicy | None = None
    deferred_seconds: Annotated[int, Field(ge=60, le=365 * 86_400)] = 30 * 86_400
    deferred_interval_seconds: Annotated[int, Field(ge=1, le=86_400)] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an institution shares with the others of the service. `trust`: whether lists are read."""

    base: Path
    base_url: str
    allow_http_loopback: bool
    trust: bool
    batch_size: int
    credential_seconds: int


def institutions(wires: Sequence[InstitutionWire], around: Surroundings) -> dict[str, Institution]:
    """The institutions by id. Raises `SettingsError`."""
    made: dict[str, Institution] = {}
    for wire in wires:
        where = f"institutions.{wire.id}"
        if wire.id in made or wire.id in _RESERVED:
            raise SettingsError(f"setting {where}: the id is used twice or is a path of the service itself")
        if any(other.api_token_sha256 == wire.api_token_sha256 for other in made.values()):
            raise SettingsError(f"setting {where}.api_token_sha256: the same token for two institutions")
        one = _institution(wire, around, where)
        if any(not _keys_of(one).isdisjoint(_keys_of(other)) for other in made.values()):
            raise SettingsError(f"setting {where}.keys: a key of another institution")  # O-12
        made[wire.id] = one
    return made


_RESERVED = frozenset({"api", "type-metadata", "healthz", "static"})


def _institution(wire: InstitutionWire, around: Surroundings, where: str) -> Institution:
    unknown = sorted(set(wire.types) - DOCUMENT_TYPES.keys())
    if unknown:
        raise SettingsError(f"setting {where}.types: unknown document type {unknown[0]}")
    if set(wire.short_lived) - set(wire.types):
        raise SettingsError(f"setting {where}.short_lived: a document type the institution does not issue")
    files = {use: getattr(wire.keys, use) for use in KeyUse}
    signers = {
        use: shared.signer(pair, around.base, f"{where}.keys.{use}", RULES[use]) for use, pair in files.items() if pair is not None
    }
    made = Institution(
        id=wire.id,
        name=wire.name,
        country=wire.country,
        registration_id=wire.registration_id,
        types=tuple(wire.types),
        api_token_sha256=wire.api_token_sha256,
        credential_issuer=f"{around.base_url}/{wire.id}",
        signers=signers,
        profile=_profile(wire, around, where),
        sign_in=None if wire.sign_in is None else _sign_in(wire.sign_in, around, f"{where}.sign_in"),
        clients=_clients(wire.clients, f"{where}.clients"),
        encryption_keys=tuple(
            _encryption_key(around.base / entry.key, f"{where}.keys.encryption.{index}")
            for index, entry in enumerate(wire.keys.encryption)
        ),
        registration_certificate=_registration_certificate(wire, around, where),
        short_lived_types=frozenset(wire.short_lived),
        deferred_seconds=wire.deferred_seconds,
        deferred_interval_seconds=wire.deferred_interval_seconds,
    )
    if len(_keys_of(made)) != len(made.signers) + len(made.encryption_keys):
        raise SettingsError(f"setting {where}.keys: one key for two uses")  # O-12
    return made


def _keys_of(institution: Institution) -> frozenset[bytes]:
    signing = (jwk.thumbprint(signer.public_key) for signer in institution.signers.values())
    return frozenset((*signing, *(jwk.thumbprint(key.private.public_key()) for key in institution.encryption_keys)))


def _profile(wire: InstitutionWire, around: Surroundings, where: str) -> IssuanceProfile:
    asked = wire.key_attestation
    try:
        profile = fitted(
            PROFILES[ProfileName(wire.issuance_profile)],
            sign_in=wire.sign_in is not None,
            trust=around.trust,
            clients=bool(wire.clients),
            access_key=wire.keys.access is not None,
            encryption_keys=bool(wire.keys.encryption),
            encryption_required=wire.encryption == "required",
            key_attestation=None
            if asked is None
            else KeyAttestationRequirement(
                key_storage=tuple(asked.key_storage), user_authentication=tuple(asked.user_authentication)
            ),
            reuse_policy=_reuse_policy(wire, around, f"{where}.reuse_policy"),
        )
    except VcError as exc:
        raise SettingsError(f"setting {where}.{exc.pointer}: {exc.detail}") from exc
    if profile.key_attestation is None:
        return profile
    # EAA-I-9: a credential does not outlive the status of its keys, so a shorter one shortens it.
    required = replace(profile.key_attestation, preferred_key_storage_status_period=around.credential_seconds)
    return replace(profile, key_attestation=required)


def _reuse_policy(institution: InstitutionWire, around: Surroundings, where: str) -> ReusePolicy | None:
    """EAA-I-4: what is announced agrees with the batches and the life of the credentials, the short-lived ones included."""
    wire = institution.reuse_policy
    if wire is None:
        return None
    life = SHORT_LIVED_SECONDS if institution.short_lived else around.credential_seconds
    if around.batch_size < 2 and "once_only" in wire.details:
        raise SettingsError(f"setting {where}: copies that are shown once need a batch_size of at least 2")
    if wire.reissue_trigger_unused is not None and wire.reissue_trigger_unused >= around.batch_size:
        raise SettingsError(f"setting {where}.reissue_trigger_unused: not below batch_size")
    if wire.reissue_trigger_lifetime_left is not None and wire.reissue_trigger_lifetime_left >= life:
        raise SettingsError(f"setting {where}.reissue_trigger_lifetime_left: not below the life of the credentials, {life} seconds")
    option = ReuseOption(
        details=tuple(wire.details),
        batch_size=around.batch_size if around.batch_size > 1 else None,
        reissue_trigger_unused=wire.reissue_trigger_unused,
        reissue_trigger_lifetime_left=wire.reissue_trigger_lifetime_left,
    )
    return ReusePolicy(options=(option,))


_COMPARED = frozenset({*NEEDED, *NUMBERS})


def _sign_in(wire: _SignIn, around: Surroundings, where: str) -> SignIn:
    try:
        check_issuer(wire.issuer, allow_http_loopback=around.allow_http_loopback)
    except VcError as exc:
        raise SettingsError(f"setting {where}.issuer: {exc.detail}") from exc
    if "openid" not in wire.scopes:
        raise SettingsError(f"setting {where}.scopes: without openid it is no sign-in (OpenID Connect Core §3.1.2.1)")
    unknown = sorted(wire.claims.keys() - _COMPARED)
    if unknown:
        raise SettingsError(f"setting {where}.claims: no member of the identity block that people are told apart by: {unknown[0]}")
    if not wire.claims.keys() >= {*NEEDED}:
        raise SettingsError(f"setting {where}.claims: family_name, given_name and birth_date are needed to tell people apart")
    return SignIn(
        issuer=wire.issuer,
        client_id=wire.client_id,
        client_secret=wire.client_secret,
        scopes=tuple(wire.scopes),
        claims=dict(wire.claims),
    )


def _clients(wires: Sequence[_Client], where: str) -> tuple[RegisteredClient, ...]:
    if len({wire.client_id for wire in wires}) != len(wires):
        raise SettingsError(f"setting {where}: one client_id twice")
    for wire in wires:
        for uri in wire.redirect_uris:
            try:
                redirection.check(uri)
            except VcError as exc:
                raise SettingsError(f"setting {where}.redirect_uris: {exc.detail}") from exc
    return tuple(RegisteredClient(client_id=wire.client_id, redirect_uris=tuple(wire.redirect_uris)) for wire in wires)


def _encryption_key(path: Path, where: str) -> EncryptionKey:
    key = shared.private_key(path, where)
    if curve_of(key).name != "P-256":  # HAIP 1.0 §5: ECDH-ES on P-256
        raise SettingsError(f"setting {where}: not a P-256 key")
    return EncryptionKey(kid=base64url.encode(jwk.thumbprint(key.public_key())), private=key)


def _registration_certificate(wire: InstitutionWire, around: Surroundings, where: str) -> str | None:
    """The compact JWT in the file, if a wallet would find this institution and its documents in it (EAA-I-2, -3).

    Whether it is over is asked when it is published, as time passes; whose registrar it is from, by the wallet.
    """
    if wire.registration_certificate is None:
        return None
    where = f"{where}.registration_certificate"
    try:
        text = (around.base / wire.registration_certificate).read_text(encoding="ascii").strip()
        issued = from_numeric_date(jws.parse(text).claims().get("iat"))
        certificate = registration_certificate.verify(text, now=issued, judge=lambda _: None)
        for configuration in issued_by(wire.types):
            registration_certificate.check_issuer(
                certificate,
                organization_identifier=wire.registration_id,
                format=configuration.format,
                type_id=configuration.type_id,
            )
    except OSError as exc:
        raise SettingsError(f"setting {where}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"setting {where}: not a compact JWT") from exc
    except VcError as exc:
        raise SettingsError(f"setting {where}: {exc.detail or exc.code}") from exc
    return text
