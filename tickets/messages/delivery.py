"""What became of a message: the truth about its deliveries, on the message and its clocks."""

from django.utils.timezone import now

from channels_app.models import Delivery
from helpdesk.core.actor import Actor
from helpdesk.core.events import Recorded
from helpdesk.core.recorder import record
from tickets.enums import DeliveryState
from tickets.events import MessageDelivered
from tickets.lifecycle.actions import save
from tickets.messages.waiting import waits_again
from tickets.models import Message, Ticket
from tickets.pokes import poke
from tickets.sla import policies

_RANK = {"": 0, "sent": 1, "delivered": 2, "read": 3}


def mark_delivery(event: Recorded) -> None:
    """Subscriber: the message says what its parts say now. Looks at the present, so order does not matter."""
    message_id = event.payload["message_id"]
    if message_id is None:
        return
    found = Message.objects.filter(pk=message_id).values_list("ticket_id", flat=True).first()
    if found is None:
        return
    ticket = Ticket.objects.select_for_update().get(pk=found)
    message = Message.objects.select_for_update().get(pk=message_id)
    parts = list(Delivery.objects.filter(message_id=message_id))
    state, reason = _state(parts)
    if (state, reason) == (message.delivery_state, message.delivery_reason):
        return
    newly_failed = state == DeliveryState.FAILED and message.delivery_state != DeliveryState.FAILED
    message.delivery_state, message.delivery_reason = state, reason
    message.save(update_fields=["delivery_state", "delivery_reason"])
    fields: list[str] = []
    if newly_failed and not message.auto:
        policies.answer_failed(ticket, message.occurred_at)
        waits_again(ticket)
        ticket.unread = True
        fields = ["next_due_at", "sla_state", "waiting_since", "first_replied_at", "unread"]
    _touch(ticket, fields)
    told = MessageDelivered(ticket_id=ticket.pk, message_id=message.pk, state=state)
    record(told, actor=Actor.system(), pokes=[poke(ticket)])


def _touch(ticket: Ticket, fields: list[str]) -> None:
    """A tick on the timeline is news for screens; only a failure is something to see before answering."""
    if fields:
        save(ticket, *fields)
        return
    Ticket.objects.filter(pk=ticket.pk).update(updated_at=now())


def _state(parts: list[Delivery]) -> tuple[str, str]:
    """A message is as good as its worst part."""
    for outcome, state in (("failed", DeliveryState.FAILED), ("unknown", DeliveryState.UNKNOWN)):
        bad = next((part for part in parts if part.outcome == outcome), None)
        if bad is not None:
            return state, bad.last_error
    if any(part.outcome == "taken_back" for part in parts):
        return DeliveryState.TAKEN_BACK, ""
    if any(part.outcome == "" for part in parts):
        return DeliveryState.QUEUED, ""
    worst = min((part.outcome for part in parts), key=lambda outcome: _RANK.get(outcome, 0), default="")
    return worst, ""
