"""Every kind of event, shaped as Zalo sends it, and what it becomes."""

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from channels_app import registry
from channels_app.adapters.base import Forged
from channels_app.adapters.zalo.adapter import ZaloAdapter
from channels_app.contracts import (
    Address,
    Arrival,
    Call,
    ChannelRef,
    ContactChange,
    Echo,
    InboundItem,
    NewMessage,
    Reaction,
    Receipt,
    RemoteFile,
    Unknown,
)
from channels_app.models import Channel, InboundEvent
from channels_app.simulators.zalo import Zalo
from helpdesk.core.errors import GiveUp
from tests.builders import run_jobs
from tests.channels_app.zalo.conftest import LAN, Desk

OA = Zalo.CONFIG["oa_id"]
AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
ADAPTER = ZaloAdapter()
CHANNEL = ChannelRef(
    id=uuid4(), kind="zalo", name="", address=OA, team_id=None, is_active=True, config=Zalo.CONFIG, secrets=Zalo.SECRETS
)
PERSON = Address(kind="zalo", value=LAN, scope=OA)


def from_person(name: str, **more: Any) -> dict[str, Any]:
    head = {"app_id": Zalo.CONFIG["app_id"], "user_id_by_app": "552177279717587730", "event_name": name}
    ends = {"sender": {"id": LAN}, "recipient": {"id": OA}}
    return head | ends | {"timestamp": str(int(AT.timestamp() * 1000))} | more


def from_account(name: str, **more: Any) -> dict[str, Any]:
    return from_person(name) | {"sender": {"id": OA}, "recipient": {"id": LAN}} | more


def attached(kind: str, text: str = "", **payload: Any) -> dict[str, Any]:
    return {"msg_id": "96d3cdf3af150460909", "text": text, "attachments": [{"type": kind, "payload": payload}]}


def parsed(event: Any) -> tuple[InboundItem, ...]:
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    arrival = Arrival(
        channel_id=CHANNEL.id,
        channel_address=OA,
        external_id=ADAPTER.identify(raw, {}),
        raw=raw,
        meta={},
        received_at=AT + timedelta(minutes=1),
    )
    return ADAPTER.parse(arrival)


def message(event: Any) -> NewMessage:
    (item,) = parsed(event)
    assert isinstance(item, NewMessage)
    return item


def signed(body: bytes, moment: str = "", secret: str = Zalo.SECRETS["oa_secret"], app: str = "") -> Call:
    app = app or Zalo.CONFIG["app_id"]
    mac = hashlib.sha256(app.encode() + body + moment.encode() + secret.encode()).hexdigest()
    headers = {"x-zevent-signature": f"mac={mac}"}
    return Call(method="POST", url="https://desk.test/hooks/x/", headers=headers, query={}, body=body)


# --- what people send ------------------------------------------------------------------------------------------------
def test_text_with_a_reply_to() -> None:
    sent = {"msg_id": "96d3cdf3af150460909", "text": "Đơn của mình đâu? 😢", "quote_msg_id": "a1b2"}
    assert message(from_person("user_send_text", message=sent)) == NewMessage(
        external_id="96d3cdf3af150460909",
        thread_key=LAN,
        sender=PERSON,
        occurred_at=AT,
        text="Đơn của mình đâu? 😢",
        text_full="Đơn của mình đâu? 😢",
        quotes="a1b2",
    )


def test_decomposed_vietnamese_becomes_nfc() -> None:
    assert message(from_person("user_send_text", message={"msg_id": "1", "text": "đe\u0323p"})).text == "đẹp"


