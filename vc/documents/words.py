"""What documents and their claims are called in the languages of those who hold and read them; the words are in `words.json`.

Locales are BCP 47 tags: the 24 official languages of the Union, Icelandic, and the two written forms of Norwegian. The cards'
captions follow Decision S2 of the Administrative Commission; where a State's institutions have a name of their own for the
PD A1 (A1-todistus, Tõend A1, Intyg A1), it is that name.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from vc.encoding import json


@cache
def _words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return json.loads_object(files("vc.documents").joinpath("words.json").read_bytes())


def titles(document_type: str) -> Mapping[str, str]:
    """The name of a document type by locale. Raises KeyError for one that has none."""
    return _words()["titles"][document_type]


def labels(english: str) -> Mapping[str, str]:
    """A claim's English label with its translations, as far as there are any, by locale."""
    return {"en": english, **_words()["claims"].get(english, {})}
