"""The bit list: places, values, bounds, compression (TSL-1, TSL-2, TSL-8, S-3 to S-5, S-12)."""

import gzip
import importlib.util
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.errors import Malformed, VcError, VerificationFailed
from vc.status import bits as module
from vc.status.bits import MAX_PACKED, StatusList, StatusValue, decompress

SIZES = [1, 2, 4, 8]


@pytest.mark.parametrize("bits", SIZES)
def test_entries_start_at_the_least_significant_bit(bits: int) -> None:
    listed = StatusList.empty(64, bits)
    listed.set(0, 1)
    assert listed.data[0] == 1
    listed.set(8 // bits, 1)  # the first of the second byte
    assert listed.data[1] == 1
    highest = (1 << bits) - 1
    listed.set(8 // bits - 1, highest)
    assert listed.data[0] == (highest << 8 - bits | 1 if bits < 8 else highest)


@pytest.mark.parametrize("bits", SIZES)
@given(data=st.data())
def test_what_was_set_is_there_and_nothing_else(bits: int, data: Any) -> None:
    entries = data.draw(st.dictionaries(st.integers(0, 63), st.integers(0, (1 << bits) - 1), max_size=64))
    one_by_one = StatusList.empty(64, bits)
    for idx, value in entries.items():
        one_by_one.set(idx, (1 << bits) - 1)  # overwritten, not added to
        one_by_one.set(idx, value)
    at_once = StatusList.from_indices(64, bits, entries)
    assert at_once == one_by_one
    assert [at_once.get(idx) for idx in range(64)] == [entries.get(idx, 0) for idx in range(64)]
    assert decompress(at_once.compress(), bits) == at_once


@pytest.mark.parametrize("bits", SIZES)
def test_an_array_of_indices_means_invalid(bits: int) -> None:
    for kind in (np.int64, np.int32, np.uint16):
        listed = StatusList.from_indices(64, bits, np.array([3, 63, 0, 3], kind))
        assert {idx for idx in range(64) if listed.get(idx)} == {0, 3, 63}
        assert StatusValue.of(listed.get(3)) is StatusValue.INVALID


@pytest.mark.parametrize("bits", SIZES)
def test_no_entries_is_a_list_of_valid(bits: int) -> None:
    entries: list[Any] = [{}, np.array([], np.int64)]
    for nothing in entries:
        assert StatusList.from_indices(64, bits, nothing) == StatusList.empty(64, bits)


OUTSIDE: list[Any] = [64, -1, -64, 2**63, 2**70, 1.0, "1", None, True, False]


@pytest.mark.parametrize("idx", OUTSIDE)
@pytest.mark.parametrize("bits", SIZES)
def test_an_index_outside_the_list(bits: int, idx: Any) -> None:
    listed = StatusList.from_indices(64, bits, {63: 1, 0: 1, 1: 1})
    for ask in (listed.get, lambda at: listed.set(at, 1)):
        with pytest.raises(VerificationFailed) as failure:
            ask(idx)
        assert failure.value.code == "status_index"
    assert listed.get(63) == 1  # the last one is inside


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({64: 1}, "status_index"), ({-1: 1}, "status_index"), ({2**70: 1}, "status_index_type"), ({1.0: 1}, "status_index_type"),
        ({True: 1}, "status_index_type"), ({1: 2}, "status_value"), ({1: -1}, "status_value"),
        ({1: 2**70}, "status_value"), ({1: "1"}, "status_value"), ({1: 1.0}, "status_value"),
        (np.array([64]), "status_index"), (np.array([-1]), "status_index"), (np.array([2**64 - 1], np.uint64), "status_index"),
        (np.array([1.0]), "status_index_type"), (np.array([True]), "status_index_type"),
    ],
)  # fmt: skip
def test_entries_that_cannot_be(entries: Any, code: str) -> None:
    with pytest.raises(VcError) as failure:
        StatusList.from_indices(64, 1, entries)
    assert failure.value.code == code


@pytest.mark.parametrize("value", [-1, 4, True, "1", 1.0, None])
def test_a_value_must_fit(value: Any) -> None:
    listed = StatusList.empty(8, 2)
    with pytest.raises(Malformed) as failure:
        listed.set(0, value)
    assert failure.value.code == "status_value"
    assert listed == StatusList.empty(8, 2)


NOT_BITS: list[Any] = [0, 3, 16, -1, True, "1", 1.0, None]


@pytest.mark.parametrize("bits", NOT_BITS)
def test_bits_are_1_2_4_or_8(bits: Any) -> None:
    makers: list[Callable[[], object]] = [
        lambda: StatusList(bits, bytearray(1)),
        lambda: StatusList.empty(8, bits),
        lambda: decompress(b"", bits),
    ]
    for make in makers:
        with pytest.raises(Malformed) as failure:
            make()
        assert failure.value.code == "status_bits"


