"""Two customers are one person: an edge between their rows that can be taken back."""

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, NotFound
from helpdesk.core.recorder import record
from tickets.customers.queries import customer_for, family, survivor
from tickets.events import CustomerMergedAway, CustomerParted, CustomersMerged, CustomersUnmerged
from tickets.models import Customer, MergeSuggestion


def merge(
    *, survivor_id: int | str, loser_id: int | str, actor: Actor, evidence: str = "agent", restored: bool = False
) -> Customer:
    """Two customers are one person: the loser points at the survivor. Both rows, and all addresses, stay.

    Neither may be merged into somebody already; restored=True lays an edge back that stood there a moment ago,
    also onto a survivor who has one of their own.
    """
    try:
        ids = sorted({int(survivor_id), int(loser_id)})  # one order, so that two merges cannot deadlock
    except (TypeError, ValueError):
        raise NotFound from None
    with transaction.atomic():
        for customer_id in ids:
            customer_for(actor, customer_id, lock=True)
        kept, lost = customer_for(actor, survivor_id), customer_for(actor, loser_id)
        if survivor(kept).pk == survivor(lost).pk:
            raise Conflict
        if lost.canonical_id is not None or (kept.canonical_id is not None and not restored):
            raise Conflict
        answer(family(kept.pk), family(lost.pk), MergeSuggestion.State.ACCEPTED, actor)
        lost.canonical = kept
        touch(lost, "canonical")
        record(
            CustomersMerged(customer_id=kept.pk, other_id=lost.pk, evidence=evidence),
            CustomerMergedAway(customer_id=lost.pk, other_id=kept.pk),
            actor=actor,
        )
    return kept


def unmerge(*, customer_id: int | str, actor: Actor, by_mistake: bool = False) -> Customer:
    """Take a merge back: the customer stands alone again, with the addresses and messages that were theirs.

    Whoever takes it back says that they are two: nobody is asked about the pair again. by_mistake=True says only
    that the merge was pressed wrongly: what was asked before is asked again.
    """
    with transaction.atomic():
        customer = customer_for(actor, customer_id, lock=True)
        if customer.canonical_id is None:
            raise Conflict
        former = customer.canonical_id
        customer.canonical = None
        touch(customer, "canonical")
        if by_mistake:
            answer(family(former), family(customer.pk), MergeSuggestion.State.OPEN, actor)
        else:
            lower, higher = sorted((former, customer.pk))
            MergeSuggestion.objects.get_or_create(customer_id=lower, other_id=higher, defaults={"reason": "parted"})
            answer([former], [customer.pk], MergeSuggestion.State.DECLINED, actor)
        record(
            CustomersUnmerged(customer_id=former, other_id=customer.pk),
            CustomerParted(customer_id=customer.pk, other_id=former),
            actor=actor,
        )
    return customer


def between(mine: list[int], theirs: list[int]) -> Q:
    """The suggestions that any of these is any of those."""
    return Q(customer__in=mine, other__in=theirs) | Q(customer__in=theirs, other__in=mine)


def answer(mine: list[int], theirs: list[int], state: str, actor: Actor) -> None:
    """What was asked about these pairs has this answer now, in the caller's transaction."""
    asked = MergeSuggestion.objects.filter(between(mine, theirs)).exclude(state=state)
    asked.update(state=state, decided_by_id=actor.id if actor.is_user else None, decided_at=now())


def touch(customer: Customer, *fields: str) -> None:
    """Write a locked customer's fields as its next version."""
    customer.version += 1
    customer.updated_at = now()
    customer.save(update_fields=[*fields, "version", "updated_at"])
