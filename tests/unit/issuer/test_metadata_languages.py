"""Cutting descriptions down to languages: nothing loses its name, nothing but displays changes."""

from typing import Any

from issuer.metadata import in_languages, locales

DESCRIBED: dict[str, Any] = {
    "display": [{"name": "Institution"}],
    "jwks": {"keys": [{"kid": "display"}]},
    "credential_configurations_supported": {
        "one": {
            "credential_metadata": {
                "display": [{"name": "Card", "locale": "en"}, {"name": "Karte", "locale": "de"}, {"name": "Carte", "locale": "fr"}],
                "claims": [{"path": ["display"], "display": [{"name": "Number", "locale": "en"}]}],
            }
        }
    },
}


def test_locales_are_found_wherever_they_are() -> None:
    assert locales(DESCRIBED) == {"en", "de", "fr"}
    assert locales({"display": [{"name": "Institution"}]}) == frozenset()


def test_displays_are_cut_and_nothing_else() -> None:
    cut = in_languages(DESCRIBED, ["de"])
    configuration = cut["credential_configurations_supported"]["one"]["credential_metadata"]
    assert configuration["display"] == [{"name": "Karte", "locale": "de"}]
    assert configuration["claims"] == [{"path": ["display"], "display": [{"name": "Number", "locale": "en"}]}]
    assert (cut["display"], cut["jwks"]) == (DESCRIBED["display"], DESCRIBED["jwks"])
    assert locales(cut) == {"de", "en"}


def test_the_description_itself_stays_whole() -> None:
    in_languages(DESCRIBED, ["fr"])
    assert locales(DESCRIBED) == {"en", "de", "fr"}
