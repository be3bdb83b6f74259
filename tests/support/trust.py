"""A list operator for tests: builds lists in memory, seals them properly or with a fault, and serves them over a pretend network
that misbehaves by name. Names are invented and marked as test; keys are made at run time."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cryptography import x509

from edge.outbound import Fetched
from tests.support.pki import NOW, Authority, new_key
from tests.support.pki import root as root_authority
from trust_list import drafts, jades, model
from trust_list.authoring import Authorisation, EntityDraft, Operator, ServiceDraft
from trust_list.profiles import profile
from trust_list.root import RootList, TrustRoot
from vc.encoding import json
from vc.errors import Unreachable
from vc.jose import jws
from vc.keys.signer import LocalSigner
from vc.x509 import qc
from vc.x509.certificate import sha256
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER, STATUS_SIGNING

OPERATOR = "List Operator (test)"
LISTS = ("pub-eaa", "pid", "wallet")
PDA1 = Authorisation(attestation_type="pda1", formats=(("dc+sd-jwt", "urn:eudi:pda1:1"), ("mso_mdoc", "eu.europa.ec.eudi.pda1.1")))
EHIC = Authorisation(attestation_type="ehic", formats=(("dc+sd-jwt", "urn:eudi:ehic:1"), ("mso_mdoc", "eu.europa.ec.eudi.ehic.1")))
PID = Authorisation(attestation_type="pid", formats=(("dc+sd-jwt", "urn:eudi:pid:1"), ("mso_mdoc", "eu.europa.ec.eudi.pid.1")))


def uri(list_id: str) -> str:
    return f"https://lists.test/lists/{list_id}.jws"


def subject(name: str, country: str, registration_id: str) -> dict[str, str]:
    return {"C": country, "O": name, "organizationIdentifier": registration_id, "CN": name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """An entity with the three certificates of the test world: seal, document signer, status signer."""

    name: str
    country: str
    registration_id: str
    seal: LocalSigner
    document_signer: LocalSigner
    status: LocalSigner
    types: tuple[Authorisation, ...]

    def draft(self, *, services: tuple[ServiceDraft, ...] | None = None, law: str | None = None) -> EntityDraft:
        return EntityDraft(
            name=self.name,
            country=self.country,
            registration_id=self.registration_id,
            law=law or f"OJ:{self.country}-TEST-1",
            services=services if services is not None else self.services(),
        )

    def services(self) -> tuple[ServiceDraft, ...]:
        return (
            ServiceDraft(role="issuance", certificates=self.seal.chain[:1], authorisations=self.types),
            ServiceDraft(role="issuance", certificates=self.document_signer.chain[:1], authorisations=self.types),
            ServiceDraft(role="revocation", certificates=self.status.chain[:1]),
        )


def institution(
    authority: Authority, name: str, country: str, registration_id: str, *types: Authorisation, **changes: Any
) -> Institution:
    """`changes` go to every leaf, e.g. another subject."""
    spec: dict[str, Any] = {"subject": subject(name, country, registration_id), **changes}
    statement = qc.QcPsb(country=country, authentic_source="urn:example:test", legislation="Test Act 1")
    return Institution(
        name=name,
        country=country,
        registration_id=registration_id,
        seal=authority.leaf(more=((qc.extension(statement), False),), **spec),
        document_signer=authority.leaf(eku=(MDOC_DOCUMENT_SIGNER,), **spec),
        status=authority.leaf(eku=(STATUS_SIGNING,), **spec),
        types=types,
    )


@dataclass
class ListOperator:
    """Seals lists. `previous` editions are remembered, so that `edition` gives the next one."""

    authority: Authority = field(default_factory=lambda: root_authority("List authority (test)"))
    signer: LocalSigner = field(init=False)
    editions: dict[str, model.LoTE] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signer = self.new_signer()

    def new_signer(self, **changes: Any) -> LocalSigner:
        spec = {"subject": {"C": "EU", "O": OPERATOR, "CN": "List signer (test)"}, **changes}
        made = self.authority.leaf(key=new_key(), **spec)
        return LocalSigner(made.private_key, made.chain[:1])

    def root(self, *, version: int = 1, min_sequence: int = 1, **signers: LocalSigner) -> TrustRoot:
        """A root that pins the operator for every list; `signers` by list id (with _ for -) pin others."""
        lists = []
        for list_id in LISTS:
            certificate = signers.get(list_id.replace("-", "_"), self.signer).chain[0]
            lists.append(
                RootList(
                    id=list_id,
                    type=profile(list_id).list_type,
                    uri=uri(list_id),
                    signers=frozenset({sha256(certificate)}),
                    min_sequence=min_sequence,
                    certificates={},
                )
            )
        return TrustRoot(version=version, expires=NOW + timedelta(days=300), lists=tuple(lists))

    def lote(
        self,
        *entities: EntityDraft,
        list_id: str = "pub-eaa",
        sequence: int = 1,
        issued: Any = NOW,
        valid_for: timedelta = timedelta(days=30),
    ) -> model.LoTE:
        """A list with these entities, its statuses starting with the issue."""
        rules = profile(list_id)
        empty = drafts.empty_list(rules, Operator(name=OPERATOR), signer=self.signer.chain[0], uri=uri(list_id), now=issued)
        filled = drafts.add_entities(empty, rules, entities, now=issued)
        return drafts.next_edition(filled, None, sequence=sequence, now=issued, next_update=issued + valid_for)

    def seal(self, lote: model.LoTE, *, signer: LocalSigner | None = None) -> bytes:
        at = lote.scheme.ListIssueDateTime
        return jades.sign(model.render(lote), signer or self.signer, at=at).encode()

    def seal_changed(
        self,
        lote: model.LoTE,
        change: Callable[[dict[str, Any]], Any] = lambda _: None,
        *,
        header: Mapping[str, Any] | None = None,
        drop: tuple[str, ...] = (),
        signer: LocalSigner | None = None,
    ) -> bytes:
        """The list after `change` to its JSON (the value of `LoTE`), under a header with members replaced or dropped."""
        document = copy.deepcopy(json.loads(model.render(lote)))
        change(document["LoTE"])
        return self.seal_bytes(json.dumps(document), header=header, drop=drop, signer=signer)

    def seal_bytes(
        self,
        payload: bytes,
        *,
        header: Mapping[str, Any] | None = None,
        drop: tuple[str, ...] = (),
        signer: LocalSigner | None = None,
    ) -> bytes:
        used = signer or self.signer
        proper = jws.parse(jades.sign(b"-", used, at=NOW)).header
        members = {name: value for name, value in {**proper, **(header or {})}.items() if name not in (*drop, "alg")}
        return jws.sign(members, payload, used).encode()


def pinned(root: TrustRoot, list_id: str, *certificates: x509.Certificate, known: bool = False) -> TrustRoot:
    """`root` with these certificates as the signers of one list; with `known`, the certificates themselves are at hand."""
    lists = []
    for entry in root.lists:
        if entry.id == list_id:
            signers = {sha256(certificate): certificate for certificate in certificates}
            entry = RootList(  # noqa: PLW2901
                id=entry.id,
                type=entry.type,
                uri=entry.uri,
                signers=frozenset(signers),
                min_sequence=entry.min_sequence,
                certificates=signers if known else {},
            )
        lists.append(entry)
    return TrustRoot(version=root.version, expires=root.expires, lists=tuple(lists))


@dataclass
class ListServer:
    """The pretend network: addresses with what they answer, and what was asked of them. Set `trouble` to misbehave."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    trouble: str | None = None  # "down" | "status" | "slow" | "redirect"
    statuses: dict[str, int] = field(default_factory=dict)

    def put(self, list_id: str, body: bytes) -> None:
        self.bodies[uri(list_id)] = body

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        sent = dict(headers or {})
        self.asked.append((url, sent))
        if self.trouble in ("down", "slow"):
            raise Unreachable("timeout" if self.trouble == "slow" else "unreachable", "the pretend network is down")
        if self.trouble in ("status", "redirect") or url not in self.bodies:
            status = {"status": 500, "redirect": 302}.get(self.trouble or "", 404)
            return Fetched(status=status, headers={"location": "https://elsewhere.test/"}, body=b"", url=url)
        body = self.bodies[url]
        if max_bytes is not None and len(body) > max_bytes:
            raise Unreachable("too_large", "the answer is longer than allowed")
        etag = f'"{hash(body)}"'
        if sent.get("if-none-match") == etag:
            return Fetched(status=304, headers={"etag": etag}, body=b"", url=url)
        return Fetched(status=200, headers={"etag": etag, "content-type": "application/jose"}, body=body, url=url)
