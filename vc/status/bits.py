"""The bit array of a status list and its ZLIB form (Token Status List §4)."""

import contextlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from vc.errors import Malformed, VerificationFailed

_compress: Callable[[bytearray, int], bytes | bytearray] = zlib.compress  # a platform without libdeflate: same format, slower
with contextlib.suppress(ImportError):
    from deflate import zlib_compress as _compress

SIZES = (1, 2, 4, 8)
MAX_PACKED = 8 * 1024 * 1024
MAX_UNPACKED = 64 * 1024 * 1024
_LEVEL = 6  # libdeflate's 6 makes lists of zlib's size in a third of the time


class StatusValue(StrEnum):
    """What an entry means (§7.1). Everything but VALID means: not valid."""

    VALID = "valid"
    INVALID = "invalid"
    SUSPENDED = "suspended"
    APPLICATION_SPECIFIC = "application-specific"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, entry: int) -> "StatusValue":
        """The meaning of a number: 0, 1, 2; 3 and 12 to 15 are for applications to define; the rest is reserved."""
        return _MEANINGS.get(entry, cls.UNKNOWN)


_MEANINGS = {0: StatusValue.VALID, 1: StatusValue.INVALID, 2: StatusValue.SUSPENDED} | dict.fromkeys(
    (0x03, 0x0C, 0x0D, 0x0E, 0x0F), StatusValue.APPLICATION_SPECIFIC
)


@dataclass(frozen=True, slots=True)
class StatusList:
    """Entries of `bits` bits each, packed from the least significant bit on. `data` may be changed through `set` only."""

    bits: int
    data: bytearray

    def __post_init__(self) -> None:
        _require_bits(self.bits)

    @classmethod
    def empty(cls, size: int, bits: int) -> "StatusList":
        """A list of `size` entries, all VALID. Raises `Malformed("status_size")` unless it fills whole bytes and fits the limit."""
        _require_bits(bits)
        if type(size) is not int or size <= 0 or size * bits % 8 or size * bits > MAX_UNPACKED * 8:
            raise Malformed("status_size", "a list fills whole bytes and fits into the limit")
        return cls(bits, bytearray(size * bits // 8))

    @classmethod
    def from_indices(cls, size: int, bits: int, entries: "Mapping[int, int] | npt.NDArray[np.integer]") -> "StatusList":
        """A list with these entries set and all others VALID.

        `entries`: index to value, or an integer array of indices that all get INVALID. Raises `VerificationFailed("status_index")`
        for an index outside, `Malformed("status_value")` for a value that does not fit.
        """
        result = cls.empty(size, bits)
        given = np.array(list(entries)) if isinstance(entries, Mapping) else entries
        if given.dtype.kind not in "iu" and len(given):
            raise Malformed("status_index_type", "indices are integers of 64 bits")
        indices = given.astype(np.int64, copy=False)
        values = _values(entries) if isinstance(entries, Mapping) else np.ones(len(entries), np.uint8)
        if len(values) and values.max() >= 1 << bits:
            raise Malformed("status_value", "a value does not fit into the entry")
        if len(indices) and not 0 <= indices.min() <= indices.max() < size:
            raise VerificationFailed("status_index", "an index is outside the list")
        places = indices * bits
        np.bitwise_or.at(np.frombuffer(result.data, np.uint8), places >> 3, values << (places & 7).astype(np.uint8))
        return result

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.data) * 8 // self.bits

    def get(self, idx: int) -> int:
        """The number at `idx`. Raises `VerificationFailed("status_index")` for anything but an integer inside the list (S-3)."""
        cell, place = self._place(idx)
        return self.data[cell] >> place & (1 << self.bits) - 1

    def set(self, idx: int, value: int) -> None:
        """Put `value` at `idx`. Raises as `get`, and `Malformed("status_value")` when it does not fit into the entry."""
        cell, place = self._place(idx)
        mask = (1 << self.bits) - 1
        if type(value) is not int or not 0 <= value <= mask:
            raise Malformed("status_value", "a value does not fit into the entry")
        self.data[cell] = self.data[cell] & ~(mask << place) | value << place

    def _place(self, idx: int) -> tuple[int, int]:
        if type(idx) is not int or not 0 <= idx < self.size:
            raise VerificationFailed("status_index", "the index is not in the list")
        return idx * self.bits >> 3, idx * self.bits & 7

    def compress(self) -> bytes:
        """The ZLIB stream (RFC 1950) of the list."""
        return bytes(_compress(self.data, _LEVEL))


def decompress(packed: bytes, bits: object, *, max_bytes: int = MAX_UNPACKED, max_packed: int = MAX_PACKED) -> StatusList:
    """The list in a ZLIB stream that ends exactly where `packed` ends (TSL-2, SECURITY S-5).

    Raises `Malformed`: `too_large` before more than `max_bytes` are unpacked, `status_zlib` for gzip, raw deflate, truncated
    or trailing data and an empty list, `status_bits`.
    """
    size = _require_bits(bits)
    if len(packed) > max_packed:
        raise Malformed("too_large", "the packed status list is too long")
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS)
    try:
        data = inflate.decompress(packed, max_bytes + 1)
    except zlib.error as exc:
        raise Malformed("status_zlib", "the status list is not a ZLIB stream") from exc
    if len(data) > max_bytes:
        raise Malformed("too_large", "the status list is too long when unpacked")
    if not inflate.eof or inflate.unused_data or not data:
        raise Malformed("status_zlib", "the ZLIB stream is cut off, empty, or followed by something")
    return StatusList(size, bytearray(data))


def _values(entries: Mapping[int, int]) -> "npt.NDArray[np.uint8]":
    try:
        return np.frombuffer(bytes(entries.values()), np.uint8)
    except (ValueError, TypeError) as exc:
        raise Malformed("status_value", "a value does not fit into the entry") from exc


def _require_bits(bits: object) -> int:
    if type(bits) is not int or bits not in SIZES:
        raise Malformed("status_bits", "an entry has 1, 2, 4 or 8 bits")
    return bits
