"""The names of documents and claims: every language, in its own letters, in one form only."""

import unicodedata

import pytest

from vc.documents.catalogue import CONFIGURATIONS, DOCUMENT_TYPES
from vc.documents.words import labels, titles

UNION = (
    *("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr"),
    *("hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"),
)
LOCALES = {*UNION, "is", "nb", "nn"}
SPELLINGS = {
    "bg": "Европейска здравноосигурителна карта",
    "cs": "Evropský průkaz zdravotního pojištění",
    "el": "Ευρωπαϊκή κάρτα ασφάλισης ασθένειας",
    "hu": "Európai egészségbiztosítási kártya",
    "is": "Evrópska sjúkratryggingakortið",
    "lt": "Europos sveikatos draudimo kortelė",
    "lv": "Eiropas veselības apdrošināšanas karte",
    "mt": "Karta Ewropea tal-Assigurazzjoni tas-Saħħa",
    "nb": "Europeisk helsetrygdkort",
    "ro": "Cardul european de asigurări sociale de sănătate",
    "sk": "Európsky preukaz zdravotného poistenia",
}
"""Names on the cards of these States; the letters of each are what a lost encoding would hurt."""


@pytest.mark.parametrize("document_type", DOCUMENT_TYPES)
def test_every_document_has_a_name_in_every_language(document_type: str) -> None:
    names = DOCUMENT_TYPES[document_type].labels
    assert names == titles(document_type)
    assert set(names) == LOCALES
    assert names["en"] == DOCUMENT_TYPES[document_type].title


def test_the_names_of_the_card_are_those_on_the_cards() -> None:
    names = titles("ehic")
    assert {locale: names[locale] for locale in SPELLINGS} == SPELLINGS


def test_the_test_identity_is_marked_in_every_language() -> None:
    assert all(name.endswith(")") for name in titles("pid").values())


def test_claims_are_named_in_english_and_in_what_else_there_is() -> None:
    assert set(labels("Date of birth")) == LOCALES
    assert labels("Date of birth")["ro"] == "Data nașterii"
    assert labels("State whose legislation applies") == {"en": "State whose legislation applies"}


def test_every_word_is_composed_and_without_blanks_around() -> None:
    """NFC, so that two systems that compare or sort the words see the same; ș and ț with a comma below, not a cedilla."""
    declared = [entry.labels for entry in DOCUMENT_TYPES.values()]
    claims = [claim.labels for configuration in CONFIGURATIONS.values() for claim in configuration.profile.claims]
    for words in (*declared, *claims):
        for locale, word in words.items():
            assert word == unicodedata.normalize("NFC", word).strip() != "", locale
            assert not set(word) & set("ŞşŢţ"), locale


def test_a_document_without_a_name_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        titles("passport")
