"""Hand-overs: from one channel, agent or team to another, from the bot to a person; told as events, counted from them.

Agent, team and bot are `ticket.handed_over`; channel to channel is `ticket.channel_switched`, as intake records it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, F, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from helpdesk.core.models import EventLog
from tickets.enums import Controller
from tickets.events import ChannelSwitched, TicketChanged, TicketHandedOver
from tickets.models import Ticket

KINDS = ("channel", "agent", "team", "bot")
_OF_FIELD = {"assignee_id": "agent", "team_id": "team"}
_TOPICS = (TicketHandedOver.topic, ChannelSwitched.topic)


def of(changed: TicketChanged | None, *, undone: bool = False) -> list[TicketHandedOver]:
    """What a change of a ticket handed over: from one agent or team to another one, the bot's talk to a person.

    The first to take a ticket takes it from nobody, and giving it back to everybody hands it to nobody. undone=True:
    the change takes a hand-over back, which then counts no longer.
    """
    if changed is None:
        return []
    found = []
    for field, pair in changed.changes.items():
        kind = _OF_FIELD.get(field)
        if kind is None or None in pair:
            continue
        before, after = (str(one) for one in (reversed(pair) if undone else pair))
        event = TicketHandedOver(ticket_id=changed.ticket_id, kind=kind, before=before, after=after, undone=undone)
        found.append(event)
    return found


def of_controller(ticket: Ticket, before: str) -> list[TicketHandedOver]:
    """The bot's conversation handed over to a person, where it was the bot's before."""
    if before != Controller.BOT or ticket.controller == Controller.BOT:
        return []
    return [TicketHandedOver(ticket_id=ticket.pk, kind="bot", before=before, after=ticket.controller)]


def counted(since: datetime, until: datetime, *, ticket_ids: Iterable[int] | None = None) -> dict[str, int]:
    """How many hand-overs of each kind there were from one moment until before another; those taken back left out.

    One statement, by the index of these two topics (event_handover).
    """
    rows = EventLog.objects.filter(topic__in=_TOPICS, created_at__gte=since, created_at__lt=until)
    if ticket_ids is not None:
        rows = rows.filter(subject__in=[f"ticket:{ticket_id}" for ticket_id in ticket_ids])
    kind = Coalesce(KT("payload__kind"), Value("channel", TextField()))
    undone = Coalesce(KT("payload__undone"), Value("false", TextField()))
    told = rows.annotate(of_kind=kind, is_undone=undone).values("of_kind", "is_undone").annotate(number=Count(F("pk")))
    found = dict.fromkeys(KINDS, 0)
    for row in told:
        found[row["of_kind"]] += -row["number"] if row["is_undone"] == "true" else row["number"]
    return found
