"""How many SMS a text takes, pure: GSM 03.38 with 7 bits a letter, or UCS-2 with 16 once a single letter needs it."""

import unicodedata

# The default alphabet of GSM 03.38, and the signs that take an escape before them.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("\f^{}\\[~]|€")
# A single message, and each part of a longer one, which loses six bytes to the counting.
GSM, GSM_PART = 160, 153  # septets
UCS, UCS_PART = 70, 67  # UTF-16 units
_MARKS, _LAST_LATIN = ("\u0300", "\u036f"), "\u024f"
# What word processors write where GSM has a plain sign.
_PLAIN = str.maketrans(
    {
        "đ": "d", "Đ": "D", "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "•": "-", "\u00a0": " ", "\u202f": " ",
        "\u2009": " ", "\u200b": "", "\ufeff": "", "\t": " ", "₫": "d", "`": "'", "´": "'",
    }
)  # fmt: skip


def count(text: str) -> tuple[str, int, int]:
    """(encoding, segments, left): `GSM-7` or `UCS-2`, how many messages are paid for, and how many septets or UTF-16
    units still fit into the last of them. A blank text takes none."""
    if all(character in _BASIC or character in _ESCAPED for character in text):
        sizes = [2 if character in _ESCAPED else 1 for character in text]
        return ("GSM-7", *_segments(sizes, GSM, GSM_PART))
    return ("UCS-2", *_segments([2 if character > "\uffff" else 1 for character in text], UCS, UCS_PART))


def without_marks(text: str) -> str:
    """The text without diacritics on Latin letters, with plain quotes and dashes: mostly what GSM-7 carries.

    Letters of other scripts and emoji stay as they are: nothing that somebody wrote is lost.
    """
    kept: list[str] = []
    on_latin = False
    for character in unicodedata.normalize("NFD", text):
        if _MARKS[0] <= character <= _MARKS[1]:
            if not on_latin:
                kept.append(character)
            continue
        on_latin = character <= _LAST_LATIN
        kept.append(character.translate(_PLAIN))
    return unicodedata.normalize("NFC", "".join(kept))


def _segments(sizes: list[int], single: int, part: int) -> tuple[int, int]:
    """Nothing of two units is cut in half: it begins the next part."""
    total = sum(sizes)
    if total <= single:
        return (1 if total else 0), single - total
    many, used = 1, 0
    for size in sizes:
        if used + size > part:
            many, used = many + 1, 0
        used += size
    return many, part - used
