"""What a message of Telegram holds: words, files, a place, cards; pure."""

from typing import Any

from channels_app.adapters.picking import ident, part, parts, real, whole, words
from channels_app.contracts import RemoteFile

# Fields of a message that hold one file: the kind it is for us, its usual name and type.
FILES: dict[str, tuple[str, str, str]] = {
    "animation": ("video", "animation.mp4", "video/mp4"),  # before document, which repeats it for old programs
    "video": ("video", "video.mp4", "video/mp4"),
    "video_note": ("video", "video.mp4", "video/mp4"),
    "voice": ("audio", "voice.ogg", "audio/ogg"),
    "audio": ("audio", "audio.mp3", "audio/mpeg"),
    "sticker": ("sticker", "sticker.webp", "image/webp"),
    "document": ("file", "file", ""),
}
# Said by a person, but nothing we can show whole.
UNSUPPORTED = frozenset(
    {
        *("poll", "dice", "game", "story", "invoice", "successful_payment", "refunded_payment", "paid_media"),
        *("giveaway", "giveaway_winners", "checklist", "passport_data", "web_app_data", "gift", "unique_gift"),
        *("users_shared", "chat_shared"),
    }
)
# Said by Telegram itself of a group: who came and went, what it is called. No words of a customer.
SERVICE = frozenset(
    {
        *("new_chat_members", "new_chat_member", "left_chat_member", "new_chat_title", "new_chat_photo"),
        *("delete_chat_photo", "group_chat_created", "supergroup_chat_created", "channel_chat_created"),
        *("message_auto_delete_timer_changed", "migrate_from_chat_id", "pinned_message", "connected_website"),
        *("write_access_allowed", "proximity_alert_triggered", "boost_added", "chat_background_set"),
        *("forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"),
        *("general_forum_topic_hidden", "general_forum_topic_unhidden", "giveaway_created", "giveaway_completed"),
        *("video_chat_scheduled", "video_chat_started", "video_chat_ended", "video_chat_participants_invited"),
        *("chat_owner_left", "chat_owner_changed", "direct_message_price_changed", "paid_message_price_changed"),
    }
)


def text(message: dict[str, Any]) -> str:
    """The words: text or caption, the addresses behind linked words written out."""
    if isinstance(message.get("text"), str):
        return _with_links(words(message["text"]), message["text"], parts(message.get("entities")))
    if isinstance(message.get("caption"), str):
        return _with_links(words(message["caption"]), message["caption"], parts(message.get("caption_entities")))
    return ""


def files(message: dict[str, Any]) -> tuple[RemoteFile, ...]:
    """The file it carries, if any; Telegram sends the files of an album as messages of their own."""
    if sizes := parts(message.get("photo")):
        largest = max(sizes, key=lambda one: whole(one.get("width")) * whole(one.get("height")))
        if found := _file(largest, "image", "photo.jpg", "image/jpeg"):
            return (found,)
    for field, (kind, name, content_type) in FILES.items():
        if found := _file(part(message, field), kind, name, content_type):
            return (found,)
    return ()


def details(message: dict[str, Any]) -> dict[str, object]:
    """Whatever of NewMessage.details it holds."""
    found: dict[str, object] = {}
    if place := _place(message):
        found["location"] = place
    if card := part(message, "contact"):
        name = " ".join(filter(None, (words(card.get("first_name")), words(card.get("last_name")))))
        found["contacts"] = [{"name": name, "phones": [phone(card)] if phone(card) else [], "emails": []}]
    if sticker := part(message, "sticker"):
        found["sticker"] = {"id": ident(sticker.get("file_unique_id")), "emoji": words(sticker.get("emoji"))}
    if story := part(message, "reply_to_story"):
        name = words(part(story, "chat").get("username"))
        found["story"] = {"url": f"https://t.me/{name}/s/{ident(story.get('id'))}" if name else ""}
    if message.get("forward_origin") or message.get("forward_date"):
        found["forwarded"] = True
    if group := ident(message.get("media_group_id")):
        found["album"] = group
    if UNSUPPORTED & message.keys():
        found["unsupported"] = True
    return found


def stand_in(message: dict[str, Any]) -> str:
    """What a message without words of its own says, as far as words can tell it; empty where they cannot."""
    if poll := part(message, "poll"):
        options = [f"– {words(one.get('text'))}" for one in parts(poll.get("options"))[:12]]
        return "\n".join([words(poll.get("question")), *options]).strip()
    if dice := part(message, "dice"):
        return f"{words(dice.get('emoji'))} {ident(dice.get('value'))}".strip()
    if sticker := part(message, "sticker"):
        return words(sticker.get("emoji"))
    if tasks := part(message, "checklist"):
        listed = [f"– {words(one.get('text'))}" for one in parts(tasks.get("tasks"))[:30]]
        return "\n".join([words(tasks.get("title")), *listed]).strip()
    return words(part(message, "game").get("title")) or words(part(message, "invoice").get("title"))


def phone(card: dict[str, Any]) -> str:
    """The phone number on a card with its plus sign; empty where there is none."""
    digits = "".join(one for one in words(card.get("phone_number")) if one.isdecimal() and one.isascii())
    return f"+{digits}" if 5 <= len(digits) <= 15 else ""


def _place(message: dict[str, Any]) -> dict[str, object]:
    venue = part(message, "venue")
    point = part(venue, "location") or part(message, "location")
    latitude, longitude = real(point.get("latitude")), real(point.get("longitude"))
    if latitude is None or longitude is None:
        return {}
    return {
        "latitude": latitude,
        "longitude": longitude,
        "name": words(venue.get("title")),
        "address": words(venue.get("address")),
    }


def _file(given: dict[str, Any], kind: str, name: str, content_type: str) -> RemoteFile | None:
    file_id = ident(given.get("file_id"))
    if not file_id:
        return None
    mime = words(given.get("mime_type")) or content_type
    if kind == "sticker" and given.get("is_video") is True:
        name, mime = "sticker.webm", "video/webm"
    elif kind == "sticker" and given.get("is_animated") is True:
        name, mime = "sticker.tgs", "application/gzip"
    if kind == "file" and mime.startswith(("image/", "video/", "audio/")):
        kind = mime.split("/")[0]
    return RemoteFile(
        source={"file_id": file_id},
        kind=kind,
        filename=words(given.get("file_name")) or name,
        content_type=mime,
        size=whole(given.get("file_size")),
    )


def _with_links(composed: str, raw: str, entities: list[dict[str, Any]]) -> str:
    """The text with each hidden address in brackets behind its words. Offsets count UTF-16 units of the raw text."""
    links = [
        (whole(one.get("offset")) + whole(one.get("length")), words(one.get("url")))
        for one in entities
        if one.get("type") == "text_link" and words(one.get("url"))
    ]
    if not links:
        return composed
    units = raw.encode("utf-16-le", "surrogatepass")
    for end, url in sorted(links, reverse=True):
        before, after = units[: end * 2], units[end * 2 :]
        if url not in raw:
            units = before + f" ({url})".encode("utf-16-le", "surrogatepass") + after
    return words(units.decode("utf-16-le", "surrogatepass"))
