"""The notification request (OpenID4VCI 1.0 §11): the wallet tells what became of the credentials."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vc.errors import Malformed
from vc.openid4vci import members
from vc.openid4vci.errors import is_plain, plain

MAX_ID, MAX_DESCRIPTION = 256, 1000
_CODE = "notification"


class Event(StrEnum):
    """What can be told (VCI-NOT-1)."""

    ACCEPTED = "credential_accepted"
    FAILURE = "credential_failure"
    DELETED = "credential_deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A read notification. Whether the id was ever given out, and to this token, the caller knows (`notification_id` in the
    error table)."""

    notification_id: str
    event: Event
    description: str | None


def parse(value: object) -> Notification:
    """Read a decoded notification; unknown members are ignored.

    Raises `Malformed("notification")`: no id, an unknown event, a description with characters it may not have (VCI-NOT-2, -3).
    """
    request = members.an_object(value, _CODE)
    notification_id = members.required_text(request, "notification_id", _CODE)
    event = members.required_text(request, "event", _CODE)
    description = members.text(request, "event_description", _CODE)
    if event not in set(Event):
        raise Malformed(_CODE, "not an event of the specification", pointer="/event")
    if len(notification_id) > MAX_ID or not notification_id.isprintable():
        raise Malformed(_CODE, "too long or not printable", pointer="/notification_id")
    if description is not None and (len(description) > MAX_DESCRIPTION or not is_plain(description)):
        raise Malformed(_CODE, "too long, or with characters it may not have", pointer="/event_description")
    return Notification(notification_id=notification_id, event=Event(event), description=description)


def create(notification_id: str, event: Event, *, description: str | None = None) -> dict[str, Any]:
    """The wallet's request; a description is reduced to the characters it may have."""
    about = {} if not description else {"event_description": plain(description)[:MAX_DESCRIPTION]}
    return {"notification_id": notification_id, "event": event.value, **about}
