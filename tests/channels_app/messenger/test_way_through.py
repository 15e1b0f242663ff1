"""A customer's words by Messenger on their whole way in, and an answer on its way out, over real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from channels_app import outbound
from channels_app.models import Delivery, InboundEvent, Thread
from channels_app.simulators.base import Fault
from channels_app.simulators.messenger import Messenger
from tests.builders import an_actor, run_jobs
from tests.channels_app.simulated import Played, envelope, parsed, played
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


def test_what_is_typed_in_the_providers_own_inbox_is_an_agents(page: Played) -> None:
    page.row()
    page.provider.says(HA, "Còn hàng không ạ?")
    mid = page.provider.types_elsewhere(HA, "Dạ còn ạ, em gửi link nhé")
    run_jobs()
    typed = Message.objects.get(external_id=mid)
    assert (typed.direction, typed.text, typed.kind) == ("out", "Dạ còn ạ, em gửi link nhé", "message")
    assert typed.ticket_id == Message.objects.get(direction="in").ticket_id


def test_our_own_echo_is_no_second_message(page: Played) -> None:
    page.row()
    page.provider.says(HA, "Còn hàng không ạ?")
    run_jobs()
    messages.reply(ticket_id=Message.objects.get().ticket_id, text="Dạ còn ạ!", actor=an_actor("admin"))
    run_jobs()
    page.act()
    run_jobs()
    assert Message.objects.filter(direction="out").count() == 1
    assert Delivery.objects.get().outcome == "read"


def test_a_lost_answer_is_found_again_by_its_echo(page: Played) -> None:
    page.row()
    page.provider.says(HA, "Còn hàng không ạ?")
    run_jobs()
    page.provider.faults.append(Fault("lost"))
    messages.reply(ticket_id=Message.objects.get().ticket_id, text="Dạ còn ạ!", actor=an_actor("admin"))
    run_jobs()
    assert Delivery.objects.get().outcome == "unknown"
    page.act()
    run_jobs()
    [line] = page.provider.sent()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.provider_id) == ("done", line.id)
    assert Message.objects.filter(direction="out").count() == 1


def test_a_comment_and_a_message_are_one_customer(page: Played) -> None:
    page.row()
    comment_id = page.provider.says(HA, "/comment Giá bao nhiêu ạ?")
    page.provider.says(HA, "Em inbox rồi nhé shop")
    run_jobs()
    public = Message.objects.get(external_id=comment_id)
    private = Message.objects.get(text="Em inbox rồi nhé shop")
    assert (public.kind, private.kind) == ("comment", "message")
    assert public.ticket.customer_id == private.ticket.customer_id
    assert public.thread_id != private.thread_id


def test_a_comment_is_edited_and_deleted(page: Played) -> None:
    page.row()
    provider = page.provider
    comment = provider.comments_on(HA, "Giá bao nhiêu ạ?")
    comment.text = "Giá sỉ bao nhiêu ạ?"
    provider.push(provider.envelope([provider.comment_event(comment, "edited")]))
    run_jobs()
    assert Message.objects.get().text == "Giá sỉ bao nhiêu ạ?"
    provider.push(provider.envelope([provider.comment_event(comment, "remove")]))
    run_jobs()
    assert "sỉ" not in Message.objects.get().text


def test_the_pages_own_comment_stands_with_the_one_it_answers(page: Played) -> None:
    """The provider says what it stands under; whose line that is we know from the comment's own call."""
    page.row()
    provider = page.provider
    above = provider.comments_on(HA, "Giá bao nhiêu ạ?")
    own = provider.note(provider.account_id, "Dạ 499k ạ", post=above.post, parent=above.id)
    provider.push(provider.envelope([provider.comment_event(own)]))
    aside = provider.note(provider.account_id, "Mọi người xem ảnh nhé", post=above.post)
    provider.push(provider.envelope([provider.comment_event(aside)]))
    more = provider.note(provider.account_id, "Ảnh đây ạ", post=above.post, parent=aside.id)
    provider.push(provider.envelope([provider.comment_event(more)]))
    run_jobs()
    asked, answered = Message.objects.order_by("pk")
    assert (answered.direction, answered.kind, answered.text) == ("out", "comment", "Dạ 499k ạ")
    assert (answered.thread_id, answered.ticket_id) == (asked.thread_id, asked.ticket_id)
    assert not InboundEvent.objects.exclude(state="done").exists()


def test_our_own_comment_comes_back_as_no_second_message(page: Played) -> None:
    row = page.row()
    above = page.provider.comments_on(HA, "Giá bao nhiêu ạ?")
    run_jobs()
    line = Thread.objects.get()
    answer = envelope(to=HA, thread_key=line.key, mode="comment", quotes=above.id, text="Dạ 499k ạ")
    outbound.enqueue(channel_id=row.pk, message_id=None, envelope=answer)
    run_jobs()
    assert Delivery.objects.get().outcome == "sent"
    page.act()
    run_jobs()
    assert Message.objects.count() == 1


def test_a_kind_of_event_nobody_knows_is_in_no_ones_way(page: Played) -> None:
    page.row()
    provider = page.provider
    assert provider.push(provider.envelope([provider.odd(HA), provider.event(HA, "Alo?", id="m_after")])) == 200
    run_jobs()
    assert Message.objects.filter(external_id="m_after").exists()
    assert not InboundEvent.objects.exclude(state="done").exists()
