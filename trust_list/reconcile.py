"""From a list and a description of what it shall be to the list as it shall be (TS 119 602 Table H.3 for what must stay).

Pure. What is described and listed already keeps its start, its history and the start of what it may issue; a list with status
never loses an entity or a service by leaving it out of the description: that is refused, and `withdrawn` is the way to say it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from trust_list import drafts, scope
from trust_list.description import Described, SchemeDescription
from trust_list.drafts import ServiceDraft
from trust_list.editions import ServiceKey, service_key
from trust_list.model import EntityService, LoTE, MultiLangString, MultiLangUri, Policy, TrustedEntity
from trust_list.profiles import Profile
from vc.errors import Refused
from vc.x509.certificate import ski


def apply(lote: LoTE, profile: Profile, entities: Sequence[Described], *, now: datetime) -> LoTE:
    """`lote` with exactly these entities.

    Raises `Refused`: `entity_exists`, `service_exists` (described twice), `entity_missing`, `service_missing` (listed, not
    described), `not_listed` (withdrawn before it was ever listed), `already_withdrawn` (described as notified again),
    `no_status` (withdrawn on a list without status).
    """
    listed = {entity.entity_id: entity for entity in lote.entities}
    made: dict[str, TrustedEntity] = {}
    for item in entities:
        if item.entity.registration_id in made:
            raise Refused("entity_exists", "an entity is described twice", pointer=item.entity.registration_id)
        before = listed.pop(item.entity.registration_id, None)
        made[item.entity.registration_id] = _entity(item, before, profile, now)
    if listed and profile.has_status:
        raise Refused(
            "entity_missing", f"{next(iter(listed))} is listed and not described: it stays listed, describe it as withdrawn"
        )
    return lote.model_copy(update={"TrustedEntitiesList": list(made.values()) or None})


def apply_scheme(lote: LoTE, scheme: SchemeDescription) -> LoTE:
    """`lote` with the texts of the scheme that are described."""
    members: dict[str, object] = {}
    if scheme.name is not None:
        members["SchemeName"] = [MultiLangString(lang="en", value=scheme.name)]
    if scheme.information is not None:
        members["SchemeInformationURI"] = [MultiLangUri(lang="en", uriValue=uri) for uri in scheme.information]
    if scheme.policy is not None:
        members["PolicyOrLegalNotice"] = [Policy(LoTEPolicy=MultiLangUri(lang="en", uriValue=scheme.policy))]
    return lote.model_copy(update={"ListAndSchemeInformation": lote.scheme.model_copy(update=members)})


def _entity(item: Described, before: TrustedEntity | None, profile: Profile, now: datetime) -> TrustedEntity:
    known = {service_key(service): service for service in before.TrustedEntityServices} if before is not None else {}
    keys = [_key(draft, profile) for draft in item.entity.services]
    if len(set(keys)) != len(keys):
        raise Refused("service_exists", f"{item.entity.registration_id}: a service is described twice under one key")
    left_out = [key for key in known if key not in keys]
    if left_out and profile.has_status:
        text = "a service is listed and not described: it stays listed, describe it as withdrawn"
        raise Refused("service_missing", f"{item.entity.registration_id}: {text}")
    pairs = zip(item.entity.services, keys, strict=True)
    services = tuple(_with_starts(draft, known.get(key)) for draft, key in pairs)
    entity = drafts.make_entity(replace(item.entity, services=services), profile, now)
    rows = zip(entity.TrustedEntityServices, keys, item.reasons, strict=True)
    kept = [_service(fresh, known.get(key), reason, profile, now) for fresh, key, reason in rows]
    return entity.model_copy(update={"TrustedEntityServices": kept})


def _service(
    fresh: EntityService, before: EntityService | None, reason: str | None, profile: Profile, now: datetime
) -> EntityService:
    if not profile.has_status:
        if reason is not None:
            raise Refused("no_status", "on a list without status nothing is withdrawn: leave it out of the description")
        return fresh
    if before is None:
        if reason is not None:
            raise Refused("not_listed", "a service that is not on the list cannot be withdrawn")
        return fresh
    current = before.ServiceInformation
    if current.ServiceStatus == profile.withdrawn:
        if reason is None:
            raise Refused("already_withdrawn", "a withdrawn service does not come back: list a new key")
        return before
    changed = fresh.ServiceInformation.model_copy(update={"StatusStartingTime": current.StatusStartingTime})
    kept = EntityService(ServiceInformation=changed, ServiceHistory=before.ServiceHistory)
    return kept if reason is None else drafts.withdrawn_service(kept, profile, reason, now)


def _with_starts(draft: ServiceDraft, before: EntityService | None) -> ServiceDraft:
    """The draft in which a type that was authorised before keeps the start of its authorisation."""
    if before is None:
        return draft
    starts = {
        entry.attestation_type: entry.valid_from
        for entry in scope.read(before.ServiceInformation.ServiceInformationExtensions) or ()
    }
    allowed = tuple(replace(item, valid_from=item.valid_from or starts.get(item.attestation_type)) for item in draft.authorisations)
    return replace(draft, authorisations=allowed)


def _key(draft: ServiceDraft, profile: Profile) -> ServiceKey:
    if draft.role not in profile.services:
        raise Refused("role", "this list type has no such service")
    return profile.services[draft.role], ski(draft.certificates[0]).hex()
