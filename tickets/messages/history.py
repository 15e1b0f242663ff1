"""Answers given elsewhere or earlier: on the timeline and in the clocks, never sent."""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from channels_app.models import Thread
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Invalid
from helpdesk.core.recorder import record
from tickets.enums import DeliveryState, Direction
from tickets.events import MessageAdded
from tickets.lifecycle import standing
from tickets.lifecycle.actions import save
from tickets.lifecycle.queries import ticket_for
from tickets.models import Message
from tickets.pokes import poke
from tickets.sla import policies


def record_answer(
    *, ticket_id: int | str, text: str, at: datetime, actor: Actor, thread: Thread | None = None
) -> Message:
    """A public answer that the customer has already had, at the time it was given; refused for the future."""
    if at > now():
        raise Invalid(fields={"at": "in_the_future"})
    with transaction.atomic():
        ticket = ticket_for(actor, ticket_id, lock=True)
        message = Message.objects.create(
            ticket=ticket,
            thread=thread,
            channel_id=thread.channel_id if thread else ticket.channel_id,
            channel_kind=thread.channel.kind if thread else ticket.channel_kind,
            direction=Direction.OUT,
            author_id=actor.id,
            sender_name=actor.name,
            sender_verified=True,
            text=text.strip(),
            delivery_state=DeliveryState.SENT,
            occurred_at=at,
            created_at=at,
        )
        if at >= ticket.last_message_at:
            ticket.unread, ticket.controller = False, "agent"
        events = policies.answered(ticket, message, at)
        ticket.assignee_id = ticket.assignee_id or actor.id
        standing.refresh(ticket)
        save(ticket, *standing.FIELDS, "unread", "controller", "assignee", talked=True)
        added = MessageAdded(
            ticket_id=ticket.pk,
            message_id=message.pk,
            direction=message.direction,
            visibility=message.visibility,
            kind=message.kind,
            channel_kind=message.channel_kind,
        )
        record(added, *events, actor=actor, pokes=[poke(ticket)])
    return message
