"""Starting, meeting and reviving the clocks of a ticket, in the transaction of the action that asks.

Every function wants the ticket locked, sets its list fields and leaves saving them to the caller. The clocks of
tickets that were merged into it are its own too: an answer meets them all.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.timezone import now

from helpdesk.core.events import Event
from tickets.enums import SPOKEN, ClockState, DeliveryState, Direction, Kind, Metric, SlaState, Visibility
from tickets.events import SlaBreached, SlaMet
from tickets.models import Message, SlaClock, Ticket
from tickets.sla import clocks

# What answers a customer: a person's public words, and having been spoken with. Failed ones are left out by who asks.
ANSWERS = Q(
    direction=Direction.OUT, visibility=Visibility.PUBLIC, kind__in=(Kind.MESSAGE, Kind.COMMENT), auto=False
) | Q(kind=Kind.CALL, details__call__outcome__in=SPOKEN)
REPLY_METRICS = (Metric.FIRST_REPLY, Metric.NEXT_REPLY)


def customer_wrote(ticket: Ticket, at: datetime) -> None:
    """A message that waits for an answer: the first-reply clock until somebody answers, then the next-reply one.

    A clock that runs already is left alone.
    """
    show(ticket, _most_urgent(_unmet(ticket)) or _start(ticket, min(at, now())))


def first_clock(ticket: Ticket, at: datetime) -> SlaClock:
    """The clock of a ticket that is about to be written with a first message; the caller inserts it after that."""
    clock = SlaClock(metric=Metric.FIRST_REPLY, **_fresh(min(at, now())))
    show(ticket, clock)
    return clock


def answered(ticket: Ticket, message: Message, at: datetime) -> list[Event]:
    """A person's public reply meets every reply clock. Returns the events; the caller records them."""
    events: list[Event] = []
    for clock in _unmet(ticket):
        events += _meet(clock, message.pk, at)
    show(ticket, None)
    return events


def answer_failed(ticket: Ticket, message_id: int) -> None:
    """A reply never arrived: what it had met is met by the next one that did, else runs on as if never stopped.

    Follow with `follow`, once it is known again since when the customer waits.
    """
    people = ticket.family()
    for clock in SlaClock.objects.filter(ticket__in=people, met_by=message_id):
        clock.met_at = clock.met_by = None
        other = (
            Message.objects.filter(ANSWERS, ticket__in=people, occurred_at__gte=clock.started_at)
            .exclude(delivery_state__in=(DeliveryState.FAILED, DeliveryState.TAKEN_BACK))
            .order_by("occurred_at", "pk")
            .first()
        )
        if other is not None:
            _meet(clock, other.pk, other.occurred_at)
        else:
            _run_on(clock)


def follow(ticket: Ticket) -> None:
    """Clocks follow the wait: where the customer waits one runs, since then; where nobody waits all rest.

    Call it whenever `waiting_since` was worked out anew: after solving, merging, moving, undoing, failing.
    """
    _forget_what_left(ticket)
    unmet = list(_unmet(ticket))
    since = ticket.waiting_since
    if since is None:
        for clock in unmet:
            clock.state, clock.look_at = ClockState.PAUSED, None
            clock.save(update_fields=["state", "look_at"])
        show(ticket, None)
        return
    for clock in unmet:
        if clock.state == ClockState.PAUSED and clock.started_at >= since:
            _run_on(clock)
        elif clock.state != ClockState.PAUSED and clock.started_at < since:
            _run_since(clock, since)  # what it began with was moved elsewhere: nobody waits that long here
    running = _most_urgent(unmet)
    if running is None:
        running = _start(ticket, since)
    elif running.started_at > since:
        _run_since(running, since)
    show(ticket, running)


def most_urgent(ticket: Ticket) -> SlaClock | None:
    """The reply clock that runs and is due first."""
    return _most_urgent(_unmet(ticket))


