"""Lists in the making: what an operator says about an entity, put into the standard's form; and the step to the next edition.

Pure: the time is handed in. Nothing here signs or stores.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509

from trust_list import scope
from trust_list.model import (
    WITHDRAWAL_REASON,
    DigitalIdentity,
    EntityAddress,
    EntityInformation,
    EntityService,
    LoTE,
    LoTEQualifier,
    MultiLangString,
    MultiLangUri,
    OperatorAddress,
    OtherLoTEPointer,
    PastService,
    Policy,
    PostalAddress,
    SchemeInformation,
    Service,
    ServiceSupplyPoint,
    TrustedEntity,
    pki_object,
)
from trust_list.profiles import Profile, Role
from vc.errors import Refused
from vc.x509.certificate import ski

_SERVICE_NAMES: dict[Role, str] = {"issuance": "Attestation issuance", "revocation": "Attestation status lists"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who publishes. The default addresses are reserved example names, for test operators."""

    name: str
    street: str = "1 Example Square"
    locality: str = "Brussels"
    postal_code: str = "1000"
    country: str = "BE"
    mail: str = "lists@trust.example"
    website: str = "https://trust.example/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """A type an entity may issue. `formats`: pairs of format name and vct or doctype, every one it may use."""

    attestation_type: str
    formats: tuple[tuple[str, str], ...]
    authentic_source: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDraft:
    """One service: all certificates have one key and one subject, so a new key is a new service. `name`: of the wallet
    solution on the wallet list (Table E.3), of the register on that of registrars (Table I.3)."""

    role: Role
    name: str | None = None
    certificates: tuple[x509.Certificate, ...]
    authorisations: tuple[Authorisation, ...] = ()
    supply_point: str | None = None
    unique_identifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDraft:
    """One entity. `registration_id`: EN 319 412-1 form such as `NTRFR-…`. `law`: `OJ:…`, required on the Pub-EAA list.
    Contact values not given become reserved example addresses."""

    name: str
    country: str
    registration_id: str
    services: tuple[ServiceDraft, ...]
    law: str | None = None
    mail: str | None = None
    phone: str | None = None
    website: str | None = None
    street: str = "1 Example Street"
    locality: str = "Example"
    postal_code: str | None = None


def empty_list(profile: Profile, operator: Operator, *, signer: x509.Certificate, uri: str, now: datetime) -> LoTE:
    """A list without entities; sequence and times are set when it is published."""
    pointers = None
    if profile.points_to_itself:
        qualifier = LoTEQualifier(
            LoTEType=profile.list_type,
            SchemeOperatorName=[_text(operator.name)],
            SchemeTypeCommunityRules=[_uri(profile.community_rules)],
            SchemeTerritory="EU",
            MimeType="application/jose",
        )
        pointers = [OtherLoTEPointer(LoTELocation=uri, ServiceDigitalIdentities=[identity((signer,))], LoTEQualifiers=[qualifier])]
    website = operator.website.rstrip("/")
    return LoTE(
        ListAndSchemeInformation=SchemeInformation(
            LoTEVersionIdentifier=1,
            LoTESequenceNumber=1,
            LoTEType=profile.list_type,
            SchemeOperatorName=[_text(operator.name)],
            SchemeOperatorAddress=OperatorAddress(
                SchemeOperatorPostalAddress=[
                    PostalAddress(
                        lang="en",
                        StreetAddress=operator.street,
                        Locality=operator.locality,
                        PostalCode=operator.postal_code,
                        Country=operator.country,
                    )
                ],
                SchemeOperatorElectronicAddress=[_uri(f"mailto:{operator.mail}"), _uri(operator.website)],
            ),
            SchemeName=[_text(f"EU:{profile.list_id} providers of {operator.name}")],
            SchemeInformationURI=[_uri(f"{website}/{profile.list_id}/about"), _uri(f"{uri.removesuffix('.jws')}/archive")],
            StatusDeterminationApproach=profile.status_determination,
            SchemeTypeCommunityRules=[_uri(profile.community_rules)],
            SchemeTerritory="EU",
            PolicyOrLegalNotice=[Policy(LoTEPolicy=_uri(f"{website}/{profile.list_id}/policy"))],
            HistoricalInformationPeriod=profile.history_period,
            PointersToOtherLoTE=pointers,
            ListIssueDateTime=now,
            NextUpdate=now,
            DistributionPoints=[uri],
        )
    )


def add_entities(lote: LoTE, profile: Profile, drafts: Sequence[EntityDraft], *, now: datetime) -> LoTE:
    """`lote` with these entities appended. Raises `Refused("entity_exists")` for a registration identifier already listed."""
    listed = {entity.entity_id for entity in lote.entities}
    entities = list(lote.entities)
    for draft in drafts:
        if draft.registration_id in listed:
            raise Refused("entity_exists", "an entity with this registration identifier is on the list already")
        listed.add(draft.registration_id)
        entities.append(make_entity(draft, profile, now))
    return _with_entities(lote, entities)


def add_service(lote: LoTE, profile: Profile, entity_id: str, draft: ServiceDraft, *, now: datetime) -> LoTE:
    """`lote` with a further service of a listed entity (a new key, a new role). Raises `Refused("entity_unknown")`."""
    entity = find(lote, entity_id)
    service = make_service(draft, profile, entity.country or "", entity.law, now)
    changed = entity.model_copy(update={"TrustedEntityServices": [*entity.TrustedEntityServices, service]})
    return _with_entities(lote, [changed if item is entity else item for item in lote.entities])


def withdraw(lote: LoTE, profile: Profile, entity_id: str, *, reason: str, now: datetime, key: bytes | None = None) -> LoTE:
    """`lote` after the entity stopped: its services are withdrawn and stay listed with history (Annex H), or, where the list
    type has no status, the entity is gone. `key`: identifier (SKI) of the one key to withdraw, None for all services.

    Raises `Refused("entity_unknown")`, `Refused("key_unknown")`, `Refused("already_withdrawn")`.
    """
    entity = find(lote, entity_id)
    chosen = [s for s in entity.TrustedEntityServices if key is None or key == _key(s.ServiceInformation.ServiceDigitalIdentity)]
    if not chosen:
        raise Refused("key_unknown", "the entity lists no service with this key")
    if not profile.has_status:
        rest = [service for service in entity.TrustedEntityServices if service not in chosen]
        smaller = entity.model_copy(update={"TrustedEntityServices": rest})
        return _with_entities(lote, [smaller if item is entity else item for item in lote.entities if item is not entity or rest])
    if all(service.ServiceInformation.ServiceStatus == profile.withdrawn for service in chosen):
        raise Refused("already_withdrawn", "the entity is withdrawn already")
    services = [
        withdrawn_service(service, profile, reason, now) if service in chosen else service
        for service in entity.TrustedEntityServices
    ]
    changed = entity.model_copy(update={"TrustedEntityServices": services})
    return _with_entities(lote, [changed if item is entity else item for item in lote.entities])


def find(lote: LoTE, entity_id: str) -> TrustedEntity:
    """The entity with this id. Raises `Refused("entity_unknown")`."""
    for entity in lote.entities:
        if entity.entity_id == entity_id:
            return entity
    raise Refused("entity_unknown", "no entity with this registration identifier is on the list")


def next_edition(draft: LoTE, previous: LoTE | None, *, sequence: int, now: datetime, next_update: datetime) -> LoTE:
    """`draft` as edition `sequence`.

    A status that began or changed since `previous` starts with this issue: it may not be back-dated (Annex H). One that did
    not change keeps its start: re-issuing is no event. Issue times never run backwards.
    """
    issued = now if previous is None else max(now, previous.scheme.ListIssueDateTime)
    before = previous.entities if previous is not None else ()
    known = {_service_key(e, s): s.ServiceInformation for e in before for s in e.TrustedEntityServices}
    entities = [
        entity.model_copy(
            update={"TrustedEntityServices": [_stamped(entity, service, known, issued) for service in entity.TrustedEntityServices]}
        )
        for entity in draft.entities
    ]
    scheme = draft.scheme.model_copy(
        update={"LoTESequenceNumber": sequence, "ListIssueDateTime": issued, "NextUpdate": next_update}
    )
    return _with_entities(draft.model_copy(update={"ListAndSchemeInformation": scheme}), entities)


def identity(certificates: Sequence[x509.Certificate]) -> DigitalIdentity:
    """Certificates of one key, with the key's identifier."""
    return DigitalIdentity(
        X509Certificates=[pki_object(certificate) for certificate in certificates], X509SKIs=[_ski_text(certificates[0])]
    )


