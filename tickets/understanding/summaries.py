"""What stands for a message that has no words, pure: a picture, a place, a pressed button, in one of our languages."""

from collections.abc import Mapping, Sequence
from typing import Any

_WORDS: dict[str, dict[str, str]] = {
    "vi": {
        "image": "📷 Ảnh",
        "images": "📷 {} ảnh",
        "video": "🎬 Video",
        "audio": "🎤 Ghi âm",
        "file": "📎 Tệp",
        "sticker": "🙂 Nhãn dán",
        "location": "📍 Vị trí",
        "contacts": "👤 Danh thiếp",
        "choice": "👆 Đã chọn",
        "referral": "📣 Từ quảng cáo",
        "story": "💬 Trả lời tin",
        "unsupported": "❔ Loại tin nhắn chưa đọc được",
        "unsent": "🚫 Tin nhắn đã thu hồi",
    },
    "en": {
        "image": "📷 Picture",
        "images": "📷 {} pictures",
        "video": "🎬 Video",
        "audio": "🎤 Voice message",
        "file": "📎 File",
        "sticker": "🙂 Sticker",
        "location": "📍 Location",
        "contacts": "👤 Contact card",
        "choice": "👆 Chose",
        "referral": "📣 From an ad",
        "story": "💬 Answered a story",
        "unsupported": "❔ A kind of message that cannot be read yet",
        "unsent": "🚫 Message taken back",
    },
}
# Where details name the thing, the name follows the words.
_NAMES = {"location": "name", "choice": "title", "referral": "title"}


def summary(
    *,
    language: str,
    details: Mapping[str, Any],
    files: Sequence[tuple[str, str]] = (),
    unsent: bool = False,
) -> str:
    """A few words for the list and the subject, in Vietnamese unless the language is English; empty for nothing.

    files: (content type, file name) of each; a type is enough where only that is known, as in `image/*`.
    """
    words = _WORDS["en" if language == "en" else "vi"]
    if unsent:
        return words["unsent"]
    if "sticker" in details:
        return words["sticker"]
    for kind in ("location", "choice", "contacts"):
        if details.get(kind):
            return _named(words[kind], _name(kind, details[kind]))
    if files:
        return _of_files(words, files)
    for kind in ("story", "referral", "unsupported"):
        if details.get(kind):
            return _named(words[kind], _name(kind, details[kind]))
    return ""


def _of_files(words: Mapping[str, str], files: Sequence[tuple[str, str]]) -> str:
    kinds = [content_type.split("/")[0] for content_type, _filename in files]
    if kinds[0] == "image" and len(kinds) > 1 and set(kinds) == {"image"}:
        return words["images"].format(len(kinds))
    if kinds[0] in ("image", "video", "audio"):
        return words[kinds[0]]
    return _named(words["file"], files[0][1])


def _named(words: str, name: str) -> str:
    return f"{words}: {name}" if name else words


def _name(kind: str, value: Any) -> str:
    """What details call the thing; what is not shaped as promised has no name."""
    if kind == "contacts" and isinstance(value, list) and value:
        value, kind = value[0], "location"
    found = value.get(_NAMES[kind]) if isinstance(value, Mapping) and kind in _NAMES else ""
    return found.strip()[:100] if isinstance(found, str) else ""
