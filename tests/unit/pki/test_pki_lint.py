"""Every rule has a certificate that keeps it and one that breaks it, and nothing else breaks with it unless it must."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from pki.kinds import ACCESS_POLICIES
from pki.lint import lint
from pki.rules import KINDS, RULES
from tests.support.pki import NOW, new_key
from vc.errors import Refused
from vc.x509 import qc
from vc.x509.build import CertificateSpec, issue
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER, MDOC_READER_AUTH, STATUS_SIGNING, TSL_SIGNING

DAY = timedelta(days=1)
SERIAL = (1 << 150) + 1
CA_KEY, LEAF_KEY = new_key(), new_key()
ADDRESS = "http://ca.example"
ROOT_NAME = {"C": "FR", "CN": "Root (test)"}
BODY = {"C": "FR", "O": "Body (test)", "organizationIdentifier": "NTRFR-1", "CN": "Leaf (test)"}
POLICY = x509.PolicyInformation(ACCESS_POLICIES["ncp-l"], [f"{ADDRESS}/practice.txt"])
PSB = qc.QcPsb(country="FR", authentic_source="a", legislation="b")
NAMES = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("https://body.example")])

_ROOT: dict[str, Any] = {
    "subject": ROOT_NAME, "not_before": NOW - DAY, "not_after": NOW + 3000 * DAY, "ca": True, "path_length": 0,
    "usages": ("key_cert_sign", "crl_sign"), "issuer_alt_uri": ADDRESS, "crl_url": f"{ADDRESS}/ca.crl",
}  # fmt: skip
_LEAF: dict[str, Any] = {
    "subject": BODY, "not_before": NOW - DAY, "not_after": NOW + 400 * DAY,
    "crl_url": f"{ADDRESS}/ca.crl", "ca_issuers_url": f"{ADDRESS}/ca.cer",
}  # fmt: skip
GOOD: dict[str, dict[str, Any]] = {
    "iaca": _ROOT,
    "authority": {**_ROOT, "issuer_alt_uri": None},
    "document-signer": {**_LEAF, "eku": (MDOC_DOCUMENT_SIGNER,), "issuer_alt_uri": ADDRESS},
    "seal": {**_LEAF, "usages": ("digital_signature", "content_commitment"), "more": ((qc.extension(PSB, qualified=True), False),)},
    "access": {**_LEAF, "more": ((NAMES, False), (x509.CertificatePolicies([POLICY]), False))},
    "status": {**_LEAF, "eku": (STATUS_SIGNING,)},
    "list-signer": {**_LEAF, "eku": (TSL_SIGNING,)},
    "registrar": _LEAF,
    "wallet-provider": _LEAF,
    "server": {**_LEAF, "subject": {"CN": "localhost"}, "eku": (ExtendedKeyUsageOID.SERVER_AUTH,)},
}
ALWAYS_OPEN = {"access": {"WRPAC-6"}}
"""No log of certificates signs timestamps for a test authority."""


def root(key: Any = CA_KEY, **changes: Any) -> x509.Certificate:
    return issue(CertificateSpec(**{**GOOD["iaca"], **changes}), key.public_key(), signer=key, issuer=None, serial=SERIAL)


ROOT = root()


def made(kind: str, *, serial: int = SERIAL, key: Any = LEAF_KEY, **changes: Any) -> x509.Certificate:
    """A certificate of the kind that keeps every rule, but for the changes."""
    spec = replace(CertificateSpec(**GOOD[kind]), **changes)
    if kind in ("iaca", "authority"):
        return issue(spec, CA_KEY.public_key(), signer=CA_KEY, issuer=None, serial=serial)
    return issue(spec, key.public_key(), signer=CA_KEY, issuer=ROOT, serial=serial)


def broken(certificate: x509.Certificate, kind: str, *, issuer: x509.Certificate | None = None) -> set[str]:
    by = None if kind in ("iaca", "authority") else (issuer or ROOT)
    return {one.rule for one in lint(certificate, kind, issuer=by)} - ALWAYS_OPEN.get(kind, set())


def bare(
    subject: dict[str, str], *extensions: tuple[x509.ExtensionType, bool], key: Any = LEAF_KEY, signer: Any = CA_KEY, **more: Any
) -> x509.Certificate:
    """A certificate with these extensions and no others; `issuer`, `serial` in `more`."""
    from vc.x509.build import name  # noqa: PLC0415

    issuer = more.get("issuer", ROOT.subject)
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(SERIAL).not_valid_before(NOW - DAY).not_valid_after(NOW + 400 * DAY)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(signer, more.get("hash", hashes.SHA256()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_one_of_each_kind_keeps_every_rule(kind: str) -> None:
    assert broken(made(kind), kind) == set()


UNKNOWN = ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""), True),)
LDAP = x509.AuthorityInformationAccess(
    [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("ldap://ca.example"))]
)
NO_C, NO_CN = ({name: value for name, value in BODY.items() if name != left} for left in ("C", "CN"))
NO_ID = {name: value for name, value in BODY.items() if name != "organizationIdentifier"}
OTHER_POLICY = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), [f"{ADDRESS}/practice.txt"])
NO_PRACTICE = x509.PolicyInformation(ACCESS_POLICIES["ncp-l"], None)
DNS_ONLY = x509.SubjectAlternativeName([x509.DNSName("body.example")])
BAD_PSB = x509.UnrecognizedExtension(qc.QC_STATEMENTS, b"\x30\x02\x05\x00")
SPANISH = qc.QcPsb(country="ES", authentic_source="a", legislation="b")
COMPLIANCE_ONLY = x509.UnrecognizedExtension(qc.QC_STATEMENTS, bytes.fromhex("300a3008060604008e460101"))


@pytest.mark.parametrize(
    ("rule", "kind", "changes"),
    [
        ("MDOC-CERT-1", "document-signer", {"serial": 5}),
        ("MDOC-CERT-1", "iaca", {"serial": 5}),
        ("MDOC-CERT-2.country", "iaca", {"subject": {"C": "fr", "CN": "Root (test)"}}),
        ("MDOC-CERT-2.country", "iaca", {"subject": {"CN": "Root (test)"}}),
        ("MDOC-CERT-2.name", "document-signer", {"subject": NO_CN}),
        ("MDOC-CERT-2.issuer", "document-signer", {"subject": {**BODY, "C": "BE"}}),
        ("MDOC-CERT-3.root", "iaca", {"not_after": NOW + 7400 * DAY}),
        ("MDOC-CERT-3.signer", "document-signer", {"not_after": NOW + 457 * DAY}),
        ("MDOC-CERT-4.usage-root", "iaca", {"usages": ("key_cert_sign", "crl_sign", "digital_signature")}),
        ("MDOC-CERT-4.usage-signer", "document-signer", {"usages": ("digital_signature", "content_commitment")}),
        ("MDOC-CERT-4.constraints", "iaca", {"path_length": 1}),
        ("MDOC-CERT-4.eku", "document-signer", {"eku": ()}),
        ("MDOC-CERT-4.eku", "document-signer", {"eku": (MDOC_DOCUMENT_SIGNER, STATUS_SIGNING)}),
        ("MDOC-CERT-4.alternative", "iaca", {"issuer_alt_uri": None}),
        ("MDOC-CERT-4.alternative", "document-signer", {"issuer_alt_uri": None}),
        ("MDOC-CERT-4.crl", "document-signer", {"crl_url": None}),
        ("MDOC-CERT-5", "document-signer", {"key": new_key(ec.SECP256K1())}),
        ("MDOC-CERT-6.root", "iaca", {"more": UNKNOWN}),
        ("MDOC-CERT-6.signer", "document-signer", {"more": UNKNOWN}),
        ("SEAL-1", "seal", {"subject": NO_ID}),
        ("SEAL-2", "seal", {"ca_issuers_url": None}),
        ("SEAL-2", "seal", {"ca_issuers_url": None, "more": (*GOOD["seal"]["more"], (LDAP, False))}),
        ("SEAL-3", "seal", {"more": ()}),
        ("SEAL-4", "seal", {"more": ((qc.extension(SPANISH), False),)}),
        ("SEAL-7", "seal", {"crl_url": None}),
        ("WRPAC-1", "access", {"more": ((NAMES, False), (x509.CertificatePolicies([OTHER_POLICY]), False))}),
        ("WRPAC-2", "access", {"subject": NO_ID}),
        ("WRPAC-3", "access", {"more": ((DNS_ONLY, False), (x509.CertificatePolicies([POLICY]), False))}),
        ("WRPAC-3", "access", {"more": ((x509.CertificatePolicies([POLICY]), False),)}),
        ("WRPAC-4", "access", {"crl_url": None}),
        ("WRPAC-5", "access", {"more": ((NAMES, False), (x509.CertificatePolicies([NO_PRACTICE]), False))}),
        ("LIST-1", "list-signer", {"subject": NO_C}),
        ("LIST-4", "list-signer", {"eku": ()}),
        ("STATUS-1", "status", {"eku": ()}),
        ("STATUS-2", "status", {"subject": NO_ID}),
        ("PKI-1", "wallet-provider", {"ca": True}),
        ("PKI-2", "registrar", {"usages": ("key_agreement",)}),
        ("PKI-2", "registrar", {"usages": ("digital_signature", "key_cert_sign")}),
        ("PKI-3", "seal", {"key": new_key(ec.SECP256K1())}),
        ("PKI-4", "seal", {"serial": 5}),
        ("PKI-5", "registrar", {"not_after": NOW + 4000 * DAY}),
        ("PKI-7", "authority", {"usages": ("key_cert_sign",)}),
        ("PKI-7", "authority", {"ca": False, "path_length": None}),
    ],
)
def test_one_change_breaks_one_rule(rule: str, kind: str, changes: dict[str, Any]) -> None:
    assert broken(made(kind, **changes), kind) == {rule}


@pytest.mark.parametrize(
    ("rule", "kind", "changes"),
    [
        ("MDOC-CERT-4.no-ca", "document-signer", {"ca": True}),
        ("MDOC-CERT-7", "document-signer", {"eku": (MDOC_DOCUMENT_SIGNER, MDOC_READER_AUTH)}),
        ("LIST-2", "list-signer", {"usages": ("digital_signature", "crl_sign")}),
        ("SEAL-3", "seal", {"more": ((BAD_PSB, False),)}),
        ("SEAL-5", "seal", {"more": ((BAD_PSB, False),)}),
        ("SEAL-5", "seal", {"more": ((COMPLIANCE_ONLY, False),)}),
    ],
)
def test_changes_that_break_a_second_rule_on_the_way(rule: str, kind: str, changes: dict[str, Any]) -> None:
    assert rule in broken(made(kind, **changes), kind)


def test_what_a_certificate_must_carry() -> None:
    nothing = bare(BODY)
    assert {"MDOC-CERT-4.ski", "MDOC-CERT-4.aki", "MDOC-CERT-4.usage-signer"} <= broken(nothing, "document-signer")
    assert {"MDOC-CERT-4.ski", "MDOC-CERT-4.constraints", "MDOC-CERT-2.root"} <= broken(nothing, "iaca")
    assert {"LIST-2", "LIST-3"} <= broken(nothing, "list-signer")
    assert "PKI-2" in broken(nothing, "registrar")


def test_a_key_identifier_must_be_that_of_the_key() -> None:
    forged = bare(BODY, (x509.SubjectKeyIdentifier(b"\1" * 20), False))
    assert "LIST-3" in broken(forged, "list-signer")
    true = x509.SubjectKeyIdentifier.from_public_key(LEAF_KEY.public_key())
    assert "LIST-3" not in broken(bare(BODY, (true, False)), "list-signer")


def test_usages_and_purposes_must_be_critical_where_annex_b_says_so() -> None:
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    purpose = x509.ExtendedKeyUsage([MDOC_DOCUMENT_SIGNER])
    rules = {"MDOC-CERT-4.usage-signer", "MDOC-CERT-4.eku"}
    assert rules <= broken(bare(BODY, (usage, False), (purpose, False)), "document-signer")
    assert not rules & broken(bare(BODY, (usage, True), (purpose, True)), "document-signer")


def test_an_alternative_name_is_a_mail_or_an_address() -> None:
    mail = x509.IssuerAlternativeName([x509.RFC822Name("ca@ca.example")])
    host = x509.IssuerAlternativeName([x509.DNSName("ca.example")])
    assert "MDOC-CERT-4.alternative" not in broken(bare(BODY, (mail, False)), "document-signer")
    assert "MDOC-CERT-4.alternative" in broken(bare(BODY, (host, False)), "document-signer")


def test_a_seal_comes_from_an_authority() -> None:
    own = issue(CertificateSpec(**GOOD["seal"]), LEAF_KEY.public_key(), signer=LEAF_KEY, issuer=None, serial=SERIAL)
    assert broken(own, "seal", issuer=own) == {"SEAL-6"}


def test_a_body_may_stand_on_a_law_of_the_union_and_a_seal_on_ocsp() -> None:
    union = qc.extension(qc.QcPsb(country="EU", authentic_source="a", legislation="b"))
    assert broken(made("seal", more=((union, False),)), "seal") == set()
    ocsp = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(method, x509.UniformResourceIdentifier("http://ca.example/x"))
            for method in (AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS)
        ]
    )
    more = (*GOOD["seal"]["more"], (ocsp, False))
    assert broken(made("seal", crl_url=None, ca_issuers_url=None, more=more), "seal") == set()


@pytest.mark.parametrize(
    "name",
    [x509.RFC822Name("a@b.example"), x509.OtherName(x509.ObjectIdentifier("2.5.4.20"), b"\x0c\x03+49")],
    ids=["mail", "phone"],
)
def test_an_access_certificate_is_reached_by_mail_or_phone_too(name: x509.GeneralName) -> None:
    more = ((x509.SubjectAlternativeName([name]), False), (x509.CertificatePolicies([POLICY]), False))
    assert broken(made("access", more=more), "access") == set()


def test_the_leaf_and_the_root_together() -> None:
    stranger = root(new_key())
    assert broken(made("registrar"), "registrar", issuer=stranger) == {"PKI-6"}
    assert broken(made("document-signer"), "document-signer", issuer=root(subject={"C": "FR", "CN": "Other"})) == {
        "MDOC-CERT-2.issuer", "PKI-6",
    }  # fmt: skip
    lonely = {one.rule for one in lint(made("registrar"), "registrar")}
    assert lonely == set(), "rules about both are asked only with the root at hand"


def test_the_state_of_a_root_is_that_of_its_signers() -> None:
    state = x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Nord")
    named = x509.Name([*ROOT.subject, state])
    ca = (
        x509.CertificateBuilder().subject_name(named).issuer_name(named).public_key(CA_KEY.public_key()).serial_number(SERIAL)
        .not_valid_before(NOW - DAY).not_valid_after(NOW + 900 * DAY).sign(CA_KEY, hashes.SHA256())
    )  # fmt: skip
    without = bare(BODY, issuer=named)
    assert "MDOC-CERT-2.issuer" in broken(without, "document-signer", issuer=ca)
    with_state = (
        x509.CertificateBuilder().subject_name(x509.Name([*without.subject, state])).issuer_name(named)
        .public_key(LEAF_KEY.public_key()).serial_number(SERIAL).not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
        .sign(CA_KEY, hashes.SHA256())
    )  # fmt: skip
    assert "MDOC-CERT-2.issuer" not in broken(with_state, "document-signer", issuer=ca)


def test_the_hash_is_of_the_size_of_the_signers_curve() -> None:
    strong = new_key(ec.SECP384R1())
    ca = root(strong)
    weak = bare(BODY, signer=strong, issuer=ca.subject)
    good = bare(BODY, signer=strong, issuer=ca.subject, hash=hashes.SHA384())
    assert "PKI-3" in broken(weak, "registrar", issuer=ca)
    assert "PKI-3" not in broken(good, "registrar", issuer=ca)
    assert {one.rule for one in lint(bare(BODY, hash=hashes.SHA224()), "registrar")} >= {"PKI-3"}


def test_rsa_is_no_key_of_this_profile() -> None:
    assert "PKI-3" in broken(bare(BODY, key=rsa.generate_private_key(65537, 2048)), "registrar")


def test_a_timestamp_of_a_log_is_wanted_as_a_warning() -> None:
    (finding,) = lint(made("access"), "access", issuer=ROOT)
    assert (finding.rule, finding.severity) == ("WRPAC-6", "warning")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        lint(ROOT, "notary")
    assert caught.value.code == "kind"


def test_rule_ids_are_unique_and_every_kind_has_rules() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert {kind for rule in RULES for kind in rule.kinds} == set(KINDS)
