"""SD-JWT VC Type Metadata (SD-JWT VC -13 §6 to §9, with the rejection rules of -17): what a type says about its claims."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from vc.encoding import claims_path, json
from vc.encoding.claims_path import Path
from vc.errors import Malformed, Refused, VerificationFailed
from vc.sdjwt.integrity import check as check_integrity
from vc.sdjwt.integrity import of as integrity
from vc.sdjwt.verify import SdJwt

__all__ = [
    "ClaimMetadata", "Disclosable", "Loader", "TypeMetadata",
    "check_claims", "check_integrity", "integrity", "parse", "render", "resolve",
]  # fmt: skip

MAX_LENGTH = 256 * 1024
MAX_EXTENDS = 8
Disclosable = Literal["always", "allowed", "never"]
_SD = ("always", "allowed", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMetadata:
    """What a type says about one claim. `display`: objects with `locale` and `label` (and `description`)."""

    path: Path
    display: tuple[dict[str, Any], ...] = ()
    mandatory: bool = False
    sd: Disclosable = "allowed"
    svg_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeMetadata:
    """One type metadata document. `display`: objects with `locale`, `name`, `description`, `rendering` as in the draft."""

    vct: str
    name: str | None = None
    description: str | None = None
    extends: str | None = None
    extends_integrity: str | None = None
    display: tuple[dict[str, Any], ...] = ()
    claims: tuple[ClaimMetadata, ...] = ()


Loader = Callable[[str, str | None], bytes]
"""Gives the octets of the type metadata of a vct, with the integrity it should have; bounds, https and SSRF are the loader's."""


def render(metadata: TypeMetadata) -> bytes:
    """The JSON document, the same octets every time; to be published as they are, since `vct#integrity` covers them."""
    document: dict[str, Any] = {"vct": metadata.vct}
    optional = {
        "name": metadata.name,
        "description": metadata.description,
        "extends": metadata.extends,
        "extends#integrity": metadata.extends_integrity,
        "display": list(metadata.display),
        "claims": [_render_claim(claim) for claim in metadata.claims],
    }
    return json.dumps(document | {name: value for name, value in optional.items() if value})


def _render_claim(claim: ClaimMetadata) -> dict[str, Any]:
    rendered: dict[str, Any] = {"path": list(claim.path)}
    if claim.display:
        rendered["display"] = list(claim.display)
    if claim.mandatory:
        rendered["mandatory"] = True
    rendered["sd"] = claim.sd
    return rendered | ({"svg_id": claim.svg_id} if claim.svg_id else {})


def parse(data: bytes, *, vct: str | None = None) -> TypeMetadata:
    """Read a type metadata document; unknown members are ignored.

    `vct`: the type it was asked for (TM-1: `VerificationFailed("type_metadata_vct")` when it speaks of another). Raises
    `Malformed("type_metadata")` with the pointer of the offending member, or the code of the JSON fault.
    """
    document = json.loads_object(data, max_bytes=MAX_LENGTH)
    found = _text(document, "vct", "")
    if found is None:
        raise Malformed("type_metadata", "vct is missing", pointer="/vct")
    if vct is not None and found != vct:
        raise VerificationFailed("type_metadata_vct", "the type metadata is for another type", pointer="/vct")
    claims = tuple(_claim(entry, f"/claims/{index}") for index, entry in enumerate(_list(document, "claims", "")))
    if len({claim.path for claim in claims}) != len(claims):
        raise Malformed("type_metadata", "two entries for one claim", pointer="/claims")
    return TypeMetadata(
        vct=found,
        name=_text(document, "name", ""),
        description=_text(document, "description", ""),
        extends=_text(document, "extends", ""),
        extends_integrity=_text(document, "extends#integrity", ""),
        display=_displays(document, "", "name"),
        claims=claims,
    )


def resolve(data: bytes, *, vct: str, loader: Loader) -> TypeMetadata:
    """The metadata of `data` with everything it extends merged in (SD-JWT VC -13 §8.3, TM-4).

    An extending type keeps the rules of the extended one: it may make a claim mandatory or turn `allowed` into `always` or
    `never`, never the reverse. Raises as `parse`, and `Refused` with `type_metadata_cycle` (also for more than 8 levels) or
    `type_metadata_loosened`, `VerificationFailed("integrity")`.
    """
    chain = [parse(data, vct=vct)]
    while (parent := chain[-1].extends) is not None:
        if len(chain) > MAX_EXTENDS or parent in {metadata.vct for metadata in chain}:
            raise Refused("type_metadata_cycle", "the type extends itself or too many others")
        expected = chain[-1].extends_integrity
        octets = loader(parent, expected)
        if expected is not None:
            check_integrity(octets, expected)
        chain.append(parse(octets, vct=parent))
    merged = chain.pop()
    while chain:
        merged = _extend(merged, chain.pop())
    return merged


