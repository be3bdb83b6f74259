"""Two editions of one list side by side: what changed, and which rules of succession the later one breaks.

Pure. A service is the same one when its type and key are the same: a new key is a new service (Table H.3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from trust_list.finding import Finding, error
from trust_list.model import EntityService, LoTE, TrustedEntity, write_time
from trust_list.profiles import Profile
from vc.encoding import json
from vc.errors import VcError
from vc.x509.certificate import ski

ServiceKey = tuple[str | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. `entity`: id of the entity, None for the scheme. `pointer` is below `/LoTE`, in the later edition, or in
    the earlier for what is gone. `before` and `after` are values for people, None where there is nothing."""

    kind: Literal["added", "removed", "changed"]
    what: Literal["scheme", "entity", "service", "status"]
    entity: str | None
    pointer: str
    before: str | None
    after: str | None

    @property
    def text(self) -> str:
        """One line: sign, what, who, values."""
        sign = {"added": "+", "removed": "-", "changed": "~"}[self.kind]
        values = " -> ".join(value for value in (self.before, self.after) if value is not None)
        return f"{sign} {self.what} {self.entity or self.pointer.rsplit('/', 1)[1]}: {values}"


def changes(before: LoTE, after: LoTE) -> tuple[Change, ...]:
    """Every difference from one edition to another, scheme first, then entities in the order of the later list."""
    return (*_scheme(before, after), *_entities(before, after))


def succession(previous: LoTE, current: LoTE, profile: Profile) -> tuple[Finding, ...]:
    """Which rules `current` breaks as the edition after `previous` (clauses 6.3.2, 6.3.12, 6.6.5, 6.7, Table H.3)."""
    return tuple(_succession(previous, current, profile))


def service_key(service: EntityService) -> ServiceKey:
    """Type and key identifier, computed from the certificate where there is one."""
    information = service.ServiceInformation
    listed = information.ServiceDigitalIdentity
    try:
        keys = [ski(certificate) for certificate in listed.certificates] or list(listed.skis)
    except VcError:
        keys = []
    stated = keys[0].hex() if keys else json.dumps(listed.model_dump(mode="json", exclude_none=True)).decode()
    return information.ServiceTypeIdentifier, stated


def _scheme(before: LoTE, after: LoTE) -> Iterator[Change]:
    old, new = _members(before.scheme), _members(after.scheme)
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            kind: Literal["added", "removed", "changed"] = "changed"
            if name not in old or name not in new:
                kind = "added" if name in new else "removed"
            yield Change(
                kind=kind,
                what="scheme",
                entity=None,
                pointer=f"/ListAndSchemeInformation/{name}",
                before=_words(old.get(name)),
                after=_words(new.get(name)),
            )


def _entities(before: LoTE, after: LoTE) -> Iterator[Change]:
    old = {entity.entity_id: (number, entity) for number, entity in enumerate(before.entities)}
    for number, entity in enumerate(after.entities):
        at = f"/TrustedEntitiesList/{number}"
        if entity.entity_id not in old:
            yield Change(kind="added", what="entity", entity=entity.entity_id, pointer=at, before=None, after=entity.name)
            continue
        yield from _entity(old.pop(entity.entity_id)[1], entity, at)
    for number, entity in old.values():
        at = f"/TrustedEntitiesList/{number}"
        yield Change(kind="removed", what="entity", entity=entity.entity_id, pointer=at, before=entity.name, after=None)


def _entity(before: TrustedEntity, after: TrustedEntity, at: str) -> Iterator[Change]:
    old, new = _members(before.TrustedEntityInformation), _members(after.TrustedEntityInformation)
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield Change(
                kind="changed",
                what="entity",
                entity=after.entity_id,
                pointer=f"{at}/TrustedEntityInformation/{name}",
                before=_words(old.get(name)),
                after=_words(new.get(name)),
            )
    known = {service_key(service): service for service in before.TrustedEntityServices}
    for number, service in enumerate(after.TrustedEntityServices):
        beneath, earlier = f"{at}/TrustedEntityServices/{number}", known.pop(service_key(service), None)
        if earlier is None:
            yield Change(
                kind="added", what="service", entity=after.entity_id, pointer=beneath, before=None, after=_service_words(service)
            )
        else:
            yield from _service(after.entity_id, earlier, service, beneath)
    for service in known.values():
        yield Change(kind="removed", what="service", entity=after.entity_id, pointer=at, before=_service_words(service), after=None)


