"""Every kind of event of an Instagram account, shaped as the provider sends it, and what the desk makes of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels_app import registry
from channels_app.adapters.instagram.adapter import InstagramAdapter
from channels_app.contracts import (
    Address,
    Echo,
    NewMessage,
    Reaction,
    Receipt,
    RemoteFile,
    Unknown,
    Unsend,
)
from channels_app.simulators.instagram import Instagram
from helpdesk.core.errors import GiveUp
from tests.channels_app.simulated import Played, called, parsed

ACCOUNT, ANH = "17841400000000001", "1784000000000201"
MS = 1762902671000
AT = datetime.fromtimestamp(MS / 1000, UTC)
WHO = Address(kind="instagram", value=ANH, scope=ACCOUNT)
MID = "aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQxNDAwMDAwMDAwMDAx"
CDN = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=179&signature=Ab"


def event(*, ours: bool = False, **what: Any) -> dict[str, Any]:
    sides = ({"id": ACCOUNT}, {"id": ANH}) if ours else ({"id": ANH}, {"id": ACCOUNT})
    said = {"sender": sides[0], "recipient": sides[1], "timestamp": MS} | what
    return {"object": "instagram", "id": ACCOUNT, "time": MS, "event": said}


def read(item: dict[str, Any], **config: Any) -> Any:
    [found] = parsed("instagram", ACCOUNT, item, **config)
    return found


def message(**said: Any) -> NewMessage:
    found = read(event(message={"mid": MID} | said))
    assert isinstance(found, NewMessage)
    assert (found.external_id, found.thread_key, found.sender, found.occurred_at) == (MID, ANH, WHO, AT)
    return found


def test_text() -> None:
    found = message(text="Còn màu đen không shop 🖤")
    assert (found.text, found.remote, found.details) == ("Còn màu đen không shop 🖤", (), {})


@pytest.mark.parametrize("kind", ["image", "video", "audio", "file"])
def test_a_file(kind: str) -> None:
    found = message(attachments=[{"type": kind, "payload": {"url": CDN}}])
    assert found.remote == (RemoteFile(source={"url": CDN}, kind=kind),)


def test_a_mention_in_a_story_is_copied_at_once_for_it_is_gone_tomorrow() -> None:
    found = message(attachments=[{"type": "story_mention", "payload": {"url": CDN}}])
    assert found.details == {"story": {"url": CDN}}
    assert found.remote == (RemoteFile(source={"url": CDN}, kind="file", filename="story"),)


def test_an_answer_to_a_story() -> None:
    found = message(text="Đẹp quá", reply_to={"story": {"url": CDN, "id": "179"}})
    assert found.details == {"story": {"url": CDN}}
    assert found.remote == (RemoteFile(source={"url": CDN}, kind="file", filename="story"),)
    assert (found.text, found.quotes) == ("Đẹp quá", "")


def test_an_answer_to_a_message() -> None:
    assert message(text="Cái này ạ", reply_to={"mid": "aWdf_earlier"}).quotes == "aWdf_earlier"


def test_a_post_that_is_passed_on_comes_twice_and_is_one_file() -> None:
    payload = {"ig_post_media_id": "18139494541428835", "title": "Bộ sưu tập Tết", "url": CDN}
    found = message(attachments=[{"type": "share", "payload": payload}, {"type": "ig_post", "payload": payload}])
    assert found.text == "Bộ sưu tập Tết"
    assert found.remote == (RemoteFile(source={"url": CDN}, kind="image"),)


def test_a_reel_that_is_passed_on() -> None:
    payload = {"reel_video_id": "181", "title": "Mở hộp", "url": CDN}
    found = message(attachments=[{"type": "ig_reel", "payload": payload}])
    assert (found.text, found.remote) == ("Mở hộp", (RemoteFile(source={"url": CDN}, kind="video"),))


def test_a_picture_to_be_seen_once_and_what_the_provider_does_not_show() -> None:
    assert message(attachments=[{"type": "ephemeral"}]).details == {"unsupported": True}
    assert message(is_unsupported=True).details == {"unsupported": True}


def test_a_quick_reply_and_a_button() -> None:
    assert message(text="Size M", quick_reply={"payload": "M"}).details["choice"] == {"title": "Size M", "payload": "M"}
    pressed = read(event(postback={"mid": MID, "title": "Giá?", "payload": "PRICE"}))
    assert (pressed.text, pressed.details["choice"]["payload"]) == ("Giá?", "PRICE")


def test_a_message_from_an_advertisement_and_about_a_product() -> None:
    ad = {"ref": "a1", "ad_id": "604", "source": "ADS", "type": "OPEN_THREAD"}
    ad["ads_context_data"] = {"ad_title": "Sale Tết", "photo_url": "https://cdn.test/ad.jpg"}  # type: ignore[assignment]
    assert message(text="Tư vấn", referral=ad).details["referral"] == {
        "source": "ADS",
        "ref": "a1",
        "title": "Sale Tết",
        "url": "https://cdn.test/ad.jpg",
    }
    assert message(text="Còn không", referral={"product": {"id": "881"}}).details == {"product": {"id": "881"}}


def test_a_reaction() -> None:
    given = {"mid": "aWdf_ours", "action": "react", "reaction": "love", "emoji": "❤"}
    assert read(event(reaction=given)) == Reaction(
        external_id="aWdf_ours", thread_key=ANH, sender=WHO, occurred_at=AT, emoji="❤"
    )


def test_an_unsent_message_is_forgotten() -> None:
    found = read(event(message={"mid": MID, "is_deleted": True}))
    assert found == Unsend(external_id=MID, thread_key=ANH, occurred_at=AT)


def test_a_message_that_was_seen_is_named() -> None:
    found = read(event(read={"mid": "aWdf_ours"}))
    assert found == Receipt(reference="aWdf_ours", state="read", thread_key=ANH, occurred_at=AT)


def test_an_echo_comes_among_the_messages() -> None:
    found = read(event(ours=True, message={"mid": MID, "is_echo": True, "text": "Dạ còn"}))
    assert found == Echo(external_id=MID, thread_key=ANH, to=WHO, occurred_at=AT, text="Dạ còn")


def test_an_unknown_kind() -> None:
    found = read(event(hologram={"mid": "x"}))
    assert isinstance(found, Unknown)
    assert found.what == "hologram"


# --- in public ----------------------------------------------------------------------------------------------------

MEDIA, COMMENT = "17950000000000001", "17900000000000009"


def comment(field: str = "comments", who: str = ANH, **value: Any) -> dict[str, Any]:
    said = {
        "id": COMMENT,
        "from": {"id": who, "username": "ngocanh", "self_ig_scoped_id": "1"},
        "media": {"id": MEDIA, "media_product_type": "FEED"},
        "text": "Giá ạ?",
    }
    return {"object": "instagram", "id": ACCOUNT, "time": MS // 1000, "change": {"field": field, "value": said | value}}


@pytest.mark.parametrize("field", ["comments", "live_comments"])
def test_a_comment_is_a_message_that_everybody_reads(field: str) -> None:
    found = read(comment(field))
    assert isinstance(found, NewMessage)
    assert (found.external_id, found.thread_key, found.is_comment) == (COMMENT, f"comment:{MEDIA}:{ANH}", True)
    assert found.sender == Address(kind="instagram", value=ANH, scope=ACCOUNT, name="ngocanh")
    assert (found.text, found.occurred_at, found.details) == ("Giá ạ?", AT, {"post": {"id": MEDIA}})


def test_a_comment_under_an_advertisement_and_under_a_comment() -> None:
    media = {"id": MEDIA, "media_product_type": "AD", "ad_id": "1", "ad_title": "Sale Tết"}
    found = read(comment(media=media, parent_id="17900000000000001"))
    assert found.quotes == "17900000000000001"
    assert found.details == {"post": {"id": MEDIA, "text": "Sale Tết", "parent": "17900000000000001"}}


def test_a_channel_that_takes_no_comments() -> None:
    assert parsed("instagram", ACCOUNT, comment(), comments=False) == ()


def test_what_names_nobody_says_so() -> None:
    mention = {"field": "mentions", "value": {"media_id": "1", "comment_id": "2"}}
    with pytest.raises(GiveUp, match="names nobody"):
        parsed("instagram", ACCOUNT, {"object": "instagram", "id": ACCOUNT, "change": mention})
    with pytest.raises(GiveUp, match="another page or account"):
        parsed("instagram", "1", event(message={"mid": MID}))


# --- taken apart --------------------------------------------------------------------------------------------------


def test_calls_of_both_log_ins_are_taken_apart() -> None:
    """An application of Instagram's own log-in names the field on the entry itself."""
    value = comment()["change"]["value"]
    entries = [
        {"id": ACCOUNT, "time": 1, "messaging": [event(message={"mid": MID, "text": "a"})["event"]]},
        {"id": ACCOUNT, "time": 1, "changes": [{"field": "comments", "value": value}]},
        {"id": ACCOUNT, "time": 1, "field": "comments", "value": value | {"id": "2"}},
        {"id": ACCOUNT, "time": 1, "changes": [{"field": "messages", "value": event(message={"mid": "m9"})["event"]}]},
    ]
    body = json.dumps({"object": "instagram", "entry": entries}).encode()
    channel = Played(Instagram(base_url="http://127.0.0.1:1"), "").channel()
    items = InstagramAdapter().split(channel, called(body))
    assert [item.external_id for item in items] == [f"message:{MID}", f"comment:{COMMENT}", "comment:2", "message:m9"]
    kinds = [type(read(json.loads(item.raw))) for item in items]
    assert kinds == [NewMessage] * 4


def test_a_call_of_a_page_is_none_of_an_account() -> None:
    adapter = registry.adapter("instagram")
    channel = Played(Instagram(base_url="http://127.0.0.1:1"), "").channel()
    with pytest.raises(ValueError):
        adapter.split(channel, called(b'{"object":"page","entry":[]}'))  # type: ignore[attr-defined]
