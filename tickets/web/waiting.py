"""How long is left to answer, as rows and heads show it: words, a bar, and what live.js counts down from."""

from dataclasses import dataclass
from datetime import datetime

from tickets.models import Ticket
from tickets.web import words


@dataclass(slots=True)
class Wait:
    """`state` is ok, warned or breached, or empty when nobody waits. Times are Unix seconds."""

    state: str = ""
    due: int = 0
    since: int = 0
    left: str = ""
    bar: int = 0
    bar_max: int = 1


def wait_of(ticket: Ticket, at: datetime) -> Wait:
    """What a ticket shows of its most urgent running clock at this moment."""
    if ticket.next_due_at is None:
        return Wait()
    due = ticket.next_due_at.timestamp()
    since = ticket.waiting_since.timestamp() if ticket.waiting_since else due - 300
    left = due - at.timestamp()
    total = max(1, round(due - since))
    state = "breached" if left < 0 else "warned" if ticket.sla_state == "warned" else "ok"
    bar = total if left < 0 else min(total, round(left))
    return Wait(state=state, due=round(due), since=round(since), left=words.time_left(left), bar=bar, bar_max=total)
