"""What leaves for Zalo: texts, files, templates; what is left of the free replies; what each refusal means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app import media, outbound, registry, templates_kept
from channels_app.adapters.base import KeyRefused
from channels_app.adapters.zalo import refusals, sending
from channels_app.adapters.zalo.adapter import ZaloAdapter
from channels_app.contracts import (
    Arrival,
    ChannelRef,
    NewMessage,
    OutboundEnvelope,
    OutboundFile,
    Profile,
    SendResult,
    Template,
)
from channels_app.models import Channel, Delivery, InboundEvent, InboundRaw
from channels_app.simulators.base import Fault
from channels_app.simulators.zalo import Zalo
from helpdesk.core.errors import GiveUp, Retry, Uncertain
from tests.builders import run_jobs
from tests.channels_app.zalo.conftest import LAN, Desk

pytestmark = pytest.mark.django_db(transaction=True)
ADAPTER = ZaloAdapter()
MB = 1024 * 1024
HOUR = 3600


def an_envelope(text: str = "Dạ vâng ạ", **fields: Any) -> OutboundEnvelope:
    return replace(OutboundEnvelope(idempotency_key="42", to=LAN, thread_key=LAN, text=text), **fields)


def send(channel: Channel, text: str = "Dạ vâng ạ", **fields: Any) -> SendResult:
    return ADAPTER.send(registry.reference(channel), an_envelope(text, **fields))


def a_file(name: str, content_type: str, content: bytes) -> OutboundFile:
    kept = media.keep(content=content, filename=name, content_type="application/octet-stream")
    return OutboundFile(filename=name, content_type=content_type, path=kept.path)


def much_later(zalo: Zalo, hours: int) -> None:
    """The provider's clock moves, and the key it gave lives on: that is another matter."""
    zalo.advance(hours * HOUR)
    zalo.keys.started += hours * HOUR


# --- the window and the quota ----------------------------------------------------------------------------------------
def test_eight_replies_are_free_and_the_ninth_is_paid_by_the_package(channel: Channel, zalo: Zalo, desk: Desk) -> None:
    zalo.says(LAN, "alo")
    left = [send(channel).quota for _ in range(8)]
    assert [one["remain"] for one in left] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert {(one["type"], one["total"]) for one in left} == {("reply", 8)}
    closes = datetime.fromisoformat(str(left[0]["expires_at"]))
    assert abs(closes - datetime.fromtimestamp(zalo.clock() + 48 * HOUR, UTC)) < timedelta(minutes=1)
    assert send(channel).quota["type"] == "sub_quota"
    zalo.says(LAN, "còn đó không?")  # every word of the customer counts anew
    assert send(channel).quota["remain"] == 7
    much_later(zalo, 49)
    assert send(channel).quota["type"] == "sub_quota"


def test_a_used_up_package_and_a_closed_window_are_said_in_words(channel: Channel, zalo: Zalo, desk: Desk) -> None:
    zalo.says(LAN, "alo")
    zalo.package = 0
    much_later(zalo, 49)
    with pytest.raises(GiveUp, match="no Zalo messages are left"):
        send(channel)
    much_later(zalo, 6 * 24)
    with pytest.raises(GiveUp, match="7 days"):
        send(channel)
    assert not zalo.sent()


def test_who_never_wrote_and_does_not_follow_cannot_be_reached(channel: Channel, zalo: Zalo, desk: Desk) -> None:
    zalo.follows(LAN, False)
    with pytest.raises(GiveUp, match="does not follow"):
        send(channel)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"remain": "7", "total": "8", "quota_type": "reply"}, {"remain": 7, "total": 8, "type": "reply"}),
        ({"expired_date": "31/12/2026"}, {"expires_at": "2026-12-31T16:59:59+00:00"}),
        ({"expired_date": "1763627400000"}, {"expires_at": "2025-11-20T08:30:00+00:00"}),
        ({"expired_date": "2026-12-31T00:00:00+07:00"}, {"expires_at": "2026-12-30T17:00:00+00:00"}),
        ({"expired_date": "bald", "remain": "-1", "total": None, "quota_type": ""}, {}),
        ({"expired_date": "99/99/9999"}, {}),
        (None, {}),
        ("viel", {}),
    ],
)
def test_quotas_as_zalo_says_them(said: Any, wanted: dict[str, object]) -> None:
    assert sending._quota(said) == wanted


