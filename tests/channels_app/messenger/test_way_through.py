"""A customer's words by Messenger on their whole way in, and an answer on its way out, over real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from channels_app import outbound
from channels_app.models import Delivery, InboundEvent, Thread
from channels_app.simulators.messenger import Messenger
from tests.builders import an_actor, run_jobs
from tests.channels_app.simulated import Played, parsed, played
from tickets.messages import actions as messages
from tickets.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
HA = "7300000000000101"


@pytest.fixture
def page(settings: Any) -> Iterator[Played]:
    with played(Messenger(), settings) as page:
        yield page


def test_words_come_in_and_an_answer_goes_out(page: Played) -> None:
    page.row()
    mid = page.provider.says(HA, "Shop ơi, áo này còn size M không?", times=2)
    assert [status for _body, status in page.provider.pushed] == [200, 200]
    run_jobs()
    [message] = Message.objects.all()
    assert (message.text, message.external_id, message.direction) == ("Shop ơi, áo này còn size M không?", mid, "in")
    thread = Thread.objects.get()
    assert (thread.key, thread.address) == (HA, HA)

    messages.reply(ticket_id=message.ticket_id, text="Dạ còn ạ!", actor=an_actor("admin"))
    run_jobs()
    [line] = page.provider.sent()
    assert (line.person, line.text) == (HA, "Dạ còn ạ!")
    delivery = Delivery.objects.get()
    assert (delivery.provider_id, delivery.outcome) == (line.id, "sent")


def test_receipts_reach_the_message(page: Played) -> None:
    row = page.row()
    page.provider.says(HA, "Còn hàng không ạ?")
    run_jobs()
    ticket_id = Message.objects.get().ticket_id
    messages.reply(ticket_id=ticket_id, text="Dạ còn ạ!", actor=an_actor("admin"))
    run_jobs()
    shown = page.provider.sent()[0]
    for state, event in page.provider.receipts(shown):
        for receipt in parsed("messenger", row.address, page.item(event)):
            with transaction.atomic():
                outbound.report(receipt, channel_id=row.pk)
        assert Delivery.objects.get().outcome == state


def test_a_kind_of_event_nobody_knows_is_in_no_ones_way(page: Played) -> None:
    page.row()
    provider = page.provider
    assert provider.push(provider.envelope([provider.odd(HA), provider.event(HA, "Alo?", id="m_after")])) == 200
    run_jobs()
    assert Message.objects.filter(external_id="m_after").exists()
    assert not InboundEvent.objects.exclude(state="done").exists()
