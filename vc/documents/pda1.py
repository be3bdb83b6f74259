"""The PD A1 as a document type: its claims, shapes and rules put together."""

from typing import Any

from vc.documents import pda1_rules, pda1_wordings
from vc.documents.document_type import DocumentType
from vc.documents.form import Reader
from vc.documents.pda1_claims import TABLE
from vc.documents.pda1_foreign import DC4EU_0, EUDI_SD_JWT, WEBUILD
from vc.documents.pda1_profiles import DC4EU_1, DC4EU_2, EUDI_MDOC
from vc.documents.public_body import PUB_EAA
from vc.documents.settle import constant, institution_of_country, one_issuing_country, ordered, source_country
from vc.documents.words import titles


def _settle(data: dict[str, Any], reader: Reader) -> None:
    constant(data, reader, "attestation_legal_category", PUB_EAA)
    one_issuing_country(data, reader)
    institution_of_country(data, reader)
    source_country(data)
    ordered(data, reader, "starting_date", "ending_date")
    ordered(data, reader, "date_of_issuance", "date_of_expiry")
    work = data.get("work_information")
    stated = any(problem.pointer.startswith("/work_information") for problem in reader.problems)
    if not work and not stated:
        reader.add(("work_information",), "alternative", "at least one of work_address and no_fixed_place_of_work is needed")
    if "exception_description" in data and data.get("status_confirmation", "11") != "11":
        reader.add(("exception_description",), "depends", "only with status_confirmation 11")


PDA1 = DocumentType(
    id="pda1",
    title="Portable Document A1",
    labels=titles("pda1"),
    legal_category=PUB_EAA,
    table=TABLE,
    profiles=(DC4EU_2, DC4EU_1, EUDI_MDOC, EUDI_SD_JWT, WEBUILD, DC4EU_0),
    rules=pda1_rules.RULES,
    wordings=pda1_wordings.WORDINGS,
    settle=_settle,
)
