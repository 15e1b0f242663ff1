"""What leaves our side of a line: our own words come back, and answers typed in the provider's own app."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils.timezone import now

from channels_app.contracts import Address, Echo, Receipt, RemoteFile
from channels_app.models import Delivery, Thread
from helpdesk.core.errors import Retry
from helpdesk.core.models import EventLog
from tests.builders import an_actor, run_jobs
from tests.tickets.intake.lines import Line
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import drift
from tickets.messages import actions as messages
from tickets.models import Message, SlaClock, Ticket


def answered_on(line: Line, text: str = "Dạ shop đây") -> Message:
    """An agent's answer that has been sent from the desk."""
    ticket = Ticket.objects.get()
    message = messages.reply(ticket_id=ticket.pk, text=text, actor=an_actor())
    run_jobs()
    return message


@pytest.mark.django_db(transaction=True)
def test_our_own_answer_come_back_is_nothing_new(line: Line) -> None:
    line.provider.ids = ["provider-1"]
    line.says("Alo")
    answered_on(line)
    count = EventLog.objects.count()
    assert line.typed("Dạ shop đây", external_id="provider-1") is None
    assert (Message.objects.count(), EventLog.objects.count()) == (2, count)


@pytest.mark.django_db(transaction=True)
def test_an_echo_tells_that_an_answer_in_doubt_has_arrived(line: Line) -> None:
    line.says("Alo")
    answer = answered_on(line)
    Delivery.objects.update(state="failed", outcome="unknown", provider_id="")
    Message.objects.filter(pk=answer.pk).update(delivery_state="unknown")
    line.typed("Dạ shop đây", external_id="provider-9")
    run_jobs()
    answer.refresh_from_db()
    assert (answer.delivery_state, Delivery.objects.get().provider_id) == ("sent", "provider-9")
    assert Message.objects.count() == 2


def test_an_answer_typed_elsewhere_is_ours_and_stops_the_clocks_as_one_from_the_desk(line: Line) -> None:
    asked = line.says("Còn hàng không?", occurred_at=now() - timedelta(minutes=2))
    answer = line.typed("Dạ còn ạ", author="Hoa", remote=(RemoteFile(source={"id": "x"}, kind="image"),))
    assert answer is not None
    assert (answer.ticket_id, answer.direction, answer.author_id, answer.customer_id) == (
        asked.ticket_id, "out", None, None,
    )  # fmt: skip
    assert (answer.sender_name, answer.delivery_state, answer.details["echo"]) == ("Hoa", "sent", True)
    assert answer.attachments.count() == 1
    ticket = Ticket.objects.get()
    assert (ticket.waiting_since, ticket.next_due_at, ticket.last_direction, ticket.unread) == (
        None,
        None,
        "out",
        False,
    )
    assert (ticket.first_replied_at, ticket.snippet) == (answer.occurred_at, "Dạ còn ạ")
    clock = SlaClock.objects.get()
    assert (clock.state, clock.met_by) == ("met", answer.pk)
    added = EventLog.objects.filter(topic="message.added").latest("pk")
    assert (added.payload["direction"], added.payload["message_id"], added.actor_kind) == ("out", answer.pk, "system")
    assert EventLog.objects.filter(topic="sla.met").count() == 1
    assert list(drift.of(ticket)) == []
    assert Thread.objects.get().sent_since == 1, "what is typed there counts against the free replies"


def test_without_an_author_the_channel_has_said_it(line: Line) -> None:
    line.says("Alo")
    answer = line.typed("Dạ")
    assert answer is not None
    assert answer.sender_name == "Shop on Zalo"


def test_an_echo_told_twice_is_one(line: Line) -> None:
    line.says("Alo")
    line.typed("Dạ", external_id="e1")
    count = EventLog.objects.count()
    line.typed("Dạ", external_id="e1")
    assert (Message.objects.count(), EventLog.objects.count(), Thread.objects.get().sent_since) == (2, count, 1)


def test_what_the_customer_wrote_after_it_still_waits_though_it_is_told_later(line: Line) -> None:
    start = now() - timedelta(minutes=5)
    line.says("một", occurred_at=start)
    line.says("hai", occurred_at=start + timedelta(minutes=2))
    answer = line.typed("trả lời một", occurred_at=start + timedelta(minutes=1))
    assert answer is not None
    ticket = Ticket.objects.get()
    assert ticket.waiting_since == start + timedelta(minutes=2)
    assert (ticket.snippet, ticket.last_direction, ticket.unread) == ("hai", "in", True)
    assert ticket.next_due_at is not None
    assert list(drift.of(ticket)) == []


