"""Revocation lists (RFC 5280 §5): what is read, what is refused, and what an entry means for a signature (TRUST 7.2 rule 7)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from asn1crypto.crl import CertificateList
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from tests.support.pki import NOW, Authority, new_key, root
from vc.errors import Malformed, VerificationFailed
from vc.x509 import crl
from vc.x509.certificate import issued_by
from vc.x509.crl import Reason, Revocation

CA = root()
LEAF = CA.leaf().chain[0]
DAY = timedelta(days=1)
RSA, X25519 = rsa.generate_private_key(65537, 2048).public_key(), x25519.X25519PrivateKey.generate().public_key()


def made(authority: Authority = CA, **changes: Any) -> bytes:
    """A list of `authority`, of yesterday, for a week."""
    told: dict[str, Any] = {"number": 7, "this_update": NOW - DAY, "next_update": NOW + 6 * DAY, **changes}
    return crl.build(authority.certificate, authority.key, **told)


def raw(
    *extensions: tuple[x509.ExtensionType, bool],
    next_update: bool = True,
    entry: tuple[tuple[x509.ExtensionType, bool], ...] | None = None,
) -> bytes:
    """A list with these extensions, and with an entry for `LEAF` that has those of `entry`."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(CA.certificate.subject).last_update(NOW - DAY)
    builder = builder.next_update(NOW + DAY)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    if entry is not None:
        named = x509.RevokedCertificateBuilder().serial_number(LEAF.serial_number).revocation_date(NOW - DAY)
        for value, critical in entry:
            named = named.add_extension(value, critical)
        builder = builder.add_revoked_certificate(named.build())
    return builder.sign(CA.key, hashes.SHA256()).public_bytes(Encoding.DER)


def point(**changes: Any) -> x509.IssuingDistributionPoint:
    told: dict[str, Any] = {
        "full_name": None, "relative_name": None, "only_contains_user_certs": False, "only_contains_ca_certs": False,
        "only_some_reasons": None, "indirect_crl": False, "only_contains_attribute_certs": False,
    }  # fmt: skip
    return x509.IssuingDistributionPoint(**{**told, **changes})


def test_a_list_is_read_verified_and_asked() -> None:
    other = CA.leaf().chain[0]
    found = crl.parse(made(revoked=(Revocation(serial=LEAF.serial_number, since=NOW - DAY, reason=Reason.SUPERSEDED),)))
    crl.verify(found, CA.certificate, now=NOW)
    assert (found.number, found.this_update, found.next_update) == (7, NOW - DAY, NOW + 6 * DAY)
    assert crl.entry(found, LEAF) == Revocation(serial=LEAF.serial_number, since=NOW - DAY, reason=Reason.SUPERSEDED)
    assert crl.entry(found, other) is None


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"no list", id="no DER"),
        pytest.param(LEAF.public_bytes(Encoding.DER), id="a certificate"),
        pytest.param(made() + b"\0" * (4 << 20), id="too long"),
        pytest.param(made()[:-3], id="cut off"),
        pytest.param(raw((x509.DeltaCRLIndicator(3), True)), id="a delta list"),
        pytest.param(raw((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""), True)), id="unknown critical extension"),
        pytest.param(raw((point(only_contains_ca_certs=True), True)), id="authorities only"),
        pytest.param(raw((point(only_contains_attribute_certs=True), True)), id="attribute certificates only"),
        pytest.param(raw((point(only_some_reasons=frozenset({x509.ReasonFlags.superseded})), True)), id="some reasons only"),
        pytest.param(raw((point(indirect_crl=True), True)), id="an indirect list"),
    ],
)
def test_what_is_no_complete_list_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        crl.parse(octets)
    assert caught.value.code == "crl"


def test_a_list_without_next_update_is_refused() -> None:
    """§5.1.2.5. The builder always states one, so it is taken out of a list; only reading is asked here."""
    cut = CertificateList.load(made())
    del cut["tbs_cert_list"]["next_update"]
    with pytest.raises(Malformed, match="does not say when"):
        crl.parse(cut.dump(force=True))


def test_a_list_for_end_entities_and_one_with_a_harmless_extension_are_read() -> None:
    assert crl.parse(raw((point(only_contains_user_certs=True), True))).number is None
    assert crl.parse(raw((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""), False))).number is None


