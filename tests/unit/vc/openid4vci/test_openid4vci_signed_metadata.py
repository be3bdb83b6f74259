"""Signed metadata and registration certificates: VCI-META-19 to -21, EAA-I-1 to -3, HAIP-VCI-6, TS 119 475 §5.2."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from tests.support.pki import NOW, new_key, root
from vc.clock import TOLERANCE
from vc.encoding import json
from vc.errors import Malformed, VcError, VerificationFailed
from vc.jose import jws
from vc.keys.signer import LocalSigner
from vc.openid4vci import registration_certificate as registration
from vc.openid4vci import signed_metadata
from vc.openid4vci.metadata import MAX_LENGTH
from vc.openid4vci.registration_certificate import PUB_EAA_PROVIDER, SERVICE_PROVIDER, ProvidedAttestation, Registration
from vc.status.reference import StatusReference

ISSUER = "https://issuer.test/fr"
AUTHORITY = root()
SIGNER = AUTHORITY.leaf()
OTHER = AUTHORITY.leaf()
ANCHOR = LocalSigner(AUTHORITY.key, (AUTHORITY.certificate,))
SECOND = int(NOW.timestamp())
DAY = timedelta(days=1)
METADATA = {"credential_issuer": ISSUER, "credential_endpoint": ISSUER + "/credential"}
Claims = dict[str, Any]


def nobody_is_trusted(chain: tuple[x509.Certificate, ...]) -> None:
    raise VerificationFailed("path_unknown_issuer", "not trusted")


def token(
    claims: Claims,
    *,
    typ: object,
    signer: LocalSigner = SIGNER,
    chain: tuple[x509.Certificate, ...] | None = None,
    header: dict[str, Any] | None = None,
) -> str:
    head = {"typ": typ, "x5c": jws.x5c(signer.chain if chain is None else chain), **(header or {})}
    head = {name: value for name, value in head.items() if value is not ...}
    return jws.sign(head, json.dumps({name: value for name, value in claims.items() if value is not ...}), signer)


# --- signed metadata ---

SIGNED = {"sub": ISSUER, "iat": SECOND, "exp": SECOND + 60, **METADATA}


def metadata_token(signer: LocalSigner = SIGNER, *, typ: object = signed_metadata.TYP, **claims: Any) -> str:
    return token({**SIGNED, **claims}, typ=typ, signer=signer)


def read(text: str, **changes: Any) -> Claims:
    judge: Callable[[tuple[x509.Certificate, ...]], object] = lambda chain: None  # noqa: E731
    return signed_metadata.verify(text, **{"credential_issuer": ISSUER, "now": NOW, "judge": judge, **changes})


def test_vci_meta_19_20_what_an_issuer_signs_a_wallet_reads() -> None:
    text = signed_metadata.sign(METADATA, SIGNER, now=NOW, expires=NOW + DAY)
    header = jws.parse(text).header
    assert (header["typ"], header["alg"]) == ("openidvci-issuer-metadata+jwt", "ES256")
    judged: list[tuple[x509.Certificate, ...]] = []
    assert read(text, judge=judged.append) == {"sub": ISSUER, "iat": SECOND, "exp": SECOND + 86_400, **METADATA}
    assert judged == [SIGNER.chain]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no end", metadata_token(exp=...)),
        ("an attesting party", metadata_token(iss="https://registrar.test")),
        ("within the tolerance, early", metadata_token(iat=SECOND + int(TOLERANCE.total_seconds()))),
        ("within the tolerance, late", metadata_token(exp=SECOND - int(TOLERANCE.total_seconds()) + 1)),
    ],
)
def test_vci_meta_19_signed_metadata_that_are_read(name: str, text: str) -> None:
    assert read(text)["credential_issuer"] == ISSUER, name


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("no JWT", "abc", "jws"),
        ("endless", "a" * (2 * MAX_LENGTH + 1), "too_large"),
        ("plain metadata", json.dumps(METADATA).decode(), "base64url"),
        ("another type", metadata_token(typ="jwt"), "jws_typ"),
        ("with a digit too many", metadata_token(typ="openid4vci-issuer-metadata+jwt"), "jws_typ"),
        ("no type", metadata_token(typ=...), "jws_typ"),
        ("no chain", token(SIGNED, typ=signed_metadata.TYP, header={"x5c": ...}), "x5c_missing"),
        ("chain empty", token(SIGNED, typ=signed_metadata.TYP, header={"x5c": []}), "x5c"),
        ("self-signed", metadata_token(ANCHOR), "x5c_self_signed"),
        (
            "with the anchor",
            token(SIGNED, typ=signed_metadata.TYP, chain=(*SIGNER.chain, AUTHORITY.certificate)),
            "x5c_anchor_included",
        ),
        ("another key", token(SIGNED, typ=signed_metadata.TYP, chain=OTHER.chain), "signature"),
        ("critical extension", token(SIGNED, typ=signed_metadata.TYP, header={"crit": ["x"], "x": 1}), "jws_crit"),
        ("no subject", metadata_token(sub=...), "signed_metadata_subject"),
        ("another subject", metadata_token(sub=ISSUER + "/"), "signed_metadata_subject"),
        ("no iat", metadata_token(iat=...), None),
        ("iat a text", metadata_token(iat="now"), None),
        ("signed tomorrow", metadata_token(iat=SECOND + 86_400), "signed_metadata_time"),
        ("expired", metadata_token(exp=SECOND - int(TOLERANCE.total_seconds())), "signed_metadata_time"),
        ("exp null", metadata_token(exp=None), None),
        ("issuer no text", metadata_token(iss=5), "signed_metadata"),
    ],
)
def test_vci_meta_19_20_21_signed_metadata_with_one_fault_are_refused(name: str, text: str, code: str | None) -> None:
    with pytest.raises(VcError) as caught:
        read(text)
    if code is None:
        assert isinstance(caught.value, Malformed), name
    else:
        assert caught.value.code == code, name


def test_vci_meta_21_a_signer_who_is_not_trusted() -> None:
    with pytest.raises(VerificationFailed, match="path_unknown_issuer"):
        read(metadata_token(), judge=nobody_is_trusted)


def test_nobody_is_judged_before_the_signature_is_checked() -> None:
    judged: list[tuple[x509.Certificate, ...]] = []
    with pytest.raises(VerificationFailed, match="signature"):
        read(token(SIGNED, typ=signed_metadata.TYP, chain=OTHER.chain), judge=judged.append)
    assert judged == []


@pytest.mark.parametrize(
    ("metadata", "signer", "expires"),
    [
        (METADATA, LocalSigner(new_key()), NOW + DAY),
        (METADATA, SIGNER, NOW),
        ({**METADATA, "sub": "x"}, SIGNER, NOW + DAY),
        ({**METADATA, "exp": 1}, SIGNER, NOW + DAY),
        ({**METADATA, "iat": 1}, SIGNER, NOW + DAY),
    ],
)
def test_metadata_that_could_not_be_read_are_not_signed(metadata: Claims, signer: LocalSigner, expires: Any) -> None:
    with pytest.raises(ValueError, match="signed metadata"):
        signed_metadata.sign(metadata, signer, now=NOW, expires=expires)


def test_vci_meta_20_metadata_are_not_signed_with_a_self_signed_certificate() -> None:
    with pytest.raises(VerificationFailed, match="x5c_self_signed"):
        signed_metadata.sign(METADATA, ANCHOR, now=NOW, expires=NOW + DAY)


# --- registration certificates ---

REGISTRATION = Registration(
    sub="NTRFR-TEST-1",
    name="Test institution",
    legal_name="Test institution of social security",
    country="FR",
    registry_uri="https://registry.test",
    service_description={"en": "Attestations for tests", "fr": "Attestations de test"},
    entitlements=(PUB_EAA_PROVIDER,),
    provides_attestations=(
        ProvidedAttestation(format="dc+sd-jwt", type_ids=("urn:test:1", "urn:test:2")),
        ProvidedAttestation(format="mso_mdoc", type_ids=("org.test.1",)),
    ),
    privacy_policy="https://institution.test/privacy",
    info_uri="https://institution.test",
    support_uri="https://institution.test/support",
    supervisory_authority={"email": "authority@supervisor.test"},
    certificate_policy="https://registry.test/policy",
)
STATUS = StatusReference(uri="https://registry.test/status/1", idx=7)
MADE = registration.create(SIGNER, REGISTRATION, now=NOW, expires=NOW + 365 * DAY, status=STATUS)
CLAIMS = jws.parse(MADE).claims()


def certificate(*, signer: LocalSigner = SIGNER, typ: object = registration.TYP, **claims: Any) -> str:
    return token({**CLAIMS, **claims}, typ=typ, signer=signer)


def checked(text: str, judge: Callable[[tuple[x509.Certificate, ...]], object] = lambda chain: None) -> Any:
    return registration.verify(text, now=NOW, judge=judge)


def test_eaa_i_3_what_a_registrar_makes_a_wallet_reads() -> None:
    assert jws.parse(MADE).header["typ"] == "rc-wrp+jwt"
    assert {name: value for name, value in CLAIMS.items() if name not in ("iat", "exp")} == {
        "sub": "NTRFR-TEST-1",
        "name": "Test institution",
        "sub_ln": "Test institution of social security",
        "country": "FR",
        "registry_uri": "https://registry.test",
        "srv_description": [[{"lang": "en", "value": "Attestations for tests"}, {"lang": "fr", "value": "Attestations de test"}]],
        "entitlements": ["https://uri.etsi.org/19475/Entitlement/PUB_EAA_Provider"],
        "provides_attestations": [
            {"format": "dc+sd-jwt", "meta": {"vct_values": ["urn:test:1", "urn:test:2"]}},
            {"format": "mso_mdoc", "meta": {"doctype_value": "org.test.1"}},
        ],
        "privacy_policy": "https://institution.test/privacy",
        "info_uri": "https://institution.test",
        "support_uri": "https://institution.test/support",
        "supervisory_authority": {"email": "authority@supervisor.test"},
        "policy_id": ["0.4.0.19475.3.1"],
        "certificate_policy": "https://registry.test/policy",
        "status": {"status_list": {"idx": 7, "uri": "https://registry.test/status/1"}},
    }
    judged: list[tuple[x509.Certificate, ...]] = []
    assert checked(MADE, judged.append) == registration.RegistrationCertificate(
        sub="NTRFR-TEST-1",
        name="Test institution",
        country="FR",
        entitlements=(PUB_EAA_PROVIDER,),
        provides_attestations=REGISTRATION.provides_attestations,
        issued_at=NOW,
        expires=NOW + 365 * DAY,
        status=STATUS,
        chain=SIGNER.chain,
    )
    assert judged == [SIGNER.chain]


def test_a_certificate_without_end_status_and_attestations_is_read() -> None:
    found = checked(certificate(exp=..., status=..., provides_attestations=..., future=1))
    assert (found.expires, found.status, found.provides_attestations) == (None, None, ())


@pytest.mark.parametrize(
    ("name", "text", "code", "pointer"),
    [
        ("no JWT", "abc", "jws", ""),
        ("endless", "a" * (registration.MAX_LENGTH + 1), "too_large", ""),
        ("another type", certificate(typ="jwt"), "jws_typ", ""),
        ("no chain", token(CLAIMS, typ=registration.TYP, header={"x5c": ...}), "x5c_missing", ""),
        ("self-signed", certificate(signer=ANCHOR), "x5c_self_signed", ""),
        (
            "with the anchor",
            token(CLAIMS, typ=registration.TYP, chain=(*SIGNER.chain, AUTHORITY.certificate)),
            "x5c_anchor_included",
            "",
        ),
        ("another key", token(CLAIMS, typ=registration.TYP, chain=OTHER.chain), "signature", ""),
        ("no subject", certificate(sub=...), "registration", "/sub"),
        ("subject no text", certificate(sub={"id": "x"}), "registration", "/sub"),
        ("no name", certificate(name=""), "registration", "/name"),
        ("no country", certificate(country=...), "registration", "/country"),
        ("no entitlement", certificate(entitlements=...), "registration", "/entitlements"),
        ("entitlements empty", certificate(entitlements=[]), "registration", "/entitlements"),
        ("no provider", certificate(entitlements=[SERVICE_PROVIDER]), "registration", "/provides_attestations"),
        ("attestations no list", certificate(provides_attestations={}), "registration", "/provides_attestations"),
        ("attestation no object", certificate(provides_attestations=["x"]), "registration", "/provides_attestations/0"),
        ("no format", certificate(provides_attestations=[{"meta": {}}]), "registration", "/provides_attestations/0/format"),
        ("no meta", certificate(provides_attestations=[{"format": "x"}]), "registration", "/provides_attestations/0/meta"),
        ("issued tomorrow", certificate(iat=SECOND + 86_400, exp=SECOND + 90_000), "registration_time", "/iat"),
        ("expired", certificate(iat=SECOND - 1000, exp=SECOND - int(TOLERANCE.total_seconds())), "registration_time", "/exp"),
        ("for two years", certificate(exp=SECOND + 2 * 365 * 86_400), "registration_time", "/exp"),
        ("status null", certificate(status=None), "status", "/status"),
    ],
)
def test_eaa_i_3_a_certificate_with_one_fault_is_refused(name: str, text: str, code: str, pointer: str) -> None:
    judged: list[tuple[x509.Certificate, ...]] = []
    with pytest.raises(VcError) as caught:
        checked(text, judged.append)
    assert (caught.value.code, caught.value.pointer, judged) == (code, pointer, []), name


@pytest.mark.parametrize("changes", [{"iat": ...}, {"iat": "x"}, {"exp": None}])
def test_times_that_are_none_are_refused(changes: Claims) -> None:
    with pytest.raises(Malformed):
        checked(certificate(**changes))


def test_a_registrar_who_is_not_trusted() -> None:
    with pytest.raises(VerificationFailed, match="path_unknown_issuer"):
        checked(MADE, nobody_is_trusted)


def test_a_certificate_that_no_wallet_would_read_is_not_made() -> None:
    with pytest.raises(ValueError, match="certificate"):
        registration.create(LocalSigner(new_key()), REGISTRATION, now=NOW, expires=NOW + DAY)
    with pytest.raises(VerificationFailed, match="twelve months"):
        registration.create(SIGNER, REGISTRATION, now=NOW, expires=NOW + 400 * DAY)
    with pytest.raises(Malformed, match="no provider"):
        registration.create(SIGNER, replace(REGISTRATION, entitlements=(SERVICE_PROVIDER,)), now=NOW, expires=NOW + DAY)
    assert "status" not in jws.parse(registration.create(SIGNER, REGISTRATION, now=NOW, expires=NOW + DAY)).claims()


ASKED = {"organization_identifier": "NTRFR-TEST-1", "format": "dc+sd-jwt", "type_id": "urn:test:2"}


@pytest.mark.parametrize("asked", [{}, {"type_id": "urn:test:1"}, {"format": "mso_mdoc", "type_id": "org.test.1"}])
def test_eaa_i_3_an_issuer_that_is_registered_for_what_it_offers(asked: Claims) -> None:
    registration.check_issuer(checked(MADE), **{**ASKED, **asked})


@pytest.mark.parametrize(
    ("name", "text", "asked", "code"),
    [
        ("another organisation", MADE, {"organization_identifier": "NTRFR-TEST-2"}, "registration_subject"),
        ("no organisation", MADE, {"organization_identifier": None}, "registration_subject"),
        (
            "relying party",
            certificate(entitlements=[SERVICE_PROVIDER], provides_attestations=...),
            {},
            "registration_entitlement",
        ),
        ("another type", MADE, {"type_id": "urn:test:3"}, "registration_type"),
        ("type of the other format", MADE, {"type_id": "org.test.1"}, "registration_type"),
        ("another format", MADE, {"format": "mso_mdoc"}, "registration_type"),
        ("no type", MADE, {"type_id": None}, "registration_type"),
        ("nothing listed", certificate(provides_attestations=...), {}, "registration_type"),
    ],
)
def test_eaa_i_3_an_issuer_that_is_not_registered_for_it(name: str, text: str, asked: Claims, code: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        registration.check_issuer(checked(text), **{**ASKED, **asked})
    assert caught.value.code == code, name
