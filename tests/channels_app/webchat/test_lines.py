"""What a visitor says: kept once, in order, and it is one conversation with everything else of the same person."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from channels_app.models import ChatLine, InboundEvent, Thread
from tests.builders import a_chat, a_mail, a_mailbox, an_actor, receive, run_jobs
from tests.channels_app.webchat.test_session import error
from tests.channels_app.webchat.visitors import Visitor, signed
from tickets.messages import actions as messages
from tickets.models import Customer, Identity, IdentityClaim, Message, SlaClock, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls: list[Any]) -> list[Any]:
    def run(call: Any) -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(run, call) for call in calls]]


def test_a_line_becomes_a_message_and_its_answer_a_line() -> None:
    visitor = Visitor(a_chat())
    answer = visitor.say("Shop còn size M không ạ?")
    assert answer.status_code == 201
    assert answer.json()["seq"] == 1
    run_jobs()
    message = Message.objects.get()
    ticket = message.ticket
    said = "Shop còn size M không ạ?"
    assert (message.channel_kind, message.text, ticket.subject) == ("webchat", said, said)
    assert SlaClock.objects.get(ticket=ticket).state == "running"

    agent = an_actor(name="Minh")
    messages.note(ticket_id=ticket.pk, text="Khách quen, nhẹ nhàng nhé", actor=agent)
    reply = messages.reply(ticket_id=ticket.pk, text="Dạ còn ạ!", actor=agent)
    run_jobs()
    lines = visitor.lines(after=1)
    assert [(line["seq"], line["direction"], line["author"], line["text"]) for line in lines] == [
        (2, "out", "Minh", "Dạ còn ạ!")
    ]
    assert not ChatLine.objects.filter(text__contains="Khách quen").exists()
    reply.refresh_from_db()
    assert reply.delivery_state == "sent"

    assert visitor.post("seen", {"seq": 2}).status_code == 204
    run_jobs()
    reply.refresh_from_db()
    assert reply.delivery_state == "read"


def test_a_line_read_before_its_delivery_is_settled_is_read_all_the_same() -> None:
    from channels_app import outbound, registry
    from channels_app.adapters.webchat import WebChatAdapter

    visitor = Visitor(a_chat())
    visitor.say("Có ai không?")
    run_jobs()
    real = WebChatAdapter.send

    def send_and_be_read(self: WebChatAdapter, *given: Any) -> Any:
        result = real(self, *given)
        assert visitor.post("seen", {"seq": 2}).status_code == 204
        return result

    reply = messages.reply(ticket_id=Ticket.objects.get().pk, text="Có ạ", actor=an_actor())
    adapter = registry.adapter("webchat")
    adapter.send = send_and_be_read.__get__(adapter)  # type: ignore[method-assign]
    try:
        outbound.drain()
    finally:
        del adapter.send  # type: ignore[misc]
    run_jobs()
    reply.refresh_from_db()
    assert reply.delivery_state == "read"


def test_the_same_line_fifty_times_at_once_is_one() -> None:
    visitor, client_id = Visitor(a_chat()), str(uuid.uuid4())
    answers = at_once([lambda: visitor.say("Một lần thôi", client_id=client_id)] * 50)
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert {answer.json()["seq"] for answer in answers} == {1}
    assert InboundEvent.objects.count() == 1
    run_jobs()
    assert Message.objects.count() == 1
    assert visitor.say("anders", client_id=client_id.upper()).json()["text"] == "Một lần thôi"


def test_fifty_first_lines_at_once_are_one_ticket_in_one_order() -> None:
    chat = a_chat()
    person = signed(chat, id="lan")
    devices = [Visitor(chat, **person) for _ in range(5)]
    answers = at_once([lambda n=n: devices[n % 5].say(f"câu {n}") for n in range(50)])
    assert sorted(answer.json()["seq"] for answer in answers) == list(range(1, 51))
    lines = devices[0].lines()
    assert [line["seq"] for line in lines] == list(range(1, 51))
    assert {line["text"] for line in lines} == {f"câu {n}" for n in range(50)}
    at_once([run_jobs] * 4)
    run_jobs()
    assert Ticket.objects.count() == 1
    assert Message.objects.count() == 50


def test_reading_goes_on_where_it_stopped_two_hundred_at_a_time() -> None:
    visitor = Visitor(a_chat())
    thread = Thread.objects.get(pk=visitor.thread)
    ChatLine.objects.bulk_create(
        ChatLine(thread=thread, seq=n, client_id=str(n), direction="in", text=str(n)) for n in range(1, 451)
    )
    got: list[int] = []
    while True:
        page = visitor.get(f"messages?after={got[-1] if got else 0}").json()
        got += [line["seq"] for line in page["results"]]
        assert len(page["results"]) <= 200
        if not page["more"]:
            break
    assert got == list(range(1, 451))
    assert visitor.lines(after=450) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"client_id": "x", "text": "a"}, 422),
        ({"client_id": "d12", "text": "a"}, 422),  # as an answer of ours is named
        ({"text": "a"}, 422),
        ({"client_id": 5, "text": "a"}, 422),
        ({"client_id": str(uuid.UUID(int=1)), "text": ""}, 422),
        ({"client_id": str(uuid.UUID(int=1)), "text": " \x00 "}, 422),
        ({"client_id": str(uuid.UUID(int=1)), "text": {"a": 1}}, 422),
        ({"client_id": str(uuid.UUID(int=1)), "text": "a" * 10_001}, 422),
        ({"client_id": str(uuid.UUID(int=1)), "text": "a" * 70_000}, 413),
        ({"client_id": str(uuid.UUID(int=1)), "text": "a", "attachments": "x"}, 422),
        ({"client_id": str(uuid.UUID(int=1)), "text": "a", "attachments": [None]}, 422),
        ({"client_id": str(uuid.UUID(int=1)), "text": "a", "attachments": [str(uuid.UUID(int=2))]}, 422),
        ({"client_id": str(uuid.UUID(int=1)), "text": "a", "attachments": ["x"] * 11}, 422),
        ([], 400),
    ],
)
def test_a_line_that_makes_no_sense_leaves_nothing(body: Any, status: int) -> None:
    visitor = Visitor(a_chat())
    assert error(visitor.post("messages", body))[0] == status
    assert not ChatLine.objects.exists()
    assert not InboundEvent.objects.exists()


def test_the_longest_line_comes_through_whole() -> None:
    visitor = Visitor(a_chat())
    assert visitor.say("ă" * 10_000).status_code == 201
    run_jobs()
    assert Message.objects.get().text == "ă" * 10_000


@pytest.mark.parametrize("after", ["-1", "x", "", "1.5", "9" * 30, "٣"])
def test_after_must_be_a_number(after: str) -> None:
    assert error(Visitor(a_chat()).get(f"messages?after={after}"))[0] == 422


def test_other_methods_are_refused_in_the_one_shape() -> None:
    visitor = Visitor(a_chat())
    answer = visitor.client.delete(f"/widget/v1/{visitor.channel.pk}/messages", headers=visitor.headers())
    assert error(answer) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_a_visitor_reads_the_own_thread_only() -> None:
    chat = a_chat()
    lan, minh = Visitor(chat), Visitor(chat)
    lan.say("bí mật")
    assert minh.lines() == []


def test_typing_somebodys_address_joins_nobody() -> None:
    mailbox, chat = a_mailbox(), a_chat()
    victim = receive(mailbox, a_mail(sender="Lan <lan@customer.test>", dmarc=True))
    assert victim is not None
    stranger = Visitor(chat, user={"id": "7", "email": "Lan@customer.test", "phone": "0901 234 567", "name": "Lan"})
    stranger.say("Cho mình xem đơn hàng với")
    run_jobs()
    message = Message.objects.get(channel_kind="webchat")
    assert message.ticket_id != victim.ticket_id
    assert message.customer_id != victim.customer_id
    assert message.sender_name == "Lan"
    assert not message.sender_verified
    claims = IdentityClaim.objects.filter(customer=message.customer).order_by("kind")
    assert [(claim.kind, claim.value, claim.confirmed_at) for claim in claims] == [
        ("email", "lan@customer.test", None),
        ("phone", "+84901234567", None),
    ]
    assert [identity.kind for identity in Identity.objects.filter(customer=message.customer)] == ["webchat"]
    messages.reply(ticket_id=victim.ticket_id, text="Đơn của chị đang giao", actor=an_actor())
    run_jobs()
    assert [line["text"] for line in stranger.lines()] == ["Cho mình xem đơn hàng với"]


def test_a_signed_person_is_one_customer_one_ticket_one_timeline_by_mail_and_by_chat() -> None:
    mailbox, chat = a_mailbox(), a_chat()
    mailbox.config = {"authserv_id": "mx.shop.test"}
    mailbox.save()
    mail = receive(mailbox, a_mail(sender="Lan <lan@customer.test>", dmarc=True))
    assert mail is not None
    visitor = Visitor(chat, **signed(chat, id="9", email="Lan@Customer.test", phone="+84 90 123 4567", name="Lan"))
    visitor.say("Em nhắn thêm ở đây nhé")
    run_jobs()
    said = Message.objects.get(channel_kind="webchat")
    assert (said.ticket_id, said.customer_id, said.sender_verified) == (mail.ticket_id, mail.customer_id, True)
    assert Customer.objects.count() == 1
    assert Ticket.objects.count() == 1
    known = {(identity.kind, identity.value, identity.evidence) for identity in Identity.objects.all()}
    assert {
        ("email", "lan@customer.test"), ("phone", "+84901234567"), ("host", "9"), ("webchat", "u:9"),
    } == {(kind, value) for kind, value, _evidence in known}  # fmt: skip
    assert all(identity.verified_at for identity in Identity.objects.all())
    back = receive(mailbox, a_mail(sender="Lan <lan@customer.test>", subject="Thêm nữa", dmarc=True))
    assert back is not None
    assert back.ticket_id == mail.ticket_id
    assert [line["text"] for line in visitor.lines()] == ["Em nhắn thêm ở đây nhé"]  # mail is not shown in the chat


def test_chat_first_and_mail_after_is_one_ticket_too() -> None:
    mailbox, chat = a_mailbox(), a_chat()
    visitor = Visitor(chat, **signed(chat, id="9", email="lan@customer.test"))
    visitor.say("Đơn của mình đâu?")
    run_jobs()
    mail = receive(mailbox, a_mail(sender="Lan <lan@customer.test>"))
    assert mail is not None
    assert mail.ticket_id == Message.objects.get(channel_kind="webchat").ticket_id


def test_the_receipt_holds_what_the_adapter_reads_and_no_more() -> None:
    visitor = Visitor(a_chat())
    visitor.say("xin chào")
    event = InboundEvent.objects.get()
    raw = json.loads(bytes(event.inboundraw.body))
    assert set(raw) == {"thread_key", "client_id", "text", "at", "name", "files", "also_known", "signed"}
    assert event.external_id == f"{raw['thread_key']}:{raw['client_id']}"
