"""What issuer metadata say about encryption (OpenID4VCI 1.0 §12.2.4; VCI-META-9, -10), read strictly, used where we can."""

from collections.abc import Mapping
from typing import Any

from vc.errors import Malformed, Refused
from vc.openid4vci import encryption, members
from vc.openid4vci.encryption import EncryptionOffer, RequestEncryption

_CODE = "metadata"
_REQUEST, _RESPONSE = "credential_request_encryption", "credential_response_encryption"
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def required(document: Mapping[str, Any]) -> bool:
    """Whether messages must be encrypted, in either direction. Raises `Malformed("metadata")`."""
    declared = [_declared(document, name) for name in (_REQUEST, _RESPONSE) if name in document]
    return any(one["encryption_required"] for one in declared)


def request(document: Mapping[str, Any]) -> RequestEncryption | None:
    """How requests are encrypted; None when they are not, or need not be and it is done in no way we know.

    Every key has a `kid` of its own and an `alg`, and is public. Raises `Malformed("metadata")`, and
    `Refused("encryption_unsupported")` when they must be encrypted in a way we do not know.
    """
    if _REQUEST not in document:
        return None
    declared = _declared(document, _REQUEST)
    at = f"/{_REQUEST}/jwks"
    keys = members.array(members.an_object(declared.get("jwks"), _CODE, at), "keys", _CODE, at)
    if keys is None:
        raise Malformed(_CODE, "missing", pointer=f"{at}/keys")
    names = [_kid(key, f"{at}/keys/{index}") for index, key in enumerate(keys)]
    if len(set(names)) != len(names):
        raise Malformed(_CODE, "two keys of one kid", pointer=f"{at}/keys")
    try:
        return encryption.parse_request_metadata(declared)
    except Refused:
        if declared["encryption_required"]:
            raise
        return None


def _kid(key: object, pointer: str) -> str:
    described = members.an_object(key, _CODE, pointer)
    members.required_text(described, "alg", _CODE, pointer)
    if _PRIVATE & described.keys():
        raise Malformed(_CODE, "a private or symmetric key", pointer=pointer)
    return members.required_text(described, "kid", _CODE, pointer)


def response(document: Mapping[str, Any]) -> EncryptionOffer | None:
    """How responses are encrypted, as `request` tells it for requests."""
    if _RESPONSE not in document:
        return None
    declared = _declared(document, _RESPONSE)
    if members.texts(declared, "alg_values_supported", _CODE, f"/{_RESPONSE}") is None:
        raise Malformed(_CODE, "missing", pointer=f"/{_RESPONSE}/alg_values_supported")
    try:
        return encryption.parse_response_metadata(declared)
    except Refused:
        if declared["encryption_required"]:
            raise
        return None


def _declared(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    at = f"/{name}"
    declared = members.an_object(document[name], _CODE, at)
    if "encryption_required" not in declared:
        raise Malformed(_CODE, "missing", pointer=f"{at}/encryption_required")
    members.flag(declared, "encryption_required", _CODE, at)
    if members.texts(declared, "enc_values_supported", _CODE, at) is None:
        raise Malformed(_CODE, "missing", pointer=f"{at}/enc_values_supported")
    return declared