# --- texts and files -------------------------------------------------------------------------------------------------
def test_a_text_too_long_never_leaves(channel: Channel, zalo: Zalo, desk: Desk) -> None:
    zalo.says(LAN, "alo")
    send(channel, "ă" * 2000)
    with pytest.raises(GiveUp, match="2000"):
        send(channel, "ă" * 2001)
    assert len(zalo.calls) == 1


@pytest.mark.parametrize(
    ("name", "content_type", "where"),
    [
        ("áo.png", "image/png", "/v2.0/oa/upload/image"),
        ("áo.jpg", "image/jpeg", "/v2.0/oa/upload/image"),
        ("vui.gif", "image/gif", "/v2.0/oa/upload/gif"),
        ("Hóa đơn.pdf", "application/pdf", "/v2.0/oa/upload/file"),
    ],
)
def test_files_arrive(channel: Channel, zalo: Zalo, desk: Desk, name: str, content_type: str, where: str) -> None:
    zalo.says(LAN, "gửi mình ảnh nhé")
    result = send(channel, "", files=(a_file(name, content_type, b"content of " + name.encode()),))
    assert [call.path for call in zalo.calls] == [where, "/v3.0/oa/message/cs"]
    (line,) = zalo.sent()
    assert result.provider_id == line.id
    path = line.files[0]["url"].removeprefix(zalo.base_url)
    assert zalo.files[path][0] == b"content of " + name.encode()


@pytest.mark.parametrize(
    ("content_type", "size", "words"),
    [
        ("image/png", 1 * MB + 1, "at most 1 MB"),
        ("image/gif", 5 * MB + 1, "at most 5 MB"),
        ("application/pdf", 5 * MB + 1, "at most 5 MB"),
        ("image/webp", 10, "JPEG, PNG and GIF"),
    ],
)
def test_a_file_zalo_would_not_take_never_leaves(
    channel: Channel, zalo: Zalo, content_type: str, size: int, words: str
) -> None:
    with pytest.raises(GiveUp, match=words):
        send(channel, "", files=(a_file("x", content_type, bytes(size)),))
    assert not zalo.calls


def test_an_upload_whose_answer_is_lost_is_tried_again_and_a_message_is_not(
    channel: Channel, zalo: Zalo, desk: Desk
) -> None:
    zalo.says(LAN, "alo")
    zalo.faults.append(Fault("lost"))
    with pytest.raises(Retry):
        send(channel, "", files=(a_file("a.png", "image/png", b"x"),))
    zalo.faults.append(Fault("lost"))
    with pytest.raises(Uncertain):
        send(channel)
    assert len(zalo.sent()) == 1


def test_an_answer_that_says_nothing_is_uncertain(channel: Channel, zalo: Zalo) -> None:
    zalo.faults.append(Fault("status", status=200, body=b"<html>"))
    with pytest.raises(Uncertain):
        send(channel)


def test_a_guest_is_answered_in_the_conversation_they_opened(channel: Channel, zalo: Zalo, desk: Desk) -> None:
    zalo.users[LAN].anonymous_talk = "c77"
    zalo.says(LAN, "mình chưa có tài khoản")
    send(channel, to=f"anonymous:{LAN}", thread_key=f"anonymous:{LAN}:c77")
    assert zalo.calls[-1].json["recipient"] == {"anonymous_id": LAN, "conversation_id": "c77"}
    assert len(zalo.sent()) == 1
    assert ADAPTER.profile(registry.reference(channel), f"anonymous:{LAN}") == Profile()
    with pytest.raises(GiveUp):
        send(channel, to=f"anonymous:{LAN}", thread_key=f"anonymous:{LAN}:c78")


