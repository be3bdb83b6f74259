"""The directory of a PKI: what is issued is on record, what is revoked is in the next list, nothing is torn or lost."""

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient

from pki import home as homes
from pki.home import Home
from pki.issue import Authority, Details
from pki.kinds import CRL_LIFE, LEAVES
from pki.repository import create_app
from tests.support.pki import NOW
from vc.errors import Malformed, Refused
from vc.x509 import crl, qc
from vc.x509.chain import find_path
from vc.x509.crl import Reason
from vc.x509.profiles import DOCUMENT_SIGNER, SEAL

ADDRESS = "http://ca.example"
BODY = {"C": "FR", "O": "Urssaf (test)", "organizationIdentifier": "NTRFR-1", "CN": "Seal (test)"}
PSB = qc.QcPsb(country="FR", authentic_source="NTRFR-1", legislation="OJ:FR-1")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.create(tmp_path / "pki", repository=f"{ADDRESS}/")
    made.add_authority("seal-ca", "seal", {"C": "FR", "O": "Test", "CN": "Seal CA (test)"}, now=NOW)
    return made


def seal(home: Home, **details: Any) -> x509.Certificate:
    return home.issue("seal-ca", "seal", BODY, now=NOW, details=Details(**{"psb": PSB, **details})).chain[0]


def listed(home: Home, slug: str = "seal-ca") -> crl.RevocationList:
    found = crl.parse((home.repository / f"{slug}.crl").read_bytes())
    crl.verify(found, home.authority(slug).certificate, now=NOW)
    return found


def refused(code: str, ask: Any) -> None:
    with pytest.raises(Refused) as caught:
        ask()
    assert caught.value.code == code


def test_a_leaf_leads_to_its_authority_and_says_where_it_may_be_withdrawn(home: Home) -> None:
    leaf, by = seal(home), home.authority("seal-ca")
    assert len(find_path([leaf], anchors=[by.certificate], at=NOW, rules=SEAL).certificates) == 2
    assert crl.distribution_points(leaf) == (f"{ADDRESS}/seal-ca.crl",)
    assert crl.issuer_addresses(leaf) == (f"{ADDRESS}/seal-ca.cer",)
    assert qc.public_sector_body(leaf) == PSB
    assert x509.load_der_x509_certificate((home.repository / "seal-ca.cer").read_bytes()) == by.certificate


def test_the_first_list_is_there_and_every_next_one_has_the_next_number(home: Home) -> None:
    assert (listed(home).number, listed(home).next_update) == (1, NOW + CRL_LIFE)
    assert home.publish("seal-ca", now=NOW) == 2
    assert Home(home.folder).publish("seal-ca", now=NOW) == 3
    assert listed(home).number == 3


def test_what_is_revoked_is_listed_at_once_and_stays(home: Home) -> None:
    leaf, other = seal(home), seal(home)
    home.revoke("seal-ca", leaf.serial_number, Reason.SUPERSEDED, now=NOW)
    home.publish("seal-ca", now=NOW + timedelta(seconds=1))
    found = crl.entry(crl.parse((home.repository / "seal-ca.crl").read_bytes()), leaf)
    assert found is not None
    assert (found.reason, found.since) == (Reason.SUPERSEDED, NOW)
    assert crl.entry(listed(home), other) is None
    states = {one.serial: one.revoked is not None for one in home.issued("seal-ca")}
    assert states == {leaf.serial_number: True, other.serial_number: False}


def test_a_revocation_is_final_and_may_only_become_graver(home: Home) -> None:
    leaf = seal(home)
    home.revoke("seal-ca", leaf.serial_number, Reason.SUPERSEDED, now=NOW)
    refused("already_revoked", lambda: home.revoke("seal-ca", leaf.serial_number, Reason.SUPERSEDED, now=NOW))
    home.revoke("seal-ca", leaf.serial_number, Reason.KEY_COMPROMISE, now=NOW + timedelta(days=3))
    found = crl.entry(crl.parse((home.repository / "seal-ca.crl").read_bytes()), leaf)
    assert found is not None
    assert (found.reason, found.since) == (Reason.KEY_COMPROMISE, NOW)
    for reason in Reason:
        refused("already_revoked", lambda r=reason: home.revoke("seal-ca", leaf.serial_number, r, now=NOW))