def _with_entities(lote: LoTE, entities: list[TrustedEntity]) -> LoTE:
    return lote.model_copy(update={"TrustedEntitiesList": entities or None})


def make_entity(draft: EntityDraft, profile: Profile, now: datetime) -> TrustedEntity:
    """The entity as the list carries it, every status starting `now`."""
    website = (draft.website or f"https://{draft.registration_id.lower()}.example").rstrip("/")
    electronic = [_uri(f"mailto:{draft.mail or 'attestations@institution.example'}"), _uri(website)]
    electronic.append(_uri(f"tel:{draft.phone or '+00-000-0000'}"))
    information = [_uri(f"{website}/attestations/policy")]
    place = electronic if profile.country_uri.place == "TEAddress" else information
    place.append(_uri(profile.country_uri.prefix + draft.country))
    trade_names = [_text(draft.registration_id)]
    if draft.law is not None:
        trade_names.append(_text(draft.law))
    postal = PostalAddress(
        lang="en", StreetAddress=draft.street, Locality=draft.locality, PostalCode=draft.postal_code, Country=draft.country
    )
    return TrustedEntity(
        TrustedEntityInformation=EntityInformation(
            TEName=[_text(draft.name)],
            TETradeName=trade_names,
            TEAddress=EntityAddress(TEPostalAddress=[postal], TEElectronicAddress=electronic),
            TEInformationURI=information,
        ),
        TrustedEntityServices=[make_service(service, profile, draft.country, draft.law, now) for service in draft.services],
    )


