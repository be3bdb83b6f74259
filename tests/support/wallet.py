"""A wallet under test, and an issuer that keeps every rule or breaks one by name; it checks the wallet as a real one would."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec

from edge.outbound import FetchLimits, Outbound
from tests.support.internet import Internet, json_answer
from tests.support.pki import holder
from tests.support.verifier import LIST_HOST, STATUS_HOST, Institution, World, sample
from trust_list.client import TrustClient
from vc.documents import catalogue
from vc.encoding import base64url, claims_path, json
from vc.errors import VerificationFailed
from vc.formats import Challenge
from vc.keys.signer import LocalSigner
from vc.openid4vci import authorization_server, dpop, metadata, offer, proof
from vc.sdjwt import present as sd_jwt
from wallet_sim.consent import Ask
from wallet_sim.holdings import Copy, Holding, Store
from wallet_sim.present import Presenter
from wallet_sim.receive import Receiver
from wallet_sim.received import IssuerJudge
from wallet_sim.transcript import Transcript, Wire
from wallet_sim.trust import ListJudge, Unjudged

ISSUER_HOST = "issuer.test"
TX_CODE = "493536"
ENTRY = sample("pda1", "pda1-01")
PDA1_SD_JWT, PDA1_MDOC = "pda1_dc4eu-2_sd_jwt", "eu.europa.ec.eudi.pda1_mdoc"


class TestWallet:
    """A wallet in a folder, on a pretend internet, in a world with trust lists."""

    __test__ = False

    def __init__(self, folder: Path, world: World, internet: Internet, *, agree: bool = True) -> None:
        self.world, self.internet, self.asked = world, internet, list[str]()
        self.store = Store(folder / "wallet.json")
        self.transcript = Transcript(world.clock)
        self.wire = Wire(Outbound(FetchLimits(allow_loopback=True), transport=internet), self.transcript)
        self._folder, self._agree = folder, agree

    def judge(self) -> IssuerJudge:
        """The judge that asks the world's trust lists."""
        lists = Outbound(FetchLimits(allow_loopback=True), transport=self.internet)
        client = TrustClient(self.world.folder / "trust-root.json", self._folder / "trust", lists, self.world.clock, 1.0)
        return ListJudge(client, self.world.clock)

    def receiver(self, judge: IssuerJudge | None = None) -> Receiver:
        return Receiver(self.store, self.wire, judge=judge or Unjudged(), clock=self.world.clock)

    def presenter(self) -> Presenter:
        anchors = (self.world.access_authority.certificate,)
        return Presenter(self.store, self.wire, anchors=anchors, clock=self.world.clock, ask=self._ask())

    def _ask(self) -> Ask:
        def ask(text: str) -> bool:
            self.asked.append(text)
            return self._agree

        return ask

    def hold(self, issuer: Institution, configuration_id: str, document: Any, *, copies: int = 1) -> Holding:
        """Put credentials of `issuer` straight into the store."""
        made = []
        for _ in range(copies):
            key = holder()
            made.append(Copy(credential=self.world.issue(issuer, configuration_id, document, holder=key).text, key=key.private_key))
        configuration = catalogue.CONFIGURATIONS[configuration_id]
        return self.store.add(
            lambda number: Holding(
                number=number,
                format=configuration.format,
                type_id=configuration.type_id,
                configuration_id=configuration_id,
                issuer=f"https://{ISSUER_HOST}/{issuer.id}",
                received=self.world.now,
                copies=tuple(made),
            )
        )

    def notes(self) -> list[dict[str, Any]]:
        """The decisions in the transcript."""
        return [entry for entry in self.transcript.to_json() if entry["kind"] == "note"]


def connect(internet: Internet, world: World) -> None:
    """Put the world's trust lists and status lists on the internet."""
    transport = world.transport()
    for host in (LIST_HOST, STATUS_HOST):
        internet.function(host, transport.handle_request)


Answer = httpx2.Response
_MANDATORY: dict[str, claims_path.Path] = {
    "dc+sd-jwt": ("document_number",),
    "mso_mdoc": ("eu.europa.ec.eudi.pda1.1", "document_id"),
}


