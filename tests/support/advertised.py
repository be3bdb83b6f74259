"""Institutions of every profile in one process, and a wallet that obeys their metadata and can break one rule of them."""

import hmac
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from tests.support import issuer as issuing
from tests.support import registration
from tests.support.attested import Attested, Instance
from tests.support.internet import Internet
from tests.support.issuer_sign_in import CLIENTS, SignInWallet, browser, go, query
from tests.support.issuer_wallet import Answer
from tests.support.pki import holder, new_key
from tests.support.upstream import SIGN_IN, Upstream
from tests.support.wallet_provider import WalletLists, WalletProvider
from vc.encoding import base64url, json
from vc.jose import jws
from vc.keys.ec import sign_raw
from vc.keys.signer import LocalSigner
from vc.openid4vci import authorization_server, credential, encryption, metadata, wallet_attestation
from vc.openid4vci.encryption import RequestEncryption, ResponseEncryption

PILOT, HAIP, STRICT = "fr-urssaf", "fr-cnam", "fr-msa"
EVERY = (PILOT, HAIP, STRICT)
POLICY = {"details": ["once_only"], "reissue_trigger_unused": 2}
INSTITUTIONS: dict[str, dict[str, Any]] = {
    PILOT: {"name": "Urssaf (test)", "types": ["pda1"], "registration_id": "NTRFR-TEST1", "clients": CLIENTS},
    HAIP: {"name": "CNAM (test)", "types": ["ehic"], "registration_id": "NTRFR-TEST2", "issuance_profile": "haip"},
    STRICT: {
        "name": "MSA (test)",
        "types": ["pda1"],
        "registration_id": "NTRFR-TEST4",
        "encryption": "required",
        "key_attestation": {"key_storage": ["iso_18045_high"], "user_authentication": ["iso_18045_moderate"]},
        "reuse_policy": POLICY,
        "registration_certificate": "registration.jwt",
    },
}
"""STRICT: a pilot whose settings tighten what settings can tighten."""
CONFIGURATION = {PILOT: "pda1_dc4eu-2_sd_jwt", HAIP: "ehic_dc4eu-1_sd_jwt", STRICT: "pda1_dc4eu-2_sd_jwt"}
OTHER_CONFIGURATION = {PILOT: "pda1_dc4eu-1_sd_jwt", HAIP: "eu.europa.ec.eudi.ehic_mdoc", STRICT: "eu.europa.ec.eudi.pda1_mdoc"}
UNLISTED = ("none", "HS256", "RS256", "EdDSA", "ES256K")
"""Algorithms no profile lists."""


