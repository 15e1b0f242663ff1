"""LINE's hook and our calls to LINE over HTTP, faults and the month's allowance included."""

import base64
import hashlib
import hmac
import json
from datetime import datetime

import pytest
import time_machine
from django.test import override_settings

from channels_app import media, registry
from channels_app.adapters.line import calls
from channels_app.adapters.line.adapter import LineAdapter
from channels_app.contracts import OutboundEnvelope, OutboundFile
from channels_app.models import Channel, InboundEvent, Thread
from channels_app.simulators.base import Fault
from helpdesk.core.errors import GiveUp, Reauthorise, Retry
from tests.builders import run_jobs
from tests.channels_app.contract.conftest import Door
from tickets.models import Customer, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
ADAPTER = LineAdapter()
GROUP = "C" + "f0" * 16


@pytest.fixture(autouse=True)
def _nothing_heard_before() -> None:
    calls._left.clear()


def send(door: Door, text: str = "Dạ", key: str = "17", **given):
    registry.forget()
    given = {"thread_key": door.person} | given
    envelope = OutboundEnvelope(idempotency_key=key, to=door.person, text=text, **given)
    return ADAPTER.send(registry.channel(door.channel.pk), envelope)


def test_the_signature_is_over_the_raw_bytes(door: Door):
    body = b'{"destination":"U0d",   "events":[]}'
    mac = hmac.new(door.provider.SECRETS["channel_secret"].encode(), body, hashlib.sha256)
    right = {"X-Line-Signature": base64.b64encode(mac.digest()).decode()}
    assert door.provider.push(body, signed=right) == 200  # LINE's "Verify"
    assert not InboundEvent.objects.exists()
    assert door.provider.push(body.replace(b"   ", b" "), signed=right) == 401
    assert door.provider.push(body, signed={"X-Line-Signature": mac.hexdigest()}) == 401
    Channel.objects.update(secrets={})
    registry.forget()
    empty = base64.b64encode(hmac.new(b"", body, hashlib.sha256).digest()).decode()
    assert door.provider.push(body, signed={"X-Line-Signature": empty}) == 401


def test_a_redelivery_is_the_same_event(door: Door):
    event = door.provider.event(door.person, "Một lần thôi")
    again = event | {"deliveryContext": {"isRedelivery": True}, "replyToken": "other"}
    for one in (event, again):
        assert door.provider.push(door.provider.envelope([one])) == 200
    run_jobs()
    assert Message.objects.count() == 1


def test_who_writes_is_asked_once(door: Door):
    for text in ("Chào", "Alo"):
        door.provider.says(door.person, text)
        run_jobs()
    assert Thread.objects.get().name == door.provider.PEOPLE[door.person]
    asked = [call for call in door.provider.calls if call.path.startswith("/v2/bot/profile/")]
    assert len(asked) == 1


def test_who_is_no_friend_has_no_name(door: Door):
    door.provider.blocked.add(door.person)
    channel = registry.channel(door.channel.pk)
    assert ADAPTER.profile(channel, door.person).name == ""


def test_people_in_a_group_share_its_line_and_the_answer_goes_to_the_group(door: Door):
    first, second, *_ = door.provider.PEOPLE
    door.provider.groups.add(GROUP)
    for person, text in ((first, "Mọi người ơi"), (second, "Ơi")):
        said = {"id": door.provider.new_id(), "type": "text", "text": text}
        event = door.provider.about("message", person, group=GROUP, message=said)
        assert door.provider.push(door.provider.envelope([event])) == 200
    run_jobs()
    assert Thread.objects.get().key == GROUP
    assert Customer.objects.count() == 2
    assert {message.sender_address for message in Message.objects.all()} == {first, second}
    send(door, thread_key=GROUP)
    assert door.provider.sent()[-1].person == GROUP


def test_an_answer_leaves_by_push_under_a_retry_key(door: Door):
    found = send(door, "Dạ shop nghe ạ", choices=("Có", "Một câu trả lời dài hơn hai mươi chữ"))
    [line] = door.provider.sent()
    assert (line.text, found.provider_id) == ("Dạ shop nghe ạ", line.id)
    assert line.choices == ["Có", "Một câu trả lời dài hơn hai mươi chữ"]
    key = door.provider.calls[0].headers["x-line-retry-key"]
    send(door, key="18")
    other = [call for call in door.provider.calls if call.path.endswith("/push")][-1].headers["x-line-retry-key"]
    assert key != other


def test_an_answer_whose_receipt_got_lost_is_not_delivered_twice(door: Door):
    door.provider.faults.append(Fault("lost"))
    with pytest.raises(Retry):
        send(door)
    again = send(door)
    [line] = door.provider.sent()
    assert again.provider_id == line.id


def test_a_text_of_nothing_but_emoji_fits(door: Door):
    send(door, "👍🏽" * 2500)  # 5000 characters, 10000 of LINE's units
    assert "".join(line.text for line in door.provider.sent()) == "👍🏽" * 2500
    assert len([call for call in door.provider.calls if call.path.endswith("/push")]) == 1


