"""A bundle told to people and programs: what it holds, how old each part is, and what may be concluded from it."""

from datetime import datetime
from typing import Any

from cryptography.x509.oid import NameOID

from trust_list.bundle.opening import Opened
from trust_list.model import write_time
from trust_list.snapshot import Freshness
from vc.x509.certificate import sha256, subject_value

_SAID = {
    Freshness.FRESH: "fresh",
    Freshness.AGEING: "stale: still used, and shown as such; get a newer one",
    Freshness.EXPIRED: "expired: nothing can be determined by it",
}


def report(opened: Opened, now: datetime) -> dict[str, Any]:
    """The whole bundle as JSON members; ages in seconds."""
    contents = opened.contents
    lists = opened.snapshot().lists
    return {
        "state": opened.state(now).value,
        "seq": contents.sequence,
        "created": write_time(contents.created),
        "not_after": write_time(contents.not_after),
        "age": _age(contents.created, now),
        "digest": opened.digest.hex(),
        "maker": {
            "name": subject_value(opened.signer, NameOID.ORGANIZATION_NAME),
            "sha256": sha256(opened.signer).hex(),
        },
        "root_version": opened.root.version,
        "lists": [
            {
                "id": list_id,
                "seq": item.accepted.sequence if item.accepted else None,
                "next_update": write_time(item.accepted.next_update) if item.accepted else None,
                "age": _age(item.checked_at, now) if item.checked_at else None,
                "state": item.freshness(now).value,
            }
            for list_id, item in lists.items()
        ],
        "status_lists": [
            {"uri": one.carried.uri, "kind": one.carried.kind, "entity": one.entity, "age": _age(one.issued_at, now)}
            for one in opened.statuses
        ],
        "crls": [{"uri": one.uri, "age": _age(one.fetched_at, now)} for one in opened.crls],
        "types": {scheme.type: dict(scheme.labels) for scheme in contents.schemes},
        "notes": list(opened.notes),
    }


def lines(told: dict[str, Any]) -> list[str]:
    """The report in a few lines."""
    shown = [
        f"bundle {told['seq']} of {told['created']}, until {told['not_after']}: {_SAID[Freshness(told['state'])]}",
        *(f"list {one['id']} edition {one['seq']}: {one['state']}, next update {one['next_update']}" for one in told["lists"]),
        f"{len(told['status_lists'])} status lists, {len(told['crls'])} revocation lists, made by {told['maker']['name']}",
    ]
    return shown + [f"note: {note}" for note in told["notes"]]


def _age(since: datetime, now: datetime) -> int:
    return max(0, int((now - since).total_seconds()))
