"""A verifier's request in pieces, for tests of both sides: change one member and see what happens."""

from collections.abc import Mapping
from typing import Any

from tests.support.pki import NOW, Authority, new_key, root
from vc.keys.signer import LocalSigner
from vc.openid4vp import client_id, client_metadata, request
from vc.openid4vp.client_id import Prefix
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.openid4vp.request import AuthorizationRequest

NONCE = "nonce-of-at-least-128-bits"
STATE = "state-of-at-least-128-bits"
HOST = "verifier.example"
RESPONSE_URI = f"https://{HOST}/oid4vp/1/response"
QUERY: dict[str, Any] = {
    "credentials": [
        {
            "id": "pid",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:test:pid"]},
            "claims": [{"path": ["family_name"]}, {"path": ["nationalities", None]}],
        }
    ]
}


class Verifier:
    """A verifier with an access certificate and a response key; `claims()` are those of a good request."""

    def __init__(self, *, authority: Authority | None = None, dns_names: tuple[str, ...] = (HOST,)) -> None:
        self.authority = authority or root("Test access CA")
        self.signer: LocalSigner = self.authority.leaf(dns_names=dns_names)
        self.encryption_key = new_key()
        self.target = EncryptionTarget(key=self.encryption_key.public_key(), kid="response-key")

    def client_id(self, prefix: Prefix = Prefix.X509_HASH) -> str:
        return client_id.of_certificate(prefix, self.signer.chain[0])

    def claims(self, prefix: Prefix = Prefix.X509_HASH, **changes: Any) -> dict[str, Any]:
        """The claims of a request, with members replaced, or removed when None."""
        made = {
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt",
            "client_id": self.client_id(prefix),
            "response_uri": RESPONSE_URI,
            "aud": request.STATIC_DISCOVERY_AUDIENCE,
            "nonce": NONCE,
            "state": STATE,
            "dcql_query": QUERY,
            "client_metadata": client_metadata.build(encryption=self.target),
            **changes,
        }
        return {name: value for name, value in made.items() if value is not None}

    def token(self, claims: Mapping[str, Any]) -> str:
        return request.sign(claims, self.signer, now=NOW)

    def verify(
        self, token: str, *, outer: str | None = None, wallet_nonce: str | None = None, **options: Any
    ) -> AuthorizationRequest:
        """What a wallet makes of it."""
        settings: dict[str, Any] = {"anchors": (self.authority.certificate,), "now": NOW, **options}
        return request.verify(token, outer_client_id=outer or self.client_id(), wallet_nonce=wallet_nonce, **settings)
