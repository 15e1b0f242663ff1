"""Which ticket an incoming message belongs to, with the evidence."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from channels_app import reply_tokens
from channels_app.contracts import NewMessage
from channels_app.models import Thread
from helpdesk.core import crypto
from tickets.customers import queries as people
from tickets.enums import ACTIVE, Status
from tickets.lifecycle.queries import reopen_horizon, survivor
from tickets.models import Customer, Message, Ticket


@dataclass(slots=True)
class Match:
    """Where a message goes: a `ticket`, locked. None means a new one, linked to `linked_to` for `reason`."""

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
    if named is not None:
        named = survivor(named)
        if not _takes_part(named, item, customer):
            return Match(linked_to=named, reason="stranger", evidence={**evidence, "stranger": True})
        if _is_over(named):
            return Match(linked_to=named, reason="follow_up", evidence={**evidence, "closed": True})
        reopen = named.status != Status.SPAM and not named.is_active
        return Match(ticket=_locked(Ticket.objects.filter(pk=named.pk)), reopen=reopen, evidence=evidence)
    if customer.is_fresh:
        return Match(evidence={"by": "first_message"})
    return _of_customer(customer, thread)


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


def _takes_part(ticket: Ticket, item: NewMessage, customer: Customer) -> bool:
    if item.sender.value in ticket.participants:
        return True
    owner = ticket.customer_id
    return owner == customer.pk or Customer.objects.filter(pk=owner, canonical=customer).exists()


def _is_over(ticket: Ticket) -> bool:
    """Solved or closed so long ago that an answer begins something new."""
    if ticket.status not in (Status.SOLVED, Status.CLOSED):
        return False
    return ticket.solved_at is None or ticket.solved_at < reopen_horizon()


def _of_customer(customer: Customer, thread: Thread) -> Match:
    """The customer's open ticket, on whichever channel; of several the one on this line, else the latest active."""
    # Those merged into the customer too: their open tickets are this person's.
    mine = Ticket.objects.filter(customer__in=people.family(customer.pk), merged_into__isnull=True)
    on_this_line = Exists(Message.objects.filter(ticket=OuterRef("pk"), thread=thread))
    found = mine.filter(status__in=ACTIVE).annotate(here=on_this_line).order_by("-here", "-last_message_at", "-pk")
    ticket = _locked(found)
    if ticket is not None:
        return Match(ticket=ticket, evidence={"by": "open_ticket"})
    solved = mine.filter(status=Status.SOLVED, solved_at__gte=reopen_horizon()).order_by("-solved_at")
    ticket = _locked(solved)
    if ticket is not None:
        return Match(ticket=ticket, reopen=True, evidence={"by": "lately_solved"})
    return Match(evidence={"by": "first_message"})


def _locked(found: QuerySet[Ticket]) -> Ticket | None:
    """The first of them, its row locked: found and locked in one statement."""
    return found.select_for_update(of=("self",)).first()
