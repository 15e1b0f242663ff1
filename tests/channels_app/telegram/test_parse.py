"""Every kind of update, as Telegram sends it."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from channels_app.contracts import (
    Address,
    ContactChange,
    Echo,
    Edit,
    NewMessage,
    Reaction,
    RemoteFile,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp
from tests.channels_app.telegram.desk import ADAPTER, GROUP, LAN, RECEIVED, SENT, arrival, message, read

LAN_ADDRESS = Address(kind="telegram", value=LAN, name="Lan Trần", scope="hoalu_store_bot")
AT = datetime.fromtimestamp(SENT, UTC)
FILE = {"file_id": "AgAC-1", "file_unique_id": "q1", "file_size": 4242}


def said(**content: Any) -> NewMessage:
    (item,) = read(message=message(**content))
    assert isinstance(item, NewMessage)
    return item


def remote(**content: Any) -> RemoteFile:
    (file,) = said(**content).remote
    return file


def test_a_text() -> None:
    decomposed = unicodedata.normalize("NFD", "Shop ơi, đơn của mình đâu?")
    assert said(text=decomposed) == NewMessage(
        external_id=f"{LAN}:41",
        thread_key=LAN,
        sender=LAN_ADDRESS,
        occurred_at=AT,
        text="Shop ơi, đơn của mình đâu?",
        text_full="Shop ơi, đơn của mình đâu?",
        language="vi",
    )


def test_a_time_in_the_future_is_now() -> None:
    assert said(text="a", date=SENT + 10**6).occurred_at == RECEIVED


def test_the_address_behind_linked_words_is_written_out() -> None:
    # Offsets count UTF-16 units: the emoji takes two.
    entities = [{"type": "text_link", "offset": 3, "length": 3, "url": "https://shop.vn/a"}]
    assert said(text="🙂 đây nhé", entities=entities).text == "🙂 đây (https://shop.vn/a) nhé"


def test_a_photo_comes_in_its_largest_size_with_its_caption() -> None:
    small = {"file_id": "small", "width": 90, "height": 67, "file_size": 1200}
    item = said(photo=[small, FILE | {"width": 1280, "height": 960}, small], caption="Bị vỡ")
    assert item.text == "Bị vỡ"
    assert item.remote == (
        RemoteFile(
            source={"file_id": "AgAC-1"}, kind="image", filename="photo.jpg", content_type="image/jpeg", size=4242
        ),
    )


@pytest.mark.parametrize(
    ("field", "given", "kind", "filename", "content_type"),
    [
        ("document", {"file_name": "đơn.pdf", "mime_type": "application/pdf"}, "file", "đơn.pdf", "application/pdf"),
        ("document", {"file_name": "a.png", "mime_type": "image/png"}, "image", "a.png", "image/png"),
        ("video", {"duration": 3, "mime_type": "video/mp4", "file_name": "IMG.MOV"}, "video", "IMG.MOV", "video/mp4"),
        ("video_note", {"length": 240}, "video", "video.mp4", "video/mp4"),
        ("voice", {"duration": 4, "mime_type": "audio/ogg"}, "audio", "voice.ogg", "audio/ogg"),
        ("audio", {"title": "Bài hát"}, "audio", "audio.mp3", "audio/mpeg"),
    ],
)  # fmt: skip
def test_a_file(field: str, given: dict[str, Any], kind: str, filename: str, content_type: str) -> None:
    file = remote(**{field: FILE | given})
    assert (file.kind, file.filename, file.content_type) == (kind, filename, content_type)
    assert (file.source, file.size) == ({"file_id": "AgAC-1"}, 4242)


def test_an_animation_comes_once_although_it_stands_there_twice() -> None:
    twice = FILE | {"mime_type": "video/mp4", "file_name": "vui.mp4"}
    assert said(animation=twice, document=twice).remote[0].kind == "video"
    assert len(said(animation=twice, document=twice).remote) == 1


def test_a_sticker() -> None:
    item = said(sticker=FILE | {"emoji": "👍", "type": "regular", "is_animated": False, "is_video": False})
    assert item.details["sticker"] == {"id": "q1", "emoji": "👍"}
    assert item.text == "👍"
    assert (item.remote[0].kind, item.remote[0].content_type) == ("sticker", "image/webp")
    moving = remote(sticker=FILE | {"is_animated": True})
    assert (moving.filename, moving.content_type) == ("sticker.tgs", "application/gzip")
    assert remote(sticker=FILE | {"is_video": True}).content_type == "video/webm"


def test_a_location() -> None:
    item = said(location={"latitude": 10.776, "longitude": 106.7})
    assert item.details["location"] == {"latitude": 10.776, "longitude": 106.7, "name": "", "address": ""}


def test_a_venue() -> None:
    point = {"latitude": 10.776, "longitude": 106.7}
    item = said(venue={"location": point, "title": "Chợ Bến Thành", "address": "Lê Lợi, Q.1"}, location=point)
    assert item.details["location"] == point | {"name": "Chợ Bến Thành", "address": "Lê Lợi, Q.1"}


def test_somebody_elses_contact_proves_nothing() -> None:
    card = {"phone_number": "84903112233", "first_name": "Hà", "last_name": "Đỗ", "user_id": 99}
    item = said(contact=card)
    assert item.details["contacts"] == [{"name": "Hà Đỗ", "phones": ["+84903112233"], "emails": []}]
    assert item.also_known == ()


def test_the_senders_own_contact_proves_their_number() -> None:
    card = {"phone_number": "+84 903 112 233", "first_name": "Lan", "user_id": 5810234417}
    (known,) = said(contact=card).also_known
    assert (known.kind, known.value, known.verified, known.evidence) == ("phone", "+84903112233", True, "telegram")
    forwarded = said(contact=card, forward_origin={"type": "user"})
    assert forwarded.also_known == ()


def test_a_poll_is_shown_as_far_as_words_go() -> None:
    item = said(poll={"id": "1", "question": "Màu nào?", "options": [{"text": "Đỏ"}, {"text": "Xanh"}]})
    assert item.text == "Màu nào?\n– Đỏ\n– Xanh"
    assert item.details["unsupported"] is True


@pytest.mark.parametrize("kind", ["dice", "game", "story", "invoice", "paid_media", "giveaway", "gift"])
def test_what_cannot_be_shown_is_said_to_be_there(kind: str) -> None:
    assert said(**{kind: {"emoji": "🎲", "value": 4}}).details["unsupported"] is True


def test_a_reply_names_what_it_answers() -> None:
    assert said(text="cái này", reply_to_message=message(message_id=17, text="Hàng mới")).quotes == f"{LAN}:17"


def test_a_reply_to_a_story_names_the_story() -> None:
    story = {"chat": {"id": 1, "type": "private", "username": "hoalu"}, "id": 5}
    assert said(text="đẹp quá", reply_to_story=story).details["story"] == {"url": "https://t.me/hoalu/s/5"}


def test_a_forward_says_so() -> None:
    item = said(text="xem này", forward_origin={"type": "hidden_user", "sender_user_name": "Ai đó", "date": SENT})
    assert item.details["forwarded"] is True


def test_the_files_of_an_album_are_messages_that_know_their_album() -> None:
    first = said(photo=[FILE | {"width": 1, "height": 1}], media_group_id="135", caption="Ba tấm", message_id=41)
    second = said(photo=[FILE | {"width": 1, "height": 1, "file_id": "B"}], media_group_id="135", message_id=42)
    assert (first.details["album"], second.details["album"]) == ("135", "135")
    assert first.external_id != second.external_id


def test_a_start_link_says_where_they_came_from() -> None:
    item = said(text="/start qc-tet-2026")
    assert item.details["referral"] == {"source": "telegram", "ref": "qc-tet-2026", "title": "", "url": ""}
    assert "referral" not in said(text="/start").details


def test_an_edit() -> None:
    assert read(edited_message=message(text="Đơn 1025", edit_date=SENT + 60)) == (
        Edit(
            external_id=f"{LAN}:41",
            thread_key=LAN,
            occurred_at=datetime.fromtimestamp(SENT + 60, UTC),
            text="Đơn 1025",
            number=SENT + 60,
        ),
    )


def test_an_edited_caption() -> None:
    (item,) = read(edited_message=message(photo=[FILE], caption="Vỡ rồi", edit_date=SENT))
    assert isinstance(item, Edit) and item.text == "Vỡ rồi"


def test_somebody_who_moves_while_sharing_where_they_are_edits_nothing() -> None:
    assert read(edited_message=message(location={"latitude": 1.0, "longitude": 2.0}, edit_date=SENT)) == ()


def test_a_pressed_button() -> None:
    buttons = [[{"text": "Đổi hàng", "callback_data": "choice-0"}], [{"text": "Trả hàng", "callback_data": "choice-1"}]]
    asked = message(message_id=30, text="Bạn muốn gì?", reply_markup={"inline_keyboard": buttons})
    query = {"id": "4382", "from": message()["from"], "message": asked, "data": "choice-1", "chat_instance": "8"}
    (item,) = read(callback_query=query)
    assert isinstance(item, NewMessage)
    assert (item.external_id, item.thread_key, item.quotes) == (f"{LAN}:press-4382", LAN, f"{LAN}:30")
    assert item.details == {"choice": {"title": "Trả hàng", "payload": "choice-1"}}
    assert (item.text, item.occurred_at) == ("Trả hàng", RECEIVED)


@pytest.mark.parametrize(("status", "what"), [("kicked", "blocked"), ("member", "unblocked")])
def test_a_customer_blocks_the_bot_or_lets_it_in_again(status: str, what: str) -> None:
    change = message(old_chat_member={"status": "member"}, new_chat_member={"status": status, "user": {"id": 7}})
    assert read(my_chat_member=change) == (
        ContactChange(thread_key=LAN, sender=LAN_ADDRESS, occurred_at=AT, what=what),
    )


@pytest.mark.parametrize(
    ("new", "emoji"),
    [
        ([{"type": "emoji", "emoji": "❤"}], "❤"),
        ([], ""),
        ([{"type": "custom_emoji", "custom_emoji_id": "5"}], "❔"),
        ([{"type": "paid"}], "⭐"),
    ],
)
def test_a_reaction(new: list[dict[str, str]], emoji: str) -> None:
    change = message(old_reaction=[], new_reaction=new)
    change["user"] = change.pop("from")
    assert read(message_reaction=change) == (
        Reaction(external_id=f"{LAN}:41", thread_key=LAN, sender=LAN_ADDRESS, occurred_at=AT, emoji=emoji),
    )


def test_a_customer_of_a_business_account_has_a_line_of_their_own() -> None:
    (item,) = read(business_message=message(text="Còn hàng không?", business_connection_id="Bz9"))
    assert isinstance(item, NewMessage)
    assert (item.thread_key, item.external_id) == (f"Bz9:{LAN}", f"Bz9:{LAN}:41")


def test_what_the_owner_writes_in_telegram_is_no_customers_word() -> None:
    owner = {"id": 777, "first_name": "Chủ", "last_name": "Shop", "is_bot": False}
    written = message(text="Còn nhé", business_connection_id="Bz9") | {"from": owner}
    assert read(business_message=written) == (
        Echo(
            external_id=f"Bz9:{LAN}:41",
            thread_key=f"Bz9:{LAN}",
            to=LAN_ADDRESS,
            occurred_at=AT,
            text="Còn nhé",
            author="Chủ Shop",
        ),
    )


def test_an_edit_in_a_business_chat() -> None:
    (item,) = read(edited_business_message=message(text="hết", business_connection_id="Bz9", edit_date=SENT))
    assert isinstance(item, Edit) and item.external_id == f"Bz9:{LAN}:41"


def test_messages_deleted_in_a_business_chat_are_forgotten() -> None:
    gone = {"business_connection_id": "Bz9", "chat": message()["chat"], "message_ids": [41, 42]}
    assert read(deleted_business_messages=gone) == tuple(
        Unsend(external_id=f"Bz9:{LAN}:{number}", thread_key=f"Bz9:{LAN}", occurred_at=RECEIVED) for number in (41, 42)
    )


def test_a_connection_of_a_business_account_is_no_message() -> None:
    assert read(business_connection={"id": "Bz9", "user": {"id": 1}, "is_enabled": True}) == ()


def in_group(**content: Any) -> dict[str, Any]:
    return message(**content) | {"chat": {"id": int(GROUP), "type": "supergroup", "title": "Khách sỉ"}}


def test_a_group_is_one_line_with_a_sender_each() -> None:
    other = {"id": 6120987354, "first_name": "Hà", "is_bot": False}
    (first,) = read(message=in_group(text="a"))
    (second,) = read(message=in_group(text="b") | {"from": other})
    assert isinstance(first, NewMessage) and isinstance(second, NewMessage)
    assert {first.thread_key, second.thread_key} == {GROUP}
    assert (first.sender.value, second.sender.value) == (LAN, "6120987354")


def test_somebody_who_writes_in_the_name_of_a_chat_is_that_chat() -> None:
    (item,) = read(message=in_group(text="a", sender_chat={"id": int(GROUP), "title": "Khách sỉ"}))
    assert isinstance(item, NewMessage) and (item.sender.value, item.sender.name) == (GROUP, "Khách sỉ")


@pytest.mark.parametrize("kind", ["new_chat_members", "left_chat_member", "pinned_message", "new_chat_title"])
def test_what_telegram_says_of_a_group_is_no_message(kind: str) -> None:
    assert read(message=in_group(**{kind: {"message_id": 1}})) == ()


def test_a_group_that_becomes_a_supergroup_moves() -> None:
    old = message(migrate_to_chat_id=int(GROUP)) | {"chat": {"id": -4001, "type": "group", "title": "Khách sỉ"}}
    (item,) = read(message=old)
    assert item == ContactChange(
        thread_key="-4001",
        sender=Address(kind="telegram", value="-4001", scope="hoalu_store_bot"),
        occurred_at=AT,
        what="moved",
        now=Address(kind="telegram", value=GROUP, scope="hoalu_store_bot"),
        details={"thread_key": GROUP},
    )


def test_a_kind_of_update_nobody_has_heard_of_is_kept_with_whom_it_is_from() -> None:
    (item,) = read(telepathic_message={"from": message()["from"], "chat": message()["chat"], "date": SENT})
    assert item == Unknown(
        external_id=f"{LAN}:update-x", thread_key=LAN, sender=LAN_ADDRESS, occurred_at=AT, what="telepathic_message"
    )


def test_a_kind_of_message_nobody_has_heard_of_is_kept_by_name() -> None:
    (item,) = read(message=message(hologram={"id": 1}))
    assert isinstance(item, Unknown) and (item.what, item.external_id) == ("hologram", f"{LAN}:41")


def test_what_names_nobody_can_be_shown_nowhere() -> None:
    with pytest.raises(GiveUp):
        read(poll={"id": "7", "question": "?"})


def test_an_update_is_told_apart_by_its_number_and_what_it_is_about() -> None:
    one, two = {"update_id": 5, "message": message(text="a")}, {"update_id": 5, "message": message(message_id=42)}
    assert ADAPTER.identify(arrival(one).raw, {}) == f"5:message:{LAN}:41"
    assert ADAPTER.identify(arrival(two).raw, {}) != ADAPTER.identify(arrival(one).raw, {})
    assert ADAPTER.identify(b"\xff", {}).startswith("sha256:")
