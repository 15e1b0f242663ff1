"""What leaves for WhatsApp, over real HTTP at the played Cloud API, which is strict."""

import time
from dataclasses import replace
from typing import Any

import pytest

from channels_app import media, registry
from channels_app.contracts import ChannelRef, OutboundEnvelope, OutboundFile
from channels_app.simulators.base import Fault
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain
from tests.channels_app.contract.conftest import Door
from tests.channels_app.whatsapp.payloads import PHONE

pytestmark = pytest.mark.django_db(transaction=True)

ADAPTER: Any = registry.adapter("whatsapp")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def ref(door: Door) -> ChannelRef:
    return registry.reference(door.fresh())


def send(door: Door, text: str = "Dạ, shop đây ạ", *, to: str = "", **more: Any) -> str:
    envelope = OutboundEnvelope(idempotency_key="41", to=to or door.person, text=text, **more)
    return str(ADAPTER.send(ref(door), envelope).provider_id)


def last(door: Door) -> dict[str, Any]:
    return door.provider.calls[-1].json


def kept(name: str, content_type: str, content: bytes) -> OutboundFile:
    file = media.keep(content=content, filename=name, content_type=content_type)
    return OutboundFile(filename=name, content_type=content_type, path=file.path)


def refused(door: Door, error: type[Exception], **more: Any) -> Any:
    with pytest.raises(error) as caught:
        send(door, **more)
    assert type(caught.value) is error or error is not GiveUp
    return caught.value


def test_text_with_our_key(door: Door) -> None:
    made = send(door)
    assert last(door) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": door.person,
        "biz_opaque_callback_data": "41",
        "type": "text",
        "text": {"body": "Dạ, shop đây ạ", "preview_url": False},
    }
    [line] = door.provider.sent()
    assert (line.id, line.text, line.person) == (made, "Dạ, shop đây ạ", door.person)


def test_a_link_is_shown_with_its_preview(door: Door) -> None:
    send(door, "Xem https://shop.test/ao")
    assert last(door)["text"]["preview_url"] is True


def test_by_user_id_where_no_number_is_known(door: Door) -> None:
    user: str = door.provider.user_ids[door.person]  # type: ignore[attr-defined]
    send(door, to=user)
    assert (last(door)["recipient"], "to" in last(door)) == (user, False)
    assert door.provider.sent()[0].person == door.person


def test_a_number_with_a_plus_is_the_same_number(door: Door) -> None:
    send(door, to=f"+{door.person}")
    assert last(door)["to"] == door.person


def test_an_answer_in_a_group_goes_to_the_group(door: Door) -> None:
    send(door, thread_key="group:Y2FwaV9ncm91cDox")
    assert (last(door)["recipient_type"], last(door)["to"]) == ("group", "Y2FwaV9ncm91cDox")


def test_a_quote(door: Door) -> None:
    asked = door.provider.says(door.person, "Còn hàng không?")
    send(door, quotes=asked)
    assert last(door)["context"] == {"message_id": asked}


def test_choices_on_buttons(door: Door) -> None:
    send(door, "Bạn muốn?", choices=("Đổi hàng", "Trả hàng", "Đổi hàng"))
    found = last(door)["interactive"]
    assert found["type"] == "button"
    assert [one["reply"]["title"] for one in found["action"]["buttons"]] == ["Đổi hàng", "Trả hàng"]
    assert door.provider.sent()[0].choices == ["Đổi hàng", "Trả hàng"]


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("Bạn muốn?", ("1", "2", "3", "4")),
        ("Bạn muốn?", ("Đổi sang một màu khác cùng cỡ, nhận trong ba ngày", "Trả hàng")),
        ("Dài. " * 300, ("Có", "Không")),
        ("Bạn muốn?", tuple(f"Một lựa chọn rất dài, số {number} " + "x" * 100 for number in range(12))),
    ],
)
def test_choices_that_do_not_fit_on_buttons_become_a_list(door: Door, text: str, choices: tuple[str, ...]) -> None:
    send(door, text.strip(), choices=choices)
    rows = last(door)["interactive"]["action"]["sections"][0]["rows"]
    assert last(door)["interactive"]["type"] == "list"
    assert len(rows) == min(len(choices), 10)
    shown = door.provider.sent()[0].choices
    assert [one[:40] for one in shown] == [one[:40] for one in choices[:10]]


