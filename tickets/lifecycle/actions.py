"""What can be done to a ticket: lock, check, change, record."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _

from helpdesk.accounts.models import Membership, Team, User
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, StaleVersion
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from helpdesk.core.rows import insert
from helpdesk.core.text import storable
from tickets.enums import ACTIVE, Priority, Status
from tickets.events import TicketChanged, TicketOpened, TicketReopened
from tickets.lifecycle import handoffs, standing, states
from tickets.lifecycle.queries import ticket_for
from tickets.models import Customer, SlaClock, Ticket, TicketLink, TicketViewing, UndoStep
from tickets.pokes import poke

MAX_TAGS = 30


def open(  # noqa: A001 - the word of the field
    *,
    customer: Customer,
    subject: str,
    team_id: int | None,
    channel_id: UUID | None,
    channel_kind: str,
    at: datetime,
    status: str = Status.OPEN,
    language: str = "",
    linked_to: Ticket | None = None,
    link_reason: str = "",
    arriving: Callable[[Ticket], list[SlaClock]],
) -> tuple[Ticket, list[Event]]:
    """A new ticket and what the caller records of it, in the caller's transaction, which holds the customer's lock.

    arriving(ticket) shows the first message on it before it is written, so that one INSERT does, and returns
    the clocks that start. The caller records the events together with the message's.
    """
    ticket = Ticket(
        customer_id=customer.own_id,
        customer_name=customer.name,
        subject=subject[:250],
        status=status,
        team_id=team_id,
        channel_id=channel_id,
        channel_kind=channel_kind,
        language=language or customer.language,
        last_message_at=at,
    )
    started = arriving(ticket)
    insert(ticket)
    for clock in started:
        clock.ticket = ticket
    insert(*started)
    if linked_to is not None:
        TicketLink.objects.create(ticket=ticket, other=linked_to, reason=link_reason)
    return ticket, [TicketOpened(ticket_id=ticket.pk, channel_kind=channel_kind)]


def reopen(*, ticket: Ticket, actor: Actor) -> None:
    """A solved ticket is work again, in the caller's transaction; the caller holds its lock and saves it."""
    ticket.status = Status.OPEN
    ticket.solved_at = None
    ticket.reopened_count += 1
    record(TicketReopened(ticket_id=ticket.pk), actor=actor)


def assign(*, ticket_id: int | str, assignee_id: int | str | None, actor: Actor, version: int | None = None) -> Ticket:
    """Give a ticket to somebody who may see it, or to nobody (None)."""
    with transaction.atomic():
        ticket = _locked(ticket_id, actor, version)
        if assignee_id is not None and not _may_hold(ticket, assignee_id):
            raise Invalid(fields={"assignee": "cannot_see_this_ticket"})
        return _change(ticket, actor, "assign", assignee_id=None if assignee_id is None else int(assignee_id))


def set_team(
    *,
    ticket_id: int | str,
    team_id: int | str | None,
    actor: Actor,
    version: int | None = None,
    assignee_id: int | str | None = None,
) -> Ticket:
    """Move a ticket to a team's queue, handing it to somebody there where one is named.

    Without a name, an assignee who cannot see it there loses it.
    """
    with transaction.atomic():
        ticket = _locked(ticket_id, actor, version)
        team = _team(team_id)
        changes: dict[str, Any] = {"team_id": team.pk if team else None}
        was = ticket.team_id
        ticket.team_id = changes["team_id"]
        if assignee_id is not None:
            if not _may_hold(ticket, assignee_id):
                raise Invalid(fields={"assignee": "cannot_see_this_ticket"})
            changes["assignee_id"] = int(assignee_id)
        elif ticket.assignee_id is not None and not _may_hold(ticket, ticket.assignee_id):
            changes["assignee_id"] = None
        ticket.team_id = was
        return _change(ticket, actor, "team", **changes)


