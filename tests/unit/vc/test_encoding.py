"""Strict codecs: SECURITY H-3, H-4, J-5, J-11, M-6."""

import base64
import math
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from cbor2 import CBORTag, frozendict
from hypothesis import given
from hypothesis import strategies as st

from vc.encoding import base64url, cbor, json
from vc.errors import Malformed, VcError

# ---- base64url


@given(st.binary(max_size=200))
def test_base64url_round_trip(data: bytes) -> None:
    text = base64url.encode(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert base64url.decode(text) == data


@pytest.mark.parametrize("text", ["A", "QQ==", "Q Q", "QUI=", "QR", "QUJ", "+w", "/w", "QQ\n", "ＱＱ", "QQ!!", "A===", "\ufeffQQ"])
def test_base64url_refuses_every_other_text(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        base64url.decode(text, pointer="/x")
    assert (caught.value.code, caught.value.pointer) == ("base64url", "/x")


@given(st.text(max_size=40))
def test_base64url_one_text_per_value(text: str) -> None:
    try:
        data = base64url.decode(text)
    except Malformed:
        return
    assert base64url.encode(data) == text


# ---- JSON


def test_json_reads_what_it_should() -> None:
    assert json.loads(' {"a": [1, -2.5, true, null, "é", "\\ud83d\\ude00"]} ') == {"a": [1, -2.5, True, None, "é", "😀"]}
    assert json.loads(b"[" * 32 + b"]" * 32)
    assert json.loads("[" + '"[{",' * 40 + "1]")[0] == "[{"
    assert json.loads_object(b"{}") == {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param('{"a":1,"a":2}', "json_duplicate_member", id="duplicate member"),
        pytest.param('{"a":{"b":1,"b":1}}', "json_duplicate_member", id="duplicate below"),
        pytest.param("[NaN]", "json", id="NaN"),
        pytest.param("-Infinity", "json", id="Infinity"),
        pytest.param("1e999", "json", id="out of range"),
        pytest.param("9" * 21, "json", id="20,000 digits and more"),
        pytest.param("9" * 20000, "json", id="long integer"),
        pytest.param('"\\u0000"', "json", id="escaped null"),
        pytest.param('{"\\u0000":1}', "json", id="escaped null in a name"),
        pytest.param('"\x00"', "json", id="null"),
        pytest.param('"\\ud800"', "json", id="lone surrogate"),
        pytest.param('["\\udc00\\ud800"]', "json", id="surrogates in the wrong order"),
        pytest.param("\ufeff1", "json", id="byte order mark"),
        pytest.param(b"\xef\xbb\xbf1", "json", id="byte order mark in bytes"),
        pytest.param(b'"\xff"', "json", id="not UTF-8"),
        pytest.param('"a"'.encode("utf-16"), "json", id="UTF-16"),
        pytest.param("[1] x", "json", id="trailing text"),
        pytest.param("", "json", id="empty"),
        pytest.param('"a\nb"', "json", id="raw control character"),
        pytest.param("[" * 33 + "]" * 33, "json_depth", id="33 deep"),
        pytest.param("[" * 100_000, "json_depth", id="100,000 deep"),
        pytest.param('{"a":' * 40 + "1" + "}" * 40, "json_depth", id="deep objects"),
        pytest.param('"' + "\ud800" + '"', "json", id="surrogate in a text argument"),
    ],
)
def test_json_refuses(text: str | bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        json.loads(text)
    assert caught.value.code == code


def test_json_limits_and_object() -> None:
    with pytest.raises(Malformed, match="too_large"):
        json.loads("[1,2]", max_bytes=4)
    with pytest.raises(Malformed, match="json_object"):
        json.loads_object("[]")


def test_json_dumps_compact_and_refuses_strangers() -> None:
    assert json.dumps({"b": "é", "a": [1]}) == '{"b":"é","a":[1]}'.encode()
    with pytest.raises(Malformed, match="json_unencodable"):
        json.dumps({"a": object()})


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60)))
def test_json_any_input_gives_a_value_or_our_error(data: bytes | str) -> None:
    with suppress(VcError):
        json.loads(data)


# ---- CBOR


