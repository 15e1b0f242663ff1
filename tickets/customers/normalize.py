"""Normal forms of addresses: the same value is the same person."""

import unicodedata


def email(value: str) -> str:
    """A mail address in its normal form: trimmed, NFC, lower case. Aliases with a plus stay apart."""
    return unicodedata.normalize("NFC", value.strip().strip("<>")).lower()


def identity(kind: str, value: str) -> str:
    """The normal form of an address of this kind."""
    return email(value) if kind == "email" else value.strip()
