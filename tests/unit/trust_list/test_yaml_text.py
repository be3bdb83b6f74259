"""What a description's YAML may hold: mappings, sequences, texts; nothing that grows, runs or guesses."""

import time

import pytest

from trust_list import yaml_text
from vc.errors import Malformed


def refused(data: bytes) -> tuple[str, str]:
    with pytest.raises(Malformed) as caught:
        yaml_text.load(data)
    return caught.value.code, caught.value.pointer


def test_every_value_is_a_text_as_written() -> None:
    text = b"country: NO\ncode: 01000\nwhen: 2026-01-31T00:00:00Z\nnothing:\ntilde: ~\nquoted: ''\n"
    text += b"rows: [yes, 1.5, {a: b}]\nempty: {}\n"
    assert yaml_text.load(text) == {
        "country": "NO",
        "code": "01000",
        "when": "2026-01-31T00:00:00Z",
        "nothing": None,
        "tilde": None,
        "quoted": "",
        "rows": ["yes", "1.5", {"a": "b"}],
        "empty": {},
    }


@pytest.mark.parametrize(
    ("data", "code", "pointer"),
    [
        (b"a: &x 1\nb: *x\n", "yaml_alias", "line 1"),
        (b"a: [1]\nb: *x\n", "yaml_alias", "line 2"),
        (b"a: !!python/object/apply:os.system ['id']\n", "yaml_tag", "line 1"),
        (b"a: !!binary aGk=\n", "yaml_tag", "line 1"),
        (b"b: 1\na: 2\na: 3\n", "yaml_duplicate_key", "line 3"),
        (b"[a]: 1\n", "yaml", "line 1"),
        (b"a: 1\n---\nb: 2\n", "yaml", ""),
        (b"", "yaml", ""),
        (b"a: [1\n", "yaml", "line 2"),
        (b"\xff\xfe\xfd", "yaml", ""),
        (b"a: \x07\n", "yaml", ""),
        (b"[" * 17 + b"]" * 17, "yaml_depth", "line 1"),
        (b"a" * (yaml_text.MAX_BYTES + 1), "too_large", ""),
    ],
)
def test_refuses(data: bytes, code: str, pointer: str) -> None:
    assert refused(data) == (code, pointer)


def test_deep_nesting_is_refused_before_it_costs_anything() -> None:
    start = time.process_time()
    assert refused(b"[" * 20_000)[0] == "yaml_depth"
    assert time.process_time() - start < 2


def test_a_billion_laughs_is_refused_at_the_first_anchor() -> None:
    bomb = b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    assert refused(bomb) == ("yaml_alias", "line 1")
