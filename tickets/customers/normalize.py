"""Normal forms of addresses: the same value is the same person."""

import unicodedata


def email(value: str) -> str:
    """A mail address in its normal form: trimmed, NFC, lower case. Aliases with a plus stay apart."""
    return unicodedata.normalize("NFC", value.strip().strip("<>")).lower()


def phone(value: str) -> str:
    """A telephone number as digits, with the plus where it has one: no spaces, dots or brackets."""
    digits = "".join(character for character in value if character in "0123456789")
    plus = "+" if digits and value.strip().startswith("+") else ""
    return plus + digits


def identity(kind: str, value: str) -> str:
    """The normal form of an address of this kind."""
    if kind == "email":
        return email(value)
    return phone(value) if kind == "phone" else value.strip()
