"""From nothing to a directory the services can start from: keys, certificates, trust lists, settings files."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from demo import documents
from demo.pki import Pki
from demo.state import State
from demo.world import HAIP_INSTITUTION, LAW, Member, WalletProvider, members
from issuer.entitlements import issued_by
from trust_list import authoring
from trust_list.authoring import EntityDraft, ServiceDraft
from trust_list.catalogue_types import authorisation
from vc.keys.signer import LocalSigner
from vc.openid4vci import registration_certificate
from vc.openid4vci.registration_certificate import PID_PROVIDER as PID_PROVIDER_ENTITLEMENT
from vc.openid4vci.registration_certificate import PUB_EAA_PROVIDER, SERVICE_PROVIDER, ProvidedAttestation, Registration
from vc.status import token
from vc.status.bits import StatusList
from verifier.openid_provider.claims import purpose as sign_in_purpose
from verifier.purposes import PURPOSES
from verifier.registration import SIGN_IN, asked

HOST = "localhost"
_LISTED_BEFORE = timedelta(hours=3)
"""The lists are a little older than the first credential: issuers round `iat` down, and nobody was notified in the future."""
_VERIFIER_NAME, _VERIFIER_ID = "Arbeitsinspektion (test)", "NTRDE-TEST-VERIFIER"
_REGISTERED_FOR = timedelta(days=360)
_ATTESTATIONS_FOR = timedelta(days=30)
"""How long the status list of the test wallet's attestations says what it says: nothing was withdrawn."""
_ATTESTED = 1024
"""Places in that status list; every instance of the test wallet has the first."""
_SIGN_IN_CLAIMS = {"family_name": "family_name", "given_name": "given_name", "birth_date": "birthdate"}
"""Member of the identity block → claim of the ID token of our verifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Ports and base URLs of the four servers. The repository of certificates is plain http also under TLS (RFC 5280 §8)."""

    tls: bool
    port_base: int

    def url(self, offset: int) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{HOST}:{self.port_base + offset}"

    @property
    def trust_list(self) -> str:
        return self.url(0)

    @property
    def issuer(self) -> str:
        return self.url(1)

    @property
    def verifier(self) -> str:
        return self.url(2)

    @property
    def repository(self) -> str:
        return f"http://{HOST}:{self.port_base + 3}"

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(range(self.port_base, self.port_base + 4))

    def listen(self, offset: int, tls: Mapping[str, str]) -> dict[str, Any]:
        """The `listen` member of a settings file."""
        files = {"certificate": tls["chain"], "key": tls["key"]} if self.tls else None
        return {"host": "127.0.0.1", "port": self.port_base + offset, "tls": files}


