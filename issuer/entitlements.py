"""Which credential configurations an institution may issue: those of its document types, in shapes that are issued at all."""

from collections.abc import Mapping

from issuer.institutions import Institution
from vc.documents.catalogue import CONFIGURATIONS, Configuration


def configurations(institution: Institution) -> Mapping[str, Configuration]:
    """By configuration id, in the order of the catalogue. One list for metadata, offers and the credential endpoint."""
    return {
        name: configuration
        for name, configuration in CONFIGURATIONS.items()
        if configuration.document_type in institution.types and configuration.profile.issuable
    }
