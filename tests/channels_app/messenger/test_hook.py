"""The page's hook: the handshake, the signature, what a call is taken apart into, and whose it is."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from channels_app import registry
from channels_app.adapters.base import Forged
from channels_app.adapters.messenger.adapter import MessengerAdapter
from channels_app.contracts import ChannelRef
from channels_app.models import Channel, InboundEvent
from channels_app.simulators.messenger import Messenger
from tests.builders import run_jobs
from tests.channels_app.simulated import Played, called, hook_call, played
from tickets.models import Message

HA, MINH = "7300000000000101", "7300000000000102"
ADAPTER = MessengerAdapter()


@pytest.fixture
def page(settings: Any) -> Iterator[Played]:
    with played(Messenger(), settings) as page:
        yield page


@pytest.fixture
def channel() -> ChannelRef:
    return Played(Messenger(base_url="http://127.0.0.1:1"), "").channel()


def keys(channel: ChannelRef, *entries: dict[str, Any]) -> list[str]:
    body = json.dumps({"object": "page", "entry": list(entries)}).encode()
    return [item.external_id for item in ADAPTER.split(channel, called(body))]


def entry(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "100200300400500", "time": 1762902671000, "messaging": list(events)} | more


def event(**what: Any) -> dict[str, Any]:
    return {"sender": {"id": HA}, "recipient": {"id": "100200300400500"}, "timestamp": 1762902671000} | what


# --- handshake and signature --------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"hub.verify_token": "guess"}, 401),
        ({"hub.verify_token": ""}, 401),
        ({"hub.mode": "unsubscribe"}, 401),
    ],
)
def test_the_handshake_is_for_who_knows_the_token(page: Played, changes: dict[str, str], status: int) -> None:
    row = page.row()
    query = {"hub.mode": "subscribe", "hub.verify_token": "hoa-lu-messenger", "hub.challenge": "1158201444"} | changes
    response = Client().get(f"/hooks/{row.pk}/", query)
    assert response.status_code == status
    assert (response.content == b"1158201444") == (status == 200)
    assert response["Content-Type"].startswith("text/plain" if status == 200 else "")


def test_the_signature_covers_the_bytes_as_they_came(channel: ChannelRef) -> None:
    body = b'{"object":"page","entry":[{"id":"1","x":"\\u00e4\\/"}]}'  # escaped as the provider escapes
    mac = hmac.new(b"demo-app-secret-mes", body, hashlib.sha256).hexdigest()
    ADAPTER.verify(channel, called(body, **{"x-hub-signature-256": f"sha256={mac}"}))
    for headers in (
        {},
        {"x-hub-signature-256": mac},
        {"x-hub-signature-256": f"sha256={mac[:-1]}0"},
        {"x-hub-signature": f"sha256={mac}"},
        {"x-hub-signature-256": "sha256=\udc80é"},
    ):
        with pytest.raises(Forged):
            ADAPTER.verify(channel, called(body, **headers))
    with pytest.raises(Forged):
        ADAPTER.verify(channel, called(body + b" ", **{"x-hub-signature-256": f"sha256={mac}"}))


# --- taken apart --------------------------------------------------------------------------------------------------


def test_every_event_of_a_call_is_an_item_of_its_page(channel: ChannelRef) -> None:
    body = {
        "object": "page",
        "entry": [
            entry(event(message={"mid": "m_1"}), event(message={"mid": "m_2"})),
            {"id": 999, "time": 1, "standby": [event(message={"mid": "m_3"})]},
            {"id": "100200300400500", "changes": [{"field": "feed", "value": {"comment_id": "1_2", "verb": "add"}}]},
        ],
    }
    items = ADAPTER.split(channel, called(json.dumps(body).encode()))
    assert [(item.external_id, item.account) for item in items] == [
        ("message:m_1", "100200300400500"),
        ("message:m_2", "100200300400500"),
        ("message:m_3", "999"),
        ("comment:1_2", "100200300400500"),
    ]
    assert json.loads(items[0].raw)["event"]["message"] == {"mid": "m_1"}


def test_the_same_event_has_the_same_key_however_it_comes(channel: ChannelRef) -> None:
    said = event(message={"mid": "m_1", "text": "a"})
    one, two, three = keys(channel, entry(said), entry(said, time=2), {"id": "1", "standby": [said]})
    assert one == two == three == "message:m_1"


def test_different_events_of_one_message_have_keys_of_their_own(channel: ChannelRef) -> None:
    reaction = {"mid": "m_1", "action": "react", "emoji": "❤", "reaction": "love"}
    events = [
        event(message={"mid": "m_1"}),
        event(message={"mid": "m_1", "is_deleted": True}),
        event(message_edit={"mid": "m_1", "text": "b", "num_edit": 1}),
        event(message_edit={"mid": "m_1", "text": "c", "num_edit": 2}),
        event(reaction=reaction),
        event(reaction=reaction | {"action": "unreact"}),
        event(reaction=reaction) | {"timestamp": 1762902679999},
        event(read={"watermark": 1}),
        event(read={"watermark": 2}),
        event(read={"watermark": 2}) | {"sender": {"id": MINH}},
        event(delivery={"watermark": 2, "mids": ["m_1"]}),
        event(hologram={}),
        event(hologram={"a": 1}),
    ]
    found = keys(channel, entry(*events))
    assert len(set(found)) == len(events)
    assert found == keys(channel, entry(*events, time=3)) or found[:10] == keys(channel, entry(*events, time=3))[:10]


def test_a_comment_is_added_once_and_edited_often(channel: ChannelRef) -> None:
    def feed(verb: str, text: str, time: int) -> dict[str, Any]:
        value = {"comment_id": "1_2", "verb": verb, "item": "comment", "message": text}
        return {"id": "1", "time": time, "changes": [{"field": "feed", "value": value}]}

    assert keys(channel, feed("add", "a", 1)) == keys(channel, feed("add", "a", 2))
    edits = [feed("edited", "b", 3), feed("edited", "a", 4), feed("edited", "b", 5), feed("remove", "", 6)]
    assert len(set(keys(channel, *edits))) == 4
    assert keys(channel, edits[0]) == keys(channel, edits[0])


def test_a_mere_test_brings_nothing(channel: ChannelRef) -> None:
    assert keys(channel) == []


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000, b'{"object":"instagram","entry":[]}'),
        *(b'{"object":"page"}', b'{"object":"page","entry":{}}', b'{"object":"page","entry":null}'),
    ],
)
def test_what_is_no_call_of_a_page_is_said_to_be_none(channel: ChannelRef, body: bytes) -> None:
    with pytest.raises(ValueError):
        ADAPTER.split(channel, called(body))


@pytest.mark.django_db
def test_ten_thousand_events_in_one_call_are_all_kept(page: Played) -> None:
    page.row()
    events = [page.provider.event(HA, "a", id=f"m_{number}") for number in range(10_000)]
    assert page.provider.push(page.provider.envelope(events)) == 200
    assert InboundEvent.objects.count() == 10_000


# --- whose it is --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_hook_serves_several_pages_of_one_application(page: Played) -> None:
    page.row()
    config = page.channel().config | {"page_id": "555"}
    own = page.channel()
    other = Channel.objects.create(kind="messenger", name="2", address="555", config=config, secrets=own.secrets)
    registry.forget()
    said = page.provider.event(HA, "Gửi trang kia", id="m_other")
    page.provider.push({"object": "page", "entry": [{"id": "555", "time": 1, "messaging": [said]}]})
    assert InboundEvent.objects.get().channel_id == other.pk
    run_jobs()
    message = Message.objects.get()
    assert (message.channel_id, message.text) == (other.pk, "Gửi trang kia")


@pytest.mark.django_db(transaction=True)
def test_a_page_of_another_application_is_not_spoken_for(page: Played) -> None:
    """Who knows one application's secret signs nothing for a channel that has another."""
    row = page.row()
    own = page.channel()
    foreign: Any = dict(own.secrets) | {"app_secret": "of somebody else"}
    Channel.objects.create(kind="messenger", name="2", address="555", config=own.config, secrets=foreign)
    registry.forget()
    said = page.provider.event(HA, "Giả mạo", id="m_forged")
    page.provider.push({"object": "page", "entry": [{"id": "555", "time": 1, "messaging": [said]}]})
    run_jobs()
    event = InboundEvent.objects.get()
    assert (event.channel_id, event.state) == (row.pk, "failed")
    assert "555" in event.last_error
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_call_without_a_signature_leaves_nothing(page: Played) -> None:
    row = page.row()
    body = json.dumps(page.provider.envelope([page.provider.event(HA, "a")])).encode()
    assert hook_call(f"/hooks/{row.pk}/", body, {})[0] == 401
    assert not InboundEvent.objects.exists()
