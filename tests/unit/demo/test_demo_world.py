"""The test world: who is in it, and what their certificates say."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from demo.pki import Pki
from demo.world import LAW, PID, WalletProvider, members
from tests.support.pki import NOW
from vc.documents.country import STATES
from vc.x509 import qc
from vc.x509.certificate import subject_value
from vc.x509.chain import find_path
from vc.x509.profiles import ACCESS, DOCUMENT_SIGNER, SEAL, STATUS_SIGNER, WALLET_PROVIDER

REPOSITORY = "http://localhost:8403"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"), repository=REPOSITORY, now=NOW, countries=["DE", "FR"])


def test_every_participating_state_has_institutions_for_both_documents() -> None:
    for document in ("pda1", "ehic"):
        issuing = [member.country for member in members() if document in member.types]
        assert sorted(issuing) == sorted(STATES), document


def test_france_has_one_institution_for_each_document() -> None:
    french = {member.id: member.types for member in members() if member.country == "FR" and member is not PID}
    assert french == {"fr-urssaf": ("pda1",), "fr-cnam": ("ehic",)}


def test_names_are_marked_as_test_and_ids_are_unique() -> None:
    everyone = members()
    assert all("(test)" in member.name and len(member.name) <= 64 for member in everyone)  # 64: X.520 upper bound of O
    assert len({member.id for member in everyone}) == len({member.registration_id for member in everyone}) == len(everyone)
    assert [member.id for member in everyone if member.types == ("pid",)] == ["test-pid"]


def test_an_institution_has_one_certificate_per_use_with_its_own_key(pki: Pki) -> None:
    member = members()[0]
    signers = pki.institution(member)
    anchors = {"seal": pki.seal, "document_signer": pki.iacas["FR"], "status": pki.status}
    rules = {"seal": SEAL, "document_signer": DOCUMENT_SIGNER, "status": STATUS_SIGNER}
    assert len({signer.public_key.public_numbers() for signer in signers.values()}) == 3
    for use, signer in signers.items():
        leaf = signer.chain[0]
        find_path(signer.chain, anchors=[anchors[use].certificate], at=NOW, rules=rules[use])
        assert subject_value(leaf, NameOID.ORGANIZATION_NAME) == member.name
        assert subject_value(leaf, NameOID.ORGANIZATION_IDENTIFIER) == member.registration_id
        assert subject_value(leaf, NameOID.COUNTRY_NAME) == "FR"


def test_the_seal_names_the_public_sector_body(pki: Pki) -> None:
    """TS 119 412-6 clause 8: QcPSB and the address of the issuer's certificate."""
    leaf = pki.institution(members()[0])["seal"].chain[0]
    statement = qc.public_sector_body(leaf)
    assert statement is not None
    assert (statement.country, statement.legislation) == ("FR", LAW)
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [item.access_location.value for item in access] == [f"{REPOSITORY}/seal-ca.cer"]


def test_document_signers_follow_annex_b(pki: Pki) -> None:
    """ISO/IEC 18013-5 Annex B: MDOC-CERT-1 to -6."""
    root, leaf = pki.iacas["FR"].certificate, pki.institution(members()[0])["document_signer"].chain[0]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=457)
    assert leaf.issuer == root.subject
    assert subject_value(root, NameOID.COUNTRY_NAME) == subject_value(leaf, NameOID.COUNTRY_NAME) == "FR"
    for certificate in (root, leaf):
        assert certificate.serial_number.bit_length() <= 160
        found = {extension.oid: extension.critical for extension in certificate.extensions}
        assert found[ExtensionOID.KEY_USAGE]
        assert {ExtensionOID.ISSUER_ALTERNATIVE_NAME, ExtensionOID.CRL_DISTRIBUTION_POINTS} <= found.keys()
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert leaf.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).critical


def test_the_verifier_can_be_named_by_hash_and_by_dns_name(pki: Pki) -> None:
    signer = pki.relying_party(name="Inspection (test)", identifier="NTRDE-1", base_url="http://localhost:8402", host="localhost")
    names = signer.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["http://localhost:8402"]
    find_path(signer.chain, anchors=[pki.access.certificate], at=NOW, rules=ACCESS)


def test_an_issuer_access_certificate_names_the_institution_and_where_it_is(pki: Pki) -> None:
    """TS 119 411-8: policy of a legal person, its identifier, the practice statement, and a way to reach it."""
    member = members()[0]
    signer = pki.issuer_access(member, credential_issuer="http://localhost:8401/fr-urssaf")
    find_path(signer.chain, anchors=[pki.access.certificate], at=NOW, rules=ACCESS)
    leaf = signer.chain[0]
    assert subject_value(leaf, NameOID.ORGANIZATION_NAME) == member.name
    assert subject_value(leaf, NameOID.ORGANIZATION_IDENTIFIER) == member.registration_id
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["http://localhost:8401/fr-urssaf"]
    (policy,) = leaf.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert policy.policy_identifier.dotted_string == "0.4.0.194118.1.2"
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (True, False, False)


def test_the_wallet_provider_has_a_signer(pki: Pki) -> None:
    signer = pki.wallet_provider(WalletProvider())
    find_path(signer.chain, anchors=[pki.wallet.certificate], at=NOW, rules=WALLET_PROVIDER)


def test_keys_are_for_their_owner_only(pki: Pki) -> None:
    files = pki.write("test", pki.server("localhost"))
    assert stat.S_IMODE(Path(files["key"]).stat().st_mode) == 0o600


def test_what_certificates_point_at_is_there(pki: Pki) -> None:
    bundles = pki.write_authorities()
    assert len(x509.load_pem_x509_certificates(Path(bundles["document_signer"]).read_bytes())) == 2
    signers = pki.institution(members()[0])
    repository = Path(bundles["seal"]).parent / "repository"
    for signer in signers.values():
        leaf = signer.chain[0]
        (point,) = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        assert point.full_name is not None
        crl = x509.load_der_x509_crl((repository / point.full_name[0].value.removeprefix(f"{REPOSITORY}/")).read_bytes())
        (access,) = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        issuer = x509.load_der_x509_certificate(
            (repository / access.access_location.value.removeprefix(f"{REPOSITORY}/")).read_bytes()
        )
        leaf.verify_directly_issued_by(issuer)
        assert crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # our CAs have EC keys
        assert crl.get_revoked_certificate_by_serial_number(leaf.serial_number) is None
