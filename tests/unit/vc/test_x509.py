"""Paths and rule sets: SECURITY J-2, M-8, T-6; HAIP 1.0 on x5c; each case reads `root → … → fails`."""

from base64 import b64encode
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import NOW, Authority, new_key, root
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.x509 import certificate as certificates
from vc.x509.build import CertificateSpec, issue, short
from vc.x509.chain import PathCache, check_presented, find_path, self_signed
from vc.x509.profiles import DOCUMENT_SIGNER, MDOC_DOCUMENT_SIGNER, MDOC_READER_AUTH, SEAL, LeafRules, check_leaf

ROOT = root()
ANCHORS = [ROOT.certificate]
NO_PATH = "path_unknown_issuer"
MIDDLE = ROOT.authority("Test intermediate")
OTHER = root("Other root")


def _find(chain: Any, anchors: Any, *, at: Any = NOW, rules: LeafRules = SEAL) -> int:
    return len(find_path(chain, anchors=anchors, at=at, rules=rules).certificates)


def test_paths_that_hold() -> None:
    leaf = MIDDLE.leaf()
    assert _find(leaf.chain, ANCHORS) == 3
    assert _find(leaf.chain[:1], [MIDDLE.certificate]) == 2
    assert _find(leaf.chain, [leaf.chain[0]]) == 1
    assert find_path(leaf.chain, anchors=[OTHER.certificate, ROOT.certificate], at=NOW, rules=SEAL).anchor == ROOT.certificate


def _look_alike() -> Authority:
    """A CA with the subject of the true root and another key."""
    return root("Test root")


