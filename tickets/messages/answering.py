"""What a person's public answer changes on a ticket, wherever it was typed."""

from helpdesk.core.events import Event
from tickets.enums import Direction
from tickets.events import MessageAdded
from tickets.lifecycle import handoffs, standing
from tickets.models import Message, Ticket
from tickets.sla import policies

FIELDS = (
    *("message_count", "snippet", "last_direction", "last_message_at", "first_replied_at", "waiting_since"),
    *("unread", "controller", "next_due_at", "sla_state"),
)


def show(ticket: Ticket, message: Message) -> None:
    """An answer, with its files, as the list shows it on a locked ticket; the caller saves FIELDS."""
    ticket.message_count += 1
    if message.occurred_at >= ticket.last_message_at:
        ticket.snippet, ticket.last_direction = standing.words(message, ticket.language), Direction.OUT
        ticket.last_message_at = message.occurred_at


def answered(ticket: Ticket, message: Message) -> list[Event]:
    """A person answered in public: nobody waits and every reply clock is met. The caller saves FIELDS and records.

    An answer from before the customer began to wait, told of late, meets nothing.
    """
    at = message.occurred_at
    ticket.first_replied_at = min(ticket.first_replied_at or at, at)
    if ticket.waiting_since is not None and at < ticket.waiting_since:
        return []
    was = ticket.controller
    ticket.waiting_since, ticket.unread, ticket.controller = None, False, "agent"
    return [*policies.answered(ticket, message, at), *handoffs.of_controller(ticket, was)]


def added(ticket: Ticket, message: Message) -> MessageAdded:
    """The event of a message just put on a locked ticket that is not saved yet."""
    return MessageAdded(
        ticket_id=ticket.pk,
        message_id=message.pk,
        direction=message.direction,
        visibility=message.visibility,
        kind=message.kind,
        channel_kind=message.channel_kind,
        auto=message.auto,
        version=ticket.version + 1,
    )