@pytest.mark.parametrize(
    ("name", "payload", "wanted"),
    [
        ("image", {"url": "https://f.zalo/1.jpg", "thumbnail": "https://f.zalo/t.jpg"}, ("image", "", "", 0)),
        ("gif", {"url": "https://f.zalo/1.gif", "thumbnail": ""}, ("image", "", "image/gif", 0)),
        ("audio", {"url": "https://f.zalo/1.amr"}, ("audio", "", "audio/amr", 0)),
        ("video", {"url": "https://f.zalo/1.mp4", "description": ""}, ("video", "", "", 0)),
        (
            "file",
            {"url": "https://f.zalo/x", "name": "Hóa đơn.pdf", "size": "1024000", "type": "pdf", "checksum": "d4"},
            ("file", "Hóa đơn.pdf", "application/pdf", 1024000),
        ),
    ],
)
def test_files(name: str, payload: dict[str, str], wanted: tuple[str, str, str, int]) -> None:
    item = message(from_person(f"user_send_{name}", message=attached(name, "xem giúp", **payload)))
    kind, filename, content_type, size = wanted
    file = RemoteFile(
        source={"url": payload["url"]}, kind=kind, filename=filename, content_type=content_type, size=size
    )
    assert (item.text, item.remote) == ("xem giúp", (file,))


def test_several_pictures_are_one_message() -> None:
    sent = attached("image", url="https://f.zalo/1.jpg")
    sent["attachments"] += attached("image", url="https://f.zalo/2.jpg")["attachments"]
    found = message(from_person("user_send_image", message=sent)).remote
    assert [one.source["url"] for one in found] == ["https://f.zalo/1.jpg", "https://f.zalo/2.jpg"]


def test_a_sticker_keeps_its_id() -> None:
    item = message(from_person("user_send_sticker", message=attached("sticker", url="https://f.zalo/s", id="1234")))
    assert (item.remote[0].kind, item.details) == ("sticker", {"sticker": {"id": "1234"}})


@pytest.mark.parametrize("place", [{"latitude": "10.762622", "longitude": "106.660172"}, (10.762622, 106.660172)])
def test_a_place_as_text_or_number(place: Any) -> None:
    where = place if isinstance(place, dict) else dict(zip(("latitude", "longitude"), place, strict=True))
    item = message(from_person("user_send_location", message=attached("location", coordinates=where)))
    wanted = {"latitude": 10.762622, "longitude": 106.660172, "name": "", "address": ""}
    assert item.details == {"location": wanted}
    beside = {"msg_id": "1", "location": where}
    assert message(from_person("user_send_location", message=beside)).details == {"location": wanted}


def test_a_link_becomes_words_once() -> None:
    sent = attached("link", "xem https://shop.vn/ao", url="https://shop.vn/ao", description="Áo dài", thumbnail="")
    assert message(from_person("user_send_link", message=sent)).text == "xem https://shop.vn/ao\nÁo dài"


def test_a_business_card_is_a_contact() -> None:
    card = json.dumps({"phone": "84912345678", "qrCodeUrl": "https://qr"})
    sent = attached("link", "Anh Hùng", url="https://z.me/1", description=card, thumbnail="")
    item = message(from_person("user_send_business_card", message=sent))
    assert item.details == {"contacts": [{"name": "Anh Hùng", "phones": ["84912345678"], "emails": []}]}


def test_what_cannot_be_shown_says_so() -> None:
    assert message(from_person("user_send_file", message={"msg_id": "1"})).details == {"unsupported": True}
    odd = attached("hologram", beam="x")
    assert message(from_person("user_send_image", message=odd)).details == {"unsupported": True}


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "https://a\nb", 7, None])
def test_only_web_addresses_are_fetched(url: Any) -> None:
    assert message(from_person("user_send_image", message=attached("image", url=url))).remote == ()


def test_a_guest_without_account_has_a_line_a_conversation() -> None:
    sent = {"msg_id": "1", "text": "hỏi chút", "conversation_id": "c77"}
    item = message(from_person("anonymous_send_text", message=sent))
    assert (item.sender.value, item.thread_key) == (f"anonymous:{LAN}", f"anonymous:{LAN}:c77")


def test_ids_sent_as_numbers_stay_exact() -> None:
    raw = json.dumps(from_person("user_send_text", message={"msg_id": "m", "text": "x"})).encode()
    big = raw.replace(f'"{LAN}"'.encode(), b"9007199254740993123").replace(f'"{OA}"'.encode(), OA.encode())
    (item,) = parsed(big)
    assert isinstance(item, NewMessage)
    assert item.sender.value == "9007199254740993123"


