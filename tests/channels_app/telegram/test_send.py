"""Sending to a simulated Telegram over HTTP, and every way it refuses."""

from collections.abc import Iterator
from typing import Any

import pytest

from channels_app import media
from channels_app.adapters.telegram.adapter import TelegramAdapter
from channels_app.contracts import OutboundFile
from channels_app.simulators.base import Fault
from channels_app.simulators.telegram import Telegram
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain
from tests.channels_app.telegram.desk import ADAPTER, GROUP, HA, LAN, channel, envelope, simulated

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def telegram(settings: Any) -> Iterator[Telegram]:
    with simulated(settings) as provider:
        yield provider


def send(telegram: Telegram, text: str = "", **more: Any) -> str:
    return ADAPTER.send(channel(telegram), envelope(text, **more)).provider_id


def a_file(content: bytes = PNG, filename: str = "hoá đơn.png", content_type: str = "image/png") -> OutboundFile:
    kept = media.keep(content=content, filename=filename, content_type=content_type)
    return OutboundFile(filename=kept.filename, content_type=kept.content_type, path=kept.path)


def test_a_text_arrives_once_and_its_id_is_known(telegram: Telegram) -> None:
    provider_id = send(telegram, "Chào <b>bạn</b> & cảm ơn 🙏")
    (line,) = telegram.sent()
    assert (line.person, line.text) == (LAN, "Chào <b>bạn</b> & cảm ơn 🙏")
    assert provider_id == f"{LAN}:{line.id}"


def test_it_answers_the_message_it_quotes(telegram: Telegram) -> None:
    first = send(telegram, "một")
    send(telegram, "hai", quotes=first)
    assert telegram.sent()[1].extra == {"quotes": telegram.sent()[0].id}


@pytest.mark.parametrize("gone", [f"{LAN}:999999", f"{LAN}:press-42", "anything"])
def test_it_goes_although_what_it_quotes_is_gone(telegram: Telegram, gone: str) -> None:
    send(telegram, "hai", quotes=gone)
    assert telegram.sent()[0].text == "hai"


def test_choices_are_buttons_under_the_text(telegram: Telegram) -> None:
    long = "Tôi muốn đổi sản phẩm này lấy một sản phẩm khác cùng giá trị"
    send(telegram, "Bạn muốn gì?", choices=("Đổi hàng", long))
    assert telegram.sent()[0].choices == ["Đổi hàng", long]


def test_a_line_of_a_business_account_is_answered_through_it(telegram: Telegram) -> None:
    assert send(telegram, "còn nhé", thread_key=f"Bz9:{LAN}").startswith(f"Bz9:{LAN}:")
    assert telegram.sent()[0].extra == {"business": "Bz9"}


def test_a_group_is_answered_as_a_group(telegram: Telegram) -> None:
    send(telegram, "xin chào cả nhà", to=HA, thread_key=GROUP)
    assert telegram.sent()[0].person == GROUP


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("filename", "content_type", "method"),
    [
        ("hoá đơn.png", "image/png", "sendPhoto"),
        ("vui.gif", "image/gif", "sendDocument"),  # its bytes are no GIF, so it is kept as octets
        ("phim.mp4", "video/mp4", "sendVideo"),
        ("phim.mov", "video/quicktime", "sendDocument"),
        ("bài.mp3", "audio/mpeg", "sendAudio"),
        ("lời.ogg", "audio/ogg", "sendVoice"),
        ("đơn.pdf", "application/pdf", "sendDocument"),
    ],
)
def test_a_file_goes_as_what_it_is(telegram: Telegram, filename: str, content_type: str, method: str) -> None:
    content = PNG if content_type == "image/png" else filename.encode()
    send(telegram, files=(a_file(content, filename, content_type),))
    assert telegram.calls[-1].path.endswith(f"/{method}")
    (file,) = telegram.sent()[0].files
    assert file["name"] == filename
    assert telegram.files["/files/" + file["url"].split("/files/")[1]][0] == content


@pytest.mark.django_db
def test_a_caption_and_what_it_quotes_go_with_the_file(telegram: Telegram) -> None:
    first = send(telegram, "một")
    send(telegram, "đây ạ", files=(a_file(),), quotes=first)
    assert (telegram.sent()[1].text, telegram.sent()[1].extra) == ("đây ạ", {"quotes": telegram.sent()[0].id})


