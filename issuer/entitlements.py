"""Which credential configurations an institution may issue: those of its document types, in shapes that are issued at all."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType

from issuer.institutions import Institution
from vc.documents.catalogue import CONFIGURATIONS, Configuration


def configurations(institution: Institution) -> Mapping[str, Configuration]:
    """By configuration id, in the order of the catalogue. One list for metadata, offers and the credential endpoint."""
    return _configurations(institution.types)


@lru_cache(maxsize=256)
def _configurations(types: tuple[str, ...]) -> Mapping[str, Configuration]:
    return MappingProxyType({configuration.id: configuration for configuration in issued_by(types)})


def issued_by(types: Collection[str]) -> tuple[Configuration, ...]:
    """The configurations of whoever issues these document types."""
    return tuple(one for one in CONFIGURATIONS.values() if one.document_type in types and one.profile.issuable)
