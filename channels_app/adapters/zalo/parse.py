"""A Zalo event becomes what it means for the conversation. Pure: any event whatsoever becomes something, or nothing."""

import json
import math
import mimetypes
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from channels_app.adapters.zalo import reading
from channels_app.adapters.zalo.reading import ident, part
from channels_app.contracts import (
    Address,
    Arrival,
    ContactChange,
    Echo,
    InboundItem,
    NewMessage,
    Reaction,
    Receipt,
    RemoteFile,
    Unknown,
)

OURS = "hd-"  # begins the tracking ids that we give: those of other systems on the same account are not ours
_SENT = re.compile(
    r"(user|anonymous)_send_(text|image|gif|link|audio|video|sticker|location|business_card|contact|file)"
)
_ECHOED = re.compile(
    r"oa_send_(anonymous_)?(text|image|gif|link|audio|video|sticker|location|file|list|template|media)"
)
_CHANGES = {"follow": "followed", "unfollow": "unfollowed", "user_click_chatnow": "opted_in"}
_STATES = {"user_received_message": "delivered", "user_seen_message": "read"}
_QUIET = frozenset({"oa_reacted_message"})  # known, and nothing to show: our own side put an emoji somewhere
# Zalo's own signs for its six reactions.
_REACTIONS = {
    "/-heart": "❤️", "/-strong": "👍", ":>": "😆", ":o": "😮", ":-((": "😭", ":-h": "😡", "/-remove": "",
}  # fmt: skip
_FILES = {"image": "image", "gif": "image", "audio": "audio", "video": "video", "sticker": "sticker", "file": "file"}
_TYPES = {"gif": "image/gif", "audio": "audio/amr"}
_INFO = ("name", "phone", "address", "ward", "district", "city", "full_address", "user_dob", "gender")


def parse(event: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    """What an opened event says; empty where it concerns no customer (templates approved, quotas changed)."""
    name = reading.name_of(event)
    if name in _STATES:
        return _receipts(event, arrival, _STATES[name])
    if name in _QUIET or not reading.person_of(event):
        return ()
    item: InboundItem
    if _SENT.fullmatch(name):
        item = _message(event, arrival)
    elif _ECHOED.fullmatch(name):
        item = _echo(event, arrival)
    elif name in _CHANGES:
        item = _change(event, arrival, _CHANGES[name])
    elif name == "user_reacted_message" and ident(part(event, "message", "msg_id")):
        item = _reaction(event, arrival)
    elif name == "user_submit_info":
        item = _submitted(event, arrival)
    elif name == "user_feedback":
        item = _rated(event, arrival)
    else:
        item = Unknown(
            external_id=arrival.external_id,
            thread_key=reading.line_of(event),
            sender=_person(event, arrival),
            occurred_at=reading.moment_of(event, arrival.received_at),
            what=name or "?",
        )
    return (item,)


@dataclass(slots=True)
class Contents:
    """What a message carries, whoever wrote it."""

    text: str = ""
    remote: list[RemoteFile] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)


def _message(event: dict[str, Any], arrival: Arrival) -> NewMessage:
    held = _contents(event)
    return NewMessage(
        external_id=ident(part(event, "message", "msg_id")) or arrival.external_id,
        thread_key=reading.line_of(event),
        sender=_person(event, arrival),
        occurred_at=reading.moment_of(event, arrival.received_at),
        text=held.text,
        text_full=held.text,
        remote=tuple(held.remote),
        details=held.details,
        quotes=ident(part(event, "message", "quote_msg_id")),
    )


def _echo(event: dict[str, Any], arrival: Arrival) -> Echo:
    held = _contents(event)
    return Echo(
        external_id=ident(part(event, "message", "msg_id")) or arrival.external_id,
        thread_key=reading.line_of(event),
        to=_person(event, arrival),
        occurred_at=reading.moment_of(event, arrival.received_at),
        text=held.text,
        remote=tuple(held.remote),
        details=held.details,
        quotes=ident(part(event, "message", "quote_msg_id")),
        author=ident(part(event, "sender", "admin_id")),
    )


def _change(event: dict[str, Any], arrival: Arrival, what: str) -> ContactChange:
    source = ident(event.get("source")) or (reading.name_of(event) if what == "opted_in" else "")
    return ContactChange(
        thread_key=reading.line_of(event),
        sender=_person(event, arrival),
        occurred_at=reading.moment_of(event, arrival.received_at),
        what=what,
        details={"source": source} if source else {},
    )


def _reaction(event: dict[str, Any], arrival: Arrival) -> Reaction:
    icon = said(part(event, "message", "react_icon"))
    return Reaction(
        external_id=ident(part(event, "message", "msg_id")),
        thread_key=reading.line_of(event),
        sender=_person(event, arrival),
        occurred_at=reading.moment_of(event, arrival.received_at),
        emoji=_REACTIONS.get(icon, icon[:32]),
    )


def _receipts(event: dict[str, Any], arrival: Arrival, state: str) -> tuple[Receipt, ...]:
    """One for each message it names. A template's names our own key instead, where we sent it."""
    message = event.get("message")
    named = part(message, "msg_ids")
    found = [part(message, "msg_id"), *(named if isinstance(named, list) else [])]
    tracking = said(part(message, "tracking_id"))
    key = tracking.removeprefix(OURS) if tracking.startswith(OURS) else ""
    return tuple(
        Receipt(
            reference=reference,
            state=state,
            recipient=ident(part(event, "recipient", "id")),
            occurred_at=reading.moment_of(event, arrival.received_at),
            our_key=key if key.isdecimal() and len(key) < 19 else "",
        )
        for reference in dict.fromkeys(ident(one) for one in found)
        if reference
    )


