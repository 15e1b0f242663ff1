"""Every kind of event of a page, shaped as the provider sends it, and what the desk makes of it."""

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
    Receipt,
    RemoteFile,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp
from tests.channels_app.simulated import RECEIVED, parsed

PAGE, HA = "100200300400500", "7300000000000101"
OUR_CHANNEL = "00000000-0000-0000-0000-000000000007"  # of `parsed`
MS = 1762902671000
AT = datetime.fromtimestamp(MS / 1000, UTC)
WHO = Address(kind="messenger", value=HA, scope=PAGE)
MID = "m_AG5Hz2Uq7tuwNEhXfYYKj8mJEM_QPpz5jdCK48PnKAjSdjfipqxqMvK8ma6AC8fplwlqLP_5cgXIbu7I3rBN0P"
CDN = "https://scontent.xx.fbcdn.net/v/t1.15752-9/a.jpg?oh=03_abc&oe=67F8A0C1"


def event(*, ours: bool = False, **what: Any) -> dict[str, Any]:
    sides = ({"id": PAGE}, {"id": HA}) if ours else ({"id": HA}, {"id": PAGE})
    said = {"sender": sides[0], "recipient": sides[1], "timestamp": MS} | what
    return {"object": "page", "id": PAGE, "time": MS, "event": said}


def read(item: dict[str, Any], **config: Any) -> Any:
    [found] = parsed("messenger", PAGE, item, **config)
    return found


def message(**said: Any) -> NewMessage:
    found = read(event(message={"mid": MID} | said))
    assert isinstance(found, NewMessage)
    assert (found.external_id, found.thread_key, found.sender, found.occurred_at) == (MID, HA, WHO, AT)
    return found


# --- what customers say ---------------------------------------------------------------------------------------------


def test_text_comes_in_nfc() -> None:
    found = message(text="Ca\u0300 phe\u0302 co\u0300n kho\u0302ng a\u0323?", seq=73)
    assert found.text == found.text_full == "Cà phê còn không ạ?"
    assert (found.remote, found.details, found.quotes, found.is_comment) == ((), {}, "", False)


@pytest.mark.parametrize("kind", ["image", "video", "audio", "file"])
def test_a_file_is_named_and_left_where_it_lies(kind: str) -> None:
    found = message(attachments=[{"type": kind, "payload": {"url": CDN}}])
    assert found.remote == (RemoteFile(source={"url": CDN}, kind=kind),)
    assert found.text == ""


def test_several_pictures_under_one_text() -> None:
    found = message(
        text="Hàng lỗi ạ",
        attachments=[{"type": "image", "payload": {"url": f"{CDN}&n={number}"}} for number in range(3)],
    )
    assert [file.source["url"][-1] for file in found.remote] == ["0", "1", "2"]


def test_a_sticker() -> None:
    found = message(
        sticker_id=369239263222822,
        attachments=[{"type": "image", "payload": {"url": CDN, "sticker_id": 369239263222822}}],
    )
    assert found.remote == (RemoteFile(source={"url": CDN}, kind="sticker"),)
    assert found.details == {"sticker": {"id": "369239263222822"}}


def test_a_location() -> None:
    place = {"type": "location", "title": "Hồ Gươm", "payload": {"coordinates": {"lat": 21.0285, "long": 105.8542}}}
    found = message(attachments=[place])
    assert found.details == {"location": {"latitude": 21.0285, "longitude": 105.8542, "name": "Hồ Gươm"}}


def test_a_link_that_is_passed_on_is_words() -> None:
    shared = {"type": "fallback", "title": "Áo len", "payload": {"url": "https://shop.test/ao-len", "title": "Áo len"}}
    assert message(attachments=[shared]).text == "Áo len\nhttps://shop.test/ao-len"
    assert message(text="https://shop.test/ao-len", attachments=[shared]).text == "https://shop.test/ao-len\nÁo len"


def test_a_product_somebody_asks_about() -> None:
    element = {"id": "881", "retailer_id": "SKU-9", "title": "Áo len", "subtitle": "499.000 ₫", "image_url": CDN}
    shared = {"type": "template", "payload": {"product": {"elements": [element]}}}
    found = message(text="Còn không ạ?", attachments=[shared], referral={"product": {"id": "881"}})
    assert found.text == "Còn không ạ?\nÁo len\n499.000 ₫"
    assert found.details == {"product": {"id": "881"}}


