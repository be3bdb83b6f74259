"""From a purpose to a question a wallet can fetch: a transaction with its signed request object, each used once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import Clock
from vc.encoding import base64url
from vc.errors import Malformed, Refused
from vc.keys.jwk import from_public, parse_public, thumbprint
from vc.openid4vp import client_id as client_ids
from vc.openid4vp import client_metadata, link, request_uri
from vc.openid4vp import request as messages
from vc.openid4vp.client_id import Prefix
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.openid4vp.request import DIRECT_POST_JWT, ResponseMode
from verifier.openid_provider.claims import purpose_of
from verifier.places import today
from verifier.problems import Problem
from verifier.purposes import FORMATS, Format, Purpose
from verifier.registration import verifier_info
from verifier.settings import ClientIdPrefix, Settings, has_dns_name, host_name
from verifier.store.transactions import State, Transaction, Transactions, lifetime

RequestUriMethod = Literal["get", "post"]
RandomBytes = Callable[[int], bytes]
GONE = "there is no such request, or it was answered, or its time is over: scan a new code"
_TOKEN_BYTES = 24  # 192 bits for every id, nonce and state (VP-REQ-2: at least 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the inspector wants to know and how the wallet shall be asked.

    `country` is an ISO code; without one the place is not checked.
    """

    purpose: Purpose
    country: str | None
    on: date
    formats: tuple[Format, ...] = FORMATS
    response_mode: ResponseMode = "direct_post.jwt"
    request_uri_method: RequestUriMethod = "get"
    client_id_prefix: ClientIdPrefix | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "purpose": self.purpose.id,
            "host_country": self.country,
            "on": self.on.isoformat(),
            "formats": list(self.formats),
            "response_mode": self.response_mode,
            "request_uri_method": self.request_uri_method,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "Question":
        """The question of a stored transaction."""
        return Question(
            purpose=purpose_of(value["purpose"]),
            country=value["host_country"],
            on=date.fromisoformat(value["on"]),
            formats=tuple(value["formats"]),
            response_mode=value["response_mode"],
            request_uri_method=value["request_uri_method"],
        )


class Asking:
    """Makes questions, and hands a wallet the request object of one."""

    def __init__(self, settings: Settings, transactions: Transactions, *, clock: Clock, random_bytes: RandomBytes) -> None:
        self._settings, self._transactions = settings, transactions
        self._clock, self._random_bytes = clock, random_bytes

    def today(self, country: str | None) -> date:
        """The day of a control that is made now in that country."""
        return today(self._clock(), country)

    def ask(self, question: Question, *, session_sha256: str | None = None, return_uri: str | None = None) -> Transaction:
        """Open a transaction; `return_uri` is for a wallet on the device of the browser that asked.

        Raises `Refused("client_id_prefix")` for x509_san_dns without a fitting certificate.
        """
        now = self._clock()
        self._transactions.purge(now - timedelta(seconds=self._settings.result_retention_seconds))
        request_id, state = self._token(), self._token()
        key = ec.generate_private_key(ec.SECP256R1()) if question.response_mode == DIRECT_POST_JWT else None
        encryption = None if key is None else EncryptionTarget(key=key.public_key(), kid=kid_of(key.public_key()))
        claims = messages.build(
            client_id=self._client_id(question.client_id_prefix or self._settings.client_id_prefix),
            response_uri=self.response_uri(request_id),
            response_mode=question.response_mode,
            nonce=self._token(),
            state=state,
            dcql_query=question.purpose.to_dcql(question.formats),
            client_metadata=client_metadata.build(encryption=encryption, formats=question.formats),
            verifier_info=verifier_info(  # EAA-P-3
                self._settings.registration_certificates,
                question.purpose,
                now=now,
                encoded=self._settings.registration_certificate_encoding == "base64url",
            ),
        )
        transaction = Transaction(
            transaction_id=self._token(),
            request_id=request_id,
            state=State.PENDING,
            created_at=now,
            expires_at=lifetime(now, self._settings.request_lifetime_seconds),
            question=question.to_json(),
            request=claims,
            request_object=messages.sign(claims, self._settings.access, now=now),
            request_state=state,
            encryption_key=None if key is None else private_jwk(key),
            session_sha256=session_sha256,
            return_uri=return_uri,
        )
        self._transactions.add(transaction)
        return transaction

    def fetch(self, request_id: str, form: Mapping[str, str]) -> str:
        """The request object of an open request; `form`: the fields of the wallet's POST, empty for GET.

        The stored object, or the same claims with the wallet's nonce copied in (VP-REQ-7), signed anew; encrypted when the
        wallet's metadata asks for it. Fetching changes nothing (R-9). Raises `Problem` 404 for a request that is unknown or no
        longer open, 400 for a `wallet_nonce` or `wallet_metadata` that is none.
        """
        transaction = self._transactions.by_request(request_id)
        if transaction is None or transaction.shown_state(self._clock()) is not State.PENDING:
            raise Problem(404, "invalid_request", GONE)
        try:
            wishes = request_uri.parse_form(form)
        except Malformed as error:
            raise Problem(400, "invalid_request", error.detail) from error
        token = transaction.request_object
        if wishes.wallet_nonce is not None:
            claims = {**transaction.request, "wallet_nonce": wishes.wallet_nonce}
            token = messages.sign(claims, self._settings.access, now=transaction.created_at)
        return request_uri.encrypt(token, wishes)

    def link(self, transaction: Transaction) -> str:
        """The `openid4vp:` link to show as QR code or to open on the same device (EAA-P-1: by reference)."""
        return link.build(
            client_id=transaction.request["client_id"],
            request_uri=self.request_uri(transaction.request_id),
            method=transaction.question["request_uri_method"],
        )

    def request_uri(self, request_id: str) -> str:
        """Where the wallet fetches the request object; from settings, never from the request (H-12)."""
        return f"{self._settings.base_url}/oid4vp/{request_id}/request"

    def response_uri(self, request_id: str) -> str:
        """Where the wallet posts its answer."""
        return f"{self._settings.base_url}/oid4vp/{request_id}/response"

    def _client_id(self, prefix: ClientIdPrefix) -> str:
        if prefix == "x509_hash":  # VP-CID-1
            return client_ids.of_certificate(Prefix.X509_HASH, self._settings.access.chain[0])
        if not has_dns_name(self._settings):  # VP-CID-2: the name must be that of response_uri
            raise Refused("client_id_prefix", "the access certificate does not name this verifier's host")
        return f"{Prefix.X509_SAN_DNS}:{host_name(self._settings)}"

    def _token(self) -> str:
        return self._random_bytes(_TOKEN_BYTES).hex()  # never begins like an option of a command line


def kid_of(key: ec.EllipticCurvePublicKey) -> str:
    """The `kid` an encryption key is offered under (VP-REQ-11): its thumbprint."""
    return base64url.encode(thumbprint(key))


def private_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """The JWK of a private key, for the store: another worker may be the one that opens the answer (R-13)."""
    size = (key.key_size + 7) // 8
    return from_public(key.public_key(), d=base64url.encode(key.private_numbers().private_value.to_bytes(size, "big")))


def private_key(jwk: Mapping[str, Any]) -> ec.EllipticCurvePrivateKey:
    """The key of a JWK made by `private_jwk`."""
    public = parse_public({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    value = int.from_bytes(base64url.decode(jwk["d"]), "big")
    return ec.derive_private_key(value, public.curve)
