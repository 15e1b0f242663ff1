"""Folding of text for search and comparison: lower case, no diacritics, đ as d."""

import hashlib
import re
import unicodedata
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

_SPACES = re.compile(r"\s+")
# PostgreSQL keeps neither the character zero nor half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
T = TypeVar("T")


def fold(text: str) -> str:
    """The text as people type it in a hurry: lower case, without diacritics, đ→d. Agrees with SQL's hd_fold."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def snippet(text: str, length: int = 160) -> str:
    """The first words of a text on one line."""
    return _SPACES.sub(" ", text[: length * 4]).strip()[:length]


def storable(value: T) -> T:
    """The same value with every character that the database refuses replaced by U+FFFD.

    Goes into tuples, lists, dicts and dataclasses; bytes and everything else are left as they are.
    """
    kept: Any = value
    if isinstance(value, str):
        kept = _UNSTORABLE.sub("\ufffd", value)
    elif isinstance(value, tuple | list):
        kept = type(value)(storable(one) for one in value)
    elif isinstance(value, dict):
        kept = {storable(key): storable(one) for key, one in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        kept = replace(value, **{field.name: storable(getattr(value, field.name)) for field in fields(value)})
    return kept


def short_id(value: str, length: int = 255) -> str:
    """An id that fits its column: a longer one ends in its hash, so that two long ids stay two."""
    if len(value) <= length:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
    return f"{value[: length - 65]}#{digest}"
