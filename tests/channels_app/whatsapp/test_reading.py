"""Every kind of event, shaped as WhatsApp sends it."""

import json
from typing import Any

import pytest

from channels_app import registry
from channels_app.adapters.base import Forged
from channels_app.contracts import (
    Call,
    ContactChange,
    Echo,
    Edit,
    NewMessage,
    Reaction,
    Receipt,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp
from tests.channels_app.whatsapp.payloads import (
    AT,
    LATER,
    NUMBER,
    PHONE,
    REF,
    USER,
    WABA,
    arrival,
    call,
    contact,
    message,
    parsed,
    said,
    split,
    status,
    told,
    value,
)


def test_text() -> None:
    found = said("text", {"body": "Shop o\u031bi 👍🏽"})
    assert isinstance(found, NewMessage)
    assert (found.text, found.external_id, found.occurred_at) == ("Shop ơi 👍🏽", "wamid.HBgL1", AT)  # NFC
    assert (found.thread_key, found.sender.value, found.sender.scope) == (USER, USER, WABA)
    assert found.sender.name == "Trần Thị Hồng"
    assert found.details == {}


@pytest.mark.parametrize(
    ("kind", "part", "shown", "filename"),
    [
        ("image", {"id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "Bị vỡ"}, "image", ""),
        ("video", {"id": "1", "mime_type": "video/mp4"}, "video", ""),
        ("audio", {"id": "1", "mime_type": "audio/ogg; codecs=opus", "voice": True}, "audio", ""),
        ("document", {"id": "1", "mime_type": "application/pdf", "filename": "Hoá đơn.pdf"}, "file", "Hoá đơn.pdf"),
        ("sticker", {"id": "1", "mime_type": "image/webp", "animated": False}, "sticker", ""),
    ],
)
def test_files(kind: str, part: dict[str, Any], shown: str, filename: str) -> None:
    found = said(kind, part)
    [remote] = found.remote
    assert (remote.kind, remote.filename, remote.content_type) == (shown, filename, part["mime_type"])
    assert remote.source == {"media": "1"}
    assert found.text == part.get("caption", "")
    assert found.details == (
        {"voice": True} if part.get("voice") else {"sticker": {"id": "1"}} if kind == "sticker" else {}
    )


def test_location() -> None:
    found = said("location", {"latitude": 10.77, "longitude": 106.7, "name": "Chợ", "address": "Q1", "url": "x"})
    assert found.details == {"location": {"latitude": 10.77, "longitude": 106.7, "name": "Chợ", "address": "Q1"}}


def test_contacts() -> None:
    card = {
        "name": {"formatted_name": "Phạm Đức", "first_name": "Đức"},
        "phones": [{"phone": "+84 98 765", "wa_id": "8498765", "type": "CELL"}],
        "emails": [{"email": "duc@shop.test", "type": "WORK"}],
    }
    found = said("contacts", [card, {"name": {}, "phones": [{"wa_id": "8491"}]}])
    assert found.details["contacts"] == [
        {"name": "Phạm Đức", "phones": ["+84 98 765"], "emails": ["duc@shop.test"]},
        {"name": "", "phones": ["8491"], "emails": []},
    ]


@pytest.mark.parametrize(
    ("kind", "part", "title", "payload"),
    [
        ("interactive", {"type": "button_reply", "button_reply": {"id": "yes", "title": "Có"}}, "Có", "yes"),
        (
            "interactive",
            {"type": "list_reply", "list_reply": {"id": "r1", "title": "Đổi", "description": "d"}},
            "Đổi",
            "r1",
        ),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"body": "Sent", "response_json": "{}"}}, "Sent", "{}"),
        ("button", {"payload": "see", "text": "Xem trả lời"}, "Xem trả lời", "see"),
    ],
)
def test_choices(kind: str, part: dict[str, Any], title: str, payload: str) -> None:
    found = said(kind, part, context={"from": "842873001234", "id": "wamid.asked"})
    assert (found.text, found.quotes) == (title, "wamid.asked")
    assert found.details == {"choice": {"title": title, "payload": payload}}


@pytest.mark.parametrize("emoji", ["❤️", ""])
def test_reactions_come_and_go(emoji: str) -> None:
    found = said("reaction", {"message_id": "wamid.ours", "emoji": emoji})
    assert isinstance(found, Reaction)
    assert (found.external_id, found.emoji, found.thread_key) == ("wamid.ours", emoji, USER)