# --- what they do ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "what"), [("follow", "followed"), ("unfollow", "unfollowed")])
def test_following(name: str, what: str) -> None:
    event = {"oa_id": OA, "follower": {"id": LAN}, "source": "oa_profile", "app_id": "1", "event_name": name}
    assert parsed(event | {"timestamp": from_person("")["timestamp"]}) == (
        ContactChange(thread_key=LAN, sender=PERSON, occurred_at=AT, what=what, details={"source": "oa_profile"}),
    )


def test_pressing_the_message_button_lets_us_write() -> None:
    event = {"oa_id": OA, "user_id": LAN, "event_name": "user_click_chatnow", "timestamp": "1763627400000"}
    (item,) = parsed(event)
    assert isinstance(item, ContactChange)
    assert (item.thread_key, item.what) == (LAN, "opted_in")


def test_receipts_name_one_or_many() -> None:
    (item,) = parsed(from_account("user_received_message", message={"msg_id": "a1"}))
    assert item == Receipt(reference="a1", state="delivered", recipient=LAN, occurred_at=AT)
    seen = parsed(from_account("user_seen_message", message={"msg_ids": ["a1", "b2", "a1", None]}))
    assert [(one.reference, one.state) for one in seen if isinstance(one, Receipt)] == [("a1", "read"), ("b2", "read")]


@pytest.mark.parametrize(("tracking", "key"), [("hd-42", "42"), ("42", ""), ("hd-x", ""), ("hd-" + "9" * 30, "")])
def test_only_our_own_tracking_ids_are_believed(tracking: str, key: str) -> None:
    sent = {"msg_id": "z1", "tracking_id": tracking, "delivery_time": "1763627400000"}
    (item,) = parsed(from_account("user_received_message", message=sent))
    assert isinstance(item, Receipt)
    assert (item.reference, item.our_key) == ("z1", key)


@pytest.mark.parametrize(("icon", "emoji"), [("/-heart", "❤️"), ("/-strong", "👍"), ("/-remove", ""), ("🎉", "🎉")])
def test_reactions(icon: str, emoji: str) -> None:
    event = from_person("user_reacted_message", message={"msg_id": "a1", "react_icon": icon})
    assert parsed(event) == (Reaction(external_id="a1", thread_key=LAN, sender=PERSON, occurred_at=AT, emoji=emoji),)


def test_each_change_of_mind_is_an_event_of_its_own() -> None:
    first = from_person("user_reacted_message", message={"msg_id": "a1", "react_icon": "/-heart"})
    then = first | {"timestamp": "1763627499000"}
    keys = {ADAPTER.identify(json.dumps(one).encode(), {}) for one in (first, then, first)}
    assert len(keys) == 2


def test_shared_details_are_said_and_suggested_but_prove_nothing() -> None:
    info = {"name": "Nguyễn Lan", "phone": "0912345678", "address": "12 Lý Thái Tổ", "city": "Hà Nội"}
    item = message(from_person("user_submit_info", info=info))
    assert item.text == "Nguyễn Lan\n0912345678\n12 Lý Thái Tổ\nHà Nội"
    assert item.also_known == (Address(kind="phone", value="+84912345678", name="Nguyễn Lan"),)
    assert not item.also_known[0].verified
    assert item.sender.name == "Nguyễn Lan"


def test_a_rating_is_stars_and_words() -> None:
    rated = {"msg_id": "1", "rate": "4", "note": "giao hơi chậm", "feedbacks": ["Nhân viên thân thiện"]}
    assert message(from_person("user_feedback", message=rated)).text == "★★★★\nNhân viên thân thiện\ngiao hơi chậm"


def test_an_echo_names_who_typed_it() -> None:
    event = from_account("oa_send_text", message={"msg_id": "e1", "text": "Dạ em đây", "quote_msg_id": "q"})
    event["sender"] = {"id": OA, "admin_id": "5512300077"}
    wanted = Echo(
        external_id="e1", thread_key=LAN, to=PERSON, occurred_at=AT, text="Dạ em đây", quotes="q", author="5512300077"
    )
    assert parsed(event) == (wanted,)


