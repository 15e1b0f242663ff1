"""Calls and walk-ins written down by hand: what they answer, whose they are, and what is refused."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from channels_app.models import Channel
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Invalid, NotAllowed, NotFound
from helpdesk.core.models import EventLog
from tests.builders import a_mailbox, a_team, an_actor
from tests.tickets.saying import heard, mail_from
from tickets.lifecycle import drift
from tickets.messages import actions as messages
from tickets.messages import queries
from tickets.messages.calls import Call, log, log_anew
from tickets.models import Customer, Identity, Message, SlaClock, Ticket

pytestmark = pytest.mark.django_db
LAN = mail_from("lan@customer.test", name="Lan Nguyễn")


@pytest.fixture
def mailbox(db: None) -> Channel:
    return a_mailbox()


@pytest.fixture
def ticket(mailbox: Channel) -> Ticket:
    return heard(mailbox, LAN, occurred_at=ago(10)).ticket


def ago(minutes: float) -> datetime:
    return now() - timedelta(minutes=minutes)


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def clock(ticket: Ticket) -> tuple[str, datetime | None]:
    one = SlaClock.objects.get(ticket=ticket, metric="first_reply")
    return one.state, one.met_at


def healthy() -> None:
    assert [str(one) for one in drift.everywhere()] == []


@pytest.mark.parametrize(
    ("direction", "outcome", "answers"),
    [
        ("in", "reached", True),
        ("out", "reached", True),
        ("in", "walk_in", True),
        ("out", "no_answer", False),
        ("out", "voicemail", False),
        ("out", "callback", False),
        ("in", "no_answer", False),
        ("in", "callback", False),
    ],
)
def test_whom_we_spoke_with_has_been_answered_at_that_moment(
    ticket: Ticket, direction: str, outcome: str, answers: bool
) -> None:
    actor, at = an_actor(), ago(7)
    call = Call(direction=direction, outcome=outcome, seconds=95)
    message = log(ticket_id=ticket.pk, call=call, text=" Hẹn giao lại thứ Sáu ", at=at, actor=actor)
    assert (message.kind, message.visibility, message.direction) == ("call", "internal", direction)
    assert message.details == {"call": {"direction": direction, "outcome": outcome, "seconds": 95}}
    assert (message.text, message.occurred_at, message.author_id) == ("Hẹn giao lại thứ Sáu", at, actor.id)
    after = fresh(ticket)
    assert (after.waiting_since is None) == answers
    assert after.first_replied_at == (at if answers else None)
    assert (after.assignee_id == actor.id) == answers
    assert clock(ticket) == (("met", at) if answers else ("running", None))
    assert after.message_count == 2
    assert after.talked_version == after.version > ticket.version
    [event] = EventLog.objects.filter(topic="message.added", payload__kind="call")
    assert (event.actor_id, event.payload["visibility"], event.payload["message_id"]) == (
        actor.id,
        "internal",
        message.pk,
    )
    healthy()


def test_a_late_call_is_late_and_one_from_before_the_question_answers_nothing(mailbox: Channel) -> None:
    late = heard(mailbox, LAN, occurred_at=ago(30)).ticket
    log(ticket_id=late.pk, call=Call(direction="out", outcome="reached"), at=ago(10), actor=an_actor())
    assert clock(late)[0] == "breached"
    before = heard(mailbox, mail_from("hoa@x.test"), occurred_at=ago(3)).ticket
    log(ticket_id=before.pk, call=Call(direction="in", outcome="reached"), at=ago(20), actor=an_actor())
    assert fresh(before).waiting_since is not None
    assert clock(before) == ("running", None)
    healthy()


def test_what_was_written_after_the_call_still_waits(ticket: Ticket, mailbox: Channel) -> None:
    later = heard(mailbox, LAN, occurred_at=ago(2))
    assert later.ticket_id == ticket.pk
    log(ticket_id=ticket.pk, call=Call(direction="in", outcome="reached"), at=ago(7), actor=an_actor())
    after = fresh(ticket)
    assert after.waiting_since == later.occurred_at
    assert clock(ticket)[0] == "met"
    assert SlaClock.objects.get(metric="next_reply").state == "running"
    healthy()


def test_a_call_stands_in_when_the_reply_after_it_fails(ticket: Ticket) -> None:
    actor = an_actor()
    call = log(ticket_id=ticket.pk, call=Call(direction="out", outcome="reached"), at=ago(8), actor=actor)
    messages.reply(ticket_id=ticket.pk, text="Dạ", actor=actor)
    assert SlaClock.objects.get(ticket=ticket).met_by == call.pk
    healthy()


def test_customers_do_not_see_calls(ticket: Ticket) -> None:
    log(ticket_id=ticket.pk, call=Call(direction="in", outcome="reached"), text="khó tính", actor=an_actor())
    seen = queries.messages(ticket, Actor.customer(ticket.customer_id))
    assert [message.kind for message in seen] == ["message"]
    assert fresh(ticket).snippet != "khó tính"


REFUSED: list[tuple[Any, str]] = [
    ({"call": Call(direction="up", outcome="reached")}, "direction"),
    ({"call": Call(direction="in", outcome="married")}, "outcome"),
    ({"call": Call(direction="out", outcome="walk_in")}, "direction"),
    ({"call": Call(direction="in", outcome="reached", seconds=-1)}, "seconds"),
    ({"call": Call(direction="in", outcome="reached", seconds=86_401)}, "seconds"),
    ({"at": timedelta(minutes=5)}, "occurred_at"),
    ({"at": timedelta(days=-400)}, "occurred_at"),
    ({"text": "x" * 60_001}, "text"),
]


@pytest.mark.parametrize(("given", "field"), REFUSED)
@pytest.mark.parametrize("anew", [False, True])
def test_a_call_that_cannot_have_been_is_refused_and_changes_nothing(
    ticket: Ticket, given: dict[str, Any], field: str, anew: bool
) -> None:
    events, before = EventLog.objects.count(), Ticket.objects.values().get()
    call: dict[str, Any] = {"call": Call(direction="in", outcome="reached"), "actor": an_actor()} | given
    if "at" in call:
        call["at"] = now() + call["at"]
    with pytest.raises(Invalid) as refused:
        if anew:
            log_anew(phone="0912345678", **call)
        else:
            log(ticket_id=ticket.pk, **call)
    assert field in refused.value.fields
    assert (EventLog.objects.count(), Ticket.objects.values().get()) == (events, before)
    assert not Identity.objects.filter(kind="phone").exists()


def test_tickets_of_other_teams_take_no_call(ticket: Ticket) -> None:
    Ticket.objects.update(team=a_team())
    with pytest.raises(NotFound):
        log(ticket_id=ticket.pk, call=Call(direction="in", outcome="reached"), actor=an_actor())
    assert Message.objects.count() == 1


# --- before there is a ticket ------------------------------------------------------------------------------------

CALL = Call(direction="in", outcome="reached", seconds=60)


def test_a_call_from_a_new_number_opens_a_ticket_nobody_waits_on() -> None:
    team = a_team()
    actor = an_actor(teams=(team,))
    message = log_anew(call=CALL, phone="0120 123 4567", name="Cô Tư", text="Hỏi giá\nmáy lọc", actor=actor)
    ticket = message.ticket
    assert (ticket.subject, ticket.channel_kind, ticket.customer_name) == ("Hỏi giá", "phone", "Cô Tư")
    assert (ticket.team_id, ticket.assignee_id, ticket.unread) == (team.pk, actor.id, False)
    assert (ticket.waiting_since, ticket.sla_state) == (None, "")
    identity = Identity.objects.get()
    assert (identity.kind, identity.value, identity.verified_at) == ("phone", "+84701234567", None)
    topics = list(EventLog.objects.order_by("pk").values_list("topic", flat=True))
    assert topics[:2] == ["ticket.opened", "message.added"]
    healthy()
    again = log_anew(call=CALL, phone="+84 70 123 4567", actor=actor)
    assert again.ticket_id == ticket.pk, "their open conversation"
    other = log_anew(call=CALL, phone="0701234567", is_new=True, actor=actor)
    assert other.ticket_id != ticket.pk
    assert Customer.objects.count() == 1
    healthy()


def test_a_call_goes_to_no_ticket_the_caller_may_not_see(ticket: Ticket) -> None:
    Identity.objects.create(customer=ticket.customer, kind="phone", value="+84912345678")
    Ticket.objects.update(team=a_team())
    message = log_anew(call=CALL, phone="0912345678", actor=an_actor())
    assert message.ticket_id != ticket.pk
    assert message.ticket.customer_id == ticket.customer_id


def test_a_walk_in_is_known_by_name_alone_and_a_customer_by_number(ticket: Ticket) -> None:
    visit = Call(direction="in", outcome="walk_in")
    message = log_anew(call=visit, name="Chú Ba", actor=an_actor())
    assert (message.ticket.customer_name, Identity.objects.filter(customer=message.ticket.customer).count()) == (
        "Chú Ba",
        0,
    )
    assert message.ticket.subject
    assert log_anew(call=visit, customer_id=ticket.customer_id, actor=an_actor()).ticket_id == ticket.pk


@pytest.mark.parametrize("who", [{}, {"phone": "không có"}, {"name": "  "}])
def test_somebody_must_have_called(who: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        log_anew(call=CALL, actor=an_actor(), **who)
    assert (Ticket.objects.count(), Customer.objects.count(), EventLog.objects.count()) == (0, 0, 0)


def test_a_customer_writes_down_no_call(ticket: Ticket) -> None:
    with pytest.raises(NotAllowed):
        log_anew(call=CALL, phone="0912345678", actor=Actor.customer(ticket.customer_id))
    assert Customer.objects.count() == 1
