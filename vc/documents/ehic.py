"""The European Health Insurance Card as a document type: its claims, shapes and rules put together."""

from typing import Any

from vc.documents import ehic_rules
from vc.documents.document_type import DocumentType
from vc.documents.ehic_profiles import DC4EU_0, DC4EU_1, DC4EU_2, EUDI_MDOC, EUDI_SD_JWT, EUDI_SD_JWT_OLD, TABLE, own_card
from vc.documents.form import Reader
from vc.documents.public_body import PUB_EAA
from vc.documents.settle import constant, institution_of_country, one_issuing_country, ordered, source_country
from vc.documents.words import titles


def _settle(data: dict[str, Any], reader: Reader) -> None:
    constant(data, reader, "attestation_legal_category", PUB_EAA)
    one_issuing_country(data, reader)
    institution_of_country(data, reader)
    source_country(data)
    own_card(data)
    ordered(data, reader, "starting_date", "ending_date")
    ordered(data, reader, "date_of_issuance", "date_of_expiry")


EHIC = DocumentType(
    id="ehic",
    title="European Health Insurance Card",
    labels=titles("ehic"),
    legal_category=PUB_EAA,
    table=TABLE,
    profiles=(DC4EU_1, DC4EU_2, EUDI_MDOC, EUDI_SD_JWT, EUDI_SD_JWT_OLD, DC4EU_0),
    rules=ehic_rules.RULES,
    wordings=ehic_rules.WORDINGS,
    settle=_settle,
)