def test_an_answer_older_than_the_wait_stops_nothing(line: Line) -> None:
    start = now() - timedelta(minutes=5)
    line.says("một", occurred_at=start)
    line.typed("từ hôm qua", occurred_at=start - timedelta(days=1))
    ticket = Ticket.objects.get()
    assert ticket.waiting_since == start
    assert SlaClock.objects.get().met_at is None
    assert list(drift.of(ticket)) == []


def test_whom_nobody_knows_gets_a_ticket_on_which_nobody_waits(line: Line) -> None:
    answer = line.typed("Chào Lan, hàng về rồi nhé")
    assert answer is not None
    ticket = answer.ticket
    assert (ticket.status, ticket.waiting_since, ticket.next_due_at) == ("pending", None, None)
    assert (ticket.customer_name, ticket.subject, ticket.message_count) == ("Lan", "Chào Lan, hàng về rồi nhé", 1)
    assert not SlaClock.objects.exists()
    assert EventLog.objects.filter(topic="ticket.opened").count() == 1
    assert list(drift.of(ticket)) == []
    assert line.says("Dạ").ticket_id == ticket.pk


def test_a_ticket_solved_lately_takes_it_and_stays_solved(line: Line) -> None:
    ticket = line.says("Alo").ticket
    lifecycle.set_status(ticket_id=ticket.pk, status="solved", actor=an_actor("admin"))
    answer = line.typed("Cảm ơn bạn")
    assert answer is not None
    ticket.refresh_from_db()
    assert (answer.ticket_id, ticket.status) == (ticket.pk, "solved")


def test_a_ticket_solved_long_ago_does_not(line: Line) -> None:
    ticket = line.says("Alo").ticket
    lifecycle.set_status(ticket_id=ticket.pk, status="solved", actor=an_actor("admin"))
    Ticket.objects.update(solved_at=now() - timedelta(days=30))
    answer = line.typed("Bạn ơi")
    assert answer is not None
    assert answer.ticket_id != ticket.pk


@pytest.mark.django_db(transaction=True)
def test_an_echo_that_comes_while_something_is_being_sent_waits_its_turn(line: Line) -> None:
    line.says("Alo")
    answered_on(line)
    Delivery.objects.update(state="running", provider_id="")
    with pytest.raises(Retry):
        line.typed("Dạ shop đây")
    assert Message.objects.count() == 2


def test_receipts_reach_answers_typed_elsewhere_and_never_go_back(line: Line) -> None:
    line.says("Alo", occurred_at=now() - timedelta(minutes=1))
    answer = line.typed("Dạ", external_id="e1")
    assert answer is not None
    line.tell(Receipt(reference="", state="read", thread_key=line.key, up_to=now()))
    line.tell(Receipt(reference="e1", state="delivered"))
    answer.refresh_from_db()
    assert answer.delivery_state == "read"
    assert EventLog.objects.filter(topic="message.delivered").count() == 1


def test_what_was_sent_after_the_moment_of_a_receipt_is_not_read(line: Line) -> None:
    line.says("Alo", occurred_at=now() - timedelta(minutes=1))
    answer = line.typed("Dạ")
    assert answer is not None
    line.tell(Receipt(reference="", state="read", thread_key=line.key, up_to=now() - timedelta(minutes=1)))
    answer.refresh_from_db()
    assert answer.delivery_state == "sent"


@pytest.mark.django_db(transaction=True)
def test_a_line_reads_everything_of_ours_up_to_a_moment(line: Line) -> None:
    line.says("Alo")
    answer = answered_on(line)
    line.tell(Receipt(reference="", state="read", thread_key=line.key, up_to=now()))
    run_jobs()
    answer.refresh_from_db()
    assert answer.delivery_state == "read"


def test_a_receipt_of_another_channel_moves_nothing(line: Line) -> None:
    line.says("Alo")
    answer = line.typed("Dạ", external_id="e1")
    assert answer is not None
    other = Line(
        line.channel.__class__.objects.create(kind="zalo", name="x", address="x"), line.provider, line.who, "7001"
    )
    other.tell(Receipt(reference="e1", state="read"))
    answer.refresh_from_db()
    assert answer.delivery_state == "sent"


def test_nothing_is_left_of_an_echo_whose_transaction_fails(line: Line) -> None:
    echo = Echo(external_id="e", thread_key="9", to=Address(kind="zalo", value="9"), occurred_at=now(), text="Dạ")
    with pytest.raises(RuntimeError), transaction.atomic():
        line.tell(echo)
        raise RuntimeError
    assert not Message.objects.exists()
    assert not Ticket.objects.exists()