def test_a_reel_that_is_passed_on() -> None:
    reel = {"type": "reel", "payload": {"url": "https://www.facebook.com/reel/991", "title": "Mở hộp"}}
    assert message(attachments=[reel]).text == "Mở hộp\nhttps://www.facebook.com/reel/991"
    reel = {"type": "reel", "payload": {"url": "https://video.xx.fbcdn.net/o1.mp4", "title": "Mở hộp"}}
    assert message(attachments=[reel]).remote == (
        RemoteFile(source={"url": "https://video.xx.fbcdn.net/o1.mp4"}, kind="video"),
    )


def test_a_quick_reply_is_a_choice() -> None:
    found = message(text="Size M", quick_reply={"payload": "SIZE_M"})
    assert (found.text, found.details) == ("Size M", {"choice": {"title": "Size M", "payload": "SIZE_M"}})


def test_an_answer_names_what_it_answers() -> None:
    assert message(text="Cái này", reply_to={"mid": "m_earlier"}).quotes == "m_earlier"


def test_a_message_from_an_advertisement() -> None:
    ad = {
        "ref": "tet-2027",
        "ad_id": "6045246247433",
        "source": "ADS",
        "type": "OPEN_THREAD",
        "ads_context_data": {"ad_title": "Sale Tết", "photo_url": CDN, "post_id": "1"},
    }
    found = message(text="Tư vấn giúp mình", referral=ad)
    assert found.details["referral"] == {"source": "ADS", "ref": "tet-2027", "title": "Sale Tết", "url": CDN}


def test_a_message_the_provider_does_not_show() -> None:
    assert message(is_unsupported=True).details == {"unsupported": True}
    assert message(attachments=[{"type": "ephemeral"}]).details == {"unsupported": True}
    assert message().details == {"unsupported": True}


def test_a_button_that_is_pressed_speaks_by_its_title() -> None:
    pressed = {
        "mid": MID,
        "title": "Bắt đầu",
        "payload": "GET_STARTED",
        "referral": {"source": "SHORTLINK", "ref": "v"},
    }
    found = read(event(postback=pressed))
    assert isinstance(found, NewMessage)
    assert (found.external_id, found.text) == (MID, "Bắt đầu")
    assert found.details["choice"] == {"title": "Bắt đầu", "payload": "GET_STARTED"}
    assert found.details["referral"] == {"source": "SHORTLINK", "ref": "v"}


def test_a_button_without_an_id_is_still_one_message() -> None:
    found = read(event(postback={"title": "Bắt đầu", "payload": "GET_STARTED"}))
    assert found.external_id == "item-1"  # the key of its receipt


def test_what_another_application_answers_to_is_listened_to() -> None:
    found = read(event(message={"mid": MID, "text": "Alo"}))
    assert found.text == "Alo"


# --- what happens to what was said ----------------------------------------------------------------------------------


def test_a_reaction_comes_and_goes() -> None:
    given = {"reaction": "love", "emoji": "❤️", "action": "react", "mid": "m_ours"}
    assert read(event(reaction=given)) == Reaction(
        external_id="m_ours", thread_key=HA, sender=WHO, occurred_at=AT, emoji="❤️"
    )
    assert read(event(reaction={"action": "unreact", "mid": "m_ours"})).emoji == ""
    assert read(event(reaction={"reaction": "sad", "action": "react", "mid": "m_ours"})).emoji == "😢"


def test_an_edit_counts() -> None:
    found = read(event(message_edit={"mid": MID, "text": "Size L nhé", "num_edit": 2}))
    assert found == Edit(external_id=MID, thread_key=HA, occurred_at=AT, text="Size L nhé", number=2)


def test_an_unsent_message_is_taken_back() -> None:
    found = read(event(message={"mid": MID, "is_deleted": True}))
    assert found == Unsend(external_id=MID, thread_key=HA, occurred_at=AT)


def test_an_answer_of_ours_that_was_unsent_elsewhere() -> None:
    found = read(event(ours=True, message={"mid": MID, "is_deleted": True, "is_echo": True}))
    assert found == Unsend(external_id=MID, thread_key=HA, occurred_at=AT)


