"""The gate: which tickets an actor may see, and the views and look-ups built on it."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.errors import NotFound
from tickets.enums import ACTIVE, Status
from tickets.models import SlaClock, Ticket, TicketLink

MAX_HOPS = 10
COUNT_CAP = 1000  # a count is shown up to this, then as "999+"


def visible(actor: Actor) -> QuerySet[Ticket]:
    """Every ticket the actor may see, merged ones included: own teams' and those without a team; admins all."""
    found = Ticket.objects.all()
    if actor.kind == "customer":
        return found.filter(customer_id=actor.id or 0)
    if actor.is_machine or actor.is_admin:
        return found
    if not actor.is_user:
        return found.none()
    return found.filter(Q(team_id__in=actor.team_ids) | Q(team__isnull=True))


def inbox(actor: Actor) -> QuerySet[Ticket]:
    """What the actor's lists are made of: visible tickets, without those merged away."""
    return visible(actor).filter(merged_into__isnull=True)


def ticket_for(actor: Actor, ticket_id: int | str, *, lock: bool = False) -> Ticket:
    """The ticket if the actor may see it; raises NotFound. With lock=True its row is locked."""
    found = visible(actor)
    if lock:
        found = found.select_for_update(of=("self",), no_key=True)
    try:
        return found.get(pk=int(ticket_id))
    except (Ticket.DoesNotExist, ValueError, TypeError, OverflowError):
        raise NotFound from None


def survivor(ticket: Ticket) -> Ticket:
    """Where this ticket's conversation goes on, following merges."""
    for _ in range(MAX_HOPS):
        if ticket.merged_into_id is None:
            break
        ticket = Ticket.objects.get(pk=ticket.merged_into_id)
    return ticket


def family(ticket_id: int) -> list[int]:
    """The ticket and everything merged into it, directly or not."""
    return Ticket(pk=ticket_id).family()


def locked_survivor(actor: Actor, ticket_id: int | str) -> Ticket:
    """Where this ticket's conversation goes on, locked, if the actor may see both; raises NotFound."""
    for _ in range(MAX_HOPS):
        ticket = ticket_for(actor, survivor(ticket_for(actor, ticket_id)).pk, lock=True)
        if ticket.merged_into_id is None:
            return ticket
    raise NotFound


VIEWS: dict[str, Any] = {
    "mine": lambda actor: Q(assignee_id=actor.id, status__in=ACTIVE, snoozed_until__isnull=True),
    "unassigned": lambda actor: Q(assignee__isnull=True, status__in=ACTIVE, snoozed_until__isnull=True),
    "open": lambda actor: Q(status__in=(Status.OPEN, Status.ON_HOLD), snoozed_until__isnull=True),
    "pending": lambda actor: Q(status=Status.PENDING, snoozed_until__isnull=True),
    "snoozed": lambda actor: Q(snoozed_until__isnull=False, status__in=ACTIVE),
    "solved": lambda actor: Q(status__in=(Status.SOLVED, Status.CLOSED)),
    "spam": lambda actor: Q(status=Status.SPAM),
    "all": lambda actor: ~Q(status=Status.SPAM),
}


def view(actor: Actor, name: str) -> QuerySet[Ticket]:
    """One of the inbox's views; raises NotFound for a name that is none."""
    if name not in VIEWS:
        raise NotFound
    return inbox(actor).filter(VIEWS[name](actor))


def counts(
    actor: Actor, names: tuple[str, ...] = ("mine", "unassigned", "open", "pending", "snoozed")
) -> dict[str, int]:
    """How many tickets each view holds, counted up to COUNT_CAP, in one statement."""
    sql, params = _counting(actor, names)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone()
    return dict(zip(names, row, strict=True))


@lru_cache(maxsize=1024)
def _counting(actor: Actor, names: tuple[str, ...]) -> tuple[str, tuple[Any, ...]]:
    """The statement of an actor's counts: put together once, because that takes five times as long as counting."""
    parts: list[str] = []
    params: list[Any] = []
    for name in names:
        rows = view(actor, name).order_by().values_list("pk", flat=True)[:COUNT_CAP]
        sql, values = rows.query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) counted)")
        params += values
    return "SELECT " + ", ".join(parts), tuple(params)


def longest_waiting_first(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Those who wait before those who do not; the oldest wait first, then the latest word."""
    return tickets.order_by(F("waiting_since").asc(nulls_last=True), "-last_message_at", "-pk")


def links(ticket: Ticket, actor: Actor) -> QuerySet[TicketLink]:
    """Tickets that have to do with this one, as far as the actor may see them."""
    return TicketLink.objects.filter(
        Q(ticket=ticket, other__in=visible(actor)) | Q(other=ticket, ticket__in=visible(actor))
    ).select_related("ticket", "other")


def clocks(ticket: Ticket) -> QuerySet[SlaClock]:
    """The clocks of a ticket, by metric."""
    return SlaClock.objects.filter(ticket=ticket).order_by("pk")


def reopen_horizon() -> Any:
    """Solved after this moment reopens when the customer writes again."""
    return now() - timedelta(days=settings.REOPEN_DAYS)