def test_a_reaction_without_an_emoji_takes_it_back() -> None:
    assert said("reaction", {"message_id": "wamid.ours"}).emoji == ""


def test_an_order() -> None:
    item = {"product_retailer_id": "ao-01", "quantity": "2", "item_price": 150000, "currency": "VND"}
    found = said("order", {"catalog_id": "9", "text": "Giao sáng nhé", "product_items": [item]})
    assert found.text == "Giao sáng nhé\n2 × ao-01 (150000 VND)"
    wanted = {"id": "ao-01", "quantity": "2", "price": "150000", "currency": "VND"}
    assert found.details["order"] == {"catalog": "9", "items": [wanted]}


def test_a_new_number() -> None:
    part = {"body": "Hồng changed", "wa_id": "84900000001", "type": "user_changed_number"}
    found = said("system", part, contacts=[], from_user_id=None)
    assert isinstance(found, ContactChange)
    assert (found.what, found.thread_key, found.sender.value) == ("moved", NUMBER, NUMBER)
    assert found.now is not None
    assert (found.now.value, found.now.scope) == ("84900000001", WABA)


def test_a_new_number_with_the_new_user_id() -> None:
    part = {"wa_id": "84900000001", "user_id": "VN.2", "type": "user_changed_number"}
    found = said("system", part, contacts=[])
    assert (found.thread_key, found.now.value, found.details) == (USER, "VN.2", {"number": "+84900000001"})


def test_a_new_user_id() -> None:
    update = {"wa_id": NUMBER, "user_id": {"previous": USER, "current": "VN.2"}, "timestamp": "1"}
    [found] = parsed(call(value(user_id_update=[update]), field="user_id_update"))
    assert isinstance(found, ContactChange)
    assert (found.what, found.thread_key, found.now and found.now.value) == ("moved", USER, "VN.2")


def test_other_words_of_the_system_are_a_placeholder() -> None:
    found = said("system", {"type": "user_grew_wings"})
    assert isinstance(found, Unknown)
    assert (found.what, found.thread_key) == ("system user_grew_wings", USER)


def test_nobody_typed_it() -> None:
    assert parsed(call(value(message("request_welcome")))) == []
    assert parsed(call(value(message("system", {"type": "user_identity_changed"})))) == []


def test_what_the_api_does_not_carry() -> None:
    errors = [{"code": 131051, "title": "Message type unknown"}]
    found = said("unsupported", {"type": "poll_creation"}, errors=errors)
    assert found.details == {"unsupported": True}
    assert found.text == ""


def test_quotes_and_forwards() -> None:
    assert said("text", {"body": "x"}, context={"from": "84", "id": "wamid.q"}).quotes == "wamid.q"
    assert said("text", {"body": "x"}, context={"forwarded": True}).details == {"forwarded": True}
    assert said("text", {"body": "x"}, context={"frequently_forwarded": True}).details == {"forwarded": True}


def test_about_a_product() -> None:
    about = {"id": "wamid.q", "referred_product": {"catalog_id": "9", "product_retailer_id": "ao-01"}}
    assert said("text", {"body": "Còn không?"}, context=about).details == {"product": {"id": "ao-01"}}


def test_from_an_ad() -> None:
    ad = {"source_url": "https://fb.me/x", "source_id": "77", "source_type": "ad", "headline": "Sale", "body": "b"}
    found = said("text", {"body": "x"}, referral=ad)
    assert found.details["referral"] == {"source": "ad", "ref": "77", "title": "Sale", "url": "https://fb.me/x"}


def test_taken_back() -> None:
    found = said("revoke", {"original_message_id": "wamid.first"})
    assert found == Unsend(external_id="wamid.first", thread_key=USER, occurred_at=AT)


@pytest.mark.parametrize(
    "now", [{"type": "text", "text": {"body": "Mới"}}, {"type": "image", "image": {"id": "1", "caption": "Mới"}}]
)
def test_edited(now: dict[str, Any]) -> None:
    found = said("edit", {"original_message_id": "wamid.first", "message": {"context": {"id": "M0"}} | now})
    assert found == Edit(external_id="wamid.first", thread_key=USER, occurred_at=AT, text="Mới")


