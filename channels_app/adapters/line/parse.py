"""What LINE's webhook says, as what it means: pure."""

import math
import unicodedata
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.base import digest, dumped, read
from channels_app.contracts import (
    Address,
    Arrival,
    ContactChange,
    InboundItem,
    NewMessage,
    RemoteFile,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp
from helpdesk.core.text import short_id

KIND = "line"
FILES = {"image": "image", "video": "video", "audio": "audio", "file": "file"}
# Who comes and goes in a group, and what happens to the account itself: kept with the receipt, shown nowhere.
QUIET = frozenset(
    {"memberJoined", "memberLeft", "activated", "deactivated", "botSuspended", "botResumed", "module", "delivery"}
    | {"videoPlayComplete"}
)


def event_id(event: object) -> str:
    """The dedupe key of one event: its own id, which a redelivery repeats."""
    own = word(event, "webhookEventId") if isinstance(event, dict) else ""
    return own or digest(dumped(event))


def items(arrival: Arrival) -> tuple[InboundItem, ...]:
    """One event. Raises GiveUp when nobody can be found in it."""
    event = read(arrival.raw)
    kind = word(event, "type")
    if kind in QUIET:
        return ()
    line, sender = _who(event, arrival)
    at = _moment(event.get("timestamp"), arrival)
    if kind == "message":
        return (_message(event, line, sender, at, arrival),)
    if kind == "postback":
        return (_postback(event, line, sender, at, arrival),)
    if kind == "unsend":
        about = word(_part(event, "unsend"), "messageId")
        if not about:
            raise GiveUp(gettext_noop("not readable: no messageId"))
        return (Unsend(external_id=about, thread_key=line, occurred_at=at),)
    if what := _change(event, kind):
        return (ContactChange(thread_key=line, sender=sender, occurred_at=at, what=what),)
    return (_unknown(arrival.external_id, line, sender, at, kind),)


def word(holder: dict[str, Any], name: str) -> str:
    """A text or an id; a whole number is taken as its digits, anything else as nothing."""
    value = holder.get(name)
    if type(value) is int:
        return str(value) if abs(value) < 10**40 else ""
    return value.strip() if isinstance(value, str) else ""


def _message(event: dict[str, Any], line: str, sender: Address, at: datetime, arrival: Arrival) -> InboundItem:
    message = _part(event, "message")
    kind, about = word(message, "type"), word(message, "id")
    if not about:
        raise GiveUp(gettext_noop("not readable: the message has no id"))
    remote: tuple[RemoteFile, ...] = ()
    details: dict[str, object] = {}
    text = ""
    if kind == "text":
        text = _text(message)
    elif kind in FILES:
        remote = (_file(message, kind, about),)
    elif kind == "sticker":
        text = _text(message)  # what somebody typed onto a sticker that takes words
        details["sticker"] = {"id": f"{word(message, 'packageId')}/{word(message, 'stickerId')}"[:80]}
    elif kind == "location" and (place := _place(message)):
        details["location"] = place
    else:
        return _unknown(about, line, sender, at, kind)
    if event.get("mode") == "standby":
        details["standby"] = True  # another program is in charge of the talk just now
    return NewMessage(
        external_id=about,
        thread_key=line,
        sender=sender,
        occurred_at=at,
        text=text,
        text_full=text,
        remote=remote,
        details=details,
        quotes=word(message, "quotedMessageId"),
    )


def _postback(event: dict[str, Any], line: str, sender: Address, at: datetime, arrival: Arrival) -> NewMessage:
    """A button was pressed; a picker brings what was picked beside the button's own data."""
    pressed = _part(event, "postback")
    payload = word(pressed, "data")[:1000]
    picked = _part(pressed, "params")
    words = [payload, *(word(picked, name) for name in ("date", "time", "datetime"))]
    title = " ".join(one for one in words if one)[:300]
    return NewMessage(
        external_id=arrival.external_id,
        thread_key=line,
        sender=sender,
        occurred_at=at,
        text=title,
        text_full=title,
        details={"choice": {"title": title, "payload": payload}},
    )


def _file(message: dict[str, Any], kind: str, about: str) -> RemoteFile:
    """Where the content lies: with LINE under the message's id, or where another program put it."""
    provider = _part(message, "contentProvider")
    url = word(provider, "originalContentUrl")
    elsewhere = word(provider, "type") == "external" and url.startswith("https://") and len(url) <= 2000
    size = message.get("fileSize")
    return RemoteFile(
        source={"url": url} if elsewhere else {"message": about},
        kind=FILES[kind],
        filename=word(message, "fileName")[:255],
        size=size if type(size) is int and 0 < size < 2**40 else 0,
    )


def _place(message: dict[str, Any]) -> dict[str, object]:
    latitude, longitude = _degrees(message.get("latitude"), 90), _degrees(message.get("longitude"), 180)
    if latitude is None or longitude is None:
        return {}
    name, address = word(message, "title")[:200], word(message, "address")[:500]
    return {"latitude": latitude, "longitude": longitude, "name": name, "address": address}


def _degrees(value: object, most: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= most and math.isfinite(value) else None


def _change(event: dict[str, Any], kind: str) -> str:
    """Whether they can be reached; unfollow is what LINE calls being blocked."""
    if kind == "follow":
        return "unblocked" if _part(event, "follow").get("isUnblocked") is True else "followed"
    return {"unfollow": "blocked", "join": "followed", "leave": "unfollowed"}.get(kind, "")


def _who(event: dict[str, Any], arrival: Arrival) -> tuple[str, Address]:
    """The line (a person, a group or a room) and who wrote on it; in a group that may be nobody in particular."""
    source = _part(event, "source")
    person = word(source, "userId")
    line = word(source, "groupId") or word(source, "roomId") or person
    if not line:
        raise GiveUp(gettext_noop("not readable: no source"))
    sender = Address(kind=KIND, value=short_id(person or line), scope=arrival.channel_address[:80])
    return line, sender


def _unknown(external_id: str, line: str, sender: Address, at: datetime, what: str) -> Unknown:
    return Unknown(external_id=external_id, thread_key=line, sender=sender, occurred_at=at, what=what[:60] or "?")


def _part(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _text(message: dict[str, Any]) -> str:
    value = message.get("text")
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else ""


def _moment(value: object, arrival: Arrival) -> datetime:
    """Milliseconds since 1970; when it came in, where that is nonsense or still to be."""
    if type(value) is not int or not 0 < value < 10**14:
        return arrival.received_at
    return min(datetime.fromtimestamp(value / 1000, UTC), arrival.received_at)
