"""A wallet in a few lines, for tests of the issuer: it can do every step rightly, and each step can be bent by the test."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.testclient import TestClient

from tests.support.pki import holder
from vc.keys.signer import LocalSigner
from vc.openid4vci import credential, dpop, proof, token

Answer = Any  # the test client's response


@dataclass
class IssuerWallet:
    """Speaks to one institution. `dpop_key` set: every request carries a DPoP proof."""

    client: TestClient
    issuer: str
    clock: Any
    dpop_key: LocalSigner | None = None
    client_id: str | None = None
    access_token: str = ""
    identifiers: dict[str, str] = field(default_factory=dict)
    sent_proofs: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        moment: datetime = self.clock()
        return moment

    def token(self, offer: dict[str, Any], *, tx_code: str | None = "right", configuration_ids: tuple[str, ...] = ()) -> Answer:
        """Redeem an offer as the institution API gave it; `tx_code` "right" takes the one of the offer."""
        (grant,) = offer["credential_offer"]["grants"].values()
        form = token.create_request(
            pre_authorized_code=grant["pre-authorized_code"],
            tx_code=offer["tx_code"] if tx_code == "right" else tx_code,
            client_id=self.client_id,
            configuration_ids=configuration_ids,
        )
        answer = self.client.post(f"{self.issuer}/token", data=form, headers=self.dpop("POST", "token"))
        if answer.status_code == 200:
            body = answer.json()
            self.access_token = body["access_token"]
            self.identifiers = {
                entry["credential_configuration_id"]: entry["credential_identifiers"][0]
                for entry in body.get("authorization_details", [])
            }
        return answer

    def nonce(self) -> str:
        """A fresh c_nonce."""
        answer = self.client.post(f"{self.issuer}/nonce")
        assert answer.status_code == 200, answer.text
        nonce: str = answer.json()["c_nonce"]
        return nonce

    def proofs(self, keys: list[LocalSigner], nonce: str, **changes: Any) -> list[str]:
        """One jwt proof per key."""
        arguments = {"audience": self.issuer, "nonce": nonce, "issued_at": self.now, "client_id": self.client_id, **changes}
        return [proof.create_jwt(key, **arguments) for key in keys]

    def credential(self, configuration_id: str, *, keys: list[LocalSigner] | None = None, nonce: str | None = None) -> Answer:
        """Ask for one credential per key."""
        proofs = self.proofs(keys or [holder()], nonce or self.nonce())
        identifier = self.identifiers.get(configuration_id)
        body = credential.create_request(
            configuration_id=None if identifier else configuration_id, identifier=identifier, proofs=proofs
        )
        return self.post("credential", body)

    def post(self, name: str, body: Any) -> Answer:
        """A request with the access token (and proof)."""
        return self.client.post(f"{self.issuer}/{name}", json=body, headers=self.authorization(name))

    def authorization(self, name: str) -> dict[str, str]:
        """The headers that go with a request to the endpoint `name`."""
        scheme = "DPoP" if self.dpop_key else "Bearer"
        return {"authorization": f"{scheme} {self.access_token}", **self.dpop("POST", name, access_token=self.access_token)}

    def dpop(self, method: str, name: str, **options: Any) -> dict[str, str]:
        """The DPoP header, empty when the wallet does not use it."""
        if self.dpop_key is None:
            return {}
        arguments = {"method": method, "url": f"{self.issuer}/{name}", "now": self.now, "jti": secrets.token_hex(8), **options}
        return {"dpop": dpop.create(self.dpop_key, **arguments)}