def _extend(parent: TypeMetadata, child: TypeMetadata) -> TypeMetadata:
    inherited = {claim.path: claim for claim in parent.claims}
    for claim in child.claims:
        above = inherited.get(claim.path)
        if above is not None and ((above.mandatory and not claim.mandatory) or above.sd not in ("allowed", claim.sd)):
            raise Refused("type_metadata_loosened", "an extending type loosens a rule of the type it extends")
        inherited[claim.path] = claim if claim.display or above is None else replace(claim, display=above.display)
    return replace(child, display=child.display or parent.display, claims=tuple(inherited.values()))


def check_claims(metadata: TypeMetadata, sd_jwt: SdJwt) -> None:
    """The claims of a verified SD-JWT against its (resolved) type metadata (TM-4).

    `sd`: a claim that is there must be selectively disclosed when `always` and must not when `never`. `mandatory`: missing is
    an error where it cannot be merely hidden: the claim is `never` disclosable, or no digest was left without disclosure.
    A mandatory claim inside another is asked for wherever that other is there. Raises `VerificationFailed` with
    `type_metadata_vct`, `type_metadata_sd`, `type_metadata_mandatory`, or `claims_path` for a claim of another shape.
    """
    if sd_jwt.claims.get("vct") != metadata.vct:
        raise VerificationFailed("type_metadata_vct", "the type metadata is for another type")
    disclosed = set(sd_jwt.disclosed)
    for claim in metadata.claims:
        found = claims_path.locate(sd_jwt.claims, claim.path)
        for at, _ in found:
            if claim.sd != "allowed" and (at in disclosed) != (claim.sd == "always"):
                raise VerificationFailed("type_metadata_sd", f"a claim is not disclosable as its type says: {claim.sd}")
        if claim.mandatory and (claim.sd == "never" or sd_jwt.hidden == 0):
            owners = claims_path.locate(sd_jwt.claims, claim.path[:-1])
            if claim.path[-1] is not None and len(found) < len(owners):
                raise VerificationFailed("type_metadata_mandatory", "a claim its type calls mandatory is missing")


def _claim(entry: object, pointer: str) -> ClaimMetadata:
    if not isinstance(entry, dict):
        raise Malformed("type_metadata", "not an object", pointer=pointer)
    mandatory, sd = entry.get("mandatory", False), entry.get("sd", "allowed")
    if not isinstance(mandatory, bool):
        raise Malformed("type_metadata", "not true or false", pointer=f"{pointer}/mandatory")
    if sd not in _SD:
        raise Malformed("type_metadata", "not always, allowed or never", pointer=f"{pointer}/sd")
    return ClaimMetadata(
        path=claims_path.parse(entry.get("path"), pointer=f"{pointer}/path"),
        display=_displays(entry, pointer, "label"),
        mandatory=mandatory,
        sd=cast("Disclosable", sd),
        svg_id=_text(entry, "svg_id", pointer),
    )


def _displays(owner: dict[str, Any], pointer: str, label: str) -> tuple[dict[str, Any], ...]:
    """The `display` entries, each with a `locale` (draft -12 renamed `lang`) and its `name` or `label`, one per locale."""
    entries: Sequence[Any] = _list(owner, "display", pointer)
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("locale"), str) or not isinstance(entry.get(label), str):
            raise Malformed("type_metadata", f"a display entry has locale and {label}", pointer=f"{pointer}/display/{index}")
    if len({entry["locale"] for entry in entries}) != len(entries):
        raise Malformed("type_metadata", "two display entries for one locale", pointer=f"{pointer}/display")
    return tuple(entries)


def _list(owner: dict[str, Any], name: str, pointer: str) -> list[Any]:
    value = owner.get(name, [])
    if not isinstance(value, list):
        raise Malformed("type_metadata", "not an array", pointer=f"{pointer}/{name}")
    return value


def _text(owner: dict[str, Any], name: str, pointer: str) -> str | None:
    value = owner.get(name)
    if name in owner and (not isinstance(value, str) or not value):
        raise Malformed("type_metadata", "not a text", pointer=f"{pointer}/{name}")
    return value
