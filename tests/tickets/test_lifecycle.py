"""What can be done to a ticket: allowed, refused for each reason, effect, event, and nothing at all on refusal."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from channels_app.models import Channel
from helpdesk.core import valkey
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, DomainError, Invalid, NotFound, StaleVersion, TicketClosed
from helpdesk.core.models import EventLog
from tests.builders import a_mailbox, a_team, a_user, an_actor
from tests.tickets.saying import heard, mail_from
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import drift, joining
from tickets.messages import actions as messages
from tickets.models import Message, SlaClock, Ticket, UndoStep

LAN = mail_from("lan@customer.test", name="Lan")
pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox() -> Channel:
    return a_mailbox()


@pytest.fixture
def ticket(mailbox: Channel) -> Ticket:
    return heard(mailbox, LAN).ticket


def last_change(ticket: Ticket) -> dict[str, Any]:
    event = EventLog.objects.filter(topic="ticket.changed", subject=f"ticket:{ticket.pk}").order_by("-pk").first()
    assert event is not None
    changes: dict[str, Any] = event.payload["changes"]
    return changes


def everything() -> tuple[Any, ...]:
    """All that an act could leave behind."""
    tables = (Ticket, SlaClock, Message, UndoStep, EventLog)
    return tuple(list(table.objects.order_by("pk").values()) for table in tables)  # type: ignore[attr-defined]


def refused(act: Callable[[], Any], error: type[DomainError], django_capture: Any) -> None:
    """Nothing on refusal: no version, no event, no poke, no wake."""
    before, tasks = everything(), valkey.client().llen("relay")
    with django_capture() as later, pytest.raises(error):
        act()
    assert everything() == before
    assert later == []
    assert valkey.client().llen("relay") == tasks


REFUSALS: list[tuple[str, type[DomainError], Callable[[Ticket, Actor], Any]]] = [
    ("assign to nobody known", Invalid, lambda t, a: lifecycle.assign(ticket_id=t.pk, assignee_id=999_999, actor=a)),
    ("assign to nonsense", Invalid, lambda t, a: lifecycle.assign(ticket_id=t.pk, assignee_id="x", actor=a)),
    ("assign too big", Invalid, lambda t, a: lifecycle.assign(ticket_id=t.pk, assignee_id=10**30, actor=a)),
    ("unknown team", Invalid, lambda t, a: lifecycle.set_team(ticket_id=t.pk, team_id=999_999, actor=a)),
    ("unknown status", Invalid, lambda t, a: lifecycle.set_status(ticket_id=t.pk, status="gone", actor=a)),
    ("unknown priority", Invalid, lambda t, a: lifecycle.set_priority(ticket_id=t.pk, priority="max", actor=a)),
    (
        "snooze into the past",
        Invalid,
        lambda t, a: lifecycle.snooze(ticket_id=t.pk, until=now() - timedelta(hours=1), actor=a),
    ),
    (
        "too many tags",
        Invalid,
        lambda t, a: lifecycle.tag(ticket_id=t.pk, add=tuple(f"t{n}" for n in range(31)), actor=a),
    ),
    (
        "stale version",
        StaleVersion,
        lambda t, a: lifecycle.set_priority(ticket_id=t.pk, priority="high", actor=a, version=t.version - 1),
    ),
    ("unknown ticket", NotFound, lambda t, a: lifecycle.set_priority(ticket_id=999_999, priority="high", actor=a)),
    ("nonsense for a ticket", NotFound, lambda t, a: lifecycle.set_priority(ticket_id="x", priority="high", actor=a)),
    ("merge with itself", Invalid, lambda t, a: joining.merge(survivor_id=t.pk, loser_id=t.pk, actor=a)),
    ("merge with nothing", NotFound, lambda t, a: joining.merge(survivor_id=t.pk, loser_id=999_999, actor=a)),
    ("split nothing", Invalid, lambda t, a: joining.split(ticket_id=t.pk, message_ids=[], actor=a)),
    ("split everything", Invalid, lambda t, a: joining.split(ticket_id=t.pk, message_ids=_all(t), actor=a)),
    ("split foreign words", Invalid, lambda t, a: joining.split(ticket_id=t.pk, message_ids=[999_999], actor=a)),
    ("move nothing", NotFound, lambda t, a: joining.move(message_id=999_999, to_ticket_id=t.pk, actor=a)),
    ("move to itself", Invalid, lambda t, a: joining.move(message_id=_all(t)[0], to_ticket_id=t.pk, actor=a)),
    ("undo nothing", Conflict, lambda t, a: joining.undo(ticket_id=t.pk, actor=a)),
    ("empty reply", Invalid, lambda t, a: messages.reply(ticket_id=t.pk, text=" \n", actor=a)),
    ("long reply", Invalid, lambda t, a: messages.reply(ticket_id=t.pk, text="x" * 60_001, actor=a)),
    (
        "reply past what was read",
        StaleVersion,
        lambda t, a: messages.reply(ticket_id=t.pk, text="x", actor=a, expected_version=t.version - 1),
    ),
    (
        "reply with foreign files",
        Invalid,
        lambda t, a: messages.reply(ticket_id=t.pk, text="x", actor=a, media_ids=("nonsense",)),
    ),
    (
        "reply into a channel that does not reach them",
        Invalid,
        lambda t, a: messages.reply(ticket_id=t.pk, text="x", actor=a, channel_id="0" * 32),
    ),
    ("reply and spam", Invalid, lambda t, a: messages.reply(ticket_id=t.pk, text="x", actor=a, status="spam")),
    ("empty note", Invalid, lambda t, a: messages.note(ticket_id=t.pk, text="", actor=a)),
]


def _all(ticket: Ticket) -> list[int]:
    return list(ticket.messages.values_list("pk", flat=True))


@pytest.mark.parametrize(("act", "error"), [row[2:0:-1] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_a_refusal_leaves_nothing_behind(
    ticket: Ticket,
    act: Callable[[Ticket, Actor], Any],
    error: type[DomainError],
    django_capture_on_commit_callbacks: Any,
) -> None:
    agent = an_actor()
    refused(lambda: act(ticket, agent), error, django_capture_on_commit_callbacks)


def test_a_ticket_of_another_team_is_not_there(mailbox: Channel, django_capture_on_commit_callbacks: Any) -> None:
    ticket = heard(mailbox, LAN).ticket
    Ticket.objects.filter(pk=ticket.pk).update(team=a_team())
    outsider = an_actor(teams=(a_team(),))
    for act in (
        lambda: lifecycle.set_priority(ticket_id=ticket.pk, priority="high", actor=outsider),
        lambda: messages.reply(ticket_id=ticket.pk, text="x", actor=outsider),
        lambda: messages.note(ticket_id=ticket.pk, text="x", actor=outsider),
        lambda: joining.undo(ticket_id=ticket.pk, actor=outsider),
        lambda: joining.move(message_id=_all(ticket)[0], to_ticket_id=ticket.pk, actor=outsider),
    ):
        refused(act, NotFound, django_capture_on_commit_callbacks)


def test_assign_changes_records_and_can_be_taken_back(ticket: Ticket) -> None:
    agent, colleague = an_actor(), a_user()
    version = ticket.version
    done = lifecycle.assign(ticket_id=ticket.pk, assignee_id=colleague.pk, actor=agent)
    assert (done.assignee_id, done.version) == (colleague.pk, version + 1)
    assert last_change(ticket) == {"assignee_id": [None, colleague.pk]}
    assert lifecycle.assign(ticket_id=ticket.pk, assignee_id=colleague.pk, actor=agent).version == version + 1
    assert joining.undo(ticket_id=ticket.pk, actor=agent).assignee_id is None


def test_nobody_is_given_what_they_cannot_see(ticket: Ticket, django_capture_on_commit_callbacks: Any) -> None:
    team = a_team()
    member, outsider, admin = a_user(teams=(team,)), a_user(), a_user("admin")
    actor = an_actor("admin")
    lifecycle.set_team(ticket_id=ticket.pk, team_id=team.pk, actor=actor)
    refused(
        lambda: lifecycle.assign(ticket_id=ticket.pk, assignee_id=outsider.pk, actor=actor),
        Invalid,
        django_capture_on_commit_callbacks,
    )
    for holder in (member, admin):
        assert lifecycle.assign(ticket_id=ticket.pk, assignee_id=holder.pk, actor=actor).assignee_id == holder.pk
    lifecycle.assign(ticket_id=ticket.pk, assignee_id=member.pk, actor=actor)
    moved = lifecycle.set_team(ticket_id=ticket.pk, team_id=a_team().pk, actor=actor)
    assert moved.assignee_id is None, "who cannot see it there loses it"
    assert joining.undo(ticket_id=ticket.pk, actor=actor).assignee_id == member.pk


def test_solving_settles_what_was_asked_and_reopening_asks_again(ticket: Ticket) -> None:
    agent = an_actor()
    since, due = ticket.waiting_since, ticket.next_due_at
    assert since is not None
    assert due is not None
    solved = lifecycle.set_status(ticket_id=ticket.pk, status="solved", actor=agent)
    assert (solved.waiting_since, solved.next_due_at, solved.sla_state, solved.unread) == (None, None, "", False)
    assert SlaClock.objects.get().state == "paused"
    again = lifecycle.set_status(ticket_id=ticket.pk, status="open", actor=agent)
    assert (again.waiting_since, again.next_due_at, again.reopened_count) == (since, due, 1)
    assert (again.solved_at, again.settled_at) == (None, None)
    assert SlaClock.objects.get().state == "running"


def test_what_a_customer_writes_after_solving_waits_alone(ticket: Ticket, mailbox: Channel) -> None:
    lifecycle.set_status(ticket_id=ticket.pk, status="solved", actor=an_actor())
    message = heard(mailbox, LAN)
    assert message.ticket.waiting_since == message.occurred_at
    assert message.ticket.next_due_at == message.occurred_at + timedelta(seconds=300)
    assert list(drift.of(message.ticket)) == []


@pytest.mark.parametrize(("before", "after"), [("closed", "pending"), ("closed", "solved"), ("spam", "solved")])
def test_a_status_that_cannot_follow_is_refused(
    ticket: Ticket, before: str, after: str, django_capture_on_commit_callbacks: Any
) -> None:
    agent = an_actor()
    lifecycle.set_status(ticket_id=ticket.pk, status=before, actor=agent)
    refused(
        lambda: lifecycle.set_status(ticket_id=ticket.pk, status=after, actor=agent),
        Conflict,
        django_capture_on_commit_callbacks,
    )


def test_a_closed_ticket_is_not_answered(ticket: Ticket, django_capture_on_commit_callbacks: Any) -> None:
    agent = an_actor()
    lifecycle.set_status(ticket_id=ticket.pk, status="closed", actor=agent)
    refused(
        lambda: messages.reply(ticket_id=ticket.pk, text="x", actor=agent),
        TicketClosed,
        django_capture_on_commit_callbacks,
    )


def test_spam_and_back_is_as_if_it_had_not_been(ticket: Ticket) -> None:
    agent = an_actor()
    since, due = ticket.waiting_since, ticket.next_due_at
    spam = lifecycle.set_status(ticket_id=ticket.pk, status="spam", actor=agent)
    assert (spam.waiting_since, spam.next_due_at) == (None, None)
    back = joining.undo(ticket_id=ticket.pk, actor=agent)
    assert (back.status, back.waiting_since, back.next_due_at, back.reopened_count) == ("open", since, due, 0)


def test_a_merged_ticket_is_not_changed_behind_its_survivor(
    ticket: Ticket, mailbox: Channel, django_capture_on_commit_callbacks: Any
) -> None:
    agent = an_actor()
    other = heard(mailbox, mail_from("hoa@elsewhere.test")).ticket
    joining.merge(survivor_id=ticket.pk, loser_id=other.pk, actor=agent)
    for act in (
        lambda: lifecycle.set_status(ticket_id=other.pk, status="open", actor=agent),
        lambda: lifecycle.set_priority(ticket_id=other.pk, priority="high", actor=agent),
        lambda: joining.merge(survivor_id=ticket.pk, loser_id=other.pk, actor=agent),
    ):
        refused(act, Conflict, django_capture_on_commit_callbacks)
    note = messages.note(ticket_id=other.pk, text="Ghi chú", actor=agent)
    assert note.ticket_id == ticket.pk


def test_snooze_wakes_at_its_time(ticket: Ticket) -> None:
    agent = an_actor()
    later = now() + timedelta(hours=7)
    snoozed = lifecycle.snooze(ticket_id=ticket.pk, until=later, actor=agent)
    assert (snoozed.snoozed_until, snoozed.snoozed_by_id) == (later, agent.id)
    assert lifecycle.wake_snoozed() == later
    Ticket.objects.filter(pk=ticket.pk).update(snoozed_until=now() - timedelta(seconds=1))
    assert lifecycle.wake_snoozed() is None
    ticket.refresh_from_db()
    assert ticket.snoozed_until is None
    assert last_change(ticket)["snoozed_until"][1] is None


def test_a_customers_message_ends_a_snooze(ticket: Ticket, mailbox: Channel) -> None:
    lifecycle.snooze(ticket_id=ticket.pk, until=now() + timedelta(hours=7), actor=an_actor())
    assert heard(mailbox, LAN).ticket.snoozed_until is None


def test_tags_are_short_words_and_undoable(ticket: Ticket) -> None:
    agent = an_actor()
    done = lifecycle.tag(ticket_id=ticket.pk, add=("  VIP  khách ", "VIP khách", "", "gấp"), actor=agent)
    assert done.tags == ["vip khách", "gấp"]
    assert lifecycle.tag(ticket_id=ticket.pk, remove=("GẤP",), actor=agent).tags == ["vip khách"]
    assert joining.undo(ticket_id=ticket.pk, actor=agent).tags == ["vip khách", "gấp"]


def test_undo_is_refused_when_somebody_changed_the_same_since(
    ticket: Ticket, django_capture_on_commit_callbacks: Any
) -> None:
    agent, colleague = an_actor(), an_actor()
    lifecycle.set_priority(ticket_id=ticket.pk, priority="high", actor=agent)
    lifecycle.set_priority(ticket_id=ticket.pk, priority="low", actor=colleague)
    refused(lambda: joining.undo(ticket_id=ticket.pk, actor=agent), Conflict, django_capture_on_commit_callbacks)
    assert joining.undo(ticket_id=ticket.pk, actor=colleague).priority == 2
    assert joining.undo(ticket_id=ticket.pk, actor=agent).priority == 1


def test_undoing_a_snooze_said_in_another_time_zone(ticket: Ticket) -> None:
    from zoneinfo import ZoneInfo

    agent = an_actor()
    until = (now() + timedelta(days=1)).astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    lifecycle.snooze(ticket_id=ticket.pk, until=until, actor=agent)
    assert joining.undo(ticket_id=ticket.pk, actor=agent).snoozed_until is None


def test_a_reply_that_solves_says_so_in_one_event_and_stops_the_clock(ticket: Ticket) -> None:
    agent = an_actor()
    messages.reply(ticket_id=ticket.pk, text="Xong ạ", actor=agent, status="solved")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee_id, ticket.waiting_since) == ("solved", agent.id, None)
    changes = last_change(ticket)
    assert (changes["status"], changes["assignee_id"]) == (["open", "solved"], [None, agent.id])
    assert list(drift.of(ticket)) == []


def test_drafts_are_ones_own_and_forgotten_when_sent_or_emptied(ticket: Ticket) -> None:
    agent, colleague = an_actor(), an_actor()
    from tickets.messages.queries import draft_for

    messages.save_draft(ticket_id=ticket.pk, text="Dạ\x00", actor=agent)
    mine = draft_for(ticket, agent)
    assert mine is not None
    assert mine.text == "Dạ\ufffd"
    assert draft_for(ticket, colleague) is None
    messages.save_draft(ticket_id=ticket.pk, text="  ", actor=agent)
    assert draft_for(ticket, agent) is None
    messages.save_draft(ticket_id=ticket.pk, text="Dạ", actor=agent)
    messages.reply(ticket_id=ticket.pk, text="Dạ", actor=agent)
    assert draft_for(ticket, agent) is None
