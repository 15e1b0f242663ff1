"""Merging tickets, splitting them, moving messages, and taking any step back."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, NotFound
from helpdesk.core.recorder import record
from helpdesk.core.text import storable
from tickets.enums import Status
from tickets.events import ChangeUndone, MessageMoved, TicketMerged, TicketSplit, TicketUnmerged
from tickets.lifecycle import handoffs, standing
from tickets.lifecycle.actions import plain, save, set_fields
from tickets.lifecycle.queries import locked_survivor, survivor, ticket_for
from tickets.models import Message, SlaClock, Ticket, TicketLink, UndoStep
from tickets.pokes import poke

MAX_TRIES = 5
_LOST = ("merged_into", "merged_at", "status", "snoozed_until")


def merge(*, survivor_id: int | str, loser_id: int | str, actor: Actor) -> Ticket:
    """Two tickets are one conversation: the survivor shows both; replies to the loser follow the survivor.

    The loser's clocks run on as the survivor's: a merge is no answer.
    """
    with transaction.atomic():
        kept, lost = _lock_pair(survivor_id, loser_id, actor)
        if kept.merged_into_id is not None or lost.merged_into_id is not None:
            raise Conflict(fields={"ticket": "already_merged"})
        joined = [address for address in lost.participants if address not in kept.participants]
        before = {
            "status": lost.status,
            "snoozed_until": plain(lost.snoozed_until),
            "joined": joined,
        }
        lost.merged_into, lost.merged_at, lost.status, lost.snoozed_until = kept, now(), Status.CLOSED, None
        save(lost, *_LOST)
        standing.refresh(kept)
        kept.participants = [*kept.participants, *joined]
        save(kept, *standing.FIELDS, "participants", talked=True)
        lost.waiting_since, lost.next_due_at, lost.sla_state = None, None, ""
        lost.save(update_fields=["waiting_since", "next_due_at", "sla_state"])
        remember(kept, actor, "merge", before, {"loser": lost.pk})
        event = TicketMerged(ticket_id=kept.pk, other_id=lost.pk)
        record(event, actor=actor, pokes=[poke(kept), poke(lost)])
    return kept


def split(*, ticket_id: int | str, message_ids: list[int], actor: Actor, subject: str = "") -> Ticket:
    """Chosen messages become a ticket of their own, linked to the first. Returns the new ticket."""
    with transaction.atomic():
        ticket = locked_survivor(actor, ticket_id)
        said = Message.objects.filter(ticket__in=ticket.family())
        chosen = list(said.filter(pk__in=message_ids).order_by("pk"))
        if not chosen or len(chosen) != len(set(message_ids)):
            raise Invalid(fields={"message_ids": "not_on_this_ticket"})
        if len(chosen) == said.count():
            raise Invalid(fields={"message_ids": "all_of_them"})
        fresh = beside(ticket, chosen, subject)
        stood_on = move_all(chosen, ticket, fresh)
        remember(ticket, actor, "split", {"messages": stood_on}, {"ticket": fresh.pk})
        event = TicketSplit(ticket_id=ticket.pk, other_id=fresh.pk)
        record(event, actor=actor, pokes=[poke(ticket), poke(fresh)])
    return fresh


def beside(ticket: Ticket, chosen: list[Message], subject: str = "") -> Ticket:
    """A new ticket linked to this one, for chosen messages of it that are not moved there yet."""
    last = chosen[-1]
    writer = next((one.customer for one in reversed(chosen) if one.customer_id), None)
    fresh = Ticket.objects.create(
        customer_id=writer.pk if writer else ticket.customer_id,
        customer_name=writer.name if writer else ticket.customer_name,
        subject=storable(subject or last.subject or ticket.subject)[:250],
        team_id=ticket.team_id,
        assignee_id=ticket.assignee_id,
        channel_id=last.channel_id or ticket.channel_id,
        channel_kind=last.channel_kind or ticket.channel_kind,
        language=ticket.language,
        participants=ticket.participants,
        last_message_at=last.occurred_at,
    )
    TicketLink.objects.create(ticket=fresh, other=ticket, reason="split")
    return fresh


def move(*, message_id: int | str, to_ticket_id: int | str, actor: Actor) -> Message:
    """A message stood on the wrong ticket: put it on the right one."""
    with transaction.atomic():
        try:
            message = Message.objects.select_related("ticket").get(pk=int(message_id))
        except (Message.DoesNotExist, ValueError, TypeError, OverflowError):
            raise NotFound from None
        ticket_for(actor, message.ticket_id)
        source, target = _lock_pair(survivor(message.ticket).pk, to_ticket_id, actor)
        message.refresh_from_db()
        if message.ticket_id not in source.family() or source.merged_into_id or target.merged_into_id:
            raise Conflict
        stood_on = move_all([message], source, target)
        remember(source, actor, "move", {"messages": stood_on}, {"ticket": target.pk})
        event = MessageMoved(ticket_id=source.pk, message_id=message.pk, other_id=target.pk)
        record(event, actor=actor, pokes=[poke(source), poke(target)])
    return message


def undo(*, ticket_id: int | str, actor: Actor) -> Ticket:
    """Take back the actor's last step on this ticket; refused when somebody has changed the same since."""
    with transaction.atomic():
        ticket, other, step = _lock_step(ticket_id, actor)
        was_in = ticket.team_id
        if other is None:
            _put_back(ticket, step, actor)
        elif step.verb == "merge":
            _unmerge(ticket, other, step, actor)
        else:
            rejoin(ticket, other, step, actor)
        step.undone_at = now()
        step.save(update_fields=["undone_at"])
        record(ChangeUndone(ticket_id=ticket.pk, verb=step.verb), actor=actor, pokes=[poke(ticket, was_in)])
    return ticket


