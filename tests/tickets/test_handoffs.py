"""Hand-overs are told where they happen and counted by kind and time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from helpdesk.core.models import EventLog
from tests.builders import a_chat, a_mailbox, a_team, a_user, an_actor
from tests.tickets.saying import heard, mail_from, signed, visitor
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import editing, handoffs, joining
from tickets.messages import actions as messages
from tickets.messages.calls import Call, log
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    return heard(a_mailbox(), mail_from("lan@customer.test")).ticket


def told() -> list[tuple[str, str, str]]:
    rows = EventLog.objects.filter(topic="ticket.handed_over").order_by("pk").values_list("payload", flat=True)
    return [(row["kind"], row["before"], row["after"]) for row in rows]


def counted() -> dict[str, int]:
    return handoffs.counted(now() - timedelta(hours=1), now() + timedelta(hours=1))


def test_from_agent_to_agent_but_not_the_first_taking_nor_giving_back(ticket: Ticket) -> None:
    one, two, admin = a_user(), a_user(), an_actor("admin")
    for assignee in (one.pk, one.pk, None, two.pk):
        lifecycle.assign(ticket_id=ticket.pk, assignee_id=assignee, actor=admin)
    assert told() == []
    lifecycle.assign(ticket_id=ticket.pk, assignee_id=one.pk, actor=admin)
    assert told() == [("agent", str(two.pk), str(one.pk))]
    assert counted() == {"channel": 0, "agent": 1, "team": 0, "bot": 0}


def test_from_team_to_team_with_its_agent_in_one_change(ticket: Ticket) -> None:
    care, tech = a_team(), a_team()
    one, two, admin = a_user(teams=(care,)), a_user(teams=(tech,)), an_actor("admin")
    editing.edit(ticket_id=ticket.pk, team=str(care.pk), assignee=str(one.pk), actor=admin)
    assert told() == []
    editing.edit(ticket_id=ticket.pk, team=str(tech.pk), assignee=str(two.pk), actor=admin)
    assert sorted(told()) == sorted([("agent", str(one.pk), str(two.pk)), ("team", str(care.pk), str(tech.pk))])
    assert counted() == {"channel": 0, "agent": 1, "team": 1, "bot": 0}
    joining.undo(ticket_id=ticket.pk, actor=admin)
    assert counted() == {"channel": 0, "agent": 0, "team": 0, "bot": 0}, "taken back is as if it had not been"


@pytest.mark.parametrize("how", ["reply", "call"])
def test_from_the_bot_to_a_person(ticket: Ticket, how: str) -> None:
    Ticket.objects.update(controller="bot")
    for _ in range(2):
        if how == "reply":
            messages.reply(ticket_id=ticket.pk, text="Dạ", actor=an_actor())
        else:
            log(ticket_id=ticket.pk, call=Call(direction="out", outcome="reached"), actor=an_actor())
    assert told() == [("bot", "bot", "agent")]
    assert counted()["bot"] == 1


def test_from_channel_to_channel_keeps_its_own_name(ticket: Ticket) -> None:
    chat = a_chat()
    heard(chat, visitor("v1", chat), also_known=(signed("lan@customer.test"),))
    assert told() == []
    assert counted() == {"channel": 1, "agent": 0, "team": 0, "bot": 0}


def test_only_those_of_the_time_and_tickets_asked_for_are_counted(ticket: Ticket) -> None:
    one, two, admin = a_user(), a_user(), an_actor("admin")
    for assignee in (one.pk, two.pk):
        lifecycle.assign(ticket_id=ticket.pk, assignee_id=assignee, actor=admin)
    at = EventLog.objects.get(topic="ticket.handed_over").created_at
    assert handoffs.counted(at, at + timedelta(microseconds=1))["agent"] == 1
    assert handoffs.counted(at - timedelta(hours=1), at)["agent"] == 0
    assert handoffs.counted(at, at + timedelta(seconds=1), ticket_ids=[ticket.pk])["agent"] == 1
    assert handoffs.counted(at, at + timedelta(seconds=1), ticket_ids=[ticket.pk + 1])["agent"] == 0


def test_counting_reads_the_index_and_not_the_log() -> None:
    at = now()
    EventLog.objects.bulk_create(
        EventLog(topic="message.added", subject=f"ticket:{n}", payload={}, created_at=at) for n in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_eventlog")
    rows = EventLog.objects.filter(
        topic__in=handoffs._TOPICS, created_at__gte=at - timedelta(days=1), created_at__lt=at
    )
    assert "event_handover" in rows.explain()
