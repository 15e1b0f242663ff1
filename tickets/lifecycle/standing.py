"""What a ticket's row in the list must say, worked out anew from what was said on it."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from helpdesk.core.text import snippet
from tickets.enums import DeliveryState, Direction, Visibility
from tickets.models import Message, Ticket
from tickets.sla import policies
from tickets.understanding.summaries import summary

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

    Answered: a person's public reply that has not failed, or a call that reached them, came after it, here and by its
    own time: one typed in a provider's app may be told of late. Settled: the ticket was solved after it.
    Words of machines and blocked senders wait for nobody; on a ticket that is not active nobody waits.
    """
    said = Message.objects.filter(ticket__in=ticket.family())
    public = said.filter(visibility=Visibility.PUBLIC)
    last = _last(public)
    answers = said.filter(policies.ANSWERS)
    answers = answers.exclude(delivery_state__in=NEVER_ARRIVED)
    asked = public.filter(direction=Direction.IN, auto=False).exclude(evidence__has_key="quietly")
    unsettled = Q(ticket__settled_at__isnull=True) | Q(created_at__gt=F("ticket__settled_at"))
    asked = asked.filter(Q(ticket=ticket.pk) | unsettled)  # the ticket's own may have been set and not yet saved
    asked = asked.filter(~Exists(answers.filter(pk__gt=OuterRef("pk"), occurred_at__gte=OuterRef("occurred_at"))))
    if ticket.settled_at:
        asked = asked.filter(created_at__gt=ticket.settled_at)
    waits = ticket.is_active and ticket.merged_into_id is None
    return Standing(
        message_count=said.count(),
        snippet=words(last, ticket.language) if last else "",
        last_direction=last.direction if last else "",
        last_message_at=last.occurred_at if last else ticket.created_at,
        first_replied_at=answers.aggregate(at=Min("occurred_at"))["at"],
        waiting_since=asked.aggregate(at=Min("occurred_at"))["at"] if waits else None,
    )


def refresh(ticket: Ticket) -> None:
    """Set what follows from its messages on a locked ticket, and let its clocks follow; the caller saves FIELDS."""
    for name, value in asdict(of(ticket)).items():
        setattr(ticket, name, value)
    policies.follow(ticket)


def retell(ticket: Ticket) -> None:
    """Say anew what the list shows of the last words on a locked ticket; the caller saves `snippet`."""
    last = _last(Message.objects.filter(ticket__in=ticket.family(), visibility=Visibility.PUBLIC))
    ticket.snippet = words(last, ticket.language) if last else ""


def words(message: Message, language: str) -> str:
    """What the list shows of a message: its first words, else what it holds instead, on one line."""
    if message.unsent_at is None and (said := spoken(message.text, message.subject)):
        return said
    files = list(message.attachments.order_by("pk").values_list("content_type", "filename"))
    unsent = message.unsent_at is not None
    return snippet(summary(language=language, details=message.details, files=files, unsent=unsent))


def spoken(text: str, subject: str) -> str:
    """The first words of a message, or of its subject; empty for one without words."""
    return snippet(text) or snippet(subject)


def _last(public: QuerySet[Message]) -> Message | None:
    return public.exclude(delivery_state=DeliveryState.TAKEN_BACK).order_by("-occurred_at", "-pk").first()