def _lock_step(ticket_id: int | str, actor: Actor) -> tuple[Ticket, Ticket | None, UndoStep]:
    """The ticket, the other one of a step that concerned two, both locked in the order of their ids, and the step."""
    ticket = ticket_for(actor, ticket_id)
    last = UndoStep.objects.filter(ticket=ticket, user_id=actor.user_id, undone_at__isnull=True).order_by("-pk")
    for _try in range(MAX_TRIES):
        step = last.first()
        if step is None or actor.id is None:
            raise Conflict(fields={"undo": "nothing_to_undo"})
        other_id = step.after.get("loser") or step.after.get("ticket")
        ids = [ticket.pk, *([other_id] if other_id else [])]
        locked = {
            row.pk: row for row in Ticket.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        }
        ticket = ticket_for(actor, ticket.pk)  # still theirs to see
        if last.first() == step:
            return locked[ticket.pk], locked.get(other_id) if other_id else None, step
    raise Conflict


def _put_back(ticket: Ticket, step: UndoStep, actor: Actor) -> None:
    if {name: plain(getattr(ticket, name)) for name in step.after} != step.after:
        raise Conflict(fields={"undo": "changed_since"})
    before: dict[str, Any] = {}
    for name, value in step.before.items():
        is_time = name.endswith(("_at", "_until")) and value
        before[name] = datetime.fromisoformat(value) if is_time else value
    event = set_fields(ticket, before)
    if "status" in before:
        standing.refresh(ticket)
    save(ticket, *before, *standing.FIELDS)
    if event:
        record(event, *handoffs.of(event, undone=True), actor=actor)


def _unmerge(ticket: Ticket, lost: Ticket, step: UndoStep, actor: Actor) -> None:
    if lost.merged_into_id != ticket.pk:
        raise Conflict(fields={"undo": "changed_since"})
    until = step.before.get("snoozed_until")
    lost.merged_into = lost.merged_at = None
    lost.status, lost.snoozed_until = step.before["status"], datetime.fromisoformat(until) if until else None
    save(lost, *_LOST)
    for one in (lost, ticket):
        standing.refresh(one)
    save(lost, *standing.FIELDS)
    joined = set(step.before.get("joined", ()))
    ticket.participants = [address for address in ticket.participants if address not in joined]
    save(ticket, *standing.FIELDS, "participants", talked=True)
    record(TicketUnmerged(ticket_id=ticket.pk, other_id=lost.pk), actor=actor, pokes=[poke(lost)])


def rejoin(ticket: Ticket, other: Ticket, step: UndoStep, actor: Actor) -> None:
    """Bring back what a step moved from this ticket to the other one; both are locked."""
    ids = [message_id for message_id, _ticket_id in step.before["messages"]]
    moved = list(Message.objects.filter(pk__in=ids, ticket=other).order_by("pk"))
    if len(moved) != len(ids) or ticket.merged_into_id or other.merged_into_id:
        raise Conflict(fields={"undo": "changed_since"})
    for message_id, stood_on in step.before["messages"]:
        Message.objects.filter(pk=message_id).update(ticket_id=stood_on)
    empty = step.verb == "split" and not Message.objects.filter(ticket__in=other.family()).exists()
    if empty:  # it is as if it had never been: its promise goes with it
        SlaClock.objects.filter(ticket=other).delete()
        other.merged_into, other.merged_at, other.status = ticket, now(), Status.CLOSED
        save(other, *_LOST)
    gone = [address for address in step.before.get("participants", ()) if address not in ticket.participants]
    if gone:
        ticket.participants = [*ticket.participants, *gone]
        ticket.save(update_fields=["participants"])
    _bring_up_to_date(other, ticket)
    moves = [MessageMoved(ticket_id=other.pk, message_id=pk, other_id=ticket.pk) for pk in ids]
    record(*moves, actor=actor, pokes=[poke(other)])


def move_all(messages: list[Message], source: Ticket, target: Ticket) -> list[list[int]]:
    """Put messages on another ticket, both locked; returns where each stood, as [message, ticket]."""
    stood_on = [[message.pk, message.ticket_id] for message in messages]
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(ticket=target)
    for message in messages:
        message.ticket = target
    _bring_up_to_date(source, target)
    return stood_on


def _bring_up_to_date(*tickets: Ticket) -> None:
    for ticket in tickets:
        standing.refresh(ticket)
        save(ticket, *standing.FIELDS, talked=True)


def _lock_pair(first_id: int | str, second_id: int | str, actor: Actor) -> tuple[Ticket, Ticket]:
    """Two different tickets, locked in the order of their ids so that two such acts cannot deadlock."""
    try:
        ids = sorted({int(first_id), int(second_id)})
    except (TypeError, ValueError):
        raise NotFound from None
    if len(ids) == 1:
        raise Invalid(fields={"ticket": "the_same"})
    found = {ticket_id: ticket_for(actor, ticket_id, lock=True) for ticket_id in ids}
    return found[int(first_id)], found[int(second_id)]


def remember(ticket: Ticket, actor: Actor, verb: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    user_id = actor.id if actor.is_user else None
    UndoStep.objects.create(ticket=ticket, user_id=user_id, verb=verb, before=before, after=after)
