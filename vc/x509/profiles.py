"""Named rule sets for end-entity certificates: what a certificate must say before it may be used for one purpose."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from vc.errors import VerificationFailed
from vc.x509.certificate import is_ca

MDOC_DOCUMENT_SIGNER = x509.ObjectIdentifier("1.0.18013.5.1.2")
MDOC_READER_AUTH = x509.ObjectIdentifier("1.0.18013.5.1.6")
STATUS_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.30")
TSL_SIGNING = x509.ObjectIdentifier("0.4.0.2231.3.0")  # ETSI TS 119 612 §5.7.1

# Extensions whose criticality we can honour because the rules here or the path check look at them.
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafRules:
    """`usages`: at least one of these keyUsage bits. `eku`: when not empty, at least one of these must be present."""

    name: str
    usages: tuple[str, ...] = ("digital_signature",)
    eku: tuple[x509.ObjectIdentifier, ...] = ()


SEAL = LeafRules(name="seal", usages=("digital_signature", "content_commitment"))
"""PuB-EAA seal certificate, ETSI EN 319 412-3 and TS 119 412-6 clause 8."""
DOCUMENT_SIGNER = LeafRules(name="document signer", eku=(MDOC_DOCUMENT_SIGNER,))
"""ISO/IEC 18013-5 Table B.3."""
STATUS_SIGNER = LeafRules(name="status signer", usages=("digital_signature", "content_commitment"))
"""Token Status List §10: a separate signer SHOULD carry an own EKU; trust comes from the Revocation service entry."""
ACCESS = LeafRules(name="access certificate", usages=("digital_signature", "content_commitment"))
"""ETSI TS 119 411-8: relying-party access certificate."""
LIST_SIGNER = LeafRules(name="list signer", usages=("digital_signature", "content_commitment"))
"""ETSI TS 119 602 Annex H: signer of a list."""
WALLET_PROVIDER = LeafRules(name="wallet provider")


def check_leaf(certificate: x509.Certificate, rules: LeafRules) -> None:
    """Check an end-entity certificate against `rules`.

    Raises `VerificationFailed` with code `cert_is_ca`, `cert_key_usage`, `cert_extended_key_usage` or `cert_critical_extension`
    (RFC 5280 §4.2: an unknown critical extension must be refused).
    """
    if is_ca(certificate):
        raise VerificationFailed("cert_is_ca", f"a CA certificate was used as {rules.name}")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or not any(getattr(usage, bit) for bit in rules.usages):
        raise VerificationFailed("cert_key_usage", f"the key usage does not allow a {rules.name} to sign")
    if rules.eku:
        try:
            purposes = set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        except x509.ExtensionNotFound:
            purposes = set()
        if purposes.isdisjoint(rules.eku):
            raise VerificationFailed("cert_extended_key_usage", f"the extended key usage of a {rules.name} is missing")
    if not understood(certificate):
        raise VerificationFailed("cert_critical_extension", "the certificate carries an unknown critical extension")


def understood(certificate: x509.Certificate) -> bool:
    """Whether every critical extension is one that the rules here or the path check look at (RFC 5280 §4.2)."""
    return all(extension.oid in _UNDERSTOOD for extension in certificate.extensions if extension.critical)
