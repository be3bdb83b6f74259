"""The query itself: model and strict parser (OpenID4VP 1.0 §6.1–6.3, VP-DCQL-1, -2, -5, -9, -10)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vc.encoding import base64url, claims_path
from vc.encoding.claims_path import Path
from vc.errors import Malformed

SD_JWT_VC, MSO_MDOC = "dc+sd-jwt", "mso_mdoc"
MAX_ENTRIES = 100
"""Bound on every list of a query: credentials, claims, values, sets, options (VP §14.5, denial of service)."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")

Value = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsQuery:
    """One claim. `path`: from the root of the claims; for mdoc namespace and element first. `values`: empty when any will do."""

    id: str | None
    path: Path
    values: tuple[Value, ...] = ()
    intent_to_retain: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedAuthority:
    """One entry of `trusted_authorities`; `values` are key identifiers in base64url for `aki`, list addresses for `etsi_tl`."""

    type: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialQuery:
    """One credential asked for. `type_ids`: `vct_values` or the one `doctype_value`; empty for a format unknown here."""

    id: str
    format: str
    type_ids: tuple[str, ...]
    claims: tuple[ClaimsQuery, ...] | None
    claim_sets: tuple[tuple[str, ...], ...] | None
    trusted_authorities: tuple[TrustedAuthority, ...]
    multiple: bool
    holder_binding: bool

    def options(self) -> tuple[tuple[ClaimsQuery, ...], ...]:
        """The lists of claims of which one must be complete, preferred first; one empty list when no claim is named."""
        if self.claims is None:
            return ((),)
        if self.claim_sets is None:
            return (self.claims,)
        by_id = {claim.id: claim for claim in self.claims}
        return tuple(tuple(by_id[name] for name in names) for names in self.claim_sets)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSet:
    """`options`: lists of query ids, preferred first; one of them answers the set."""

    options: tuple[tuple[str, ...], ...]
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DcqlQuery:
    """A checked query; `sets` is empty when every credential is required."""

    credentials: tuple[CredentialQuery, ...]
    sets: tuple[CredentialSet, ...]

    def by_id(self) -> dict[str, CredentialQuery]:
        """The credential queries by id."""
        return {credential.id: credential for credential in self.credentials}

    def required_sets(self) -> tuple[CredentialSet, ...]:
        """`sets`, or one set naming every credential when there are none (§6.4.2)."""
        if self.sets:
            return self.sets
        return (CredentialSet(options=(tuple(credential.id for credential in self.credentials),), required=True),)


def parse(query: object, *, pointer: str = "/dcql_query") -> DcqlQuery:
    """The query of a decoded JSON object.

    Unknown members are ignored (VP-DCQL-9). Raises `Malformed` with `pointer` set and code `dcql` (shape), `dcql_id`
    (missing, bad or repeated id), `dcql_meta`, `dcql_claims` (empty, same claim twice), `dcql_claim_sets`, `dcql_values`,
    `dcql_authorities`, `dcql_sets`, `claims_path`.
    """
    members = _object(query, pointer)
    credentials = tuple(
        _credential(item, f"{pointer}/credentials/{at}")
        for at, item in enumerate(_list(members.get("credentials"), "dcql", f"{pointer}/credentials"))
    )
    _unique([credential.id for credential in credentials], f"{pointer}/credentials")
    sets = _optional(members, "credential_sets", "dcql_sets", pointer)
    known = {credential.id for credential in credentials}
    return DcqlQuery(
        credentials=credentials,
        sets=tuple(_set(item, known, f"{pointer}/credential_sets/{at}") for at, item in enumerate(sets or ())),
    )


def _credential(value: object, pointer: str) -> CredentialQuery:
    members = _object(value, pointer)
    credential_format = members.get("format")
    if not isinstance(credential_format, str) or not credential_format:
        raise Malformed("dcql", "format is required", pointer=f"{pointer}/format")
    meta = members.get("meta")
    if not isinstance(meta, Mapping):  # errata-1: required, although it may be empty for formats that allow it
        raise Malformed("dcql_meta", "meta is a required object", pointer=f"{pointer}/meta")
    claims = _optional(members, "claims", "dcql_claims", pointer)
    parsed_claims = None if claims is None else _claims(claims, credential_format, f"{pointer}/claims")
    authorities = _optional(members, "trusted_authorities", "dcql_authorities", pointer)
    return CredentialQuery(
        id=_id(members.get("id"), f"{pointer}/id"),
        format=credential_format,
        type_ids=_META.get(credential_format, _no_meta)(meta, f"{pointer}/meta"),
        claims=parsed_claims,
        claim_sets=_claim_sets(members, parsed_claims, pointer),
        trusted_authorities=tuple(
            _authority(item, f"{pointer}/trusted_authorities/{at}") for at, item in enumerate(authorities or ())
        ),
        multiple=_flag(members, "multiple", False, pointer),
        holder_binding=_flag(members, "require_cryptographic_holder_binding", True, pointer),
    )


def _vct_values(meta: Mapping[str, Any], pointer: str) -> tuple[str, ...]:  # Appendix B.3.5
    return _texts(meta.get("vct_values"), "dcql_meta", f"{pointer}/vct_values")