def _service(entity_id: str, before: EntityService, after: EntityService, at: str) -> Iterator[Change]:
    old, new = before.ServiceInformation, after.ServiceInformation
    if (old.ServiceStatus, old.StatusStartingTime) != (new.ServiceStatus, new.StatusStartingTime):
        yield Change(
            kind="changed",
            what="status",
            entity=entity_id,
            pointer=f"{at}/ServiceInformation/ServiceStatus",
            before=_status_words(before),
            after=_status_words(after),
        )
    was, now = _members(old), _members(new)
    for name in dict.fromkeys((*was, *now)):
        if name not in ("ServiceStatus", "StatusStartingTime") and was.get(name) != now.get(name):
            yield Change(
                kind="changed",
                what="service",
                entity=entity_id,
                pointer=f"{at}/ServiceInformation/{name}",
                before=_words(was.get(name)),
                after=_words(now.get(name)),
            )


def _succession(previous: LoTE, current: LoTE, profile: Profile) -> Iterator[Finding]:
    at, old, new = "/ListAndSchemeInformation", previous.scheme, current.scheme
    if new.LoTEType != old.LoTEType:
        yield error("list_type", "6.3.3", f"{at}/LoTEType", "the earlier edition is a list of another type")
    if new.LoTESequenceNumber <= old.LoTESequenceNumber:
        yield error("sequence", "6.3.2", f"{at}/LoTESequenceNumber", "the number is not higher than that of the earlier edition")
    if new.ListIssueDateTime < old.ListIssueDateTime:
        yield error("issue_time", "6.3.14", f"{at}/ListIssueDateTime", "the issue lies before that of the earlier edition")
    if not profile.has_status:
        return
    before = {entity.entity_id: entity for entity in previous.entities}
    for number, entity in enumerate(current.entities):
        beneath = f"/TrustedEntitiesList/{number}"
        yield from _kept(before.pop(entity.entity_id, None), entity, current, profile, beneath)
    for gone in before.values():
        yield error(
            "entity_removed", profile.table(3), "/TrustedEntitiesList", f"{gone.entity_id} is gone: it stays listed as withdrawn"
        )


def _kept(before: TrustedEntity | None, after: TrustedEntity, current: LoTE, profile: Profile, at: str) -> Iterator[Finding]:
    """History is never removed (6.3.12), a change is not dated back (Table H.3), and what did not change keeps its start."""
    known = {service_key(service): service for service in before.TrustedEntityServices} if before is not None else {}
    for number, service in enumerate(after.TrustedEntityServices):
        beneath, earlier = f"{at}/TrustedEntityServices/{number}", known.pop(service_key(service), None)
        information, place = service.ServiceInformation, f"{beneath}/ServiceInformation/StatusStartingTime"
        start = information.StatusStartingTime
        if earlier is None or earlier.ServiceInformation.ServiceStatus != information.ServiceStatus:
            if start is not None and start < current.scheme.ListIssueDateTime:
                yield error(
                    "back_dated", profile.table(3), place, "a new status starts before the issue of the list that announces it"
                )
        elif earlier.ServiceInformation.StatusStartingTime != start:
            yield error("restamped", "6.6.5", place, "the status did not change, but its start did")
        if earlier is not None:
            yield from _history(earlier, service, beneath)
    for key in known:
        yield error(
            "service_removed", profile.table(3), f"{at}/TrustedEntityServices", f"a service of {key[0]} is gone: it stays listed"
        )


def _history(earlier: EntityService, service: EntityService, at: str) -> Iterator[Finding]:
    statuses = [(past.ServiceStatus, past.StatusStartingTime) for past in service.ServiceHistory or ()]
    wanted = [(past.ServiceStatus, past.StatusStartingTime) for past in earlier.ServiceHistory or ()]
    old, new = earlier.ServiceInformation, service.ServiceInformation
    if old.ServiceStatus != new.ServiceStatus and old.ServiceStatus is not None and old.StatusStartingTime is not None:
        wanted.insert(0, (old.ServiceStatus, old.StatusStartingTime))
    if any(item not in statuses for item in wanted):
        yield error("history_removed", "6.7", f"{at}/ServiceHistory", "a status the service had before is not in its history")


def _members(part: Any) -> dict[str, Any]:
    found: dict[str, Any] = part.model_dump(mode="json", exclude_none=True)
    return found


def _words(value: Any) -> str | None:
    """A value for one line: plain values as they are, the rest as JSON, cut short."""
    if value is None:
        return None
    words = str(value) if isinstance(value, str | int) else json.dumps(value).decode()
    return words if len(words) <= 160 else f"{words[:157]}..."


def _status_words(service: EntityService) -> str:
    status, start = service.ServiceInformation.ServiceStatus, service.ServiceInformation.StatusStartingTime
    return f"{(status or 'listed').rsplit('/', 1)[-1]}{f' since {write_time(start)}' if start else ''}"


def _service_words(service: EntityService) -> str:
    kind, key = service_key(service)
    return f"{(kind or 'service').split('/SvcType/')[-1]} key {key[:16]} {_status_words(service)}"