@pytest.mark.parametrize(
    ("name", "content_type", "shown"),
    [
        ("anh.png", "image/png", "image"),
        ("phim.mp4", "video/mp4", "video"),
        ("ghi-am.ogg", "audio/ogg", "audio"),
        ("Hoá đơn.pdf", "application/pdf", "document"),
        ("hinh.gif", "image/gif", "document"),
    ],
)
def test_a_file_is_uploaded_then_sent(door: Door, name: str, content_type: str, shown: str) -> None:
    send(door, "", files=(kept(name, content_type, PNG),))
    upload, message = door.provider.calls
    assert upload.path == f"/v25.0/{PHONE}/media"
    part = message.json[shown]
    assert door.provider.media[part["id"]][:2] == (PNG, content_type)  # type: ignore[attr-defined]
    assert part.get("filename") == (name if shown == "document" else None)
    assert "caption" not in part
    [file] = door.provider.sent()[0].files
    assert (file["name"], file["type"]) == (name, content_type)


def test_a_large_picture_goes_as_a_document(door: Door) -> None:
    send(door, "", files=(kept("anh.png", "image/png", PNG + b"\0" * (5 * 1024 * 1024)),))
    assert last(door)["type"] == "document"


def test_a_file_that_is_gone_is_said_so(door: Door) -> None:
    file = OutboundFile(filename="x.pdf", content_type="application/pdf", path="no/such")
    assert "no longer there" in str(refused(door, GiveUp, text="", files=(file,)))
    assert not door.provider.calls


def test_a_file_whatsapp_does_not_take(door: Door) -> None:
    door.provider.faults.append(Fault("status", 400, body={"error": {"code": 100, "message": "Param file"}}))
    file = kept("x.exe", "application/x-msdownload", b"MZ")
    assert str(refused(door, GiveUp, text="", files=(file,))) == "WhatsApp does not take this file"


def test_a_lost_upload_is_tried_again_and_nothing_is_in_doubt(door: Door) -> None:
    door.provider.faults.append(Fault("lost"))
    refused(door, Retry, text="", files=(kept("a.png", "image/png", PNG),))
    assert not door.provider.sent()


def test_nothing_is_not_sent(door: Door) -> None:
    refused(door, GiveUp, text=" \n")
    assert not door.provider.calls


# --- templates --------------------------------------------------------------------------------------------------------


def template(door: Door, name: str, language: str, *values: str, **more: Any) -> None:
    send(door, "as it reads", template={"name": name, "language": language, "parameters": list(values)} | more)


def closed(door: Door) -> None:
    door.provider.last_in[door.person] = time.time() - 25 * 3600  # type: ignore[attr-defined]


def test_a_closed_window_asks_for_a_template_and_lets_one_through(door: Door) -> None:
    closed(door)
    assert str(refused(door, GiveUp)) == "window closed: choose a template"
    template(door, "order_update", "vi", "Hồng", "1024")
    assert door.provider.sent()[0].text == "Chào Hồng, đơn hàng 1024 của bạn đang được giao. Bạn cần gì thêm không?"


def test_a_template_that_calls_its_values_by_name(door: Door) -> None:
    template(door, "follow_up", "vi", "chị\nHồng", names=["customer_name"])
    assert door.provider.sent()[0].text.startswith("Chào chị Hồng, ")


@pytest.mark.parametrize(
    ("name", "language", "values", "words"),
    [
        ("order_update", "vi", ("only one",), "its values do not fit"),
        ("order_update", "fr", ("a", "b"), "no approved template"),
        ("autumn_sale", "en", (), "no approved template"),
        ("follow_up", "vi", ("unnamed",), "its values do not fit"),
    ],
)
def test_a_template_that_is_refused(door: Door, name: str, language: str, values: tuple[str, ...], words: str) -> None:
    with pytest.raises(GiveUp, match=words):
        template(door, name, language, *values)
    assert not door.provider.sent()


# --- errors by code ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133004])
def test_later(door: Door, code: int) -> None:
    door.provider.faults.append(Fault("status", 400, body={"error": {"code": code, "message": "later"}}))
    refused(door, Retry)
    assert not door.provider.sent()