# --- templates -------------------------------------------------------------------------------------------------------
def test_a_template_reaches_who_wrote_long_ago_and_its_receipt_finds_it(
    channel: Channel, zalo: Zalo, desk: Desk
) -> None:
    (known,) = ADAPTER.templates(registry.reference(channel))
    assert known == Template(
        name="301177",
        language="vi",
        category="transaction",
        body="Cập nhật đơn hàng: {{name}} · {{order}}",
        parameters=2,
        names=("name", "order"),
    )
    text, template = templates_kept.filled(known, ["Lan", "DH7"])
    assert text == "Cập nhật đơn hàng: Lan · DH7"
    envelope = an_envelope(text, template=template)
    outbound.enqueue(channel_id=channel.pk, message_id=1, envelope=envelope)
    outbound.drain()
    delivery = Delivery.objects.get()
    (line,) = zalo.sent()
    assert (line.text, line.extra["tracking_id"]) == ("Lan · DH7", f"hd-{delivery.pk}")
    assert (delivery.outcome, delivery.provider_id) == ("sent", line.id)
    Delivery.objects.update(provider_id="")  # the receipt comes by our own key alone
    desk.settle()
    run_jobs()
    assert Delivery.objects.get().outcome == "delivered"


def test_a_template_by_phone_and_one_that_is_not_approved(channel: Channel, zalo: Zalo) -> None:
    values = {"names": ["name", "order"], "parameters": ["Lan", "DH7"]}
    send(channel, to="+84912345678", template={"name": "301177", **values})
    assert zalo.calls[-1].json["phone"] == "84912345678"
    with pytest.raises(GiveUp, match="not approved"):
        send(channel, template={"name": "7", **values})
    with pytest.raises(GiveUp, match="guests"):
        send(channel, to="anonymous:1", template={"name": "301177", **values})


def test_templates_go_to_zalos_own_address_where_no_other_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def call(method: str, url: str, **given: Any) -> None:
        asked.append(url)
        raise Retry("offline")

    monkeypatch.setattr("helpdesk.core.net.call", call)
    row = Channel(kind="zalo", address="1", config={"app_id": "1", "oa_id": "1"}, secrets={})  # type: ignore[misc]
    for template in ({}, {"name": "x"}):
        with pytest.raises(Retry):
            send(row, template=template)
    with pytest.raises(Retry):
        ADAPTER.refresh(registry.reference(row))
    assert asked == [
        "https://openapi.zalo.me/v3.0/oa/message/cs",
        "https://business.openapi.zalo.me/message/template",
        "https://oauth.zaloapp.com/v4/oa/access_token",
    ]


# --- what comes back -------------------------------------------------------------------------------------------------
def test_our_own_echo_is_recognised_and_the_receipts_follow(channel: Channel, zalo: Zalo, desk: Desk) -> None:
    zalo.says(LAN, "alo")
    run_jobs()
    outbound.enqueue(channel_id=channel.pk, message_id=99, envelope=an_envelope())
    outbound.drain()
    desk.settle()
    zalo.reads(LAN)
    assert [status for _body, status in zalo.pushed] == [200, 200, 200, 200]
    run_jobs()
    assert Delivery.objects.get().outcome == "read"


def test_a_key_that_ends_is_renewed_by_the_send_that_meets_it(channel: Channel, zalo: Zalo, desk: Desk) -> None:
    zalo.advance(26 * HOUR)
    zalo.says(LAN, "alo")
    with pytest.raises(KeyRefused):
        send(channel)
    outbound.enqueue(channel_id=channel.pk, message_id=1, envelope=an_envelope())
    outbound.drain()
    assert Delivery.objects.get().outcome == "sent"
    assert len(zalo.keys.spent) == 1


