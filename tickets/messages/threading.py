"""Which ticket an incoming message belongs to, with the evidence."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef

from channels_app import reply_tokens
from channels_app.contracts import NewMessage
from channels_app.models import Thread
from helpdesk.core import crypto
from tickets.customers.queries import family
from tickets.enums import ACTIVE, Status
from tickets.lifecycle.queries import reopen_horizon, survivor
from tickets.models import Customer, Message, Ticket, TicketLink


@dataclass(slots=True)
class Match:
    """Where a message goes. `ticket` None means a new one, linked to `linked_to` for `reason`."""

    ticket: Ticket | None = None
    reopen: bool = False
    linked_to: Ticket | None = None
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


def match(item: NewMessage, customer: Customer, thread: Thread) -> Match:
    """By signed token, then by known references, then the customer's own open or lately solved ticket.

    Only a participant joins by token or reference: a stranger who has them gets a new ticket, linked.
    """
    named, evidence = _named(item)
    if named is None and customer.is_fresh:
        return Match(evidence={"by": "first_message"})
    people = family(customer.pk)
    if named is not None:
        named = survivor(named)
        if not (item.sender.value in named.participants or named.customer_id in people):
            return _beside(named, people, "stranger", {**evidence, "stranger": True})
        if _is_over(named):
            return _beside(named, people, "follow_up", {**evidence, "closed": True})
        if named.status == Status.SPAM or named.is_active:
            return Match(ticket=named, evidence=evidence)
        return Match(ticket=named, reopen=True, evidence=evidence)
    return _of_people(people, thread)


def of_customer(customer: Customer, thread: Thread) -> Match:
    """The customer's open ticket, or the one solved lately; for words that name none."""
    return _of_people(family(customer.pk), thread)


def still(match: Match, ticket: Ticket) -> bool:
    """Whether the ticket, now locked, is what it was when the match was made."""
    before = match.ticket
    return before is not None and (ticket.merged_into_id, ticket.status) == (before.merged_into_id, before.status)


def _beside(named: Ticket, people: list[int], reason: str, evidence: dict[str, Any]) -> Match:
    """A ticket of the sender's own, linked to the named one: the first time a new one, then that."""
    linked = TicketLink.objects.filter(ticket=OuterRef("pk"), other=named)
    own = Ticket.objects.filter(Exists(linked), customer__in=people, merged_into__isnull=True, status__in=ACTIVE)
    ticket = own.order_by("-last_message_at", "-pk").first()
    if ticket is not None:
        return Match(ticket=ticket, evidence=evidence)
    return Match(linked_to=named, reason=reason, evidence=evidence)


def _named(item: NewMessage) -> tuple[Ticket | None, dict[str, Any]]:
    """The ticket that a token or a reference names."""
    for token in item.reply_tokens:
        ticket_id = reply_tokens.read(token, crypto.key("reply tokens"))
        if ticket_id is not None and (ticket := Ticket.objects.filter(pk=ticket_id).first()):
            return ticket, {"by": "token"}
    references = [reference for reference in item.references if reference]
    if references:
        known = {
            message.external_id: message
            for message in Message.objects.filter(external_id__in=references)
            .exclude(external_id="")
            .select_related("ticket")
            .only("external_id", "ticket")
            .order_by("-pk")[:50]
        }
        for reference in references:
            if reference in known:
                return known[reference].ticket, {"by": "reference", "reference": reference}
    return None, {}


def _is_over(ticket: Ticket) -> bool:
    """Solved or closed so long ago that an answer begins something new."""
    if ticket.status not in (Status.SOLVED, Status.CLOSED):
        return False
    return ticket.solved_at is None or ticket.solved_at < reopen_horizon()


def _of_people(people: list[int], thread: Thread) -> Match:
    """The customer's open ticket, on whichever channel; of several the one on this line, else the latest active.

    `people`: the customer and everyone merged into them, whose tickets stay theirs.
    """
    mine = Ticket.objects.filter(customer__in=people, merged_into__isnull=True)
    on_this_line = Exists(Message.objects.filter(ticket=OuterRef("pk"), thread=thread))
    found = mine.filter(status__in=ACTIVE).annotate(here=on_this_line).order_by("-here", "-last_message_at", "-pk")
    active = found.first()
    if active is not None:
        return Match(ticket=active, evidence={"by": "open_ticket"})
    solved = mine.filter(status=Status.SOLVED, solved_at__gte=reopen_horizon()).order_by("-solved_at")
    ticket = solved.first()
    if ticket is not None:
        return Match(ticket=ticket, reopen=True, evidence={"by": "lately_solved"})
    return Match(evidence={"by": "first_message"})
