"""Certificates for demo and tests, described by a small value that reads like the case."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from vc.keys.ec import curve_of

_NAMES = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSpec:
    """What the certificate shall say. `subject` uses the short names C, O, organizationIdentifier, OU, CN in that order."""

    subject: dict[str, str]
    not_before: datetime
    not_after: datetime
    ca: bool = False
    path_length: int | None = None
    usages: Sequence[str] = ("digital_signature",)
    eku: Sequence[x509.ObjectIdentifier] = ()
    dns_names: Sequence[str] = ()
    uris: Sequence[str] = ()
    issuer_alt_uri: str | None = None
    crl_url: str | None = None
    ca_issuers_url: str | None = None
    more: Sequence[tuple[x509.ExtensionType, bool]] = field(default=())


def name(subject: dict[str, str]) -> x509.Name:
    """The X.509 name of short attribute names, in the order given."""
    return x509.Name([x509.NameAttribute(_NAMES[key], value) for key, value in subject.items()])


def short(name: x509.Name) -> dict[str, str]:
    """The short names and values of an X.509 name, as `name` takes them; attributes that have no short name here are left out."""
    return {key: str(one.value) for one in name for key, oid in _NAMES.items() if oid == one.oid}


def issue(
    spec: CertificateSpec,
    key: ec.EllipticCurvePublicKey,
    *,
    signer: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    serial: int,
) -> x509.Certificate:
    """The certificate of `key` signed by `signer`; `issuer=None` makes it self-signed. `serial`: positive, at most 20 octets."""
    subject = name(spec.subject)
    identifier = x509.SubjectKeyIdentifier.from_public_key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(spec.not_before)
        .not_valid_after(spec.not_after)
        .add_extension(identifier(key), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
        .add_extension(x509.KeyUsage(**{bit: bit in spec.usages for bit in _USAGES}), True)
    )
    if spec.ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=spec.path_length), True)
    if spec.eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage(spec.eku), True)
    alternative = [*(x509.DNSName(n) for n in spec.dns_names), *(x509.UniformResourceIdentifier(u) for u in spec.uris)]
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), False)
    if spec.issuer_alt_uri:
        builder = builder.add_extension(x509.IssuerAlternativeName([x509.UniformResourceIdentifier(spec.issuer_alt_uri)]), False)
    if spec.crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(spec.crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), False)
    if spec.ca_issuers_url:
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(spec.ca_issuers_url)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), False)
    for extension, critical in spec.more:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, curve_of(signer).ecdsa.algorithm)  # type: ignore[arg-type]