# --- errors ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", [-32, -200])
def test_busy_is_tried_later(channel: Channel, zalo: Zalo, code: int) -> None:
    zalo.faults.append(Fault("status", status=200, body={"error": code, "message": "slow down"}))
    with pytest.raises(Retry) as met:
        send(channel)
    assert met.value.after


def test_a_broken_zalo_is_tried_later_at_the_time_it_says(channel: Channel, zalo: Zalo) -> None:
    zalo.faults.append(Fault("status", status=503))
    with pytest.raises(Retry):
        send(channel)
    zalo.faults.append(Fault("status", status=429, headers={"Retry-After": "17"}))
    with pytest.raises(Retry) as met:
        send(channel)
    assert met.value.after == 17


@pytest.mark.parametrize("code", [-216, -220, -124])
def test_a_refused_key_is_a_matter_of_its_own(channel: Channel, zalo: Zalo, code: int) -> None:
    zalo.faults.append(Fault("status", status=200, body={"error": code, "message": "Access token is invalid"}))
    with pytest.raises(KeyRefused):
        send(channel)


@pytest.mark.parametrize(
    "code",
    [
        *(-230, -232, -211, -218, -224, -321, -201, -210, -213, -217, -227, -233, -234, -244, -248),
        *(-204, -205, -209, -212, -219, -221, -223, -235, -240, -108, -115, -118, -119, -131, -133, -147),
    ],
)
def test_every_known_refusal_has_words_an_agent_understands(code: int) -> None:
    error = refusals.classified({"error": str(code), "message": "OA_ERR"}, 200)
    assert type(error) is GiveUp
    assert "OA_ERR" not in str(error)
    assert str(code) not in str(error)


def test_an_unknown_refusal_says_what_zalo_said() -> None:
    error = refusals.classified({"error": "-9999", "message": "Something new"}, 200)
    assert type(error) is GiveUp
    assert str(error) == "Zalo: Something new (-9999)"


# --- who and whether -------------------------------------------------------------------------------------------------
def test_name_and_picture_are_learned(channel: Channel, zalo: Zalo) -> None:
    here = registry.reference(channel)
    known = ADAPTER.profile(here, LAN)
    assert known.name == "Nguyễn Thị Lan"
    assert known.picture is not None
    assert ADAPTER.fetch(here, known.picture.source).content.startswith(b"\x89PNG")
    with pytest.raises(GiveUp, match="follow"):
        ADAPTER.profile(here, "1")


def test_the_connection_test_says_whose_keys_they_are(channel: Channel, zalo: Zalo) -> None:
    here: ChannelRef = registry.reference(channel)
    assert (ADAPTER.probe(here).ok, ADAPTER.probe(here).account) == (True, "Hoa Lư")
    assert "another Zalo account" in ADAPTER.probe(replace(here, address="1")).problem
    zalo.keys.refuse(zalo.SECRETS["access_token"])
    with pytest.raises(KeyRefused, match="connect the account again"):
        ADAPTER.probe(here)


def test_a_picture_that_a_customer_sent_can_be_fetched(desk: Desk, channel: Channel) -> None:
    desk.zalo.says(LAN, file=("áo dài.png", "image/png", b"\x89PNG\r\n\x1a\nabc"))
    (event,) = InboundEvent.objects.all()
    arrival = Arrival(
        channel_id=channel.pk,
        channel_address=channel.address,
        external_id=event.external_id,
        raw=bytes(InboundRaw.objects.get(pk=event.pk).body),
        meta={},
        received_at=event.created_at,
    )
    (item,) = ADAPTER.parse(arrival)
    assert isinstance(item, NewMessage)
    (file,) = item.remote
    assert (file.filename, file.kind, file.size) == ("áo dài.png", "image", 11)
    assert ADAPTER.fetch(registry.reference(channel), file.source).content == b"\x89PNG\r\n\x1a\nabc"
