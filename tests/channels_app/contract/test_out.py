"""What holds for whatever goes out, whoever the provider is: one file, every adapter."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from channels_app import outbound, registry
from channels_app.models import Channel, Delivery
from channels_app.simulators.base import Fault
from tests.builders import an_actor, run_jobs
from tests.channels_app.contract.conftest import PICTURE, Door
from tickets.messages import actions as messages
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def answer(door: Door, text: str, **more: Any) -> Message:
    """An agent's answer to the only ticket, on this very channel."""
    ticket = Ticket.objects.get()
    return messages.reply(ticket_id=ticket.pk, text=text, actor=an_actor("admin"), channel_id=door.channel.pk, **more)


def settled(message: Message) -> Message:
    run_jobs()
    message.refresh_from_db()
    return message


def begin(door: Door) -> Ticket:
    door.provider.says(door.person, "Shop ơi!")
    run_jobs()
    return Ticket.objects.get()


def test_an_answer_reaches_the_person_as_it_was_typed(door: Door) -> None:
    begin(door)
    text = "Dạ shop đã gửi rồi ạ 👍🏽 — مرحبا"
    message = settled(answer(door, text))
    [line] = door.provider.sent()
    assert line.text == text
    assert line.person == door.person
    assert message.delivery_state in ("sent", "delivered", "read")


def test_a_long_answer_arrives_in_pieces_and_in_order(door: Door) -> None:
    begin(door)
    text = "\n\n".join(f"Đoạn {number}: " + "chữ " * 300 for number in range(12))
    message = settled(answer(door, text))
    arrived = " ".join(line.text for line in door.provider.sent())
    assert arrived.split() == text.split()
    assert message.delivery_state in ("sent", "delivered", "read")


def test_a_busy_provider_is_asked_again_later(door: Door) -> None:
    begin(door)
    door.provider.faults.append(Fault("status", 429, headers={"Retry-After": "30"}))
    message = settled(answer(door, "Later"))
    [delivery] = Delivery.objects.filter(message_id=message.pk)
    assert (delivery.state, message.delivery_state) == ("pending", "queued")
    assert delivery.due_at > now() + timedelta(seconds=1)
    assert not door.provider.sent()
    Delivery.objects.update(due_at=now())
    assert settled(message).delivery_state in ("sent", "delivered", "read")
    assert [line.text for line in door.provider.sent()] == ["Later"]


@pytest.mark.parametrize("status", [500, 503])
def test_a_provider_that_breaks_down_has_refused_nothing(door: Door, status: int) -> None:
    begin(door)
    door.provider.faults.append(Fault("status", status, body=b"<html>oops</html>"))
    message = settled(answer(door, "Whatever happens"))
    assert message.delivery_state in ("queued", "unknown"), message.delivery_reason
    Delivery.objects.filter(state="pending").update(due_at=now())
    assert settled(message).delivery_state in ("sent", "delivered", "read", "unknown")
    assert len(door.provider.sent()) <= 1


def test_a_refusal_is_told_to_the_agent(door: Door) -> None:
    begin(door)
    door.provider.faults.append(Fault("status", 400, body={"error": {"message": "no", "code": 100}}))
    message = settled(answer(door, "Nobody reads this"))
    assert message.delivery_state == "failed"
    assert message.delivery_reason


def test_a_lost_answer_is_never_sent_twice(door: Door) -> None:
    begin(door)
    door.provider.faults.append(Fault("lost"))
    message = settled(answer(door, "Exactly once"))
    Delivery.objects.filter(state="pending").update(due_at=now())
    message = settled(message)
    assert [line.text for line in door.provider.sent()] == ["Exactly once"]
    if registry.adapter(door.channel.kind).idempotent:
        assert message.delivery_state in ("sent", "delivered", "read")
    else:
        assert message.delivery_state in ("unknown", "sent", "delivered", "read")  # an echo or a receipt may tell


def test_a_provider_that_is_away_costs_nothing(door: Door) -> None:
    begin(door)
    base = door.provider.base_url
    config = {key: value.replace(base, "http://127.0.0.1:1/gone") if isinstance(value, str) else value
              for key, value in door.channel.config.items()}  # fmt: skip
    Channel.objects.update(config=config)
    registry.forget()
    from django.conf import settings

    settings.ENV.helpdesk_allow_hosts  # noqa: B018 - the pair below is not in it, so the guard refuses: GiveUp
    message = settled(answer(door, "Not reached"))
    assert message.delivery_state in ("failed", "queued")
    assert not door.provider.sent()


def test_a_dead_key_marks_the_channel(door: Door) -> None:
    begin(door)
    if door.channel.kind == "open_api":
        pytest.skip("an own system has no key of a provider")
    door.provider.revoke()
    message = settled(answer(door, "With a dead key"))
    assert message.delivery_state == "failed"
    assert door.fresh().problem_kind == "auth"


def test_a_worker_that_died_while_sending_leaves_no_second_message(door: Door) -> None:
    begin(door)
    message = answer(door, "Half-way")
    [held] = outbound.jobs.claim(Delivery, 1)
    outbound._prepare(held)()  # it left the house, then the worker died
    Delivery.objects.filter(pk=held.job.pk).update(due_at=now() - timedelta(seconds=1))
    settled(message)
    assert [line.text for line in door.provider.sent()] == ["Half-way"]


def test_no_key_is_written_down_or_given_back(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    begin(door)
    door.provider.says(door.person, file=("hoa-don.png", "image/png", PICTURE))
    answer(door, "Có ngay")
    door.provider.faults.append(Fault("status", 500))
    run_jobs()
    keys = [value for value in door.provider.SECRETS.values() if len(value) > 7]
    assert keys or door.channel.kind == "open_api"
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{table}\" t")
            content = cursor.fetchone()[0]
        assert not [key for key in keys if key in content], table
    assert not [key for key in keys if key in caplog.text]