def test_delivered_names_messages_and_a_moment() -> None:
    one, other, everything = parsed("messenger", PAGE, event(delivery={"mids": ["m_1", "m_2"], "watermark": MS}))
    assert one == Receipt(reference="m_1", state="delivered", thread_key=HA, occurred_at=AT)
    assert isinstance(other, Receipt) and other.reference == "m_2"
    assert everything == Receipt(reference="", state="delivered", thread_key=HA, up_to=AT, occurred_at=AT)
    [alone] = parsed("messenger", PAGE, event(delivery={"watermark": MS}))
    assert alone == everything


def test_read_is_everything_up_to_a_moment() -> None:
    found = read(event(read={"watermark": MS - 1000}))
    up_to = datetime.fromtimestamp(MS / 1000 - 1, UTC)
    assert found == Receipt(reference="", state="read", thread_key=HA, up_to=up_to, occurred_at=AT)


# --- our side of the line -------------------------------------------------------------------------------------------


def test_an_echo_of_ours_brings_our_key_back() -> None:
    said = {"is_echo": True, "app_id": 4242, "metadata": f"{OUR_CHANNEL}:31", "mid": MID, "text": "Dạ có"}
    found = read(event(ours=True, message=said))
    assert found == Echo(external_id=MID, thread_key=HA, to=WHO, occurred_at=AT, text="Dạ có", our_key="31")


@pytest.mark.parametrize("metadata", [None, "31", "00000000-0000-0000-0000-000000000008:31", 31, {"a": 1}])
def test_an_echo_of_somebody_else_has_no_key_of_ours(metadata: Any) -> None:
    said = {"is_echo": True, "app_id": 263902037430900, "metadata": metadata, "mid": MID, "text": "Dạ có"}
    found = read(event(ours=True, message=said))
    assert isinstance(found, Echo) and found.our_key == ""


def test_an_echo_with_a_file() -> None:
    said = {"is_echo": True, "app_id": 1, "mid": MID, "attachments": [{"type": "image", "payload": {"url": CDN}}]}
    assert read(event(ours=True, message=said)).remote == (RemoteFile(source={"url": CDN}, kind="image"),)


# --- coming and going -----------------------------------------------------------------------------------------------


def test_who_follows_a_link_here_has_said_nothing_yet() -> None:
    found = read(event(referral={"ref": "qr-cua-hang", "source": "SHORTLINK", "type": "OPEN_THREAD"}))
    assert isinstance(found, ContactChange)
    assert (found.what, found.sender) == ("opted_in", WHO)
    assert found.details == {"referral": {"source": "SHORTLINK", "ref": "qr-cua-hang"}}


def test_opting_in_and_out_of_notifications() -> None:
    found = read(event(optin={"type": "notification_messages", "payload": "tet", "title": "Tin Tết"}))
    assert found.details == {"referral": {"source": "notification_messages", "ref": "tet", "title": "Tin Tết"}}
    stop = {"type": "notification_messages", "notification_messages_status": "STOP_NOTIFICATIONS"}
    assert parsed("messenger", PAGE, event(optin=stop)) == ()


def test_an_unknown_kind_is_a_placeholder() -> None:
    found = read(event(hologram={"shape": "cat"}))
    assert found == Unknown(external_id="item-1", thread_key=HA, sender=WHO, occurred_at=AT, what="hologram")


def test_the_page_handed_to_another_application() -> None:
    found = read(event(pass_thread_control={"new_owner_app_id": "1", "metadata": ""}))
    assert isinstance(found, Unknown) and found.what == "pass_thread_control"


# --- in public ------------------------------------------------------------------------------------------------------

POST, COMMENT = f"{PAGE}_77", "77_900"


