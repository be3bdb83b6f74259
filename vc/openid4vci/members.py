"""Reading the members of a JSON message: the right kind, or `Malformed` with the place. Unknown members are never looked at."""

from collections.abc import Mapping
from typing import Any

from vc.errors import Malformed

MAX_TEXT = 64 * 1024


def an_object(value: object, code: str, pointer: str = "") -> Mapping[str, Any]:
    """`value` as a JSON object."""
    if type(value) is not dict and not isinstance(value, Mapping):  # the first is the usual case and much cheaper to see
        raise Malformed(code, "not an object", pointer=pointer)
    return value


def array(owner: Mapping[str, Any], name: str, code: str, pointer: str = "") -> list[Any] | None:
    """A non-empty array, or None when the member is absent."""
    if name not in owner:
        return None
    value = owner[name]
    if not isinstance(value, list) or not value:
        raise Malformed(code, "not a non-empty array", pointer=f"{pointer}/{name}")
    return value


def texts(owner: Mapping[str, Any], name: str, code: str, pointer: str = "") -> tuple[str, ...] | None:
    """A non-empty array of non-empty texts, none twice, or None when the member is absent."""
    value = array(owner, name, code, pointer)
    if value is None:
        return None
    if not all(isinstance(entry, str) and entry for entry in value) or len(set(value)) != len(value):
        raise Malformed(code, "not an array of different texts", pointer=f"{pointer}/{name}")
    return tuple(value)


def text(owner: Mapping[str, Any], name: str, code: str, pointer: str = "") -> str | None:
    """A non-empty text, or None when the member is absent."""
    if name not in owner:
        return None
    value = owner[name]
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise Malformed(code, "not a text of reasonable length", pointer=f"{pointer}/{name}")
    return value


def required_text(owner: Mapping[str, Any], name: str, code: str, pointer: str = "") -> str:
    """A non-empty text that must be there."""
    value = text(owner, name, code, pointer)
    if value is None:
        raise Malformed(code, "missing", pointer=f"{pointer}/{name}")
    return value


def positive(owner: Mapping[str, Any], name: str, code: str, pointer: str = "", *, least: int = 1) -> int | None:
    """An integer from `least`, or None when the member is absent."""
    if name not in owner:
        return None
    value = owner[name]
    if type(value) is not int or value < least:
        raise Malformed(code, f"not an integer from {least}", pointer=f"{pointer}/{name}")
    return value


def flag(owner: Mapping[str, Any], name: str, code: str, pointer: str = "") -> bool:
    """True or false; false when the member is absent."""
    value = owner.get(name, False)
    if not isinstance(value, bool):
        raise Malformed(code, "not true or false", pointer=f"{pointer}/{name}")
    return value
