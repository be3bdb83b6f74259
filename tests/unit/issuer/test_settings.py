"""Settings: a bad value stops the start with a sentence that names it; what is fine for a demo is refused in production (O-19)."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from issuer import __main__
from issuer import settings as settings_module
from issuer.institution_settings import InstitutionWire
from issuer.institutions import KeyUse
from issuer.settings import SettingsError, load, parse
from tests.support import issuer as world
from tests.support import registration
from tests.support.pki import root
from vc.errors import Refused
from vc.openid4vci.registration_certificate import ProvidedAttestation
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def raw(tmp_path: Path) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(world.build(tmp_path, access=True, encryption=True).raw))
    return copy


def _set(**members: Any) -> Change:
    return lambda raw: raw.update(members)


def _institution(**members: Any) -> Change:
    return lambda raw: raw["institutions"][0].update(members)


def _swap_keys(raw: dict[str, Any]) -> None:
    raw["institutions"][1]["keys"]["seal"] = raw["institutions"][0]["keys"]["seal"]


def _wrong_use(raw: dict[str, Any]) -> None:
    raw["institutions"][0]["keys"]["document_signer"] = raw["institutions"][0]["keys"]["status"]


def _foreign_chain(raw: dict[str, Any]) -> None:
    raw["institutions"][0]["keys"]["seal"] = {
        "key": raw["institutions"][0]["keys"]["seal"]["key"],
        "chain": raw["institutions"][0]["keys"]["status"]["chain"],
    }


SIGN_IN: dict[str, Any] = {
    "issuer": "https://login.test",
    "client_id": "urssaf",
    "client_secret": "a secret nobody guesses",
    "scopes": ["openid", "profile"],
    "claims": {"family_name": "family_name", "given_name": "given_name", "birth_date": "birthdate"},
}
TRUST: dict[str, Any] = {"root": "root.json", "state": "trust"}
CLIENT: dict[str, Any] = {"client_id": "pilot-wallet", "redirect_uris": ["https://wallet.test/cb"]}


def _high(**members: Any) -> Change:
    """As good an institution as there is (sign-in, trust, clients, keys), and then `members`."""

    def change(raw: dict[str, Any]) -> None:
        raw["trust"] = TRUST
        raw["institutions"][0].update({"sign_in": SIGN_IN, "clients": [CLIENT], **members})

    return change


def _sign_in(**members: Any) -> Change:
    return _high(sign_in={**SIGN_IN, **members})


def _without_keys(name: str, change: Change) -> Change:
    def without(raw: dict[str, Any]) -> None:
        change(raw)
        raw["institutions"][0]["keys"].pop(name)

    return without


def _two_uses(raw: dict[str, Any]) -> None:
    raw["institutions"][0]["keys"]["access"] = raw["institutions"][0]["keys"]["seal"]


def _seal_for_encryption(raw: dict[str, Any]) -> None:
    raw["institutions"][0]["keys"]["encryption"] = [{"key": raw["institutions"][0]["keys"]["seal"]["key"]}]


def _same_token(raw: dict[str, Any]) -> None:
    raw["institutions"][1]["api_token_sha256"] = raw["institutions"][0]["api_token_sha256"]


def _same_id(raw: dict[str, Any]) -> None:
    raw["institutions"][1]["id"] = raw["institutions"][0]["id"]


def test_the_test_world_is_accepted(raw: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "issuer.json"
    path.write_text(json.dumps(raw))
    settings = load(path)
    assert list(settings.institutions) == ["fr-urssaf", "fr-cnam", "test-pid"]
    assert settings.database == f"sqlite:///{tmp_path}/issuer.db"
    assert settings.institutions["fr-cnam"].credential_issuer == "https://issuer.test/fr-cnam"
    assert world.token_of("fr-cnam") not in repr(settings)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_set(profile="staging"), "profile"),
        (_set(surprise=1), "surprise"),
        (_set(base_url="https://issuer.test/"), "base_url"),
        (_set(base_url="https://issuer.test/path"), "base_url"),
        (_set(base_url="https://issuer.test?x"), "base_url"),
        (_set(base_url="https://a@issuer.test"), "base_url"),
        (_set(base_url="http://issuer.test"), "base_url"),
        (_set(base_url="http://localhost:1", allow_http_loopback=False), "base_url"),
        (_set(base_url="ftp://issuer.test"), "base_url"),
        (_set(base_url="https://[issuer.test"), "base_url"),
        (_set(database="postgresql://x/y"), "database"),
        (_set(database="sqlite://"), "database"),
        (_set(database="nonsense"), "database"),
        (_set(listen={"host": "127.0.0.1", "port": 70_000}), "listen.port"),
        (_set(access_token_seconds=301), "access_token_seconds"),
        (_set(batch_size=0), "batch_size"),
        (_set(institutions=[]), "institutions"),
        (_institution(id="Upper"), "id"),
        (_institution(id="api"), "institutions.api"),
        (_institution(id="a/b"), "id"),
        (_institution(country="fr"), "country"),
        (_institution(types=["passport"]), "types"),
        (_institution(types=[]), "types"),
        (_institution(api_token_sha256="short"), "api_token_sha256"),
        (_institution(keys={}), "keys"),
        (_same_token, "api_token_sha256"),
        (_same_id, "institutions.fr-urssaf"),
        (_swap_keys, "keys: a key of another institution"),
        (_wrong_use, "keys.document_signer"),
        (_foreign_chain, "keys.seal"),
        (_two_uses, "keys: one key for two uses"),
        (_seal_for_encryption, "keys: one key for two uses"),
        (_set(batch_size=51), "batch_size"),
        (_set(refresh_days=366), "refresh_days"),
        (_set(code_seconds=61), "code_seconds"),
        (_set(pushed_request_seconds=91), "pushed_request_seconds"),
        (_set(trust={"root": "r"}), "trust.state"),
        (_high(issuance_profile="strict"), "issuance_profile"),
        (_high(issuance_profile="haip"), "clients: profile haip takes attested wallets only"),
        (_high(issuance_profile="haip", clients=[], sign_in=None), "sign_in: profile haip needs sign_in"),
        (_without_keys("access", _high(issuance_profile="haip", clients=[])), "keys.access: profile haip needs keys.access"),
        (_institution(issuance_profile="haip", sign_in=SIGN_IN), "trust: profile haip needs trust"),
        (_institution(sign_in=SIGN_IN), "sign_in: nobody could ask"),
        (_institution(key_attestation={}), "key_attestation"),
        (_high(key_attestation={"key_storage": ["very high"]}), "key_attestation"),
        (
            _high(issuance_profile="haip", clients=[], key_attestation={"key_storage": ["iso_18045_basic"]}),
            "key_attestation: key attestations weaker",
        ),
        (_high(issuance_profile="haip", clients=[], key_attestation={}), "key_attestation: key attestations weaker"),
        (_without_keys("encryption", _high(encryption="required")), "encryption: encryption cannot be required"),
        (_high(short_lived=["ehic"]), "short_lived"),
        (_sign_in(issuer="http://login.test"), "sign_in.issuer"),
        (_sign_in(issuer="https://login.test?tenant=1"), "sign_in.issuer"),
        (_sign_in(scopes=["profile"]), "sign_in.scopes"),
        (_sign_in(claims={"family_name": "family_name"}), "sign_in.claims: family_name, given_name and birth_date"),
        (_sign_in(claims={**SIGN_IN["claims"], "shoe_size": "x"}), "sign_in.claims: no member of the identity block"),
        (_sign_in(claims={**SIGN_IN["claims"], "birth_place": "birthplace"}), "are told apart by: birth_place"),
        (_sign_in(client_secret=""), "sign_in.client_secret"),
        (_high(clients=[CLIENT, CLIENT]), "clients: one client_id twice"),
        (_high(clients=[{**CLIENT, "redirect_uris": ["http://elsewhere.test/cb"]}]), "clients.redirect_uris"),
        (_high(clients=[{**CLIENT, "redirect_uris": []}]), "redirect_uris"),
        (_high(registration_certificate="nowhere.jwt"), "registration_certificate: cannot be read"),
        (_high(reuse_policy={"details": ["once_a_year"]}), "reuse_policy.details"),
        (_high(reuse_policy={"details": ["once_only"], "reissue_trigger_unused": 10}), "reissue_trigger_unused"),
        (
            _high(reuse_policy={"details": ["once_only"], "reissue_trigger_lifetime_left": 90 * 86_400}),
            "reissue_trigger_lifetime_left",
        ),
        (
            _high(short_lived=["pda1"], reuse_policy={"details": ["limited_time"], "reissue_trigger_lifetime_left": 86_400}),
            "reissue_trigger_lifetime_left: not below the life of the credentials, 86400 seconds",
        ),
    ],
)
def test_a_bad_value_is_named(raw: dict[str, Any], tmp_path: Path, change: Change, sentence: str) -> None:
    change(raw)
    with pytest.raises(SettingsError) as caught:
        parse(raw, base=tmp_path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_copies_that_are_shown_once_need_a_batch(raw: dict[str, Any], tmp_path: Path) -> None:
    """EAA-I-4: a policy that cannot be kept is not announced."""
    raw["batch_size"] = 1
    raw["institutions"][0]["reuse_policy"] = {"details": ["once_only"]}
    with pytest.raises(SettingsError, match=r"reuse_policy: copies that are shown once need a batch_size"):
        parse(raw, base=tmp_path)


def test_what_an_institution_has_is_handed_down(raw: dict[str, Any], tmp_path: Path) -> None:
    members = {"short_lived": ["pda1"], "reuse_policy": {"details": ["once_only"]}}
    _high(**members)(raw)
    settings = parse({**raw, "tls_ca": "ca.pem"}, base=tmp_path)
    institution = settings.institutions["fr-urssaf"]
    assert settings.trust is not None
    assert (settings.trust.root, settings.trust.state) == (tmp_path / "root.json", tmp_path / "trust")
    assert settings.tls_ca == tmp_path / "ca.pem"
    assert institution.sign_in is not None
    assert institution.sign_in.claims["birth_date"] == "birthdate"
    assert SIGN_IN["client_secret"] not in repr(settings)
    assert institution.client("pilot-wallet") is not None
    assert institution.client("another") is None
    assert institution.registration_certificate is None
    assert institution.short_lived("pda1")
    assert not settings.institutions["fr-cnam"].short_lived("ehic")
    assert institution.reuse_policy is not None
    assert [option.batch_size for option in institution.reuse_policy.options] == [settings.batch_size]
    assert institution.access_signer is institution.signers[KeyUse.ACCESS]
    (key,) = institution.encryption_keys
    assert institution.encryption_key(key.kid) is key
    assert institution.encryption_key("another") is None


def test_an_encryption_key_is_on_the_curve_of_haip(raw: dict[str, Any], tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    path = tmp_path / raw["institutions"][0]["keys"]["encryption"][0]["key"]
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SettingsError, match=r"keys.encryption.0: not a P-256 key"):
        parse(raw, base=tmp_path)


def test_a_registration_certificate_is_read(raw: dict[str, Any], tmp_path: Path) -> None:
    """EAA-I-2: it is published as it is."""
    text = registration.written(tmp_path / "registration.jwt")
    _high(registration_certificate="registration.jwt")(raw)
    assert parse(raw, base=tmp_path).institutions["fr-urssaf"].registration_certificate == text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sub": "NTRFR-TEST2"}, "another organisation"),
        (
            {"provides_attestations": (ProvidedAttestation(format="dc+sd-jwt", type_ids=("urn:eudi:ehic:1",)),)},
            "not registered to provide this attestation",
        ),
    ],
)
def test_a_registration_a_wallet_would_refuse_stops_the_start(
    raw: dict[str, Any], tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    """EAA-I-3."""
    registration.written(tmp_path / "registration.jwt", **changes)
    _high(registration_certificate="registration.jwt")(raw)
    with pytest.raises(SettingsError, match=f"registration_certificate: .*{sentence}"):
        parse(raw, base=tmp_path)


def test_a_registration_certificate_is_text(raw: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "registration.jwt").write_bytes(b"\xff\xfe")
    _high(registration_certificate="registration.jwt")(raw)
    with pytest.raises(SettingsError, match="registration_certificate: not a compact JWT"):
        parse(raw, base=tmp_path)
    (tmp_path / "registration.jwt").write_text("nothing of the kind")
    with pytest.raises(SettingsError, match="registration_certificate: "):
        parse(raw, base=tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"{", "not strict JSON"), (b'{"profile":"demo","profile":"demo"}', "not strict JSON"), (None, "cannot be read")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "issuer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=sentence):
        load(path)


def test_a_key_file_that_is_missing_or_no_ec_key(raw: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / raw["institutions"][0]["keys"]["seal"]["key"]
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SettingsError, match="not an EC key"):
        parse(raw, base=tmp_path)
    path.write_bytes(b"nothing")
    with pytest.raises(SettingsError, match="not readable PEM"):
        parse(raw, base=tmp_path)
    path.unlink()
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        parse(raw, base=tmp_path)


def test_a_chain_with_its_anchor_is_refused(raw: dict[str, Any], tmp_path: Path) -> None:
    """HAIP: the trust anchor stays out of x5c."""
    authority = root()
    leaf = authority.leaf()
    keys = raw["institutions"][0]["keys"]["seal"]
    (tmp_path / keys["key"]).write_bytes(leaf.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    chain = (*leaf.chain, authority.certificate)
    (tmp_path / keys["chain"]).write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain))
    with pytest.raises(SettingsError, match="self-signed"):
        parse(raw, base=tmp_path)


def _production(directory: Path) -> dict[str, Any]:
    """A settings file as production may have it: real names, a real host."""
    raw: dict[str, Any] = json.loads(json.dumps(world.build(directory).raw))
    authority = root("Issuing CA")
    for entry in raw["institutions"]:
        entry["name"] = entry["id"]
        entry["api_token_sha256"] = sha256(f"random-{entry['id']}".encode()).hexdigest()
        entry["keys"].pop("encryption", None)
        for use, keys in entry["keys"].items():
            eku = (MDOC_DOCUMENT_SIGNER,) if use == "document_signer" else ()
            signer = authority.leaf(subject={"C": "FR", "O": entry["id"].removeprefix("test-"), "CN": use}, eku=eku)
            key = signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (directory / keys["key"]).write_bytes(key)
            (directory / keys["chain"]).write_bytes(signer.chain[0].public_bytes(Encoding.PEM))
    return {**raw, "profile": "production", "base_url": "https://issuer.example", "allow_http_loopback": False}


def _authority_without_test_in_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support import pki  # noqa: PLC0415

    real = pki._ca_spec
    monkeypatch.setattr(pki, "_ca_spec", lambda name: _renamed(real(name)))


def _renamed(spec: Any) -> Any:
    from dataclasses import replace  # noqa: PLC0415

    return replace(spec, subject={**spec.subject, "O": "Authority"})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_set(), None),
        (_set(base_url="http://localhost:1", allow_http_loopback=True), "https"),
        (_set(base_url="https://localhost:1"), "loopback"),
        (_set(allow_http_loopback=True), "allow_http_loopback"),
        (_set(listen={"host": "0.0.0.0", "port": 1}), "wildcard"),
        (_set(listen={"host": "::", "port": 1}), "wildcard"),
        (_set(status_ttl_seconds=1), "status_ttl_seconds"),
        (_set(time_rounding_seconds=1), "time_rounding_seconds"),
        (_institution(api_token_sha256=sha256(b"changeme").hexdigest()), "default token"),
        (_high(), None),
        (_set(trust={**TRUST, "refresh_seconds": 2}), "trust.refresh_seconds"),
        (_sign_in(client_secret="changeme"), "sign_in.client_secret"),
        (_sign_in(client_secret="short"), "sign_in.client_secret"),
    ],
)
def test_production_refuses_what_belongs_to_a_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change, sentence: str | None
) -> None:
    """SECURITY O-19: start refused, reason named."""
    _authority_without_test_in_its_name(monkeypatch)
    raw = _production(tmp_path)
    change(raw)
    if sentence is None:
        assert parse(raw, base=tmp_path).profile == "production"
        return
    with pytest.raises(SettingsError) as caught:
        parse(raw, base=tmp_path)
    assert "production" in str(caught.value)
    assert sentence in str(caught.value)


def test_production_refuses_test_certificates(raw: dict[str, Any], tmp_path: Path) -> None:
    """SECURITY O-19: demo keys."""
    with pytest.raises(SettingsError, match="test certificate"):
        parse({**raw, "profile": "production", "allow_http_loopback": False}, base=tmp_path)


def test_the_process_says_why_it_does_not_start(
    raw: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "issuer.json"
    path.write_text(json.dumps({**raw, "profile": "production"}))
    monkeypatch.setattr("sys.argv", ["issuer", "--settings", str(path)])
    assert __main__.main() == 3
    assert "production" in capsys.readouterr().err


def test_a_key_signs_for_its_own_use_only(tmp_path: Path) -> None:
    """SECURITY O-12."""
    institution = world.build(tmp_path).settings.institutions["fr-urssaf"]
    assert institution.signer_for("dc+sd-jwt") is institution.signers[KeyUse.SEAL]
    assert institution.signer_for("mso_mdoc") is institution.signers[KeyUse.DOCUMENT_SIGNER]
    with pytest.raises(Refused, match="key_use"):
        institution.signer_for("statuslist+jwt")


def test_every_member_is_described_where_operators_look() -> None:
    described = (Path(__file__).parents[3] / "docs" / "issuer-settings.md").read_text(encoding="utf-8")
    members = {*settings_module._File.model_fields, *InstitutionWire.model_fields}
    assert [name for name in sorted(members) if f"`{name}`" not in described] == []