def kept(content: bytes, filename: str, content_type: str) -> OutboundFile:
    file = media.keep(content=content, filename=filename, content_type=content_type)
    return OutboundFile(filename=file.filename, content_type=file.content_type, path=file.path)


PNG = b"\x89PNG\r\n\x1a\n"


def test_a_small_picture_is_shown_and_anything_else_is_an_address(door: Door):
    with override_settings(SITE_URL="https://desk.test"):
        send(door, "", key="1", files=(kept(PNG, "a.png", "image/png"),))
        send(door, "", key="2", files=(kept(PNG + b"\0" * 1024 * 1024, "b.png", "image/png"),))
        send(door, "", key="3", files=(kept(b"%PDF", "hoá đơn.pdf", "application/pdf"),))
    send(door, "", key="4", files=(kept(PNG, "a.png", "image/png"),))  # LINE fetches from https alone
    picture, large, paper, plain = door.provider.sent()
    assert picture.files[0]["url"].startswith("https://desk.test/media/out/")
    assert large.text.startswith("b.png\nhttps://desk.test/media/out/")
    assert paper.text.startswith("hoá đơn.pdf\nhttps://desk.test/media/out/")
    assert plain.text.startswith("a.png\nhttp://")


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, {"message": "Authentication failed"}, Reauthorise, "access token"),
        (429, {"message": "The API rate limit has been exceeded. Try again later."}, Retry, "rate limit"),
        (429, {"message": "You have reached your monthly limit."}, GiveUp, "month"),
        (400, {"message": "The property, 'to', in the request body is invalid"}, GiveUp, "'to'"),
        (403, {"message": "Access to this API is not available for your account"}, GiveUp, "does not allow"),
        (500, {"message": "Internal server error"}, Retry, "Internal"),
        (503, b"<html>", Retry, "503"),
    ],
)
def test_what_a_refusal_means(door: Door, status, body, error, words):
    door.provider.faults.append(Fault("status", status, body=body))
    with pytest.raises(error) as raised:
        send(door)
    assert raised.type is error
    assert words in str(raised.value)
    assert not door.provider.sent()


def test_what_is_left_of_the_month_is_told_with_an_answer(door: Door):
    with time_machine.travel("2026-12-31T14:00:00Z", tick=True):
        assert send(door).quota == {
            "remain": 499, "total": 500, "expires_at": "2026-12-31T15:00:00+00:00", "type": "month"
        }  # fmt: skip
    asked = len(door.provider.calls)
    assert send(door, key="18").quota["remain"] == 499  # a minute old at most
    assert len(door.provider.calls) == asked + 1


def test_the_allowance_is_kept_by_line(door: Door):
    door.provider.allowance = 1
    send(door)
    with pytest.raises(GiveUp, match="used up"):
        send(door, key="18")


def test_an_answer_is_out_even_if_nobody_says_what_is_left(door: Door):
    door.provider.faults.extend([Fault("late"), Fault("status", 500), Fault("cut")])
    found = send(door)
    assert (found.quota, len(door.provider.sent())) == ({}, 1)


def test_months_end_in_japan():
    for today, end in (
        ("2026-11-30T14:59:00Z", "2026-11-30T15:00:00"),
        ("2026-11-30T15:01:00Z", "2026-12-31T15:00:00"),
    ):
        with time_machine.travel(today, tick=False):
            assert datetime.fromisoformat(calls._month_end()).isoformat().startswith(end)


def test_a_film_that_is_not_ready_is_asked_for_again(door: Door):
    event = door.provider.event(door.person, "", file=("a.mp4", "video/mp4", b"\0\0\0\x18ftyp"))
    source = {"message": event["message"]["id"]}
    door.provider.transcoding.add(source["message"])
    channel = registry.channel(door.channel.pk)
    with pytest.raises(Retry):
        ADAPTER.fetch(channel, source)
    found = ADAPTER.fetch(channel, source)
    assert (found.content, found.content_type) == (b"\0\0\0\x18ftyp", "video/mp4")
    door.provider.contents.clear()
    with pytest.raises(GiveUp):
        ADAPTER.fetch(channel, source)


def test_an_id_leads_nowhere_else(door: Door):
    with pytest.raises(GiveUp):
        ADAPTER.fetch(registry.channel(door.channel.pk), {"message": "../../bot/info?x="})
    assert "../" not in door.provider.calls[-1].path


def test_the_connection_test_says_whose_account_it_is(door: Door):
    channel = registry.channel(door.channel.pk)
    assert ADAPTER.probe(channel).account == "Hoa Lư Store"
    door.provider.account["access_token"] = "another"
    found = ADAPTER.probe(channel)
    assert (found.ok, "access token" in found.problem) == (False, True)


def test_an_odd_event_is_shown_and_those_after_it_too(door: Door):
    events = [door.provider.odd(door.person), door.provider.event(door.person, "Sau đó")]
    assert door.provider.push(json.dumps(door.provider.envelope(events)).encode()) == 200
    run_jobs()
    assert Message.objects.count() == 2
    assert Ticket.objects.count() == 1
