"""A world for the verifier's tests, in one process: institutions on trust lists, status lists, a wallet, a service, one clock.

The pretend internet is a transport that answers by host and remembers what it was asked; it misbehaves when told to.
"""

import json as plain_json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine
from starlette.testclient import TestClient

from edge.outbound import FetchLimits, Outbound
from tests.support import pki
from tests.support.pki import NOW
from trust_list import authoring
from trust_list.authoring import Authorisation, EntityDraft, ServiceDraft
from trust_list.client import TrustClient
from trust_list.store import Publisher
from vc import formats
from vc.documents import catalogue
from vc.documents.model import Document
from vc.encoding.claims_path import Path as ClaimsPath
from vc.formats import Challenge, Envelope
from vc.formats.model import PUB_EAA_CATEGORY
from vc.keys.signer import LocalSigner
from vc.openid4vp import challenge as challenges
from vc.openid4vp import dcql, link, request, request_uri, response
from vc.openid4vp.dcql import View
from vc.openid4vp.request import AuthorizationRequest
from vc.status import token as tokens
from vc.status.bits import StatusList
from vc.status.reference import StatusReference
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER
from verifier.app import create_app
from verifier.migrations import upgrade
from verifier.settings import Settings, parse
from verifier.sources import TrustSource
from verifier.status import StatusLists
from verifier.store.status_tokens import StatusTokens
from verifier.store.tables import connect
from verifier.trust import ListTrust

DATA = Path(__file__).parents[1] / "data"
LISTED_FOR, ISSUED_FOR, VALID_FOR = timedelta(days=20), timedelta(days=10), timedelta(days=80)
LIST_HOST, STATUS_HOST = "lists.test", "status.test"
BASE_URL = "http://localhost"
SIZE = 1024


def samples(name: str) -> list[dict[str, Any]]:
    """The entries of `tests/data/NAME-samples.json`."""
    value: list[dict[str, Any]] = plain_json.loads((DATA / f"{name}-samples.json").read_text(encoding="utf-8"))
    return value


def sample(name: str, sample_id: str) -> dict[str, Any]:
    """One entry by id."""
    return next(entry for entry in samples(name) if entry["id"] == sample_id)


@dataclass(slots=True)
class Institution:
    """An issuer of the world with one key per use, and its status list as it stands now."""

    id: str
    name: str
    country: str
    registration_id: str
    seal: LocalSigner
    document_signer: LocalSigner
    status_signer: LocalSigner
    status_uri: str
    revoked: dict[int, int] = field(default_factory=dict)
    bits: int = 1

    def signer(self, format: str) -> LocalSigner:
        return self.document_signer if format == "mso_mdoc" else self.seal

    def status_token(self, kind: str, now: datetime, **changes: Any) -> bytes:
        """The status list as a token, signed now; `changes` for bad ones."""
        values: dict[str, Any] = {
            "uri": self.status_uri,
            "iat": now,
            "exp": now + timedelta(hours=30),
            "ttl": 60,
            "signer": self.status_signer,
            **changes,
        }
        status_list = StatusList.from_indices(SIZE, self.bits, self.revoked)
        return tokens.sign_cwt(status_list, **values) if kind == "cwt" else tokens.sign_jwt(status_list, **values).encode("ascii")


Reply = Callable[[httpx2.Request], httpx2.Response]


@dataclass(slots=True)
class Held:
    """A credential in the test wallet."""

    format: str
    text: str
    holder: LocalSigner