def test_an_echo_of_a_template_says_its_words() -> None:
    (item,) = parsed(
        from_account("oa_send_template", message=attached("template", text="Đơn 7 đã giao", zinstant_id="1"))
    )
    assert isinstance(item, Echo)
    assert (item.text, item.author) == ("Đơn 7 đã giao", "")


def test_an_unknown_event_is_kept_as_such() -> None:
    event = from_person("user_send_hologram", message={"msg_id": "h1"})
    key = "user_send_hologram:h1"
    wanted = Unknown(external_id=key, thread_key=LAN, sender=PERSON, occurred_at=AT, what="user_send_hologram")
    assert parsed(event) == (wanted,)


@pytest.mark.parametrize("name", ["change_oa_daily_quota", "oa_send_group_text", "create_group", "oa_reacted_message"])
def test_what_concerns_no_customer_becomes_nothing(name: str) -> None:
    assert (
        parsed({"event_name": name, "oa_id": OA, "group_id": "g", "sender": {"id": OA}, "recipient": {"id": "g"}}) == ()
    )


def test_another_accounts_event_is_refused_in_words() -> None:
    with pytest.raises(GiveUp, match="another Zalo account"):
        parsed(from_person("user_send_text", recipient={"id": "1"}, message={"msg_id": "1", "text": "x"}))


@pytest.mark.parametrize(
    "said", ["99999999999999", "-1", "abc", "", None, "1e3", 5, "1763627400000000000000", "1234567890"]
)
def test_no_moment_lies_in_the_future_or_before_zalo(said: Any) -> None:
    event = from_person("user_send_text", message={"msg_id": "1", "text": "x"}) | {"timestamp": said}
    assert message(event).occurred_at == AT + timedelta(minutes=1)


# --- the door --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("moment", ['"1763627400000"', "1763627400000", "1.7636274e12", "01763627400000x"])
def test_the_signature_covers_the_timestamp_as_it_was_sent(moment: str) -> None:
    body = b'{"event_name": "user_send_text", "timestamp": %s, "message": {"msg_id": "1"}}' % moment.encode()
    call = signed(body, moment.strip('"'))
    if moment.endswith("x"):
        with pytest.raises(Forged):
            ADAPTER.verify(CHANNEL, call)
        return
    ADAPTER.verify(CHANNEL, call)
    for wrong in (
        signed(body, moment.strip('"'), secret="other"),
        signed(body, moment.strip('"'), app="1"),
        signed(body, "1763627400001"),
        Call(method="POST", url="", headers=call.headers, query={}, body=body + b" "),
        Call(method="POST", url="", headers={}, query={}, body=body),
        Call(method="POST", url="", headers={"x-zevent-signature": "mac=é"}, query={}, body=body),
    ):
        with pytest.raises(Forged):
            ADAPTER.verify(CHANNEL, wrong)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"timestamp": 1'])
def test_a_body_that_is_no_event_is_forged(body: bytes) -> None:
    with pytest.raises(Forged):
        ADAPTER.verify(CHANNEL, signed(body))


def test_an_account_without_webhook_secret_takes_nothing() -> None:
    bare = ChannelRef(
        id=uuid4(), kind="zalo", name="", address=OA, team_id=None, is_active=True, config=Zalo.CONFIG, secrets={}
    )
    body = json.dumps(from_person("user_send_text", message={"msg_id": "1"})).encode()
    with pytest.raises(Forged):
        ADAPTER.verify(bare, signed(body, from_person("")["timestamp"], secret=""))


@pytest.mark.django_db
def test_the_test_call_is_answered_and_leaves_nothing(desk: Desk) -> None:
    test = {"app_id": Zalo.CONFIG["app_id"], "event_name": "webhook_check", "timestamp": "1763627400000"}
    assert desk.zalo.push(test, signed={}) == 200
    assert not InboundEvent.objects.exists()
    assert desk.zalo.push(test) == 200  # signed, it is an event that concerns nobody
    run_jobs()
    assert InboundEvent.objects.get().state == "done"


