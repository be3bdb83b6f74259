"""Certificate revocation lists (RFC 5280 §5): read, verified, asked about one certificate, and built.

Only complete lists of a certificate's own issuer are taken: a delta list, an indirect list, a list for some reasons only or for
CA certificates only says less than is asked here, and is refused rather than half read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, CRLEntryExtensionOID, ExtensionOID

from vc.clock import TOLERANCE
from vc.errors import Malformed, VerificationFailed
from vc.keys.ec import curve_of

MAX_CRL = 4 << 20
_MAX_POINTS = 4
_KNOWN = frozenset({ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CRL_NUMBER, ExtensionOID.ISSUING_DISTRIBUTION_POINT})
_KNOWN_OF_ENTRY = frozenset({CRLEntryExtensionOID.CRL_REASON, CRLEntryExtensionOID.INVALIDITY_DATE})


class Reason(StrEnum):
    """CRLReason (RFC 5280 §5.3.1) in the words of X.509; `unspecified` also when none is stated."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"
    AA_COMPROMISE = "aACompromise"


_HARMLESS = frozenset({Reason.SUPERSEDED, Reason.CESSATION_OF_OPERATION, Reason.AFFILIATION_CHANGED, Reason.PRIVILEGE_WITHDRAWN})
"""Reasons that do not put the key in doubt: what it signed before stands (TRUST 7.2 rule 7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """An entry. `since`: the earlier of revocation and invalidity date."""

    serial: int
    since: datetime
    reason: Reason = Reason.UNSPECIFIED

    @property
    def doubted(self) -> bool:
        """Whether the key itself may have been misused, so that nothing it signed stands, whenever that was."""
        return self.reason not in _HARMLESS


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A list that can be read; whether it counts is for `verify`. `number`: CRLNumber, None when the list has none."""

    parsed: x509.CertificateRevocationList
    number: int | None
    this_update: datetime
    next_update: datetime


def parse(der: bytes) -> RevocationList:
    """A DER list (RFC 5280 §4.2.1.13). Raises `Malformed("crl")` for what cannot be read, is too long, has no next update
    (§5.1.2.5: it MUST have one), carries a critical extension we do not know (§5.2), or is no complete list of its issuer.
    """
    if len(der) > MAX_CRL:
        raise Malformed("crl", "the revocation list is too long")
    try:
        parsed = x509.load_der_x509_crl(der)
        extensions, next_update = parsed.extensions, parsed.next_update_utc
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        raise Malformed("crl", "not a readable revocation list") from exc
    if next_update is None:
        raise Malformed("crl", "the revocation list does not say when the next one comes")
    number = None
    for extension in extensions:
        if extension.critical and extension.oid not in _KNOWN:  # a delta list is known by such an extension (§5.2.4)
            raise Malformed("crl", "the revocation list carries a critical extension that is not understood")
        if isinstance(extension.value, x509.CRLNumber):
            number = extension.value.crl_number
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            _check_scope(extension.value)
    return RevocationList(parsed=parsed, number=number, this_update=parsed.last_update_utc, next_update=next_update)


def _check_scope(point: x509.IssuingDistributionPoint) -> None:
    """RFC 5280 §5.2.5: the list must cover end-entity certificates of its issuer for every reason."""
    partial = point.only_contains_ca_certs or point.only_contains_attribute_certs or point.only_some_reasons is not None
    if partial or point.indirect_crl:
        raise Malformed("crl", "the revocation list covers only a part of what is asked")


