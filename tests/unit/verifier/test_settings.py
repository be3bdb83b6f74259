"""Settings: one file, checked as a whole; production refuses what only a demonstration may have (SECURITY O-19)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support import pki
from vc.encoding import json
from vc.keys.signer import LocalSigner
from verifier.settings import SettingsError, load, parse


def write_access(folder: Path, signer: LocalSigner) -> dict[str, str]:
    """Key and chain as PEM files in `folder`; gives the settings member."""
    (folder / "access.key").write_bytes(signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "access.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in signer.chain))
    return {"key": "access.key", "chain": "access.pem"}


def values(folder: Path, signer: LocalSigner | None = None, **changes: Any) -> dict[str, Any]:
    """A good demo settings value with changes."""
    signer = signer or pki.root().leaf(dns_names=("localhost",))
    return {
        "profile": "demo",
        "base_url": "http://localhost:8080",
        "listen": {"host": "127.0.0.1", "port": 8080, "tls": None},
        "database": "sqlite:///verifier.db",
        "name": "Test verifier",
        "allow_http_loopback": True,
        "client_id_prefix": "x509_hash",
        "access": write_access(folder, signer),
        "trust": {"root": "root.json", "state": "trust", "refresh_seconds": 2},
        "tls_ca": None,
        "status_min_ttl_seconds": 1,
        **changes,
    }


def production(folder: Path, signer: LocalSigner | None = None, **changes: Any) -> dict[str, Any]:
    """A good production value with changes."""
    subject = {"C": "FR", "O": "Inspection du travail", "CN": "Verifier"}
    authority = pki.root("Access authority", subject={"C": "FR", "O": "Access authority", "CN": "Root"})
    signer = signer or authority.leaf(subject=subject, dns_names=("verifier.example",))
    good = {
        "profile": "production",
        "base_url": "https://verifier.example",
        "allow_http_loopback": False,
        "trust": {"root": "root.json", "state": "trust", "refresh_seconds": 3600},
        "status_min_ttl_seconds": 60,
        "api_token_sha256": "0" * 64,
    }
    return values(folder, signer, **{**good, **changes})


def test_a_file_is_read_with_paths_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "verifier.json").write_bytes(json.dumps(values(tmp_path)))

    settings = load(tmp_path / "verifier.json")

    assert settings.trust_root == tmp_path / "root.json"
    assert settings.trust_state == tmp_path / "trust"
    assert settings.database == f"sqlite:///{tmp_path}/verifier.db"
    assert (settings.host, settings.port, settings.tls) == ("127.0.0.1", 8080, None)
    assert settings.access.chain[0].public_key() == settings.access.public_key
    assert settings.request_lifetime_seconds == 300


def test_a_good_production_value_is_accepted(tmp_path: Path) -> None:
    assert parse(production(tmp_path), base=tmp_path).profile == "production"


DEMO_VALUES: dict[str, dict[str, Any]] = {
    "base_url": {"base_url": "http://verifier.example"},
    "base_url: a loopback": {"base_url": "https://localhost"},
    "allow_http_loopback": {"allow_http_loopback": True},
    "api_token_sha256": {"api_token_sha256": None},
    "trust.refresh_seconds": {"trust": {"root": "r", "state": "s", "refresh_seconds": 2}},
    "status_min_ttl_seconds": {"status_min_ttl_seconds": 1},
    "listen.host": {"listen": {"host": "0.0.0.0", "port": 443, "tls": None}},
}


@pytest.mark.parametrize("named", DEMO_VALUES)
def test_production_refuses_demo_values_and_names_them(tmp_path: Path, named: str) -> None:
    with pytest.raises(SettingsError, match=f"production refuses setting {named}"):
        parse(production(tmp_path, **DEMO_VALUES[named]), base=tmp_path)


def test_production_refuses_a_test_certificate(tmp_path: Path) -> None:
    signer = pki.root("Test root").leaf(subject={"C": "FR", "O": "Inspection", "CN": "Verifier"}, dns_names=("verifier.example",))

    with pytest.raises(SettingsError, match="access: the certificate is marked as a test certificate"):
        parse(production(tmp_path, signer), base=tmp_path)


BAD_VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown member": ({"bse_url": "x"}, "bse_url"),
    "unknown profile": ({"profile": "debug"}, "profile"),
    "base_url with query": ({"base_url": "https://a.example?x=1"}, "base_url"),
    "base_url with slash": ({"base_url": "https://a.example/"}, "base_url"),
    "base_url of another scheme": ({"base_url": "ftp://a.example"}, "base_url"),
    "no database file": ({"database": "sqlite://"}, "database"),
    "another database": ({"database": "mysql://x/y"}, "database"),
    "not a database": ({"database": "verifier.db"}, "database"),
    "port as text": ({"listen": {"host": "x", "port": "80"}}, "listen.port"),
    "missing key": ({"access": {"key": "nowhere", "chain": "access.pem"}}, "access"),
    "key is not PEM": ({"access": {"key": "access.pem", "chain": "access.pem"}}, "access"),
    "unknown prefix": ({"client_id_prefix": "redirect_uri"}, "client_id_prefix"),
    "too long a life": ({"request_lifetime_seconds": 90000}, "request_lifetime_seconds"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_a_bad_value_stops_the_start_and_is_named(tmp_path: Path, case: str) -> None:
    changes, named = BAD_VALUES[case]
    good = values(tmp_path)

    with pytest.raises(SettingsError, match=named):
        parse({**good, **changes}, base=tmp_path)


def test_the_san_prefix_needs_the_name_in_the_certificate(tmp_path: Path) -> None:
    """VP-CID-2."""
    signer = pki.root().leaf(dns_names=("other.example",))

    with pytest.raises(SettingsError, match="client_id_prefix"):
        parse(values(tmp_path, signer, client_id_prefix="x509_san_dns"), base=tmp_path)


def test_the_chain_must_be_that_of_the_key(tmp_path: Path) -> None:
    good = values(tmp_path)
    other = pki.root().leaf()
    (tmp_path / "access.pem").write_bytes(other.chain[0].public_bytes(Encoding.PEM))

    with pytest.raises(SettingsError, match="not that of the key"):
        parse(good, base=tmp_path)


def test_a_self_signed_access_certificate_is_refused(tmp_path: Path) -> None:
    """HAIP-VP-2."""
    authority = pki.root()
    signer = LocalSigner(authority.key, (authority.certificate,))

    with pytest.raises(SettingsError, match="self-signed"):
        parse(values(tmp_path, signer), base=tmp_path)


def test_the_anchor_is_refused_inside_the_chain(tmp_path: Path) -> None:
    authority = pki.root()
    leaf = authority.leaf(not_after=pki.NOW + timedelta(days=9))
    signer = LocalSigner(leaf.private_key, (*leaf.chain, authority.certificate))

    with pytest.raises(SettingsError, match="self-signed"):
        parse(values(tmp_path, signer), base=tmp_path)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "nothing.json")


# --- the member openid_provider


def provider(folder: Path, key: ec.EllipticCurvePrivateKey | None = None, **client: Any) -> dict[str, Any]:
    """A good member with one client, changed."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    (folder / "openid.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    good = {
        "client_id": "issuer",
        "client_secret_sha256": "0" * 64,
        "redirect_uris": ["https://issuer.example/callback"],
        "claims": ["family_name"],
    }
    return {"key": "openid.key", "clients": [{**good, **client}]}


