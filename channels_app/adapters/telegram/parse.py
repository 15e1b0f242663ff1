"""From one update of Telegram to what it says; pure."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.picking import ident, moment, part, parts, whole, words
from channels_app.adapters.telegram import content
from channels_app.adapters.telegram.lines import Line
from channels_app.contracts import (
    Address,
    Arrival,
    ContactChange,
    Echo,
    Edit,
    InboundItem,
    NewMessage,
    Reaction,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp

KIND = "telegram"
_START = re.compile(r"/start(?:@\w{1,64})?\s+(\S{1,512})\s*", re.ASCII)
_CONTENT = frozenset({"text", "caption", "photo", "location", "venue", "contact", *content.FILES, *content.UNSUPPORTED})
# Around the words of a message; what is none of these and not known either is a kind nobody has heard of yet.
_AROUND = frozenset(
    {
        *(
            "message_id",
            "message_thread_id",
            "from",
            "sender_chat",
            "sender_boost_count",
            "sender_business_bot",
            "date",
        ),
        *("business_connection_id", "chat", "is_topic_message", "is_automatic_forward", "reply_to_message", "quote"),
        *("external_reply", "reply_to_story", "via_bot", "edit_date", "has_protected_content", "is_from_offline"),
        *("media_group_id", "author_signature", "entities", "caption_entities", "link_preview_options", "effect_id"),
        *("forward_origin", "forward_date", "has_media_spoiler", "show_caption_above_media", "reply_markup"),
    }
)
_REACTION = {"custom_emoji": "❔", "paid": "⭐"}


def update_id(update: dict[str, Any]) -> str:
    """The dedupe key of an update: its number, and what it is about, since numbers start anew after a silent week."""
    number = update.get("update_id")
    if type(number) is not int:
        raise ValueError("an update has a number")
    kind = kind_of(update)
    about = part(update, kind)
    chat, message = ident(part(about, "chat").get("id")), ident(about.get("message_id")) or ident(about.get("id"))
    return f"{number}:{kind[:60]}:{chat[:60]}:{message[:60]}"


def kind_of(update: dict[str, Any]) -> str:
    """The one thing an update brings besides its number; empty when it brings nothing."""
    return next((name for name in update if name != "update_id"), "")


def items(update: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    """What an update says. Raises GiveUp where it names nobody it could be shown with."""
    kind = kind_of(update)
    about = part(update, kind)
    read = _READERS.get(kind)
    return read(about, arrival) if read and about else _unknown(about, kind, arrival)


def _message(message: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    line, sender = _line(message), _sender(message, arrival)
    at = _moment(message.get("date"), arrival)
    if to := ident(message.get("migrate_to_chat_id")):
        return (_moved(line, to, at, arrival),)
    if not _CONTENT & message.keys():
        strange = [name for name in message if name not in _AROUND]
        if strange and not set(strange) - content.SERVICE:
            return ()
        return _unknown(message, strange[0] if strange else "message", arrival)
    details = content.details(message)
    said = content.text(message) or content.stand_in(message)
    replied = part(message, "reply_to_message")
    common: dict[str, Any] = {
        "external_id": line.message(_number(message)),
        "thread_key": line.key,
        "occurred_at": at,
        "text": said,
        "remote": content.files(message),
        "details": details,
        "quotes": line.message(ident(replied.get("message_id"))) if ident(replied.get("message_id")) else "",
    }
    if line.business and sender.value != line.chat:  # the owner wrote it, in Telegram itself
        chat = _person(part(message, "chat"), arrival)
        return (Echo(to=chat, author=sender.name, **common),)
    if start := _START.fullmatch(said):
        details["referral"] = {"source": KIND, "ref": start[1], "title": "", "url": ""}
    return (
        NewMessage(
            sender=sender,
            text_full=said,
            also_known=_own_number(message, sender),
            language=words(part(message, "from").get("language_code"))[:2].lower(),
            **common,
        ),
    )


def _edited(message: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    line, at = _line(message), _moment(message.get("edit_date") or message.get("date"), arrival)
    if not {"text", "caption"} & message.keys() and {"location", "venue"} & message.keys():
        return ()  # somebody shares where they are while they move: the place is where they began
    if not ({"text", "caption"} | _CONTENT) & message.keys():
        return _unknown(message, "edited_message", arrival)
    return (
        Edit(
            external_id=line.message(_number(message)),
            thread_key=line.key,
            occurred_at=at,
            text=content.text(message) or content.stand_in(message),
            number=whole(message.get("edit_date")),
        ),
    )


def _pressed(query: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    message, payload = part(query, "message"), words(query.get("data"))
    sender = _person(part(query, "from"), arrival)
    line = _line(message) if part(message, "chat") else Line(chat=sender.value)
    rows = part(message, "reply_markup").get("inline_keyboard")
    buttons = [button for row in (rows if isinstance(rows, list) else []) for button in parts(row)]
    title = next((words(one.get("text")) for one in buttons if words(one.get("callback_data")) == payload), payload)
    asked = ident(message.get("message_id"))
    return (
        NewMessage(
            external_id=line.message(f"press-{ident(query.get('id')) or arrival.external_id}"),
            thread_key=line.key,
            sender=sender,
            occurred_at=arrival.received_at,  # Telegram does not say when
            text=title,
            text_full=title,
            details={"choice": {"title": title, "payload": payload}},
            quotes=line.message(asked) if asked else "",
        ),
    )


def _membership(change: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    """The customer has blocked the bot or let it in again; in a group, somebody has thrown it out or brought it in."""
    line = _line(change)
    gone = words(part(change, "new_chat_member").get("status")) in ("kicked", "left")
    return (
        ContactChange(
            thread_key=line.key,
            sender=_sender(change, arrival),
            occurred_at=_moment(change.get("date"), arrival),
            what="blocked" if gone else "unblocked",
        ),
    )


def _reaction(change: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    line, now = _line(change), parts(change.get("new_reaction"))
    last = now[-1] if now else {}
    emoji = words(last.get("emoji")) or (_REACTION.get(words(last.get("type")), "❔") if last else "")
    return (
        Reaction(
            external_id=line.message(_number(change)),
            thread_key=line.key,
            sender=_sender(change, arrival),
            occurred_at=_moment(change.get("date"), arrival),
            emoji=emoji,
        ),
    )


def _deleted(gone: dict[str, Any], arrival: Arrival) -> tuple[InboundItem, ...]:
    line, listed = _line(gone), gone.get("message_ids")
    numbers = [ident(one) for one in listed if ident(one)] if isinstance(listed, list) else []
    return tuple(
        Unsend(external_id=line.message(number), thread_key=line.key, occurred_at=arrival.received_at)
        for number in numbers
    )


def _nothing(_about: dict[str, Any], _arrival: Arrival) -> tuple[InboundItem, ...]:
    """About the account, not from a customer."""
    return ()


def _unknown(about: dict[str, Any], what: str, arrival: Arrival) -> tuple[InboundItem, ...]:
    chat, sender = part(about, "chat"), part(about, "from") or part(about, "user")
    if not (ident(chat.get("id")) or ident(sender.get("id"))):
        raise GiveUp(gettext_noop("nobody it is from"))
    person = _person(sender or chat, arrival)
    line = _line(about) if ident(chat.get("id")) else Line(chat=person.value)
    number = ident(about.get("message_id"))
    return (
        Unknown(
            external_id=line.message(number or f"update-{arrival.external_id}"),
            thread_key=line.key,
            sender=person,
            occurred_at=_moment(about.get("date"), arrival),
            what=words(what)[:100] or "?",
        ),
    )


def _moved(line: Line, to: str, at: datetime, arrival: Arrival) -> ContactChange:
    """The whole group has another id now: it is the line that moves, not a person."""
    new = Line(chat=to, business=line.business)
    return ContactChange(
        thread_key=line.key,
        sender=Address(kind=KIND, value=line.chat, scope=arrival.channel_address),
        occurred_at=at,
        what="moved",
        now=Address(kind=KIND, value=to, scope=arrival.channel_address),
        details={"thread_key": new.key},
    )


def _line(about: dict[str, Any]) -> Line:
    chat = ident(part(about, "chat").get("id"))
    if not chat:
        raise GiveUp(gettext_noop("no chat it belongs to"))
    return Line(chat=chat, business=ident(about.get("business_connection_id")))


def _number(about: dict[str, Any]) -> str:
    number = ident(about.get("message_id"))
    if not number:
        raise GiveUp(gettext_noop("no message it speaks of"))
    return number


def _moment(value: Any, arrival: Arrival) -> datetime:
    return moment(value, latest=arrival.received_at)


def _sender(about: dict[str, Any], arrival: Arrival) -> Address:
    """Who it is from: a person; a chat where somebody writes or reacts in its name."""
    chat = part(about, "sender_chat") or part(about, "actor_chat")
    return _person(chat or part(about, "from") or part(about, "user") or part(about, "chat"), arrival)


def _person(given: dict[str, Any], arrival: Arrival) -> Address:
    value = ident(given.get("id"))
    if not value:
        raise GiveUp(gettext_noop("nobody it is from"))
    called = " ".join(filter(None, (words(given.get("first_name")), words(given.get("last_name")))))
    name = called or words(given.get("title")) or words(given.get("username"))
    return Address(kind=KIND, value=value, scope=arrival.channel_address, name=name.strip()[:200])


def _own_number(message: dict[str, Any], sender: Address) -> tuple[Address, ...]:
    """The sender's own phone number, where they share it: Telegram itself names whose account a number is of."""
    card = part(message, "contact")
    is_own = ident(card.get("user_id")) == sender.value and not message.get("forward_origin")
    if not is_own or not content.phone(card):
        return ()
    return (Address(kind="phone", value=content.phone(card), name=sender.name, verified=True, evidence=KIND),)


_READERS: dict[str, Callable[[dict[str, Any], Arrival], tuple[InboundItem, ...]]] = {
    "message": _message,
    "business_message": _message,
    "edited_message": _edited,
    "edited_business_message": _edited,
    "callback_query": _pressed,
    "my_chat_member": _membership,
    "message_reaction": _reaction,
    "deleted_business_messages": _deleted,
    "business_connection": _nothing,
}
