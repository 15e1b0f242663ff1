"""What became of a message: the truth about its deliveries, on the message and its clocks."""

from django.utils.translation import gettext_noop

from channels_app.models import Delivery
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Retry
from helpdesk.core.events import Event, Recorded
from helpdesk.core.recorder import record
from tickets.enums import DeliveryState
from tickets.events import MessageDelivered
from tickets.lifecycle.actions import save
from tickets.lifecycle.queries import survivor
from tickets.messages.failing import never_arrived
from tickets.models import Message, Ticket
from tickets.pokes import poke

MAX_TRIES = 5
_RANK = {"": 0, "sent": 1, "delivered": 2, "read": 3}


def mark_delivery(event: Recorded) -> None:
    """Subscriber: the message says what its parts say now. Looks at the present, so order does not matter."""
    message_id = event.payload["message_id"]
    if message_id is None:
        return
    locked = _locked(message_id)
    if locked is None:
        return
    ticket, message = locked
    parts = list(Delivery.objects.filter(message_id=message_id).order_by("part"))
    state, reason = _state(parts)
    if (state, reason) == (message.delivery_state, message.delivery_reason):
        return
    newly_failed = state == DeliveryState.FAILED and message.delivery_state != DeliveryState.FAILED
    message.delivery_state, message.delivery_reason = state, reason
    message.save(update_fields=["delivery_state", "delivery_reason"])
    events: list[Event] = [MessageDelivered(ticket_id=ticket.pk, message_id=message.pk, state=state)]
    if newly_failed and not message.auto:
        ticket.unread = True
        events += never_arrived(ticket, message, "unread")
    else:
        save(ticket)
    record(*events, actor=Actor.system(), pokes=[poke(ticket)])


def _locked(message_id: int) -> tuple[Ticket, Message] | None:
    """The ticket on which a message is shown, then the message, both locked; None for a message that is not there."""
    for _try in range(MAX_TRIES):
        stands_on = Message.objects.filter(pk=message_id).select_related("ticket").first()
        if stands_on is None:
            return None
        shown_on = survivor(stands_on.ticket).pk
        ticket = Ticket.objects.select_for_update(no_key=True).get(pk=shown_on)
        message = Message.objects.select_for_update(no_key=True).get(pk=message_id)
        if ticket.merged_into_id is None and message.ticket_id == stands_on.ticket_id:
            return ticket, message
    raise Retry(gettext_noop("the message moves again and again"))


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