def _doctype_value(meta: Mapping[str, Any], pointer: str) -> tuple[str, ...]:  # Appendix B.2.3
    return _texts([meta.get("doctype_value")], "dcql_meta", f"{pointer}/doctype_value")


def _no_meta(_meta: Mapping[str, Any], _pointer: str) -> tuple[str, ...]:
    return ()


_META: Mapping[str, Callable[[Mapping[str, Any], str], tuple[str, ...]]] = {SD_JWT_VC: _vct_values, MSO_MDOC: _doctype_value}


def _claims(items: list[Any], credential_format: str, pointer: str) -> tuple[ClaimsQuery, ...]:
    claims = tuple(_claim(item, credential_format, f"{pointer}/{at}") for at, item in enumerate(items))
    _unique([claim.id for claim in claims if claim.id is not None], pointer)
    if len({claim.path for claim in claims}) != len(claims):  # §6.3: not the same claim more than once
        raise Malformed("dcql_claims", "the same claim is named twice", pointer=pointer)
    return claims


def _claim(value: object, credential_format: str, pointer: str) -> ClaimsQuery:
    members = _object(value, pointer)
    path = claims_path.parse(members.get("path"), pointer=f"{pointer}/path")
    if credential_format == MSO_MDOC and (len(path) < 2 or not all(isinstance(part, str) for part in path[:2])):  # §7.2
        raise Malformed("claims_path", "an mdoc path starts with namespace and element", pointer=f"{pointer}/path")
    values = _optional(members, "values", "dcql_values", pointer)
    if values is not None and not all(isinstance(item, str | int) for item in values):  # bool is an int; null and floats are not
        raise Malformed("dcql_values", "values are texts, integers or booleans", pointer=f"{pointer}/values")
    return ClaimsQuery(
        id=_id(members["id"], f"{pointer}/id") if "id" in members else None,
        path=path,
        values=tuple(values or ()),
        intent_to_retain=_flag(members, "intent_to_retain", False, pointer) if "intent_to_retain" in members else None,
    )


def _claim_sets(
    members: Mapping[str, Any], claims: tuple[ClaimsQuery, ...] | None, pointer: str
) -> tuple[tuple[str, ...], ...] | None:
    sets = _optional(members, "claim_sets", "dcql_claim_sets", pointer)
    if sets is None:
        return None
    where = f"{pointer}/claim_sets"
    if claims is None:
        raise Malformed("dcql_claim_sets", "claim_sets without claims", pointer=where)
    known = {claim.id for claim in claims}
    if None in known:
        raise Malformed("dcql_id", "every claim needs an id when there are claim_sets", pointer=f"{pointer}/claims")
    return tuple(_references(item, known, "dcql_claim_sets", f"{where}/{at}") for at, item in enumerate(sets))


def _authority(value: object, pointer: str) -> TrustedAuthority:
    members = _object(value, pointer)
    kind = members.get("type")
    if not isinstance(kind, str) or not kind:
        raise Malformed("dcql_authorities", "type is required", pointer=f"{pointer}/type")
    values = _texts(members.get("values"), "dcql_authorities", f"{pointer}/values")
    if kind == "aki":  # §6.1.1.1
        for value_ in values:
            base64url.decode(value_, pointer=f"{pointer}/values")
    return TrustedAuthority(type=kind, values=values)


def _set(value: object, known: set[str], pointer: str) -> CredentialSet:
    members = _object(value, pointer)
    options = _list(members.get("options"), "dcql_sets", f"{pointer}/options")
    return CredentialSet(
        options=tuple(_references(item, known, "dcql_sets", f"{pointer}/options/{at}") for at, item in enumerate(options)),
        required=_flag(members, "required", True, pointer),
    )


def _references(value: object, known: set[Any], code: str, pointer: str) -> tuple[str, ...]:
    names = _texts(value, code, pointer)
    if not known.issuperset(names) or len(set(names)) != len(names):
        raise Malformed(code, "an option names an unknown id or one twice", pointer=pointer)
    return names


def _object(value: object, pointer: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Malformed("dcql", "an object is expected", pointer=pointer)
    return value


def _list(value: object, code: str, pointer: str) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ENTRIES:
        raise Malformed(code, f"an array of 1 to {MAX_ENTRIES} entries is expected", pointer=pointer)
    return value


def _optional(members: Mapping[str, Any], name: str, code: str, pointer: str) -> list[Any] | None:
    return _list(members[name], code, f"{pointer}/{name}") if name in members else None


def _texts(value: object, code: str, pointer: str) -> tuple[str, ...]:
    items = _list(value, code, pointer)
    if not all(isinstance(item, str) and item for item in items):
        raise Malformed(code, "non-empty text is expected", pointer=pointer)
    return tuple(items)


def _id(value: object, pointer: str) -> str:
    if not isinstance(value, str) or not _ID.match(value):
        raise Malformed("dcql_id", "an id has letters, digits, underscore or hyphen only", pointer=pointer)
    return value


def _unique(names: list[str], pointer: str) -> None:
    if len(set(names)) != len(names):
        raise Malformed("dcql_id", "an id is used twice", pointer=pointer)


def _flag(members: Mapping[str, Any], name: str, default: bool, pointer: str) -> bool:
    value = members.get(name, default)
    if not isinstance(value, bool):
        raise Malformed("dcql", "a boolean is expected", pointer=f"{pointer}/{name}")
    return value
