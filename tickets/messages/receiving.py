"""Receiving: a customer's words become a message on a ticket."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.timezone import now

from channels_app import media
from channels_app.contracts import File, NewMessage, Origin
from channels_app.models import Media, Thread
from helpdesk.core.actor import Actor
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from helpdesk.core.sanitize import clean
from helpdesk.core.text import snippet
from tickets.enums import Direction, Status
from tickets.events import ChannelSwitched, MessageAdded
from tickets.lifecycle.actions import save
from tickets.models import Attachment, Customer, Message, Ticket
from tickets.pokes import poke
from tickets.sla import policies

MAX_PARTICIPANTS = 50


def already_here(item: NewMessage, thread: Thread) -> bool:
    """Whether this message is on the timeline already: the same id on this line, or the same mail by another mailbox.

    A Message-ID alone proves nothing across mailboxes (it can be forged): sender and body must agree too.
    """
    here = Q(thread=thread)
    if item.content_hash:
        here |= Q(sender_address=item.sender.value, content_hash=item.content_hash)
    return Message.objects.filter(here, external_id=item.external_id).exclude(external_id="").exists()


def receive(
    *,
    ticket: Ticket,
    customer: Customer,
    thread: Thread,
    item: NewMessage,
    origin: Origin,
    evidence: dict[str, Any],
    opened: Sequence[Event] = (),
    quietly: bool = False,
) -> Message:
    """Put a customer's message on a ticket, in the caller's transaction, which holds the ticket's lock.

    Quietly: stored and shown, but it neither starts a clock nor asks for attention. `opened`: what
    opening this very ticket left to record; its list fields show the message already.
    """
    at = _moment(item)
    message = Message.objects.create(
        ticket=ticket,
        thread=thread,
        channel_id=origin.channel.id,
        channel_kind=origin.channel.kind,
        external_id=item.external_id[:255],
        content_hash=item.content_hash,
        direction=Direction.IN,
        customer=customer,
        sender_name=(item.sender.name or customer.name)[:200],
        sender_address=item.sender.value[:255],
        sender_verified=item.sender.verified,
        recipients=list(item.recipients)[:MAX_PARTICIPANTS],
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
        *opened,
        MessageAdded(
            ticket_id=ticket.pk,
            message_id=message.pk,
            direction=Direction.IN,
            visibility=message.visibility,
            kind=message.kind,
            channel_kind=origin.channel.kind,
            auto=item.auto,
            version=ticket.version + (0 if opened else 1),
        ),
    ]
    if not opened and ticket.channel_kind and ticket.channel_kind != origin.channel.kind:
        switched = ChannelSwitched(ticket_id=ticket.pk, before=ticket.channel_kind, after=origin.channel.kind)
        events.append(switched)
    if not opened:
        _touch(ticket, item, origin, quietly=quietly)
    elif _asks(ticket, quietly):
        policies.start_first(ticket, at)
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


def list_first(ticket: Ticket, item: NewMessage, origin: Origin, *, quietly: bool) -> None:
    """What the first message shows in the list, set on a ticket that is about to be written."""
    _show(ticket, item, origin, quietly=quietly)
    if _asks(ticket, quietly):
        policies.expect_first(ticket, _moment(item))


def _touch(ticket: Ticket, item: NewMessage, origin: Origin, *, quietly: bool) -> None:
    """Bring the ticket's list fields and its clock up to date."""
    waited = ticket.waiting_since is not None and ticket.next_due_at is not None
    _show(ticket, item, origin, quietly=quietly)
    if _asks(ticket, quietly) and not waited:  # who waits already has a clock that runs
        policies.customer_wrote(ticket, _moment(item))
    save(
        ticket,
        *("message_count", "language", "participants", "snippet", "last_direction", "last_message_at", "channel_id"),
        *("channel_kind", "unread", "snoozed_until", "status", "waiting_since", "next_due_at", "sla_state"),
        *("solved_at", "reopened_count"),
    )


def _show(ticket: Ticket, item: NewMessage, origin: Origin, *, quietly: bool) -> None:
    at = _moment(item)
    ticket.message_count += 1
    if not ticket.language and item.language:
        ticket.language = item.language
    others = [item.sender.value, *item.recipients]
    seen = [address for address in others if address and address not in origin.own_addresses]
    ticket.participants = list(dict.fromkeys([*ticket.participants, *seen]))[:MAX_PARTICIPANTS]
    ticket.snippet = snippet(item.text or item.subject[:250])
    ticket.last_direction = Direction.IN
    ticket.last_message_at = max(ticket.last_message_at, at)
    if _asks(ticket, quietly):
        ticket.channel_id, ticket.channel_kind = origin.channel.id, origin.channel.kind
        ticket.unread = True
        ticket.snoozed_until = None
        ticket.status = Status.OPEN
        ticket.waiting_since = ticket.waiting_since or at


def _asks(ticket: Ticket, quietly: bool) -> bool:
    """Whether the message asks for attention."""
    return not quietly and ticket.status != Status.SPAM


def _moment(item: NewMessage) -> datetime:
    return min(item.occurred_at, now())