@dataclass
class SimulatedIssuer:
    """One institution's issuer. `faults`: names of rules it breaks; a name nobody knows is an error of the test.

    What it was told by wallets is kept: `notifications`, and `proofs` it accepted.
    """

    world: World
    institution: Institution
    configurations: tuple[str, ...] = (PDA1_SD_JWT,)
    batch_size: int = 1
    needs_tx_code: bool = True
    dpop_nonce: str | None = None
    faults: frozenset[str] = frozenset()
    notifications: list[dict[str, Any]] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    used_faults: set[str] = field(default_factory=set)
    _nonces: set[str] = field(default_factory=set)
    _thumbprint: str | None = None
    _jtis: set[str] = field(default_factory=set)
    _failed_codes: int = 0
    _waiting: tuple[str, list[ec.EllipticCurvePublicKey]] = ("", [])

    @property
    def id(self) -> str:
        return f"https://{ISSUER_HOST}/{self.institution.id}"

    def has(self, fault: str) -> bool:
        """Whether to break this rule now; asking marks the fault as reached."""
        if fault in self.faults:
            self.used_faults.add(fault)
            return True
        return False

    def link(self) -> str:
        """The offer by value."""
        return offer.link_by_value(self.offer())

    def reference(self) -> str:
        """The offer by reference."""
        return offer.link_by_reference(f"{self.id}/offers/1")

    def offer(self) -> dict[str, Any]:
        made = offer.create(
            credential_issuer=self.id,
            configuration_ids=["unknown" if self.has("offer-unknown-configuration") else name for name in self.configurations],
            pre_authorized_code="code",
            tx_code={"length": 6} if self.needs_tx_code else None,
        )
        if self.has("offer-other-grant"):
            made["grants"] = {"authorization_code": {}}
        if self.has("offer-foreign-server"):
            made["grants"][offer.PRE_AUTHORIZED]["authorization_server"] = "https://evil.example"
        return made

    def answer(self, request: httpx2.Request) -> Answer:
        """The whole host."""
        route = self.routes().get(request.url.path)
        return httpx2.Response(404) if route is None else route(request)

    def routes(self) -> dict[str, Callable[[httpx2.Request], Answer]]:
        """What answers at which path."""
        own = f"/{self.institution.id}"
        return {
            f"/.well-known/openid-credential-issuer{own}": self._metadata,
            f"/.well-known/oauth-authorization-server{own}": self._server,
            f"{own}/offers/1": self._offer,
            f"{own}/token": self._token,
            f"{own}/nonce": self._nonce,
            f"{own}/credential": self._credential,
            f"{own}/notification": self._notification,
            f"{own}/deferred": self._deferred,
        }

    # --- what it says of itself

    def _offer(self, _: httpx2.Request) -> Answer:
        if self.has("offer-redirect"):
            return httpx2.Response(302, headers={"location": "https://evil.example/"})
        if self.has("offer-as-jwt"):
            return httpx2.Response(200, content=b"e30.e30.", headers={"content-type": "application/jwt"})
        return json_answer(self.offer())

    def _metadata(self, _: httpx2.Request) -> Answer:
        if self.has("metadata-endless"):
            return httpx2.Response(200, content=_endless(), headers={"content-type": "application/json", "x-endless": "yes"})
        if self.has("metadata-as-page"):
            return httpx2.Response(200, content=b"<html>", headers={"content-type": "text/html"})
        if self.has("metadata-redirect"):
            return httpx2.Response(302, headers={"location": "https://evil.example/"})
        if self.has("metadata-with-duplicates"):
            return httpx2.Response(200, content=b'{"a":1,"a":2}', headers={"content-type": "application/json"})
        return json_answer(self.metadata())

    def metadata(self) -> dict[str, Any]:
        """The issuer metadata."""
        made = metadata.build(
            credential_issuer=self.id,
            credential_endpoint=f"{self.id}/credential",
            nonce_endpoint=f"{self.id}/nonce",
            notification_endpoint=f"{self.id}/notification",
            deferred_credential_endpoint=None if self.has("deferred-nowhere") else f"{self.id}/deferred",
            batch_size=self.batch_size if self.batch_size > 1 else None,
            display=[{"name": "<b>Urssaf</b>", "locale": "fr"}],
            configurations={name: self._configuration(name) for name in self.configurations},
        )
        made["junk"] = {"a": 1}  # VCI-META-17
        if self.has("metadata-other-issuer"):
            made["credential_issuer"] = "https://issuer.test/other"
        if self.has("metadata-without-nonce-endpoint"):
            del made["nonce_endpoint"]
        if self.has("metadata-encryption-required"):
            made["credential_response_encryption"] = {
                "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A128GCM"], "encryption_required": True,
            }  # fmt: skip
        return made

    def _configuration(self, name: str) -> dict[str, Any]:
        configuration = catalogue.CONFIGURATIONS[name]
        paths: list[claims_path.Path] = [_MANDATORY[configuration.format]]
        if self.has("metadata-promises-more"):
            paths.append((*paths[0][:-1], "more"))
        if self.has("metadata-promises-another-shape"):
            paths.append((*paths[0], "inner"))
        made = metadata.build_configuration(
            format=configuration.format,
            type_id=configuration.type_id,
            scope=name,
            signing=self.institution.signer(configuration.format).curve,
            claims=[metadata.ClaimDescription(path=path, mandatory=True) for path in paths],
            display=[{"name": name, "locale": "en"}],
        )
        proofs = made["proof_types_supported"]["jwt"]
        if self.has("metadata-key-attestation"):
            proofs["key_attestations_required"] = {}
        if self.has("metadata-other-proof-algorithm"):
            proofs["proof_signing_alg_values_supported"] = ["EdDSA"]
        if self.has("metadata-unknown-format"):
            made["format"] = "jwt_vc_json"
        return made

    def _server(self, _: httpx2.Request) -> Answer:
        return json_answer(self.server())

    def server(self) -> dict[str, Any]:
        """The authorization server metadata."""
        made = authorization_server.build(issuer=self.id, token_endpoint=f"{self.id}/token", scopes=list(self.configurations))
        if self.has("server-other-issuer"):
            made["issuer"] = "https://issuer.test/other"
        if self.has("server-without-dpop"):
            del made["dpop_signing_alg_values_supported"]
        if self.has("server-wants-client-id"):
            made["pre-authorized_grant_anonymous_access_supported"] = False
        if self.has("server-other-grants"):
            made["grant_types_supported"] = ["authorization_code"]
        return made

    # --- token, nonce, credential, notification

    def _token(self, request: httpx2.Request) -> Answer:
        form = dict(parse_qsl(request.content.decode()))
        if self.has("token-error-page"):
            return httpx2.Response(502, content=b"<html>")
        bound = "server-without-dpop" not in self.faults
        if bound:
            refusal = self._dpop(request, "token", status=400)
            if refusal is not None:
                return refusal
        if self._failed_codes >= 5:
            return json_answer({"error": "invalid_grant", "error_description": "the code is dead"}, 400)
        if form.get("tx_code") != (TX_CODE if self.needs_tx_code else None):
            self._failed_codes += 1
            return json_answer({"error": "invalid_grant", "error_description": "wrong transaction code"}, 400)
        assert form["pre-authorized_code"] == "code"
        value: dict[str, Any] = {"access_token": "token", "token_type": "DPoP" if bound else "Bearer", "expires_in": 300}
        if self.has("token-not-bound"):
            value["token_type"] = "Bearer"
        if self.has("token-identifiers"):
            value["authorization_details"] = [
                {"type": "openid_credential", "credential_configuration_id": name, "credential_identifiers": [f"{name}-1"]}
                for name in self.configurations
            ]
        return json_answer(value, cache_control="no-store")

    def _nonce(self, _: httpx2.Request) -> Answer:
        if self.has("nonce-fails"):
            return httpx2.Response(500)
        if self.has("nonce-refused"):
            return json_answer({"error": "invalid_request"}, 400)
        if self.has("nonce-empty"):
            return json_answer({"c_nonce": ""})
        if self.has("nonce-as-page"):
            return httpx2.Response(200, content=b"nonce", headers={"content-type": "text/html"})
        if self.has("nonce-redirect"):
            return httpx2.Response(307, headers={"location": "https://evil.example/"})
        made = secrets.token_urlsafe(16)
        self._nonces.add(made)
        return json_answer({"c_nonce": made}, cache_control="no-store")

    def _check_nonce(self, value: str) -> None:
        assert value in self._nonces

    def _credential(self, request: httpx2.Request) -> Answer:
        refusal = self._authorized(request, "credential")
        return self._issue_for(json.loads_object(request.content)) if refusal is None else refusal

    def _authorized(self, request: httpx2.Request, endpoint: str) -> Answer | None:
        """The refusal of a request without our token, None for one with it."""
        if "server-without-dpop" in self.faults:
            assert request.headers["authorization"] == "Bearer token"
            return None
        return self._dpop(request, endpoint, status=401, access_token="token")

    def _issue_for(self, body: dict[str, Any]) -> Answer:
        """The answer to a credential request."""
        name = body.get("credential_configuration_id") or body["credential_identifier"].removesuffix("-1")
        assert ("credential_identifier" in body) == ("token-identifiers" in self.faults)
        keys = []
        for text in body["proofs"]["jwt"]:
            nonce = json.loads_object(base64url.decode(text.split(".")[1])).get("nonce")
            if nonce not in self._nonces:
                return json_answer({"error": "invalid_nonce"}, 400)
            try:
                found = proof.verify_jwt(text, audience=self.id, check_nonce=self._check_nonce, now=self.world.now)
            except Exception as error:  # noqa: BLE001 — the test reads the reason from the answer
                return json_answer({"error": "invalid_proof", "error_description": type(error).__name__}, 400)
            self.proofs.append(text)
            keys.append(found.public_key)
        self._nonces.clear()  # spent once per request
        if "nonce-slow" in self.faults and "nonce-slow" not in self.used_faults and self.has("nonce-slow"):
            return json_answer({"error": "invalid_nonce"}, 400)
        if self.has("credential-deferred"):
            self._waiting = (name, keys)
            return json_answer({"transaction_id": "t", "interval": 5}, 202)
        if self.has("credential-deferred-as-issued"):
            return json_answer({"transaction_id": "t", "interval": 5})
        return self._issued(name, keys)

    def _deferred(self, request: httpx2.Request) -> Answer:
        if self.has("token-over"):
            return json_answer({"error": "invalid_token"}, 401)
        refusal = self._authorized(request, "deferred")
        if refusal is not None:
            return refusal
        assert json.loads_object(request.content) == {"transaction_id": "t"}
        if self.has("deferred-gone"):
            return json_answer({"error": "invalid_transaction_id"}, 400)
        if self.has("deferred-other-transaction"):
            return json_answer({"transaction_id": "other", "interval": 5}, 202)
        if self.has("deferred-again"):
            return json_answer({"transaction_id": "t", "interval": 9}, 202)
        return self._issued(*self._waiting)

    def _issued(self, name: str, keys: list[ec.EllipticCurvePublicKey]) -> Answer:
        """The answer with credentials."""
        if self.has("credential-redirect"):
            return httpx2.Response(302, headers={"location": "https://evil.example/"})
        texts = [self._issue(name, key) for key in (keys[:1] * len(keys) if self.has("copies-of-one-key") else keys)]
        if self.has("more-than-asked"):
            texts.append(texts[0])
        answer: dict[str, Any] = {"credentials": [{"credential": text} for text in texts], "notification_id": "n-1"}
        if self.has("nothing-to-notify"):
            del answer["notification_id"]
        if self.has("credential-old-draft"):
            answer = {"credential": texts[0], "format": "vc+sd-jwt"}
        return json_answer(answer, cache_control="no-store")

    def _issue(self, name: str, key: ec.EllipticCurvePublicKey) -> str:
        configuration = catalogue.CONFIGURATIONS[name]
        entry = ENTRY if configuration.document_type == "pda1" else sample("ehic", "ehic-01")
        if self.has("copies-differ") and len(self.proofs) > 1 and self._second():
            entry = sample("pda1", "pda1-02")
        document = catalogue.parse(configuration.document_type, entry["document_data"], identity=entry["identity"])
        signer = self.institution.signer(configuration.format)
        if self.has("credential-self-signed"):
            signer = LocalSigner(self.world.authority.key, (self.world.authority.certificate,))
        if self.has("credential-without-certificate"):
            signer = LocalSigner(signer.private_key)
        if self.has("credential-foreign-signature"):
            signer = LocalSigner(ec.generate_private_key(ec.SECP256R1()), signer.chain)
        if self.has("credential-unlisted"):
            signer = self.world.authority.leaf(subject={"C": "FR", "O": "Nobody (test)", "CN": "Nobody"})
        bound = holder() if self.has("credential-other-key") else _Public(key)
        changes: dict[str, Any] = {"valid_until": self.world.now - timedelta(days=1)} if self.has("credential-expired") else {}
        other = "ehic_dc4eu-1_sd_jwt"
        if self.has("credential-other-type"):
            entry = sample("ehic", "ehic-01")
            document = catalogue.parse("ehic", entry["document_data"], identity=entry["identity"])
            name = other
        text = self.world.issue(self.institution, name, document, holder=bound, signer=signer, **changes).text  # type: ignore[arg-type]
        return self._spoilt(text)

    def _second(self) -> bool:
        """True from the second credential on."""
        first, self.used_faults = "second" not in self.used_faults, self.used_faults | {"second"}
        return not first

    def _spoilt(self, text: str) -> str:
        issued, _, rest = text.partition("~")
        header, payload, signature = issued.split(".") if "~" in text else ("", "", "")
        members = json.loads_object(base64url.decode(header)) if header else {}
        if self.has("credential-alg-none"):
            return f"{base64url.encode(json.dumps({**members, 'alg': 'none'}))}.{payload}.~{rest}"
        if self.has("credential-foreign-disclosure"):
            return f"{issued}~{rest}{base64url.encode(json.dumps(['salt-salt-salt-salt', 'role', 'admin']))}~"
        if self.has("credential-with-key-binding"):
            to = Challenge(nonce="n", audience="a", response_uri="https://x.example/")
            return sd_jwt.bind(text, holder=holder(), nonce=to.nonce, audience=to.audience, now=self.world.now)
        if self.has("credential-not-text"):
            return "not a credential"
        if self.has("credential-altered"):
            return f"{header}.{payload[:-4]}AAAA.{signature}~{rest}"
        return text

    def _notification(self, request: httpx2.Request) -> Answer:
        if self.has("notification-refused"):
            return json_answer({"error": "invalid_notification_id"}, 400)
        if self.has("notification-unreachable"):
            raise httpx2.ConnectError("gone", request=request)
        self.notifications.append(json.loads_object(request.content))
        return httpx2.Response(204)

    def _dpop(self, request: httpx2.Request, endpoint: str, *, status: int, access_token: str | None = None) -> Answer | None:
        """The refusal of a request whose DPoP proof is not as it must be, None when it is (VCI-DPOP-1 to -4)."""
        try:
            found = dpop.verify(
                request.headers.get_list("dpop"),
                method="POST",
                url=f"{self.id}/{endpoint}",
                now=self.world.now,
                access_token=access_token,
                thumbprint=self._thumbprint if access_token else None,
            )
        except VerificationFailed:
            return json_answer({"error": "invalid_dpop_proof"}, status)
        if access_token is not None:
            assert request.headers["authorization"] == f"DPoP {access_token}"
        claims = json.loads_object(base64url.decode(request.headers["dpop"].split(".")[1]))
        if self.dpop_nonce is not None and (claims.get("nonce") != self.dpop_nonce or self.has("dpop-nonce-never-right")):
            headers = {"dpop_nonce": self.dpop_nonce}
            if status == 401:
                headers["www_authenticate"] = 'DPoP error="use_dpop_nonce"'
            return json_answer({"error": "use_dpop_nonce"}, status, **headers)
        if found.jti in self._jtis:
            return json_answer({"error": "invalid_dpop_proof"}, status)
        self._jtis.add(found.jti)
        self._thumbprint = found.thumbprint
        return None


@dataclass(frozen=True, slots=True)
class _Public:
    """A holder of whom only the public key is known."""

    public_key: ec.EllipticCurvePublicKey


def _endless() -> Any:
    while True:
        yield b" " * 65536