def verify(found: RevocationList, issuer: x509.Certificate, *, now: datetime) -> None:
    """Check that `issuer` signed the list and that it is in its time (RFC 5280 §6.3.3).

    Raises `VerificationFailed`: `crl_issuer` (another name, or a key that may not sign lists), `crl_signature`,
    `crl_not_yet_valid`, `crl_expired` (the next update was due: what it does not name may have been revoked since).
    """
    if found.parsed.issuer != issuer.subject:
        raise VerificationFailed("crl_issuer", "the revocation list is that of another authority")
    try:
        may_sign = issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        may_sign = False
    if not may_sign:
        raise VerificationFailed("crl_issuer", "the key of the authority may not sign revocation lists")
    try:
        signed = found.parsed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # other kinds of key raise
    except (TypeError, ValueError, UnsupportedAlgorithm, InvalidSignature):
        signed = False
    if not signed:
        raise VerificationFailed("crl_signature", "the authority did not sign the revocation list")
    if found.this_update > now + TOLERANCE:
        raise VerificationFailed("crl_not_yet_valid", "the revocation list is of the future")
    if now > found.next_update + TOLERANCE:
        raise VerificationFailed("crl_expired", "the revocation list is over")


def entry(found: RevocationList, certificate: x509.Certificate) -> Revocation | None:
    """What the list says of `certificate`, None when it does not name it. The list must have been verified with the certificate's
    issuer. Raises `Malformed("crl")` for an entry that cannot be read or carries an unknown critical extension (§5.3)."""
    try:
        named = found.parsed.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if named is None:
            return None
        extensions, since = named.extensions, named.revocation_date_utc
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        raise Malformed("crl", "the entry of the certificate cannot be read") from exc
    flag = x509.ReasonFlags.unspecified
    for extension in extensions:
        if extension.critical and extension.oid not in _KNOWN_OF_ENTRY:  # of an indirect list, for one (§5.3.3)
            raise Malformed("crl", "the entry carries a critical extension that is not understood")
        if isinstance(extension.value, x509.CRLReason):
            flag = extension.value.reason
        if isinstance(extension.value, x509.InvalidityDate):
            since = min(since, extension.value.invalidity_date_utc)
    if flag is x509.ReasonFlags.remove_from_crl:  # only a delta list may say so (§5.3.1)
        raise Malformed("crl", "the entry is that of a delta list")
    return Revocation(serial=named.serial_number, since=since, reason=Reason(flag.value))


def stands(revocation: Revocation | None, *, signed_at: datetime) -> bool:
    """Whether what the certificate's key signed at `signed_at` still stands (TRUST 7.2 rule 7): it was never revoked, or later
    and for a reason that does not put the key in doubt. No reason is no such reason: the date of a signature is its signer's word.
    """
    return revocation is None or (not revocation.doubted and signed_at < revocation.since)


def distribution_points(certificate: x509.Certificate) -> tuple[str, ...]:
    """The addresses (http or https) at which the certificate says its issuer's complete list is; at most four.

    Points that name another issuer of the list, or some reasons only, are left out (§4.2.1.13). Empty without the extension.
    Raises `Malformed("crl_points")` for a certificate that has the extension and no such address: it asks to be checked in a way
    that we cannot.
    """
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    found = [
        name.value
        for point in points
        if point.crl_issuer is None and point.reasons is None
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier) and _over_http(name.value)
    ]
    if not found:
        raise Malformed("crl_points", "no address of a complete revocation list can be used")
    return tuple(dict.fromkeys(found))[:_MAX_POINTS]


def issuer_addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """The addresses (http or https) at which the certificate says its issuer's certificate is (§4.2.2.1, caIssuers)."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        described.access_location.value
        for described in access
        if described.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(described.access_location, x509.UniformResourceIdentifier)
        and _over_http(described.access_location.value)
    )[:_MAX_POINTS]


def _over_http(address: str) -> bool:
    try:
        return urlsplit(address).scheme in ("http", "https")
    except ValueError:
        return False


def build(
    issuer: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    revoked: Sequence[Revocation] = (),
) -> bytes:
    """The complete list of an authority, DER. `number` grows with each list (§5.2.3)."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(number), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
    )
    for one in revoked:
        described = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(one.since)
        if one.reason is not Reason.UNSPECIFIED:  # §5.3.1: the absence says the same
            described = described.add_extension(x509.CRLReason(x509.ReasonFlags(one.reason.value)), False)
        builder = builder.add_revoked_certificate(described.build())
    return builder.sign(key, curve_of(key).ecdsa.algorithm).public_bytes(Encoding.DER)  # type: ignore[arg-type]  # as in `build`
