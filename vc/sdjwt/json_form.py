"""Reading the JSON serialization of an SD-JWT (RFC 9901 §8, SDJ-14): it is turned into the compact form and verified as that."""

from collections.abc import Mapping
from typing import Any

from vc.errors import Malformed


def to_compact(value: object) -> str:
    """The compact form of a decoded flattened or general JWS JSON object with `disclosures` and `kb_jwt` in the unprotected header.

    Of a general object the first signature is taken; further ones may not carry disclosures or a key binding (§8.1). `sd_hash`
    is computed over this very form (§8.1), so that nothing else has to know the difference. No other unprotected header member
    is looked at. Raises `Malformed("sd_jwt_json")`.
    """
    if not isinstance(value, Mapping):
        raise Malformed("sd_jwt_json", "not an object")
    signature, *others = _signatures(value)
    if any(not {"disclosures", "kb_jwt"}.isdisjoint(_header(other)) for other in others):
        raise Malformed("sd_jwt_json", "disclosures or a key binding beside a signature that is not the first")
    header = _header(signature)
    disclosures = header.get("disclosures", [])
    if not isinstance(disclosures, list):
        raise Malformed("sd_jwt_json", "disclosures is not an array")
    token = ".".join((_part(signature, "protected"), _part(value, "payload"), _part(signature, "signature")))
    key_binding = _part(header, "kb_jwt") if "kb_jwt" in header else ""
    parts = [token, *disclosures, key_binding]
    if not all(isinstance(part, str) and "~" not in part for part in parts):
        raise Malformed("sd_jwt_json", "a disclosure or the key binding is not one text")
    return "~".join(parts)


def _signatures(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "signatures" not in value:
        return [value]
    signatures = value["signatures"]
    if not isinstance(signatures, list) or not signatures or not all(isinstance(entry, Mapping) for entry in signatures):
        raise Malformed("sd_jwt_json", "signatures is not an array of objects")
    return signatures


def _header(signature: Mapping[str, Any]) -> Mapping[str, Any]:
    header = signature.get("header", {})
    if not isinstance(header, Mapping):
        raise Malformed("sd_jwt_json", "the unprotected header is not an object")
    return header


def _part(owner: Mapping[str, Any], name: str) -> str:
    part = owner.get(name)
    if not isinstance(part, str) or ("." in part and name != "kb_jwt"):
        raise Malformed("sd_jwt_json", f"{name} is missing or not base64url")
    return part
