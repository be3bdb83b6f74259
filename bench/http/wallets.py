"""A real issuer deployment, wallets with access tokens, and credential requests with fresh nonces, keys and proofs."""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import ec

from bench.http import load
from tests.support import issuer as world
from vc.keys.signer import LocalSigner
from vc.openid4vci import credential, dpop, proof, token

INSTITUTION = "fr-urssaf"
CONFIGURATION = "pda1_dc4eu-2_sd_jwt"
WALLETS = 16
_USES = 1000
_SETUP_CONNECTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """`dpop_key` None: a bearer token."""

    access_token: str
    dpop_key: LocalSigner | None


class Scene:
    """An issuer at `port` with its settings in `directory`, and the requests of its wallets."""

    def __init__(self, directory: Path, port: int) -> None:
        self.port = port
        deployment = world.build(
            directory, base_url=f"http://127.0.0.1:{port}", around=now(), credentials_per_grant=_USES, nonces_per_minute=10_000_000
        )
        deployment.raw["listen"]["port"] = port
        self.settings = directory / "issuer.json"
        self.settings.write_text(json.dumps(deployment.raw), encoding="utf-8")
        self.issuer = f"http://127.0.0.1:{port}/{INSTITUTION}"

    def wallets(self, *, bound: bool) -> list[Wallet]:
        """One wallet per offer of a document of its own. `bound`: with DPoP."""
        authorization = world.bearer(INSTITUTION)["authorization"]
        body = json.dumps(world.DOCUMENTS[INSTITUTION]).encode()
        made = []
        for _ in range(WALLETS):
            document = self._call(load.post("/api/v1/documents", body, port=self.port, authorization=authorization), status=201)
            path = f"/api/v1/documents/{document['document_id']}/offers"
            offer = self._call(load.post(path, b"{}", port=self.port, authorization=authorization), status=201)
            key = LocalSigner(ec.generate_private_key(ec.SECP256R1())) if bound else None
            (grant,) = offer["credential_offer"]["grants"].values()
            form = token.create_request(pre_authorized_code=grant["pre-authorized_code"], tx_code=offer["tx_code"])
            headers = {} if key is None else {"dpop": self._dpop(key, "token")}
            request = load.post(
                f"/{INSTITUTION}/token",
                urlencode(form).encode(),
                port=self.port,
                content_type="application/x-www-form-urlencoded",
                **headers,
            )
            made.append(Wallet(access_token=self._call(request)["access_token"], dpop_key=key))
        return made

    def requests(self, wallets: list[Wallet], count: int) -> list[bytes]:
        """`count` credential requests, wallets in turn: each with a fresh nonce, holder key and (bound) DPoP proof."""
        asking = load.post(f"/{INSTITUTION}/nonce", b"", port=self.port)
        nonces = [
            json.loads(a.body)["c_nonce"] for a in load.exchange([asking] * count, port=self.port, connections=_SETUP_CONNECTIONS)
        ]
        return [self._request(wallets[number % len(wallets)], nonce) for number, nonce in enumerate(nonces)]

    def _request(self, wallet: Wallet, nonce: str) -> bytes:
        holder = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
        body = credential.create_request(
            configuration_id=CONFIGURATION,
            identifier=None,
            proofs=[proof.create_jwt(holder, audience=self.issuer, nonce=nonce, issued_at=now())],
        )
        if wallet.dpop_key is None:
            headers = {"authorization": f"Bearer {wallet.access_token}"}
        else:
            shown = self._dpop(wallet.dpop_key, "credential", access_token=wallet.access_token)
            headers = {"authorization": f"DPoP {wallet.access_token}", "dpop": shown}
        return load.post(f"/{INSTITUTION}/credential", json.dumps(body, separators=(",", ":")).encode(), port=self.port, **headers)

    def _dpop(self, key: LocalSigner, endpoint: str, **options: Any) -> str:
        return dpop.create(key, method="POST", url=f"{self.issuer}/{endpoint}", now=now(), jti=secrets.token_hex(16), **options)

    def _call(self, request: bytes, *, status: int = 200) -> dict[str, Any]:
        (answer,) = load.exchange([request], port=self.port, connections=1, status=status)
        value: dict[str, Any] = json.loads(answer.body)
        return value


def now() -> datetime:
    """The present second."""
    return datetime.now(UTC).replace(microsecond=0)