def build(state: State, addresses: Addresses, *, now: datetime) -> dict[str, Any]:
    """Fill `state`; gives the description of the demo, which is also in `demo.json`."""
    everyone = members()
    pki = Pki(state.pki, repository=addresses.repository, now=now, countries=sorted({member.country for member in everyone}))
    world = _World(
        state=state,
        addresses=addresses,
        pki=pki,
        signers={member.id: pki.institution(member) for member in everyone},
        tokens={member.id: secrets.token_urlsafe(24) for member in everyone},
        secrets={member.id: secrets.token_urlsafe(24) for member in everyone if member.sign_in},
        ca_files=pki.write_authorities(),
        tls=pki.write("tls-server", pki.server(HOST)),
        registrar=pki.registrar_signer(),
        now=now,
    )
    wallet_provider = _wallet_provider(world, now)
    _trust_lists(world, now - _LISTED_BEFORE, wallet_provider)
    _issuer(world)
    _verifier(world)

    institutions = [
        {
            "id": member.id,
            "country": member.country,
            "types": list(member.types),
            "credential_issuer": f"{addresses.issuer}/{member.id}",
            "api_token": world.tokens[member.id],
            "registration_id": member.registration_id,
            "issuance_profile": member.issuance_profile,
        }
        for member in everyone
    ]
    description = {
        "issuer": addresses.issuer,
        "verifier": addresses.verifier,
        "trust_list": addresses.trust_list,
        "institutions": institutions,
        "state": str(state.root),
        "ca_files": {name: path for name, path in world.ca_files.items() if name != "wallet"},
        "trust_root": str(state.trust_root),
        "wallet_provider": wallet_provider.description,
    }
    for name, sample in (("a1", documents.pda1(now.date())), ("ehic", documents.ehic(now.date()))):
        state.write_json(f"samples/{name}.json", sample)
    state.write_json("demo.json", description)
    return description


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What the writers of the files share."""

    state: State
    addresses: Addresses
    pki: Pki
    signers: Mapping[str, Mapping[str, LocalSigner]]
    tokens: Mapping[str, str]
    secrets: Mapping[str, str]
    ca_files: Mapping[str, str]
    tls: Mapping[str, str]
    registrar: LocalSigner
    now: datetime

    @property
    def tls_ca(self) -> str | None:
        """The authority of the servers' certificates, where they have any."""
        return self.ca_files["tls"] if self.addresses.tls else None

    def trust(self, service: str) -> dict[str, Any]:
        """The `trust` member of a service's settings; lists are asked for every second, so that the story need not wait."""
        return {
            "root": str(self.state.trust_root),
            "state": str(self.state.root / service / "trust"),
            "refresh_seconds": 1,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _WalletProvider:
    """Its entry on the list of wallet providers, and what the simulated wallet needs to play it."""

    entry: EntityDraft
    description: Mapping[str, Any]


def _wallet_provider(world: _World, now: datetime) -> _WalletProvider:
    provider = WalletProvider()
    attester, status = world.pki.wallet_provider(provider), world.pki.wallet_status(provider)
    uri = f"{world.addresses.repository}/{_STATUS_FILE}"
    nothing_withdrawn = StatusList.empty(_ATTESTED, 1)
    listed = token.sign_jwt(nothing_withdrawn, uri=uri, iat=now, exp=now + _ATTESTATIONS_FOR, ttl=60, signer=status)
    world.pki.publish_file(_STATUS_FILE, listed.encode("ascii"))
    services = (
        ServiceDraft(role="issuance", certificates=attester.chain, unique_identifier=provider.solution),
        ServiceDraft(role="revocation", certificates=status.chain, unique_identifier=provider.solution),
    )
    return _WalletProvider(
        entry=EntityDraft(
            name=provider.name, country=provider.country, registration_id=provider.registration_id, services=services
        ),
        description={
            **world.pki.write("wallet-provider", attester),
            "client_id": provider.solution,
            "status": {"uri": uri, "idx": 0},
        },
    )


_STATUS_FILE = "wallet-attestations.statuslist"


def _trust_lists(world: _World, now: datetime, wallet_provider: _WalletProvider) -> None:
    home = world.state.trust_list
    authoring.init(home, base_url=world.addresses.trust_list, now=now, listen=world.addresses.listen(0, world.tls))
    for list_id in ("pub-eaa", "pid"):
        drafts = [_entity(member, world.signers[member.id]) for member in members() if member.list_id == list_id]
        authoring.add_entities(home, list_id, drafts, now=now)
    authoring.add_entities(home, "wallet", [wallet_provider.entry], now=now)
    for list_id in ("pub-eaa", "pid", "wallet"):
        authoring.publish(home, list_id, now=now)
    authoring.write_trust_root(home, world.state.trust_root, now=now)


def _entity(member: Member, signers: Mapping[str, LocalSigner]) -> EntityDraft:
    """One service for each certificate: a certificate is listed for the one use it has."""

    def issuance(use: str, format_name: str) -> ServiceDraft:
        allowed = tuple(authorisation(name, (format_name,)) for name in member.types)
        return ServiceDraft(role="issuance", certificates=signers[use].chain, authorisations=allowed)

    return EntityDraft(
        name=member.name,
        country=member.country,
        registration_id=member.registration_id,
        law=LAW if member.list_id == "pub-eaa" else None,
        services=(
            issuance("seal", "dc+sd-jwt"),
            issuance("document_signer", "mso_mdoc"),
            ServiceDraft(role="revocation", certificates=signers["status"].chain),
        ),
    )


def _issuer(world: _World) -> None:
    world.state.write_json(
        "issuer.json",
        {
            "profile": "demo",
            "base_url": world.addresses.issuer,
            "listen": world.addresses.listen(1, world.tls),
            "database": f"sqlite:///{world.state.root / 'issuer' / 'issuer.db'}",
            "allow_http_loopback": True,
            "trust": world.trust("issuer"),
            "tls_ca": world.tls_ca,
            "status_ttl_seconds": 1,
            "institutions": [_institution(world, member) for member in members()],
        },
    )


def _institution(world: _World, member: Member) -> dict[str, Any]:
    pki, issuer = world.pki, f"{world.addresses.issuer}/{member.id}"
    signers = {**world.signers[member.id], "access": pki.issuer_access(member, credential_issuer=issuer)}
    keys: dict[str, Any] = {use: pki.write(f"{member.id}.{use}", signer) for use, signer in signers.items()}
    described = {
        "id": member.id,
        "name": member.name,
        "country": member.country,
        "registration_id": member.registration_id,
        "types": list(member.types),
        "api_token_sha256": sha256(world.tokens[member.id].encode()).hexdigest(),
        "keys": {**keys, "encryption": [pki.write_key(f"{member.id}.encryption")]},
        "registration_certificate": pki.write_text(f"{member.id}.registration.jwt", _registered(world, member)),
        "issuance_profile": member.issuance_profile,
        "encryption": "required" if member.id == HAIP_INSTITUTION else "offered",
        "reuse_policy": {"details": ["once_only"], "reissue_trigger_unused": 2},
    }
    if not member.sign_in:
        return described
    sign_in = {
        "issuer": world.addresses.verifier,
        "client_id": member.id,
        "client_secret": world.secrets[member.id],
        "scopes": ["openid"],
        "claims": _SIGN_IN_CLAIMS,
    }
    return {**described, "sign_in": sign_in}


def _registered(world: _World, member: Member) -> str:
    """What the test registrar states about an institution (TS 119 475): who it is, and what it may issue."""
    issued = {(one.format, one.type_id) for one in issued_by(member.types)}
    return _certified(
        world,
        sub=member.registration_id,
        name=member.name,
        country=member.country,
        service_description={"en": f"{', '.join(member.types)} (test)"},
        entitlements=(PID_PROVIDER_ENTITLEMENT if member.list_id == "pid" else PUB_EAA_PROVIDER,),
        provides_attestations=tuple(ProvidedAttestation(format=form, type_ids=(name,)) for form, name in sorted(issued)),
    )


def _registered_uses(world: _World) -> dict[str, str]:
    """What it states about the verifier: for each intended use what may be asked for (VP-VI-2); file names by use."""
    uses = {**PURPOSES, SIGN_IN: sign_in_purpose(tuple(_SIGN_IN_CLAIMS.values()))}
    return {
        use: world.pki.write_text(
            f"verifier.{use}.registration.jwt",
            _certified(
                world,
                sub=_VERIFIER_ID,
                name=_VERIFIER_NAME,
                country="DE",
                service_description={"en": f"{purpose.title} (test)"},
                entitlements=(SERVICE_PROVIDER,),
                credentials=asked(purpose),
                purpose={"en": purpose.title},
                intended_use_id=use,
            ),
        )
        for use, purpose in uses.items()
    }


def _certified(world: _World, *, name: str, **stated: Any) -> str:
    about = f"{world.addresses.repository}/practice.txt"
    registration = Registration(
        name=name,
        legal_name=name,
        registry_uri=about,
        privacy_policy=about,
        info_uri=about,
        support_uri=about,
        supervisory_authority={"uri": about},
        certificate_policy=about,
        **stated,
    )
    return registration_certificate.create(world.registrar, registration, now=world.now, expires=world.now + _REGISTERED_FOR)


def _relying_party(world: _World, member: Member) -> dict[str, Any]:
    """An institution as a client of our verifier's OpenID Provider."""
    return {
        "client_id": member.id,
        "name": member.name,
        "client_secret_sha256": sha256(world.secrets[member.id].encode()).hexdigest(),
        "redirect_uris": [f"{world.addresses.issuer}/{member.id}/sign-in/callback"],
        "claims": list(_SIGN_IN_CLAIMS.values()),
    }


def _verifier(world: _World) -> None:
    access = world.pki.relying_party(name=_VERIFIER_NAME, identifier=_VERIFIER_ID, base_url=world.addresses.verifier, host=HOST)
    world.state.write_json(
        "verifier.json",
        {
            "profile": "demo",
            "base_url": world.addresses.verifier,
            "listen": world.addresses.listen(2, world.tls),
            "database": f"sqlite:///{world.state.root / 'verifier' / 'verifier.db'}",
            "name": _VERIFIER_NAME,
            "allow_http_loopback": True,
            "client_id_prefix": "x509_hash",
            "access": world.pki.write("verifier-access", access),
            "registration_certificates": _registered_uses(world),
            "trust": world.trust("verifier"),
            "tls_ca": world.tls_ca,
            "status_min_ttl_seconds": 1,
            "openid_provider": {
                **world.pki.write_key("verifier-openid"),
                "clients": [_relying_party(world, member) for member in members() if member.sign_in],
            },
        },
    )
