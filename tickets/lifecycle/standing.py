"""What a ticket's row in the list must say, worked out anew from what was said on it."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import F, Max, Min, Q
from django.db.models.functions import Coalesce

from helpdesk.core.text import snippet
from tickets.enums import DeliveryState, Direction, Kind, Visibility
from tickets.models import Message, Ticket
from tickets.sla import policies

FIELDS = (
    *("message_count", "snippet", "last_direction", "last_message_at", "first_replied_at", "waiting_since"),
    *("next_due_at", "sla_state"),
)
NEVER_ARRIVED = (DeliveryState.FAILED, DeliveryState.TAKEN_BACK)


@dataclass(frozen=True, slots=True)
class Standing:
    """The fields of a ticket that follow from its messages and those of the tickets merged into it."""

    message_count: int
    snippet: str
    last_direction: str
    last_message_at: datetime
    first_replied_at: datetime | None
    waiting_since: datetime | None


def of(ticket: Ticket) -> Standing:
    """Read everything said on a ticket. A customer waits since the first words that nobody answered or settled.

    Answered: a person's public reply that has not failed came after it. Settled: the ticket was solved after it.
    Words of machines and blocked senders wait for nobody; on a ticket that is not active nobody waits.
    """
    said = Message.objects.filter(ticket__in=ticket.family())
    public = said.filter(visibility=Visibility.PUBLIC)
    last = public.exclude(delivery_state=DeliveryState.TAKEN_BACK).order_by("-occurred_at", "-pk").first()
    answers = public.filter(direction=Direction.OUT, kind=Kind.MESSAGE, auto=False)
    answered = answers.exclude(delivery_state__in=NEVER_ARRIVED).aggregate(first=Min("occurred_at"), last=Max("pk"))
    asked = public.filter(direction=Direction.IN, auto=False).exclude(evidence__has_key="quietly")
    unsettled = Q(ticket__settled_at__isnull=True) | Q(created_at__gt=F("ticket__settled_at"))
    asked = asked.filter(Q(ticket=ticket.pk) | unsettled)  # the ticket's own may have been set and not yet saved
    asked = asked.filter(pk__gt=Coalesce(answered["last"], 0))
    if ticket.settled_at:
        asked = asked.filter(created_at__gt=ticket.settled_at)
    waits = ticket.is_active and ticket.merged_into_id is None
    return Standing(
        message_count=said.count(),
        snippet=snippet(last.text or last.subject) if last else "",
        last_direction=last.direction if last else "",
        last_message_at=last.occurred_at if last else ticket.created_at,
        first_replied_at=answered["first"],
        waiting_since=asked.aggregate(at=Min("occurred_at"))["at"] if waits else None,
    )


def refresh(ticket: Ticket) -> None:
    """Set what follows from its messages on a locked ticket, and let its clocks follow; the caller saves FIELDS."""
    for name, value in asdict(of(ticket)).items():
        setattr(ticket, name, value)
    policies.follow(ticket)