def set_status(*, ticket_id: int | str, status: str, actor: Actor, version: int | None = None) -> Ticket:
    """Take a ticket to another status; refused where the one cannot follow the other."""
    if status not in Status.values:
        raise Invalid(fields={"status": "unknown"})
    with transaction.atomic():
        ticket = _locked(ticket_id, actor, version)
        if not states.may_follow(ticket.status, status):
            raise Conflict(fields={"status": ticket.status})
        return _change(ticket, actor, "status", **status_fields(ticket, status))


def status_fields(ticket: Ticket, status: str) -> dict[str, Any]:
    """What goes with a status: when it was solved, what that settles, and that nobody is reminded of it any more."""
    if ticket.status == status:
        return {}
    fields: dict[str, Any] = {"status": status}
    if status in ACTIVE:
        if not ticket.is_active:
            fields |= {"solved_at": None, "settled_at": None, "reopened_count": ticket.reopened_count + 1}
        return fields
    fields["snoozed_until"] = None
    if status != Status.SPAM:
        fields |= {"solved_at": ticket.solved_at or now(), "settled_at": now(), "unread": False}
    return fields


def set_priority(*, ticket_id: int | str, priority: str, actor: Actor, version: int | None = None) -> Ticket:
    """How urgent it is: low, normal, high, urgent."""
    try:
        value = Priority.of(priority)
    except (KeyError, AttributeError):
        raise Invalid(fields={"priority": "unknown"}) from None
    with transaction.atomic():
        return _change(_locked(ticket_id, actor, version), actor, "priority", priority=int(value))


def set_subject(*, ticket_id: int | str, subject: str, actor: Actor, version: int | None = None) -> Ticket:
    """Name what it is about."""
    with transaction.atomic():
        return _change(_locked(ticket_id, actor, version), actor, "subject", subject=storable(subject).strip()[:250])


def snooze(*, ticket_id: int | str, until: datetime | None, actor: Actor, version: int | None = None) -> Ticket:
    """Put a ticket aside until a moment; None brings it back now. The clocks go on."""
    if until is not None and until <= now():
        raise Invalid(fields={"snoozed_until": "in_the_past"})
    with transaction.atomic():
        ticket = _locked(ticket_id, actor, version)
        if until is not None and not ticket.is_active:
            raise Conflict(fields={"status": ticket.status})
        ticket.snoozed_by_id = actor.id if until and actor.is_user else None
        return _change(ticket, actor, "snooze", snoozed_until=until)


def tag(
    *,
    ticket_id: int | str,
    add: tuple[str, ...] = (),
    remove: tuple[str, ...] = (),
    actor: Actor,
    version: int | None = None,
) -> Ticket:
    """Add and remove tags; a tag is a short word in lower case."""
    with transaction.atomic():
        ticket = _locked(ticket_id, actor, version)
        tags = [word for word in ticket.tags if word not in {_tag(word) for word in remove}]
        tags += [word for word in dict.fromkeys(_tag(word) for word in add) if word and word not in tags]
        if len(tags) > MAX_TAGS:
            raise Invalid(fields={"tags": "too_many"})
        return _change(ticket, actor, "tag", tags=tags)


def mark_read(*, ticket_id: int | str, actor: Actor) -> None:
    """Somebody has looked at it. Not a change: the version stays."""
    ticket = ticket_for(actor, ticket_id)
    if ticket.unread:
        Ticket.objects.filter(pk=ticket.pk).update(unread=False)


def viewed(*, ticket_id: int | str, actor: Actor, is_open: bool) -> None:
    """A ticket was opened on, or left, an agent's screen: handling time is reckoned from these."""
    ticket = ticket_for(actor, ticket_id)
    open_now = TicketViewing.objects.filter(user_id=actor.user_id, left_at__isnull=True)
    with transaction.atomic():
        open_now.filter(~Q(ticket=ticket) if is_open else Q(ticket=ticket)).update(left_at=now())
        if is_open and not open_now.filter(ticket=ticket).exists():
            TicketViewing.objects.create(ticket=ticket, user_id=actor.user_id)


