"""What changed between two editions, in words for people."""

from dataclasses import dataclass
from typing import Any

from trust_list import scope
from trust_list.editions import Change, changes, service_key
from trust_list.model import WITHDRAWAL_REASON, EntityService, LoTE
from vc.errors import Malformed

_NONE = "–"
_WHAT = {
    "LoTESequenceNumber": "Number of the edition",
    "ListIssueDateTime": "Issue time",
    "NextUpdate": "Next update",
    "SchemeOperatorName": "Operator",
    "DistributionPoints": "Addresses of the list",
    "ServiceInformationExtensions": "What may be issued, or why no more",
    "ServiceName": "Name of the service",
    "ServiceDigitalIdentity": "Certificates",
    "ServiceSupplyPoints": "Addresses of the service",
    "TEName": "Name",
    "TETradeName": "Identifiers and law",
    "TEAddress": "Address",
    "TEInformationURI": "Information",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the comparison. `entity_id` empty: it is about the list itself. `gone`: it is on the earlier edition only."""

    kind: str
    what: str
    entity_id: str
    name: str
    before: str
    after: str
    gone: bool


def rows(old: LoTE, new: LoTE) -> tuple[Row, ...]:
    """Every difference, scheme first."""
    names = {entity.entity_id: entity.name for lote in (old, new) for entity in lote.entities}
    current = {entity.entity_id for entity in new.entities}
    return tuple(_row(change, names, current, old, new) for change in changes(old, new))


def _row(change: Change, names: dict[str, str], current: set[str], old: LoTE, new: LoTE) -> Row:
    member, entity_id = change.pointer.rsplit("/", 1)[1], change.entity or ""
    before, after = change.before, change.after
    if member == "ServiceInformationExtensions":
        before, after = _extensions(change, old, new)
    what = _WHAT.get(member, member) if change.what == "scheme" or change.kind == "changed" else f"{change.what} {change.kind}"
    return Row(
        kind=change.kind,
        what="Status" if change.what == "status" else what[:1].upper() + what[1:],
        entity_id=entity_id,
        name=names.get(entity_id, entity_id),
        before=before if before is not None else _NONE,
        after=after if after is not None else _NONE,
        gone=bool(entity_id) and entity_id not in current,
    )


def _extensions(change: Change, old: LoTE, new: LoTE) -> tuple[str, str]:
    """What the extensions of one service said before and say now."""
    _, _, entity, _, service, *_ = change.pointer.split("/")
    later = new.entities[int(entity)].TrustedEntityServices[int(service)]
    key = service_key(later)
    bodies = (body for body in old.entities if body.entity_id == change.entity)
    earlier = next(one for body in bodies for one in body.TrustedEntityServices if service_key(one) == key)
    return _said(earlier), _said(later)


def _said(service: EntityService) -> str:
    extensions: list[dict[str, Any]] = service.ServiceInformation.ServiceInformationExtensions or []
    try:
        entries = scope.read(extensions) or ()
    except Malformed:
        return "cannot be read"
    said = [
        f"{entry.attestation_type.upper()} for {entry.issuing_country} ({', '.join(type_id for _, type_id in entry.formats)}), "
        f"law {entry.legal_basis}, from {entry.valid_from:%Y-%m-%d} until "
        + (f"{entry.valid_until:%Y-%m-%d}" if entry.valid_until else "no end")
        for entry in entries
    ]
    said += [f"reason: {item[WITHDRAWAL_REASON]}" for item in extensions if WITHDRAWAL_REASON in item]
    return "; ".join(said) or _NONE
