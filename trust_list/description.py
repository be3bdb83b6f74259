"""A list as its operator describes it in a file: who is on it, with which certificates, for what. The file is the whole list.

The standard's form (URIs, addresses, statuses, times, history) is made from it by `drafts` and `reconcile`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from cryptography import x509
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from trust_list import yaml_text
from trust_list.catalogue_types import authorisation
from trust_list.drafts import Authorisation, EntityDraft, ServiceDraft
from trust_list.model import UtcTime
from trust_list.profiles import Role
from vc.errors import Malformed

ReadCertificates = Callable[[str], tuple[x509.Certificate, ...]]
"""Gives the certificates of a file named in the description, or of PEM text written into it."""


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
Address = Annotated[str, Field(max_length=2048, pattern=r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`]+$")]
Country = Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z]{2}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TypeDescription(_Part):
    """What a service may issue. `formats`: all formats of the type unless given."""

    type: Line
    formats: list[Line] = Field(default=[], max_length=8)
    authentic_source: Address | None = None
    valid_from: UtcTime | None = None
    valid_until: UtcTime | None = None


class ServiceDescription(_Part):
    """One service under one key. `withdrawn`: the published reason why it no longer counts."""

    role: Role = "issuance"
    name: Line | None = None
    certificates: list[Annotated[str, Field(min_length=1, max_length=64 * 1024)]] = Field(min_length=1, max_length=16)
    types: list[TypeDescription] = Field(default=[], max_length=32)
    supply_point: Address | None = None
    unique_identifier: Address | None = None
    withdrawn: Line | None = None


class EntityDescription(_Part):
    """One entity. `withdrawn` withdraws all its services."""

    name: Line
    country: Country
    registration_id: Line
    law: Line | None = None
    mail: Line
    phone: Line
    website: Address
    street: Line
    locality: Line
    postal_code: Line | None = None
    withdrawn: Line | None = None
    services: list[ServiceDescription] = Field(min_length=1, max_length=200)


class SchemeDescription(_Part):
    """Texts of the scheme; what is not given stays as it is on the list."""

    name: Line | None = None
    information: list[Address] | None = Field(default=None, min_length=1, max_length=8)
    policy: Address | None = None


_Entities = list[EntityDescription]  # `list` is a member's name in the description below


class ListDescription(_Part):
    list: Literal["pub-eaa", "pid", "wallet", "wrpac", "wrprc", "registrars"]
    valid_days: float = Field(default=30, gt=0, le=184)
    scheme: SchemeDescription = SchemeDescription()
    entities: _Entities = Field(default=[], max_length=5000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An entity with, for each of its services, the reason of its withdrawal or None."""

    entity: EntityDraft
    reasons: tuple[str | None, ...]


def read(data: bytes) -> ListDescription:
    """The description of one YAML text. Raises `Malformed`: `description` with pointer, or the codes of `yaml_text.load`."""
    try:
        return ListDescription.model_validate(yaml_text.load(data))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = "".join(f"/{step}" for step in first["loc"])
        raise Malformed("description", f"{pointer or '/'}: {first['msg']} ({exc.error_count()} fault(s))", pointer=pointer) from exc


def entities(description: ListDescription, certificates: ReadCertificates) -> tuple[Described, ...]:
    """The entities in the form `drafts` takes. Raises what `certificates` raises, and `Refused("type_unknown")`."""
    return tuple(_described(item, certificates) for item in description.entities)


def _described(item: EntityDescription, certificates: ReadCertificates) -> Described:
    draft = EntityDraft(
        name=item.name,
        country=item.country,
        registration_id=item.registration_id,
        law=item.law,
        mail=item.mail,
        phone=item.phone,
        website=item.website,
        street=item.street,
        locality=item.locality,
        postal_code=item.postal_code,
        services=tuple(_service(service, certificates) for service in item.services),
    )
    return Described(entity=draft, reasons=tuple(service.withdrawn or item.withdrawn for service in item.services))


def _service(item: ServiceDescription, certificates: ReadCertificates) -> ServiceDraft:
    return ServiceDraft(
        role=item.role,
        name=item.name,
        certificates=tuple(certificate for source in item.certificates for certificate in certificates(source)),
        authorisations=tuple(_authorisation(kind) for kind in item.types),
        supply_point=item.supply_point,
        unique_identifier=item.unique_identifier,
    )


def _authorisation(item: TypeDescription) -> Authorisation:
    known = authorisation(item.type, item.formats)
    return Authorisation(
        attestation_type=known.attestation_type,
        formats=known.formats,
        authentic_source=item.authentic_source,
        valid_from=item.valid_from,
        valid_until=item.valid_until,
    )