def make_service(draft: ServiceDraft, profile: Profile, country: str, law: str | None, now: datetime) -> EntityService:
    """The service as the list carries it. `country` and `law` are the entity's, for what it may issue."""
    extensions: list[dict[str, Any]] = []
    if draft.unique_identifier is not None:
        extensions.append({"Critical": False, "ServiceUniqueIdentifier": draft.unique_identifier})
    if draft.authorisations:
        extensions.append(scope.write([_scope_entry(item, country, law, now) for item in draft.authorisations]))
    return EntityService(
        ServiceInformation=Service(
            ServiceTypeIdentifier=profile.services[draft.role],
            ServiceName=[_text(draft.name or _SERVICE_NAMES[draft.role])],
            ServiceDigitalIdentity=identity(draft.certificates),
            ServiceStatus=profile.notified if profile.has_status else None,
            StatusStartingTime=now if profile.has_status else None,
            ServiceSupplyPoints=[ServiceSupplyPoint(uriValue=draft.supply_point)] if draft.supply_point else None,
            ServiceInformationExtensions=extensions or None,
        )
    )


def _scope_entry(item: Authorisation, country: str, law: str | None, now: datetime) -> scope.ScopeEntry:
    return scope.ScopeEntry(
        attestation_type=item.attestation_type,
        formats=item.formats,
        issuing_country=country,
        legal_basis=law or "not stated",
        valid_from=item.valid_from or now,
        valid_until=item.valid_until,
        authentic_source=item.authentic_source,
    )


def withdrawn_service(service: EntityService, profile: Profile, reason: str, now: datetime) -> EntityService:
    """The service after its withdrawal: status, start, reason, and what it was before in its history (Table H.3)."""
    current = service.ServiceInformation
    if current.ServiceStatus == profile.withdrawn or current.StatusStartingTime is None or current.ServiceStatus is None:
        return service
    past = PastService(
        ServiceTypeIdentifier=current.ServiceTypeIdentifier,
        ServiceName=current.ServiceName,
        ServiceDigitalIdentity=DigitalIdentity(X509SKIs=[_ski_text(current.ServiceDigitalIdentity.certificates[0])]),
        ServiceStatus=current.ServiceStatus,
        StatusStartingTime=current.StatusStartingTime,
        ServiceInformationExtensions=current.ServiceInformationExtensions,
    )
    extensions = [*(current.ServiceInformationExtensions or ()), {"Critical": False, WITHDRAWAL_REASON: reason}]
    changed = current.model_copy(
        update={
            "ServiceStatus": profile.withdrawn,
            "StatusStartingTime": now,
            "ServiceInformationExtensions": extensions,
        }
    )
    return EntityService(ServiceInformation=changed, ServiceHistory=[past, *(service.ServiceHistory or ())])


def _stamped(
    entity: TrustedEntity, service: EntityService, known: dict[tuple[str, str | None, bytes], Service], issued: datetime
) -> EntityService:
    current = service.ServiceInformation
    if current.StatusStartingTime is None:
        return service
    before = known.get(_service_key(entity, service))
    same = before is not None and before.ServiceStatus == current.ServiceStatus
    start = before.StatusStartingTime if before is not None and same else issued
    return service.model_copy(update={"ServiceInformation": current.model_copy(update={"StatusStartingTime": start})})


def _service_key(entity: TrustedEntity, service: EntityService) -> tuple[str, str | None, bytes]:
    information = service.ServiceInformation
    return entity.entity_id, information.ServiceTypeIdentifier, _key(information.ServiceDigitalIdentity)


def _key(listed: DigitalIdentity) -> bytes:
    return ski(listed.certificates[0])


def _ski_text(certificate: x509.Certificate) -> str:
    return b64encode(ski(certificate)).decode("ascii")


def _text(value: str) -> MultiLangString:
    return MultiLangString(lang="en", value=value)


def _uri(value: str) -> MultiLangUri:
    return MultiLangUri(lang="en", uriValue=value)
