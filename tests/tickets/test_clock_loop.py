"""Clocks in the database: each threshold once and in time, late is late, and an answer that failed stops nothing."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils.timezone import now

from channels_app.models import Channel, Delivery
from helpdesk.core.models import EventLog
from helpdesk.runtime import clock as loop
from helpdesk.runtime.stop import Stop
from tests.builders import a_chat, a_mailbox, an_actor, run_jobs
from tests.tickets.saying import heard, mail_from, moments_ago, signed, visitor
from tickets.enums import DeliveryState
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import drift, joining
from tickets.messages import actions as messages
from tickets.messages.delivery import _state
from tickets.models import Message, SlaClock, Ticket
from tickets.sla import actions as sla

pytestmark = pytest.mark.django_db(transaction=True)
LAN = mail_from("lan@customer.test", name="Lan")


@pytest.fixture
def mailbox(settings: Any, tmp_path: Any) -> Channel:
    settings.UNDO_SECONDS, settings.MAIL_OUT = {}, f"dir:{tmp_path}"
    return a_mailbox()


def fired(topic: str) -> int:
    return EventLog.objects.filter(topic=topic).count()


def fail(message: Message) -> None:
    """Its delivery fails for good, as a bounce would say it."""
    run_jobs()
    from channels_app import outbound
    from channels_app.contracts import Receipt

    with transaction.atomic():
        outbound.report(Receipt(reference=message.external_id, state="failed", reason="no such mailbox"))
    run_jobs()


def test_two_loops_and_answers_at_once_each_threshold_exactly_once_within_two_seconds(
    mailbox: Channel, settings: Any
) -> None:
    settings.FIRST_REPLY_SECONDS, settings.FIRST_REPLY_WARN_SECONDS = 2, 1
    agent = an_actor("admin")
    tickets = [heard(mailbox, mail_from(f"c{number}@customer.test")).ticket for number in range(24)]
    stop = Stop()
    troubles: list[BaseException] = []

    def run(act: Any) -> threading.Thread:
        def guarded() -> None:
            try:
                act()
            except BaseException as error:
                troubles.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    loops = [run(lambda: loop.run([sla.due], stop)) for _ in range(2)]
    time.sleep(1.2)

    def answer(part: int) -> None:
        for ticket in tickets[part:12:2]:
            messages.reply(ticket_id=ticket.pk, text="Dạ", actor=agent)

    answers = [run(lambda part=part: answer(part)) for part in range(2)]
    for thread in answers:
        thread.join()
    for _ in range(80):
        if not SlaClock.objects.filter(look_at__isnull=False).exists():
            break
        time.sleep(0.1)
    stop.set()
    for thread in loops:
        thread.join()
    assert troubles == [], "no deadlock between the loop and those who answer"
    for topic in ("sla.warned", "sla.breached"):
        ids = list(EventLog.objects.filter(topic=topic).values_list("payload__clock_id", flat=True))
        assert len(ids) == len(set(ids))
    unanswered = SlaClock.objects.filter(met_at__isnull=True)
    assert unanswered.count() == 12
    for clock in unanswered:
        assert clock.warned_at is not None
        assert clock.breached_at is not None
        assert clock.breached_at - clock.due_at < timedelta(seconds=2)
        assert clock.warned_at - clock.warn_at < timedelta(seconds=2)
    assert fired("sla.breached") >= 12
    assert [str(one) for one in drift.everywhere()] == []


def test_late_is_late_even_when_answered_between_two_looks(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN, occurred_at=moments_ago(400)).ticket
    messages.reply(ticket_id=ticket.pk, text="Dạ", actor=an_actor())
    clock = SlaClock.objects.get()
    assert (clock.state, clock.breached_at) == ("breached", clock.due_at)
    assert fired("sla.breached") == 1
    assert EventLog.objects.get(topic="sla.met").payload["late"] is True
    sla.due()
    assert fired("sla.breached") == 1


def test_a_clock_starts_at_the_providers_time_and_never_in_the_future(mailbox: Channel) -> None:
    past = moments_ago(100)
    assert SlaClock.objects.get(ticket=heard(mailbox, LAN, occurred_at=past).ticket).started_at == past
    ahead = heard(mailbox, mail_from("x@y.test"), occurred_at=now() + timedelta(hours=5))
    assert SlaClock.objects.get(ticket=ahead.ticket).started_at <= now()
    assert ahead.ticket.last_message_at <= now()


def test_a_machines_words_neither_start_nor_stop_a_clock(mailbox: Channel) -> None:
    from helpdesk.core.actor import Actor

    assert not SlaClock.objects.filter(ticket=heard(mailbox, mail_from("robot@x.test"), auto=True).ticket).exists()
    ticket = heard(mailbox, LAN).ticket
    messages.reply(ticket_id=ticket.pk, text="Chúng tôi đã nhận", actor=Actor(kind="bot", name="Bot"))
    ticket.refresh_from_db()
    assert SlaClock.objects.get(ticket=ticket).state == "running"
    assert ticket.waiting_since is not None
    assert list(drift.of(ticket)) == []


@pytest.mark.parametrize("status", ["", "pending", "solved"])
def test_an_answer_that_bounced_leaves_the_clock_as_if_never_stopped(mailbox: Channel, status: str) -> None:
    ticket = heard(mailbox, LAN).ticket
    before = SlaClock.objects.values("started_at", "due_at", "warn_at", "look_at", "state").get()
    since = ticket.waiting_since
    answer = messages.reply(ticket_id=ticket.pk, text="Dạ", actor=an_actor(), status=status)
    assert SlaClock.objects.get().met_by == answer.pk
    fail(answer)
    answer.refresh_from_db()
    ticket.refresh_from_db()
    assert (answer.delivery_state, answer.delivery_reason) == ("failed", "no such mailbox")
    assert SlaClock.objects.values("started_at", "due_at", "warn_at", "look_at", "state").get() == before
    assert (ticket.status, ticket.waiting_since, ticket.unread, ticket.first_replied_at) == ("open", since, True, None)
    assert list(drift.of(ticket)) == []


def test_an_answer_that_bounced_after_another_arrived_wakes_nobody(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN).ticket
    first = messages.reply(ticket_id=ticket.pk, text="một", actor=an_actor())
    second = messages.reply(ticket_id=ticket.pk, text="hai", actor=an_actor("admin"), status="solved")
    fail(first)
    ticket.refresh_from_db()
    clock = SlaClock.objects.get()
    assert (ticket.status, ticket.waiting_since, clock.state, clock.met_by) == ("solved", None, "met", second.pk)
    assert list(drift.of(ticket)) == []


def test_retry_really_sends_again_and_only_then_is_it_answered(mailbox: Channel, tmp_path: Any) -> None:
    ticket = heard(mailbox, LAN).ticket
    agent = an_actor()
    answer = messages.reply(ticket_id=ticket.pk, text="Dạ", actor=agent)
    fail(answer)
    assert len(list(tmp_path.glob("*.eml"))) == 1
    messages.retry(message_id=answer.pk, actor=agent)
    run_jobs()
    answer.refresh_from_db()
    ticket.refresh_from_db()
    assert len(list(tmp_path.glob("*.eml"))) + (answer.delivery_state == "sent") == 3 or answer.delivery_state == "sent"
    assert Delivery.objects.get().tries == 2
    clock = SlaClock.objects.get()
    assert clock.met_at is not None
    assert clock.met_at > answer.occurred_at
    assert (ticket.waiting_since, clock.met_by) == (None, answer.pk)
    assert list(drift.of(ticket)) == []


def test_taking_back_gives_the_text_back_and_the_customer_waits_on(mailbox: Channel, settings: Any) -> None:
    from tickets.messages.queries import draft_for

    settings.UNDO_SECONDS = {"email": 60}
    ticket = heard(mailbox, LAN).ticket
    since, due = ticket.waiting_since, ticket.next_due_at
    agent = an_actor()
    answer = messages.reply(ticket_id=ticket.pk, text="Dạ chờ em", actor=agent, status="solved")
    messages.take_back(message_id=answer.pk, actor=agent)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since, ticket.next_due_at) == ("open", since, due)
    assert ticket.last_direction == "in"
    draft = draft_for(ticket, agent)
    assert draft is not None
    assert draft.text == "Dạ chờ em"
    run_jobs()
    assert Delivery.objects.get().outcome == "taken_back"
    assert list(drift.of(ticket)) == []


def test_a_merge_is_no_answer_and_one_answer_meets_both_clocks(mailbox: Channel) -> None:
    kept = heard(mailbox, LAN).ticket
    lost = heard(mailbox, mail_from("hoa@x.test"), occurred_at=moments_ago(200)).ticket
    admin = an_actor("admin")
    joining.merge(survivor_id=kept.pk, loser_id=lost.pk, actor=admin)
    kept.refresh_from_db()
    assert kept.next_due_at == SlaClock.objects.get(ticket=lost).due_at, "the longest wait is shown"
    assert sorted(SlaClock.objects.values_list("state", flat=True)) == ["running", "running"]
    SlaClock.objects.filter(ticket=lost).update(warn_at=moments_ago(2), due_at=moments_ago(1), look_at=moments_ago(2))
    Ticket.objects.filter(pk=kept.pk).update(next_due_at=SlaClock.objects.get(ticket=lost).due_at)
    sla.due()
    kept.refresh_from_db()
    assert kept.sla_state == "breached"
    assert EventLog.objects.get(topic="sla.breached").payload["ticket_id"] == kept.pk
    messages.reply(ticket_id=lost.pk, text="Dạ", actor=admin)
    assert SlaClock.objects.filter(met_at__isnull=True).count() == 0


def test_a_hand_over_between_channels_is_kept(mailbox: Channel) -> None:
    chat = a_chat()
    guest = visitor("v1", chat)
    ticket = heard(chat, guest, also_known=(signed("lan@customer.test"),)).ticket
    heard(mailbox, LAN)
    switched = EventLog.objects.get(topic="ticket.channel_switched")
    assert switched.payload == {"ticket_id": ticket.pk, "before": "webchat", "after": "email", "direction": "in"}


PARTS: list[tuple[list[str], str]] = [
    ([""], DeliveryState.QUEUED),
    (["sent"], DeliveryState.SENT),
    (["delivered"], DeliveryState.DELIVERED),
    (["read"], DeliveryState.READ),
    (["failed"], DeliveryState.FAILED),
    (["unknown"], DeliveryState.UNKNOWN),
    (["taken_back"], DeliveryState.TAKEN_BACK),
    (["sent", ""], DeliveryState.QUEUED),
    (["read", "sent"], DeliveryState.SENT),
    (["read", "delivered"], DeliveryState.DELIVERED),
    (["read", "failed"], DeliveryState.FAILED),
    (["unknown", "failed"], DeliveryState.FAILED),
    (["unknown", "sent"], DeliveryState.UNKNOWN),
    (["unknown", ""], DeliveryState.UNKNOWN),
]


@pytest.mark.parametrize(("outcomes", "state"), PARTS, ids=["+".join(o or "-" for o in row[0]) for row in PARTS])
def test_a_message_is_as_good_as_its_worst_part(outcomes: list[str], state: str) -> None:
    assert _state([Delivery(outcome=outcome) for outcome in outcomes])[0] == state


def test_snoozed_tickets_come_back_once_with_two_loops(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN).ticket
    lifecycle.snooze(ticket_id=ticket.pk, until=now() + timedelta(hours=1), actor=an_actor())
    Ticket.objects.update(snoozed_until=moments_ago(1))
    from tests.core.doubles import together

    before = fired("ticket.changed")
    assert together(4, lifecycle.wake_snoozed) == []
    assert fired("ticket.changed") == before + 1
