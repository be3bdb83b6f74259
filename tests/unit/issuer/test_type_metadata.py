"""Type metadata of what is issued: named in every language, with the claims the metadata of the issuer announce (TM-1 to -3)."""

import pytest

from issuer import type_metadata as served
from vc.documents.catalogue import CONFIGURATIONS
from vc.documents.words import titles
from vc.sdjwt import type_metadata

SD_JWT = [name for name, configuration in CONFIGURATIONS.items() if configuration.format == "dc+sd-jwt"]


@pytest.mark.parametrize("name", SD_JWT)
def test_documents_and_claims_are_named_in_all_languages_there_are(name: str) -> None:
    configuration = CONFIGURATIONS[name]
    read = type_metadata.parse(served.rendered(name), vct=configuration.type_id)
    assert {entry["locale"]: entry["name"] for entry in read.display} == titles(configuration.document_type)
    labels = {claim.path: {entry["locale"]: entry["label"] for entry in claim.display} for claim in read.claims}
    assert labels == {claim.path: dict(claim.labels) for claim in configuration.profile.claims}


def test_a_form_without_type_metadata_has_none() -> None:
    assert served.integrity("pid_mdoc") is None
    assert served.document("urn:eudi:other:1", None) is None
