"""What a page shows of a verdict: bounded, harmless, readable (V-13)."""

import pytest

from vc.documents import catalogue
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


def test_facts_are_in_order_under_the_labels_and_boxes_of_the_form() -> None:
    tree = {
        "employer": [{"name": "A"}, {"name": "B", "type": "01"}],
        "transitional_rules": False,
        "none": None,
        "ending_date": "open",
        "starting_date": "2026-09-01",
        "status_confirmation": "07",
        "legislation_country": "GR",
        "unknown_member": "x",
    }

    assert list(display.facts(tree, catalogue.DOCUMENT_TYPES["pda1"].table)) == [
        ("Name or business name 1 (4.3)", "A"),
        ("Name or business name 2 (4.3)", "B"),
        ("Type of employment 2 (4.1)", "01 – employment"),
        ("Transitional rules apply (Art. 87(8)) (2.6)", "no"),
        ("Last day (2.3)", "no end"),
        ("First day (2.2)", "1 September 2026"),
        ("Situation of the person (3.1-3.12)", "07 – Mariner"),
        ("State whose legislation applies (2.1)", "GR – Greece"),
        ("Unknown member", "x"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "not stated"),
        ("open", "no end"),
        ("2026-09-01", "1 September 2026"),
        ("2026-11-24T17:00:00Z", "2026-11-24 17:00 UTC"),
    ],
)
def test_moments_of_the_validity_layers(text: str | None, expected: str) -> None:
    assert display.moment(text) == expected


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