@pytest.mark.parametrize(
    ("chain", "anchors", "code"),
    [
        pytest.param(MIDDLE.leaf().chain, [], "path_no_anchors", id="no anchors"),
        pytest.param((), ANCHORS, "path_length", id="empty chain"),
        pytest.param(ROOT.leaf().chain * 7, ANCHORS, "path_length", id="long chain"),
        pytest.param(MIDDLE.leaf().chain[:1], ANCHORS, NO_PATH, id="intermediate missing"),
        pytest.param(_look_alike().leaf().chain, ANCHORS, NO_PATH, id="look-alike CA"),
        pytest.param((OTHER.leaf().chain[0], MIDDLE.certificate), ANCHORS, NO_PATH, id="real chain behind the attacker's leaf"),
        pytest.param((OTHER.leaf().chain[0], OTHER.certificate), ANCHORS, NO_PATH, id="anchor from the presented chain"),
        pytest.param(ROOT.leaf().chain, [ROOT.leaf().chain[0]], NO_PATH, id="a pinned leaf does not bless its sibling"),
        pytest.param((MIDDLE.certificate,), ANCHORS, "cert_is_ca", id="CA as signer"),
        pytest.param(ROOT.leaf(usages=("key_agreement",)).chain, ANCHORS, "cert_key_usage", id="no digitalSignature"),
        pytest.param(ROOT.leaf(not_after=NOW - timedelta(seconds=1)).chain, ANCHORS, "cert_expired", id="expired"),
        pytest.param(ROOT.leaf(not_before=NOW + timedelta(seconds=1)).chain, ANCHORS, "cert_not_yet_valid", id="not yet valid"),
        pytest.param(
            ROOT.authority("old", not_after=NOW - timedelta(days=1)).leaf().chain,
            ANCHORS,
            "cert_expired",
            id="intermediate expired",
        ),
        pytest.param(
            ROOT.authority("no CA", ca=False, usages=("digital_signature",)).leaf().chain,
            ANCHORS,
            NO_PATH,
            id="leaf used as CA",
        ),
        pytest.param(
            ROOT.authority("1", path_length=0).authority("2").leaf().chain,
            ANCHORS,
            NO_PATH,
            id="path length exceeded",
        ),
    ],
)
def test_paths_that_fail(chain: Any, anchors: Any, code: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        _find(chain, anchors)
    assert caught.value.code == code


def test_validity_ends_are_inclusive() -> None:
    leaf = ROOT.leaf()
    for moment in (leaf.chain[0].not_valid_before_utc, leaf.chain[0].not_valid_after_utc):
        assert _find(leaf.chain, ANCHORS, at=moment) == 2


def test_a_pinned_leaf_is_still_checked() -> None:
    leaf = ROOT.leaf(not_after=NOW - timedelta(days=1))
    with pytest.raises(VerificationFailed, match="cert_expired"):
        _find(leaf.chain, [leaf.chain[0]])


@pytest.mark.parametrize("eku", [(), (MDOC_READER_AUTH,)])
def test_document_signer_needs_its_extended_key_usage(eku: tuple[x509.ObjectIdentifier, ...]) -> None:
    with pytest.raises(VerificationFailed, match="cert_extended_key_usage"):
        check_leaf(ROOT.leaf(eku=eku).chain[0], DOCUMENT_SIGNER)
    check_leaf(ROOT.leaf(eku=(MDOC_DOCUMENT_SIGNER,)).chain[0], DOCUMENT_SIGNER)


def test_unknown_critical_extension_is_refused() -> None:
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    check_leaf(ROOT.leaf(more=[(strange, False)]).chain[0], SEAL)
    with pytest.raises(VerificationFailed, match="cert_critical_extension"):
        check_leaf(ROOT.leaf(more=[(strange, True)]).chain[0], SEAL)


def test_a_certificate_without_key_usage_signs_nothing() -> None:
    key = new_key()
    bare = (
        x509.CertificateBuilder()
        .subject_name(ROOT.certificate.subject)
        .issuer_name(ROOT.certificate.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(VerificationFailed, match="cert_key_usage"):
        check_leaf(bare, SEAL)
    assert not certificates.is_ca(bare)


def test_haip_rules_of_a_presented_chain() -> None:
    leaf = MIDDLE.leaf()
    check_presented(leaf.chain)
    with pytest.raises(VerificationFailed, match="x5c_anchor_included"):
        check_presented((*leaf.chain, ROOT.certificate))
    with pytest.raises(VerificationFailed, match="x5c_self_signed"):
        check_presented((ROOT.certificate,))


def test_self_signed_means_signed_by_its_own_key() -> None:
    assert self_signed(ROOT.certificate)
    assert not self_signed(MIDDLE.certificate)
    same_name = ROOT.leaf(subject={"C": "FR", "O": "Test Authority", "CN": "Test root"}).chain[0]
    assert same_name.issuer == same_name.subject
    assert not self_signed(same_name)


def test_path_cache_answers_within_validity_only() -> None:
    leaf = MIDDLE.leaf()
    cache = PathCache(ANCHORS, SEAL, size=1)
    first = cache.find(leaf.chain, at=NOW)
    assert cache.find(leaf.chain, at=NOW) is first
    cache.find(MIDDLE.leaf().chain, at=NOW)
    assert cache.find(leaf.chain, at=NOW) is not first
    with pytest.raises(VerificationFailed, match="cert_expired"):
        cache.find(leaf.chain, at=NOW + timedelta(days=301))
    with pytest.raises(VerificationFailed):
        cache.find(OTHER.leaf().chain, at=NOW)


# ---- single certificates


def test_reading_and_facts() -> None:
    leaf = ROOT.leaf(
        subject={"C": "FR", "O": "Org", "organizationIdentifier": "NTRFR-1", "CN": "Leaf"},
        dns_names=["a.example"],
        uris=["https://a.example"],
        issuer_alt_uri="https://ca.example",
        crl_url="http://ca.example/crl",
        ca_issuers_url="http://ca.example/ca",
    ).chain[0]
    encoded = certificates.der(leaf)
    assert certificates.from_der(encoded) == leaf
    assert certificates.from_x5c([b64encode(encoded).decode()]) == (leaf,)
    assert certificates.sha256(leaf) == leaf.fingerprint(hashes.SHA256())
    assert certificates.public_key(leaf) == leaf.public_key()
    assert certificates.ski(leaf) == leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert certificates.spki(leaf) in encoded
    assert certificates.subject_value(leaf, x509.NameOID.ORGANIZATION_IDENTIFIER) == "NTRFR-1"
    assert certificates.subject_value(leaf, x509.NameOID.LOCALITY_NAME) is None
    assert certificates.is_ca(ROOT.certificate)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "x5c"),
        ([], "x5c"),
        ("text", "x5c"),
        ([1], "x5c"),
        (["!"], "x5c"),
        (["é"], "x5c"),
        (["AA=="], "certificate"),
        (["AA=="] * 7, "x5c"),
        ([b64encode(bytes(17000)).decode()], "certificate"),
        ([b64encode(certificates.der(ROOT.certificate) + b"\x00").decode()], "certificate"),
    ],
)
def test_x5c_refuses(value: object, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        certificates.from_x5c(value)
    assert caught.value.code == code


def test_other_key_types_are_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(ROOT.certificate.subject)
        .issuer_name(ROOT.certificate.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(ROOT.key, hashes.SHA256())
    )
    with pytest.raises(Refused, match="key_type"):
        certificates.public_key(certificate)


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    with suppress(VcError):
        certificates.from_der(data)


@given(st.integers(0, 400), st.integers(0, 255))
def test_mutated_certificates_give_a_value_or_our_error(position: int, value: int) -> None:
    data = bytearray(certificates.der(ROOT.certificate))
    data[position % len(data)] = value
    with suppress(VcError):
        certificates.public_key(certificates.from_der(bytes(data)))


# --- link certificates: an authority that changed its key vouches for the new one under its own name (RFC 5280 §6.1.4 l)


def _narrow() -> Authority:
    """A root as ISO/IEC 18013-5 wants it: nothing between it and its leaves."""
    key = new_key()
    spec = CertificateSpec(**{**_LINK, "not_before": NOW - timedelta(days=60)})
    return Authority(issue(spec, key.public_key(), signer=key, issuer=None, serial=11), key)


_LINK: dict[str, Any] = {
    "subject": {"C": "FR", "CN": "Rolling root"}, "not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=365),
    "ca": True, "path_length": 0, "usages": ("key_cert_sign", "crl_sign"),
}  # fmt: skip
OLD, NEW = _narrow(), _narrow()


def _link(*, by: Authority = OLD, **changes: Any) -> x509.Certificate:
    spec = CertificateSpec(**{**_LINK, **changes})
    return issue(spec, NEW.key.public_key(), signer=by.key, issuer=by.certificate, serial=12)


def _bare_link(*extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
    name = OLD.certificate.subject
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(NEW.key.public_key()).serial_number(13)
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(OLD.key, hashes.SHA256())


def test_a_link_leads_from_the_new_key_to_the_old_anchor() -> None:
    leaf, link = NEW.leaf().chain[0], _link()
    path = find_path([leaf, link], anchors=[OLD.certificate], at=NOW, rules=SEAL)
    assert path.certificates == (leaf, link, OLD.certificate)
    assert path.not_before == link.not_valid_before_utc
    assert _find([leaf], [NEW.certificate]) == 2
    assert _find([OLD.leaf().chain[0], link], [OLD.certificate]) == 2


_USAGE = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
_SMALL_USAGE = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
_CA = x509.BasicConstraints(ca=True, path_length=0)


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(_link(by=_narrow()), id="of a look-alike"),
        pytest.param(_link(by=root("Rolling root")), id="of another authority"),
        pytest.param(_link(subject={"C": "FR", "CN": "Other name"}), id="under another name, which a path length of 0 forbids"),
        pytest.param(_link(path_length=1), id="of a longer path than the anchor allows"),
        pytest.param(_link(path_length=None), id="of any path"),
        pytest.param(_link(ca=False, path_length=None), id="no CA"),
        pytest.param(_link(not_after=NOW - timedelta(seconds=1)), id="over"),
        pytest.param(_link(not_before=NOW + timedelta(seconds=1)), id="not yet"),
        pytest.param(_link(usages=("crl_sign",)), id="may not sign certificates"),
        pytest.param(_link(more=((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""), True),)), id="critical unknown"),
        pytest.param(_bare_link((_USAGE, True)), id="no constraints"),
        pytest.param(_bare_link((_CA, True)), id="no usage"),
        pytest.param(_bare_link((x509.BasicConstraints(ca=False, path_length=None), True), (_USAGE, True)), id="says it is no CA"),
        pytest.param(_bare_link((_CA, True), (_SMALL_USAGE, True)), id="signs documents only"),
        pytest.param(NEW.certificate, id="the new root itself"),
    ],
)
def test_what_is_no_link_of_this_anchor_leads_nowhere(link: x509.Certificate) -> None:
    with pytest.raises(VerificationFailed) as caught:
        _find([NEW.leaf().chain[0], link], [OLD.certificate])
    assert caught.value.code in (NO_PATH, "cert_expired", "cert_not_yet_valid")


def test_a_link_does_not_outlive_its_anchor() -> None:
    late = OLD.certificate.not_valid_after_utc + timedelta(days=1)
    leaf = NEW.leaf(not_after=late + timedelta(days=9)).chain[0]
    with pytest.raises(VerificationFailed):
        _find([leaf, _link(not_after=late + timedelta(days=9))], [OLD.certificate], at=late)


def test_an_anchor_that_allows_any_path_takes_a_link_of_any() -> None:
    wide = root("Rolling root", subject=_LINK["subject"])
    assert _find([NEW.leaf().chain[0], _link(by=wide, path_length=2)], [wide.certificate]) == 3


def test_the_short_names_of_a_name() -> None:
    subject = {"C": "FR", "O": "Test", "organizationIdentifier": "NTRFR-1", "CN": "Leaf"}
    assert short(ROOT.leaf(subject=subject).chain[0].subject) == subject
