"""Clock decisions, pure: values in, values out. Times are aware datetimes, targets whole seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Plan:
    """When a clock warns and when it is late."""

    warn_at: datetime
    due_at: datetime


def plan(started_at: datetime, target_seconds: int, warn_before_seconds: int) -> Plan:
    """The moments of a clock that starts now; the warning never comes before the start."""
    due_at = started_at + timedelta(seconds=target_seconds)
    return Plan(warn_at=max(started_at, due_at - timedelta(seconds=warn_before_seconds)), due_at=due_at)


def is_late(due_at: datetime, at: datetime) -> bool:
    """Whether an answer at this moment comes too late. On the second itself is in time."""
    return at > due_at


def next_look(*, warn_at: datetime, due_at: datetime, warned: bool, breached: bool) -> datetime | None:
    """When the clock loop must look again, or None when there is nothing left to fire."""
    if not warned:
        return warn_at
    return None if breached else due_at


def due_steps(*, warn_at: datetime, due_at: datetime, warned: bool, breached: bool, at: datetime) -> tuple[bool, bool]:
    """(warn now, breach now) for a running clock. A clock found late for the first time does both."""
    return (not warned and at >= warn_at, not breached and at > due_at)
