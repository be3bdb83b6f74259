"""SDJ-14: the JSON serialization is read as the compact form it stands for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sdjwt import Lab
from vc.errors import Malformed
from vc.sdjwt.json_form import to_compact

LAB = Lab()
COMPACT = LAB.bound(LAB.issued([("a",), ("b",)], a=1, b=2))


def flattened(**header: Any) -> dict[str, Any]:
    token, *disclosures, key_binding = COMPACT.split("~")
    protected, payload, signature = token.split(".")
    unprotected = {"disclosures": disclosures, "kb_jwt": key_binding, "kid": "ignored", **header}
    return {"payload": payload, "protected": protected, "signature": signature, "header": unprotected}


def general(*others: Any) -> dict[str, Any]:
    value = flattened()
    return {"payload": value.pop("payload"), "signatures": [value, *others]}


def test_sdj_14_flattened_and_general_become_the_compact_form() -> None:
    assert to_compact(flattened()) == COMPACT
    assert to_compact(general()) == COMPACT
    assert to_compact(general({"protected": "x", "signature": "y", "header": {"kid": "2"}})) == COMPACT
    bare = {name: value for name, value in flattened().items() if name != "header"}
    assert to_compact(bare) == COMPACT.split("~", maxsplit=1)[0] + "~"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("not an object", [flattened()]),
        ("no payload", {name: value for name, value in flattened().items() if name != "payload"}),
        ("no signature", {name: value for name, value in flattened().items() if name != "signature"}),
        ("protected not text", {**flattened(), "protected": {}}),
        ("protected with a dot", {**flattened(), "protected": "a.b"}),
        ("header not an object", {**flattened(), "header": []}),
        ("disclosures not an array", flattened(disclosures="x")),
        ("disclosure not text", flattened(disclosures=[1])),
        ("disclosure with a ~", flattened(disclosures=["a~b"])),
        ("key binding not text", flattened(kb_jwt=1)),
        ("key binding with a ~", flattened(kb_jwt="a~b")),
        ("signatures empty", {**general(), "signatures": []}),
        ("signatures not objects", {**general(), "signatures": ["x"]}),
        ("signatures not an array", {**general(), "signatures": {}}),
        ("disclosures beside the second signature", general({"header": {"disclosures": []}})),
        ("key binding beside the second signature", general({"header": {"kb_jwt": ""}})),
        ("second header not an object", general({"header": 1})),
    ],
)
def test_sdj_14_what_is_not_the_json_form_is_refused(name: str, value: object) -> None:
    with pytest.raises(Malformed, match="sd_jwt_json"):
        to_compact(value)
    assert name


json_values = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["header", "payload", "protected", "signature", "signatures", "disclosures"]), inner, max_size=5
        )
    ),
    max_leaves=15,
)


@given(json_values)
def test_any_value_gives_text_or_our_error(value: object) -> None:
    try:
        text = to_compact(value)
    except Malformed:
        return
    assert "~" in text
