"""Merging tickets, splitting them, moving messages, and taking any step back."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, NotFound
from helpdesk.core.recorder import record
from helpdesk.core.text import snippet
from tickets.enums import Status
from tickets.events import ChangeUndone, MessageMoved, TicketMerged, TicketSplit, TicketUnmerged
from tickets.lifecycle.actions import save
from tickets.lifecycle.queries import ticket_for
from tickets.models import Message, Ticket, TicketLink, UndoStep
from tickets.pokes import poke
from tickets.sla import policies


def merge(*, survivor_id: int | str, loser_id: int | str, actor: Actor) -> Ticket:
    """Two tickets are one conversation: the survivor shows both; replies to the loser follow the survivor."""
    with transaction.atomic():
        kept, lost = _lock_pair(survivor_id, loser_id, actor)
        if kept.merged_into_id is not None or lost.merged_into_id is not None:
            raise Conflict(fields={"ticket": "already_merged"})
        step = {"status": lost.status, "snoozed_until": lost.snoozed_until and lost.snoozed_until.isoformat()}
        waited = [since for since in (kept.waiting_since, lost.waiting_since) if since]
        before = {"waiting_since": kept.waiting_since and kept.waiting_since.isoformat()}
        lost.merged_into, lost.merged_at, lost.status, lost.snoozed_until = kept, now(), Status.CLOSED, None
        policies.stop(lost)
        save(lost, "merged_into", "merged_at", "status", "snoozed_until", "next_due_at", "sla_state")
        kept.message_count += lost.message_count
        kept.waiting_since = min(waited) if waited else None
        kept.participants = list(dict.fromkeys([*kept.participants, *lost.participants]))
        if lost.last_message_at > kept.last_message_at:
            kept.last_message_at, kept.snippet = lost.last_message_at, lost.snippet
            kept.last_direction = lost.last_direction
        save(kept, "message_count", "waiting_since", "participants", "last_message_at", "snippet", "last_direction")
        _remember(kept, actor, "merge", {**step, **before}, {"loser": lost.pk})
        event = TicketMerged(ticket_id=kept.pk, other_id=lost.pk)
        record(event, actor=actor, pokes=[poke(kept), poke(lost)])
    return kept


def split(*, ticket_id: int | str, message_ids: list[int], actor: Actor, subject: str = "") -> Ticket:
    """Chosen messages become a ticket of their own, linked to the first. Returns the new ticket."""
    with transaction.atomic():
        ticket = ticket_for(actor, ticket_id, lock=True)
        chosen = list(Message.objects.select_for_update().filter(ticket=ticket, pk__in=message_ids).order_by("pk"))
        if not chosen or len(chosen) != len(set(message_ids)):
            raise Invalid(fields={"message_ids": "not_on_this_ticket"})
        if len(chosen) == Message.objects.filter(ticket=ticket).count():
            raise Invalid(fields={"message_ids": "all_of_them"})
        last = chosen[-1]
        fresh = Ticket.objects.create(
            customer_id=last.customer_id or ticket.customer_id,
            customer_name=ticket.customer_name,
            subject=(subject or last.subject or ticket.subject)[:250],
            team_id=ticket.team_id,
            assignee_id=ticket.assignee_id,
            channel_id=last.channel_id or ticket.channel_id,
            channel_kind=last.channel_kind or ticket.channel_kind,
            language=ticket.language,
            participants=ticket.participants,
        )
        TicketLink.objects.create(ticket=fresh, other=ticket, reason="split")
        _move(chosen, ticket, fresh)
        _remember(ticket, actor, "split", {"messages": [m.pk for m in chosen]}, {"ticket": fresh.pk})
        event = TicketSplit(ticket_id=ticket.pk, other_id=fresh.pk)
        record(event, actor=actor, pokes=[poke(ticket), poke(fresh)])
    return fresh


def move(*, message_id: int | str, to_ticket_id: int | str, actor: Actor) -> Message:
    """A message stood on the wrong ticket: put it on the right one."""
    with transaction.atomic():
        try:
            message = Message.objects.get(pk=int(message_id))
        except (Message.DoesNotExist, ValueError):
            raise NotFound from None
        source, target = _lock_pair(message.ticket_id, to_ticket_id, actor)
        message = Message.objects.select_for_update().get(pk=message.pk)
        if message.ticket_id != source.pk or target.merged_into_id is not None:
            raise Conflict
        _move([message], source, target)
        _remember(source, actor, "move", {"messages": [message.pk]}, {"ticket": target.pk})
        event = MessageMoved(ticket_id=source.pk, message_id=message.pk, other_id=target.pk)
        record(event, actor=actor, pokes=[poke(source), poke(target)])
    return message


def undo(*, ticket_id: int | str, actor: Actor) -> Ticket:
    """Take back the actor's last step on this ticket; refused when somebody has changed the same since."""
    with transaction.atomic():
        ticket = ticket_for(actor, ticket_id, lock=True)
        step = (
            UndoStep.objects.select_for_update()
            .filter(ticket=ticket, user_id=actor.id, undone_at__isnull=True)
            .order_by("-pk")
            .first()
        )
        if step is None:
            raise Conflict(fields={"undo": "nothing_to_undo"})
        {"merge": _unmerge, "split": _rejoin, "move": _rejoin}.get(step.verb, _put_back)(ticket, step, actor)
        step.undone_at = now()
        step.save(update_fields=["undone_at"])
        record(ChangeUndone(ticket_id=ticket.pk, verb=step.verb), actor=actor, pokes=[poke(ticket)])
    return ticket


