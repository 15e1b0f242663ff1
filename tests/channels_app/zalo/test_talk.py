"""A customer writes on Zalo and is answered there: the whole way, over HTTP."""

from dataclasses import replace
from typing import Any

import pytest

from channels_app import registry
from channels_app.contracts import OutboundEnvelope
from channels_app.models import Channel, Delivery, InboundEvent, Thread
from tests.builders import an_actor, run_jobs
from tests.channels_app.zalo.conftest import LAN, Desk
from tickets.messages import actions as messages
from tickets.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


def an_envelope(text: str = "", **fields: Any) -> OutboundEnvelope:
    return OutboundEnvelope(idempotency_key="7", to=LAN, thread_key=LAN, text=text, **fields)


def test_a_customer_writes_and_reads_the_answer(desk: Desk, settings: Any) -> None:
    settings.UNDO_SECONDS = {}
    desk.zalo.says(LAN, "Shop ơi, đơn của mình đâu rồi? 😢")
    assert desk.zalo.pushed[-1][1] == 200
    run_jobs()
    asked = Message.objects.get()
    assert (asked.text, asked.ticket.channel_id) == ("Shop ơi, đơn của mình đâu rồi? 😢", desk.channel.pk)
    messages.reply(ticket_id=asked.ticket_id, text="Dạ, mai đơn tới ạ.", actor=an_actor("admin"))
    run_jobs()
    (line,) = desk.zalo.sent()
    assert (line.person, line.text) == (LAN, "Dạ, mai đơn tới ạ.")
    delivery = Delivery.objects.get()
    assert (delivery.outcome, delivery.provider_id) == ("sent", line.id)
    quota = Thread.objects.get(key=LAN).quota
    assert {key: quota[key] for key in ("remain", "total", "type")} == {"remain": 7, "total": 8, "type": "reply"}


def test_the_same_event_twice_is_one_message(desk: Desk) -> None:
    desk.zalo.says(LAN, "hai lần", times=3)
    assert [status for _body, status in desk.zalo.pushed] == [200, 200, 200]
    assert InboundEvent.objects.count() == 1
    run_jobs()
    assert Message.objects.filter(text="hai lần").count() == 1


def test_a_forged_call_is_refused_and_leaves_nothing(desk: Desk) -> None:
    event = desk.zalo.event(LAN, "giả")
    for signature in ({}, {"X-ZEvent-Signature": "mac=" + "0" * 64}, {"X-ZEvent-Signature": ""}):
        assert desk.zalo.push(event, signed=signature) == 401
    assert not InboundEvent.objects.exists()


def test_an_answer_is_sent_with_what_it_quotes(channel: Channel, desk: Desk) -> None:
    asked = desk.zalo.says(LAN, "Còn size M không?")
    result = registry.adapter("zalo").send(registry.reference(channel), an_envelope("Dạ còn ạ", quotes=asked))
    (line,) = desk.zalo.sent()
    assert (line.id, line.extra["quotes"]) == (result.provider_id, asked)
    assert replace(result, quota={}).state == "sent"
