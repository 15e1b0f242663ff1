"""Folding of text for search and comparison: lower case, no diacritics, đ as d."""

import re
import unicodedata

_SPACES = re.compile(r"\s+")


def fold(text: str) -> str:
    """The text as people type it in a hurry: lower case, without diacritics, đ→d. Agrees with SQL's hd_fold."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def snippet(text: str, length: int = 160) -> str:
    """The first words of a text on one line."""
    return _SPACES.sub(" ", text[: length * 4]).strip()[:length]
