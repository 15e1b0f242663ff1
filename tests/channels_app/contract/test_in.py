"""What holds for whatever comes in, whoever the provider is: one file, every adapter."""

import json

import pytest

from channels_app import errands, inbound
from channels_app.models import InboundEvent, InboundRaw
from channels_app.webhooks import MAX_BODY
from tests.channels_app.contract.conftest import PICTURE, Door
from tickets.models import Attachment, Message, Ticket

pytestmark = pytest.mark.django_db

ONE_AT_A_TIME = {"telegram", "zalo", "viber", "sms", "open_api"}  # these providers never batch


def take_in() -> None:
    """Everything that came, by the real path, and the files it brought."""
    inbound.drain()
    errands.drain()


def said(text: str) -> Message:
    return Message.objects.get(text=text, direction="in")


def test_words_become_a_message_as_they_were_typed(door: Door) -> None:
    text = "Chào shop 👩‍👩‍👧 ạ — مرحبا ‏ và \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35"
    door.provider.says(door.person, text)
    take_in()
    message = Message.objects.get(direction="in")
    assert message.text == text
    assert message.channel_id == door.channel.pk
    assert message.ticket.channel_kind == door.channel.kind
    assert message.kind == "message"


def test_a_call_nobody_signed_is_refused_and_leaves_nothing(door: Door) -> None:
    body = json.dumps(door.provider.envelope([door.provider.event(door.person, "Fake")])).encode()
    for headers in ({}, dict.fromkeys(door.provider.signed(body), "sha256=0")):
        assert door.provider.push(body, signed=headers) == 401
    assert not InboundEvent.objects.exists()


def test_a_signature_of_other_words_is_refused(door: Door) -> None:
    if door.channel.kind == "telegram":
        pytest.skip("Telegram signs no words: a secret in the header is all there is")
    envelope = door.provider.envelope([door.provider.event(door.person, "Five")])
    body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    other = body.replace(b"Five", b"Nine")
    assert other != body
    assert door.provider.push(other, signed=door.provider.signed(body)) == 401
    assert not InboundEvent.objects.exists()


def test_a_repeated_call_changes_nothing(door: Door) -> None:
    door.provider.says(door.person, "Once", times=3)
    take_in()
    assert door.provider.pushed[-1][1] == 200
    said("Once")


def test_a_repeat_after_its_receipt_was_forgotten_is_still_one_message(door: Door) -> None:
    door.provider.says(door.person, "Once")
    take_in()
    InboundRaw.objects.all().delete()
    InboundEvent.objects.all().delete()
    door.provider.push(door.provider.pushed[0][0])
    take_in()
    said("Once")


def test_a_batch_is_kept_whole_and_in_order(door: Door) -> None:
    if door.channel.kind in ONE_AT_A_TIME:
        pytest.skip("this provider sends one event a call")
    texts = [f"Number {number}" for number in range(7)]
    events = [door.provider.event(door.person, text) for text in texts]
    assert door.provider.push(door.provider.envelope(events)) == 200
    assert InboundEvent.objects.count() == 7
    take_in()
    kept = list(Message.objects.order_by("occurred_at", "pk").values_list("text", flat=True))
    assert kept == texts
    assert Ticket.objects.count() == 1


def test_ten_thousand_events_in_one_call_are_kept(door: Door) -> None:
    if door.channel.kind in ONE_AT_A_TIME - {"open_api"}:
        pytest.skip("this provider sends one event a call")
    one, many = door.provider.event(door.person, "x"), 10_000
    body = json.dumps(door.provider.envelope([one] * many)).encode()
    known = next(word for word in ("mid", "webhookEventId", "external_id", "id") if f'"{word}"' in json.dumps(one))
    named = json.dumps(one).split(f'"{known}": "')[1].split('"')[0]
    before, *between = body.split(named.encode())
    calls = b"".join([before, *(b"%s-%d" % (named.encode(), n) + piece for n, piece in enumerate(between))])
    assert len(calls) < MAX_BODY
    assert door.provider.push(calls) == 200
    assert InboundEvent.objects.count() == many


def test_an_unknown_kind_of_event_never_stands_in_the_way(door: Door) -> None:
    assert door.provider.push(door.provider.envelope([door.provider.odd(door.person)])) == 200
    assert InboundEvent.objects.count() == 1
    door.provider.says(door.person, "After it")
    take_in()
    said("After it")
    assert not InboundEvent.objects.exclude(state__in=("done", "failed")).exists()


def test_too_much_is_refused_before_it_is_read(door: Door) -> None:
    body = b'{"x": "' + b"y" * MAX_BODY + b'"}'
    assert door.provider.push(body) == 413
    assert not InboundEvent.objects.exists()


def test_what_is_signed_but_cannot_be_read_is_kept_and_shown(door: Door) -> None:
    try:
        status = door.provider.push(b"\x00not json{{{")
    except ValueError:
        pytest.skip("the signature covers fields of the body: without them nobody can sign")
    assert status == 200
    take_in()
    event = InboundEvent.objects.get()
    assert event.state == "failed"
    assert event.last_error


def test_a_large_text_is_taken(door: Door) -> None:
    text = "Dài ơi là dài. " * 60_000
    door.provider.says(door.person, text)
    take_in()
    assert Message.objects.get(direction="in").text.strip() == text.strip()


@pytest.mark.django_db(transaction=True)  # the errand is due by the clock, not by the transaction
def test_a_file_shows_at_once_and_its_bytes_follow(door: Door) -> None:
    door.provider.says(door.person, file=("hoa-don.png", "image/png", PICTURE))
    inbound.drain()
    attachment = Attachment.objects.select_related("media").get()
    take_in()
    attachment.refresh_from_db()
    assert attachment.media.state == "kept"
    assert attachment.media.size == len(PICTURE)
    assert attachment.media.content_type == "image/png"


@pytest.mark.django_db(transaction=True)  # the errand is due by the clock, not by the transaction
def test_a_file_that_is_gone_is_said_to_be_lost(door: Door) -> None:
    door.provider.says(door.person, file=("hoa-don.png", "image/png", PICTURE))
    door.provider.files.clear()
    for attribute in ("media", "uploads", "contents", "held"):
        if isinstance(kept := getattr(door.provider, attribute, None), dict):
            kept.clear()
    inbound.drain()
    if Attachment.objects.get().media.state == "kept":
        pytest.skip("this channel brings the bytes with the message")
    take_in()
    assert Attachment.objects.get().media.state == "lost"
    door.provider.says(door.person, "Next")
    take_in()
    said("Next")


def test_fifty_events_of_one_person_make_one_ticket(door: Door) -> None:
    for number in range(20):
        door.provider.says(door.person, f"Line {number}")
    take_in()
    assert Ticket.objects.count() == 1
    assert Message.objects.filter(direction="in").count() == 20
