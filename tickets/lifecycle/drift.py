"""Whether what tickets and clocks say still follows from their records: recomputed, compared, reported."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tickets.enums import ClockState, DeliveryState
from tickets.lifecycle import standing
from tickets.models import Message, SlaClock, Ticket
from tickets.sla import clocks, policies

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Drift:
    """One field that does not follow from its records."""

    ticket_id: int
    field: str
    kept: Any
    found: Any

    def __str__(self) -> str:
        return f"ticket {self.ticket_id}: {self.field} is {self.kept!r}, its records say {self.found!r}"


def everywhere() -> Iterator[Drift]:
    """Every ticket, in the order of ids. Reads only; run it on a quiet desk, or look twice at what it finds."""
    for ticket in Ticket.objects.order_by("pk").iterator(chunk_size=CHUNK):
        yield from of(ticket)


def of(ticket: Ticket) -> Iterator[Drift]:
    """What does not add up on one ticket: its list fields, what the list shows of its clocks, each clock itself.

    The list fields of a ticket that was merged away stand in no list; they are made anew when it comes back.
    """
    found = asdict(standing.of(ticket)) if ticket.merged_into_id is None else {}
    for name in found:
        if getattr(ticket, name) != found[name]:
            yield Drift(ticket.pk, name, getattr(ticket, name), found[name])
    yield from _shown(ticket)
    for clock in SlaClock.objects.filter(ticket=ticket).order_by("pk"):
        yield from _clock(clock)


def _shown(ticket: Ticket) -> Iterator[Drift]:
    """The most urgent clock that runs is the one the list shows; it runs where somebody waits, and only there."""
    urgent = None if ticket.merged_into_id else policies.most_urgent(ticket)
    mirror = Ticket()
    policies.show(mirror, urgent)
    for name in ("next_due_at", "sla_state"):
        if getattr(ticket, name) != getattr(mirror, name):
            yield Drift(ticket.pk, name, getattr(ticket, name), getattr(mirror, name))
    if ticket.merged_into_id is None and (urgent is None) != (ticket.waiting_since is None):
        kept = "running" if urgent else "none"
        yield Drift(ticket.pk, "clock", kept, "running" if ticket.waiting_since else "none")


def _clock(clock: SlaClock) -> Iterator[Drift]:
    expected = _expected(clock)
    for name, value in expected.items():
        if getattr(clock, name) != value:
            yield Drift(clock.ticket_id, f"{clock.metric}.{name}", getattr(clock, name), value)


def _expected(clock: SlaClock) -> dict[str, Any]:
    """The state and the next look of a clock, from its moments and from the answer that met it."""
    if clock.met_at is not None:
        # A clock of before answers were noted on it stands as it is.
        arrived = clock.met_by is None or (
            Message.objects.filter(pk=clock.met_by)
            .exclude(delivery_state__in=(DeliveryState.FAILED, DeliveryState.TAKEN_BACK))
            .exists()
        )
        state = ClockState.BREACHED if clock.breached_at else ClockState.MET
        return {"state": state, "look_at": None} if arrived else {"met_at": None}
    if clock.state == ClockState.PAUSED:
        return {"look_at": None}
    look_at = clocks.next_look(
        warn_at=clock.warn_at,
        due_at=clock.due_at,
        warned=clock.warned_at is not None,
        breached=clock.breached_at is not None,
    )
    return {"state": ClockState.BREACHED if clock.breached_at else ClockState.RUNNING, "look_at": look_at}
