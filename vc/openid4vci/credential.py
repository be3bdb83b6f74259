"""Credential request and response (OpenID4VCI 1.0 §8)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vc.errors import Malformed, Refused
from vc.openid4vci import encryption as encryptions
from vc.openid4vci import members
from vc.openid4vci.encryption import EncryptionOffer, ResponseEncryption
from vc.openid4vci.proof import MAX_LENGTH as MAX_PROOF

_CODE = "request"
_RESPONSE = "credential_response"
# OLD-01: members of drafts before 1.0. A request that has one is refused whole, never served half (SECURITY I-18).
_OLD = ("format", "vct", "doctype", "credential_definition", "types")


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRequest:
    """A read request. `configuration_id`: what is asked for, also when it was named by `identifier`.

    `proofs`: unverified texts of type `proof_type`, at least one and at most the batch size (one of type `attestation`).
    `response_encryption`: how the answer is to be encrypted; None for a plain one.
    """

    configuration_id: str
    identifier: str | None
    proof_type: str
    proofs: tuple[str, ...] = field(repr=False)
    response_encryption: ResponseEncryption | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialResponse:
    """An immediate answer: credentials in their wire form, none of them looked at yet."""

    credentials: tuple[str, ...] = field(repr=False)
    notification_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """The issuer needs time: ask again after `interval` seconds."""

    transaction_id: str
    interval: int


def parse_request(
    value: object,
    *,
    configuration_ids: Collection[str],
    credential_identifiers: Mapping[str, str] | None,
    batch_size: int,
    proof_types: Collection[str] = ("jwt",),
    encrypted: bool = False,
    encryption: EncryptionOffer | None = None,
) -> CredentialRequest:
    """Read a decoded credential request; nothing in its proofs is verified, unknown members are ignored (VCI-CRED-12).

    `configuration_ids`: what the access token is good for. `credential_identifiers`: identifier → configuration when the token
    response gave identifiers, which must then be used (VCI-CRED-1); None when it gave none. `batch_size`: most proofs taken.
    `proof_types`: those of the metadata. `encrypted`: whether the request came as a JWE. `encryption`: what is offered, if any.

    Raises `Malformed("request")` (old drafts, both or none or the wrong one of the two names), `Refused` with
    `configuration_unknown` or `identifier_unknown`, as `encryption.asked_response`, and codes beginning with `proof_` for `proofs`
    that are missing, of another type, empty, too many, or an old `proof` (VCI-CRED-3, OLD-02, SECURITY I-4).
    """
    request = members.an_object(value, _CODE)
    if any(name in request for name in _OLD):
        raise Malformed(_CODE, "the request is of a draft before OpenID4VCI 1.0")
    response_encryption = encryptions.asked_response(request, encrypted=encrypted, offer=encryption)
    identifier = members.text(request, "credential_identifier", _CODE)
    configuration_id = members.text(request, "credential_configuration_id", _CODE)
    if (identifier is None) == (configuration_id is None):
        raise Malformed(_CODE, "exactly one of credential_identifier and credential_configuration_id")
    if (identifier is None) != (credential_identifiers is None):
        raise Malformed(_CODE, "credential_identifier is used when the token response gave identifiers, and only then")
    if identifier is not None:
        configuration_id = (credential_identifiers or {}).get(identifier)
        if configuration_id is None:
            raise Refused("identifier_unknown", "no such credential identifier was given out with this token")
    if configuration_id is None or configuration_id not in configuration_ids:
        raise Refused("configuration_unknown", "no such credential configuration, or not one of this access token")
    proof_type, proofs = _proofs(request, batch_size, proof_types)
    return CredentialRequest(
        configuration_id=configuration_id,
        identifier=identifier,
        proof_type=proof_type,
        proofs=proofs,
        response_encryption=response_encryption,
    )


def _proofs(request: Mapping[str, Any], batch_size: int, proof_types: Collection[str]) -> tuple[str, tuple[str, ...]]:
    if "proof" in request:
        raise Malformed("proof_old", "a single proof is of a draft before OpenID4VCI 1.0; use proofs", pointer="/proof")
    if "proofs" not in request:
        raise Malformed("proof_missing", "the credential is bound to a key; proofs are needed", pointer="/proofs")
    proofs = members.an_object(request["proofs"], "proof_type", "/proofs")
    proof_type = next((name for name in proof_types if name in proofs), None)
    if len(proofs) != 1 or proof_type is None:
        raise Malformed("proof_type", f"exactly one proof type, of {' and '.join(proof_types)}", pointer="/proofs")
    values = members.array(proofs, proof_type, "proof_type", "/proofs") or []
    if len(values) > (1 if proof_type == "attestation" else batch_size):
        raise Refused("proof_count", "more proofs than the batch size, or than one attestation", pointer=f"/proofs/{proof_type}")
    if not all(isinstance(text, str) and 0 < len(text) <= MAX_PROOF for text in values):
        raise Malformed("proof_malformed", "a proof is not a text of reasonable length", pointer=f"/proofs/{proof_type}")
    return proof_type, tuple(values)


def create_request(
    *,
    configuration_id: str | None = None,
    identifier: str | None = None,
    proofs: Sequence[str],
    proof_type: str = "jwt",
    response_encryption: ResponseEncryption | None = None,
) -> dict[str, Any]:
    """The wallet's request. ValueError unless exactly one of the two names is given."""
    if (configuration_id is None) == (identifier is None):
        raise ValueError("exactly one of configuration and identifier")
    name = {"credential_configuration_id": configuration_id} if identifier is None else {"credential_identifier": identifier}
    asked = {} if response_encryption is None else {"credential_response_encryption": encryptions.ask_response(response_encryption)}
    return {**name, "proofs": {proof_type: list(proofs)}, **asked}