def test_a_provider_knows_its_clients(tmp_path: Path) -> None:
    made = parse(values(tmp_path, openid_provider=provider(tmp_path, redirect_uris=["http://localhost:1/x"])), base=tmp_path)

    assert made.openid_provider is not None
    client = made.openid_provider.clients["issuer"]
    assert (client.name, client.redirect_uris, client.claims) == ("issuer", ("http://localhost:1/x",), ("family_name",))
    assert made.openid_provider.acr is None
    assert parse(values(tmp_path), base=tmp_path).openid_provider is None


@pytest.mark.parametrize(
    ("client", "named"),
    [
        ({"redirect_uris": ["http://issuer.example/callback"]}, "redirect_uris"),
        ({"redirect_uris": ["https://issuer.example/callback#x"]}, "redirect_uris"),
        ({"redirect_uris": ["/callback"]}, "redirect_uris"),
        ({"redirect_uris": ["com.example.app:/callback"]}, "redirect_uris: https is required"),
        ({"redirect_uris": ["https://issuer.example/callback?state=x"]}, "redirect_uris"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"claims": ["email"]}, "claims"),
        ({"claims": ["family_name", "family_name"]}, "claims: a claim occurs twice"),
        ({"claims": []}, "claims"),
        ({"client_secret_sha256": "secret"}, "client_secret_sha256"),
        ({"client_id": "with blank"}, "client_id"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_a_bad_client_stops_the_start(tmp_path: Path, client: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        parse(values(tmp_path, openid_provider=provider(tmp_path, **client)), base=tmp_path)

    assert "openid_provider.clients.0" in str(caught.value)


def test_a_client_is_registered_once(tmp_path: Path) -> None:
    member = provider(tmp_path)
    with pytest.raises(SettingsError, match=r"clients\.1\.client_id: registered twice"):
        parse(values(tmp_path, openid_provider={**member, "clients": member["clients"] * 2}), base=tmp_path)


def test_the_key_of_a_provider_is_on_p256(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"openid_provider.key: not a key on P-256"):
        parse(values(tmp_path, openid_provider=provider(tmp_path, ec.generate_private_key(ec.SECP384R1()))), base=tmp_path)
    (tmp_path / "openid.key").unlink()
    with pytest.raises(SettingsError, match=r"openid_provider.key"):
        parse(values(tmp_path, openid_provider={**provider(tmp_path), "key": "absent.key"}), base=tmp_path)


def test_production_wants_https_of_clients_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="https is required"):
        parse(production(tmp_path, openid_provider=provider(tmp_path, redirect_uris=["http://localhost/x"])), base=tmp_path)
