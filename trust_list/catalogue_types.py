"""The attestation types of the product's catalogue as authorisations: which vct and doctype values a type may use."""

from collections.abc import Sequence

from trust_list.drafts import Authorisation
from vc.documents import catalogue
from vc.errors import Refused

FORMATS = ("dc+sd-jwt", "mso_mdoc")


def authorisation(attestation_type: str, formats: Sequence[str] = ()) -> Authorisation:
    """The authorisation to issue `attestation_type` in `formats` (all unless given), under every identifier we accept.

    Raises `Refused("type_unknown")`.
    """
    if attestation_type not in catalogue.DOCUMENT_TYPES or not set(formats) <= set(FORMATS):
        raise Refused("type_unknown", "types are pda1, ehic and pid; formats are dc+sd-jwt and mso_mdoc")
    pairs = [(name, type_id) for name in formats or FORMATS for type_id in catalogue.accepted_types(attestation_type, name)]
    return Authorisation(attestation_type=attestation_type, formats=tuple(dict.fromkeys(pairs)))