class World:
    """Everything around a verifier. `now` may be moved; `reply` overrides what a host answers; `asked` is what was fetched.

    `address`: where the pretend internet is really served, when it is; everything then lies in the real present.
    """

    def __init__(self, folder: Path, *, address: str | None = None) -> None:
        self.folder, self.now = folder, NOW if address is None else datetime.now(UTC).replace(microsecond=0)
        self.begun, self.address = self.now, address
        self.listed_since = self.begun - LISTED_FOR
        self._life: dict[str, Any] = {"not_before": self.begun - timedelta(days=30), "not_after": self.begun + timedelta(days=300)}
        authority_life: dict[str, Any] = {
            "not_before": self.begun - timedelta(days=60),
            "not_after": self.begun + timedelta(days=365),
        }
        self.authority, self.access_authority = (pki.root(name, **authority_life) for name in ("Test issuing CA", "Test access CA"))
        self.institutions: dict[str, Institution] = {}
        self.asked: list[str] = []
        self.reply: dict[str, Reply] = {}
        self._next_index = 0
        self.lists = folder / "lists"
        authoring.init(self.lists, base_url=address or f"http://{LIST_HOST}", now=self.listed_since)

    def clock(self) -> datetime:
        return self.now

    def institution(
        self, id: str, country: str = "FR", *, types: Sequence[str] = ("pda1", "ehic"), listed: bool = True
    ) -> Institution:
        """A new institution, on the trust list for `types` when `listed` (before the lists are published)."""
        name, number = f"Institution {id} (test)", f"NTR{country}-{len(self.institutions):06d}"
        subject = {"C": country, "O": name, "organizationIdentifier": number}
        made = Institution(
            id=id,
            name=name,
            country=country,
            registration_id=number,
            seal=self.authority.leaf(subject={**subject, "CN": f"{id} seal"}, **self._life),
            document_signer=self.authority.leaf(
                subject={**subject, "CN": f"{id} document signer"}, eku=(MDOC_DOCUMENT_SIGNER,), **self._life
            ),
            status_signer=self.authority.leaf(subject={**subject, "CN": f"{id} status"}, **self._life),
            status_uri=f"{self.address or f'http://{STATUS_HOST}'}/{id}",
        )
        self.institutions[id] = made
        if listed:
            self.list_institution(made, types)
        return made

    def list_institution(self, one: Institution, types: Sequence[str], *, also: Sequence[str] = ()) -> None:
        """Put it on the list its types belong to, each certificate as a service of its own.

        `also`: further kinds of documents whose identifiers the entry names, though not as a type it may issue.
        """
        list_id = "pid" if "pid" in types else "pub-eaa"

        def allowed(format: str) -> tuple[Authorisation, ...]:
            return tuple(
                Authorisation(
                    attestation_type=kind,
                    formats=tuple((format, name) for one in (kind, *also) for name in catalogue.accepted_types(one, format)),
                )
                for kind in types
            )

        services = (
            ServiceDraft(role="issuance", certificates=one.seal.chain, authorisations=allowed("dc+sd-jwt")),
            ServiceDraft(role="issuance", certificates=one.document_signer.chain, authorisations=allowed("mso_mdoc")),
            ServiceDraft(role="revocation", certificates=one.status_signer.chain),
        )
        law = f"OJ:{one.country}-TEST-1" if list_id == "pub-eaa" else None
        draft = EntityDraft(name=one.name, country=one.country, registration_id=one.registration_id, services=services, law=law)
        authoring.add_entities(self.lists, list_id, [draft], now=self.listed_since)

    def publish_lists(self) -> None:
        """Publish every list for the first time and write the trust root."""
        for list_id in Publisher(self.lists).list_ids():
            authoring.publish(self.lists, list_id, now=self.listed_since)
        authoring.write_trust_root(self.lists, self.folder / "trust-root.json", now=self.listed_since)

    def withdraw(self, one: Institution, list_id: str = "pub-eaa") -> None:
        """Withdraw an institution; the next edition is published at once."""
        authoring.withdraw(self.lists, list_id, one.registration_id, reason="cessation", now=self.now)

    # --- what the pretend internet answers

    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.answer)

    def answer(self, asked: httpx2.Request) -> httpx2.Response:
        self.asked.append(str(asked.url))
        override = self.reply.get(asked.url.host)
        if override is not None:
            return override(asked)
        if asked.url.path.startswith("/lists/"):
            current = Publisher(self.lists).latest(asked.url.path.removeprefix("/lists/").removesuffix(".jws"))
            if current is None:
                return httpx2.Response(404)
            return httpx2.Response(200, content=current.jws, headers={"content-type": "application/jose"})
        one = self.institutions.get(asked.url.path.removeprefix("/"))
        if one is not None:
            kind = asked.headers["accept"].rpartition("+")[2]
            return self.status_reply(one.status_token(kind, self.now), kind)
        return httpx2.Response(404)

    @staticmethod
    def status_reply(token: bytes, kind: str) -> httpx2.Response:
        return httpx2.Response(200, content=token, headers={"content-type": f"application/statuslist+{kind}"})

    def outbound(self) -> Outbound:
        return Outbound(FetchLimits(allow_loopback=True), transport=self.transport())

    # --- issuing

    def issue(
        self,
        one: Institution,
        configuration_id: str,
        document: Document,
        *,
        holder: LocalSigner | None = None,
        signer: LocalSigner | None = None,
        **changes: Any,
    ) -> Held:
        """A credential of that configuration, as an issuer makes it; `changes` go into the envelope."""
        configuration = catalogue.CONFIGURATIONS[configuration_id]
        holder = holder or pki.holder()
        index, self._next_index = self._next_index, self._next_index + 1
        envelope = Envelope(
            issuer=f"https://issuer.test/{one.id}",
            subject=f"urn:test:{index}",
            attestation_id=f"urn:test:attestation:{index}",
            issued_at=self.begun - ISSUED_FOR,
            valid_from=self.begun - ISSUED_FOR,
            valid_until=self.begun + VALID_FOR,
            holder=holder.public_key,
            status=StatusReference(uri=one.status_uri, idx=index),
            category=None if configuration.document_type == "pid" else PUB_EAA_CATEGORY,
            certificate_url="https://issuer.test/certificate.cer",
            registration_id=one.registration_id,
        )
        prepared = formats.prepare(configuration, document, replace(envelope, **changes), random_bytes=secrets.token_bytes)
        text = formats.sign(prepared, signer or one.signer(configuration.format))
        return Held(format=configuration.format, text=text, holder=holder)

    def last_index(self) -> int:
        """The status index of the credential issued last."""
        return self._next_index - 1

    # --- the verifier

    def settings(self, **changes: Any) -> Settings:
        subject = {"C": "DE", "O": "Inspection (test)", "CN": "Verifier"}
        access = self.access_authority.leaf(dns_names=("localhost",), subject=subject, **self._life)
        (self.folder / "access.key").write_bytes(
            access.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (self.folder / "access.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in access.chain))
        value: dict[str, Any] = {
            "profile": "demo",
            "base_url": BASE_URL,
            "listen": {"host": "127.0.0.1", "port": 80},
            "database": "sqlite:///verifier.db",
            "name": "Inspection (test)",
            "allow_http_loopback": True,
            "access": {"key": "access.key", "chain": "access.pem"},
            "trust": {"root": "trust-root.json", "state": "trust", "refresh_seconds": 2},
            "status_min_ttl_seconds": 1,
            **changes,
        }
        return parse(value, base=self.folder)

    def trust(self, state: str = "trust") -> ListTrust:
        client = TrustClient(self.folder / "trust-root.json", self.folder / state, self.outbound(), self.clock, 2)
        client.refresh(force=True)
        self.known = client.snapshot
        return ListTrust(client.snapshot, clock=self.clock)

    def judge(self, lists: ListTrust) -> TrustSource:
        """Who is asked about issuers: the trust lists, and in some worlds somebody beside them."""
        return lists

    @contextmanager
    def service(self, settings: Settings | None = None) -> Iterator[TestClient]:
        """A running verifier over this world's database; several of them are several workers."""
        settings = settings or self.settings()
        engine: Engine = connect(settings.database)
        upgrade(engine)
        trust = self.trust()
        status = StatusLists(
            self.outbound(), StatusTokens(engine), trust, min_ttl=timedelta(seconds=settings.status_min_ttl_seconds)
        )
        app = create_app(
            settings,
            engine,
            trust=self.judge(trust),
            status=status,
            clock=self.clock,
            random_bytes=secrets.token_bytes,
            known=self.known,
        )
        with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False, follow_redirects=False) as client:
            yield client
        engine.dispose()


@dataclass(slots=True)
class Wallet:
    """A wallet that keeps the rules; tests bend single steps through the hooks."""

    world: World
    held: list[Held]

    def ask(self, client: TestClient, **question: Any) -> dict[str, Any]:
        """Make a request through the API; by default an A1 inspection in Germany."""
        body = {"purpose": "a1-inspection", "host_country": "DE", "on": "2026-10-15", **question}
        made = client.post("/api/v1/requests", json={name: value for name, value in body.items() if value is not None})
        assert made.status_code == 201, made.text
        answer: dict[str, Any] = made.json()
        return answer

    def fetch(self, client: TestClient, request_link: str, *, form: Mapping[str, str] | None = None) -> AuthorizationRequest:
        """The verified request behind a link."""
        parsed = link.parse(request_link)
        path = urlsplit(parsed.request_uri).path
        nonce = None
        if parsed.method == "post":
            nonce = secrets.token_urlsafe(16)
            found = client.post(path, data=form or request_uri.build_form(wallet_nonce=nonce))
        else:
            found = client.get(path)
        assert found.status_code == 200, found.text
        assert found.headers["content-type"] == request.CONTENT_TYPE
        return request.verify(
            found.text,
            outer_client_id=parsed.client_id,
            wallet_nonce=nonce,
            anchors=(self.world.access_authority.certificate,),
            now=self.world.now,
            allow_http_loopback=True,
        )

    def challenge(self, asked: AuthorizationRequest) -> Challenge:
        target = asked.client_metadata.encryption if asked.encrypted else None
        return challenges.of_request(asked.claims, encrypted_to=None if target is None else target.key)

    def present(
        self,
        asked: AuthorizationRequest,
        *,
        challenge: Challenge | None = None,
        disclose: Callable[[str, frozenset[ClaimsPath]], Collection[ClaimsPath]] = lambda _query, chosen: chosen,
        now: datetime | None = None,
    ) -> dict[str, list[str]]:
        """The vp_token for a request from what is held."""
        views = {str(number): _view(one) for number, one in enumerate(self.held)}
        chosen = dcql.match(asked.query, views).choose()
        made: dict[str, list[str]] = {}
        for query_id, candidates in chosen.items():
            one = self.held[int(candidates[0].held)]
            made[query_id] = [
                formats.present(
                    one.format,
                    one.text,
                    holder=one.holder,
                    disclose=disclose(query_id, candidates[0].disclose),
                    challenge=challenge or self.challenge(asked),
                    now=now or self.world.now,
                )
            ]
        return made

    def form(self, asked: AuthorizationRequest, vp_token: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """The form fields of the response in the mode the request asks for."""
        if not asked.encrypted:
            return response.build_plain(vp_token, state=asked.state)
        target = asked.client_metadata.encryption
        assert target is not None
        return response.build_encrypted(vp_token, state=asked.state, to=target, enc=asked.client_metadata.content_encryption())

    def post(self, client: TestClient, asked: AuthorizationRequest, form: Mapping[str, str]) -> Any:
        return client.post(urlsplit(asked.response_uri).path, data=dict(form))

    def answer(self, client: TestClient, made: Mapping[str, Any], **options: Any) -> Any:
        """Fetch, present, post: the whole happy path. Gives the HTTP answer."""
        asked = self.fetch(client, made["request_uri"])
        return self.post(client, asked, self.form(asked, self.present(asked, **options)))


def result(client: TestClient, made: Mapping[str, Any]) -> dict[str, Any]:
    """What the API says about a request."""
    found = client.get(f"/api/v1/requests/{made['transaction_id']}")
    assert found.status_code == 200, found.text
    value: dict[str, Any] = found.json()
    return value


def verdict(client: TestClient, made: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict of an answered request."""
    found = result(client, made)
    assert found["state"] == "answered", found
    value: dict[str, Any] = found["verdict"]
    return value


def check_results(value: Mapping[str, Any]) -> dict[str, str]:
    """Check id → result."""
    return {entry["id"]: entry["result"] for entry in value["checks"]}


def codes(value: Mapping[str, Any]) -> list[str]:
    """The reason codes of a verdict."""
    return [entry["code"] for entry in value["reasons"]]


def _view(one: Held) -> View:
    unverified = formats.parse_issued(one.format, one.text)
    credential = unverified.verify_issuer(unverified.chain[0].public_key())  # type: ignore[arg-type]  # EC in this world
    return View(
        format=one.format,
        type_ids=frozenset({credential.type_id}),
        claims=credential.claims,
        disclosed=credential.disclosed,
    )
