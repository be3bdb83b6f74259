"""Text from outside: one normal form, no invisible characters, no look-alike letters (SECURITY D-15, J-13, V-13)."""

import re
import unicodedata

_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # controls, bidi and zero-width, surrogates, private, unassigned
_MAX_MARKS = 3
_SCRIPTS = (
    ("latin", re.compile("[A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿ]")),
    ("greek", re.compile("[Ͱ-Ͽἀ-῿]")),
    ("cyrillic", re.compile("[Ѐ-ԯ]")),
)
_WORD = re.compile(r"[^\W\d_]+")


def tidy(text: str) -> str:
    """`text` in Unicode NFC without white space around it."""
    return unicodedata.normalize("NFC", text).strip()


def fault(text: str) -> str | None:
    """Why `text` must not enter a document: `characters`, `combining`, `mixed_script`; None when it may.

    Controls (U+0000 too), bidi and zero-width characters, piles of combining marks, and words that mix Latin, Greek and
    Cyrillic letters are refused; scripts may differ from word to word.
    """
    if text.isascii() and text.isprintable():
        return None
    marks = 0
    for character in text:
        if unicodedata.category(character) in _FORBIDDEN:
            return "characters"
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MAX_MARKS:
            return "combining"
    return "mixed_script" if any(len(scripts(word)) > 1 for word in _WORD.findall(text)) else None


def marked(text: str) -> str:
    """`text` with each forbidden character shown as U+FFFD, for display of what others signed."""
    if text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(character) in _FORBIDDEN else character for character in text)


def scripts(text: str) -> frozenset[str]:
    """Which of `latin`, `greek`, `cyrillic` have a letter in `text`."""
    return frozenset(name for name, letters in _SCRIPTS if letters.search(text))
