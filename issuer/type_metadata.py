"""SD-JWT VC type metadata of what is issued, derived from the documents' own declarations (TM-1 … TM-3)."""

from functools import lru_cache

from vc.documents.catalogue import CONFIGURATIONS, DOCUMENT_TYPES, Configuration
from vc.sdjwt import type_metadata
from vc.sdjwt.type_metadata import ClaimMetadata, TypeMetadata

_FORMAT = "dc+sd-jwt"


@lru_cache(maxsize=64)
def rendered(configuration_id: str) -> bytes:
    """The octets of the type metadata of one configuration: what is served and what `vct#integrity` covers."""
    configuration = CONFIGURATIONS[configuration_id]
    declared = DOCUMENT_TYPES[configuration.document_type]
    return type_metadata.render(
        TypeMetadata(
            vct=configuration.type_id,
            name=declared.title,
            display=tuple({"locale": locale, "name": name} for locale, name in sorted(declared.labels.items())),
            claims=tuple(
                ClaimMetadata(
                    path=claim.path,
                    display=tuple({"locale": locale, "label": label} for locale, label in sorted(claim.labels.items())),
                    mandatory=claim.mandatory,
                    sd=claim.sd,
                )
                for claim in configuration.profile.claims
            ),
        )
    )


@lru_cache(maxsize=64)
def integrity(configuration_id: str) -> str | None:
    """The `vct#integrity` of one configuration; None for a format that has no type metadata."""
    if CONFIGURATIONS[configuration_id].format != _FORMAT:
        return None
    return type_metadata.integrity(rendered(configuration_id))


def document(vct: str, profile: str | None) -> bytes | None:
    """The type metadata of a vct: of the named profile, or of the one issued by default. None when nothing such is issued."""
    shapes = [c for c in CONFIGURATIONS.values() if c.format == _FORMAT and c.type_id == vct]
    fitting = [c for c in shapes if profile is None or c.profile.id == profile]
    return rendered(_default_first(fitting)[0].id) if fitting else None


def _default_first(shapes: list[Configuration]) -> list[Configuration]:
    return sorted(shapes, key=lambda c: DOCUMENT_TYPES[c.document_type].profile(c.format) is not c.profile)
