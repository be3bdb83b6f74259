"""The wallet file as JSON. A file of the first edition, which knew credentials only, is still read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import base64url, json
from vc.errors import Malformed
from vc.keys.ec import curve_of
from vc.keys.jwk import from_public, parse_public
from wallet_sim.contents import Contents, Copy, Grant, Holding, Pending

VERSION = 2
_READABLE = (1, VERSION)
MAX_BYTES = 64 * 1024 * 1024


def private_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """The private JWK of `key`, for the store and for an export by name only."""
    size = curve_of(key).size
    return {**from_public(key.public_key()), "d": base64url.encode(key.private_numbers().private_value.to_bytes(size, "big"))}


def dump(contents: Contents) -> bytes:
    """The octets of the file."""
    return json.dumps(
        {
            "version": VERSION,
            "credentials": [_holding(holding) for holding in contents.holdings],
            "grants": [_grant(grant) for grant in contents.grants.values()],
            "pending": [_pending(pending) for pending in contents.pending],
            "instances": {server: private_jwk(key) for server, key in contents.instances.items()},
        }
    )


def load(data: bytes) -> Contents:
    """The contents. Raises `Malformed("wallet_store")` for a file that is not a wallet's, and what the JSON reader raises."""
    try:
        stored = json.loads(data, max_bytes=MAX_BYTES)
        if stored["version"] not in _READABLE:
            raise Malformed("wallet_store", "the wallet file is of another version")
        grants = [_read_grant(item) for item in stored.get("grants", [])]
        return Contents(
            holdings=[_read_holding(item) for item in stored["credentials"]],
            grants={grant.id: grant for grant in grants},
            pending=[_read_pending(item) for item in stored.get("pending", [])],
            instances={server: _private_key(jwk) for server, jwk in stored.get("instances", {}).items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise Malformed("wallet_store", "the file is not one of this wallet") from exc


def _holding(holding: Holding) -> dict[str, Any]:
    return {
        "number": holding.number,
        "format": holding.format,
        "type_id": holding.type_id,
        "configuration_id": holding.configuration_id,
        "issuer": holding.issuer,
        "received": holding.received.isoformat(),
        "grant": holding.grant,
        "copies": [
            {"credential": copy.credential, "key": private_jwk(copy.key), "uses": copy.uses, "last": copy.last}
            for copy in holding.copies
        ],
    }


def _read_holding(item: Mapping[str, Any]) -> Holding:
    return Holding(
        number=item["number"],
        format=item["format"],
        type_id=item["type_id"],
        configuration_id=item["configuration_id"],
        issuer=item["issuer"],
        received=datetime.fromisoformat(item["received"]),
        grant=item.get("grant"),
        copies=tuple(
            Copy(credential=copy["credential"], key=_private_key(copy["key"]), uses=copy["uses"], last=copy["last"])
            for copy in item["copies"]
        ),
    )


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "credential_issuer": grant.credential_issuer,
        "server": grant.server,
        "client_id": grant.client_id,
        "access_token": grant.access_token,
        "expires": None if grant.expires is None else grant.expires.isoformat(),
        "refresh_token": grant.refresh_token,
        "dpop_key": None if grant.dpop_key is None else private_jwk(grant.dpop_key),
        "identifiers": {name: list(identifiers) for name, identifiers in grant.identifiers.items()},
    }


def _read_grant(item: Mapping[str, Any]) -> Grant:
    return Grant(
        id=item["id"],
        credential_issuer=item["credential_issuer"],
        server=item["server"],
        client_id=item["client_id"],
        access_token=item["access_token"],
        expires=None if item["expires"] is None else datetime.fromisoformat(item["expires"]),
        refresh_token=item["refresh_token"],
        dpop_key=None if item["dpop_key"] is None else _private_key(item["dpop_key"]),
        identifiers={name: tuple(identifiers) for name, identifiers in item["identifiers"].items()},
    )


def _pending(pending: Pending) -> dict[str, Any]:
    return {
        "number": pending.number,
        "grant": pending.grant,
        "configuration_id": pending.configuration_id,
        "format": pending.format,
        "type_id": pending.type_id,
        "issuer": pending.issuer,
        "transaction_id": pending.transaction_id,
        "interval": pending.interval,
        "not_before": pending.not_before.isoformat(),
        "keys": [private_jwk(key) for key in pending.keys],
    }


def _read_pending(item: Mapping[str, Any]) -> Pending:
    return Pending(
        number=item["number"],
        grant=item["grant"],
        configuration_id=item["configuration_id"],
        format=item["format"],
        type_id=item["type_id"],
        issuer=item["issuer"],
        transaction_id=item["transaction_id"],
        interval=item["interval"],
        not_before=datetime.fromisoformat(item["not_before"]),
        keys=tuple(_private_key(key) for key in item["keys"]),
    )


def _private_key(jwk: Any) -> ec.EllipticCurvePrivateKey:
    public = parse_public({name: value for name, value in jwk.items() if name != "d"})
    key = ec.derive_private_key(int.from_bytes(base64url.decode(jwk["d"]), "big"), public.curve)
    if key.public_key() != public:
        raise Malformed("wallet_store", "a private key does not fit its public key")
    return key
