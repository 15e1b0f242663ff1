"""Answering on any channel: what leaves and in how many parts, and what is refused before anything is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from channels_app.models import Channel, Delivery, Media, Thread
from helpdesk.core.actor import Actor
from helpdesk.core.errors import DomainError, Invalid
from helpdesk.core.models import EventLog
from tests.builders import a_mailbox, an_actor
from tests.tickets.ways import TEMPLATES, a_door, commented, known_as, wrote
from tickets.messages import actions as messages
from tickets.messages.refusals import ChannelBlocked, FileTooLarge, Unreachable, WindowClosed
from tickets.models import Draft, Message, SlaClock, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOT = Actor(kind="bot", name="Bot")


@pytest.fixture
def agent(db: None) -> Actor:
    return an_actor(name="Minh")


@contextmanager
def refused(ticket: Ticket, error: type[DomainError]) -> Iterator[Any]:
    """The refusal; nothing is written, sent or recorded, and nothing of the ticket changes."""

    def everything() -> tuple[Any, ...]:
        counts = [model.objects.count() for model in (Message, Delivery, Thread, EventLog, Draft)]
        clocks = list(SlaClock.objects.order_by("pk").values_list("state", "met_at"))
        return counts, clocks, Ticket.objects.filter(pk=ticket.pk).values().get()

    before = everything()
    with pytest.raises(error) as caught:
        yield caught
    assert everything() == before


def answer(ticket: Ticket, actor: Actor, text: str = "Dạ em đây", **given: Any) -> Message:
    return messages.reply(ticket_id=ticket.pk, text=text, actor=actor, **given)


def sent(message: Message) -> list[dict[str, Any]]:
    parts = Delivery.objects.filter(message_id=message.pk).order_by("pk")
    assert [part.part for part in parts] == list(range(len(parts)))
    assert {part.lane for part in parts} == {f"thread:{message.thread_id}"}
    return [part.payload for part in parts]


def a_file(actor: Actor, size: int, content_type: str = "image/png", name: str = "a.png") -> str:
    file = messages.upload(content=b"x", filename=name, content_type=content_type, actor=actor)
    Media.objects.filter(pk=file.pk).update(size=size, content_type=content_type)
    return str(file.pk)


# --- what leaves


def test_a_long_answer_leaves_in_parts_and_files_follow(agent: Actor) -> None:
    ticket = wrote(a_door("messenger")).ticket
    text = " ".join(["xin chào"] * 500)  # 4499 characters
    file = a_file(agent, 1000)
    message = answer(ticket, agent, text, media_ids=(file,), choices=("Có", "Không"))
    parts = sent(message)
    assert [len(part["text"]) <= 2000 for part in parts] == [True] * 4
    assert " ".join(part["text"] for part in parts[:3]) == text
    assert [part["choices"] for part in parts] == [[], [], ["Có", "Không"], []]
    assert [len(part["files"]) for part in parts] == [0, 0, 0, 1]
    assert {(part["to"], part["thread_key"], part["mode"], part["past_window"]) for part in parts} == {
        ("u1", "u1", "", False)
    }
    assert (message.text, message.details) == (text, {"choices": ["Có", "Không"]})


def test_past_the_window_only_a_person_goes_on_and_it_says_so(agent: Actor) -> None:
    ticket = wrote(a_door("messenger", config={"human_agent": True}), ago=2 * DAY).ticket
    with refused(ticket, WindowClosed) as caught:
        answer(ticket, BOT)
    assert caught.value.fields["others"] == []
    [part] = sent(answer(ticket, agent))
    assert (part["past_window"], part["auto"]) == (True, False)


def test_inside_the_window_machines_answer_too_and_are_marked(agent: Actor) -> None:
    ticket = wrote(a_door("messenger", config={"human_agent": True})).ticket
    [part] = sent(answer(ticket, BOT))
    assert (part["past_window"], part["auto"]) == (False, True)


def test_a_template_is_filled_and_kept(agent: Actor) -> None:
    ticket = wrote(a_door("whatsapp", state={"templates": TEMPLATES}), ago=3 * DAY).ticket
    template = {"name": "order_late", "language": "vi", "parameters": ["Lan", "1024"]}
    message = answer(ticket, agent, "", template=template)
    assert message.text == "Chào Lan, đơn 1024 sẽ tới muộn."
    assert message.details == {"template": template}
    [part] = sent(message)
    assert (part["template"], part["text"]) == (template, message.text)
    assert not part["past_window"]


def test_an_answer_points_at_a_message_of_its_line(agent: Actor) -> None:
    asked = wrote(a_door("zalo"))
    message = answer(asked.ticket, agent, quotes=asked.pk)
    [part] = sent(message)
    assert part["quotes"] == message.quotes == asked.external_id
    Delivery.objects.update(provider_id="zalo-77", outcome="sent", state="done")
    again = answer(asked.ticket, agent, quotes=message.pk)
    assert again.quotes == message.external_id
    assert sent(again)[0]["quotes"] == "zalo-77"


def test_a_comment_is_answered_under_its_post(agent: Actor) -> None:
    comment = commented(a_door("messenger"))
    message = answer(comment.ticket, agent, mode="comment")
    assert (message.kind, message.details, message.quotes) == ("comment", {"mode": "comment"}, comment.external_id)
    [part] = sent(message)
    assert (part["mode"], part["quotes"]) == ("comment", comment.external_id)
    assert SlaClock.objects.get().state == "met"
    assert answer(comment.ticket, agent).kind == "comment", "unasked it goes where they wrote"


def test_a_comment_is_answered_in_private_once(agent: Actor) -> None:
    comment = commented(a_door("messenger"))
    message = answer(comment.ticket, agent, mode="private")
    assert (message.kind, message.details) == ("message", {"mode": "private"})
    [part] = sent(message)
    assert (part["mode"], part["quotes"]) == ("private", comment.external_id)
    with refused(comment.ticket, WindowClosed) as caught:
        answer(comment.ticket, agent, mode="private")
    assert [one["mode"] for one in caught.value.fields["others"]] == ["comment"]


def test_an_older_comment_can_be_named(agent: Actor) -> None:
    messenger = a_door("messenger")
    older, _newer = commented(messenger, ago=HOUR), commented(messenger)
    [part] = sent(answer(older.ticket, agent, mode="comment", quotes=older.pk))
    assert part["quotes"] == older.external_id


def test_going_on_by_another_channel_is_a_hand_over(agent: Actor) -> None:
    ticket = wrote(a_door("messenger")).ticket
    known_as(ticket.customer, "email", "lan@customer.test")
    mailbox = a_mailbox()
    answer(ticket, agent)
    assert not EventLog.objects.filter(topic="ticket.channel_switched").exists()
    answer(ticket, agent, channel_id=mailbox.pk)
    answer(ticket, agent, channel_id=mailbox.pk)
    switched = EventLog.objects.get(topic="ticket.channel_switched")
    assert switched.payload == {"ticket_id": ticket.pk, "before": "messenger", "after": "email", "direction": "out"}
    assert (switched.actor_kind, switched.actor_id) == ("user", agent.id)


# --- what is refused


def test_a_closed_window_is_refused_with_what_would_reach_them(agent: Actor) -> None:
    messenger, mailbox = a_door("messenger"), a_mailbox()
    said = wrote(messenger, ago=2 * DAY)
    with refused(said.ticket, WindowClosed) as caught:
        answer(said.ticket, agent)
    error = caught.value
    assert (error.status, error.code) == (409, "window_closed")
    assert error.fields["channel"] == str(messenger.pk)
    assert error.fields["closes_at"] == (Thread.objects.get().last_inbound_at + DAY).isoformat()
    assert error.fields["others"] == []
    known_as(said.ticket.customer, "email", "lan@customer.test")
    with refused(said.ticket, WindowClosed) as caught:
        answer(said.ticket, agent, channel_id=messenger.pk)
    [other] = caught.value.fields["others"]
    assert (other["channel"], other["kind"], other["name"]) == (str(mailbox.pk), "email", "Support")
    assert answer(said.ticket, agent).channel == mailbox, "unasked the open one is taken"


def test_where_only_a_template_goes_through_words_are_refused(agent: Actor) -> None:
    ticket = wrote(a_door("whatsapp", state={"templates": TEMPLATES}), ago=2 * DAY).ticket
    with refused(ticket, WindowClosed) as caught:
        answer(ticket, agent)
    assert "template" in str(caught.value)


def test_a_channel_whose_keys_are_dead_sends_nothing(agent: Actor) -> None:
    ticket = wrote(a_door("telegram", problem_kind="auth", problem="Telegram refuses the key")).ticket
    with refused(ticket, ChannelBlocked) as caught:
        answer(ticket, agent)
    assert (caught.value.status, caught.value.code) == (409, "channel_blocked")
    assert caught.value.fields["reason"] == "Telegram refuses the key"


def test_who_blocked_us_is_not_written_to(agent: Actor) -> None:
    ticket = wrote(a_door("telegram")).ticket
    Thread.objects.update(unreachable="blocked")
    with refused(ticket, Unreachable) as caught:
        answer(ticket, agent)
    assert (caught.value.status, caught.value.code) == (409, "unreachable")


def test_an_unknown_way_is_refused(agent: Actor) -> None:
    ticket = wrote(a_door("telegram")).ticket
    stranger = a_door("zalo")
    for given in ({"channel_id": stranger.pk}, {"address": "nobody"}, {"mode": "private"}, {"mode": "comment"}):
        with refused(ticket, Invalid) as caught:
            answer(ticket, agent, **given)  # type: ignore[arg-type]
        assert caught.value.fields == {"channel": "unreachable"}


@pytest.mark.parametrize(
    ("kind", "size", "content_type", "limit"),
    [
        ("zalo", 2 * 1024 * 1024, "image/png", 1024 * 1024),
        ("instagram", 10, "application/pdf", 0),
        ("line", 21 * 1024 * 1024, "image/png", 20 * 1024 * 1024),
    ],
)
def test_a_file_the_channel_does_not_carry_is_refused(
    agent: Actor, kind: str, size: int, content_type: str, limit: int
) -> None:
    ticket = wrote(a_door(kind)).ticket
    file = a_file(agent, size, content_type)
    with refused(ticket, FileTooLarge) as caught:
        answer(ticket, agent, media_ids=(file,))
    assert (caught.value.status, caught.value.code) == (422, "file_too_large")
    assert caught.value.fields == {"attachments": [{"id": file, "filename": "a.png", "size": size, "limit": limit}]}
    assert "a.png" in str(caught.value)


def test_no_file_goes_under_a_comment(agent: Actor) -> None:
    ticket = commented(a_door("messenger")).ticket
    file = a_file(agent, 10)
    for mode in ("comment", "private"):
        with refused(ticket, FileTooLarge):
            answer(ticket, agent, mode=mode, media_ids=(file,))


def test_a_private_answer_is_one_message(agent: Actor) -> None:
    ticket = commented(a_door("instagram")).ticket
    with refused(ticket, Invalid) as caught:
        answer(ticket, agent, "ế" * 400, mode="private")
    assert caught.value.fields == {"text": "too_long"}
    assert len(sent(answer(ticket, agent, "ế" * 333, mode="private"))) == 1


@pytest.mark.parametrize(
    ("template", "text", "why"),
    [
        ({"name": "nothing", "language": "vi", "parameters": []}, "", "unknown"),
        ({"name": "order_late", "language": "en", "parameters": ["a", "b"]}, "", "unknown"),
        ({"name": "order_late", "language": "vi", "parameters": ["a"]}, "", "parameters"),
        ({"name": "order_late", "language": "vi", "parameters": ["a", " "]}, "", "parameters"),
        ({"name": "order_late", "language": "vi", "parameters": ["a", "b" * 501]}, "", "parameters"),
        ({"name": "order_late", "language": "vi", "parameters": ["a", "b"]}, "und mehr", "alone"),
    ],
)
def test_a_template_that_cannot_be_sent_is_refused(agent: Actor, template: dict[str, Any], text: str, why: str) -> None:
    ticket = wrote(a_door("whatsapp", state={"templates": TEMPLATES}), ago=3 * DAY).ticket
    with refused(ticket, Invalid) as caught:
        answer(ticket, agent, text, template=template)
    assert caught.value.fields == {"template": why}


def test_only_some_channels_have_templates(agent: Actor) -> None:
    ticket = wrote(a_door("telegram", state={"templates": TEMPLATES})).ticket
    with refused(ticket, Invalid) as caught:
        answer(ticket, agent, "", template={"name": "hello", "language": "en", "parameters": ["Lan"]})
    assert caught.value.fields == {"template": "unsupported"}


@pytest.mark.parametrize(
    ("kind", "text", "choices", "why"),
    [
        ("whatsapp", "Chọn", tuple("abcdefghijk"), "too_many"),
        ("sms", "Chọn", ("a",), "unsupported"),
        ("messenger", "Chọn", ("a", "a"), "invalid"),
        ("messenger", "Chọn", ("a", " "), "invalid"),
        ("messenger", "Chọn", ("x" * 21,), "invalid"),
    ],
)
def test_quick_replies_the_channel_does_not_show_are_refused(
    agent: Actor, kind: str, text: str, choices: tuple[str, ...], why: str
) -> None:
    ticket = wrote(a_door(kind)).ticket
    with refused(ticket, Invalid) as caught:
        answer(ticket, agent, text, choices=choices)
    assert caught.value.fields == {"choices": why}


def test_quick_replies_stand_under_words(agent: Actor) -> None:
    ticket = wrote(a_door("messenger")).ticket
    file = a_file(agent, 10)
    with refused(ticket, Invalid) as caught:
        answer(ticket, agent, " ", media_ids=(file,), choices=("a",))
    assert caught.value.fields == {"choices": "without_text"}


def test_only_a_message_of_the_conversation_and_line_can_be_answered_to(agent: Actor) -> None:
    ticket = wrote(a_door("zalo")).ticket
    elsewhere = wrote(a_door("telegram"), "t9")
    for quotes, why in ((elsewhere.pk, "unknown"), (10**15, "unknown"), ("x", "unknown")):
        with refused(ticket, Invalid) as caught:
            answer(ticket, agent, quotes=quotes)
        assert caught.value.fields == {"quotes": why}
    note = messages.note(ticket_id=ticket.pk, text="intern", actor=agent)
    with refused(ticket, Invalid):
        answer(ticket, agent, quotes=note.pk)
    messenger = wrote(a_door("messenger"), "m9")
    with refused(messenger.ticket, Invalid) as caught:
        answer(messenger.ticket, agent, quotes=messenger.pk)
    assert caught.value.fields == {"quotes": "unsupported"}


# --- sending again


def a_failed(ticket: Ticket, agent: Actor) -> Message:
    message = answer(ticket, agent, "x" * 2500)
    Delivery.objects.filter(message_id=message.pk, part=0).update(state="done", outcome="sent")
    Delivery.objects.filter(message_id=message.pk, part=1).update(state="failed", outcome="failed")
    Message.objects.filter(pk=message.pk).update(delivery_state="failed")
    return message


def test_sending_again_looks_at_the_window_anew(agent: Actor) -> None:
    messenger = a_door("messenger")
    ticket = wrote(messenger).ticket
    message = a_failed(ticket, agent)
    Thread.objects.update(last_inbound_at=now() - 2 * DAY)
    with refused(ticket, WindowClosed):
        messages.retry(message_id=message.pk, actor=agent)
    Channel.objects.update(config={"human_agent": True})
    messages.retry(message_id=message.pk, actor=agent)
    parts = Delivery.objects.filter(message_id=message.pk).order_by("part")
    assert [(part.state, part.payload["past_window"]) for part in parts] == [("done", False), ("pending", True)]
    Delivery.objects.filter(part=1).update(state="failed", outcome="failed")
    Channel.objects.update(problem_kind="auth", problem="x")
    with refused(ticket, ChannelBlocked):
        messages.retry(message_id=message.pk, actor=agent)


def test_a_private_answer_that_failed_can_be_sent_again(agent: Actor) -> None:
    comment = commented(a_door("messenger"))
    message = answer(comment.ticket, agent, mode="private")
    Delivery.objects.update(state="failed", outcome="unknown")
    Message.objects.filter(pk=message.pk).update(delivery_state="unknown")
    messages.retry(message_id=message.pk, actor=agent)
    assert Delivery.objects.get().state == "pending"


def test_what_is_taken_back_comes_back_with_its_way(agent: Actor, settings: Any) -> None:
    settings.UNDO_SECONDS = {"messenger": 5}
    ticket = wrote(a_door("messenger")).ticket
    message = answer(ticket, agent, choices=("Có",))
    messages.take_back(message_id=message.pk, actor=agent)
    draft = Draft.objects.get()
    assert (draft.text, draft.channel_id, draft.way) == (
        *(message.text, message.channel_id),
        {"choices": ["Có"], "address": "u1"},
    )
