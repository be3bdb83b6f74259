"""What an entity may issue: the private, non-critical extension `AuthorisedAttestations` of a service (TRUST 3).

It narrows and never widens; a conforming reader that does not know it skips it. Our own reader denies a type that no entry names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft7Validator

from trust_list.countries import normal
from trust_list.model import read_time, write_time
from vc.encoding import json
from vc.errors import Malformed

MEMBER = "AuthorisedAttestations"
PROFILE_URI = "https://trust.example/profiles/authorised-attestations/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeEntry:
    """One attestation type. `formats`: pairs of format name and vct or doctype."""

    attestation_type: str
    formats: tuple[tuple[str, str], ...]
    issuing_country: str
    legal_basis: str
    valid_from: datetime
    valid_until: datetime | None = None
    authentic_source: str | None = None


@cache
def _validator() -> Draft7Validator:
    schema = json.loads(files("trust_list").joinpath("schema/ext-authorised-attestations.schema.json").read_bytes())
    return Draft7Validator(schema)


def read(extensions: Sequence[dict[str, Any]] | None) -> tuple[ScopeEntry, ...] | None:
    """The entries of all such extensions, None when there is none. Raises `Malformed("scope_extension")`."""
    found = [item for item in extensions or () if MEMBER in item]
    if not found:
        return None
    entries: list[ScopeEntry] = []
    for item in found:
        if next(iter(_validator().iter_errors(item)), None) is not None:
            raise Malformed("scope_extension", "the AuthorisedAttestations extension does not follow its schema")
        for row in item[MEMBER]["entries"]:
            try:
                entries.append(
                    ScopeEntry(
                        attestation_type=row["attestationType"],
                        formats=tuple((kind["format"], kind.get("vct") or kind["doctype"]) for kind in row["formats"]),
                        issuing_country=normal(row["issuingCountry"]),
                        legal_basis=row["legalBasis"],
                        valid_from=read_time(row["validFrom"]),
                        valid_until=read_time(row["validUntil"]) if "validUntil" in row else None,
                        authentic_source=row.get("authenticSource"),
                    )
                )
            except (ValueError, KeyError) as exc:
                raise Malformed("scope_extension", "an entry of the AuthorisedAttestations extension cannot be read") from exc
    return tuple(entries)


def write(entries: Sequence[ScopeEntry]) -> dict[str, Any]:
    """The extension for `entries`, at least one."""
    rows = []
    for entry in entries:
        row: dict[str, Any] = {
            "attestationType": entry.attestation_type,
            "formats": [{"format": name, "doctype" if name == "mso_mdoc" else "vct": type_id} for name, type_id in entry.formats],
            "issuingCountry": entry.issuing_country,
            "legalBasis": entry.legal_basis,
        }
        if entry.authentic_source:
            row["authenticSource"] = entry.authentic_source
        row["validFrom"] = write_time(entry.valid_from)
        if entry.valid_until is not None:
            row["validUntil"] = write_time(entry.valid_until)
        rows.append(row)
    return {"Critical": False, MEMBER: {"profile": PROFILE_URI, "entries": rows}}
