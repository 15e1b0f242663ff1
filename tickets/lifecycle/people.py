"""Two customers become one person and part again, each with what they said; screens that show them are told."""

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict
from helpdesk.core.events import Poke
from helpdesk.core.recorder import record
from tickets.customers import claims, merging, suggestions
from tickets.customers.queries import customer_for, family, survivor
from tickets.enums import ACTIVE, Direction
from tickets.events import TicketSplit
from tickets.lifecycle import joining
from tickets.lifecycle.queries import survivor as survivor_of
from tickets.models import Customer, Identity, Message, Ticket, UndoStep
from tickets.pokes import poke

MOST_SHOWN = 50  # tickets of one person whose screens are told


def join(*, survivor_id: int | str, loser_id: int | str, actor: Actor) -> Customer:
    """Somebody at the desk says that two customers are one person. The survivor keeps the name."""
    with transaction.atomic():
        kept = merging.merge(survivor_id=survivor_id, loser_id=loser_id, actor=actor)
        record(actor=actor, pokes=_told([kept.pk]))
    return kept


def accept(*, customer_id: int | str, suggestion_id: int | str, actor: Actor) -> Customer:
    """As suggested, they are one person: the customer named survives."""
    with transaction.atomic():
        kept = suggestions.accept(customer_id=customer_id, suggestion_id=suggestion_id, actor=actor)
        record(actor=actor, pokes=_told([kept.pk]))
    return kept


def part(*, customer_id: int | str, actor: Actor, by_mistake: bool = False) -> Customer:
    """Take a merge back: the customer stands alone again.

    Addresses and words are whose they were, also those of the time between: what one of the two said on a ticket of
    the other, and what we answered them there, becomes a ticket of their own. by_mistake: see merging.unmerge.
    """
    with transaction.atomic():
        former = customer_for(actor, customer_id).canonical_id
        lost = merging.unmerge(customer_id=customer_id, actor=actor, by_mistake=by_mistake)
        assert former is not None
        root = survivor(Customer.objects.get(pk=former)).pk
        theirs, others = family(lost.pk), family(root)
        _give_back(theirs, others, lost, actor)
        _give_back(others, theirs, lost, actor)
        record(actor=actor, pokes=_told([lost.pk, root]))
    return lost


def join_again(*, customer_id: int | str, former_id: int | str, actor: Actor) -> Customer:
    """A merge was taken back by mistake: both are one again, and the tickets that were parted for it too.

    A ticket that has changed since stays parted.
    """
    with transaction.atomic():
        kept = merging.merge(survivor_id=former_id, loser_id=customer_id, actor=actor, restored=True)
        root = survivor(kept).pk
        steps = UndoStep.objects.filter(
            Q(user_id=actor.user_id) if actor.is_user else Q(user__isnull=True),
            ticket__customer__in=family(root),
            verb="split",
        )
        for step in steps.filter(after__parted=int(customer_id), undone_at__isnull=True).order_by("-pk"):
            _undo(step, actor)
        record(actor=actor, pokes=_told([root]))
    return kept


def confirm_code(*, customer_id: int | str, kind: str, value: str, code: str, actor: Actor) -> Customer:
    """The code that was sent to an address came back by the customer's word: claims.confirm, and screens are told."""
    customer = claims.confirm(customer_id=customer_id, kind=kind, value=value, code=code, actor=actor)
    with transaction.atomic():
        record(actor=actor, pokes=_told([customer.pk]))
    return customer


def _undo(step: UndoStep, actor: Actor) -> None:
    other_id = step.after["ticket"]
    both = Ticket.objects.select_for_update(no_key=True).filter(pk__in=(step.ticket_id, other_id)).order_by("pk")
    locked = {ticket.pk: ticket for ticket in both}
    try:
        with transaction.atomic():
            joining.rejoin(locked[step.ticket_id], locked[other_id], step, actor)
    except Conflict:
        return
    step.undone_at = now()
    step.save(update_fields=["undone_at"])


def _give_back(people: list[int], others: list[int], parted: Customer, actor: Actor) -> None:
    """What these people said on tickets of the others goes to tickets of their own."""
    said = Message.objects.filter(ticket__customer__in=others, customer__in=people, direction=Direction.IN)
    roots = {survivor_of(ticket) for ticket in Ticket.objects.filter(pk__in=said.values("ticket"))}
    ids = [root.pk for root in roots if root.customer_id in others]
    own = set(Identity.objects.filter(customer__in=people).values_list("value", flat=True))
    for ticket in Ticket.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"):
        on_it = Message.objects.filter(ticket__in=ticket.family())
        spoken = on_it.filter(customer__in=people, direction=Direction.IN)
        lines = set(spoken.filter(thread__isnull=False).values_list("thread_id", flat=True))
        chosen = list(spoken.select_related("customer"))
        chosen += on_it.filter(direction=Direction.OUT, thread__in=lines)
        chosen.sort(key=lambda message: (message.occurred_at, message.pk))
        fresh = joining.beside(ticket, chosen)
        seen = dict.fromkeys(name for one in chosen for name in (one.sender_address, *one.recipients) if name)
        before = {"messages": joining.move_all(chosen, ticket, fresh), "participants": ticket.participants}
        fresh.participants = [name for name in seen if name in ticket.participants]
        ticket.participants = [name for name in ticket.participants if name not in own]
        Ticket.objects.filter(pk=fresh.pk).update(participants=fresh.participants)
        Ticket.objects.filter(pk=ticket.pk).update(participants=ticket.participants)
        joining.remember(ticket, actor, "split", before, {"ticket": fresh.pk, "parted": parted.pk})
        split = TicketSplit(ticket_id=ticket.pk, other_id=fresh.pk)
        record(split, actor=actor, pokes=[poke(ticket), poke(fresh)])


def _told(roots: list[int]) -> list[Poke]:
    """A new version for the open tickets of these people, for the screens that show them."""
    people = [one for root in roots for one in family(root)]
    mine = Ticket.objects.filter(customer__in=people, status__in=ACTIVE, merged_into__isnull=True)
    latest = list(mine.order_by("-last_message_at").values_list("pk", flat=True)[:MOST_SHOWN])
    tickets = list(Ticket.objects.select_for_update(no_key=True).filter(pk__in=latest).order_by("pk"))
    for ticket in tickets:
        ticket.version += 1
        ticket.save(update_fields=["version"])
    return [poke(ticket) for ticket in tickets]