def _no_crl_sign() -> x509.Certificate:
    return _again(usages=("key_cert_sign",))


def _again(**changes: Any) -> x509.Certificate:
    """The certificate of `CA` anew, same name and key."""
    from vc.x509.build import CertificateSpec, issue  # noqa: PLC0415

    spec = CertificateSpec(
        subject={"C": "FR", "O": "Test Authority", "CN": "Test root"},
        **{"not_before": NOW - DAY, "not_after": NOW + DAY, "ca": True, "usages": ("key_cert_sign", "crl_sign"), **changes},
    )
    return issue(spec, CA.key.public_key(), signer=CA.key, issuer=None, serial=1)


def _without_usage() -> x509.Certificate:
    name = CA.certificate.subject
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(CA.key.public_key()).serial_number(1)
    return builder.not_valid_before(NOW - DAY).not_valid_after(NOW + DAY).sign(CA.key, hashes.SHA256())


def _of(key: Any) -> x509.Certificate:
    """A certificate of the name of `CA` for a key of another kind."""
    name = CA.certificate.subject
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key).serial_number(1)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = builder.not_valid_before(NOW - DAY).not_valid_after(NOW + DAY).add_extension(usage, True)
    return builder.sign(CA.key, hashes.SHA256())


@pytest.mark.parametrize(
    ("issuer", "now", "code"),
    [
        pytest.param(root("Other root").certificate, NOW, "crl_issuer", id="another authority"),
        pytest.param(_no_crl_sign(), NOW, "crl_issuer", id="a key that may not sign lists"),
        pytest.param(_without_usage(), NOW, "crl_issuer", id="a key without usage"),
        pytest.param(root().certificate, NOW, "crl_signature", id="the same name, another key"),
        pytest.param(_of(RSA), NOW, "crl_signature", id="the same name, another kind of key"),
        pytest.param(_of(X25519), NOW, "crl_signature", id="the same name, a key that signs nothing"),
        pytest.param(CA.certificate, NOW - DAY - timedelta(seconds=61), "crl_not_yet_valid", id="of the future"),
        pytest.param(CA.certificate, NOW + 6 * DAY + timedelta(seconds=61), "crl_expired", id="over"),
    ],
)
def test_a_list_that_does_not_count(issuer: x509.Certificate, now: datetime, code: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        crl.verify(crl.parse(made()), issuer, now=now)
    assert caught.value.code == code


def test_one_tolerance_at_both_ends() -> None:
    found = crl.parse(made())
    crl.verify(found, CA.certificate, now=NOW - DAY - timedelta(seconds=60))
    crl.verify(found, CA.certificate, now=NOW + 6 * DAY + timedelta(seconds=60))


def test_an_entry_without_reason_and_one_with_an_invalidity_date() -> None:
    assert crl.entry(crl.parse(raw(entry=())), LEAF) == Revocation(serial=LEAF.serial_number, since=NOW - DAY)
    earlier = (x509.InvalidityDate((NOW - 9 * DAY).replace(tzinfo=None)), False)
    harmless = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""), False)
    found = crl.entry(crl.parse(raw(entry=(earlier, harmless))), LEAF)
    assert found is not None
    assert found.since == NOW - 9 * DAY


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param(((x509.CertificateIssuer([x509.DirectoryName(CA.certificate.subject)]), True),), id="of another issuer"),
        pytest.param(((x509.CRLReason(x509.ReasonFlags.remove_from_crl), False),), id="of a delta list"),
        pytest.param(((x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.21"), b"\xff"), False),), id="unreadable reason"),
    ],
)
def test_an_entry_that_is_not_understood_is_no_answer(extensions: Any) -> None:
    with pytest.raises(Malformed) as caught:
        crl.entry(crl.parse(raw(entry=extensions)), LEAF)
    assert caught.value.code == "crl"


@pytest.mark.parametrize(
    ("reason", "before", "after"),
    [
        (Reason.SUPERSEDED, True, False),
        (Reason.CESSATION_OF_OPERATION, True, False),
        (Reason.AFFILIATION_CHANGED, True, False),
        (Reason.PRIVILEGE_WITHDRAWN, True, False),
        (Reason.KEY_COMPROMISE, False, False),
        (Reason.CA_COMPROMISE, False, False),
        (Reason.AA_COMPROMISE, False, False),
        (Reason.CERTIFICATE_HOLD, False, False),
        (Reason.UNSPECIFIED, False, False),
    ],
)
def test_what_was_signed_before_stands_only_if_the_key_is_not_in_doubt(reason: Reason, before: bool, after: bool) -> None:
    revoked = Revocation(serial=1, since=NOW, reason=reason)
    assert crl.stands(revoked, signed_at=NOW - timedelta(seconds=1)) is before
    assert crl.stands(revoked, signed_at=NOW) is after
    assert crl.stands(None, signed_at=NOW)


def points(*found: x509.DistributionPoint) -> x509.Certificate:
    return CA.leaf(more=((x509.CRLDistributionPoints(found), False),)).chain[0]


def at(*addresses: str, **changes: Any) -> x509.DistributionPoint:
    names = [x509.UniformResourceIdentifier(address) for address in addresses]
    told: dict[str, Any] = {"full_name": names, "relative_name": None, "reasons": None, "crl_issuer": None, **changes}
    return x509.DistributionPoint(**told)


RELATIVE = x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COMMON_NAME, "list")])