def test_a_group_is_a_line_of_its_own() -> None:
    found = said("text", {"body": "Chào nhóm"}, group_id="Y2FwaV9ncm91cDox")
    assert (found.thread_key, found.sender.value) == ("group:Y2FwaV9ncm91cDox", USER)
    assert found.details == {"group": {"id": "Y2FwaV9ncm91cDox"}}


def test_a_kind_nobody_has_heard_of_is_a_placeholder() -> None:
    found = said("hologram", {"id": "1"})
    assert isinstance(found, Unknown)
    assert (found.what, found.external_id, found.sender.value) == ("hologram", "wamid.HBgL1", USER)


@pytest.mark.parametrize(
    "kind", ["image", "location", "contacts", "interactive", "order", "edit", "revoke", "reaction"]
)
def test_a_known_kind_without_its_part_is_a_placeholder(kind: str) -> None:
    assert isinstance(said(kind, {}), Unknown)
    assert isinstance(said(kind, "nonsense"), Unknown)


# --- typed in the Business app ----------------------------------------------------------------------------------------


def echoed(kind: str, part: Any, **more: Any) -> Any:
    own = {"from": "842873001234", "to": NUMBER, "to_user_id": USER, "id": "wamid.echo", "type": kind, kind: part}
    own["timestamp"] = str(int(AT.timestamp()))
    found = parsed(call(value(message_echoes=[own | more]), field="smb_message_echoes"))
    return found[0] if found else None


def test_an_echo_is_what_our_side_said() -> None:
    found = echoed("text", {"body": "Shop đây"})
    assert isinstance(found, Echo)
    assert (found.external_id, found.thread_key, found.text) == ("wamid.echo", USER, "Shop đây")
    assert (found.to.value, found.our_key) == (USER, "")
    assert echoed("image", {"id": "5", "caption": "c"}).remote[0].source == {"media": "5"}


def test_an_echo_of_a_kind_nobody_knows_still_stands_there() -> None:
    assert echoed("hologram", {}).details == {"unsupported": True}


def test_an_echo_edits_and_takes_back() -> None:
    assert isinstance(echoed("revoke", {"original_message_id": "wamid.o"}), Unsend)
    assert isinstance(
        echoed("edit", {"original_message_id": "wamid.o", "message": {"type": "text", "text": {"body": "n"}}}), Edit
    )


def test_a_reaction_of_ours_is_shown_as_words() -> None:
    found = echoed("reaction", {"message_id": "wamid.theirs", "emoji": "👍"})
    assert (found.text, found.quotes) == ("👍", "wamid.theirs")
    assert echoed("reaction", {"message_id": "wamid.theirs"}) is None


# --- receipts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "meant"), [("sent", "sent"), ("delivered", "delivered"), ("read", "read"), ("played", "read")]
)
def test_receipts(state: str, meant: str) -> None:
    assert told(state) == Receipt(reference="wamid.out1", state=meant, recipient=USER, occurred_at=AT, our_key="41")


def test_a_receipt_without_our_key() -> None:
    found = told("read", biz_opaque_callback_data=None, recipient_user_id=None)
    assert (found.our_key, found.reference, found.recipient) == ("", "wamid.out1", NUMBER)


@pytest.mark.parametrize(
    ("code", "words", "stops"),
    [
        (131047, "window closed: choose a template", False),
        (131026, "WhatsApp cannot reach this customer: not on WhatsApp, blocked, or an outdated app", False),
        (131049, "WhatsApp did not deliver this marketing message: do not send it again soon", False),
        (130429, "WhatsApp could not deliver it just now: send it again", False),
        (131042, "WhatsApp cannot charge this account: check the payment settings in WhatsApp Manager", True),
        (131031, "WhatsApp has locked this account: see WhatsApp Manager", True),
        (368, "WhatsApp has blocked this account for a breach of its policies: see WhatsApp Manager", True),
        (190, "the provider no longer accepts this channel's key: connect it again", True),
        (132068, "WhatsApp refused the template: its values do not fit it", False),
        (999999, "in their words", False),
    ],
)
def test_failures_are_told_by_code(code: int, words: str, stops: bool) -> None:
    found = told("failed", errors=[{"code": code, "title": "t", "error_data": {"details": "in their words"}}])
    assert (found.state, found.reason, found.stops_channel) == ("failed", words, stops)


