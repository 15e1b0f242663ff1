"""The visitor's socket over a real server and a real Valkey."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test.utils import override_settings
from django.utils.timezone import now
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from channels_app.models import ChatLine, Thread
from helpdesk.core import realtime
from tests.builders import a_chat, an_actor, run_jobs
from tests.channels_app.webchat.server import web
from tests.channels_app.webchat.visitors import ORIGIN, Visitor, signed
from tickets.messages import actions as messages
from tickets.messages.typing import agent_types
from tickets.models import Message, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.enable_socket]


@pytest.fixture
def address() -> Iterator[str]:
    with web() as found:
        yield found
    connections.close_all()


def socket_of(visitor: Visitor, address: str, *, after: int = 0, origin: str | None = ORIGIN) -> ClientConnection:
    url = f"{address.replace('http', 'ws')}/ws/widget/{visitor.channel.pk}/?token={visitor.token}&after={after}"
    return connect(url, origin=origin, open_timeout=10, proxy=None)  # type: ignore[arg-type]


def heard(socket: ClientConnection, kind: str = "line", seconds: float = 10) -> Any:
    """The next frame of this kind."""
    end = time.monotonic() + seconds
    while True:
        frame = json.loads(socket.recv(timeout=max(0.01, end - time.monotonic())))
        if frame["type"] == kind:
            return frame


def silent(socket: ClientConnection, seconds: float = 0.5) -> bool:
    try:
        socket.recv(timeout=seconds)
    except TimeoutError:
        return True
    return False


def test_lines_arrive_as_they_are_said_and_from_where_one_stopped(address: str) -> None:
    chat = a_chat()
    person = signed(chat, id="lan")
    phone, laptop = Visitor(chat, **person), Visitor(chat, **person)
    phone.say("một")
    with socket_of(laptop, address) as socket:
        assert heard(socket)["line"]["text"] == "một"
        phone.say("hai")
        assert heard(socket)["line"] == laptop.lines(after=1)[0]
    phone.say("ba")
    run_jobs()
    ticket = Ticket.objects.get()
    messages.note(ticket_id=ticket.pk, text="chỉ nội bộ", actor=an_actor())
    messages.reply(ticket_id=ticket.pk, text="bốn", actor=an_actor(name="Minh"))
    run_jobs()
    with socket_of(laptop, address, after=2) as socket:
        assert [heard(socket)["line"]["text"] for _ in range(2)] == ["ba", "bốn"]
        assert silent(socket)


def test_a_hundred_broken_connections_miss_nothing_and_repeat_nothing(address: str) -> None:
    visitor = Visitor(a_chat())
    got: list[int] = []
    for number in range(1, 101):
        if number % 5 == 0:
            visitor.say(f"trước {number}")
        with socket_of(visitor, address, after=got[-1] if got else 0) as socket:
            if number % 3 == 0:
                visitor.say(f"trong lúc {number}")
            missing = ChatLine.objects.count() - len(got)
            got += [heard(socket)["line"]["seq"] for _ in range(missing)]
    assert got == list(range(1, ChatLine.objects.count() + 1))
    assert len(got) == 20 + 33


def test_a_long_absence_is_made_up_for_in_order(address: str) -> None:
    visitor = Visitor(a_chat())
    thread = Thread.objects.get(pk=visitor.thread)
    ChatLine.objects.bulk_create(
        ChatLine(thread=thread, seq=n, client_id=str(n), direction="out", text=str(n)) for n in range(1, 451)
    )
    with socket_of(visitor, address, after=3) as socket:
        assert [heard(socket)["line"]["seq"] for _ in range(447)] == list(range(4, 451))


@pytest.mark.parametrize("origin", ["https://evil.test", "http://shop.test.evil.test", "http://shop.test:81", "null"])
def test_a_page_that_is_not_on_the_list_gets_no_socket(address: str, origin: str) -> None:
    visitor = Visitor(a_chat(config={"origins": ["http://shop.test", "*"]}))
    with pytest.raises(InvalidStatus) as refused, socket_of(visitor, address, origin=origin):
        pass
    assert refused.value.response.status_code == 403
    with socket_of(visitor, address, origin=ORIGIN):
        pass


def test_the_desks_own_page_gets_a_socket(address: str) -> None:
    visitor = Visitor(a_chat(), origin="")
    with socket_of(visitor, address, origin=address):
        pass


@pytest.mark.parametrize("case", ["garbled", "expired", "other channel", "unknown channel", "bad after"])
def test_without_a_good_token_there_is_no_socket(address: str, case: str) -> None:
    visitor = Visitor(a_chat())
    status, after, days = 401, 0, 90
    match case:
        case "garbled":
            visitor.token += "x"
        case "expired":
            days = -1
        case "other channel":
            visitor.channel = a_chat()
        case "unknown channel":
            visitor.channel.pk = "6f9619ff-8b86-d011-b42d-00c04fc964ff"
            status = 404
        case "bad after":
            after, status = -5, 422
    with (
        override_settings(WIDGET_TOKEN_DAYS=days),
        pytest.raises(InvalidStatus) as refused,
        socket_of(visitor, address, after=after),
    ):
        pass
    assert refused.value.response.status_code == status
    assert set(json.loads(refused.value.response.body)["error"]) == {"code", "message", "fields", "request_id"}


def test_reading_is_told_and_presence_is_kept(address: str) -> None:
    visitor = Visitor(a_chat())
    visitor.say("alo")
    run_jobs()
    reply = messages.reply(ticket_id=Ticket.objects.get().pk, text="dạ", actor=an_actor())
    run_jobs()
    Thread.objects.filter(pk=visitor.thread).update(seen_at=None)
    with socket_of(visitor, address) as socket:
        heard(socket), heard(socket)
        socket.send(json.dumps({"type": "seen", "seq": 99}))  # never beyond what there is
        socket.send(json.dumps({"type": "nonsense"}))
        assert heard(socket, "error")["error"]["code"] == "invalid"
        for bad in ("{", "[]", "5", '{"type": "seen", "seq": "x"}', '{"type": "seen", "seq": true}', "x" * 5000):
            socket.send(bad)
            assert heard(socket, "error")["error"]["message"]
    run_jobs()
    assert Message.objects.get(pk=reply.pk).delivery_state == "read"
    thread = Thread.objects.get(pk=visitor.thread)
    assert thread.visitor.seen_seq == 2
    assert thread.seen_at is not None
    assert (now() - thread.seen_at).total_seconds() < 30


def test_typing_goes_both_ways_and_only_to_those_who_talk(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = a_chat()
    lan, other = Visitor(chat, user={"id": "1", "name": "Lan"}), Visitor(chat)
    lan.say("alo")
    other.say("alo")
    run_jobs()
    ticket = Message.objects.get(thread_id=lan.thread).ticket
    told: list[tuple[str, Any]] = []
    send = realtime.send
    monkeypatch.setattr(realtime, "send", lambda group, message: (told.append((group, message)), send(group, message)))
    with socket_of(lan, address, after=1) as socket, socket_of(other, address, after=1) as stranger:
        agent_types(ticket_id=ticket.pk, name="Minh")
        assert heard(socket, "typing") == {"type": "typing", "name": "Minh"}
        assert silent(stranger)
        for _ in range(5):
            socket.send(json.dumps({"type": "typing"}))
        socket.send(json.dumps({"type": "seen", "seq": 1}))
        socket.send("{")
        heard(socket, "error")
    typed = [(group, message) for group, message in told if message["type"] == "presence"]
    assert len(typed) == 1  # the other four came too soon
    group, message = typed[0]
    assert group == f"ticket.{ticket.pk}"
    assert (message["ticket"], message["name"], message["what"]) == (str(ticket.pk), "Lan", "typing")