@pytest.mark.django_db
def test_a_picture_telegram_cannot_show_goes_as_a_document(telegram: Telegram) -> None:
    telegram.refuses_photos = True
    send(telegram, files=(a_file(),))
    assert [call.path.rpartition("/")[2] for call in telegram.calls] == ["sendPhoto", "sendDocument"]
    assert len(telegram.sent()) == 1


@pytest.mark.django_db
def test_a_large_picture_goes_as_a_document(telegram: Telegram) -> None:
    send(telegram, files=(a_file(PNG + b"\0" * 10 * 1024 * 1024),))
    assert telegram.calls[-1].path.endswith("/sendDocument")


@pytest.mark.django_db
def test_a_file_that_is_gone_is_given_up_in_words(telegram: Telegram) -> None:
    file = a_file(b"bye", "a.txt", "text/plain")
    media.path_of(file.path).unlink()
    with pytest.raises(GiveUp, match="no longer here"):
        send(telegram, files=(file,))
    assert telegram.calls == []


def test_nothing_is_not_sent(telegram: Telegram) -> None:
    with pytest.raises(GiveUp):
        send(telegram)
    assert telegram.calls == []


def test_a_group_that_became_a_supergroup_is_answered_there(telegram: Telegram) -> None:
    telegram.moved["-4001"] = GROUP
    assert send(telegram, "a", thread_key="-4001").startswith(f"{GROUP}:")
    assert [line.person for line in telegram.sent()] == [GROUP]


def test_a_group_that_moves_in_circles_is_tried_later(telegram: Telegram) -> None:
    telegram.moved |= {"-4001": "-4002", "-4002": "-4001"}
    with pytest.raises(Retry):
        send(telegram, "a", thread_key="-4001")


def test_too_fast_waits_as_long_as_telegram_says(telegram: Telegram) -> None:
    body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 17}}
    telegram.faults.append(Fault("status", status=429, body=body))
    with pytest.raises(Retry) as raised:
        send(telegram, "a")
    assert raised.value.after == 17
    assert telegram.sent() == []


def test_the_simulator_itself_minds_the_rate(telegram: Telegram) -> None:
    with pytest.raises(Retry) as raised:
        for number in range(40):
            send(telegram, f"tin {number}")
    assert raised.value.after == 1
    assert 0 < len(telegram.sent()) < 40


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_of_telegrams_own_is_tried_again(telegram: Telegram, status: int) -> None:
    telegram.faults.append(Fault("status", status=status))
    with pytest.raises(Retry):
        send(telegram, "a")


@pytest.mark.parametrize("status", [502, 504])
def test_what_broke_off_between_us_may_have_arrived(telegram: Telegram, status: int) -> None:
    telegram.faults.append(Fault("status", status=status))
    with pytest.raises(Uncertain):
        send(telegram, "a")


def test_an_answer_that_is_lost_is_never_sent_again_blindly(telegram: Telegram) -> None:
    telegram.faults.append(Fault("lost"))
    with pytest.raises(Uncertain):
        send(telegram, "a")
    assert len(telegram.sent()) == 1
    assert not ADAPTER.idempotent


def test_a_blocked_bot_is_said_in_words(telegram: Telegram) -> None:
    telegram.blocked.add(LAN)
    with pytest.raises(GiveUp, match="the customer has blocked the bot"):
        send(telegram, "a")


def test_a_bot_thrown_out_of_a_group_is_said_in_words(telegram: Telegram) -> None:
    telegram.blocked.add(GROUP)
    with pytest.raises(GiveUp, match="removed from this group"):
        send(telegram, "a", thread_key=GROUP)


def test_a_chat_telegram_does_not_know(telegram: Telegram) -> None:
    with pytest.raises(GiveUp, match="does not know this chat"):
        send(telegram, "a", to="31337")


@pytest.mark.parametrize("token", ["7012345678:AAH-another-token-altogether", "", "no token/../../x", "1:a?b", "x#y"])
def test_a_token_that_is_refused_wants_a_new_one(telegram: Telegram, token: str) -> None:
    with pytest.raises(Reauthorise):
        TelegramAdapter().send(channel(telegram, token=token), envelope("a"))
    assert telegram.sent() == []


def test_nobody_there_means_nothing_left_the_house(telegram: Telegram) -> None:
    away = channel(telegram)
    away.config["api_base"] = "http://127.0.0.1:9/telegram"
    with pytest.raises((Retry, GiveUp)) as raised:
        ADAPTER.send(away, envelope("a"))
    assert not isinstance(raised.value, Uncertain)