def show(ticket: Ticket, clock: SlaClock | None) -> None:
    """Copy what the list shows of the most urgent clock onto the ticket."""
    ticket.next_due_at = clock.due_at if clock else None
    if clock is None:
        ticket.sla_state = SlaState.NONE
    elif clock.breached_at:
        ticket.sla_state = SlaState.BREACHED
    else:
        ticket.sla_state = SlaState.WARNED if clock.warned_at else SlaState.OK


def _unmet(ticket: Ticket) -> Iterable[SlaClock]:
    return SlaClock.objects.filter(ticket__in=ticket.family(), metric__in=REPLY_METRICS, met_at__isnull=True)


def _forget_what_left(ticket: Ticket) -> None:
    """A reply that was moved elsewhere, or belonged to a ticket that is no longer merged, has met nothing here."""
    people = ticket.family()
    met_by = SlaClock.objects.filter(ticket__in=people, met_by__isnull=False).values_list("met_by", flat=True)
    elsewhere = Message.objects.filter(pk__in=list(met_by)).exclude(ticket__in=people)
    for message_id in elsewhere.values_list("pk", flat=True):
        answer_failed(ticket, message_id)


def _most_urgent(unmet: Iterable[SlaClock]) -> SlaClock | None:
    ticking = [clock for clock in unmet if clock.state != ClockState.PAUSED]
    return min(ticking, key=lambda clock: (clock.due_at, clock.pk), default=None)


def _meet(clock: SlaClock, message_id: int, at: datetime) -> list[Event]:
    """Late is late, even when answered between two looks. A clock that rests is met in time: nobody waited."""
    events: list[Event] = []
    rests = clock.state == ClockState.PAUSED
    late = clock.breached_at is not None or (not rests and clocks.is_late(clock.due_at, at))
    if late and clock.breached_at is None:
        clock.breached_at = clock.due_at
        events.append(SlaBreached(ticket_id=clock.ticket_id, clock_id=clock.pk, metric=clock.metric))
    clock.state = ClockState.BREACHED if late else ClockState.MET
    clock.met_at, clock.met_by, clock.look_at = at, message_id, None
    clock.save(update_fields=["state", "met_at", "met_by", "look_at", "breached_at"])
    events.append(SlaMet(ticket_id=clock.ticket_id, clock_id=clock.pk, metric=clock.metric, late=late))
    return events


def _run_since(clock: SlaClock, since: datetime) -> None:
    for name, value in _planned(since, clock.target_seconds).items():
        setattr(clock, name, value)
    _run_on(clock)


def _run_on(clock: SlaClock) -> None:
    clock.state = ClockState.BREACHED if clock.breached_at else ClockState.RUNNING
    clock.look_at = clocks.next_look(
        warn_at=clock.warn_at,
        due_at=clock.due_at,
        warned=clock.warned_at is not None,
        breached=clock.breached_at is not None,
    )
    clock.save()


def _start(ticket: Ticket, at: datetime) -> SlaClock:
    metric = Metric.NEXT_REPLY if ticket.first_replied_at else Metric.FIRST_REPLY
    clock, _ = SlaClock.objects.update_or_create(ticket=ticket, metric=metric, defaults=_fresh(at))
    return clock


def _fresh(at: datetime) -> dict[str, Any]:
    planned = _planned(at, settings.FIRST_REPLY_SECONDS)
    return planned | {
        "state": ClockState.RUNNING,
        "target_seconds": settings.FIRST_REPLY_SECONDS,
        "look_at": planned["warn_at"],
        "warned_at": None,
        "breached_at": None,
        "met_at": None,
        "met_by": None,
    }


def _planned(at: datetime, target_seconds: int) -> dict[str, Any]:
    plan = clocks.plan(at, target_seconds, settings.FIRST_REPLY_WARN_SECONDS)
    return {"started_at": at, "warn_at": plan.warn_at, "due_at": plan.due_at}