@pytest.mark.django_db
def test_one_address_takes_the_events_of_every_account_of_its_app(desk: Desk) -> None:
    config = {**desk.channel.config, "oa_id": "77"}
    given: Any = {**Zalo.SECRETS}
    second = Channel.objects.create(kind="zalo", name="Zwei", address="77", config=config, secrets=given)
    stranger = given | {"oa_secret": "another"}
    third = Channel.objects.create(kind="zalo", name="Drei", address="88", config=config, secrets=stranger)
    for account in ("77", "88", OA):
        event = desk.zalo.event(LAN, "xin chào") | {"recipient": {"id": account}}
        assert desk.zalo.push(event) == 200
    found = list(InboundEvent.objects.order_by("id").values_list("channel_id", flat=True))
    assert found == [second.pk, desk.channel.pk, desk.channel.pk]  # a signature of ours says nothing for the third
    assert third.pk not in found


@pytest.mark.django_db
def test_numbers_for_ids_go_the_whole_way(desk: Desk) -> None:
    desk.zalo.numbers_for_ids = True
    desk.zalo.says(LAN, "số")
    assert desk.zalo.pushed[-1][1] == 200
    event = InboundEvent.objects.get()
    assert event.channel_id == desk.channel.pk
    assert registry.channel(desk.channel.pk).address == OA


# --- anything at all -------------------------------------------------------------------------------------------------
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([LAN, OA, "1763627400000"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "url", "type", "payload", "text", "coordinates"]) | st.text(), inner, max_size=4
        )
    ),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    [
        *("user_send_text", "user_send_image", "user_send_location", "user_send_link", "anonymous_send_text", "follow"),
        *("oa_send_text", "oa_send_list", "user_seen_message", "user_received_message", "user_reacted_message"),
        *("user_submit_info", "user_feedback", "user_click_chatnow", "user_send_group_text", "oa_send_consent", "x"),
    ]
)
_MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "msg_id": _JSON,
        "msg_ids": _JSON,
        "text": _JSON,
        "attachments": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "type": st.sampled_from(["image", "link", "location", "sticker", "template", "file"]) | _JSON,
                    "payload": _JSON,
                },
            ),
            max_size=3,
        )
        | _JSON,
        "rate": _JSON,
        "tracking_id": _JSON,
        "react_icon": _JSON,
    },
)
_EVENTS = st.fixed_dictionaries(
    {"event_name": _NAMES | _JSON},
    optional={
        "sender": st.just({"id": LAN}) | _JSON,
        "recipient": st.just({"id": OA}) | _JSON,
        "oa_id": st.just(OA) | _JSON,
        "follower": _JSON,
        "message": _MESSAGES | _JSON,
        "info": _JSON,
        "timestamp": st.just("1763627400000") | _JSON,
    },
)


_SLOWLY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_SLOWLY
@given(_EVENTS)
def test_no_event_raises_anything_but_give_up(event: dict[str, Any]) -> None:
    raw = json.dumps(event).encode("utf-8", "surrogatepass")
    _survives(raw)


@_SLOWLY
@given(st.binary(max_size=300) | _JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"event_name": "user_send_text", "timestamp": ' + b"9" * 6000 + b"}")
@example(b'{"event_name": "follow", "oa_id": 1e999, "timestamp": NaN}')
@example(b"[" * 20_000)
def test_no_bytes_raise_anything_but_what_is_declared(raw: bytes) -> None:
    _survives(raw)


def _survives(raw: bytes) -> None:
    assert ADAPTER.identify(raw, {})
    with suppress(Forged):
        ADAPTER.verify(CHANNEL, signed(raw))
    try:
        items = ADAPTER.split(CHANNEL, signed(raw))
    except ValueError:
        items = []
    assert all(item.external_id for item in items)
    try:
        found = parsed(raw)
    except GiveUp:
        return
    for one in found:
        assert getattr(one, "external_id", "x")
        assert isinstance(one, Receipt) or one.thread_key
        assert one.occurred_at is None or one.occurred_at <= AT + timedelta(minutes=1) <= now() + timedelta(days=365)
