"""Words that were taken back are forgotten where a ticket was called by them."""

from collections.abc import Iterable

from django.db.models import Q

from helpdesk.core.models import EventLog
from helpdesk.core.text import snippet
from tickets.events import TicketChanged
from tickets.lifecycle.actions import subject_of
from tickets.models import Ticket, UndoStep


def forget(ticket: Ticket, customer_id: int | None, texts: Iterable[str]) -> None:
    """Blank every subject and snippet made of these texts, also in what is remembered of renaming.

    On the locked ticket, whose `subject` the caller saves, on those merged into it and on the customer's others: the
    message may have been moved. In the caller's transaction.
    """
    subjects = {subject_of(text) for text in texts} | {snippet(text) for text in texts}
    subjects.discard("")
    own = Ticket.objects.filter(Q(pk__in=ticket.family()) | Q(customer=customer_id, customer__isnull=False))
    ids = list(own.values_list("pk", flat=True))
    Ticket.objects.filter(pk__in=ids, subject__in=subjects).update(subject="")
    Ticket.objects.filter(pk__in=ids, snippet__in=subjects).update(snippet="")
    if ticket.subject in subjects:
        ticket.subject = ""
    told = EventLog.objects.filter(subject__in=[f"ticket:{pk}" for pk in ids], topic=TicketChanged.topic)
    for event in told.filter(payload__changes__has_key="subject"):
        pair = ["" if one in subjects else one for one in event.payload["changes"]["subject"]]
        changes = event.payload["changes"] | {"subject": pair}
        EventLog.objects.filter(pk=event.pk).update(payload=event.payload | {"changes": changes})
    steps = UndoStep.objects.filter(ticket__in=ids)
    steps.filter(before__subject__in=list(subjects)).update(before={"subject": ""})
    steps.filter(after__subject__in=list(subjects)).update(after={"subject": ""})
