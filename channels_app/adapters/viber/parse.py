"""From one event of Viber to what it says; pure."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.picking import ident, moment, part, real, whole, words
from channels_app.contracts import (
    Address,
    Arrival,
    ContactChange,
    InboundItem,
    NewMessage,
    Receipt,
    RemoteFile,
    Unknown,
)
from helpdesk.core.errors import GiveUp

KIND = "viber"
_FILES = {
    "picture": ("image", "picture.jpg", "image/jpeg"),
    "video": ("video", "video.mp4", "video/mp4"),
    "file": ("file", "file", ""),
    "sticker": ("sticker", "sticker.png", "image/png"),
}
_TYPES = {"text", "url", "contact", "location", *_FILES}
_RECEIPTS = {"delivered": "delivered", "seen": "read", "failed": "failed"}


def event_id(event: dict[str, Any]) -> str:
    """The dedupe key of an event; empty where Viber gave it no token. A receipt bears the token of what it is of."""
    token = ident(event.get("message_token"))
    kind, whom = words(event.get("event"))[:60], ident(event.get("user_id"))[:80]
    return f"{kind}:{token[:60]}:{whom}" if token else ""


def items(event: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    """What an event says. Raises GiveUp where it names nobody it could be shown with."""
    kind = words(event.get("event"))
    read = _READERS.get(kind)
    return read(event, arrival) if read else _unknown(event, kind or "?", arrival)


def _message(event: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    sender, message = _person(part(event, "sender"), arrival), part(event, "message")
    kind = words(message.get("type"))
    said = words(message.get("text"))
    if kind == "url" and words(message.get("media")) not in said:
        said = f"{said}\n{words(message.get('media'))}".strip()
    return (
        NewMessage(
            external_id=ident(event.get("message_token")) or arrival.external_id,
            thread_key=sender.value,
            sender=sender,
            occurred_at=_moment(event, arrival),
            text=said,
            text_full=said,
            remote=_files(kind, message),
            details=_details(kind, message),
            language=words(part(event, "sender").get("language"))[:2].lower(),
        ),
    )


def _files(kind: str, message: dict[str, Any]) -> tuple[RemoteFile, ...]:
    url = words(message.get("media"))
    if kind not in _FILES or not url.startswith(("http://", "https://")):
        return ()
    what, name, content_type = _FILES[kind]
    return (
        RemoteFile(
            source={"url": url[:4000]},
            kind=what,
            filename=words(message.get("file_name")) or name,
            content_type=content_type,
            size=whole(message.get("file_size")) or whole(message.get("size")),
        ),
    )


def _details(kind: str, message: dict[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    if kind == "sticker":
        found["sticker"] = {"id": ident(message.get("sticker_id"))}
    point = part(message, "location")
    latitude, longitude = real(point.get("lat")), real(point.get("lon"))
    if kind == "location" and latitude is not None and longitude is not None:
        address = words(point.get("address"))
        found["location"] = {"latitude": latitude, "longitude": longitude, "name": "", "address": address}
    if kind == "contact":
        card = part(message, "contact")
        phone = words(card.get("phone_number"))[:40]
        found["contacts"] = [{"name": words(card.get("name")), "phones": [phone] if phone else [], "emails": []}]
    if kind == "text" and words(message.get("text")) in _offered(message):
        found["choice"] = {"title": words(message.get("text")), "payload": words(message.get("text"))}
    if kind not in _TYPES:
        found["unsupported"] = True
    return found


def _offered(message: dict[str, Any]) -> list[str]:
    """The choices we last offered: they travel with the keyboard and come back with whatever is said next."""
    try:
        tracked = json.loads(words(message.get("tracking_data")))
    except (ValueError, RecursionError):
        return []
    listed = tracked.get("choices") if isinstance(tracked, dict) else None
    return [words(one) for one in listed] if isinstance(listed, list) else []


def _subscription(event: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    """They can be written to from now on, or no longer.

    Opening the conversation alone allows nothing: only who has written or subscribed can be written to.
    """
    opened = event.get("event") == "conversation_started"
    gone = event.get("event") == "unsubscribed" or (opened and event.get("subscribed") is not True)
    details: dict[str, object] = {"opened": True} if opened else {}
    if context := words(event.get("context")):
        details["referral"] = {"source": KIND, "ref": context[:500], "title": "", "url": ""}
    person = _person(part(event, "user") or {"id": event.get("user_id")}, arrival)
    return (
        ContactChange(
            thread_key=person.value,
            sender=person,
            occurred_at=_moment(event, arrival),
            what="unfollowed" if gone else "followed",
            details=details,
        ),
    )


def _receipt(event: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    token = ident(event.get("message_token"))
    if not token:
        raise GiveUp(gettext_noop("no message it speaks of"))
    return (
        Receipt(
            reference=token,
            state=_RECEIPTS[words(event.get("event"))],
            reason=words(event.get("desc"))[:300],
            recipient=ident(event.get("user_id")),
            occurred_at=_moment(event, arrival),
            thread_key=ident(event.get("user_id")),
        ),
    )


def _nothing(_event: dict[str, Any], _arrival: Arrival) -> tuple[InboundItem, ...]:
    """About the account, not from a customer."""
    return ()


def _unknown(event: dict[str, Any], what: str, arrival: Arrival) -> tuple[InboundItem, ...]:
    given = part(event, "sender") or part(event, "user") or {"id": event.get("user_id")}
    person = _person(given, arrival)
    return (
        Unknown(
            external_id=ident(event.get("message_token")) or arrival.external_id,
            thread_key=person.value,
            sender=person,
            occurred_at=_moment(event, arrival),
            what=what[:100],
        ),
    )


def _person(given: dict[str, Any], arrival: Arrival) -> Address:
    value = ident(given.get("id"))
    if not value:
        raise GiveUp(gettext_noop("nobody it is from"))
    name = words(given.get("name")).strip()[:200]
    return Address(kind=KIND, value=value, scope=arrival.channel_address, name=name)


def _moment(event: dict[str, Any], arrival: Arrival) -> datetime:
    return moment(event.get("timestamp"), latest=arrival.received_at, per_second=1000)


_READERS: dict[str, Callable[[dict[str, Any], Arrival], tuple[InboundItem, ...]]] = {
    "message": _message,
    "subscribed": _subscription,
    "unsubscribed": _subscription,
    "conversation_started": _subscription,
    "delivered": _receipt,
    "seen": _receipt,
    "failed": _receipt,
    "webhook": _nothing,
    "client_status": _nothing,
}
