"""Trust: one decision over a list of 2,000 entities, the memory of accepting a large list, and an offline bundle for Europe.

The institutions are synthetic. Each lists its own certification authority, so that a cold decision has a real path to check.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bench.material import NOW
from bench.raw import ES256
from trust_list import drafts, jades, model
from trust_list.accept import AcceptedList, AcceptedState, accept
from trust_list.authoring import Operator
from trust_list.bundle import scheme
from trust_list.bundle.applied import Device
from trust_list.bundle.contents import CarriedList, CarriedStatus, Contents, seal
from trust_list.decide import Outcome, TrustDecision, TrustQuery, evaluate
from trust_list.drafts import Authorisation, EntityDraft, ServiceDraft
from trust_list.profiles import profile
from trust_list.root import RootList, TrustRoot
from trust_list.snapshot import TrustSnapshot, listing, snapshot
from vc.keys.signer import LocalSigner
from vc.status.bits import StatusList
from vc.status.token import sign_jwt
from vc.x509.build import CertificateSpec, issue
from vc.x509.certificate import sha256

ENTITIES = 2_000
INSTITUTIONS, STATUS_ENTRIES, STATUS_SET = 60, 1_000_000, 10_000
LARGE_LIST = model.MAX_LIST
LIST_ID, URI = "pub-eaa", "https://lists.example/pub-eaa.jws"
PDA1 = Authorisation(attestation_type="pda1", formats=(("dc+sd-jwt", "urn:eudi:pda1:1"),))
_SPAN: dict[str, Any] = {"not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=400)}
_KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(4)]
"""Keys are costly and their number changes nothing that is measured here, but each institution's certificates are its own."""


@dataclass(frozen=True, slots=True)
class Body:
    """An institution: what it lists, and who signs for it."""

    draft: EntityDraft
    seal: LocalSigner
    status: LocalSigner


@cache
def operator() -> LocalSigner:
    subject = {"C": "EU", "O": "List operator (test)", "CN": "List signer (test)"}
    spec = CertificateSpec(subject=subject, **_SPAN)
    certificate = issue(spec, _KEYS[0].public_key(), signer=_KEYS[0], issuer=None, serial=x509.random_serial_number())
    return LocalSigner(_KEYS[0], (certificate,))


@cache
def root() -> TrustRoot:
    signer = operator().chain[0]
    entry = RootList(
        id=LIST_ID,
        type=profile(LIST_ID).list_type,
        uri=URI,
        signers=frozenset({sha256(signer)}),
        min_sequence=1,
        certificates={},
    )
    return TrustRoot(version=1, expires=NOW + timedelta(days=300), lists=(entry,))


def body(number: int) -> Body:
    """The institution of this number, with an authority of its own."""
    name, identifier = f"Institution {number} (synthetic)", f"NTRFR-{number:09}"
    subject = {"C": "FR", "O": name, "organizationIdentifier": identifier, "CN": name}
    ca_key = _KEYS[1]
    # The authorities' own signatures are made with keys that repeat, so each carries the number in its name.
    ca_spec = CertificateSpec(
        subject={**subject, "CN": f"{name} CA"}, ca=True, path_length=0, usages=("key_cert_sign", "crl_sign"), **_SPAN
    )
    ca = issue(ca_spec, ca_key.public_key(), signer=ca_key, issuer=None, serial=number + 1)
    leaves = []
    for key in _KEYS[2:]:
        spec = CertificateSpec(subject=subject, **_SPAN)
        leaf = issue(spec, key.public_key(), signer=ca_key, issuer=ca, serial=x509.random_serial_number())
        leaves.append(LocalSigner(key, (leaf,)))
    seal_signer, status_signer = leaves
    services = (
        ServiceDraft(role="issuance", certificates=(ca,), authorisations=(PDA1,)),
        ServiceDraft(role="revocation", certificates=status_signer.chain),
    )
    draft = EntityDraft(name=name, country="FR", registration_id=identifier, law="OJ:FR-TEST-1", services=services)
    return Body(draft, seal_signer, status_signer)


def lote(bodies: list[Body]) -> model.LoTE:
    rules = profile(LIST_ID)
    empty = drafts.empty_list(rules, Operator(name="List operator (test)"), signer=operator().chain[0], uri=URI, now=NOW)
    filled = drafts.add_entities(empty, rules, [one.draft for one in bodies], now=NOW)
    return drafts.next_edition(filled, None, sequence=1, now=NOW, next_update=NOW + timedelta(days=30))


