"""Receiving: a customer's words become a message on a ticket."""

from collections.abc import Sequence
from typing import Any

from django.utils.timezone import now

from channels_app import media
from channels_app.contracts import File, NewMessage, Origin
from channels_app.models import Media, Thread
from helpdesk.core.actor import Actor
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from helpdesk.core.sanitize import clean
from helpdesk.core.text import short_id, snippet
from tickets.enums import Direction, Status
from tickets.events import ChannelSwitched, MessageAdded
from tickets.lifecycle.actions import save
from tickets.models import Attachment, Customer, Message, Ticket
from tickets.pokes import poke
from tickets.sla import policies

MAX_PARTICIPANTS = 50
MAX_ADDRESS = 254


def already_here(item: NewMessage, thread: Thread) -> bool:
    """Whether this message is on the timeline already: the same id on this line, or the same mail by another mailbox.

    A Message-ID alone proves nothing (it can be forged, and some programs use one twice): sender and body must
    agree too. Chat lines have no such hash; their id is unique on their line.
    """
    kept = short_id(item.external_id)
    if not item.content_hash:
        return Message.objects.filter(thread=thread, external_id=kept).exists()
    same = Message.objects.filter(external_id__in=(kept, short_id(f"{kept}#{item.content_hash}")))
    return same.filter(sender_address=item.sender.value[:255], content_hash=item.content_hash).exists()


def own_id(item: NewMessage, thread: Thread) -> str:
    """The id it is kept under. Another mail on this line may bear the same Message-ID: nothing is lost for that."""
    kept = short_id(item.external_id)
    if item.content_hash and Message.objects.filter(thread=thread, external_id=kept).exists():
        return short_id(f"{kept}#{item.content_hash}")
    return kept


def receive(
    *,
    ticket: Ticket,
    customer: Customer,
    thread: Thread,
    item: NewMessage,
    origin: Origin,
    evidence: dict[str, Any],
    is_new: bool = False,
    quietly: bool = False,
) -> Message:
    """Put a customer's message on a ticket, in the caller's transaction, which holds the ticket's lock.

    Quietly: stored and shown, but it neither starts a clock nor asks for attention.
    """
    at = min(item.occurred_at, now())
    message = Message.objects.create(
        ticket=ticket,
        thread=thread,
        channel_id=origin.channel.id,
        channel_kind=origin.channel.kind,
        external_id=own_id(item, thread),
        content_hash=item.content_hash,
        direction=Direction.IN,
        customer=customer,
        sender_name=(item.sender.name or customer.name)[:200],
        sender_address=item.sender.value[:255],
        sender_verified=item.sender.verified,
        recipients=[name for name in item.recipients if len(name) <= MAX_ADDRESS][:MAX_PARTICIPANTS],
        subject=item.subject[:250],
        text=item.text,
        text_full=item.text_full if item.text_full != item.text else "",
        html=clean(item.html),
        auto=item.auto,
        evidence=evidence,
        event_id=origin.event_id,
        occurred_at=at,
    )
    attach(message, [_keep(file) for file in item.files])
    events: list[Event] = [
        MessageAdded(
            ticket_id=ticket.pk,
            message_id=message.pk,
            direction=Direction.IN,
            visibility=message.visibility,
            kind=message.kind,
            channel_kind=origin.channel.kind,
            auto=item.auto,
            version=ticket.version + 1,
        )
    ]
    if not is_new and ticket.channel_kind and ticket.channel_kind != origin.channel.kind:
        switched = ChannelSwitched(ticket_id=ticket.pk, before=ticket.channel_kind, after=origin.channel.kind)
        events.append(switched)
    _touch(ticket, message, item, origin, quietly=quietly, is_new=is_new)
    actor = Actor.customer(customer.pk)
    record(*events, actor=actor, pokes=[poke(ticket)])
    return message


def attach(message: Message, files: Sequence[Media]) -> None:
    """Hang kept files on a message."""
    Attachment.objects.bulk_create(
        Attachment(
            message=message,
            media=file,
            filename=file.filename,
            content_type=file.content_type,
            size=file.size,
            content_id=file.content_id,
        )
        for file in files
    )


def _keep(file: File) -> Media:
    return media.keep(
        content=file.content,
        filename=file.filename,
        content_type=file.content_type,
        content_id=file.content_id,
    )


def _touch(ticket: Ticket, message: Message, item: NewMessage, origin: Origin, *, quietly: bool, is_new: bool) -> None:
    """Bring the ticket's list fields up to date."""
    ticket.message_count += 1
    if not ticket.language and item.language:
        ticket.language = item.language
    others = [item.sender.value, *item.recipients]
    seen = [one for one in others if 0 < len(one) <= MAX_ADDRESS and one not in origin.own_addresses]
    ticket.participants = list(dict.fromkeys([*ticket.participants, *seen]))[:MAX_PARTICIPANTS]
    if message.occurred_at >= ticket.last_message_at:
        ticket.snippet = snippet(message.text or message.subject)
        ticket.last_direction = Direction.IN
        ticket.last_message_at = message.occurred_at
    if not quietly and ticket.status != Status.SPAM:
        ticket.channel_id, ticket.channel_kind = origin.channel.id, origin.channel.kind
        ticket.unread = True
        ticket.snoozed_until = None
        ticket.status = Status.OPEN
        ticket.waiting_since = min(ticket.waiting_since or message.occurred_at, message.occurred_at)
        policies.customer_wrote(ticket, message.occurred_at, is_new=is_new)
    save(
        ticket,
        *("message_count", "language", "participants", "snippet", "last_direction", "last_message_at", "channel_id"),
        *("channel_kind", "unread", "snoozed_until", "status", "waiting_since", "next_due_at", "sla_state"),
        *("solved_at", "reopened_count"),
        talked=True,
    )
