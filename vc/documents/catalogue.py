"""The catalogue: every document type, every credential configuration we issue, and which shape a credential has.

Adding a document type is one declaration and one line in `DOCUMENT_TYPES` (and one per configuration that is issued).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vc.documents.document_type import DocumentType
from vc.documents.ehic import EHIC
from vc.documents.model import Document
from vc.documents.pda1 import PDA1
from vc.documents.pid import PID
from vc.documents.profile import Profile
from vc.documents.rules import Assessment, Control
from vc.errors import Malformed, Refused

__all__ = [
    "CONFIGURATIONS",
    "DOCUMENT_TYPES",
    "Assessment",
    "Configuration",
    "Control",
    "accepted_types",
    "guess_type",
    "parse",
    "recognise",
]

DOCUMENT_TYPES: Mapping[str, DocumentType] = {entry.id: entry for entry in (PDA1, EHIC, PID)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One credential configuration of an issuer (OpenID4VCI 1.0 §12.2.4); `type_id` is the vct or the doctype."""

    id: str
    profile: Profile

    @property
    def document_type(self) -> str:
        return self.profile.document_type

    @property
    def format(self) -> str:
        return self.profile.format

    @property
    def type_id(self) -> str:
        return self.profile.type_id

    @property
    def scope(self) -> str:
        return self.id


def _configuration(id: str, document_type: str, format: str, profile: str | None = None) -> Configuration:
    return Configuration(id=id, profile=DOCUMENT_TYPES[document_type].profile(format, profile))


CONFIGURATIONS: Mapping[str, Configuration] = {
    entry.id: entry
    for entry in (
        _configuration("pda1_dc4eu-2_sd_jwt", "pda1", "dc+sd-jwt", "dc4eu-2"),
        _configuration("pda1_dc4eu-1_sd_jwt", "pda1", "dc+sd-jwt", "dc4eu-1"),
        _configuration("eu.europa.ec.eudi.pda1_mdoc", "pda1", "mso_mdoc"),
        _configuration("ehic_dc4eu-1_sd_jwt", "ehic", "dc+sd-jwt", "dc4eu-1"),
        _configuration("ehic_dc4eu-2_sd_jwt", "ehic", "dc+sd-jwt", "dc4eu-2"),
        _configuration("eu.europa.ec.eudi.ehic_mdoc", "ehic", "mso_mdoc"),
        _configuration("pid_sd_jwt", "pid", "dc+sd-jwt"),
        _configuration("pid_mdoc", "pid", "mso_mdoc"),
    )
}
"""Every configuration we issue; the scope of each is its id."""

_PDA1_ONLY = frozenset({"employer", "work_information", "legislation_country", "status_confirmation"})
_EHIC_ALSO = frozenset({"authentic_source", "issuing_authority", "date_of_expiry", "document_number"})


def parse(document_type: str, data: object, *, identity: Mapping[str, Any] | None = None) -> Document:
    """The document an institution's data states. Raises `DocumentInvalid` with all problems, `Refused("unknown_type")`."""
    if document_type not in DOCUMENT_TYPES:
        raise Refused("unknown_type", "there is no such document type")
    return DOCUMENT_TYPES[document_type].parse(data, identity=identity)


def guess_type(data: object) -> str:
    """`pda1` or `ehic`, by the members of document data. Raises `Malformed("document_type_unclear")`."""
    names = data.keys() if isinstance(data, Mapping) else frozenset()
    if _PDA1_ONLY & names:
        return "pda1"
    if _EHIC_ALSO & names:
        return "ehic"
    raise Malformed("document_type_unclear", "the members are those of neither a PD A1 nor an EHIC")


def accepted_types(document_type: str, format: str) -> list[str]:
    """Every vct or doctype under which a document of this type is understood, the one we issue first."""
    profiles = [profile for profile in DOCUMENT_TYPES[document_type].profiles if profile.format == format]
    return list(dict.fromkeys(type_id for profile in profiles for type_id in profile.type_ids))


def recognise(format: str, type_id: str, claims: Mapping[str, Any]) -> Profile:
    """The profile these claims have, told by their structure within the document type the identifier names.

    One identifier may stand for several shapes (DOMAIN 0, first trap), and a shape may come under another identifier of its
    type. Raises `Refused("unknown_type")` for an identifier of no document, `Refused("unknown_structure")` for claims of none
    of its shapes.
    """
    of_format = [profile for kind in DOCUMENT_TYPES.values() for profile in kind.profiles if profile.format == format]
    named = [profile for profile in of_format if type_id in profile.type_ids]
    if not named:
        raise Refused("unknown_type", "no document is known under this identifier")
    siblings = [profile for profile in of_format if profile.document_type == named[0].document_type and profile not in named]
    for profile in (*named, *siblings):
        if profile.detect(claims):
            return profile
    knowing = max(named, key=lambda profile: profile.knows(claims))  # so little was disclosed that no mark of a shape is there
    if knowing.knows(claims):
        return knowing
    raise Refused("unknown_structure", "the claims have none of the known shapes of this document")
