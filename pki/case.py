"""A certificate as the rules ask about it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from vc.errors import Malformed
from vc.x509 import qc
from vc.x509.certificate import subject_value

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_BITS = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign",
)  # fmt: skip
_ATTRIBUTES = {
    "C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "CN": NameOID.COMMON_NAME,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A certificate under the rules. `issuer`: its authority's certificate, where it is at hand."""

    certificate: x509.Certificate
    issuer: x509.Certificate | None = None

    def extension(self, kind: type[_Extension]) -> x509.Extension[_Extension] | None:
        try:
            return self.certificate.extensions.get_extension_for_class(kind)
        except x509.ExtensionNotFound:
            return None

    def names(self, *attributes: str) -> bool:
        """Whether the subject has each of these once."""
        return all(subject_value(self.certificate, _ATTRIBUTES[name]) for name in attributes)

    def usages(self) -> frozenset[str]:
        found = self.extension(x509.KeyUsage)
        return frozenset() if found is None else frozenset(bit for bit in _BITS if getattr(found.value, bit))

    def critical(self, kind: type[x509.ExtensionType]) -> bool:
        found = self.extension(kind)
        return found is not None and found.critical

    def eku(self) -> frozenset[x509.ObjectIdentifier]:
        found = self.extension(x509.ExtendedKeyUsage)
        return frozenset() if found is None else frozenset(found.value)

    def life(self) -> timedelta:
        return self.certificate.not_valid_after_utc - self.certificate.not_valid_before_utc

    def access(self, method: x509.ObjectIdentifier) -> bool:
        """Whether an address over http or https is named for this access method (RFC 5280 §4.2.2.1)."""
        found = self.extension(x509.AuthorityInformationAccess)
        return found is not None and any(
            one.access_method == method
            and isinstance(one.access_location, x509.UniformResourceIdentifier)
            and one.access_location.value.startswith(("http://", "https://"))
            for one in found.value
        )

    def points(self) -> bool:
        return self.extension(x509.CRLDistributionPoints) is not None

    def statements(self) -> dict[str, bytes] | None:
        """The qcStatements, None when they cannot be read."""
        try:
            return qc.statements(self.certificate)
        except Malformed:
            return None

    def body(self) -> qc.QcPsb | None:
        try:
            return qc.public_sector_body(self.certificate)
        except Malformed:
            return None
