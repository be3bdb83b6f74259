"""Which trust anchors a verifier believes, and which trust marks say that an issuer may issue a type of document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trust_list.federation.statements import Keys, identifier, keys_of
from vc.errors import Malformed


class AnchorFile(BaseModel):
    """One pinned trust anchor: its entity identifier and its federation keys as a JWK set."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    id: str
    jwks: dict[str, Any]


class FederationFile(BaseModel):
    """`trust.federation` of a settings file. `trust_marks`: kind of document (pda1, ehic) → how its trust mark types begin."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    anchors: Annotated[list[AnchorFile], Field(min_length=1, max_length=8)]
    trust_marks: Annotated[dict[Literal["pda1", "ehic"], str], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """`anchors`: pinned keys by entity identifier. `trust_marks`: as in the settings; the country follows after a slash."""

    anchors: Mapping[str, Keys]
    trust_marks: Mapping[str, str]


def read(file: FederationFile) -> Federation:
    """What the settings say. Raises `VcError` for an identifier or a key that is none."""
    anchors = {identifier(one.id): keys_of(one.jwks) for one in file.anchors}
    if len(anchors) != len(file.anchors):
        raise Malformed("federation_anchors", "an anchor is named twice")
    return Federation(anchors=anchors, trust_marks={kind: prefix.rstrip("/") for kind, prefix in file.trust_marks.items()})
