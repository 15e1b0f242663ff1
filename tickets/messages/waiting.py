"""Since when a customer waits, worked out from what was said and what arrived."""

from tickets.enums import DeliveryState, Direction, Visibility
from tickets.models import Message, Ticket


def waits_again(ticket: Ticket) -> None:
    """An answer that never arrived leaves the customer waiting since their first unanswered words.

    Sets waiting_since and first_replied_at of a locked ticket; the caller saves it.
    """
    said = Message.objects.filter(ticket=ticket, visibility=Visibility.PUBLIC, auto=False)
    arrived = said.filter(direction=Direction.OUT).exclude(
        delivery_state__in=(DeliveryState.FAILED, DeliveryState.TAKEN_BACK)
    )
    last = arrived.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    unanswered = said.filter(direction=Direction.IN)
    if last is None:
        ticket.first_replied_at = None
    else:
        unanswered = unanswered.filter(occurred_at__gt=last)
    ticket.waiting_since = unanswered.order_by("occurred_at").values_list("occurred_at", flat=True).first()
