"""Strict CBOR (RFC 8949): definite lengths, no duplicate keys, few tags, bounded depth, size and count."""

import math
from collections.abc import Collection, Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any, NoReturn

import cbor2
from cbor2 import CBORTag, frozendict

from vc.errors import Malformed

MAX_DEPTH = 32
MAX_BYTES = 256 * 1024
MAX_NODES = 10_000
# tdate, MAC0, Sign1, encoded CBOR, URI (x5u, RFC 9360 §2), CWT, full-date: what ISO/IEC 18013-5 and the status list need,
# kept as CBORTag.
ALLOWED_TAGS = frozenset({0, 17, 18, 24, 32, 61, 1004})
# Tags for which the library has a decoder of its own; each is replaced, so that no datetime, set, regex or cycle appears.
_BUILT_IN_TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


def _keep(number: int) -> Any:
    return lambda value, _immutable: CBORTag(number, value)


def _refuse(number: int) -> Any:
    def refuse(_value: Any, _immutable: bool) -> NoReturn:
        raise Malformed("cbor_tag", f"tag {number} is not allowed")

    return refuse


_SEMANTIC = {number: (_keep if number in ALLOWED_TAGS else _refuse)(number) for number in _BUILT_IN_TAGS}


def loads(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES) -> Any:
    """The value of exactly one CBOR item: dict, list, str, bytes, int, bool, float, None or `CBORTag`
    (below a tag, containers are tuples and frozendicts).

    Refuses with `Malformed` (codes `cbor`, `cbor_tag`, `too_large`): indefinite lengths, duplicate or composite map keys,
    trailing bytes, tags outside `ALLOWED_TAGS`, NaN and infinities, `undefined` and unassigned simple values, big
    integers, nesting over `max_depth`, more than `max_nodes` items (SECURITY M-6).
    """
    value = decode(data, max_bytes=max_bytes, max_depth=max_depth)
    _require_plain(value, max_nodes)
    return value


def decode(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """As `loads`, but the kinds of keys and leaves are not looked at and items are not counted.

    For readers that check the type of every field they use: there may be NaN, `undefined`, simple values, composite keys and
    unknown tags (as `CBORTag`) inside.
    """
    if len(data) > max_bytes:
        raise Malformed("too_large", "the CBOR item is too long")
    return decode_each((data,), max_depth=max_depth)[0]


def decode_each(parts: Sequence[bytes], *, max_depth: int = MAX_DEPTH) -> list[Any]:
    """As `decode` for several byte strings, each of which must be exactly one CBOR item. Their length is the caller's care."""
    stream = BytesIO(b"".join(parts))
    values, end = [], 0
    try:
        decoder = cbor2.CBORDecoder(
            stream,
            semantic_decoders=_SEMANTIC,
            max_depth=max_depth,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
        for part in parts:
            values.append(decoder.decode())
            end += len(part)
            if stream.tell() != end:
                raise Malformed("cbor", "bytes after the CBOR item, or too few")
    except Malformed:
        raise
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, EOFError, RecursionError, MemoryError) as exc:
        cause = exc.__cause__ or exc.__context__
        if isinstance(cause, Malformed):
            raise cause from exc
        raise Malformed("cbor", "not a well-formed CBOR item") from exc
    return values


UNSIGNED, BYTES, TEXT, ARRAY, MAP = 0, 2, 3, 4, 5  # major types


@lru_cache(maxsize=4096)
def head(major: int, length: int) -> bytes:
    """The shortest-form head of an item (RFC 8949 §4.2.1), for what is written by hand around bytes that are there already."""
    if length < 24:
        return bytes((major << 5 | length,))
    if length < 0x100:
        return bytes((major << 5 | 24, length))
    if length < 0x10000:
        return bytes((major << 5 | 25, length >> 8, length & 0xFF))
    if length < 0x100000000:
        return bytes((major << 5 | 26,)) + length.to_bytes(4, "big")
    return bytes((major << 5 | 27,)) + length.to_bytes(8, "big")


def dumps(value: Any) -> bytes:
    """`value` in shortest-form, definite-length CBOR, maps in the order given (ISO/IEC 18013-5 §9.1.2: what is signed is kept)."""
    return cbor2.dumps(value)


_LEAVES = frozenset({str, bytes, int, bool, type(None)})  # the decoder bounds int to 64 bits, since tags 2 and 3 are refused
_KEYS = frozenset({str, int})


def _require_plain(value: Any, max_nodes: int) -> None:
    nodes, todo = 0, list[Collection[Any]]([(value,)])
    while todo:
        group = todo.pop()
        nodes += len(group)
        if nodes > max_nodes:
            raise Malformed("too_large", "too many CBOR items")
        if _LEAVES.issuperset(map(type, group)):
            continue
        for item in group:
            kind = type(item)
            if kind in _LEAVES:
                continue
            if kind is dict or kind is frozendict:
                if not _KEYS.issuperset(map(type, item)):
                    raise Malformed("cbor", "a map key is neither text nor integer")
                todo.append(item.values())
            elif kind is list or kind is tuple:
                todo.append(item)
            elif kind is CBORTag:
                if item.tag not in ALLOWED_TAGS:
                    raise Malformed("cbor_tag", f"tag {item.tag} is not allowed")
                todo.append((item.value,))
            elif kind is not float or not math.isfinite(item):
                raise Malformed("cbor", "a value of a kind that has no place here")
