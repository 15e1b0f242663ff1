"""Bytes to clean text: declared and guessed charsets, NFC, nothing a database or a terminal would choke on."""

import codecs
import re
import unicodedata

# Text codecs that are quadratic, refuse everything or interpret escapes: a sender has no business naming them.
REFUSED = {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
# What senders say, and what they mean: the supersets that their software really wrote.
MEANT = dict.fromkeys(
    ("ascii", "us-ascii", "unknown", "unknown-8bit", "x-unknown", "default", "binary", "8bit"), ""
) | {
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "windows-874": "cp874",
    "x-mac-roman": "mac_roman",
    "utf8mb4": "utf-8",
    "utf-8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "cp-1258": "cp1258",
    "x-windows-1258": "cp1258",
}
WELL_FORMED = re.compile(r"[A-Za-z0-9_.:+-]{1,40}\Z")
ISO_2022_JP = re.compile(rb"\x1b\$[@B]|\x1b\([JI]")
ASCII = bytes(range(128))
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_MARKS = "".join(
    chr(code) for code in range(0x300, 0x1F000) if not 0xD800 <= code < 0xE000 and unicodedata.combining(chr(code))
)
# Canonical ordering is quadratic in a run of marks; no script needs more than a handful on one letter.
ENDLESS_MARKS = re.compile(f"([{_MARKS}]{{16}})[{_MARKS}]+")
SUSPECT = re.compile("[^\x00-\u02ff\u1e00-\u1eff]{17}")  # cheap first look: Latin and Vietnamese text never has this


def decode(data: bytes, charset: str = "") -> str:
    """The text that was meant, whatever the sender said about it; never raises."""
    codec = _codec(charset)
    if codec:
        try:
            return clean(data.decode(codec))
        except (UnicodeError, ValueError):
            pass
        if codec.startswith("iso2022_jp"):
            return clean(_japanese(data))
    if ISO_2022_JP.search(data, 0, 20_000) and data.isascii():
        return clean(_japanese(data))
    try:
        return clean(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    mostly = _mostly(data, codec or "utf-8")
    if mostly is not None:
        return clean(mostly)
    try:
        return clean(data.decode("cp1258"))
    except UnicodeDecodeError:
        return clean(data.decode("latin-1"))


def clean(text: str) -> str:
    """NFC without control characters (tab and line feed stay) and without half surrogates; CRLF becomes LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = CONTROL.sub("", text)
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if SUSPECT.search(text):
        text = ENDLESS_MARKS.sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


def _codec(charset: str) -> str:
    """The name of a codec we trust, or an empty string."""
    name = charset.strip().strip("\"'").lower()
    name = MEANT.get(name, name)
    if not WELL_FORMED.match(name):
        return ""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError, ImportError):
        return ""
    if found.name in REFUSED or not getattr(found, "_is_text_encoding", True):
        return ""
    return found.name


def _japanese(data: bytes) -> str:
    for codec in ("iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode("iso2022_jp_ext", "replace")


def _mostly(data: bytes, codec: str) -> str | None:
    """The text with a few replacement characters, when only a few bytes are broken (a cut-off mail, say)."""
    try:
        text = data.decode(codec, "replace")
    except (UnicodeError, ValueError):
        return None
    high = len(data.translate(None, ASCII))
    return text if text.count("\ufffd") * 10 <= high else None
