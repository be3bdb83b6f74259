"""YAML as far as a description needs it: mappings, sequences and texts, read from the parser's events and from nothing else.

No value is ever constructed from a tag, so none can be anything but a dict, a list, a text or None. `NO` stays a text (it is a
country), `01000` keeps its zero, and a time stays as written. Refused: aliases and anchors (they can grow without end), tags,
duplicate keys, more than one document, deep nesting, long texts.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from vc.errors import Malformed

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 16
_NOTHING = ("", "~", "null")


def load(data: bytes) -> Any:
    """The value of one YAML document in UTF-8.

    Raises `Malformed`: `too_large`, `yaml`, `yaml_alias`, `yaml_tag`, `yaml_depth`, `yaml_duplicate_key`; `pointer` is the line.
    """
    if len(data) > MAX_BYTES:
        raise Malformed("too_large", "the YAML text is too long")
    try:
        events = yaml.parse(data.decode("utf-8"), Loader=yaml.SafeLoader)
        next(events)  # start of stream
        if isinstance(next(events), yaml.StreamEndEvent):
            raise Malformed("yaml", "the YAML text is empty")
        value = _node(next(events), events, 1)
        next(events)  # end of document
        if not isinstance(next(events), yaml.StreamEndEvent):
            raise Malformed("yaml", "there is more than one YAML document")
    except UnicodeDecodeError as exc:
        raise Malformed("yaml", "the text is not UTF-8") from exc
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        raise Malformed("yaml", f"not readable as YAML at line {line}: {exc.problem}", pointer=f"line {line}") from exc
    except yaml.YAMLError as exc:
        raise Malformed("yaml", "the text holds a character YAML does not allow") from exc
    return value


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Any:
    if getattr(event, "tag", None) is not None:
        raise _refused("yaml_tag", "tags are not read", event)
    if getattr(event, "anchor", None) is not None:
        raise _refused("yaml_alias", "anchors and aliases are not read", event)
    if depth > MAX_DEPTH:
        raise _refused("yaml_depth", "the text is nested too deep", event)
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, depth)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_node(event, events, depth + 1))
        return items
    value = str(getattr(event, "value", ""))
    return None if getattr(event, "style", None) is None and value in _NOTHING else value


def _mapping(events: Iterator[yaml.Event], depth: int) -> dict[str, Any]:
    members: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        name = _node(event, events, depth + 1)
        if not isinstance(name, str):
            raise _refused("yaml", "a key is not a text", event)
        if name in members:
            raise _refused("yaml_duplicate_key", "a mapping has the same key twice", event)
        members[name] = _node(next(events), events, depth + 1)
    return members


def _refused(code: str, text: str, event: yaml.Event) -> Malformed:
    line = f"line {event.start_mark.line + 1}" if event.start_mark else ""
    return Malformed(code, f"{text} ({line})", pointer=line)
