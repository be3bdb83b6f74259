"""The worked examples of TRUST 9: made by other code than ours, stage by stage."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from trust_list import findings, model
from trust_list.accept import accept
from trust_list.decide import Outcome, TrustQuery, evaluate
from trust_list.profiles import profile
from trust_list.root import RootList, TrustRoot
from trust_list.snapshot import listing, snapshot
from vc.encoding import json
from vc.errors import VerificationFailed
from vc.x509 import qc
from vc.x509.certificate import sha256

FOLDER = Path(__file__).parent / "trust"
NOW = datetime(2026, 12, 2, tzinfo=UTC)
FIRST, SECOND = "example-pub-eaa-lote-seq1", "example-pub-eaa-lote-seq2-withdrawal"


def signer() -> x509.Certificate:
    return x509.load_pem_x509_certificate((FOLDER / "example-operator-signer.pem").read_bytes())


def root() -> TrustRoot:
    entry = RootList(
        id="pub-eaa",
        type=profile("pub-eaa").list_type,
        uri="https://trust.example/lists/pub-eaa.jws",
        signers=frozenset({sha256(signer())}),
        min_sequence=1,
        certificates={},
    )
    return TrustRoot(version=1, expires=NOW + timedelta(days=100), lists=(entry,))


@pytest.mark.parametrize(("name", "sequence"), [(FIRST, 1), (SECOND, 2)])
def test_the_examples_are_accepted(name: str, sequence: int) -> None:
    accepted = accept("pub-eaa", (FOLDER / f"{name}.jws").read_bytes(), root=root(), state=None, now=NOW)
    assert (accepted.sequence, accepted.findings, accepted.notes) == (sequence, (), ())
    assert accepted.signer == signer()
    assert accepted.signed_at == accepted.issued_at


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_the_examples_come_back_unchanged(name: str) -> None:
    written = (FOLDER / f"{name}.json").read_bytes()
    lote = model.parse(written)
    assert json.loads(model.render(lote)) == json.loads(written)
    assert findings.check(lote, profile("pub-eaa"), signer=signer()) == ()
    assert accept("pub-eaa", (FOLDER / f"{name}.jws").read_bytes(), root=root(), state=None, now=NOW).lote == lote


def test_the_first_after_the_second_is_a_rollback() -> None:
    second = accept("pub-eaa", (FOLDER / f"{SECOND}.jws").read_bytes(), root=root(), state=None, now=NOW)
    with pytest.raises(VerificationFailed) as caught:
        accept("pub-eaa", (FOLDER / f"{FIRST}.jws").read_bytes(), root=root(), state=second.state, now=NOW)
    assert caught.value.code == "sequence_rollback"


@pytest.mark.parametrize(
    ("name", "entity", "vct", "country", "outcome"),
    [
        (FIRST, 0, "urn:eudi:pda1:1", "FR", Outcome.TRUSTED),
        (FIRST, 0, "urn:eudi:ehic:1", "FR", Outcome.OUT_OF_SCOPE),
        (FIRST, 1, "urn:eu.europa.ec.eudi:ehic:1", "FR", Outcome.TRUSTED),
        (FIRST, 1, "urn:eudi:pda1:1", "FR", Outcome.OUT_OF_SCOPE),
        (FIRST, 2, "urn:eudi:pda1:1", "SE", Outcome.TRUSTED),
        (FIRST, 2, "urn:eudi:pda1:1", "FR", Outcome.OUT_OF_SCOPE),
        (SECOND, 0, "urn:eudi:pda1:1", "FR", Outcome.TRUSTED),
        (SECOND, 2, "urn:eudi:pda1:1", "SE", Outcome.WITHDRAWN),
    ],
)
def test_decisions_on_the_examples(name: str, entity: int, vct: str, country: str, outcome: Outcome) -> None:
    accepted = accept("pub-eaa", (FOLDER / f"{name}.jws").read_bytes(), root=root(), state=None, now=NOW)
    leaf = accepted.lote.entities[entity].TrustedEntityServices[0].ServiceInformation.ServiceDigitalIdentity.certificates[0]
    query = TrustQuery(
        list_id="pub-eaa",
        role="issuance",
        format="dc+sd-jwt",
        type_id=vct,
        attestation_type="pda1" if "pda1" in vct else "ehic",
        chain=(leaf,),
        issuing_country=country,
        t_issue=NOW - timedelta(days=3),
        t_now=NOW,
    )
    assert evaluate(query, snapshot({"pub-eaa": listing(accepted, checked_at=NOW)}, root())).outcome is outcome


def test_the_certificates_state_their_legislation() -> None:
    first = model.parse((FOLDER / f"{FIRST}.json").read_bytes()).entities[0].TrustedEntityServices[0]
    certificate = first.ServiceInformation.ServiceDigitalIdentity.certificates[0]
    statement = qc.public_sector_body(certificate)
    assert statement == qc.QcPsb(
        country="FR", authentic_source="urn:example:authentic-source:fr:urssaf:pda1", legislation="CSS art. L.225-1-1"
    )
    written = qc.extension(statement, qualified=True)
    assert certificate.extensions.get_extension_for_oid(qc.QC_STATEMENTS).value == written