@pytest.mark.parametrize(
    ("size", "bits"), [(0, 8), (-8, 1), (7, 1), (3, 2), (1, 4), (2**29 + 8, 1), (2**26 + 1, 8), (True, 8), (8.0, 1)]
)
def test_a_list_fills_whole_bytes_within_the_limit(size: Any, bits: int) -> None:
    with pytest.raises(Malformed) as failure:
        StatusList.empty(size, bits)
    assert failure.value.code == "status_size"


@pytest.mark.parametrize(
    ("entry", "meaning"),
    [
        (0, StatusValue.VALID), (1, StatusValue.INVALID), (2, StatusValue.SUSPENDED), (3, StatusValue.APPLICATION_SPECIFIC),
        (4, StatusValue.UNKNOWN), (0x0B, StatusValue.UNKNOWN), (0x0C, StatusValue.APPLICATION_SPECIFIC),
        (0x0F, StatusValue.APPLICATION_SPECIFIC), (0x10, StatusValue.UNKNOWN), (0xFF, StatusValue.UNKNOWN),
    ],
)  # fmt: skip
def test_what_a_number_means(entry: int, meaning: StatusValue) -> None:
    assert StatusValue.of(entry) is meaning


def test_only_zero_is_valid() -> None:
    assert [entry for entry in range(256) if StatusValue.of(entry) is StatusValue.VALID] == [0]


DATA = bytes(range(256))


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(gzip.compress(DATA), id="gzip"),
        pytest.param(raw_deflate(DATA), id="raw deflate"),
        pytest.param(zlib.compress(DATA)[:-1], id="checksum cut off"),
        pytest.param(zlib.compress(DATA)[:20], id="truncated"),
        pytest.param(zlib.compress(DATA)[:-1] + b"\x00", id="wrong checksum"),
        pytest.param(zlib.compress(DATA) + b"\x00", id="a byte after it"),
        pytest.param(zlib.compress(DATA) * 2, id="two streams"),
        pytest.param(zlib.compress(b""), id="empty list"),
        pytest.param(b"", id="nothing"),
        pytest.param(DATA, id="not packed"),
    ],
)
def test_only_a_whole_zlib_stream(packed: bytes) -> None:
    with pytest.raises(Malformed) as failure:
        decompress(packed, 1)
    assert failure.value.code == "status_zlib"


def test_any_zlib_level_is_read() -> None:
    assert {bytes(decompress(zlib.compress(DATA, level), 8).data) for level in range(10)} == {DATA}


def test_a_bomb_stops_at_the_limit() -> None:
    bomb = zlib.compress(bytes(16 << 20), 9)
    tracemalloc.start()
    try:
        with pytest.raises(Malformed) as failure:
            decompress(bomb, 1, max_bytes=1 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert failure.value.code == "too_large"
    assert peak < 4 << 20
    assert decompress(zlib.compress(bytes(1 << 20)), 1, max_bytes=1 << 20).size == 8 << 20  # exactly the limit is allowed


def test_too_much_is_not_even_unpacked() -> None:
    with pytest.raises(Malformed) as failure:
        decompress(bytes(MAX_PACKED + 1), 1)
    assert failure.value.code == "too_large"


def test_ten_million_entries() -> None:
    """S-12, and the size figure: as small as zlib level 6 within 3 %."""
    revoked = np.random.default_rng(7).choice(10_000_000, 100_000, replace=False)
    listed = StatusList.from_indices(10_000_000, 1, revoked)
    packed = listed.compress()
    assert len(packed) <= 1.03 * len(zlib.compress(bytes(listed.data), 6))
    back = decompress(packed, 1)
    assert back == listed
    assert int(np.unpackbits(np.frombuffer(back.data, np.uint8)).sum()) == 100_000
    assert all(back.get(int(idx)) == 1 for idx in revoked[:100])


def test_without_libdeflate_zlib_does_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deflate", None)
    spec = importlib.util.spec_from_file_location("bits_without_libdeflate", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    other = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, other)
    spec.loader.exec_module(other)
    listed = other.StatusList.from_indices(64, 2, {5: 2})
    assert listed.compress() == zlib.compress(bytes(listed.data), 6)


@given(st.binary(max_size=300), st.sampled_from(SIZES))
def test_any_bytes_give_a_list_or_our_error(packed: bytes, bits: int) -> None:
    try:
        listed = decompress(packed, bits)
    except Malformed:
        return
    assert listed.size
