"""An answer that never reached the customer: the ticket is as if it had not been given."""

from helpdesk.core.events import Event
from tickets.enums import DeliveryState, Status
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import standing
from tickets.models import Message, Ticket
from tickets.sla import policies


def never_arrived(ticket: Ticket, message: Message, *more: str) -> list[Event]:
    """The customer of a locked ticket waits again, and its clocks run on; saves it with `more` fields.

    A ticket that was put to rest with that answer is work again. Returns the events; the caller records them.
    """
    if message.auto:
        return []
    policies.answer_failed(ticket, message.pk)
    before = {name: getattr(ticket, name) for name in ("status", "solved_at", "settled_at")}
    events: list[Event] = []
    if ticket.status in (Status.PENDING, Status.SOLVED):
        told = lifecycle.set_fields(ticket, {"status": Status.OPEN, "solved_at": None, "settled_at": None})
        if standing.of(ticket).waiting_since is None:  # another answer did arrive
            lifecycle.set_fields(ticket, before)
        elif told:
            events.append(told)
    standing.refresh(ticket)
    # Its writer knows of a mail taken back; a failure is something to see before answering.
    failed = message.delivery_state == DeliveryState.FAILED
    lifecycle.save(ticket, *standing.FIELDS, *before, *more, talked=failed)
    return events
