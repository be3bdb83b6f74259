"""Which identifiers this program takes for which document type, as a bundle carries it, so that two programs that differ know."""

from collections.abc import Sequence

from trust_list.bundle.contents import Scheme
from trust_list.catalogue_types import FORMATS
from vc.documents import catalogue


def own() -> tuple[Scheme, ...]:
    """The schemes of this program's catalogue."""
    return tuple(
        Scheme(
            type=name,
            formats=tuple((kind, type_id) for kind in FORMATS for type_id in catalogue.accepted_types(name, kind)),
            labels=tuple(described.labels.items()),
        )
        for name, described in catalogue.DOCUMENT_TYPES.items()
    )


def differences(schemes: Sequence[Scheme]) -> tuple[str, ...]:
    """What the maker's program takes for a document and this one does not, as sentences. Nothing is widened by it."""
    mine = {scheme.type: frozenset(scheme.formats) for scheme in own()}
    told = []
    for scheme in schemes:
        if scheme.type not in mine:
            told.append(f"the bundle speaks of documents of type {scheme.type[:40]}, which this program does not know")
        elif not mine[scheme.type] >= frozenset(scheme.formats):
            told.append(f"the bundle names forms of {scheme.type} that this program does not know")
    return tuple(told)
