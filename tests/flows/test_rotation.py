"""Rotation drills (TRUST 7.2 rule 10), with certificates of `portadoc pki`, over the publisher's door: at every step a verifier
believes what it should and nothing else. The drill of the root itself is in `test_trust_list.py`.

Every drill has three steps: the new key is announced, both are in use, the old one is taken away.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from starlette.testclient import TestClient

from edge.outbound import FetchLimits, Outbound
from pki.home import Home, pem_of_key
from pki.issue import Details
from tests.flows.test_trust_list import HOST, PretendInternet
from tests.support.pki import NOW, new_key
from tests.support.trust import PDA1
from trust_list import authoring, root_authoring, root_chain
from trust_list.app import create_app
from trust_list.authoring import TEST_OPERATOR, EntityDraft, ServiceDraft
from trust_list.client import TrustClient
from trust_list.decide import Outcome, TrustDecision, TrustQuery, evaluate
from trust_list.revocation import RevocationLists, Standing
from trust_list.root import TrustRoot
from trust_list.snapshot import TrustSnapshot
from trust_list.status_memory import ShortMemory
from vc.keys.signer import LocalSigner
from vc.x509.certificate import sha256, ski
from vc.x509.crl import Reason
from vc.x509.qc import QcPsb

DAY = timedelta(days=1)
NAME, NUMBER = "Urssaf-like (test)", "NTRFR-000000010"
BODY = {"C": "FR", "O": NAME, "organizationIdentifier": NUMBER, "CN": "Urssaf-like (test)"}
IACA = {"C": "FR", "O": NAME, "organizationIdentifier": NUMBER, "CN": "IACA of Urssaf-like (test)"}
SEALED = Details(psb=QcPsb(country="FR", authentic_source=NUMBER, legislation="OJ:FR-TEST-1"))
MDOC: dict[str, Any] = {"format": "mso_mdoc", "type_id": "eu.europa.ec.eudi.pda1.1"}
STATUS: dict[str, Any] = {"role": "revocation", "entity_id": NUMBER}


class Drill:
    """A PKI, an institution on a list, a publisher whose root has keys, and a verifier that follows it."""

    def __init__(self, folder: Path) -> None:
        self.now, self.home = NOW, folder / "trust-list"
        self.pki = Home.create(folder / "pki", repository="http://ca.test")
        for slug, kind, subject in (
            ("seal-ca", "seal", {"C": "FR", "CN": "Seal CA (test)"}),
            ("status-ca", "status", {"C": "FR", "CN": "Status CA (test)"}),
            ("list-ca", "list", {"C": "BE", "CN": "List CA (test)"}),
            ("iaca", "iaca", IACA),
        ):
            self.pki.add_authority(slug, kind, subject, now=self.now)
        self.seal, self.document_signer, self.status = self.new_seal(), self.new_document_signer("iaca"), self.new_status()
        self.home.mkdir()
        authoring.init(self.home, base_url=HOST, now=self.now)
        services = (
            ServiceDraft(role="issuance", certificates=self.seal.chain, authorisations=(PDA1,)),
            ServiceDraft(role="issuance", certificates=self.document_signer.chain, authorisations=(PDA1,)),
            ServiceDraft(role="revocation", certificates=self.status.chain),
        )
        entity = EntityDraft(name=NAME, country="FR", registration_id=NUMBER, law="OJ:FR-TEST-1", services=services)
        authoring.add_entities(self.home, "pub-eaa", [entity], now=self.now)
        for list_id in ("pub-eaa", "pid", "wallet"):
            authoring.publish(self.home, list_id, now=self.now)
        self.holder = LocalSigner(new_key())
        self.new_root()
        installed = folder / "installed.json"
        installed.write_bytes((self.home / "trust-root.json").read_bytes())
        outbound = Outbound(FetchLimits(), transport=PretendInternet(TestClient(create_app(folder), base_url=HOST)))
        self.verifier = TrustClient(installed, folder / "verifier", outbound, lambda: self.now, 2)

    def new_seal(self) -> LocalSigner:
        return self.pki.issue("seal-ca", "seal", BODY, now=self.now, details=SEALED)

    def new_document_signer(self, iaca: str) -> LocalSigner:
        return self.pki.issue(iaca, "document-signer", BODY, now=self.now)

    def new_status(self) -> LocalSigner:
        return self.pki.issue("status-ca", "status", BODY, now=self.now)

    def new_list_signer(self) -> LocalSigner:
        subject = {"C": "EU", "O": TEST_OPERATOR, "CN": "List signer 2 (test)"}
        return self.pki.issue("list-ca", "list-signer", subject, now=self.now)

    def add(self, signer: LocalSigner, role: Any = "issuance") -> None:
        authorisations = (PDA1,) if role == "issuance" else ()
        service = ServiceDraft(role=role, certificates=signer.chain, authorisations=authorisations)
        authoring.add_service(self.home, "pub-eaa", NUMBER, service, now=self.now)

    def take_away(self, signer: LocalSigner, reason: str = "rotation") -> None:
        authoring.withdraw(self.home, "pub-eaa", NUMBER, reason=reason, now=self.now, key=ski(signer.chain[0]))

    def new_root(self, *pinned: LocalSigner) -> TrustRoot:
        """The next root: it pins `pinned`, or the operator's present key alone."""
        made = root_authoring.draft(self.home, [self.holder.public_key], threshold=1, now=self.now)
        if pinned:
            certificates = {sha256(one.chain[0]): one.chain[0] for one in pinned}
            lists = tuple(replace(one, signers=frozenset(certificates), certificates=certificates) for one in made.lists)
            made = replace(made, lists=lists)
        return root_authoring.publish(self.home, root_chain.sign(made, [self.holder]))

    def operator(self) -> LocalSigner:
        """Who seals the lists at present."""
        key = load_pem_private_key((self.home / "operator.key.pem").read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return LocalSigner(key, tuple(load_pem_x509_certificates((self.home / "operator.cert.pem").read_bytes())))

    def seal_with(self, signer: LocalSigner) -> None:
        """The operator takes another key in use: its two files in the publisher's directory."""
        (self.home / "operator.key.pem").write_bytes(pem_of_key(signer.private_key))
        (self.home / "operator.cert.pem").write_bytes(signer.chain[0].public_bytes(Encoding.PEM))

    def known(self) -> TrustSnapshot:
        return self.verifier.refresh(force=True)

    def judge(
        self, signer: LocalSigner, *, issued: datetime | None = None, more: Sequence[Any] = (), **changes: Any
    ) -> TrustDecision:
        members: dict[str, Any] = {
            "list_id": "pub-eaa", "role": "issuance", "format": "dc+sd-jwt", "type_id": "urn:eudi:pda1:1",
            "attestation_type": "pda1", "chain": (*signer.chain, *more), "issuing_country": "FR",
            "t_issue": issued or self.now, "t_now": self.now,
        }  # fmt: skip
        return evaluate(TrustQuery(**{**members, **changes}), self.known())

    def edition(self) -> int:
        accepted = self.known().lists["pub-eaa"].accepted
        assert accepted is not None
        return accepted.sequence

    def alarm(self) -> str | None:
        event = self.known().lists["pub-eaa"].alarm
        return None if event is None else event.code


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    return Drill(tmp_path)


# --- the key that seals the list


def test_list_key(drill: Drill) -> None:
    old, new = drill.operator(), drill.new_list_signer()
    assert drill.judge(drill.seal).outcome is Outcome.TRUSTED

    drill.new_root(old, new)  # announced: two signers are pinned, the old one still seals
    drill.now += DAY
    authoring.publish(drill.home, "pub-eaa", now=drill.now)
    assert (drill.alarm(), drill.edition()) == (None, 2)

    drill.seal_with(new)  # in use
    drill.now += DAY
    authoring.publish(drill.home, "pub-eaa", now=drill.now)
    assert (drill.alarm(), drill.edition()) == (None, 3)
    assert drill.judge(drill.seal).outcome is Outcome.TRUSTED

    drill.new_root()  # the old one is taken away
    assert (drill.alarm(), drill.edition()) == (None, 3)
    drill.seal_with(old)
    drill.now += DAY
    authoring.publish(drill.home, "pub-eaa", now=drill.now)
    assert drill.alarm() is not None, "whoever has the old key must not get a list accepted"
    assert drill.edition() == 3
    assert drill.judge(drill.seal).outcome is Outcome.TRUSTED, "the list in force stays in force"


def test_a_list_key_that_was_not_announced_is_an_alarm_and_no_outage_of_trust(drill: Drill) -> None:
    assert drill.edition() == 1
    drill.seal_with(drill.new_list_signer())
    drill.now += DAY / 2
    authoring.publish(drill.home, "pub-eaa", now=drill.now)
    assert drill.alarm() is not None
    assert drill.edition() == 1
    drill.new_root()
    assert (drill.alarm(), drill.edition()) == (None, 2)


# --- the keys of an institution


@pytest.mark.parametrize("what", ["seal", "document_signer"])
def test_issuing_key(drill: Drill, what: str) -> None:
    form = MDOC if what == "document_signer" else {}
    old: LocalSigner = getattr(drill, what)
    signed_by_old = drill.now
    new = drill.new_seal() if what == "seal" else drill.new_document_signer("iaca")
    assert drill.judge(old, **form).outcome is Outcome.TRUSTED
    assert drill.judge(new, **form).outcome is Outcome.UNKNOWN_ISSUER, "a key is used only after it is listed"

    drill.now += DAY
    drill.add(new)  # announced
    assert drill.judge(new, **form).outcome is Outcome.TRUSTED
    assert drill.judge(new, issued=signed_by_old, **form).outcome is not Outcome.TRUSTED, "it signed nothing before that"
    drill.now += DAY  # both in use
    assert drill.judge(old, issued=signed_by_old, **form).outcome is Outcome.TRUSTED
    assert drill.judge(new, **form).outcome is Outcome.TRUSTED

    drill.take_away(old)
    drill.now += DAY
    assert drill.judge(new, **form).outcome is Outcome.TRUSTED
    assert drill.judge(old, **form).outcome is Outcome.WITHDRAWN
    past = drill.judge(old, issued=signed_by_old, mode="historical", **form)
    assert past.outcome is Outcome.TRUSTED_AT_ISSUANCE, "what it signed in its time stands, when history is asked"


@pytest.mark.parametrize(("reason", "stands"), [(Reason.SUPERSEDED, True), (Reason.KEY_COMPROMISE, False)])
def test_the_authority_says_the_same_of_the_old_certificate(drill: Drill, reason: Reason, stands: bool) -> None:
    """Beside the list: an orderly end leaves what was signed before, a stolen key leaves nothing."""
    leaf, signed = drill.seal.chain[0], drill.now
    drill.now += DAY
    drill.pki.revoke("seal-ca", leaf.serial_number, reason, now=drill.now)
    lists = RevocationLists(None, ShortMemory())
    lists.keep("http://ca.test/seal-ca.crl", (drill.pki.repository / "seal-ca.crl").read_bytes(), fetched_at=drill.now)
    issuers = (drill.pki.authority("seal-ca").certificate,)
    before = lists.check(leaf, issuers, signed_at=signed, now=drill.now)
    after = lists.check(leaf, issuers, signed_at=drill.now, now=drill.now)
    assert (before.clear, after.standing) == (stands, Standing.REVOKED)


def test_status_key(drill: Drill) -> None:
    old, new = drill.status, drill.new_status()
    assert drill.judge(old, **STATUS).outcome is Outcome.TRUSTED
    assert drill.judge(new, **STATUS).outcome is Outcome.UNKNOWN_ISSUER
    drill.now += DAY
    drill.add(new, "revocation")
    assert [drill.judge(one, **STATUS).outcome for one in (old, new)] == [Outcome.TRUSTED, Outcome.TRUSTED]
    assert drill.judge(new).outcome is not Outcome.TRUSTED, "a key for status lists issues nothing"
    drill.now += DAY
    drill.take_away(old)
    drill.now += DAY
    assert [drill.judge(one, **STATUS).outcome for one in (old, new)] == [Outcome.WITHDRAWN, Outcome.TRUSTED]


# --- the root of document signers


def test_the_root_of_document_signers(drill: Drill) -> None:
    """The root itself is listed: a new signer below it needs no edition, a new root is believed through its link at once, and by
    its own entry once it is listed."""
    old_root = drill.pki.authority("iaca")
    drill.now += DAY
    drill.add(LocalSigner(old_root.key, (old_root.certificate,)))
    drill.now += DAY
    assert drill.judge(drill.new_document_signer("iaca"), **MDOC).outcome is Outcome.TRUSTED

    drill.pki.add_authority("iaca-2", "iaca", IACA, now=drill.now)
    fresh = drill.new_document_signer("iaca-2")
    drill.now += DAY
    assert drill.judge(fresh, **MDOC).outcome is Outcome.UNKNOWN_ISSUER
    link = drill.pki.link("iaca", "iaca-2")
    assert drill.judge(fresh, more=(link,), **MDOC).outcome is Outcome.TRUSTED

    new_root = drill.pki.authority("iaca-2")
    drill.add(LocalSigner(new_root.key, (new_root.certificate,)))
    drill.now += DAY
    assert drill.judge(fresh, **MDOC).outcome is Outcome.TRUSTED
    drill.take_away(LocalSigner(old_root.key, (old_root.certificate,)))
    drill.now += DAY
    assert drill.judge(fresh, **MDOC).outcome is Outcome.TRUSTED
    assert drill.judge(drill.new_document_signer("iaca"), **MDOC).outcome is Outcome.WITHDRAWN
