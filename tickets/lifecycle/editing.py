"""Several changes of one ticket as one act: all of them or none."""

from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from helpdesk.core.actor import Actor
from helpdesk.core.errors import StaleVersion
from tickets.lifecycle import actions
from tickets.lifecycle.queries import ticket_for
from tickets.models import Ticket


class Changes(TypedDict, total=False):
    """What may be changed at once; what is left out stays."""

    subject: str
    priority: str
    tags: list[str]  # the whole list
    status: str
    snoozed_until: datetime | None
    assignee: str | None
    team: str | None


def edit(
    *, ticket_id: int | str, actor: Actor, expected_version: int | None = None, **changes: Unpack[Changes]
) -> Ticket:
    """The ticket with all the changes. With expected_version, StaleVersion when it has changed since.

    The team comes last, since it may take the ticket out of the actor's sight; an assignee named with it is one
    who can see the ticket there.
    """
    with transaction.atomic():
        ticket = ticket_for(actor, ticket_id, lock=True)
        if expected_version is not None and ticket.version != expected_version:
            raise StaleVersion(fields={"version": ticket.version, "expected_version": expected_version})
        act: dict[str, Any] = {"ticket_id": ticket_id, "actor": actor}
        if "subject" in changes:
            ticket = actions.set_subject(subject=changes["subject"], **act)
        if "priority" in changes:
            ticket = actions.set_priority(priority=changes["priority"], **act)
        if "tags" in changes:
            gone = tuple(word for word in ticket.tags if word not in changes["tags"])
            ticket = actions.tag(add=tuple(changes["tags"]), remove=gone, **act)
        if "status" in changes:
            ticket = actions.set_status(status=changes["status"], **act)
        if "snoozed_until" in changes:
            ticket = actions.snooze(until=changes["snoozed_until"], **act)
        holder = changes.get("assignee")
        if "assignee" in changes and not (holder and "team" in changes):
            ticket = actions.assign(assignee_id=holder, **act)
        if "team" in changes:
            ticket = actions.set_team(team_id=changes["team"], assignee_id=holder, **act)
    return ticket