def _submitted(event: dict[str, Any], arrival: Arrival) -> NewMessage:
    """The form by which a customer shares name and phone: they may have typed another's, so it proves nothing."""
    info = event.get("info")
    shared = {key: said(part(info, key))[:300] for key in _INFO}
    name, phone = shared["name"][:120], re.sub(r"[^0-9+]", "", shared["phone"])[:20]
    text = "\n".join(line for line in shared.values() if line)
    also = (Address(kind="phone", value=_international(phone), name=name),) if len(phone) > 7 else ()
    contact = {"name": name, "phones": [shared["phone"]] if shared["phone"] else [], "emails": []}
    return NewMessage(
        external_id=arrival.external_id,
        thread_key=reading.line_of(event),
        sender=_person(event, arrival, name=name),
        occurred_at=reading.moment_of(event, arrival.received_at),
        text=text,
        text_full=text,
        also_known=also,
        details={"contacts": [contact]} if name or phone else {},
    )


def _rated(event: dict[str, Any], arrival: Arrival) -> NewMessage:
    """Stars and words that a customer left under a template of ours."""
    message = event.get("message")
    stars = ident(part(message, "rate"))
    chosen = part(message, "feedbacks")
    lines = ["★" * int(stars) if stars in ("1", "2", "3", "4", "5") else ""]
    lines += [said(one)[:300] for one in (chosen if isinstance(chosen, list) else [])[:20]]
    lines.append(said(part(message, "note")))
    text = "\n".join(line for line in lines if line)
    return NewMessage(
        external_id=arrival.external_id,
        thread_key=reading.line_of(event),
        sender=_person(event, arrival),
        occurred_at=reading.moment_of(event, arrival.received_at),
        text=text,
        text_full=text,
    )


def _person(event: dict[str, Any], arrival: Arrival, *, name: str = "") -> Address:
    return Address(kind="zalo", value=reading.person_of(event), scope=arrival.channel_address, name=name)


def _contents(event: dict[str, Any]) -> Contents:
    message = event.get("message")
    held = Contents(text=said(part(message, "text")))
    place = _place(part(message, "location"))
    if place:
        held.details["location"] = place
    given = part(message, "attachments")
    for one in given if isinstance(given, list) else []:
        _add(held, ident(part(one, "type")), part(one, "payload"))
    if not held.text and not held.remote and not held.details:
        held.details["unsupported"] = True
    return held


def _add(held: Contents, kind: str, payload: Any) -> None:
    """One attachment's share of the message."""
    url = web_address(part(payload, "url"))
    if kind == "location" and (place := _place(part(payload, "coordinates"))):
        held.details["location"] = place
    elif kind in ("link", "business_card", "contact"):
        _add_link(held, payload, url)
    elif kind in _FILES and url:
        held.remote.append(_file(kind, payload, url))
        if kind == "sticker" and (sticker := ident(part(payload, "id"))):
            held.details["sticker"] = {"id": sticker}
    elif kind == "template":
        held.text = "\n".join(line for line in (held.text, said(part(payload, "text"))) if line)
    elif url:
        held.remote.append(_file("file", payload, url))
    else:
        held.details["unsupported"] = True


def _add_link(held: Contents, payload: Any, url: str) -> None:
    """A link becomes words; one whose description holds a phone is somebody's card."""
    description = said(part(payload, "description"))
    card = _card(description)
    if card:
        name = said(part(payload, "title")) or said(part(payload, "name")) or held.text
        contacts = held.details.setdefault("contacts", [])
        assert isinstance(contacts, list)
        contacts.append({"name": name[:120], "phones": [card], "emails": []})
        return
    title = said(part(payload, "title"))
    lines = [held.text, *(line for line in (title, description, url) if line and line not in held.text)]
    held.text = "\n".join(line for line in dict.fromkeys(lines) if line)


def _card(description: str) -> str:
    """The phone on a business card; empty where it is none."""
    try:
        value = json.loads(description, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return ""
    return said(part(value, "phone"))[:30]


def _file(kind: str, payload: Any, url: str) -> RemoteFile:
    name = said(part(payload, "name"))[:255]
    size = part(payload, "size")
    return RemoteFile(
        source={"url": url},
        kind=_FILES[kind],
        filename=name,
        content_type=_TYPES.get(kind) or mimetypes.guess_type(name)[0] or "",
        size=int(size) if isinstance(size, str) and re.fullmatch(r"[0-9]{1,12}", size) else 0,
    )


def _place(value: Any) -> dict[str, object]:
    """Latitude and longitude in degrees; empty where they are none."""
    try:
        latitude, longitude = float(part(value, "latitude")), float(part(value, "longitude"))
    except (TypeError, ValueError):
        return {}
    if not (math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        return {}
    return {"latitude": latitude, "longitude": longitude, "name": "", "address": ""}


def web_address(value: Any) -> str:
    """A web address that may be fetched and stored."""
    fits = isinstance(value, str) and len(value) <= 2000 and value.isprintable()
    return value if fits and value.startswith(("https://", "http://")) else ""


def said(value: Any) -> str:
    """Words as they are stored: NFC, without white space around them; empty for anything else."""
    return unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""


def _international(phone: str) -> str:
    """A Vietnamese number as the world dials it."""
    digits = phone.removeprefix("+")
    return f"+84{digits[1:]}" if digits.startswith("0") else f"+{digits}"