def wake_snoozed() -> datetime | None:
    """Clock finder: brings back tickets whose time has come; returns when the next one is due."""
    system = Actor.system()
    with transaction.atomic():
        due = Ticket.objects.select_for_update(skip_locked=True, of=("self",), no_key=True).filter(
            snoozed_until__lte=now()
        )[:100]
        for ticket in due:
            _change(ticket, system, "", snoozed_until=None)
    waiting = Ticket.objects.filter(snoozed_until__isnull=False).order_by("snoozed_until")
    return waiting.values_list("snoozed_until", flat=True).first()


def save(ticket: Ticket, *fields: str, talked: bool = False) -> None:
    """Write a locked ticket's fields as its next version.

    talked: the conversation itself has moved, so an answer written before this is refused until its
    writer has looked. A tick, a tag or a clock is a new version for screens only.
    """
    ticket.version += 1
    ticket.updated_at = now()
    if talked:
        ticket.talked_version = ticket.version
        fields = (*fields, "talked_version")
    ticket.save(update_fields=[*fields, "version", "updated_at"])


def set_fields(ticket: Ticket, fields: dict[str, Any]) -> TicketChanged | None:
    """Set fields of a locked ticket; the event that says so, or None when all were so already. The caller saves."""
    changes = {
        name: [plain(getattr(ticket, name)), plain(value)]
        for name, value in fields.items()
        if getattr(ticket, name) != value
    }
    for name, value in fields.items():
        setattr(ticket, name, value)
    return TicketChanged(ticket_id=ticket.pk, changes=changes) if changes else None


def subject_of(text: str) -> str:
    """What a ticket without a subject is called after its first words."""
    return text.strip().split("\n")[0][:80]


def _change(ticket: Ticket, actor: Actor, verb: str, **fields: Any) -> Ticket:
    """Set fields of a locked ticket, remember how they were, record and poke. No change, no event."""
    was_in = ticket.team_id
    event = set_fields(ticket, fields)
    if event is None:
        return ticket
    if "status" in fields:
        standing.refresh(ticket)
    save(ticket, *fields, *(standing.FIELDS if "status" in fields else ()), "snoozed_by")
    if verb and actor.is_user:
        UndoStep.objects.create(
            ticket=ticket,
            user_id=actor.user_id,
            verb=verb,
            before={name: pair[0] for name, pair in event.changes.items()},
            after={name: pair[1] for name, pair in event.changes.items()},
        )
    record(event, *handoffs.of(event), actor=actor, pokes=[poke(ticket, was_in)])
    return ticket


def _locked(ticket_id: int | str, actor: Actor, version: int | None) -> Ticket:
    ticket = ticket_for(actor, ticket_id, lock=True)
    if ticket.merged_into_id is not None:
        raise Conflict(
            _("This ticket was merged into another one."), fields={"merged_into": str(ticket.merged_into_id)}
        )
    if version is not None and ticket.version != version:
        raise StaleVersion(fields={"version": ticket.version})
    return ticket


def _may_hold(ticket: Ticket, user_id: int | str) -> bool:
    try:
        user = User.objects.get(pk=int(user_id), is_active=True)
    except (User.DoesNotExist, ValueError, TypeError, OverflowError):
        return False
    if ticket.team_id is None or user.role == "admin":
        return True
    return Membership.objects.filter(user=user, team_id=ticket.team_id).exists()


def _team(team_id: int | str | None) -> Team | None:
    if team_id is None:
        return None
    try:
        return Team.objects.get(pk=int(team_id), is_active=True)
    except (Team.DoesNotExist, ValueError, TypeError, OverflowError):
        raise Invalid(fields={"team": "unknown"}) from None


def _tag(word: str) -> str:
    return " ".join(storable(str(word)).lower().split())[:60]


def plain(value: Any) -> Any:
    """A field's value as JSON keeps it: times in UTC, so that the same moment is the same text."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
