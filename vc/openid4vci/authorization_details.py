"""`authorization_details` of type `openid_credential` (RFC 9396; OpenID4VCI 1.0 §5.1.1, §6.1; VCI-AUTHZ-1, VCI-TOK-8)."""

from collections.abc import Sequence

from vc.encoding import json
from vc.errors import Malformed
from vc.openid4vci import members

TYPE = "openid_credential"
MAX_ENTRIES = 32
_CODE = "authorization_details"


def create(configuration_ids: Sequence[str], *, location: str | None = None) -> str:
    """The JSON text a wallet sends. `location`: the credential issuer, when its metadata name authorization servers."""
    located = {} if location is None else {"locations": [location]}
    return json.dumps([{"type": TYPE, **located, "credential_configuration_id": name} for name in configuration_ids]).decode(
        "utf-8"
    )


def parse(details: str, *, credential_issuer: str) -> tuple[str, ...]:
    """The configurations that are asked for, each once; fields nobody knows never make an entry invalid.

    `credential_issuer`: our identifier; an entry with `locations` must name it. Raises `Malformed("authorization_details")`.
    """
    try:
        value = json.loads(details, max_bytes=members.MAX_TEXT)
    except Malformed as exc:
        raise Malformed(_CODE, "not JSON", pointer="/authorization_details") from exc
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ENTRIES:
        raise Malformed(_CODE, f"not an array of 1 to {MAX_ENTRIES}", pointer="/authorization_details")
    found: list[str] = []
    for index, entry in enumerate(value):
        at = f"/authorization_details/{index}"
        detail = members.an_object(entry, _CODE, at)
        if detail.get("type") != TYPE:
            raise Malformed(_CODE, "only openid_credential is known", pointer=f"{at}/type")
        if credential_issuer not in (members.texts(detail, "locations", _CODE, at) or (credential_issuer,)):
            raise Malformed(_CODE, "meant for another credential issuer", pointer=f"{at}/locations")
        found.append(members.required_text(detail, "credential_configuration_id", _CODE, at))
    return tuple(dict.fromkeys(found))