def response(credentials: Sequence[str], *, notification_id: str | None = None) -> dict[str, Any]:
    """The body of an immediate answer (VCI-RESP-1, OLD-04). ValueError without credentials."""
    if not credentials:
        raise ValueError("an immediate answer has credentials")
    return {
        "credentials": [{"credential": credential} for credential in credentials],
        **({"notification_id": notification_id} if notification_id is not None else {}),
    }


def deferred_response(transaction_id: str, interval: int) -> dict[str, Any]:
    """The body of a 202 answer: ask again after `interval` seconds (VCI-RESP-1, VCI-DEF-2). ValueError for no time at all."""
    if interval < 1:
        raise ValueError("the interval is at least a second")
    return {"transaction_id": transaction_id, "interval": interval}


def parse_response(value: object, *, requested: int) -> CredentialResponse | Deferred:
    """The wallet's reading of a decoded answer to a request with `requested` keys; unknown members are ignored.

    Raises `Malformed("credential_response")`: neither or both of `credentials` and `transaction_id` (VCI-RESP-1), a credential
    that is not text, more credentials than asked for, a `notification_id` without credentials (VCI-RESP-3), no `interval`.
    """
    document = members.an_object(value, _RESPONSE)
    entries = members.array(document, "credentials", _RESPONSE)
    transaction_id = members.text(document, "transaction_id", _RESPONSE)
    notification_id = members.text(document, "notification_id", _RESPONSE)
    if (entries is None) == (transaction_id is None):
        raise Malformed(_RESPONSE, "exactly one of credentials and transaction_id")
    if entries is None:
        interval = members.positive(document, "interval", _RESPONSE)
        if interval is None or transaction_id is None or notification_id is not None:
            raise Malformed(_RESPONSE, "a deferred answer has an interval and nothing to notify about")
        return Deferred(transaction_id=transaction_id, interval=interval)
    if len(entries) > requested:
        raise Malformed(_RESPONSE, "more credentials than asked for", pointer="/credentials")
    credentials = []
    for index, entry in enumerate(entries):
        at = f"/credentials/{index}"
        credential = members.an_object(entry, _RESPONSE, at).get("credential")
        if not isinstance(credential, str) or not credential:
            raise Malformed(_RESPONSE, "not a text", pointer=f"{at}/credential")
        credentials.append(credential)
    return CredentialResponse(credentials=tuple(credentials), notification_id=notification_id)
