"""Answers that somebody typed in the provider's own app: on the timeline as ours, never as the customer's."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.timezone import now

from channels_app.contracts import Echo, Origin, Receipt
from channels_app.models import Thread
from helpdesk.core.actor import Actor
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from helpdesk.core.rows import insert
from helpdesk.core.text import short_id
from tickets.enums import DeliveryState, Direction, Kind
from tickets.events import MessageDelivered
from tickets.lifecycle import standing
from tickets.lifecycle.actions import save
from tickets.lifecycle.queries import locked_survivor
from tickets.messages import answering
from tickets.messages.receiving import attach_remote, details_of
from tickets.models import Message, Ticket
from tickets.pokes import poke

_SYSTEM = Actor.system()
_LOWER = {
    DeliveryState.DELIVERED: (DeliveryState.SENT,),
    DeliveryState.READ: (DeliveryState.SENT, DeliveryState.DELIVERED),
}


def is_known(item: Echo, *, channel_id: UUID, key: str) -> bool:
    """Whether it stands on the timeline already."""
    on_line = Message.objects.filter(thread__channel=channel_id, thread__key=key)
    return on_line.filter(external_id=short_id(item.external_id)).exists()


def place(
    *,
    ticket: Ticket,
    thread: Thread,
    item: Echo,
    origin: Origin,
    evidence: dict[str, object],
    opened: list[Event],
) -> Message:
    """Put it on a ticket, in the caller's transaction, which holds the ticket's lock.

    It counts as a person's public reply: nobody waits any more for what was said before it, and the clocks stop.
    The ticket's status stays: who solved it has not heard of this yet.
    """
    message = Message(
        ticket=ticket,
        thread=thread,
        channel_id=origin.channel.id,
        channel_kind=origin.channel.kind,
        external_id=short_id(item.external_id),
        direction=Direction.OUT,
        kind=Kind.COMMENT if item.is_comment else Kind.MESSAGE,
        sender_name=(item.author or origin.channel.name)[:200],
        sender_verified=True,
        recipients=[item.to.value] if 0 < len(item.to.value) <= 254 else [],
        text=item.text,
        details=details_of(item.details, item.remote) | {"echo": True},
        quotes=short_id(item.quotes),
        delivery_state=DeliveryState.SENT,
        evidence=evidence,
        event_id=origin.event_id,
        occurred_at=min(item.occurred_at, now()),
    )
    insert(message)
    attach_remote(message, item.remote)
    is_late = message.occurred_at < ticket.last_message_at
    answering.show(ticket, message)
    events = [*opened, answering.added(ticket, message), *answering.answered(ticket, message)]
    ticket.subject = ticket.subject or standing.words(message, ticket.language)[:80]
    if is_late:  # the customer may have written since
        standing.refresh(ticket)
        ticket.unread = ticket.unread or ticket.waiting_since is not None
    save(ticket, *answering.FIELDS, "subject", talked=True)
    record(*events, actor=_SYSTEM, pokes=[poke(ticket)])
    return message


def mark(receipt: Receipt, *, origin: Origin) -> None:
    """What the provider says became of answers typed in its own app, in the caller's transaction."""
    lower = _LOWER.get(DeliveryState(receipt.state)) if receipt.state in DeliveryState.values else None
    if lower is None:
        return
    told = _told(receipt, origin)
    if told is None:
        return
    stood: dict[int, list[int]] = {}
    for message_id, ticket_id in told.filter(delivery_state__in=lower).order_by("pk").values_list("pk", "ticket_id"):
        stood.setdefault(ticket_id, []).append(message_id)
    for ticket_id, ids in sorted(stood.items()):
        ticket = locked_survivor(_SYSTEM, ticket_id)
        Message.objects.filter(pk__in=ids, delivery_state__in=lower).update(delivery_state=receipt.state)
        save(ticket)
        events = [MessageDelivered(ticket_id=ticket.pk, message_id=pk, state=receipt.state) for pk in ids]
        record(*events, actor=_SYSTEM, pokes=[poke(ticket)])


def _told(receipt: Receipt, origin: Origin) -> QuerySet[Message] | None:
    """Which of them a receipt speaks of; None when it speaks of none."""
    typed = Message.objects.filter(direction=Direction.OUT, thread__channel=origin.channel.id, details__echo=True)
    if receipt.reference:
        return typed.filter(external_id=short_id(receipt.reference))
    if receipt.thread_key and receipt.up_to:
        line = typed.filter(thread__key=short_id(receipt.thread_key)).exclude(external_id="")
        return line.filter(occurred_at__lte=receipt.up_to)
    return None