@pytest.mark.parametrize("code", [0, 3, 10, 190, 200, 299, 368, 131005, 131031, 131042, 133010])
def test_the_channel_stands_still_until_somebody_acts(door: Door, code: int) -> None:
    door.provider.faults.append(Fault("status", 400, body={"error": {"code": code, "message": "no"}}))
    assert isinstance(refused(door, Reauthorise), Reauthorise)


@pytest.mark.parametrize("code", [100, 131009, 131021, 131026, 131047, 131049, 131051, 131052, 131053, 130472, 132001])
def test_never_again(door: Door, code: int) -> None:
    door.provider.faults.append(Fault("status", 400, body={"error": {"code": code, "message": "in their words"}}))
    error = refused(door, GiveUp)
    assert not isinstance(error, Reauthorise | Uncertain)
    assert str(error)


def test_a_customer_can_be_written_to_every_six_seconds(door: Door) -> None:
    door.provider.pair_rate = True  # type: ignore[attr-defined]
    send(door, "1")
    assert refused(door, Retry, text="2").after >= 6
    door.provider.last_out[door.person] -= 7  # type: ignore[attr-defined]
    send(door, "2")


def test_retry_after_is_kept(door: Door) -> None:
    door.provider.faults.append(Fault("status", 429, headers={"Retry-After": "17"}))
    assert refused(door, Retry).after == 17


@pytest.mark.parametrize("fault", [Fault("lost"), Fault("cut"), Fault("status", 502, body=b"<html>bad gateway")])
def test_a_lost_answer_is_in_doubt(door: Door, fault: Fault) -> None:
    door.provider.faults.append(fault)
    refused(door, Uncertain)


def test_a_wrong_key(door: Door) -> None:
    door.provider.account["access_token"] = "another"
    refused(door, Reauthorise)


def test_nobody_there_means_nothing_left(door: Door) -> None:
    gone = replace(ref(door), config=ref(door).config | {"api_base": "http://127.0.0.1:9/whatsapp"})
    with pytest.raises(GiveUp):  # not one of the addresses that may be reached from here
        ADAPTER.send(gone, OutboundEnvelope(idempotency_key="1", to=door.person, text="x"))


# --- asking -----------------------------------------------------------------------------------------------------------


def test_a_file_of_the_customer(door: Door) -> None:
    number = door.provider.keep_media("a.png", "image/png", PNG)  # type: ignore[attr-defined]
    found = ADAPTER.fetch(ref(door), {"media": number})
    assert (found.content, found.content_type) == (PNG, "image/png")
    assert all(one.headers["authorization"].startswith("Bearer ") for one in door.provider.calls)
    with pytest.raises(GiveUp):
        ADAPTER.fetch(ref(door), {"media": "404"})
    with pytest.raises(GiveUp):
        ADAPTER.fetch(ref(door), {"media": f"../{PHONE}"})
    door.provider.faults.append(Fault("status", 503))
    with pytest.raises(Retry):
        ADAPTER.fetch(ref(door), {"media": number})


def test_the_key_is_refused_for_a_file(door: Door) -> None:
    door.provider.account["access_token"] = "another"
    with pytest.raises(Reauthorise):
        ADAPTER.fetch(ref(door), {"media": "1"})


def test_the_number_says_what_it_is_called(door: Door) -> None:
    found = ADAPTER.probe(ref(door))
    assert (found.ok, found.account, found.problem) == (True, "Hoa Lư Store +84 28 7300 1234", "")


def test_a_probe_tells_what_is_wrong(door: Door) -> None:
    other = replace(ref(door), config=ref(door).config | {"phone_number_id": "404"})
    assert ADAPTER.probe(other).problem
    door.provider.stopped = 131042  # type: ignore[attr-defined]
    found = ADAPTER.probe(ref(door))
    assert (found.ok, "payment" in found.problem) == (False, True)
    door.provider.stopped = 4711  # type: ignore[attr-defined]
    assert ADAPTER.probe(ref(door)).problem == "WhatsApp does not let this number send: see WhatsApp Manager"
    door.provider.account["access_token"] = "another"
    assert "connect it again" in ADAPTER.probe(ref(door)).problem
    door.provider.faults.append(Fault("status", 503))
    with pytest.raises(Retry):
        ADAPTER.probe(ref(door))


def test_a_profile_is_what_came_with_the_message(door: Door) -> None:
    assert ADAPTER.profile(ref(door), door.person).name == ""
    assert not door.provider.calls
