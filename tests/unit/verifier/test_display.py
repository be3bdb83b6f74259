"""What a page shows of a verdict: bounded, harmless, readable (V-13)."""

import pytest

from vc.documents.outcome import Outcome, Result
from verifier.pages import display
from verifier.qr import svg


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("a\u202eb", "a\ufffdb"),
        ("a\x00\x1b[2J", "a\ufffd\ufffd[2J"),
        ("line\nbreak", "line\ufffdbreak"),
        ("Żółkiewski Παπαδοπούλου", "Żółkiewski Παπαδοπούλου"),
        ("x" * 10_000, "x" * 500 + " …"),
    ],
)
def test_foreign_text_is_bounded_and_visible(value: str, expected: str) -> None:
    assert display.shown(value) == expected


def test_facts_are_in_order_with_readable_labels() -> None:
    tree = {"employer": [{"name": "A"}, {"name": "B"}], "transitional_rules": False, "none": None, "ending_date": "open"}

    assert list(display.facts(tree)) == [
        ("Employer 1 name", "A"),
        ("Employer 2 name", "B"),
        ("Transitional rules", "no"),
        ("Ending date", "open"),
    ]


def test_every_outcome_has_an_icon_and_a_word_and_every_result_a_word() -> None:
    assert set(display.LABELS) == set(Outcome)
    assert all(label["icon"] and label["word"] and label["meaning"] for label in display.LABELS.values())
    assert len({label["icon"] for label in display.LABELS.values()}) == len(Outcome)
    assert set(display.RESULT_WORDS) == set(Result)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"code": "access_denied"}, "the holder declined, or the wallet does not hold what was asked"),
        ({"code": "invalid_request"}, "it reported invalid_request"),
        (None, "no reason given"),
    ],
)
def test_wallet_errors_in_words(error: dict[str, str] | None, sentence: str) -> None:
    assert display.wallet_error(error) == sentence


def test_the_code_is_one_drawing_with_a_quiet_zone() -> None:
    drawing = svg("openid4vp://?client_id=x509_hash%3Aabc")

    assert drawing.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ')
    assert drawing.count("<path") == 2
    assert "M4 4h1v1h-1z" in drawing  # the finder pattern's corner, four modules from the edge
    assert "M3 " not in drawing
    assert "script" not in drawing
