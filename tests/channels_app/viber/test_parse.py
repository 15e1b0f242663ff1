"""Every kind of event, as Viber sends it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels_app.contracts import Address, ContactChange, NewMessage, Receipt, RemoteFile, Unknown
from helpdesk.core.errors import GiveUp
from tests.channels_app.viber.desk import ADAPTER, RECEIVED, SENT, TOKEN, YEN, arrival, read, sent

YEN_ADDRESS = Address(kind="viber", value=YEN, name="Ngô Hải Yến", scope="Hoa Lư Store")
AT = datetime(2026, 11, 22, 7, 58, 20, 123000, tzinfo=UTC)
MEDIA = "https://dl-media.viber.com/10/media/2/short/any/sig/image/0x0/ab.jpg"


def said(**message: Any) -> NewMessage:
    (item,) = read("message", **sent(**message))
    assert isinstance(item, NewMessage)
    return item


def test_a_text() -> None:
    assert said(type="text", text="Shop ơi") == NewMessage(
        external_id="5741311803571721087",  # exact, although it came as a number
        thread_key=YEN,
        sender=YEN_ADDRESS,
        occurred_at=AT,
        text="Shop ơi",
        text_full="Shop ơi",
        language="vi",
    )


def test_a_time_in_the_future_is_now() -> None:
    (item,) = read("message", **sent(type="text", text="a"), timestamp=SENT + 10**9)
    assert isinstance(item, NewMessage) and item.occurred_at == RECEIVED


def test_a_picture_with_its_words() -> None:
    item = said(type="picture", media=MEDIA, text="Bị vỡ", file_name="vo.jpg", size=4242)
    assert item.text == "Bị vỡ"
    assert item.remote == (
        RemoteFile(source={"url": MEDIA}, kind="image", filename="vo.jpg", content_type="image/jpeg", size=4242),
    )


@pytest.mark.parametrize(
    ("message", "kind", "filename"),
    [
        ({"type": "video", "media": MEDIA, "duration": 4, "size": 9}, "video", "video.mp4"),
        ({"type": "file", "media": MEDIA, "file_name": "đơn.pdf", "file_size": 9}, "file", "đơn.pdf"),
        ({"type": "sticker", "media": MEDIA, "sticker_id": 46105}, "sticker", "sticker.png"),
    ],
)
def test_a_file(message: dict[str, Any], kind: str, filename: str) -> None:
    (file,) = said(**message).remote
    assert (file.kind, file.filename, file.source) == (kind, filename, {"url": MEDIA})


def test_a_sticker_without_a_picture_is_still_known() -> None:
    item = said(type="sticker", sticker_id=46105)
    assert (item.details, item.remote) == ({"sticker": {"id": "46105"}}, ())


def test_a_location() -> None:
    item = said(type="location", location={"lat": 10.776, "lon": 106.7, "address": "Q.1"})
    assert item.details["location"] == {"latitude": 10.776, "longitude": 106.7, "name": "", "address": "Q.1"}


def test_a_contact() -> None:
    item = said(type="contact", contact={"name": "Hà", "phone_number": "+84903112233"})
    assert item.details["contacts"] == [{"name": "Hà", "phones": ["+84903112233"], "emails": []}]
    assert item.also_known == ()


def test_a_link_is_in_the_words() -> None:
    assert said(type="url", media="https://shop.vn/a").text == "https://shop.vn/a"
    assert said(type="url", media="https://shop.vn/a", text="xem https://shop.vn/a").text == "xem https://shop.vn/a"


def test_a_choice_we_offered_is_known_as_one() -> None:
    tracked = json.dumps({"choices": ["Đổi hàng", "Trả hàng"]})
    pressed = said(type="text", text="Trả hàng", tracking_data=tracked)
    assert pressed.details["choice"] == {"title": "Trả hàng", "payload": "Trả hàng"}
    assert "choice" not in said(type="text", text="Khác", tracking_data=tracked).details
    assert "choice" not in said(type="text", text="Khác", tracking_data="{not json").details


def test_what_cannot_be_shown_is_said_to_be_there() -> None:
    assert said(type="rich_media", text="").details == {"unsupported": True}


@pytest.mark.parametrize(
    ("event", "about", "what", "details"),
    [
        ("subscribed", {"user": {"id": YEN, "name": "Ngô Hải Yến"}}, "followed", {}),
        ("unsubscribed", {"user_id": YEN}, "unfollowed", {}),
        (
            "conversation_started",
            {"user": {"id": YEN}, "subscribed": True, "context": "tet-2026", "type": "open"},
            "followed",
            {"opened": True, "referral": {"source": "viber", "ref": "tet-2026", "title": "", "url": ""}},
        ),
        # Who only looks in cannot be written to.
        ("conversation_started", {"user": {"id": YEN}, "subscribed": False}, "unfollowed", {"opened": True}),
    ],
)
def test_who_comes_and_goes(event: str, about: dict[str, Any], what: str, details: dict[str, Any]) -> None:
    (item,) = read(event, **about)
    assert isinstance(item, ContactChange)
    assert (item.what, item.thread_key, item.sender.value, item.details) == (what, YEN, YEN, details)


@pytest.mark.parametrize(("event", "state"), [("delivered", "delivered"), ("seen", "read"), ("failed", "failed")])
def test_a_receipt(event: str, state: str) -> None:
    assert read(event, user_id=YEN, desc="failure description") == (
        Receipt(
            reference=str(TOKEN),
            state=state,
            reason="failure description",
            recipient=YEN,
            occurred_at=AT,
            thread_key=YEN,
        ),
    )


def test_an_event_nobody_has_heard_of_is_kept_with_whom_it_is_from() -> None:
    assert read("hologram_shown", user={"id": YEN, "name": "Ngô Hải Yến"}) == (
        Unknown(
            external_id=str(TOKEN), thread_key=YEN, sender=YEN_ADDRESS, occurred_at=AT, what="hologram_shown"
        ),
    )  # fmt: skip


def test_what_names_nobody_can_be_shown_nowhere() -> None:
    with pytest.raises(GiveUp):
        read("hologram_shown")


def test_the_receipts_of_one_message_are_told_apart() -> None:
    ids = {
        ADAPTER.identify(arrival({"event": event, "message_token": TOKEN, "user_id": YEN}).raw, {})
        for event in ("message", "delivered", "seen")
    }
    assert len(ids) == 3 and all(str(TOKEN) in one for one in ids)
    assert ADAPTER.identify(b'{"event":"x"}', {}).startswith("sha256:")
