"""The whole chain with everything high assurance asks for: people sign in with their PID at the verifier, wallets are attested,
messages are encrypted, metadata are signed. One process, a pretend internet on which answers may be tampered with."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient

from edge.outbound import FetchLimits, Outbound
from issuer.sign_in.provider import Providers
from tests.support import issuer as issuing
from tests.support.internet import Internet
from tests.support.verifier import BASE_URL as VERIFIER_URL
from tests.support.verifier import LIST_HOST, Institution, World
from tests.support.wallet import TestWallet
from tests.support.wallet_provider import WalletProvider
from trust_list import authoring
from wallet_sim.browser import OwnBrowser, presenting
from wallet_sim.identity import Identity
from wallet_sim.issuer_trust import IssuerTrust
from wallet_sim.provider import WalletProvider as Voucher
from wallet_sim.receive import Receiver

FORMATS = ("dc+sd-jwt", "mso_mdoc")
PILOT, HAIP, STRICT = "fr-urssaf", "fr-cnam", "fr-msa"
CLIENT_ID = "https://wallet.example/solutions/test"
INSTITUTIONS: dict[str, dict[str, Any]] = {
    PILOT: {"name": "Urssaf (test)", "types": ["pda1"], "registration_id": "NTRFR-TEST1", "issuance_profile": "pilot"},
    HAIP: {"name": "CNAM (test)", "types": ["ehic"], "registration_id": "NTRFR-TEST2", "issuance_profile": "haip"},
    STRICT: {
        "name": "MSA (test)",
        "types": ["pda1"],
        "registration_id": "NTRFR-TEST4",
        "issuance_profile": "pilot",
        "encryption": "required",
        "key_attestation": {"key_storage": ["iso_18045_moderate"], "user_authentication": ["iso_18045_moderate"]},
    },
    "test-pid": {"name": "PID provider (test)", "types": ["pid"], "registration_id": "NTRFR-TEST3"},
}
_CLAIMS = {"family_name": "family_name", "given_name": "given_name", "birth_date": "birthdate"}
_HOSTS = (urlsplit(issuing.BASE_URL).netloc, urlsplit(VERIFIER_URL).netloc)
Change = Callable[[httpx2.Response], httpx2.Response]


@dataclass
class Tampering:
    """What somebody on the way does to answers of addresses that end in `path`. `done`: how often."""

    path: str
    change: Change
    times: int | None = None
    done: int = 0

    def applies(self, request: httpx2.Request) -> bool:
        return request.url.path.endswith(self.path) and (self.times is None or self.done < self.times)


class HighChain:
    """Issuer and verifier applications, one clock, one wallet that can do everything."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        for name in ("world", "issuer"):
            (folder / name).mkdir()
        self.world, self.internet, self.tampering = World(folder / "world"), Internet(), list[Tampering]()
        self.provider, self._persons = WalletProvider(), 0
        self._outbound = Outbound(FetchLimits(allow_loopback=True), transport=self.internet)
        self._secrets = {name: secrets.token_urlsafe(24) for name in INSTITUTIONS}
        self.deployment = issuing.build(
            folder / "issuer",
            institutions={name: self._described(name) for name in INSTITUTIONS},
            outbound=self._outbound,
            access=True,
            encryption=True,
            trust={"root": str(self.world.folder / "trust-root.json"), "state": "trust", "refresh_seconds": 2},
        )
        stack.callback(self.deployment.close)
        self._publish_lists()
        self.internet.function(self.provider.host, self._attestation_status)
        providers = Providers(self._outbound, clock=self.world.clock, allow_http_loopback=True)
        app = self.deployment.worker(replace(self.deployment.service(), providers=providers))
        self.issuer: TestClient = stack.enter_context(issuing.client_of(app))
        settings = self.world.settings(openid_provider=self._openid_provider())
        self.verifier: TestClient = stack.enter_context(self.world.service(settings))
        for host, client in zip(_HOSTS, (self.issuer, self.verifier), strict=True):
            self.internet.function(host, self._through(client))
        self.world.reply[_HOSTS[0]] = self.internet.handle_request  # the verifier fetches status lists from the issuer
        self.wallet = self.new_wallet(folder / "wallet")

    # --- what happens in it

    def new_wallet(self, folder: Path) -> TestWallet:
        """An empty wallet; nothing is tampered with any more, and nothing was asked yet."""
        self.internet.seen.clear()
        self.internet.down.clear()
        self.tampering.clear()
        self.provider.values.clear()
        self._persons += 1
        self.wallet = TestWallet(folder, self.world, self.internet)
        return self.wallet

    def voucher(self, **changes: Any) -> Voucher:
        """The wallet provider as the wallet has it."""
        return Voucher(**{"signer": self.provider.signer, "client_id": CLIENT_ID, "status": self.provider.status(), **changes})

    def receiver(self, identity: Identity | None = None, **trust: Any) -> Receiver:
        """The wallet ready to receive, as an attested client that signs in with its own browser."""
        wallet = self.wallet
        anchors = {"access": (self.deployment.authority.certificate,), "registrars": (), **trust}
        return Receiver(
            wallet.store,
            wallet.wire,
            judge=wallet.judge(),
            clock=self.world.clock,
            identity=Identity(provider=self.voucher()) if identity is None else identity,
            agent=OwnBrowser(wallet.wire, presenting(wallet.presenter())),
            trust=IssuerTrust(clock=self.world.clock, **anchors),
        )

    def get_pid(self) -> None:
        """The person has a PID in the wallet."""
        created = self.offer("test-pid")
        self.receiver().receive(created["credential_offer_uri"], tx_code=created["tx_code"])

    @property
    def identity(self) -> dict[str, Any]:
        """Whose wallet it is: another person for each wallet, so that each has only the documents of its own test."""
        letters = "".join(chr(ord("A") + int(digit)) for digit in f"{self._persons:03}")
        return {**issuing.IDENTITY, "family_name": f"MARTIN{letters}", "authentic_source_person_id": f"FR-TEST-{self._persons:04}"}

    def offer(self, institution: str, **wishes: Any) -> dict[str, Any]:
        """An offer, secrets included."""
        document_id = wishes.pop("document_id", None) or self.submit(institution)
        return issuing.offer(self.issuer, institution, document_id=document_id, **{"formats": list(FORMATS), **wishes})

    def submit(self, institution: str, **changes: Any) -> str:
        """A document on record; gives its id."""
        known = issuing.DOCUMENTS.get(institution, issuing.DOCUMENTS[PILOT])
        body = {**known, "identity": self.identity, **changes}
        answer = self.issuer.post("/api/v1/documents", json=body, headers=issuing.bearer(institution))
        assert answer.status_code == 201, answer.text
        document_id: str = answer.json()["document_id"]
        return document_id

    def decide(self, institution: str, document_id: str, what: str, **body: Any) -> None:
        """What the institution does with a document: `release`, `refusal`, `revocation`."""
        path = f"/api/v1/documents/{document_id}/{what}"
        answer = self.issuer.post(path, json=body, headers=issuing.bearer(institution))
        assert answer.status_code == 200, answer.text

    def configurations(self, institution: str) -> list[str]:
        """What the institution issues."""
        found = self.issuer.get(f"/.well-known/openid-credential-issuer/{institution}")
        return list(found.json()["credential_configurations_supported"])

    def let_pass(self, **span: float) -> None:
        """Time passes for everybody."""
        self.deployment.clock.advance(**span)
        self.world.now = self.deployment.clock()

    def tamper(self, path: str, change: Change, *, times: int | None = None) -> Tampering:
        """From now on somebody on the way changes answers of addresses that end in `path`."""
        made = Tampering(path, change, times)
        self.tampering.append(made)
        return made

    # --- what it is made of

    def _described(self, name: str) -> dict[str, Any]:
        facts = INSTITUTIONS[name]
        if name == "test-pid":
            return facts
        client = {"issuer": VERIFIER_URL, "client_id": name, "client_secret": self._secrets[name]}
        return {**facts, "sign_in": {**client, "scopes": ["openid"], "claims": _CLAIMS}}

    def _publish_lists(self) -> None:
        for name, facts in INSTITUTIONS.items():
            signers = self.deployment.signers[name]
            one = Institution(
                id=name,
                name=facts["name"],
                country="FR",
                registration_id=facts["registration_id"],
                seal=signers["seal"],
                document_signer=signers["document_signer"],
                status_signer=signers["status"],
                status_uri=f"{issuing.BASE_URL}/{name}/status/1",  # not used: the real issuer says where its lists are
            )
            self.world.list_institution(one, facts["types"])
        authoring.add_entities(self.world.lists, "wallet", [self.provider.draft()], now=self.world.listed_since)
        self.world.publish_lists()
        self.internet.function(LIST_HOST, self.world.transport().handle_request)

    def _attestation_status(self, _: httpx2.Request) -> httpx2.Response:
        content = self.provider.status_token(self.world.now)
        return httpx2.Response(200, content=content, headers={"content-type": "application/statuslist+jwt"})

    def _openid_provider(self) -> dict[str, Any]:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.world.folder / "openid.key").write_bytes(pem)
        clients = [
            {
                "client_id": name,
                "name": facts["name"],
                "client_secret_sha256": hashlib.sha256(self._secrets[name].encode()).hexdigest(),
                "redirect_uris": [f"{issuing.BASE_URL}/{name}/sign-in/callback"],
                "claims": list(_CLAIMS.values()),
            }
            for name, facts in INSTITUTIONS.items()
            if name != "test-pid"
        ]
        return {"key": "openid.key", "clients": clients}

    def _through(self, client: TestClient) -> Callable[[httpx2.Request], httpx2.Response]:
        direct = Internet()
        direct.client("host", client)
        answer = direct.answerer("host")

        def tampered(request: httpx2.Request) -> httpx2.Response:
            client.cookies.clear()  # the cookies are the browser's, not the line's
            got = answer(request)
            for one in self.tampering:
                if one.applies(request):
                    one.done += 1
                    got = one.change(got)
            return httpx2.Response(got.status_code, headers=got.headers, content=got.content)

        return tampered


@contextmanager
def running_high_chain(folder: Path) -> Iterator[HighChain]:
    """A chain that runs until the block ends."""
    with ExitStack() as stack:
        yield HighChain(folder, stack)