def test_a_failure_that_says_nothing() -> None:
    assert told("failed").reason == "WhatsApp refused the message"


def test_one_member_who_was_not_reached_is_no_failure_of_the_group() -> None:
    group: dict[str, Any] = {"recipient_type": "group", "recipient_id": "Y2Fw", "recipient_participant_id": NUMBER}
    assert parsed(call(value(statuses=[status("failed", errors=[{"code": 131026}], **group)]))) == []
    assert told("read", **group).state == "read"


def test_a_status_nobody_has_heard_of() -> None:
    found = told("teleported")
    assert isinstance(found, Unknown)
    assert (found.what, found.thread_key) == ("status teleported", USER)
    assert parsed(call(value(statuses=[status("deleted")]))) == []


# --- batches, dedupe, other numbers -----------------------------------------------------------------------------------


def test_a_batch_is_taken_apart_in_order() -> None:
    both = value(
        message("text", {"body": "1"}, id="a"), message("text", {"body": "2"}, id="b"), statuses=[status("read")]
    )
    payload = call(both, value(message("text", {"body": "3"}, id="c")))
    payload["entry"] += call(value(message("text", {"body": "4"}, id="d"), phone="999"))["entry"]
    items = split(payload)
    assert [item.external_id for item in items] == ["a", "b", "wamid.out1:read", "c", "d"]
    assert [item.account for item in items] == [PHONE] * 4 + ["999"]


def test_every_status_of_a_message_is_kept_once() -> None:
    call_of = [split(call(value(statuses=[status(state)])))[0].external_id for state in ("sent", "read", "read")]
    assert call_of == ["wamid.out1:sent", "wamid.out1:read", "wamid.out1:read"]


def test_the_key_of_an_item_is_the_same_when_it_is_asked_again() -> None:
    adapter = registry.adapter("whatsapp")
    for item in split(call(value(message("text", {"body": "1"}), statuses=[status("read")], errors=[{"code": 1}]))):
        assert adapter.identify(item.raw, {}) == item.external_id
    assert adapter.identify(b"\x00 not json", {}).startswith("sha256:")


def test_a_message_without_an_id_is_known_by_its_words() -> None:
    one, two, other = (split(call(value(message("text", {"body": body}, id=None))))[0] for body in "aab")  # type: ignore[arg-type]
    assert one.external_id == two.external_id != other.external_id


def test_what_is_for_another_number_is_refused_in_words() -> None:
    [item] = split(call(value(message("text", {"body": "x"}), phone="999")))
    with pytest.raises(GiveUp, match="another WhatsApp number"):
        registry.adapter("whatsapp").parse(arrival(item))


def test_errors_of_the_account_are_shown_where_failures_are() -> None:
    [item] = split(call(value(errors=[{"code": 130429, "title": "Rate limit hit"}])))
    with pytest.raises(GiveUp, match="Rate limit hit"):
        registry.adapter("whatsapp").parse(arrival(item))


def test_news_of_the_account_is_kept_and_says_nothing() -> None:
    for field in ("message_template_status_update", "phone_number_quality_update", "history", "user_preferences"):
        assert parsed(call({"event": "APPROVED"}, field=field)) == []


def test_a_field_nobody_has_heard_of_is_shown_where_failures_are() -> None:
    [item] = split(call({"x": 1}, field="telepathy"))
    with pytest.raises(GiveUp):
        registry.adapter("whatsapp").parse(arrival(item))


def test_ten_thousand_events_in_one_call() -> None:
    many = [message("text", {"body": str(number)}, id=f"wamid.{number}") for number in range(10_000)]
    items = split(call(value(*many)))
    assert len({item.external_id for item in items}) == 10_000


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000),
        *(b'{"object":"page","entry":[]}', b'{"object":"whatsapp_business_account"}'),
    ],
)
def test_no_call_of_whatsapps(body: bytes) -> None:
    with pytest.raises(ValueError):
        split(body)


def test_a_broken_part_loses_only_itself() -> None:
    payload = call(value("nonsense", message("text", {"body": "x"}, id="good")), "nonsense")
    payload["entry"].append(7)
    items = split(payload)
    assert len(items) == 4
    for item in (items[0], *items[2:]):
        with pytest.raises(GiveUp):
            registry.adapter("whatsapp").parse(arrival(item))
    assert registry.adapter("whatsapp").parse(arrival(items[1]))[0].text == "x"  # type: ignore[union-attr]