def test_what_this_authority_did_not_issue_cannot_be_revoked_here(home: Home) -> None:
    refused("serial_unknown", lambda: home.revoke("seal-ca", 1, Reason.UNSPECIFIED, now=NOW))


def test_a_record_of_a_revocation_outlives_a_list_that_was_never_written(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    leaf, before = seal(home), listed(home).number
    monkeypatch.setattr(crl, "build", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        home.revoke("seal-ca", leaf.serial_number, Reason.KEY_COMPROMISE, now=NOW)
    monkeypatch.undo()
    assert listed(home).number == before
    home.publish("seal-ca", now=NOW)
    assert crl.entry(listed(home), leaf) is not None


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    homes.write(path, b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        homes.write(path, b"new")
    assert (path.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (b"old", ["file"])


def test_keys_are_for_their_owner_only(home: Home, tmp_path: Path) -> None:
    files = homes.write_signer(tmp_path, "seal", home.issue("seal-ca", "seal", BODY, now=NOW))
    keys = (Path(files["key"]), home.folder / "authorities" / "seal-ca" / "key.pem")
    assert [stat.S_IMODE(path.stat().st_mode) for path in keys] == [0o600, 0o600]
    assert not any(path.suffix == ".pem" for path in home.repository.iterdir())


def test_a_second_home_in_the_same_place_is_refused(home: Home, tmp_path: Path) -> None:
    refused("already_initialised", lambda: Home.create(home.folder, repository=ADDRESS))
    refused("not_initialised", lambda: Home(tmp_path / "elsewhere"))


@pytest.mark.parametrize(
    ("slug", "kind", "subject", "code"),
    [
        pytest.param("seal-ca", "seal", {"CN": "Twice"}, "slug_taken", id="a name twice"),
        pytest.param("../x", "seal", {"CN": "X"}, "slug", id="a name that leads out"),
        pytest.param("x", "notary", {"CN": "X"}, "kind", id="an unknown kind"),
        pytest.param("x", "seal", {"C": "FR"}, "subject", id="no common name"),
        pytest.param("x", "iaca", {"CN": "X"}, "subject", id="an IACA without country"),
    ],
)
def test_authorities_that_are_not_made(home: Home, slug: str, kind: str, subject: dict[str, str], code: str) -> None:
    refused(code, lambda: home.add_authority(slug, kind, subject, now=NOW))
    assert home.slugs() == ("seal-ca",)


ACCESS = {"C": "DE", "O": "Inspection (test)", "organizationIdentifier": "NTRDE-1", "CN": "Inspection (test)"}


@pytest.mark.parametrize(
    ("slug", "kind", "subject", "details", "code"),
    [
        pytest.param("nobody", "seal", BODY, {}, "authority_unknown", id="an unknown authority"),
        pytest.param("../seal-ca", "seal", BODY, {}, "authority_unknown", id="a path"),
        pytest.param("seal-ca", "notary", BODY, {}, "kind", id="an unknown kind"),
        pytest.param("seal-ca", "access", ACCESS, {"uris": ("https://v.example",)}, "authority", id="another authority's kind"),
        pytest.param("seal-ca", "seal", {**BODY, "O": ""}, {}, "subject", id="no organisation"),
        pytest.param("seal-ca", "seal", BODY, {"life": timedelta(days=800)}, "life", id="longer than the kind"),
        pytest.param("seal-ca", "seal", BODY, {"life": timedelta(days=-1)}, "life", id="over before it begins"),
        pytest.param("iaca-fr", "document-signer", BODY, {"life": timedelta(days=457)}, "life", id="457 days with its first"),
        pytest.param("iaca-fr", "document-signer", {**BODY, "C": "BE"}, {}, "subject", id="a signer of another country"),
        pytest.param("iaca-fr", "document-signer", BODY, {"psb": PSB}, "seal", id="a statement of a body in no seal"),
        pytest.param("access-ca", "access", ACCESS, {}, "subject", id="nobody to reach"),
        pytest.param("access-ca", "access", ACCESS, {"mails": ("a@b.example",), "policy": "x"}, "policy", id="an unknown policy"),
    ],
)
def test_certificates_that_are_not_issued(  # noqa: PLR0917 — a row of the table
    home: Home, slug: str, kind: str, subject: dict[str, str], details: dict[str, Any], code: str
) -> None:
    home.add_authority("iaca-fr", "iaca", {"C": "FR", "CN": "IACA FR (test)"}, now=NOW)
    home.add_authority("access-ca", "access", {"C": "FR", "CN": "Access CA (test)"}, now=NOW)
    refused(code, lambda: home.issue(slug, kind, subject, now=NOW, details=Details(**details)))
    assert not any(home.issued(one) for one in home.slugs())


def test_a_leaf_does_not_outlive_its_authority(home: Home) -> None:
    late = home.authority("seal-ca").certificate.not_valid_after_utc - timedelta(days=10)
    refused("life", lambda: home.issue("seal-ca", "seal", BODY, now=late))


def test_an_authority_whose_key_was_exchanged_for_another_kind_is_not_used(home: Home) -> None:
    key = rsa.generate_private_key(65537, 2048)
    path = home.folder / "authorities" / "seal-ca" / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(Malformed):
        home.authority("seal-ca")


def test_every_kind_can_be_issued_by_an_authority_of_its_own(home: Home) -> None:
    for kind in LEAVES.values():
        by = kind.authorities[0]
        if by != "seal":
            home.add_authority(f"for-{kind.id}", by, {"C": "DE", "O": "Test", "CN": f"{kind.id} CA (test)"}, now=NOW)
        slug = "seal-ca" if by == "seal" else f"for-{kind.id}"
        signer = home.issue(slug, kind.id, ACCESS, now=NOW, details=Details(mails=("a@b.example",), phones=("+49",)))
        signer.chain[0].verify_directly_issued_by(home.authority(slug).certificate)


# --- link certificates


def iacas(home: Home) -> tuple[Authority, Authority]:
    subject = {"C": "FR", "O": "Test", "organizationIdentifier": "NTRFR-9", "CN": "IACA FR (test)"}
    old = home.add_authority("iaca-1", "iaca", subject, now=NOW)
    return old, home.add_authority("iaca-2", "iaca", subject, now=NOW + timedelta(days=200))


def test_who_knows_the_old_root_alone_believes_the_new_one_through_the_link(home: Home) -> None:
    old, new = iacas(home)
    link = home.link("iaca-1", "iaca-2")
    later = NOW + timedelta(days=201)
    signer = home.issue("iaca-2", "document-signer", BODY, now=later).chain[0]
    path = find_path([signer, link], anchors=[old.certificate], at=later, rules=DOCUMENT_SIGNER)
    assert path.certificates == (signer, link, old.certificate)
    assert len(find_path([signer], anchors=[new.certificate], at=later, rules=DOCUMENT_SIGNER).certificates) == 2
    assert (link.not_valid_before_utc, link.not_valid_after_utc) == (
        new.certificate.not_valid_before_utc, old.certificate.not_valid_after_utc,
    )  # fmt: skip
    assert (home.repository / "iaca-1-to-iaca-2.cer").exists()
    home.revoke("iaca-1", link.serial_number, Reason.CESSATION_OF_OPERATION, now=later)


def test_only_two_keys_of_one_authority_are_linked(home: Home) -> None:
    iacas(home)
    refused("link", lambda: home.link("iaca-1", "seal-ca"))
    refused("link", lambda: home.link("iaca-1", "iaca-1"))


# --- what the world may read


def test_the_repository_serves_what_is_there_now(home: Home) -> None:
    client = TestClient(create_app(home.repository), base_url="http://localhost")
    assert client.get("/late-ca.crl").status_code == 404
    home.add_authority("late-ca", "seal", {"CN": "Late (test)"}, now=NOW)
    answer = client.get("/late-ca.crl")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pkix-crl")
    assert "max-age" in answer.headers["cache-control"]
    before = crl.parse(answer.content).number
    home.publish("late-ca", now=NOW)
    assert crl.parse(client.get("/late-ca.crl").content).number == (before or 0) + 1
    assert client.get("/practice.txt").status_code == 200
    (home.repository / ".late-ca.crl").write_bytes(b"half")
    (home.repository / "key.pem").write_bytes(b"secret")
    for path in ("/.late-ca.crl", "/key.pem", "/..%2Fpki.json", "/nothing.cer"):
        assert client.get(path).status_code == 404