def change(verb: str = "add", *, who: str = HA, item: str = "comment", **value: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "from": {"id": who, "name": "Trần Thu Hà"},
        "post": {"id": POST, "permalink_url": "https://www.facebook.com/hoalu/posts/77", "is_published": True},
        "message": "Giá bao nhiêu ạ?",
        "post_id": POST,
        "comment_id": COMMENT,
        "parent_id": POST,
        "created_time": MS // 1000,
        "item": item,
        "verb": verb,
    }
    return {"object": "page", "id": PAGE, "time": MS // 1000 + 60, "change": {"field": "feed", "value": said | value}}


def test_a_comment_is_a_message_that_everybody_reads() -> None:
    found = read(change())
    assert isinstance(found, NewMessage)
    assert (found.external_id, found.thread_key, found.is_comment) == (COMMENT, f"comment:{POST}:{HA}", True)
    assert found.sender == Address(kind="messenger", value=HA, scope=PAGE, name="Trần Thu Hà")
    assert (found.text, found.occurred_at, found.quotes) == ("Giá bao nhiêu ạ?", AT, "")
    assert found.details == {"post": {"id": POST, "url": "https://www.facebook.com/hoalu/posts/77"}}


def test_a_commenter_is_the_same_person_as_in_messages() -> None:
    mine, public = message(text="a").sender, read(change()).sender
    assert (mine.kind, mine.scope, mine.value) == (public.kind, public.scope, public.value)


def test_a_comment_under_a_comment() -> None:
    found = read(change(parent_id="77_800", photo=CDN))
    assert found.quotes == "77_800"
    assert found.details["post"]["parent"] == "77_800"
    assert found.remote == (RemoteFile(source={"url": CDN}, kind="image"),)


def test_a_comment_is_edited_and_deleted() -> None:
    key, told = f"comment:{POST}:{HA}", datetime.fromtimestamp(MS // 1000 + 60, UTC)
    edited = read(change("edited", message="Giá sỉ bao nhiêu ạ?"))
    assert edited == Edit(external_id=COMMENT, thread_key=key, occurred_at=told, text="Giá sỉ bao nhiêu ạ?")
    assert read(change("remove", message=None)) == Unsend(external_id=COMMENT, thread_key=key, occurred_at=told)


def test_hiding_a_comment_leaves_its_words() -> None:
    assert parsed("messenger", PAGE, change("hide")) == parsed("messenger", PAGE, change("unhide")) == ()


def test_what_a_visitor_puts_on_the_wall_is_public_too() -> None:
    found = read(change(item="status", comment_id=None, parent_id=None, message="Shop cho hỏi"))
    assert (found.external_id, found.thread_key, found.is_comment) == (POST, f"comment:{POST}:{HA}", True)


@pytest.mark.parametrize("item", ["reaction", "like", "status", "photo", "share", "event", "album"])
def test_what_is_no_comment_is_no_message(item: str) -> None:
    who = PAGE if item in ("status", "photo", "share") else HA
    assert parsed("messenger", PAGE, change(item=item, who=who)) == ()


def test_a_channel_that_takes_no_comments() -> None:
    assert parsed("messenger", PAGE, change(), comments=False) == ()


# --- what is not for us, or badly made ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"object": "page", "id": "999", "event": {"sender": {"id": HA}}}, "than this channel: 999"),
        ({"object": "page", "event": {"sender": {"id": HA}}}, "for which page"),
        ({"object": "page", "id": PAGE, "event": {"message": {"mid": "m", "text": "?"}}}, "names nobody"),
        ({"object": "page", "id": PAGE, "odd": {"id": PAGE}}, "nothing can be read"),
        ({"object": "page", "id": PAGE, "change": {"field": "feed", "value": {"item": "comment"}}}, "under which post"),
        ({"object": "page", "id": PAGE, "change": {"field": "mention", "value": {"post_id": "1"}}}, "names nobody"),
    ],
)
def test_what_cannot_be_shown_says_why(item: dict[str, Any], why: str) -> None:
    with pytest.raises(GiveUp, match=why):
        parsed("messenger", PAGE, item)


def test_ids_that_come_as_numbers_are_text() -> None:
    found = read(
        {
            "object": "page",
            "id": int(PAGE),
            "event": {
                "sender": {"id": int(HA)},
                "recipient": {"id": int(PAGE)},
                "timestamp": str(MS),
                "message": {"mid": 12345678901234567890, "text": "Alo"},
            },
        }
    )
    assert (found.thread_key, found.external_id, found.occurred_at) == (HA, "12345678901234567890", AT)


@pytest.mark.parametrize("when", [None, "", "soon", -1, 0, True, [], float("nan"), float("inf"), 10**400, MS * 1000])
def test_a_senseless_time_is_the_time_of_arrival(when: Any) -> None:
    found = read(event(timestamp=when, message={"mid": MID, "text": "a"}))
    assert found.occurred_at == RECEIVED


def test_a_subscription_that_sends_messages_as_changes() -> None:
    value = event(message={"mid": MID, "text": "Alo"})["event"]
    found = read({"object": "page", "id": PAGE, "change": {"field": "messages", "value": value}})
    assert (found.external_id, found.text) == (MID, "Alo")