# --- who it is --------------------------------------------------------------------------------------------------------


def known(found: Any) -> list[tuple[str, str, bool, str]]:
    return [(one.kind, one.value, one.verified, one.evidence) for one in found.also_known]


def test_by_number_alone() -> None:
    found = said("text", {"body": "x"}, from_user_id=None, contacts=[contact(user_id=None)])
    assert (found.thread_key, found.sender.value) == (NUMBER, NUMBER)
    assert known(found) == [("phone", "+84912345678", True, "whatsapp")]


def test_by_number_and_user_id() -> None:
    found = said("text", {"body": "x"})
    assert found.sender.value == USER
    assert known(found) == [("whatsapp", NUMBER, True, "whatsapp"), ("phone", "+84912345678", True, "whatsapp")]
    assert found.also_known[0].scope == found.sender.scope == WABA


def test_by_user_id_alone() -> None:
    profile = {"profile": {"username": "hong.tran"}}
    found = said("text", {"body": "x"}, **{"from": None}, contacts=[contact(wa_id=None, **profile)])
    assert (found.thread_key, found.sender.value, found.sender.name) == (USER, USER, "hong.tran")
    assert found.also_known == ()


def test_ids_sent_as_numbers_are_read_all_the_same() -> None:
    found = said("text", {"body": "x"}, **{"from": 84912345678}, from_user_id=None, contacts=[{"wa_id": 84912345678}])
    assert (found.sender.value, found.sender.name) == (NUMBER, "")


def test_nobody_gets_the_name_or_id_of_somebody_else() -> None:
    mine = message("text", {"body": "1"}, id="a", from_user_id=None)
    theirs = message("text", {"body": "2"}, id="b", from_user_id=None) | {"from": "84999999999"}
    two = value(mine, theirs, contacts=[contact()])
    first, second = parsed(call(two))
    assert first.sender.value == USER  # type: ignore[union-attr]
    assert (second.sender.value, second.sender.name) == ("84999999999", "")  # type: ignore[union-attr]
    nameless = value(mine, theirs, contacts=[contact(wa_id=None)])  # of one of the two, and nobody can say of which
    assert [one.sender.value for one in parsed(call(nameless))] == [NUMBER, "84999999999"]  # type: ignore[union-attr]
    found = said("text", {"body": "x"}, from_user_id="VN.other", contacts=[contact()])
    assert (found.sender.value, found.sender.name) == ("VN.other", "")


def test_an_id_that_is_too_long_to_be_one_is_none() -> None:
    assert said("text", {"body": "x"}, from_user_id="VN." + "1" * 300, contacts=[]).sender.value == NUMBER


def test_from_nobody() -> None:
    [item] = split(call(value(message("text", {"body": "x"}, **{"from": None}, from_user_id=None), contacts=[])))
    with pytest.raises(GiveUp):
        registry.adapter("whatsapp").parse(arrival(item))


@pytest.mark.parametrize("at", ["9999999999", "-5", "yesterday", None, "١٢٣", "999999999999", "9" * 20, 1.5, True])
def test_a_time_that_cannot_be_is_when_it_came(at: Any) -> None:
    assert said("text", {"body": "x"}, timestamp=at).occurred_at == LATER


def test_nul_and_half_signs_do_not_stop_it() -> None:
    raw = json.dumps(call(value(message("text", {"body": "a\x00b\ud83d"})))).encode()
    assert parsed(raw)[0].text == "a\x00b\ud83d"  # type: ignore[union-attr]  # the core makes it storable


# --- handshake and signature ------------------------------------------------------------------------------------------


def test_the_handshake() -> None:
    adapter: Any = registry.adapter("whatsapp")
    query = {"hub.mode": "subscribe", "hub.verify_token": "handshake", "hub.challenge": "1158201444"}
    asked = Call(method="GET", url="", headers={}, query=query, body=b"")
    assert adapter.greet(REF, asked).body == b"1158201444"
    with pytest.raises(Forged):
        adapter.greet(REF, Call(method="GET", url="", headers={}, query=query | {"hub.verify_token": "?"}, body=b""))
