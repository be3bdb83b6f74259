"""Element values: from Python to CBOR when issuing, from CBOR to JSON-like values when verifying."""

import math
from datetime import date, datetime
from typing import Any

from cbor2 import CBORTag

from vc.encoding import base64url, cbor
from vc.errors import Malformed
from vc.mdoc.dates import FULL_DATE, TDATE, parse_full_date, parse_tdate, tdate
from vc.mdoc.tagged import text

_INT64 = range(-(1 << 63), 1 << 63)


def encode(value: Any) -> bytes:
    """The CBOR of an element value: str, bool, int, finite float, bytes, date (tag 1004), aware datetime (tag 0), list, dict.

    Raises `Malformed("element_value")` for anything else, `Malformed("text")` for text without a UTF-8 form.
    """
    kind = type(value)
    if kind is str:
        return text(value)
    if kind is dict:
        return cbor.head(cbor.MAP, len(value)) + b"".join([_name(key) + encode(item) for key, item in value.items()])
    if kind is date:
        return _FULL_DATE + str(value).encode("ascii")
    return cbor.dumps(_encodable(value)) if kind not in _ARRAYS else _array(value)


_FULL_DATE = b"\xd9\x03\xec\x6a"  # tag 1004, a text of ten
_ARRAYS = frozenset({list, tuple})


def _array(value: list[Any] | tuple[Any, ...]) -> bytes:
    return cbor.head(cbor.ARRAY, len(value)) + b"".join(map(encode, value))


def _name(key: Any) -> bytes:
    if type(key) is not str:
        raise Malformed("element_value", "a member's name is not a text")
    return text(key)


def _encodable(value: Any) -> Any:
    """A value that is not the usual kind of its kind, or rare, as the CBOR encoder takes it."""
    match value:
        case str():
            text(value)
            return str(value)
        case bool() | bytes():
            return value
        case int() if value in _INT64:
            return value
        case float() if math.isfinite(value):
            return value
        case datetime() if value.tzinfo is not None:
            return tdate(value)
        case _:
            raise Malformed("element_value", "a value of a kind an element cannot have")


def plain(value: Any) -> Any:
    """A decoded element value as JSON would hold it (RFC 8949 §6.1): days and moments as text, bytes as base64url.

    Raises `Malformed("element_value")` for nil, other tags, NaN and infinities, integers beyond 64 bits, U+0000, map keys that
    are not text.
    """
    kind = type(value)
    if kind is str:
        if "\x00" not in value:
            return value
    elif kind is bool or (kind is int and value in _INT64) or (kind is float and math.isfinite(value)):
        return value
    elif kind is bytes:
        return base64url.encode(value)
    elif kind is CBORTag:
        if value.tag == FULL_DATE:
            return parse_full_date(value).isoformat()
        if value.tag == TDATE:
            parse_tdate(value)
            return value.value
    elif kind is list:
        return [plain(item) for item in value]
    elif kind is dict and all(type(key) is str and "\x00" not in key for key in value):
        return {key: plain(item) for key, item in value.items()}
    raise Malformed("element_value", "a value of a kind an element cannot have")
