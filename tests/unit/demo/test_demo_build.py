"""What the demo writes down is read by the services' own strict readers before any of them is started."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.testclient import TestClient

from demo.build import Addresses, build
from demo.state import State
from demo.world import HAIP_INSTITUTION, PID_PROVIDER, WalletProvider
from edge.outbound import FetchLimits, Outbound
from issuer import settings as issuer_settings
from issuer.entitlements import issued_by
from issuer.institutions import KeyUse
from issuer.wallet_trust import WalletTrust
from pki.repository import create_app as repository_app
from tests.support.internet import Internet
from tests.support.pki import NOW
from trust_list.app import create_app
from trust_list.client import TrustClient
from trust_list.status_lists import StatusLists
from trust_list.status_memory import ShortMemory
from vc.encoding import json
from vc.openid4vci import registration_certificate
from vc.x509.certificate import subject_value
from vc.x509.chain import find_path
from verifier import settings as verifier_settings
from wallet_sim import provider
from wallet_sim.registered import REGISTRAR

ADDRESSES = Addresses(tls=False, port_base=8400)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    root = tmp_path_factory.mktemp("demo")
    for folder in ("pki", "logs", "issuer", "verifier", "samples"):
        (root / folder).mkdir()
    made = State(root)
    build(made, ADDRESSES, now=NOW)
    return made


@pytest.fixture(scope="module")
def issuer(state: State) -> issuer_settings.Settings:
    return issuer_settings.load(state.root / "issuer.json")


@pytest.fixture(scope="module")
def verifier(state: State) -> verifier_settings.Settings:
    return verifier_settings.load(state.root / "verifier.json")


@pytest.fixture(scope="module")
def description(state: State) -> Mapping[str, Any]:
    return json.loads_object((state.root / "demo.json").read_bytes())


def test_both_profiles_are_there(issuer: issuer_settings.Settings) -> None:
    names = {name: institution.profile.name for name, institution in issuer.institutions.items()}
    assert [name for name, profile in names.items() if profile == "haip"] == [HAIP_INSTITUTION]
    assert len(names) == 34


def test_every_institution_signs_its_metadata_and_takes_encrypted_requests(issuer: issuer_settings.Settings) -> None:
    for institution in issuer.institutions.values():
        assert institution.profile.signed_metadata
        assert institution.profile.encryption is not None
        access = institution.signers[KeyUse.ACCESS].chain[0]
        assert subject_value(access, NameOID.ORGANIZATION_IDENTIFIER) == institution.registration_id


def test_every_institution_is_registered_for_what_it_issues(
    issuer: issuer_settings.Settings, description: Mapping[str, Any]
) -> None:
    """EAA-I-3, as the wallet checks it: registrar, organisation, entitlement, every type."""
    anchors = x509.load_pem_x509_certificates(Path(description["ca_files"]["registrar"]).read_bytes())

    def judge(chain: Sequence[x509.Certificate]) -> None:
        find_path(chain, anchors=anchors, at=NOW, rules=REGISTRAR)

    for institution in issuer.institutions.values():
        assert institution.registration_certificate is not None
        read = registration_certificate.verify(institution.registration_certificate, now=NOW, judge=judge)
        identifier = subject_value(institution.signers[KeyUse.ACCESS].chain[0], NameOID.ORGANIZATION_IDENTIFIER)
        for one in issued_by(institution.types):
            registration_certificate.check_issuer(read, organization_identifier=identifier, format=one.format, type_id=one.type_id)


def test_people_sign_in_with_the_pid_at_our_verifier(
    issuer: issuer_settings.Settings, verifier: verifier_settings.Settings, state: State
) -> None:
    """The secret of each is known to both, and the answer goes where the issuer expects it."""
    assert verifier.openid_provider is not None
    assert verifier.openid_provider.clients.keys() == issuer.institutions.keys() - {PID_PROVIDER}
    for name, client in verifier.openid_provider.clients.items():
        sign_in = issuer.institutions[name].sign_in
        assert sign_in is not None
        assert sign_in.issuer == verifier.base_url
        assert hashlib.sha256(sign_in.client_secret.encode()).hexdigest() == client.secret_sha256
        assert client.redirect_uris == (f"{issuer.base_url}/{name}/sign-in/callback",)
        assert set(sign_in.claims.values()) <= set(client.claims)
    assert issuer.institutions[PID_PROVIDER].sign_in is None


def test_the_wallet_provider_of_the_simulator_is_believed(
    state: State, issuer: issuer_settings.Settings, description: Mapping[str, Any], tmp_path: Path
) -> None:
    """EAA-I-8: it is on the list of wallet providers, and its status list says that nothing was withdrawn."""
    played = provider.read(description["wallet_provider"], base=state.root)
    assert played.status is not None
    internet = Internet()
    internet.client("localhost:8400", TestClient(create_app(state.root, clock=lambda: NOW), base_url="http://localhost:8400"))
    internet.client("localhost:8403", TestClient(repository_app(state.pki / "repository"), base_url="http://localhost:8403"))
    outbound = Outbound(FetchLimits(allow_loopback=True), transport=internet)
    assert issuer.trust is not None
    lists = TrustClient(issuer.trust.root, tmp_path / "trust", outbound, lambda: NOW, refresh_seconds=60)
    lists.refresh()
    statuses = StatusLists(outbound, ShortMemory(), min_ttl=timedelta(seconds=1))
    believed = WalletTrust(lists.snapshot, statuses, clock=lambda: NOW)
    found = believed.believe(played.signer.chain, [played.status], family="attestation", now=NOW)
    assert found.name == WalletProvider().name


def test_secrets_are_for_their_owner_only(state: State) -> None:
    for name in ("issuer.json", "verifier.json", "demo.json"):
        assert (state.root / name).stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in Path(state.pki).glob("*.key.pem"))