@cache
def european() -> tuple[TrustSnapshot, TrustQuery]:
    """A snapshot of 2,000 entities, and a question about one in the middle."""
    bodies = [body(number) for number in range(ENTITIES)]
    made = lote(bodies)
    state = AcceptedState(uri=URI, type=root().lists[0].type, root_version=1, sequence=1, digest=b"-", issued_at=NOW, seen_at=NOW)
    accepted = AcceptedList(
        list_id=LIST_ID, lote=made, signer=operator().chain[0], signed_at=NOW, next_update=NOW + timedelta(days=30),
        state=state, findings=(), notes=(), jws=b"",
    )  # fmt: skip
    known = snapshot({LIST_ID: listing(accepted, checked_at=NOW)}, root())
    query = TrustQuery(
        list_id=LIST_ID, role="issuance", format="dc+sd-jwt", type_id="urn:eudi:pda1:1", attestation_type="pda1",
        chain=bodies[ENTITIES // 2].seal.chain, issuing_country="FR", t_issue=NOW, t_now=NOW,
    )  # fmt: skip
    assert evaluate(query, known).outcome is Outcome.TRUSTED
    return known, query


def decide_warm() -> Callable[[], TrustDecision]:
    """The chain was seen before."""
    known, query = european()
    return lambda: evaluate(query, known)


def decide_cold() -> Callable[[], TrustDecision]:
    """Nothing of the chain was seen before: its path is checked, its subject read."""
    known, query = european()
    anchors = known.lists[LIST_ID].anchors
    assert anchors is not None

    def work() -> TrustDecision:
        anchors._paths.clear()
        anchors._leaves.clear()
        return evaluate(query, known)

    return work


def verify_once() -> Callable[[], object]:
    """One raw ES256 verification: the unit."""
    key, message = _KEYS[0], b"m" * 512
    public, signature = key.public_key(), key.sign(message, ES256)
    return lambda: public.verify(signature, message, ES256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with a ceiling."""

    name: str
    value: float
    ceiling: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value < self.ceiling


def figures() -> list[Figure]:
    """Memory of accepting the largest list, in multiples of its octets; size of a bundle and the time to apply it."""
    octets, seconds = bundle_figures()
    return [
        Figure(name="accept-memory", value=accept_memory(), ceiling=10, unit="x list"),
        Figure(name="bundle-size", value=octets / 1e6, ceiling=3, unit="MB"),
        Figure(name="bundle-apply", value=seconds, ceiling=2, unit="s"),
    ]


def bundle() -> bytes:
    """60 institutions and a status list of a million entries of each, one per cent revoked at random places."""
    bodies = [body(number) for number in range(INSTITUTIONS)]
    random = np.random.default_rng(7)
    statuses = []
    for number, one in enumerate(bodies):
        uri = f"https://status.example/{number}"
        bits = StatusList.from_indices(STATUS_ENTRIES, 1, random.choice(STATUS_ENTRIES, STATUS_SET, replace=False))
        token = sign_jwt(bits, uri=uri, iat=NOW, exp=NOW + timedelta(days=7), ttl=300, signer=one.status)
        statuses.append(CarriedStatus(uri=uri, kind="jwt", token=token.encode(), fetched_at=NOW))
    sealed = jades.sign(model.render(lote(bodies)), operator(), at=NOW).encode()
    contents = Contents(
        sequence=1,
        created=NOW,
        not_after=NOW + timedelta(days=7),
        root=root().render(),
        lists=(CarriedList(id=LIST_ID, jws=sealed, checked_at=NOW),),
        statuses=tuple(statuses),
        schemes=scheme.own(),
    )
    return seal(contents, operator())


def bundle_figures() -> tuple[int, float]:
    """Octets, and seconds from the octets to what is in force: everything verified, the state on disk. The best of three."""
    made, spent = bundle(), []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            device = Device(Path(folder) / "device")
            device.provision(root().render(), operator().chain)
            begun = time.perf_counter()
            opened = device.apply(made, now=NOW)
            spent.append(time.perf_counter() - begun)
        assert len(opened.statuses) == INSTITUTIONS
    return len(made), min(spent)


def large_list() -> bytes:
    """A sealed list whose payload comes close to the largest that is read."""
    few = model.render(lote([body(number) for number in range(8)]))
    each = (len(few) - len(model.render(lote([body(0)])))) / 7
    return jades.sign(model.render(lote([body(n) for n in range(int(LARGE_LIST * 0.98 / each))])), operator(), at=NOW).encode()


def accept_memory() -> float:
    """Peak memory that accepting a list adds, in multiples of the octets received: measured in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "list.jws").write_bytes(large_list())
        (Path(folder) / "root.json").write_bytes(root().render())
        told = subprocess.run([sys.executable, "-m", "bench.trust", folder], capture_output=True, text=True, check=True)
    return float(told.stdout)


def _peak() -> int:
    """The most memory this process ever had, in octets, since it was last set back."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell how much memory was used")


def _measure(folder: Path) -> float:
    trusted = TrustRoot.load((folder / "root.json").read_bytes())
    small = jades.sign(model.render(lote([body(0)])), operator(), at=NOW).encode()
    accept(LIST_ID, small, root=root(), state=None, now=NOW)  # what every process has once: modules, schema
    token = (folder / "list.jws").read_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is used now
    before = _peak()
    accepted = accept(LIST_ID, token, root=trusted, state=None, now=NOW)
    added = _peak() - before
    assert accepted.jws is token
    return added / len(token)


if __name__ == "__main__":
    print(_measure(Path(sys.argv[1])))
