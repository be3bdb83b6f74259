"""Negotiation: weights, ranges and languages as RFC 9110 and RFC 4647 have them."""

import pytest

from issuer.routes.negotiation import locales, names, quality

JSON, JWT = "application/json", "application/jwt"


@pytest.mark.parametrize(
    ("accept", "json", "jwt"),
    [
        ("", 1.0, 1.0),
        ("*/*", 1.0, 1.0),
        ("application/json", 1.0, 0.0),
        ("application/jwt", 0.0, 1.0),
        ("application/jwt;q=0.5, application/json", 1.0, 0.5),
        ("application/*;q=0.4, application/jwt;q=0.1", 0.4, 0.1),
        ("*/*;q=0.1, application/json;q=0", 0.0, 0.1),
        ("APPLICATION/JWT ; Q=0.25", 0.0, 0.25),
        ("text/html", 0.0, 0.0),
        ("application/jwt;q=2", 1.0, 1.0),
        ("application/jwt;q=a, application/json", 1.0, 0.0),
        ("application/json;q=0.2, application/json;q=0.7", 0.7, 0.0),
        (", ,", 1.0, 1.0),
    ],
)
def test_weights(accept: str, json: float, jwt: float) -> None:
    assert (quality(accept, JSON), quality(accept, JWT)) == (json, jwt)


def test_only_so_many_ranges_are_looked_at() -> None:
    assert quality(",".join(["text/html"] * 64 + [JWT]), JWT) == 0.0


def test_to_name_a_type_is_more_than_to_cover_it() -> None:
    assert names("text/html, application/jwt;q=0.1", JWT)
    assert not names("application/*, */*", JWT)


@pytest.mark.parametrize(
    ("accept_language", "found"),
    [
        ("", ()),
        ("de", ("de",)),
        ("de-AT, en;q=0.5", ("de", "en")),
        ("en;q=0.5, fr;q=0.9", ("fr", "en")),
        ("no-NO", ("nb", "nn")),
        ("nb", ("nb",)),
        ("DE-Latn-AT", ("de",)),
        ("ja", ()),
        ("ja, de;q=0.1", ("de",)),
        ("de;q=0", ()),
        ("*", ()),
        ("de, *;q=0.1", ()),
        ("de;q=x, fr", ("fr",)),
        ("d", ()),
    ],
)
def test_languages(accept_language: str, found: tuple[str, ...]) -> None:
    assert locales(accept_language, ["de", "en", "fr", "nb", "nn"]) == found