def _put_back(ticket: Ticket, step: UndoStep, actor: Actor) -> None:
    present = {name: _plain(getattr(ticket, name)) for name in step.after}
    if present != step.after:
        raise Conflict(fields={"undo": "changed_since"})
    was_active = ticket.is_active
    for name, value in step.before.items():
        is_time = name.endswith(("_at", "_until", "_since")) and value
        setattr(ticket, name, datetime.fromisoformat(value) if is_time else value)
    if "status" in step.before and ticket.is_active and not was_active:
        policies.resume(ticket)
    elif "status" in step.before and was_active and not ticket.is_active:
        policies.stop(ticket)
    save(ticket, *step.before, "next_due_at", "sla_state")


def _unmerge(ticket: Ticket, step: UndoStep, actor: Actor) -> None:
    lost = Ticket.objects.select_for_update().get(pk=step.after["loser"])
    if lost.merged_into_id != ticket.pk:
        raise Conflict(fields={"undo": "changed_since"})
    lost.merged_into = lost.merged_at = None
    lost.status = step.before["status"]
    until = step.before.get("snoozed_until")
    lost.snoozed_until = datetime.fromisoformat(until) if until else None
    if lost.is_active:
        policies.resume(lost)
    save(lost, "merged_into", "merged_at", "status", "snoozed_until", "next_due_at", "sla_state")
    ticket.message_count = max(0, ticket.message_count - lost.message_count)
    since = step.before.get("waiting_since")
    if ticket.waiting_since is not None:  # answered meanwhile: nobody waits
        ticket.waiting_since = datetime.fromisoformat(since) if since else None
    _refresh(ticket)
    record(TicketUnmerged(ticket_id=ticket.pk, other_id=lost.pk), actor=actor, pokes=[poke(lost)])


def _rejoin(ticket: Ticket, step: UndoStep, actor: Actor) -> None:
    other = Ticket.objects.select_for_update().get(pk=step.after["ticket"])
    moved = list(Message.objects.select_for_update().filter(pk__in=step.before["messages"], ticket=other))
    if len(moved) != len(step.before["messages"]):
        raise Conflict(fields={"undo": "changed_since"})
    _move(moved, other, ticket)
    if step.verb == "split" and not other.messages.exists():
        other.merged_into, other.merged_at, other.status = ticket, now(), Status.CLOSED
        policies.stop(other)
        save(other, "merged_into", "merged_at", "status", "next_due_at", "sla_state")
    record(
        MessageMoved(ticket_id=other.pk, message_id=moved[0].pk, other_id=ticket.pk), actor=actor, pokes=[poke(other)]
    )


def _move(messages: list[Message], source: Ticket, target: Ticket) -> None:
    """Put messages on another locked ticket and bring both tickets' list fields up to date."""
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(ticket=target)
    for message in messages:
        message.ticket = target
    source.message_count = max(0, source.message_count - len(messages))
    target.message_count += len(messages)
    _refresh(source)
    _refresh(target)


def _refresh(ticket: Ticket) -> None:
    """Recompute what the list shows from the messages that stand on the ticket now."""
    public = Message.objects.filter(ticket=ticket, visibility="public").order_by("-occurred_at", "-pk")
    last = public.first()
    if last is not None:
        ticket.snippet, ticket.last_direction = snippet(last.text or last.subject), last.direction
        ticket.last_message_at = last.occurred_at
        answered = public.filter(direction="out", auto=False).aggregate(at=Max("occurred_at"))["at"]
        unanswered = Message.objects.filter(ticket=ticket, direction="in", auto=False)
        if answered:
            unanswered = unanswered.filter(occurred_at__gt=answered)
        first = unanswered.order_by("occurred_at").values_list("occurred_at", flat=True).first()
        ticket.waiting_since = first if ticket.is_active else None
    save(ticket, "snippet", "last_direction", "last_message_at", "message_count", "waiting_since")


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


def _remember(ticket: Ticket, actor: Actor, verb: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    user_id = actor.id if actor.is_user else None
    UndoStep.objects.create(ticket=ticket, user_id=user_id, verb=verb, before=before, after=after)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
