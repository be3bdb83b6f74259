"""An issuer deployment for tests: two French institutions and a PID provider, real keys, a database file, a settable clock."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from edge.outbound import Outbound
from issuer import migrations, serving
from issuer.app import create_app
from issuer.service import Service
from issuer.settings import Settings, parse
from issuer.sign_in.provider import Providers
from issuer.store import connect
from tests.support.pki import NOW, Authority, new_key, root
from vc.keys.signer import LocalSigner
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER, STATUS_SIGNING

BASE_URL = "https://issuer.test"
INSTITUTIONS: dict[str, dict[str, Any]] = {
    "fr-urssaf": {"name": "Urssaf (test)", "types": ["pda1"], "registration_id": "NTRFR-TEST1"},
    "fr-cnam": {"name": "CNAM (test)", "types": ["ehic"], "registration_id": "NTRFR-TEST2"},
    "test-pid": {"name": "PID provider (test)", "types": ["pid"], "registration_id": "NTRFR-TEST3"},
}
_USES: dict[str, dict[str, Any]] = {
    "seal": {"usages": ("content_commitment", "digital_signature")},
    "document_signer": {"eku": (MDOC_DOCUMENT_SIGNER,)},
    "status": {"eku": (STATUS_SIGNING,)},
}


def token_of(institution: str) -> str:
    """The API token of a test institution."""
    return f"api-token-of-{institution}"


@dataclass
class TestClock:
    """Gives the time it was told."""

    __test__ = False
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@dataclass
class Deployment:
    """One deployment: `raw` is its settings file, `authority` issued its certificates; `worker()` starts one more process.

    `outbound`: what it reaches the (pretend) internet by; None for one that asks nobody.
    """

    directory: Path
    raw: dict[str, Any]
    authority: Authority
    signers: dict[str, dict[str, LocalSigner]]
    clock: TestClock
    settings: Settings
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    outbound: Outbound | None = None
    engines: list[Engine] = field(default_factory=list)

    def service(self) -> Service:
        """What one worker is handed: its own connections to the common database."""
        engine = connect(self.settings.database)
        self.engines.append(engine)
        migrations.upgrade(engine)
        service = Service(settings=self.settings, engine=engine, clock=self.clock, random_bytes=self.random_bytes)
        if self.outbound is None:
            return service
        return replace(
            service,
            wallet_trust=serving.wallet_trust(self.settings, self.outbound, self.clock),
            providers=Providers(self.outbound, clock=self.clock, allow_http_loopback=True),
        )

    def worker(self, service: Service | None = None) -> ASGIApp:
        """One application instance."""
        return create_app(service or self.service())

    def credential_issuer(self, institution: str) -> str:
        """The credential issuer identifier."""
        return f"{BASE_URL}/{institution}"

    def close(self) -> None:
        """Give the database file back."""
        for engine in self.engines:
            engine.dispose()


def build(
    directory: Path,
    *,
    base_url: str = BASE_URL,
    institutions: Mapping[str, dict[str, Any]] = INSTITUTIONS,
    around: datetime = NOW,
    clock: TestClock | None = None,
    outbound: Outbound | None = None,
    access: bool = False,
    encryption: bool = False,
    **changes: Any,
) -> Deployment:
    """A deployment in `directory`; `changes` are members of the settings file. An institution is French unless it says so.

    `around`: the time around which certificates are valid and at which the clock begins. `access`: institutions have access
    certificates, and so signed metadata. `encryption`: they have a key requests can be encrypted to.
    """
    authority, entries = root("Test issuing CA"), []
    signers: dict[str, dict[str, LocalSigner]] = {}
    for name, facts in institutions.items():
        keys: dict[str, Any] = {}
        signers[name] = {}
        for use, options in {**_USES, **({"access": {}} if access else {})}.items():
            subject = {
                "C": "FR",
                "O": facts["name"],
                "organizationIdentifier": facts["registration_id"],
                "CN": f"{facts['name']} {use}",
            }
            span: dict[str, Any] = {"not_before": around - timedelta(days=30), "not_after": around + timedelta(days=300)}
            signer = authority.leaf(subject=subject, **span, **options)
            signers[name][use] = signer
            keys[use] = _written(directory, f"{name}-{use}", signer)
        if encryption:
            keys["encryption"] = [{"key": _written(directory, f"{name}-encryption", LocalSigner(new_key()))["key"]}]
        digest = sha256(token_of(name).encode()).hexdigest()
        entries.append({"id": name, "country": "FR", "api_token_sha256": digest, "keys": keys, **facts})
    raw = {
        "profile": "demo",
        "base_url": base_url,
        "listen": {"host": "127.0.0.1", "port": 0, "tls": None},
        "database": "sqlite:///issuer.db",
        "allow_http_loopback": True,
        "institutions": entries,
        **changes,
    }
    return Deployment(
        directory=directory,
        raw=raw,
        authority=authority,
        signers=signers,
        clock=clock or TestClock(around),
        settings=parse(raw, base=directory),
        outbound=outbound,
    )


def _written(directory: Path, name: str, signer: LocalSigner) -> dict[str, str]:
    key, chain = directory / f"{name}.key.pem", directory / f"{name}.pem"
    key.write_bytes(signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    chain.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in signer.chain))
    return {"key": key.name, "chain": chain.name}


@contextmanager
def client_of(app: ASGIApp) -> Iterator[TestClient]:
    """A client that speaks to one application instance under its public name."""
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=True) as client:
        yield client


PDA1: dict[str, Any] = {
    "attestation_legal_category": "PuB-EAA",
    "personal_administrative_number": "2880469999999",
    "document_number": "FR-A1-2026-0000001",
    "issuing_authority": {"id": "FR:7500001", "name": "Urssaf Île-de-France (test)", "country": "FR"},
    "authentic_source": {"id": "FR:7500001", "name": "Urssaf Île-de-France (test)"},
    "date_of_issuance": "2026-08-20",
    "starting_date": "2026-09-01",
    "ending_date": "2027-02-28",
    "employer": [{"type": "01", "id": "SIRET99999999900011", "name": "Toitures Exemple SAS (fictive)", "country": "FR"}],
    "work_information": {
        "work_address": [
            {
                "formatted": "Baustelle Nord, Musterstraße 12, 70173 Stuttgart, Deutschland",
                "street_address": "Musterstraße",
                "house_number": "12",
                "postal_code": "70173",
                "locality": "Stuttgart",
                "country": "DE",
                "company_name": "Muster Bau GmbH (fiktiv)",
                "company_id": "HRB999999",
            }
        ]
    },
    "legislation_country": "FR",
    "status_confirmation": "01",
    "date_of_expiry": "2027-02-28",
    "transitional_rules": False,
}
EHIC: dict[str, Any] = {
    "attestation_legal_category": "PuB-EAA",
    "personal_administrative_number": "2950599999999",
    "document_number": "80250000019900000101",
    "issuing_authority": {"id": "FR:7500100", "name": "CNAM (test)"},
    "issuing_country": "FR",
    "authentic_source": {"id": "FR:33100", "name": "CPAM Gironde (test)"},
    "date_of_issuance": "2026-03-01",
    "date_of_expiry": "2028-02-29",
    "starting_date": "2026-03-01",
    "ending_date": "2028-02-29",
}
IDENTITY: dict[str, Any] = {
    "authentic_source_person_id": "FR-TEST-0001",
    "family_name": "MARTIN",
    "given_name": "Camille",
    "birth_date": "1988-04-17",
    "birth_place": "Lyon",
    "nationality": ["FR"],
    "sex": "2",
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "fr-urssaf": {"document_data": PDA1, "identity": IDENTITY},
    "fr-cnam": {"document_data": EHIC, "identity": IDENTITY},
    "test-pid": {"document_data": {}, "identity": IDENTITY},
}


def bearer(institution: str) -> dict[str, str]:
    """The Authorization header of an institution."""
    return {"authorization": f"Bearer {token_of(institution)}"}


def submit(client: TestClient, institution: str = "fr-urssaf", **changes: Any) -> str:
    """A document on record; its id."""
    answer = client.post("/api/v1/documents", json={**DOCUMENTS[institution], **changes}, headers=bearer(institution))
    assert answer.status_code == 201, answer.text
    document_id: str = answer.json()["document_id"]
    return document_id


def offer(client: TestClient, institution: str = "fr-urssaf", *, document_id: str | None = None, **wishes: Any) -> dict[str, Any]:
    """An offer of a (new) document, secrets included."""
    document_id = document_id or submit(client, institution)
    answer = client.post(f"/api/v1/documents/{document_id}/offers", json=wishes, headers=bearer(institution))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created
