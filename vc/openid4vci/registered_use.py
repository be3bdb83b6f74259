"""What a relying party is registered to ask for (ETSI TS 119 475 V1.2.1 §5.2), and what of a request goes beyond it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vc.encoding import claims_path
from vc.encoding.claims_path import Path
from vc.errors import Malformed
from vc.openid4vci import members

MAX_CREDENTIALS, MAX_CLAIMS = 200, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedCredential:
    """A kind of attestation and claims of it: as registered, or as asked for. `type_ids`: `vct` values or one `doctype`. `claims`:
    paths as in a DCQL query; empty means what every presentation of it shows, and nothing that is disclosed selectively."""

    format: str
    type_ids: tuple[str, ...]
    claims: tuple[Path, ...] = ()

    def render(self) -> dict[str, Any]:
        """One entry of `credentials`; `meta` as in a DCQL query."""
        named = {"claim": [{"path": list(path)} for path in self.claims]} if self.claims else {}
        return {"format": self.format, "meta": meta_of(self.format, self.type_ids), **named}


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """Something a request asks beyond the registration: entry `index` of what is asked; `path` None when it is the kind itself."""

    index: int
    path: Path | None


def meta_of(format: str, type_ids: tuple[str, ...]) -> dict[str, Any]:
    """The `meta` of a kind of attestation."""
    if format == "mso_mdoc":
        (doctype,) = type_ids
        return {"doctype_value": doctype}
    return {"vct_values": list(type_ids)}


def kind(entry: Mapping[str, Any], code: str, pointer: str) -> tuple[str, tuple[str, ...]]:
    """Format and types of an entry. Raises `Malformed(code)` with the place."""
    name = members.required_text(entry, "format", code, pointer)
    meta = members.an_object(entry.get("meta"), code, f"{pointer}/meta")
    doctype = members.text(meta, "doctype_value", code, f"{pointer}/meta")
    types = members.texts(meta, "vct_values", code, f"{pointer}/meta") or ()
    return name, types if doctype is None else (*types, doctype)


def parse(entries: Sequence[object], code: str, pointer: str) -> tuple[RequestedCredential, ...]:
    """The entries of `credentials`; claims under `claim`, or under `claims` as the registrar's data model has it (TS5).

    Raises `Malformed(code)` with the place, also for more than 200 entries or 500 claims of one.
    """
    if len(entries) > MAX_CREDENTIALS:
        raise Malformed(code, "too many credentials", pointer=pointer)
    return tuple(_entry(entry, code, f"{pointer}/{index}") for index, entry in enumerate(entries))


def _entry(entry: object, code: str, pointer: str) -> RequestedCredential:
    described = members.an_object(entry, code, pointer)
    format_name, types = kind(described, code, pointer)
    member = "claim" if "claim" in described else "claims"
    claims = members.array(described, member, code, pointer) or []
    if len(claims) > MAX_CLAIMS:
        raise Malformed(code, "too many claims", pointer=f"{pointer}/{member}")
    paths = []
    for index, claim in enumerate(claims):
        at = f"{pointer}/{member}/{index}"
        paths.append(claims_path.parse(members.an_object(claim, code, at).get("path"), pointer=f"{at}/path"))
    return RequestedCredential(format=format_name, type_ids=types, claims=tuple(paths))


def excess(registered: Sequence[RequestedCredential], asked: Sequence[RequestedCredential]) -> tuple[Excess, ...]:
    """What of `asked` is not `registered`, in order. Every type of an entry must be registered, and every claim for every type: the
    wallet may hold any of them. A registered path covers what lies below it; a registered `None` covers every index."""
    found = []
    for index, one in enumerate(asked):
        allowed = [_claims_of(registered, one.format, type_id) for type_id in one.type_ids]
        if not allowed or None in allowed:
            found.append(Excess(index=index, path=None))
            continue
        found += [
            Excess(index=index, path=path)
            for path in one.claims
            if not all(any(_covers(pattern, path) for pattern in patterns or ()) for patterns in allowed)
        ]
    return tuple(found)


def _claims_of(registered: Sequence[RequestedCredential], format: str, type_id: str) -> list[Path] | None:
    """The registered claims of a type, None when the type is not registered."""
    fitting = [one for one in registered if one.format == format and type_id in one.type_ids]
    return [path for one in fitting for path in one.claims] if fitting else None


def _covers(pattern: Path, path: Path) -> bool:
    """Whether the registered `pattern` is `path` or lies above it; an index, or every index, is covered by the same or by None."""
    return len(pattern) <= len(path) and all(
        wanted == found or (wanted is None and not isinstance(found, str)) for wanted, found in zip(pattern, path, strict=False)
    )
