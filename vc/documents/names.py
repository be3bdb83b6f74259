"""Comparing names as offices write them: letters with and without marks, transliterated, hyphenated, in another script."""

import unicodedata
from enum import StrEnum

from vc.documents.text import scripts, tidy

_SPELLED = str.maketrans({
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŋ": "n", "ŧ": "t",
})  # fmt: skip
_DIGRAPHS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"))
"""Two letters that stand for one with a mark (ä ae, ö ø oe, ü ue, å aa): both ways of writing end in the same letter."""


_SILENT = frozenset("'’ʼ`´.")
_CUT = 20  # letters; forms cut surnames at 40 and forenames at 35


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
    if tidy(one).casefold() == tidy(other).casefold():
        return Likeness.SAME
    found = scripts(one), scripts(other)
    if found[0] != found[1] or len(found[0]) != 1:
        return Likeness.OTHER_SCRIPT
    first, second = _words(one), _words(other)
    if _joined(first) == _joined(second):
        return Likeness.SAME
    return Likeness.PART if _part_of(first, second) or _part_of(second, first) else Likeness.DIFFERENT


def _words(name: str) -> list[str]:
    """The words of a name in small letters without marks: apostrophes and full stops gone, hyphens as spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_SPELLED))
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    return "".join(c if c.isalnum() else "" if c in _SILENT else " " for c in letters).split()


def _joined(words: list[str]) -> str:
    """The letters of all words, each pair that stands for one letter written as that letter."""
    text = "".join(words)
    for pair, letter in _DIGRAPHS:
        text = text.replace(pair, letter)
    return text


def _part_of(few: list[str], many: list[str]) -> bool:
    """Whether `few` has only words of `many`, or is the beginning of `many`, cut off where a form had no more room."""
    whole = {_joined([word]) for word in many}
    return all(_joined([word]) in whole for word in few) or (len(_joined(few)) >= _CUT and _joined(many).startswith(_joined(few)))
