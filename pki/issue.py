"""Certificates from a kind, a subject and an authority. Nothing here reads a clock or writes a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from asn1crypto.core import UTF8String
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pki.kinds import ACCESS_POLICIES, BACKDATED, AuthorityKind, LeafKind
from vc.errors import Refused
from vc.keys.signer import LocalSigner
from vc.x509 import qc
from vc.x509.build import CertificateSpec, issue, short
from vc.x509.qc import QcPsb

_TELEPHONE = x509.ObjectIdentifier("2.5.4.20")
"""telephoneNumber, as otherName in a WRPAC (TS 119 411-8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A CA. `slug` names its files: `slug.cer` and `slug.crl` in the repository."""

    slug: str
    kind: AuthorityKind
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a leaf says beyond its kind. `psb`, `qualified`: for seals. `policy`: for access certificates, a name of
    `ACCESS_POLICIES`. `life` None: that of the kind."""

    uris: Sequence[str] = ()
    dns_names: Sequence[str] = ()
    addresses: Sequence[str] = ()
    mails: Sequence[str] = ()
    phones: Sequence[str] = ()
    psb: QcPsb | None = None
    qualified: bool = False
    policy: str = "ncp-l"
    life: timedelta | None = None


NOTHING_MORE = Details()


def authority(slug: str, kind: AuthorityKind, subject: Mapping[str, str], *, repository: str, now: datetime) -> Authority:
    """A new root with its own key. `subject` in short names (C, O, CN …). Raises `Refused("subject")` without CN, and without C for
    an IACA (MDOC-CERT-2)."""
    _require(subject, ("C", "CN") if kind.alternative_name else ("CN",))
    key = ec.generate_private_key(ec.SECP256R1())
    spec = _ca_spec(slug, kind, subject, repository=repository, now=now)
    certificate = issue(spec, key.public_key(), signer=key, issuer=None, serial=x509.random_serial_number())
    return Authority(slug=slug, kind=kind, key=key, certificate=certificate)


def link(old: Authority, new: Authority, *, repository: str) -> x509.Certificate:
    """The link certificate of a roll-over: the new root's name and key under the old root's signature, for as long as both live, so
    that whoever knows the old root alone believes the new one. Raises `Refused("link")` when the two are not one authority: of the
    same name (RFC 5280 §3.2: self-issued, which a path length of 0 allows), with different keys."""
    if old.certificate.subject != new.certificate.subject or old.key.public_key() == new.key.public_key():
        raise Refused("link", "a link certificate joins two keys of one authority of the same name")
    begins, ends = new.certificate.not_valid_before_utc, old.certificate.not_valid_after_utc
    spec = CertificateSpec(
        subject=short(new.certificate.subject),
        not_before=max(begins, old.certificate.not_valid_before_utc),
        not_after=min(ends, new.certificate.not_valid_after_utc),
        ca=True,
        path_length=0,
        usages=("key_cert_sign", "crl_sign"),
        issuer_alt_uri=repository if old.kind.alternative_name else None,
        crl_url=f"{repository}/{old.slug}.crl",
    )
    return issue(spec, new.key.public_key(), signer=old.key, issuer=old.certificate, serial=x509.random_serial_number())


def leaf(
    by: Authority,
    kind: LeafKind,
    subject: Mapping[str, str],
    *,
    repository: str,
    now: datetime,
    details: Details = NOTHING_MORE,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> LocalSigner:
    """A certificate of `kind` with its key (a fresh one unless given).

    Raises `Refused`: `authority` (it does not issue this kind), `subject` (an attribute is missing; for document signers another
    country than the root's, MDOC-CERT-2), `life` (longer than the kind allows, or than the authority lives), `policy`, `seal`
    (a statement of a public sector body without country, or beside another kind).
    """
    if by.kind.id not in kind.authorities:
        raise Refused("authority", f"a {kind.title} is issued by an authority of kind {' or '.join(kind.authorities)}")
    _require(subject, kind.subject)
    if kind.alternative_name and subject["C"] != _value(by.certificate, x509.NameOID.COUNTRY_NAME):
        raise Refused("subject", "a document signer is of the country of its root")
    ends = now + (kind.life if details.life is None else details.life)
    if not now < ends <= min(now - BACKDATED + kind.longest, by.certificate.not_valid_after_utc):
        raise Refused("life", f"a {kind.title} lives {kind.longest.days} days at most, and no longer than its authority")
    key = key or ec.generate_private_key(ec.SECP256R1())
    spec = CertificateSpec(
        subject=dict(subject),
        not_before=now - BACKDATED,
        not_after=ends,
        usages=kind.usages,
        eku=kind.eku,
        issuer_alt_uri=repository if kind.alternative_name else None,
        crl_url=f"{repository}/{by.slug}.crl",
        ca_issuers_url=f"{repository}/{by.slug}.cer",
        more=_more(kind, details, repository),
    )
    certificate = issue(
        spec, key.public_key(), signer=by.key, issuer=by.certificate, serial=x509.random_serial_number()
    )  # fmt: skip
    return LocalSigner(key, (certificate,))


def _more(kind: LeafKind, details: Details, repository: str) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    more: list[tuple[x509.ExtensionType, bool]] = []
    names = _names(details)
    if names:
        more.append((x509.SubjectAlternativeName(names), False))
    if details.psb is not None or details.qualified:
        if kind.id != "seal":
            raise Refused("seal", "only a seal states a public sector body or that it is qualified")
        more.append((qc.extension(details.psb, qualified=details.qualified), False))
    if kind.id == "access":
        if details.policy not in ACCESS_POLICIES:
            raise Refused("policy", f"a policy of access certificates: one of {', '.join(ACCESS_POLICIES)}")
        if not names:
            raise Refused("subject", "an access certificate says how its owner is reached: an address, a mail or a phone")
        policy = x509.PolicyInformation(ACCESS_POLICIES[details.policy], [f"{repository}/practice.txt"])
        more.append((x509.CertificatePolicies([policy]), False))
    return tuple(more)


def _names(details: Details) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(name) for name in details.dns_names),
        *(x509.IPAddress(ip_address(address)) for address in details.addresses),
        *(x509.UniformResourceIdentifier(uri) for uri in details.uris),
        *(x509.RFC822Name(mail) for mail in details.mails),
        *(x509.OtherName(_TELEPHONE, UTF8String(phone).dump()) for phone in details.phones),
    ]


def _ca_spec(slug: str, kind: AuthorityKind, subject: Mapping[str, str], *, repository: str, now: datetime) -> CertificateSpec:
    return CertificateSpec(
        subject=dict(subject),
        not_before=now - BACKDATED,
        not_after=now + kind.life,
        ca=True,
        path_length=0,
        usages=("key_cert_sign", "crl_sign"),
        issuer_alt_uri=repository if kind.alternative_name else None,
        crl_url=f"{repository}/{slug}.crl",
    )


def _require(subject: Mapping[str, str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if not subject.get(name)]
    if missing:
        raise Refused("subject", f"the subject must name {', '.join(missing)}")


def _value(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> object:
    return next((name.value for name in certificate.subject.get_attributes_for_oid(oid)), None)
