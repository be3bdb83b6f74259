"""Strict JSON (RFC 8259, RFC 7493): no duplicate names, no NaN, no lone surrogates, bounded depth and size."""

import json
import re
from typing import Any, NoReturn

import orjson

from vc.errors import Malformed

MAX_DEPTH = 32
MAX_BYTES = 1024 * 1024
_ESCAPED_TROUBLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("json_duplicate_member", "an object has the same member twice")
    return members


def _no_constant(_: str) -> NoReturn:
    raise Malformed("json", "NaN and Infinity are not JSON")


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Malformed("json", "a number is out of range")
    return value


def _integer(text: str) -> int:
    if len(text) > 20:
        raise Malformed("json", "an integer is out of range")
    return int(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_number, parse_int=_integer, strict=True
)


def loads(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """The value of one JSON text in UTF-8.

    Refuses with `Malformed` (codes `json`, `json_duplicate_member`, `json_depth`, `too_large`): duplicate member names,
    NaN and Infinity, numbers out of range, U+0000 anywhere (SECURITY H-4), lone surrogates, a byte order mark, other
    encodings, trailing text, nesting over `max_depth`, more than `max_bytes`.
    """
    if len(data) > max_bytes:
        raise Malformed("too_large", "the JSON text is too long")
    try:
        octets = data if isinstance(data, bytes) else data.encode("utf-8")  # raises for lone surrogates
        # What comes out of the fast reader and is written again octet for octet cannot have had a duplicate member, a
        # number out of range, or anything else that reader is lenient with. Escapes and depth are left to the careful one.
        value = orjson.loads(octets)
        if orjson.dumps(value) == octets and b"\\" not in octets and octets.count(b"[") + octets.count(b"{") <= max_depth:
            return value
    except UnicodeEncodeError as exc:
        raise Malformed("json", "not a JSON text in UTF-8") from exc
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # the writer allows less depth than the reader
        pass
    return _loads_carefully(octets, max_depth)


def _loads_carefully(octets: bytes, max_depth: int) -> Any:
    try:
        text = octets.decode("utf-8")
        if "\ufeff" in text[:1] or "\x00" in text:
            raise Malformed("json", "a byte order mark or a null character is not allowed")
        value, end = _DECODER.raw_decode(text.lstrip(" \t\r\n"))
        if text.lstrip(" \t\r\n")[end:].strip(" \t\r\n"):
            raise Malformed("json", "text after the JSON value")
        if text.count("[") + text.count("{") > max_depth and _depth(value) > max_depth:
            raise Malformed("json_depth", "nested too deep")
        if _ESCAPED_TROUBLE.search(text):
            _require_clean_text(value)
    except RecursionError as exc:
        raise Malformed("json_depth", "nested too deep") from exc
    except ValueError as exc:  # JSONDecodeError, UnicodeDecodeError
        raise Malformed("json", "not a JSON text in UTF-8") from exc
    return value


def loads_each(texts: list[bytes]) -> list[Any]:
    """`loads` for several short texts at once: the same values and the same refusals, in a fraction of the calls.

    Except for nesting, which may reach the writer's 254 levels: the caller bounds it by what he does with the values.
    """
    joined = b"[" + b",".join(texts) + b"]"
    if len(joined) <= MAX_BYTES and b"\\" not in joined:
        try:
            values: list[Any] = orjson.loads(joined)
            # Each text is by itself the one form of its value (see `loads`), so nothing can hide across a seam.
            if list(map(orjson.dumps, values)) == texts:
                return values
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            pass  # the careful way finds out which one, and says what is wrong
    return [loads(text) for text in texts]


def loads_object(data: bytes | str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """As `loads`, but the value must be an object; raises `Malformed("json_object")` otherwise."""
    value = loads(data, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise Malformed("json_object", "not a JSON object")
    return value


def dumps(value: Any) -> bytes:
    """`value` as compact UTF-8 JSON in the order given. Raises `Malformed("json_unencodable")` for what JSON cannot carry."""
    try:
        return orjson.dumps(value)
    except TypeError as exc:  # orjson.JSONEncodeError is a TypeError
        raise Malformed("json_unencodable", "the value has no JSON form") from exc


def _depth(value: Any) -> int:
    """Nesting of containers, iteratively: 0 for a scalar, 1 for `[]`."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        item, depth = todo.pop()
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else None
        if children is not None:
            deepest = max(deepest, depth)
            todo.extend((child, depth + 1) for child in children)
    return deepest


def _require_clean_text(value: Any) -> None:
    """Refuse U+0000 and lone surrogates that came in as escapes."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo.extend(item.keys())
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
        elif isinstance(item, str) and ("\x00" in item or any("\ud800" <= c <= "\udfff" for c in item)):
            raise Malformed("json", "a null character or a lone surrogate is not allowed")
