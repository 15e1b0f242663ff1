"""Which status may follow which, pure."""

from tickets.enums import Status

# Solved and closed tickets come back through a customer's message or a person's decision.
_NEXT: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.PENDING, Status.ON_HOLD, Status.SOLVED, Status.CLOSED, Status.SPAM}),
    Status.PENDING: frozenset({Status.OPEN, Status.ON_HOLD, Status.SOLVED, Status.CLOSED, Status.SPAM}),
    Status.ON_HOLD: frozenset({Status.OPEN, Status.PENDING, Status.SOLVED, Status.CLOSED, Status.SPAM}),
    Status.SOLVED: frozenset({Status.OPEN, Status.PENDING, Status.ON_HOLD, Status.CLOSED, Status.SPAM}),
    Status.CLOSED: frozenset({Status.OPEN, Status.SPAM}),
    Status.SPAM: frozenset({Status.OPEN, Status.CLOSED}),
}


def may_follow(before: str, after: str) -> bool:
    """Whether a person may take a ticket from one status to the other. Staying is always allowed."""
    return before == after or Status(after) in _NEXT[Status(before)]


def after_customer_message(status: str) -> str:
    """Where a customer's message takes a ticket: back to work, except spam, which stays spam."""
    return status if status == Status.SPAM else Status.OPEN
