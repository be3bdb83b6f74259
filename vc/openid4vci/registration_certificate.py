"""Registration certificates: what a registrar says an issuer may issue or a relying party ask for (ETSI TS 119 475 V1.2.1 §5.2).

An issuer shows it in `issuer_info` of its metadata (EAA-I-2, -3), a verifier in `verifier_info` of its requests (VP-VI-2, EAA-P-3);
a wallet checks it before it asks or answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from vc.clock import TOLERANCE, from_numeric_date, to_numeric_date
from vc.encoding import base64url, json
from vc.errors import Malformed, VerificationFailed
from vc.jose import jws
from vc.keys.signer import Signer
from vc.openid4vci import members, registered_use
from vc.openid4vci.registered_use import RequestedCredential
from vc.status import reference
from vc.status.reference import StatusReference
from vc.x509.certificate import public_key
from vc.x509.chain import check_presented

TYP = "rc-wrp+jwt"
FORMAT = "registration_cert"
POLICY = "0.4.0.19475.3.1"
LONGEST = timedelta(days=366)
"""Twelve months at most from `iat` to `exp` (GEN-5.2.4-08)."""
MAX_LENGTH = 64 * 1024
_ENTITLEMENTS = "https://uri.etsi.org/19475/Entitlement/"
SERVICE_PROVIDER = _ENTITLEMENTS + "Service_Provider"
PUB_EAA_PROVIDER = _ENTITLEMENTS + "PUB_EAA_Provider"
PID_PROVIDER = _ENTITLEMENTS + "PID_Provider"
PROVIDERS = frozenset({PUB_EAA_PROVIDER, PID_PROVIDER, *(_ENTITLEMENTS + name for name in ("QEAA_Provider", "Non_Q_EAA_Provider"))})
_CODE = "registration"
Judge = Callable[[tuple[x509.Certificate, ...]], object]
"""Raises when the chain does not lead to a registrar that is trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidedAttestation:
    """A kind of attestation its provider is registered for: format, and `vct` values or one `doctype`."""

    format: str
    type_ids: tuple[str, ...]

    def render(self) -> dict[str, Any]:
        """One entry of `provides_attestations`; `meta` as in a DCQL query."""
        return {"format": self.format, "meta": registered_use.meta_of(self.format, self.type_ids)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a registrar states. `sub`: the organizationIdentifier of the party's access certificate (EN 319 412-1).

    `service_description`, `purpose`: text by language. `supervisory_authority`: members `email`, `phone`, `uri`, at least one.
    `provides_attestations`: of a provider. `credentials`, `purpose`, `intended_use_id`: of one intended use of a relying party.
    """

    sub: str
    name: str
    legal_name: str
    country: str
    registry_uri: str
    service_description: Mapping[str, str]
    entitlements: tuple[str, ...]
    privacy_policy: str
    info_uri: str
    support_uri: str
    supervisory_authority: Mapping[str, str]
    certificate_policy: str
    provides_attestations: tuple[ProvidedAttestation, ...] = ()
    credentials: tuple[RequestedCredential, ...] = ()
    purpose: Mapping[str, str] = field(default_factory=dict)
    intended_use_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationCertificate:
    """A verified certificate, as far as a wallet looks at it. `expires` None: no end is told. `status`: to be checked by the
    caller, as is nothing else."""

    sub: str
    name: str
    country: str
    entitlements: tuple[str, ...]
    provides_attestations: tuple[ProvidedAttestation, ...]
    issued_at: datetime
    expires: datetime | None
    status: StatusReference | None
    chain: tuple[x509.Certificate, ...]
    credentials: tuple[RequestedCredential, ...] = ()
    intended_use_id: str | None = None


def create(
    signer: Signer, registration: Registration, *, now: datetime, expires: datetime, status: StatusReference | None = None
) -> str:
    """The certificate, signed by a registrar. It goes through `verify` before it is given out; ValueError without chain."""
    if not signer.chain:
        raise ValueError("a registrar has a certificate")
    claims = {
        "sub": registration.sub,
        "name": registration.name,
        "sub_ln": registration.legal_name,
        "country": registration.country,
        "registry_uri": registration.registry_uri,
        "srv_description": [_texts(registration.service_description)],
        "entitlements": list(registration.entitlements),
        **(
            {"provides_attestations": [one.render() for one in registration.provides_attestations]}
            if registration.provides_attestations
            else {}
        ),
        **({"credentials": [one.render() for one in registration.credentials]} if registration.credentials else {}),
        **({"purpose": _texts(registration.purpose)} if registration.purpose else {}),
        **({"intended_use_id": registration.intended_use_id} if registration.intended_use_id else {}),
        "privacy_policy": registration.privacy_policy,
        "info_uri": registration.info_uri,
        "support_uri": registration.support_uri,
        "supervisory_authority": dict(registration.supervisory_authority),
        "policy_id": [POLICY],
        "certificate_policy": registration.certificate_policy,
        "iat": to_numeric_date(now),
        "exp": to_numeric_date(expires),
        **({"status": reference.to_claim(status)} if status is not None else {}),
    }
    made = jws.sign({"typ": TYP, "x5c": jws.x5c(signer.chain)}, json.dumps(claims), signer)
    verify(made, now=now, judge=lambda chain: None)
    return made


def _texts(by_language: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"lang": language, "value": text} for language, text in by_language.items()]


def verify(text: str, *, now: datetime, judge: Judge) -> RegistrationCertificate:
    """Check a registration certificate (TS 119 475 §5.2). Its status is the caller's to check, where there is one.

    1 a JWT of reasonable length  2 `x5c` without anchor, leaf not self-signed  3 type and signature  4 claims: at least one
    entitlement (GEN-5.2.4-03), attestations only for a provider (GEN-5.2.4-05)  5 issued in the past, not over, and for twelve
    months at most  6 `judge` trusts the chain.

    Raises what `jws` raises, `x5c_missing`, `x5c_self_signed`, `x5c_anchor_included`, `Malformed("registration")` with the place,
    `Malformed` for times and status, `VerificationFailed("registration_time")`, and what `judge` raises.
    """
    unverified = jws.parse(text, max_length=MAX_LENGTH)
    chain = jws.chain_of(unverified)
    check_presented(chain)
    jws.verify(unverified, public_key(chain[0]), typ=TYP)
    claims = unverified.claims()
    entitlements = members.texts(claims, "entitlements", _CODE)
    if entitlements is None:
        raise Malformed(_CODE, "missing", pointer="/entitlements")
    entries = members.array(claims, "provides_attestations", _CODE) or []
    provided = tuple(_provided(entry, f"/provides_attestations/{index}") for index, entry in enumerate(entries))
    if provided and not PROVIDERS.intersection(entitlements):
        raise Malformed(_CODE, "attestations of somebody who is no provider", pointer="/provides_attestations")
    issued_at = from_numeric_date(claims.get("iat"), pointer="/iat")
    expires = from_numeric_date(claims["exp"], pointer="/exp") if "exp" in claims else None
    _check_time(issued_at, expires, now)
    read = RegistrationCertificate(
        sub=members.required_text(claims, "sub", _CODE),
        name=members.required_text(claims, "name", _CODE),
        country=members.required_text(claims, "country", _CODE),
        entitlements=entitlements,
        provides_attestations=provided,
        credentials=registered_use.parse(members.array(claims, "credentials", _CODE) or [], _CODE, "/credentials"),
        intended_use_id=members.text(claims, "intended_use_id", _CODE),
        issued_at=issued_at,
        expires=expires,
        status=reference.of(claims),
        chain=chain,
    )
    judge(chain)
    return read


def _check_time(issued_at: datetime, expires: datetime | None, now: datetime) -> None:
    if issued_at > now + TOLERANCE:
        raise VerificationFailed("registration_time", "issued in the future", pointer="/iat")
    if expires is None:
        return
    if expires <= now - TOLERANCE:
        raise VerificationFailed("registration_time", "the registration certificate has expired", pointer="/exp")
    if expires - issued_at > LONGEST:
        raise VerificationFailed("registration_time", "for longer than twelve months", pointer="/exp")


def _provided(entry: object, pointer: str) -> ProvidedAttestation:
    format_name, types = registered_use.kind(members.an_object(entry, _CODE, pointer), _CODE, pointer)
    return ProvidedAttestation(format=format_name, type_ids=types)


def check_issuer(
    certificate: RegistrationCertificate, *, organization_identifier: str | None, format: str, type_id: str | None
) -> None:
    """What a wallet asks of the registration of an issuer before it requests a credential (EAA-I-3).

    `organization_identifier`: of the access certificate that signed the metadata. `format`, `type_id`: of the configuration.
    Raises `VerificationFailed`: `registration_subject`, `registration_entitlement`, `registration_type`.
    """
    if certificate.sub != organization_identifier:
        raise VerificationFailed("registration_subject", "the registration is that of another organisation")
    if not PROVIDERS.intersection(certificate.entitlements):
        raise VerificationFailed("registration_entitlement", "the issuer is not registered to provide attestations")
    if not any(
        provided.format == format and type_id is not None and type_id in provided.type_ids
        for provided in certificate.provides_attestations
    ):
        raise VerificationFailed("registration_type", "the issuer is not registered to provide this attestation")


def check_request(
    certificate: RegistrationCertificate, *, organization_identifier: str | None, asked: Sequence[RequestedCredential]
) -> None:
    """What a wallet asks of the registration of a verifier before it answers (VP-VI-2, TS 119 472-2, ARF topic 44).

    `organization_identifier`: of the access certificate that signed the request. Raises `VerificationFailed`:
    `registration_subject`, `registration_overasking` (`registered_use.excess` says what).
    """
    if certificate.sub != organization_identifier:
        raise VerificationFailed("registration_subject", "the registration is that of another organisation")
    if registered_use.excess(certificate.credentials, asked):
        raise VerificationFailed("registration_overasking", "more is asked for than the verifier is registered for")


def element(certificate: str, *, encoded: bool = False) -> dict[str, Any]:
    """The element of `issuer_info` (EAA-I-2) or `verifier_info` (VP-VI-2): the compact JWT itself.

    `encoded`: its base64url, as TS 119 472-2 V1.1.1 has it.
    """
    return {"format": FORMAT, "data": base64url.encode(certificate.encode("ascii")) if encoded else certificate}


def find(info: Sequence[object], pointer: str = "/issuer_info") -> str | None:
    """The compact JWT of the only registration certificate in `issuer_info` or `verifier_info` (`pointer` says which), None without
    one; both ways to write it are read.

    Raises `Malformed("metadata")`: an element without format, two certificates, `credential_ids` beside one (RPRC_22), or data
    that are neither.
    """
    found: list[str] = []
    for index, entry in enumerate(info):
        at = f"{pointer}/{index}"
        described = members.an_object(entry, "metadata", at)
        if members.required_text(described, "format", "metadata", at) != FORMAT:
            continue
        if "credential_ids" in described:
            raise Malformed(
                "metadata", "the certificate is for everything that is offered or asked for", pointer=f"{at}/credential_ids"
            )
        found.append(_compact(members.required_text(described, "data", "metadata", at), f"{at}/data"))
    if len(found) > 1:
        raise Malformed("metadata", "more than one registration certificate", pointer=pointer)
    return found[0] if found else None


def _compact(data: str, pointer: str) -> str:
    if data.count(".") == 2:
        return data
    try:
        text = base64url.decode(data).decode("ascii")
    except (Malformed, UnicodeDecodeError) as exc:
        raise Malformed("metadata", "neither a compact JWT nor its base64url", pointer=pointer) from exc
    if text.count(".") != 2:
        raise Malformed("metadata", "neither a compact JWT nor its base64url", pointer=pointer)
    return text
