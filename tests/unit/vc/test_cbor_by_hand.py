"""Heads written by hand, and several items read at once."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.encoding import cbor
from vc.errors import Malformed


@pytest.mark.parametrize("length", [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63])
def test_a_head_is_the_encoders(length: int) -> None:
    assert cbor.head(cbor.UNSIGNED, length) == cbor2.dumps(length)
    assert cbor.head(cbor.TEXT, length)[1:] == cbor2.dumps(length)[1:] or length < 24


@given(st.lists(st.text() | st.integers(0, 99) | st.lists(st.booleans()), min_size=1, max_size=5))
def test_items_read_at_once_are_the_items_read_one_by_one(values: list[object]) -> None:
    parts = [cbor2.dumps(value) for value in values]
    assert cbor.decode_each(parts) == values == [cbor.decode(part) for part in parts]


@given(st.binary(min_size=1, max_size=12), st.integers(0, 12))
def test_parts_that_are_items_only_together(data: bytes, at: int) -> None:
    try:
        values = cbor.decode_each([data[:at], data[at:]])
    except Malformed:
        return
    assert values == [cbor.decode(data[:at]), cbor.decode(data[at:])]


def test_nothing_of_another_part_is_read() -> None:
    for parts in ([b"\x82\x01", b"\x02\x03"], [b"\x01\x02", b"\x03"], [b"\x42\x00", b"\x00\x01"], [b"", b"\x01"], [b"\x01", b""]):
        with pytest.raises(Malformed):
            cbor.decode_each(parts)
