"""What all attestations of public bodies have in common: category, formats, the ISO names ETSI wants, one institution for two."""

from typing import Any

from vc.documents.model import value_at
from vc.documents.settle import source_country
from vc.documents.slot import Slot, slot

PUB_EAA = "PuB-EAA"
SD_JWT, MDOC = "dc+sd-jwt", "mso_mdoc"
ISO_NAMESPACE = "org.iso.23220.1"


def iso_slots() -> tuple[Slot, ...]:
    """The document facts ETSI TS 119 472-1 §6.2 wants under ISO/IEC 23220 names (EAA-M-1 to M-4)."""
    rows: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("document_number", "document_number", {}),
        ("date_of_issuance", "issue_date", {}),
        ("date_of_expiry", "expiry_date", {}),
        ("issuing_authority.name", "issuing_authority_unicode", {}),
        ("issuing_authority.name", "issuing_authority", {"read_only": True}),  # its name in ISO/IEC 23220-2:2026
        ("issuing_country", "issuing_country", {}),
    )
    return tuple(slot(fact, at, under=ISO_NAMESPACE, **options) for fact, at, options in rows)


def one_institution(data: dict[str, Any]) -> None:
    """For shapes that know one institution only: it decides and issues, and its country is the issuing country."""
    stated = value_at(data, ("authentic_source", "country"))
    if stated is not None:
        data["issuing_country"] = stated
        source_country(data)
