"""The deferred credential request (OpenID4VCI 1.0 §9): asking again for credentials the issuer needed time for.

The answers are those of the credential endpoint: `credential.response`, or `credential.deferred_response` while it is pending.
"""

from dataclasses import dataclass, field
from typing import Any

from vc.errors import Malformed
from vc.openid4vci import encryption, members
from vc.openid4vci.encryption import EncryptionOffer, ResponseEncryption

_CODE = "request"
MAX_ID = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferredRequest:
    """A read request. `response_encryption` replaces that of the first request, which is not remembered (VCI-DEF-1)."""

    transaction_id: str = field(repr=False)
    response_encryption: ResponseEncryption | None


def parse_request(value: object, *, encrypted: bool = False, offer: EncryptionOffer | None = None) -> DeferredRequest:
    """Read a decoded request; unknown members are ignored. Whether the transaction is one, the caller knows (`transaction_…`).

    Raises `Malformed("request")` without a `transaction_id`, and as `encryption.asked_response`.
    """
    request = members.an_object(value, _CODE)
    transaction_id = members.required_text(request, "transaction_id", _CODE)
    if len(transaction_id) > MAX_ID:
        raise Malformed(_CODE, "too long", pointer="/transaction_id")
    return DeferredRequest(
        transaction_id=transaction_id,
        response_encryption=encryption.asked_response(request, encrypted=encrypted, offer=offer),
    )


def create_request(transaction_id: str, *, response_encryption: ResponseEncryption | None = None) -> dict[str, Any]:
    """The wallet's request."""
    asked = {} if response_encryption is None else {"credential_response_encryption": encryption.ask_response(response_encryption)}
    return {"transaction_id": transaction_id, **asked}
