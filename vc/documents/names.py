"""Comparing names as offices write them: letters with and without marks, transliterated, hyphenated, in another script."""

import unicodedata
from enum import StrEnum

from vc.documents.text import scripts

_SPELLED = str.maketrans({
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŋ": "n", "ŧ": "t",
})  # fmt: skip
_DIGRAPHS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"))
"""Two letters that stand for one with a mark (ä ae, ö ø oe, ü ue, å aa): both ways of writing end in the same letter."""


class Likeness(StrEnum):
    """How two names compare."""

    SAME = "same"
    PART = "part"
    OTHER_SCRIPT = "other_script"
    DIFFERENT = "different"


def compare(one: str, other: str) -> Likeness:
    """`SAME` for names that differ only in writing; `PART` when one has all words of the other and more, or is cut off.

    Names whose letters are of different scripts, or mixed within one name, are `OTHER_SCRIPT`: nobody compares them by machine.
    """
    found = scripts(one), scripts(other)
    if found[0] != found[1] or len(found[0]) != 1:
        return Likeness.OTHER_SCRIPT
    first, second = _words(one), _words(other)
    if "".join(first) == "".join(second):
        return Likeness.SAME
    if _part_of(first, second) or _part_of(second, first):
        return Likeness.PART
    return Likeness.DIFFERENT


def _words(name: str) -> list[str]:
    """The words of a name in comparison form: small letters without marks, apostrophes gone, hyphens as spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_SPELLED))
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    spaced = "".join(character if character.isalnum() else "" if character in "'’ʼ`´." else " " for character in letters)
    words = spaced.split()
    for pair, letter in _DIGRAPHS:
        words = [word.replace(pair, letter) for word in words]
    return words


def _part_of(few: list[str], many: list[str]) -> bool:
    """Whether `few` has only words of `many`, the last one perhaps cut off."""
    return bool(few) and set(few[:-1]) <= set(many) and any(word.startswith(few[-1]) for word in many) and len("".join(few)) > 1
