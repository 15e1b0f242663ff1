"""What happens to words after they were said: edited, taken back, reacted to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app import inbound, media, outbound
from channels_app.contracts import Edit, Origin, Reaction, Unsend
from channels_app.models import Thread
from helpdesk.core.actor import Actor
from helpdesk.core.errors import GiveUp, Retry
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from helpdesk.core.text import short_id
from tickets.enums import Direction
from tickets.events import MessageEdited, MessageReacted, MessageUnsent
from tickets.lifecycle import forgetting, standing
from tickets.lifecycle.actions import save
from tickets.lifecycle.queries import locked_survivor, survivor
from tickets.models import Message, Ticket
from tickets.pokes import poke
from tickets.understanding.summaries import summary

PATIENCE = 1200  # seconds; the message itself may be told of later than what became of it
MAX_HISTORY = 50
MAX_EMOJI = 40
MAX_REACTIONS = 100
MAX_TRIES = 5
_SYSTEM = Actor.system()


def edit(item: Edit, *, origin: Origin) -> None:
    """A message now reads otherwise; how it read before is kept with it. In the caller's transaction.

    Of several edits the last one stands, in whichever order they are told; the same one told twice is one. Raises
    Retry while the message is not here yet, in the end GiveUp.
    """
    found = _locked(item.external_id, item.thread_key, origin)
    if found is None:
        _wait(origin)
        raise GiveUp(gettext_noop("the message it changes never came"))
    ticket, message = found
    if message.unsent_at is not None:
        inbound.forget([origin.event_id])  # what was taken back stays forgotten
        return
    _remember_receipt(message, origin)
    changed = _revised(message, item)
    message.save(update_fields=["text", "text_full", "html", "details", "edited_at", "evidence"])
    if not changed:
        return
    standing.retell(ticket)
    if message.direction == Direction.IN and ticket.is_active:
        ticket.unread = True
    save(ticket, "snippet", "unread", talked=True)
    _told(ticket, message, MessageEdited(ticket_id=ticket.pk, message_id=message.pk))


def unsend(item: Unsend, *, origin: Origin) -> None:
    """A message was taken back: its words and files are forgotten everywhere, its place on the timeline stays.

    In the caller's transaction. That somebody wrote remains true: who waits goes on waiting. Raises Retry while the
    message is not here yet; what was never given to us needs no forgetting.
    """
    found = _locked(item.external_id, item.thread_key, origin)
    if found is None:
        _wait(origin)
        return
    ticket, message = found
    if message.unsent_at is not None:
        return
    forgetting.forget(ticket, message.customer_id, _ever_said(message, ticket.language))
    receipts = [message.event_id, *message.evidence.get("receipts", [])]
    inbound.forget([event_id for event_id in receipts if event_id])
    outbound.forget(message_id=message.pk)
    message.text = message.text_full = message.html = message.subject = message.quotes = ""
    message.details = {key: True for key in ("echo",) if message.details.get(key)}
    message.unsent_at, message.edited_at, message.reactions = min(item.occurred_at, now()), None, {}
    message.save()
    standing.retell(ticket)
    save(ticket, "snippet", "subject", talked=True)
    _told(ticket, message, MessageUnsent(ticket_id=ticket.pk, message_id=message.pk))
    # Last, because it cannot be rolled back: the contents go with their rows.
    media.forget(list(message.attachments.values_list("media_id", flat=True)))
    message.attachments.update(filename="", content_type="", size=0)


def react(item: Reaction, *, origin: Origin) -> None:
    """Somebody reacted to a message, or took it back: shown, but it asks nobody for anything.

    In the caller's transaction. Raises Retry while the message is not here yet.
    """
    found = _locked(item.external_id, item.thread_key, origin)
    if found is None:
        _wait(origin)
        return
    ticket, message = found
    who, at = item.sender.value[:255], item.occurred_at.isoformat()
    reacted = message.details.get("reacted", {})
    if message.unsent_at is not None or reacted.get(who, "") > at:
        return
    reactions = {name: emoji for name, emoji in message.reactions.items() if name != who}
    if item.emoji and len(reactions) < MAX_REACTIONS:
        reactions[who] = item.emoji[:MAX_EMOJI]
    if reactions == message.reactions:
        return
    message.reactions = reactions
    message.details = message.details | {"reacted": reacted | {who: at}}
    message.save(update_fields=["reactions", "details"])
    save(ticket)
    _told(ticket, message, MessageReacted(ticket_id=ticket.pk, message_id=message.pk))


def told_again(*, thread: Thread, external_id: str, origin: Origin) -> None:
    """A message that is here was told once more: if it was taken back, its words are forgotten again."""
    gone = Message.objects.filter(thread=thread, external_id=short_id(external_id), unsent_at__isnull=False)
    if gone.exists():
        inbound.forget([origin.event_id])


def find(external_id: str, *, channel_id: UUID, thread_key: str) -> Message | None:
    """The message on a line that its provider calls so: it came in, was typed elsewhere, or was sent from here."""
    on_line = Message.objects.filter(thread__channel=channel_id, thread__key=short_id(thread_key))
    message = on_line.filter(external_id=short_id(external_id)).select_related("ticket").first()
    if message is not None or not external_id:
        return message
    sent = outbound.message_of(external_id, channel_id=channel_id)
    return on_line.filter(pk=sent).select_related("ticket").first() if sent else None


def _locked(external_id: str, thread_key: str, origin: Origin) -> tuple[Ticket, Message] | None:
    """The ticket on which the message is shown, then the message, both locked; None when it is not here."""
    for _try in range(MAX_TRIES):
        found = find(external_id, channel_id=origin.channel.id, thread_key=thread_key)
        if found is None:
            return None
        ticket = locked_survivor(_SYSTEM, survivor(found.ticket).pk)
        message = Message.objects.select_for_update(no_key=True, of=("self",)).get(pk=found.pk)
        if message.ticket_id == found.ticket_id:
            return ticket, message
    raise Retry(gettext_noop("the message moves again and again"), after=1)


def _wait(origin: Origin) -> None:
    """What it speaks of may still be on its way: raises Retry, each time twice as patient; returns in the end."""
    age = (now() - origin.received_at).total_seconds()
    if age < PATIENCE:
        raise Retry(gettext_noop("the message it speaks of is not here yet"), after=max(2.0, age))


def _revised(message: Message, item: Edit) -> bool:
    """Set the new words and keep the old ones; False when only the history has grown, or nothing at all."""
    details: dict[str, Any] = dict(message.details)
    history: list[dict[str, Any]] = list(details.get("history", []))
    read_from = message.edited_at or message.occurred_at
    number = details.get("number", 0)
    is_newest = item.number > number if item.number else message.edited_at is None or item.occurred_at > read_from
    known = [message.text, *(former["text"] for former in history)]
    if item.text == message.text or (not is_newest and item.text in known):
        return False
    former = (item.occurred_at, item.text) if not is_newest else (read_from, message.text)
    history.append({"at": former[0].isoformat(), "text": former[1]})
    details["history"] = sorted(history, key=lambda one: datetime.fromisoformat(one["at"]))[-MAX_HISTORY:]
    if is_newest:
        details["number"] = item.number
        message.text, message.text_full, message.html = item.text, "", ""
        message.edited_at = min(item.occurred_at, now())
    message.details = details
    return is_newest


def _remember_receipt(message: Message, origin: Origin) -> None:
    """The raw receipt of an edit holds its words: whoever takes them back must find it."""
    receipts = message.evidence.get("receipts", [])
    if origin.event_id not in receipts:
        message.evidence = message.evidence | {"receipts": [*receipts, origin.event_id]}


def _ever_said(message: Message, language: str) -> list[str]:
    """Everything a ticket's subject may have been made of: each text the message had, and what stood for none."""
    said = [message.text, message.subject, *(former["text"] for former in message.details.get("history", []))]
    names = [("", name) for name in message.attachments.values_list("filename", flat=True)]
    said += [summary(language=spoken, details={}, files=[name]) for name in names for spoken in ("vi", "en")]
    return [*said, standing.words(message, language)]


def _told(ticket: Ticket, message: Message, event: Event) -> None:
    actor = Actor.customer(message.customer_id) if message.customer_id else _SYSTEM
    record(event, actor=actor, pokes=[poke(ticket)])
