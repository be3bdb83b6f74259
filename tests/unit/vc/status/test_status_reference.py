"""References in credentials: one strict shape (TSL-6, EAA-S-8, J-9)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.errors import Malformed, Refused, VcError
from vc.status.reference import StatusReference, from_claim, is_fetchable, of, to_claim

URI = "https://issuer.example/status/1"
REFERENCE = StatusReference(uri=URI, idx=42)
NESTED = {"status_list": {"idx": 42, "uri": URI}}


def test_both_shapes_in_one_object_and_the_nested_one_is_read() -> None:
    assert to_claim(REFERENCE) == NESTED
    assert to_claim(REFERENCE, etsi=True) == {"type": "TokenStatusList", "purpose": "revocation", "index": 42, "uri": URI, **NESTED}
    assert from_claim(to_claim(REFERENCE)) == from_claim(to_claim(REFERENCE, etsi=True)) == REFERENCE
    assert from_claim({"index": 7, "uri": "https://other.example", **NESTED}) == REFERENCE


@pytest.mark.parametrize("status", [None, True, 7, "status", [], [NESTED]])
def test_a_status_is_an_object(status: Any) -> None:
    with pytest.raises(Malformed) as failure:
        from_claim(status)
    assert (failure.value.code, failure.value.pointer) == ("status", "/status")


@pytest.mark.parametrize("status", [{}, {"type": "TokenStatusList", "index": 1, "uri": URI}, {"identifier_list": {"id": "x"}}])
def test_other_mechanisms_only_are_refused_not_ignored(status: Any) -> None:
    with pytest.raises(Refused) as failure:
        from_claim(status)
    assert failure.value.code == "status_mechanism"


def test_absence_is_the_only_way_to_have_no_status() -> None:
    assert of({"vct": "x"}) is None
    assert of({"status": NESTED}) == REFERENCE
    with pytest.raises(Malformed):
        of({"status": None})


@pytest.mark.parametrize("entry", [None, [], "x", 7])
def test_status_list_is_an_object(entry: Any) -> None:
    with pytest.raises(Malformed) as failure:
        from_claim({"status_list": entry})
    assert failure.value.pointer == "/status/status_list"


@pytest.mark.parametrize("idx", [-1, 2**63, 4.5, 4.0, "42", True, False, None, [], float("nan")])
def test_an_index_is_an_integer_from_zero(idx: Any) -> None:
    with pytest.raises(Malformed) as failure:
        from_claim({"status_list": {"idx": idx, "uri": URI}})
    assert failure.value.pointer == "/status/status_list/idx"
    with pytest.raises(Malformed):
        from_claim({"status_list": {"uri": URI}})


@pytest.mark.parametrize("idx", [0, 1, 2**63 - 1])
def test_indices_at_the_edges(idx: int) -> None:
    assert from_claim({"status_list": {"idx": idx, "uri": URI}}).idx == idx


@pytest.mark.parametrize(
    "uri",
    [
        "https://issuer.example/status/1", "http://localhost:8080/status/1", "https://issuer.example", "https://[::1]/x?y=1",
        "HTTPS://issuer.example/x",
    ],
)  # fmt: skip
def test_addresses_that_can_be_fetched(uri: str) -> None:
    assert is_fetchable(uri)
    assert from_claim({"status_list": {"idx": 0, "uri": uri}}).uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        "", "issuer.example/x", "//issuer.example/x", "ftp://issuer.example/x", "file:///etc/passwd", "data:,x",
        "javascript:alert(1)",
        "urn:x:y", "https://", "https:///x", "https://user@issuer.example/x", "https://user:pw@issuer.example/x", "https://@issuer.example/x",
        "https://issuer.example:99999/x", "https://issuer.example:x/", "https://[::1/x", "https://issuer.example/a b",
        "https://issuer.example\\@evil.example/", "https://issuer.example/x#fragment", "https://issuer.exämple/x",
        "https://issuer.example/\n", "\thttps://issuer.example/", "https://issuer.example/\x00",
        "https://issuer.example/" + "x" * 2048,
    ],
)  # fmt: skip
def test_addresses_that_are_not(uri: str) -> None:
    assert not is_fetchable(uri)
    with pytest.raises(Malformed) as failure:
        from_claim({"status_list": {"idx": 0, "uri": uri}})
    assert failure.value.pointer == "/status/status_list/uri"


@pytest.mark.parametrize("uri", [None, 7, b"https://issuer.example", ["https://issuer.example"], {}])
def test_an_address_is_text(uri: Any) -> None:
    with pytest.raises(Malformed):
        from_claim({"status_list": {"idx": 0, "uri": uri}})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["status_list", "idx", "uri", "x"]), inner),
    )
)
def test_any_value_gives_a_reference_or_our_error(value: Any) -> None:
    try:
        assert isinstance(from_claim(value), StatusReference)
    except VcError:
        return