@dataclass
class Applicant(SignInWallet):
    """An attested wallet at one institution. It keeps every rule of the metadata it read."""

    world: "World" = field(kw_only=True)
    institution: str = field(kw_only=True)
    instance: Instance = field(init=False)

    def __post_init__(self) -> None:
        self.instance = Instance(world=self.world.attested, issuer=self.issuer)
        self.client_id = self.instance.client_id
        self.shows(None)
        self.dpop_key = self.dpop_key or holder()
        self.server = authorization_server.parse(self.world.server_metadata(self.institution), issuer=self.issuer)
        self.described = metadata.parse(self.world.issuer_metadata(self.institution), credential_issuer=self.issuer)
        self.response_key = new_key()

    @property
    def configuration_id(self) -> str:
        return CONFIGURATION[self.institution]

    # --- being somebody

    def challenge(self) -> str | None:
        """A fresh challenge, where there are any."""
        if self.server.challenge_endpoint is None:
            return None
        answer = self.client.post(self.server.challenge_endpoint)
        assert answer.status_code == 200, answer.text
        challenge: str = answer.json()["attestation_challenge"]
        return challenge

    def attestation(self, **options: Any) -> dict[str, str]:
        """The headers of client authentication."""
        return self.instance.headers(**{"challenge": self.challenge(), **options})

    def shows(self, headers: Mapping[str, str] | None) -> None:
        """From now on these are the headers of client authentication; None: fresh and right ones each time."""
        self.attest = self.attestation if headers is None else lambda: dict(headers)

    def dpop(self, method: str, name: str, **options: Any) -> dict[str, str]:
        """With a nonce where the institution gives any out."""
        nonce = self.client.post(f"{self.issuer}/nonce").headers.get("dpop-nonce")
        return super().dpop(method, name, **{**({} if nonce is None else {"nonce": nonce}), **options})

    # --- getting a token

    def push_own(self, *, headers: Mapping[str, str] | None = None, **changes: Any) -> Answer:
        """Push a request for the configuration of this applicant."""
        self.shows(headers)
        return self.push(self.configuration_id, **changes)

    def code(self, pushed: Answer | None = None) -> str:
        """A code: pushed, signed in, sent back."""
        url = self.authorize_url(pushed or self.push_own())
        back = query(self.sign_in(url))
        assert back["iss"] == self.issuer
        return back["code"]

    def sign_in(self, url: str, *, refuse: bool = False) -> str:
        """The person opens `url`, signs in (or does not), and agrees that the answer goes to this wallet; gives that address."""
        person = browser(self.world.app)
        answer = go(person, self.world.upstream, url, refuse=refuse)
        link = re.search(r'id="return-to-wallet" href="([^"]+)"', answer.text)
        if link is not None and not html.unescape(link[1]).startswith(self.redirect_uri):
            answer, link = person.get(html.unescape(link[1])), None
        back: str = answer.headers["location"] if link is None else html.unescape(link[1])
        assert back.startswith(self.redirect_uri), back
        return back

    def redeem_own(self, code: str, *, headers: Mapping[str, str] | None = None, **changes: Any) -> Answer:
        self.shows(headers)
        return self.redeem(code, **changes)

    def offered(self) -> dict[str, Any]:
        """An offer by pre-authorized code."""
        wishes = {"grants": ["pre-authorized_code"], "formats": ["dc+sd-jwt"]}
        return issuing.offer(self.client, self.institution, document_id=self.world.documents[self.institution], **wishes)

    def entitle(self) -> "Applicant":
        """Get an access token by sign-in."""
        answer = self.redeem_own(self.code())
        assert answer.status_code == 200, answer.text
        return self

    # --- asking for a credential

    @property
    def key_attestation_required(self) -> bool:
        return self.described.configuration(self.configuration_id).key_attestation_required

    def jwt_proofs(self, keys: Sequence[LocalSigner], **changes: Any) -> list[str]:
        """One proof per key, with an attestation of all of them where one is required."""
        nonce = changes.pop("nonce", None) or self.nonce()
        if self.key_attestation_required and "key_attestation" not in changes:
            changes["key_attestation"] = self.instance.key_attestation(keys, nonce=nonce)
        return self.proofs(list(keys), nonce, **changes)

    def attestation_proof(self, keys: Sequence[LocalSigner], **claims: Any) -> list[str]:
        return [self.instance.key_attestation(keys, **{"nonce": self.nonce(), **claims})]

    def body(
        self, proofs: Sequence[str] | None = None, *, proof_type: str = "jwt", sent: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A right request, encrypted answer included where that is required; `sent` replaces members, None takes one out."""
        request = credential.create_request(
            configuration_id=self.configuration_id,
            proofs=self.jwt_proofs([holder()]) if proofs is None else proofs,
            proof_type=proof_type,
            response_encryption=self.asked_response if self.described.encryption_required else None,
        )
        return {name: value for name, value in {**request, **(sent or {})}.items() if value is not None}

    @property
    def asked_response(self) -> ResponseEncryption:
        return ResponseEncryption(key=self.response_key.public_key(), kid="wallet-1", enc="A256GCM")

    def ways(self) -> RequestEncryption:
        """How requests are encrypted here, as the metadata say."""
        return encryption.parse_request_metadata(self.world.issuer_metadata(self.institution)["credential_request_encryption"])

    def ask(self, body: Mapping[str, Any] | None = None, *, sealed: bool | None = None, to: str = "credential") -> Answer:
        """Send a credential request, encrypted where that is required (or as told)."""
        request = self.body() if body is None else body
        if self.described.encryption_required if sealed is None else sealed:
            return self.send(encryption.seal_request(request, self.ways()), to=to)
        return self.send(json.dumps(dict(request)).decode(), media_type="application/json", to=to)

    def send(self, content: str, *, media_type: str = "application/jwt", to: str = "credential") -> Answer:
        headers = {"content-type": media_type, **self.authorization(to)}
        return self.client.post(f"{self.issuer}/{to}", content=content, headers=headers)

    def credentials(self, answer: Answer) -> list[str]:
        """The credentials of an answer, decrypted if need be."""
        assert answer.status_code == 200, answer.text
        if answer.headers["content-type"] == "application/jwt":
            opened = encryption.open_response(answer.text, self.response_key, self.asked_response)
        else:
            opened = answer.json()
        return [entry["credential"] for entry in opened["credentials"]]


@dataclass
class World:
    """The issuer with its three institutions, the login, the wallet provider."""

    attested: Attested
    upstream: Upstream
    app: Any
    client: TestClient
    documents: dict[str, str]

    def issuer_metadata(self, institution: str) -> dict[str, Any]:
        return self._get(institution, metadata.WELL_KNOWN)

    def server_metadata(self, institution: str) -> dict[str, Any]:
        return self._get(institution, authorization_server.WELL_KNOWN)

    def _get(self, institution: str, name: str) -> dict[str, Any]:
        answer = self.client.get(metadata.well_known(self.attested.deployment.credential_issuer(institution), name))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def applicant(self, institution: str) -> Applicant:
        issuer = self.attested.deployment.credential_issuer(institution)
        return Applicant(self.client, issuer, self.attested.clock, world=self, institution=institution)


@contextmanager
def running(folder: Path, *, batch_size: int = 3) -> Iterator[World]:
    """The world while the block lasts; one document of the person at each institution."""
    internet, clock, provider = Internet(), issuing.TestClock(), WalletProvider()
    lists = WalletLists(folder, internet, clock, provider)
    registration.written(folder / "registration.jwt", sub="NTRFR-TEST4")
    deployment = issuing.build(
        folder,
        institutions={name: {**facts, "sign_in": SIGN_IN} for name, facts in INSTITUTIONS.items()},
        clock=clock,
        outbound=lists.outbound(),
        access=True,
        encryption=True,
        batch_size=batch_size,
        trust={"root": lists.root_file.name, "state": "trust", "refresh_seconds": 60},
    )
    attested = Attested(deployment=deployment, internet=internet, provider=provider, lists=lists)
    upstream = Upstream(internet, clock)
    app = deployment.worker()
    with issuing.client_of(app) as client:
        documents = {name: _document(client, name) for name in EVERY}
        yield World(attested=attested, upstream=upstream, app=app, client=client, documents=documents)
    deployment.close()


def _document(client: TestClient, institution: str) -> str:
    """The person's document at an institution; its id."""
    body = issuing.DOCUMENTS[HAIP if institution == HAIP else PILOT]
    answer = client.post("/api/v1/documents", json=body, headers=issuing.bearer(institution))
    assert answer.status_code == 201, answer.text
    document_id: str = answer.json()["document_id"]
    return document_id


def forged(token: str, alg: str, key: Any) -> str:
    """`token` saying another `alg`, as well made as can be: unsigned for `none`, a MAC for `HS256`, else signed with `key`."""
    header, payload, _ = token.split(".")
    changed = base64url.encode(json.dumps({**jws.parse(token).header, "alg": alg}))
    message = f"{changed}.{payload}".encode()
    if alg == "none":
        signature = b""
    elif alg == "HS256":
        signature = hmac.digest(json.dumps(jws.parse(token).header.get("jwk", {})), message, "sha256")
    else:
        signature = sign_raw(key, message)
    del header
    return f"{message.decode()}.{base64url.encode(signature)}"


def attestation_with(headers: Mapping[str, str], *, attestation: str | None = None, pop: str | None = None) -> dict[str, str]:
    """The headers with one of the two replaced."""
    changed = {wallet_attestation.HEADER: attestation, wallet_attestation.POP_HEADER: pop}
    return {**headers, **{name: value for name, value in changed.items() if value is not None}}
