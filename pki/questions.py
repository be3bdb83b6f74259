"""What the rules ask, where it takes more than a line. Each question answers True when the certificate keeps the rule."""

from collections.abc import Callable, Mapping

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from pki.case import Case
from vc.x509 import qc
from vc.x509.certificate import ski, subject_value

Question = Callable[[Case], bool]
_SIZES: Mapping[str, type[hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256, "secp384r1": hashes.SHA384, "secp521r1": hashes.SHA512,
    "brainpoolP256r1": hashes.SHA256, "brainpoolP384r1": hashes.SHA384, "brainpoolP512r1": hashes.SHA512,
}  # fmt: skip


def serial(case: Case) -> bool:
    """Positive, at most 20 octets; 63 random bits cannot be seen, but a number shorter than that has not so many."""
    number = case.certificate.serial_number
    return case.certificate.version is x509.Version.v3 and number > 0 and 56 <= number.bit_length() < 160


def strong(case: Case) -> bool:
    """The key on a curve of the row, and the signature's hash of the size of the signer's curve."""
    key = case.certificate.public_key()
    signer = key if case.issuer is None else case.issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(signer, ec.EllipticCurvePublicKey):
        return False
    if key.curve.name not in _SIZES or signer.curve.name not in _SIZES:
        return False
    used = case.certificate.signature_hash_algorithm
    return isinstance(used, tuple(_SIZES.values())) if case.issuer is None else isinstance(used, _SIZES[signer.curve.name])


def only_critical(allowed: frozenset[x509.ObjectIdentifier]) -> Question:
    return lambda case: all(one.oid in allowed for one in case.certificate.extensions if one.critical)


def key_identifier(case: Case) -> bool:
    found = case.extension(x509.SubjectKeyIdentifier)
    return found is not None and found.value.digest == ski(case.certificate)


def authority_identifier(case: Case) -> bool:
    found = case.extension(x509.AuthorityKeyIdentifier)
    return found is not None and found.value.key_identifier is not None


def path_length(case: Case) -> bool:
    found = case.extension(x509.BasicConstraints)
    return found is not None and found.critical and found.value.ca and found.value.path_length == 0


def alternative(case: Case) -> bool:
    found = case.extension(x509.IssuerAlternativeName)
    return found is not None and all(isinstance(n, x509.RFC822Name | x509.UniformResourceIdentifier) for n in found.value)


def country(case: Case) -> bool:
    country = subject_value(case.certificate, NameOID.COUNTRY_NAME) or ""
    return len(country) == 2 and country.isalpha() and country.isupper()


def of_its_root(case: Case) -> bool:
    assert case.issuer is not None
    root, leaf = case.issuer.subject, case.certificate
    states = [
        tuple(one.value for one in name.get_attributes_for_oid(NameOID.STATE_OR_PROVINCE_NAME)) for name in (root, leaf.subject)
    ]
    return (
        leaf.issuer.public_bytes() == root.public_bytes()
        and subject_value(leaf, NameOID.COUNTRY_NAME) == subject_value(case.issuer, NameOID.COUNTRY_NAME)
        and (not states[0] or states[0] == states[1])
    )


def within_its_root(case: Case) -> bool:
    assert case.issuer is not None
    return case.certificate.not_valid_after_utc <= case.issuer.not_valid_after_utc


def qualified(case: Case) -> bool:
    stated = case.statements()
    if stated is None or qc.QC_COMPLIANCE not in stated:
        return stated is not None
    return qc.QC_SSCD in stated and qc.QC_TYPE in stated


def body_of_its_country(case: Case) -> bool:
    body = case.body()
    return body is None or body.country in ("EU", subject_value(case.certificate, NameOID.COUNTRY_NAME))


def withdrawable(case: Case) -> bool:
    return case.points() or case.access(AuthorityInformationAccessOID.OCSP)


def policies(case: Case) -> tuple[x509.PolicyInformation, ...]:
    found = case.extension(x509.CertificatePolicies)
    return () if found is None else tuple(found.value)


def practice(case: Case) -> bool:
    return any(isinstance(one, str) for policy in policies(case) for one in policy.policy_qualifiers or ())


def reachable(case: Case) -> bool:
    found = case.extension(x509.SubjectAlternativeName)
    kinds = (x509.UniformResourceIdentifier, x509.RFC822Name)
    return found is not None and any(
        isinstance(name, kinds) or (isinstance(name, x509.OtherName) and name.type_id.dotted_string == "2.5.4.20")
        for name in found.value
    )


def signs_only(case: Case) -> bool:
    usages = case.usages()
    return bool(usages) and usages <= {"digital_signature", "content_commitment"}


def transparent(case: Case) -> bool:
    found = case.extension(x509.PrecertificateSignedCertificateTimestamps)
    return found is not None and len(list(found.value)) > 0