def test_cbor_reads_what_mdocs_need() -> None:
    value = {
        "a": [1, -1, b"x", True, None, 1.5],
        1: {"t": CBORTag(24, b"\x01")},
        "d": CBORTag(1004, "2026-11-24"),
        "s": CBORTag(0, "z"),
    }
    assert cbor.loads(cbor.dumps(value)) == value
    assert cbor.loads(cbor.dumps(CBORTag(18, [b"", {}, None, b""]))) == CBORTag(18, (b"", frozendict(), None, b""))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(bytes.fromhex("a2616101616102"), "cbor", id="duplicate key"),
        pytest.param(bytes.fromhex("9f01ff"), "cbor", id="indefinite array"),
        pytest.param(bytes.fromhex("5f4101ff"), "cbor", id="indefinite bytes"),
        pytest.param(bytes.fromhex("0101"), "cbor", id="trailing bytes"),
        pytest.param(bytes.fromhex("f97e00"), "cbor", id="NaN"),
        pytest.param(bytes.fromhex("f97c00"), "cbor", id="infinity"),
        pytest.param(bytes.fromhex("f7"), "cbor", id="undefined"),
        pytest.param(bytes.fromhex("f8ff"), "cbor", id="simple value"),
        pytest.param(bytes.fromhex("a18000"), "cbor", id="array as key"),
        pytest.param(bytes.fromhex("a1f400"), "cbor", id="bool as key"),
        pytest.param(bytes.fromhex("a1c000"), "cbor", id="key is a tag without content"),
        pytest.param(b"", "cbor", id="empty"),
        pytest.param(bytes.fromhex("5bffffffffffffffff"), "cbor", id="announced length 2^64"),
        pytest.param(bytes.fromhex("61ff"), "cbor", id="text that is not UTF-8"),
        pytest.param(b"\x81" * 100_000, "cbor", id="100,000 deep"),
        pytest.param(b"\x81" * 40 + b"\x00", "cbor", id="40 deep"),
        *(
            pytest.param(
                cbor2.dumps(CBORTag(tag, 0 if tag == 1 else b"\x01" if tag in (2, 3) else [1, 2])), "cbor_tag", id=f"tag {tag}"
            )
            for tag in (1, 2, 3, 4, 5, 28, 30, 258, 55799, 43000, 999)
        ),
        pytest.param(bytes.fromhex("d81c81d81d00"), "cbor_tag", id="shared reference"),
        pytest.param(bytes.fromhex("d818d81c00"), "cbor_tag", id="tag in an allowed tag"),
        pytest.param(b"\x98\xff" + b"\xa0" * 255, None, id="255 empty maps are fine"),
        pytest.param(cbor2.dumps([{}] * 10_001), "too_large", id="too many nodes"),
        pytest.param(cbor2.dumps({str(i): i for i in range(10_001)}), "too_large", id="too many members"),
        pytest.param(b"\x5a\x00\x04\x00\x00" + bytes(262144), "too_large", id="over the size limit"),
    ],
)
def test_cbor_strictness(data: bytes, code: str | None) -> None:
    if code is None:
        cbor.loads(data)
        return
    with pytest.raises(Malformed) as caught:
        cbor.loads(data)
    assert caught.value.code == code


def test_cbor_dumps_shortest_definite_in_order() -> None:
    assert cbor.dumps({"b": 1, "a": [24, 2**32]}) == bytes.fromhex("a26162016161821818") + bytes.fromhex("1b0000000100000000")


@given(st.binary(max_size=80))
def test_cbor_any_bytes_give_a_plain_value_or_our_error(data: bytes) -> None:
    try:
        value = cbor.loads(data)
    except VcError:
        return
    _assert_plain(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**64), 2**64 - 1)
        | st.text(max_size=5)
        | st.binary(max_size=5)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | st.integers(-5, 5), inner, max_size=4),
        max_leaves=10,
    )
)
def test_cbor_round_trip(value: Any) -> None:
    assert cbor.loads(cbor.dumps(value)) == value


def _assert_plain(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            assert type(key) in (str, int)
            _assert_plain(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _assert_plain(item)
    elif isinstance(value, CBORTag):
        assert value.tag in cbor.ALLOWED_TAGS
        _assert_plain(value.value)
    else:
        assert value is None or type(value) in (str, bytes, int, bool, float)
        assert not isinstance(value, float) or math.isfinite(value)