def test_where_the_list_is() -> None:
    assert crl.distribution_points(LEAF) == ()
    many = points(at("http://a.example/1", "ldap://a.example/2"), at("https://a.example/3", "http://a.example/1"))
    assert crl.distribution_points(many) == ("http://a.example/1", "https://a.example/3")
    assert len(crl.distribution_points(points(*(at(f"http://a.example/{n}") for n in range(9))))) == 4


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(points(at("ldap://a.example/1")), id="another scheme"),
        pytest.param(points(at("http://[::1")), id="no address"),
        pytest.param(points(at("http://a.example/1", crl_issuer=[x509.DirectoryName(CA.certificate.subject)])), id="indirect"),
        pytest.param(
            points(at("http://a.example/1", reasons=frozenset({x509.ReasonFlags.key_compromise}))), id="for one reason only"
        ),
        pytest.param(points(at(full_name=None, relative_name=RELATIVE)), id="a name without address"),
        pytest.param(points(at(full_name=[x509.DirectoryName(CA.certificate.subject)])), id="a directory name"),
    ],
)
def test_a_certificate_that_asks_for_a_check_we_cannot_make(certificate: x509.Certificate) -> None:
    with pytest.raises(Malformed) as caught:
        crl.distribution_points(certificate)
    assert caught.value.code == "crl_points"


def test_where_the_issuers_certificate_is() -> None:
    def access(method: x509.ObjectIdentifier, name: x509.GeneralName) -> x509.AccessDescription:
        return x509.AccessDescription(method, name)

    issuers, ocsp = AuthorityInformationAccessOID.CA_ISSUERS, AuthorityInformationAccessOID.OCSP
    described = x509.AuthorityInformationAccess(
        [
            access(ocsp, x509.UniformResourceIdentifier("http://a.example/ocsp")),
            access(issuers, x509.DirectoryName(CA.certificate.subject)),
            access(issuers, x509.UniformResourceIdentifier("ldap://a.example/ca")),
            access(issuers, x509.UniformResourceIdentifier("http://a.example/ca.cer")),
        ]
    )
    assert crl.issuer_addresses(CA.leaf(more=((described, False),)).chain[0]) == ("http://a.example/ca.cer",)
    assert crl.issuer_addresses(LEAF) == ()


def test_who_issued_a_certificate() -> None:
    assert issued_by(LEAF, CA.certificate)
    assert not issued_by(LEAF, root().certificate)
    assert not issued_by(LEAF, root("Other root").certificate)


def test_a_built_list_holds_its_reasons_and_is_signed_with_the_curve_of_the_key() -> None:
    strong = root("Strong root")
    key = new_key(ec.SECP384R1())
    parsed = crl.parse(
        crl.build(
            strong.certificate, key, number=1, this_update=NOW, next_update=NOW + DAY,
            revoked=tuple(Revocation(serial=n, since=NOW, reason=reason) for n, reason in enumerate(Reason, 1)),
        )
    )  # fmt: skip
    assert isinstance(parsed.parsed.signature_hash_algorithm, hashes.SHA384)
    listed = [entry.extensions for entry in parsed.parsed]
    reasons = [next((e.value.reason.value for e in extensions), "unspecified") for extensions in listed]
    assert reasons == [reason.value for reason in Reason]
