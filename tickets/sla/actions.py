"""Warnings and breaches: recorded the moment they are due, exactly once."""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from tickets.enums import ClockState
from tickets.events import SlaBreached, SlaWarned
from tickets.models import SlaClock, Ticket
from tickets.pokes import poke
from tickets.sla import clocks, policies

BATCH = 200


def due() -> datetime | None:
    """Clock finder: fires what is due and says when to look again (None: nothing is planned).

    Any number of loops may run: rows are claimed with SKIP LOCKED and each threshold is a
    column that is set once.
    """
    while fire_due() == BATCH:
        pass
    return SlaClock.objects.filter(look_at__isnull=False).order_by("look_at").values_list("look_at", flat=True).first()


def fire_due() -> int:
    """Warn and breach what is due now, up to a batch, in one transaction. How many clocks were looked at."""
    with transaction.atomic():
        at = now()
        waiting = SlaClock.objects.filter(look_at__lte=at).order_by("look_at").values_list("pk", "ticket_id")[:BATCH]
        shown_on = _survivors({ticket_id for _pk, ticket_id in waiting})
        # Tickets before clocks, like everybody; what somebody holds is looked at again in a moment.
        tickets = {
            ticket.pk: ticket
            for ticket in Ticket.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk__in=set(shown_on.values()), merged_into__isnull=True)
            .order_by("pk")
        }
        free = [pk for pk, ticket_id in waiting if shown_on[ticket_id] in tickets]
        found = list(
            SlaClock.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk__in=free, look_at__lte=at)
            .order_by("look_at")
        )
        for clock in found:
            _fire(clock, tickets[shown_on[clock.ticket_id]], at)
    return len(found)


def _survivors(ticket_ids: set[int]) -> dict[int, int]:
    """For each ticket the one its conversation goes on in."""
    shown_on = {ticket_id: ticket_id for ticket_id in ticket_ids}
    moved: dict[int, int | None] = dict.fromkeys(ticket_ids)
    while moved:
        moved = dict(
            Ticket.objects.filter(pk__in=set(shown_on.values()), merged_into__isnull=False).values_list(
                "pk", "merged_into"
            )
        )
        shown_on = {first: moved.get(last) or last for first, last in shown_on.items()}
    return shown_on


def _fire(clock: SlaClock, ticket: Ticket, at: datetime) -> None:
    warn, breach = clocks.due_steps(
        warn_at=clock.warn_at,
        due_at=clock.due_at,
        warned=clock.warned_at is not None,
        breached=clock.breached_at is not None,
        at=at,
    )
    events: list[Event] = []
    if warn:
        clock.warned_at = at
        events.append(SlaWarned(ticket_id=ticket.pk, clock_id=clock.pk, metric=clock.metric))
    if breach:
        clock.breached_at = at
        clock.state = ClockState.BREACHED
        events.append(SlaBreached(ticket_id=ticket.pk, clock_id=clock.pk, metric=clock.metric))
    clock.look_at = clocks.next_look(
        warn_at=clock.warn_at,
        due_at=clock.due_at,
        warned=clock.warned_at is not None,
        breached=clock.breached_at is not None,
    )
    clock.save(update_fields=["warned_at", "breached_at", "state", "look_at"])
    if not events:
        return
    if ticket.next_due_at == clock.due_at:
        policies.show(ticket, clock)
        # A new version for the screens; the conversation has not moved.
        ticket.version += 1
        Ticket.objects.filter(pk=ticket.pk).update(sla_state=ticket.sla_state, version=ticket.version)
    record(*events, actor=Actor.system(), pokes=[poke(ticket)])
