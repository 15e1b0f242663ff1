"""A call of Meta's taken apart: one item an event, with a key that is the same however often it comes. Pure."""

from typing import Any

from channels_app.adapters.base import digest, dumped, loaded
from channels_app.adapters.meta.content import ident, obj
from channels_app.contracts import Item

COMMENTS = ("feed", "comments", "live_comments")  # fields of changes
POSTS = ("post", "status", "photo", "video", "share")  # what a visitor may put on a page's wall
# Events that come with the id of the message they speak of, and what else makes one of them that very one.
_OF_MESSAGE = {"message_edit": ("num_edit",), "reaction": ("action", "reaction", "emoji"), "read": ("watermark",)}


def split(raw: bytes, wanted: str) -> list[Item]:
    """The items of a call about a page or an Instagram account (`wanted`). Raises ValueError for any other."""
    body = loaded(raw)
    if not isinstance(body, dict) or body.get("object") != wanted or not isinstance(body.get("entry"), list):
        raise ValueError(f"no call about a {wanted}")
    return [item for entry in body["entry"] for item in _entry(entry, wanted)]


def _entry(entry: Any, wanted: str) -> list[Item]:
    if not isinstance(entry, dict):
        return [_item({"object": wanted, "odd": entry})]
    head = {"object": wanted, "id": entry.get("id"), "time": entry.get("time")}
    found = []
    for name in ("messaging", "standby"):  # standby: another application has the conversation, we only listen
        found += [_item(head | {"event": event}) for event in _list(entry.get(name))]
    found += [_item(head | {"change": change}) for change in _list(entry.get("changes"))]
    if "field" in entry:  # so does an application of Instagram's own log-in say it
        found.append(_item(head | {"change": {"field": entry["field"], "value": entry.get("value")}}))
    return found or [_item(head | {"odd": entry})]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _item(event: dict[str, Any]) -> Item:
    raw = dumped(event)
    return Item(external_id=key(event) or digest(raw), raw=raw, account=ident(event.get("id")))


def key(item: dict[str, Any]) -> str:
    """What makes an item the same item when it comes again; empty where its bytes are all there is to go by."""
    change = obj(item.get("change"))
    event = obj(item.get("event")) or (obj(change.get("value")) if change.get("field") not in COMMENTS else {})
    if event:
        return _event_key(event)
    return _comment_key(obj(change.get("value"))) if change else ""


def _event_key(event: dict[str, Any]) -> str:
    message, postback = obj(event.get("message")), obj(event.get("postback"))
    mid = ident(message.get("mid"))
    if mid:
        return f"unsend:{mid}" if message.get("is_deleted") is True else f"message:{mid}"
    if mid := ident(postback.get("mid")):
        return f"message:{mid}"
    who = ident(obj(event.get("sender")).get("id"))
    for name, parts in _OF_MESSAGE.items():
        about = obj(event.get(name))
        if about and (ident(about.get("mid")) or "watermark" in about):
            own = [ident(about.get(part)) for part in parts]
            # Somebody may react, take it back and react again: only the moment tells the two apart.
            at = ident(event.get("timestamp")) if name == "reaction" else ""
            return ":".join([name, ident(about.get("mid")), who, *own, at])
    return ""


def _comment_key(value: dict[str, Any]) -> str:
    """A comment is added once; what happens to it later may happen again and is told apart by all it says."""
    if value.get("verb", "add") != "add":
        return ""
    comment = ident(value.get("comment_id")) or ident(value.get("id"))
    if not comment and value.get("item") in POSTS:
        comment = ident(value.get("post_id"))
    return comment_key(comment) if comment else ""


def comment_key(comment: str) -> str:
    """The dedupe key of the call that brought a comment, or a visitor's post."""
    return f"comment:{comment}"
