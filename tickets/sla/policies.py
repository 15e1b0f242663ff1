"""Starting, meeting and reviving the clocks of a ticket, in the transaction of the action that asks."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.events import Event
from tickets.enums import ClockState, Metric, SlaState
from tickets.events import SlaBreached, SlaMet
from tickets.models import SlaClock, Ticket
from tickets.sla import clocks

REPLY_METRICS = (Metric.FIRST_REPLY, Metric.NEXT_REPLY)


def customer_wrote(ticket: Ticket, at: datetime) -> None:
    """A message that waits for an answer: the first-reply clock when nobody has answered yet, else the next-reply one.

    Sets the ticket's list fields; the caller saves them. A clock that runs already is left alone.
    """
    running = _running(ticket)
    if running is None:
        metric = Metric.NEXT_REPLY if ticket.first_replied_at else Metric.FIRST_REPLY
        running, _ = SlaClock.objects.update_or_create(ticket=ticket, metric=metric, defaults=_planned(at))
    show(ticket, running)


def expect_first(ticket: Ticket, at: datetime) -> None:
    """Set the list fields of a ticket that is about to be written with a first message; start_first follows."""
    ticket.next_due_at, ticket.sla_state = _planned(at)["due_at"], SlaState.OK


def start_first(ticket: Ticket, at: datetime) -> None:
    """The first-reply clock of a ticket that expect_first has prepared."""
    SlaClock.objects.create(ticket=ticket, metric=Metric.FIRST_REPLY, **_planned(at))


def answered(ticket: Ticket, at: datetime, actor: Actor) -> list[Event]:
    """A person's public reply: meets the reply clocks. Returns the events; the caller records them."""
    events: list[Event] = []
    for clock in SlaClock.objects.select_for_update().filter(ticket=ticket, metric__in=REPLY_METRICS):
        if clock.state in (ClockState.RUNNING, ClockState.BREACHED) and clock.met_at is None:
            late = clocks.is_late(clock.due_at, at)
            if late and clock.breached_at is None:  # late is late, even when answered between two looks
                clock.breached_at = clock.due_at
                events.append(SlaBreached(ticket_id=ticket.pk, clock_id=clock.pk, metric=clock.metric))
            clock.state = ClockState.BREACHED if late else ClockState.MET
            clock.met_at, clock.look_at = at, None
            clock.save(update_fields=["state", "met_at", "look_at", "breached_at"])
            events.append(SlaMet(ticket_id=ticket.pk, clock_id=clock.pk, metric=clock.metric, late=late))
    show(ticket, None)
    return events


def answer_failed(ticket: Ticket, answered_at: datetime) -> None:
    """The reply never arrived: clocks it had met run on as if never stopped. The caller saves the ticket."""
    running = None
    for clock in SlaClock.objects.select_for_update().filter(ticket=ticket, met_at=answered_at):
        clock.met_at = None
        clock.state = ClockState.RUNNING
        clock.look_at = clocks.next_look(
            warn_at=clock.warn_at,
            due_at=clock.due_at,
            warned=clock.warned_at is not None,
            breached=clock.breached_at is not None,
        )
        clock.save(update_fields=["state", "met_at", "look_at"])
        running = clock
    if running:
        show(ticket, running)


def stop(ticket: Ticket) -> None:
    """Nobody waits any more (spam, merged away): reply clocks stop without being met. The caller saves the ticket."""
    SlaClock.objects.filter(ticket=ticket, met_at__isnull=True).update(state=ClockState.PAUSED, look_at=None)
    show(ticket, None)


def resume(ticket: Ticket) -> None:
    """The stop is taken back: stopped clocks run on as if never stopped. The caller saves the ticket."""
    running = None
    for clock in SlaClock.objects.select_for_update().filter(ticket=ticket, state=ClockState.PAUSED):
        clock.state = ClockState.RUNNING
        clock.look_at = clocks.next_look(
            warn_at=clock.warn_at,
            due_at=clock.due_at,
            warned=clock.warned_at is not None,
            breached=clock.breached_at is not None,
        )
        clock.save(update_fields=["state", "look_at"])
        running = clock
    show(ticket, running)


def show(ticket: Ticket, clock: SlaClock | None) -> None:
    """Copy what the list shows of the most urgent clock onto the ticket."""
    ticket.next_due_at = clock.due_at if clock else None
    if clock is None:
        ticket.sla_state = SlaState.NONE
    elif clock.breached_at:
        ticket.sla_state = SlaState.BREACHED
    else:
        ticket.sla_state = SlaState.WARNED if clock.warned_at else SlaState.OK


def _running(ticket: Ticket) -> SlaClock | None:
    found = SlaClock.objects.filter(ticket=ticket, metric__in=REPLY_METRICS, met_at__isnull=True)
    return found.exclude(state=ClockState.PAUSED).order_by("due_at").first()


def _planned(at: datetime) -> dict[str, Any]:
    """The fields of a reply clock that starts at this moment."""
    at = min(at, now())
    target = settings.FIRST_REPLY_SECONDS
    planned = clocks.plan(at, target, settings.FIRST_REPLY_WARN_SECONDS)
    return {
        "state": ClockState.RUNNING,
        "target_seconds": target,
        "started_at": at,
        "warn_at": planned.warn_at,
        "due_at": planned.due_at,
        "look_at": planned.warn_at,
        "warned_at": None,
        "breached_at": None,
        "met_at": None,
    }
