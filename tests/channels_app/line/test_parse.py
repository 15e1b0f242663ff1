"""LINE's events as LINE sends them, one by one; and that nothing breaks the reader."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.adapters.line.adapter import LineAdapter
from channels_app.contracts import (
    Address,
    Arrival,
    Call,
    ChannelRef,
    ContactChange,
    NewMessage,
    RemoteFile,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp

ID = UUID("01900000-0000-7000-8000-000000000001")
BOT, PERSON, GROUP = "U" + "0d" * 16, "U" + "a1" * 16, "C" + "f0" * 16
ADAPTER = LineAdapter()
CHANNEL = ChannelRef(id=ID, kind="line", name="LINE", address=BOT, team_id=None, is_active=True)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
THEN = datetime(2026, 11, 22, 11, 0, 0, 250000, tzinfo=UTC)
SENDER = Address(kind="line", value=PERSON, scope=BOT)
EVENT = {
    "type": "message",
    "mode": "active",
    "timestamp": 1795345200250,
    "source": {"type": "user", "userId": PERSON},
    "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC3ZR",
    "deliveryContext": {"isRedelivery": False},
    "replyToken": "38ef843bde154d9b91c21320ffd17a0f",
}


def arrival(raw: bytes) -> Arrival:
    return Arrival(
        channel_id=ID,
        channel_address=BOT,
        external_id="01FZ74A0TDDPYRVKNK77XKC3ZR",
        raw=raw,
        meta={},
        received_at=NOW,
    )


def parsed(**changes: object):
    [item] = ADAPTER.parse(arrival(json.dumps(EVENT | changes).encode()))
    return item


def message(**content: object) -> NewMessage:
    item = parsed(message={"id": "444573844083572737"} | content)
    assert isinstance(item, NewMessage)
    assert (item.external_id, item.thread_key, item.sender) == ("444573844083572737", PERSON, SENDER)
    assert item.occurred_at == THEN
    return item


def test_text_with_a_mention_an_emoji_and_what_it_answers():
    mention = {"mentionees": [{"index": 0, "length": 8, "userId": "U49585cd0d5", "type": "user", "isSelf": False}]}
    item = message(
        type="text",
        text="@example Chào shop (brown)",
        emojis=[{"index": 19, "length": 7, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "002"}],
        mention=mention,
        quoteToken="q3Plxr4AgKd",
        quotedMessageId="444573844083572000",
    )
    assert (item.text, item.quotes) == ("@example Chào shop (brown)", "444573844083572000")


@pytest.mark.parametrize("kind", ["image", "video", "audio"])
def test_what_lies_with_line_is_fetched_by_the_messages_id(kind):
    item = message(type=kind, duration=60000, contentProvider={"type": "line"}, imageSet={"id": "E0", "index": 1})
    assert item.remote == (RemoteFile(source={"message": "444573844083572737"}, kind=kind),)
    assert item.text == ""


def test_what_lies_elsewhere_is_fetched_there():
    there = {"type": "external", "originalContentUrl": "https://example.com/a.jpg", "previewImageUrl": "https://x/y"}
    item = message(type="image", contentProvider=there)
    assert item.remote == (RemoteFile(source={"url": "https://example.com/a.jpg"}, kind="image"),)


def test_a_file_has_a_name_and_a_size():
    item = message(type="file", fileName="hoá đơn.pdf", fileSize=2138)
    source = {"message": "444573844083572737"}
    assert item.remote == (RemoteFile(source=source, kind="file", filename="hoá đơn.pdf", size=2138),)


def test_a_place():
    item = message(type="location", title="Chợ", address="Q.1", latitude=10.772, longitude=106.698)
    assert item.details == {"location": {"latitude": 10.772, "longitude": 106.698, "name": "Chợ", "address": "Q.1"}}


def test_a_sticker_and_what_was_typed_onto_it():
    item = message(type="sticker", packageId="446", stickerId="1988", stickerResourceType="MESSAGE", text="Cảm ơn")
    assert (item.details, item.text) == ({"sticker": {"id": "446/1988"}}, "Cảm ơn")


def test_an_unsent_message():
    assert parsed(type="unsend", unsend={"messageId": "325708"}) == Unsend(
        external_id="325708", thread_key=PERSON, occurred_at=THEN
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"type": "follow", "follow": {"isUnblocked": False}}, "followed"),
        ({"type": "follow", "follow": {"isUnblocked": True}}, "unblocked"),
        ({"type": "follow"}, "followed"),
        ({"type": "unfollow"}, "blocked"),
    ],
)
def test_following_and_blocking(changes, what):
    assert parsed(**changes) == ContactChange(thread_key=PERSON, sender=SENDER, occurred_at=THEN, what=what)


def test_a_button_that_was_pressed():
    item = parsed(type="postback", postback={"data": "storeId=12345", "params": {"datetime": "2026-12-25T01:00"}})
    assert item.details == {"choice": {"title": "storeId=12345 2026-12-25T01:00", "payload": "storeId=12345"}}
    assert (item.text, item.external_id) == ("storeId=12345 2026-12-25T01:00", EVENT["webhookEventId"])


@pytest.mark.parametrize("source", [{"type": "group", "groupId": GROUP}, {"type": "room", "roomId": GROUP}])
def test_a_group_is_one_line_with_many_people(source):
    said = {"id": "1", "type": "text", "text": "Chào"}
    item = parsed(source=source | {"userId": PERSON}, message=said)
    assert (item.thread_key, item.sender) == (GROUP, SENDER)
    item = parsed(source=source, message=said)
    assert (item.thread_key, item.sender.value) == (GROUP, GROUP)


@pytest.mark.parametrize(("kind", "what"), [("join", "followed"), ("leave", "unfollowed")])
def test_being_let_into_a_group_and_put_out_of_it(kind, what):
    item = parsed(type=kind, source={"type": "group", "groupId": GROUP})
    assert (item.thread_key, item.what) == (GROUP, what)


@pytest.mark.parametrize("kind", ["memberJoined", "memberLeft", "botSuspended", "activated", "module"])
def test_what_concerns_no_conversation_is_kept_and_says_nothing(kind):
    event = {key: value for key, value in EVENT.items() if key != "source"} | {"type": kind}
    assert ADAPTER.parse(arrival(json.dumps(event).encode())) == ()


def test_while_another_program_is_in_charge_words_come_in_all_the_same():
    item = parsed(mode="standby", message={"id": "1", "type": "text", "text": "Alo"})
    assert (item.text, item.details) == ("Alo", {"standby": True})


def test_kinds_nobody_has_heard_of_are_shown():
    item = parsed(type="hologram")
    assert item == Unknown(
        external_id=EVENT["webhookEventId"], thread_key=PERSON, sender=SENDER, occurred_at=THEN, what="hologram"
    )
    item = parsed(message={"id": "7", "type": "smell"})
    assert (item.external_id, item.what) == ("7", "smell")
    assert parsed(message={"id": "8", "type": "location", "latitude": "x"}).what == "location"


@pytest.mark.parametrize("moment", [None, "1", 0, -5, 10**20, 1795345200250 * 1000, 1.5])
def test_a_moment_that_is_none_is_when_it_came(moment):
    assert parsed(timestamp=moment, message={"id": "1", "type": "text", "text": "x"}).occurred_at == NOW


@pytest.mark.parametrize(
    "changes",
    [{"source": None}, {"source": {"type": "user"}}, {"message": {"type": "text"}}, {"type": "unsend", "unsend": {}}],
)
def test_what_is_from_nobody_is_given_up(changes):
    with pytest.raises(GiveUp):
        parsed(**changes)


def split(body: object) -> list[str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    call = Call(method="POST", url="", headers={}, query={}, body=raw)
    return [item.external_id for item in ADAPTER.split(CHANNEL, call)]


def test_a_call_brings_several_events_or_none():
    other = EVENT | {"webhookEventId": "01FZ74ASS536FW97EX38NKCZQK"}
    again = EVENT | {"deliveryContext": {"isRedelivery": True}}
    assert split({"destination": BOT, "events": [EVENT, other, again]}) == [
        *("01FZ74A0TDDPYRVKNK77XKC3ZR", "01FZ74ASS536FW97EX38NKCZQK", "01FZ74A0TDDPYRVKNK77XKC3ZR")
    ]
    assert split({"destination": BOT, "events": []}) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", {"events": 5}, b"\xff"])
def test_a_body_without_events_is_not_taken_apart(body):
    with pytest.raises(ValueError):
        split(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
WORD = st.text() | JSON
MESSAGES = st.fixed_dictionaries(
    {"id": WORD, "type": st.sampled_from(["text", "image", "file", "sticker", "location", "smell"]) | JSON},
    optional={
        "text": WORD, "fileName": WORD, "fileSize": JSON, "packageId": WORD, "latitude": JSON, "longitude": JSON,
        "quotedMessageId": WORD, "title": WORD,
        "contentProvider": st.fixed_dictionaries({"type": st.just("external"), "originalContentUrl": WORD}) | JSON,
    },
)  # fmt: skip
TYPES = ["message", "postback", "unsend", "follow", "unfollow", "join", "leave", "hologram"]
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES) | JSON, "source": st.fixed_dictionaries({"userId": WORD}) | JSON},
    optional={
        "timestamp": st.integers() | JSON, "message": MESSAGES | JSON, "webhookEventId": WORD, "mode": JSON,
        "postback": st.fixed_dictionaries({"data": WORD, "params": JSON}) | JSON, "follow": JSON,
        "unsend": st.fixed_dictionaries({"messageId": WORD}) | JSON,
    },
)  # fmt: skip


@given(event=EVENTS | JSON)
def test_no_event_breaks_the_reader(event):
    call = Call(method="POST", url="", headers={}, query={}, body=json.dumps({"events": [event]}).encode())
    for item in ADAPTER.split(CHANNEL, call):
        assert item.external_id
        try:
            found = ADAPTER.parse(arrival(item.raw))
        except GiveUp:
            continue
        for one in found:
            assert one.occurred_at <= NOW
            assert one.thread_key


@given(body=st.binary())
def test_no_bytes_break_the_reader(body):
    call = Call(method="POST", url="", headers={}, query={}, body=body)
    with suppress(ValueError):
        ADAPTER.split(CHANNEL, call)
    with suppress(GiveUp):
        ADAPTER.parse(arrival(body))
