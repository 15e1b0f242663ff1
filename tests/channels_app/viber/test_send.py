"""Sending to a simulated Viber over HTTP, every way it refuses, and the account itself."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from channels_app import media
from channels_app.adapters.base import Connected, Fetcher, Hook, Probed
from channels_app.contracts import OutboundFile, Profile, RemoteFile
from channels_app.simulators.base import Fault, Line
from channels_app.simulators.viber import Viber
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain
from tests.channels_app.viber.desk import ADAPTER, YEN, channel, envelope, simulated

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def viber(settings: Any) -> Iterator[Viber]:
    with simulated(settings) as provider:
        yield provider


def send(viber: Viber, text: str = "", **more: Any) -> str:
    return ADAPTER.send(channel(viber), envelope(text, **more)).provider_id


def status(number: int, message: str = "said by Viber") -> Fault:
    return Fault("status", status=200, body={"status": number, "status_message": message})


def a_file(content: bytes = PNG, filename: str = "hoá đơn.png", content_type: str = "image/png") -> OutboundFile:
    kept = media.keep(content=content, filename=filename, content_type=content_type)
    return OutboundFile(filename=kept.filename, content_type=kept.content_type, path=kept.path)


def test_it_offers_all_that_a_bot_can() -> None:
    for ability in (Hook, Fetcher, Probed, Connected):
        assert isinstance(ADAPTER, ability)


def test_a_text_arrives_once_and_its_id_is_known_exactly(viber: Viber) -> None:
    provider_id = send(viber, "Chào bạn 🙏")
    (line,) = viber.sent()
    assert (line.person, line.text, line.id) == (YEN, "Chào bạn 🙏", provider_id)
    assert int(provider_id) > 2**53


def test_choices_are_a_keyboard_and_come_back_as_choices(viber: Viber) -> None:
    send(viber, "Bạn muốn gì?", choices=("Đổi hàng", "Trả hàng"))
    assert viber.sent()[0].choices == ["Đổi hàng", "Trả hàng"]
    assert json.loads(viber.tracked[YEN]) == {"choices": ["Đổi hàng", "Trả hàng"]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("filename", "content_type", "content", "kind"),
    [
        ("hoá đơn.png", "image/png", PNG, "picture"),
        ("lớn.png", "image/png", PNG + b"\0" * 1024 * 1024, "file"),
        ("phim.mp4", "video/mp4", b"mp4", "video"),
        ("đơn.pdf", "application/pdf", b"%PDF", "file"),
    ],
    ids=["picture", "large picture", "film", "document"],
)
def test_a_file_is_an_address_that_gives_it_out(
    viber: Viber, client: Client, filename: str, content_type: str, content: bytes, kind: str
) -> None:
    send(viber, files=(a_file(content, filename, content_type),))
    given = viber.calls[-1].json
    assert (given["type"], given.get("size", len(content))) == (kind, len(content))
    served = client.get("/" + given["media"].split("/", 3)[3])
    assert (served.status_code, served.content) == (200, content)
    assert given.get("file_name", filename) == filename


@pytest.mark.django_db
def test_a_file_that_is_gone_is_given_up_in_words(viber: Viber) -> None:
    file = a_file(b"bye", "a.txt", "text/plain")
    media.path_of(file.path).unlink()
    with pytest.raises(GiveUp, match="no longer here"):
        send(viber, files=(file,))
    assert viber.calls == []


def test_nothing_is_not_sent(viber: Viber) -> None:
    with pytest.raises(GiveUp):
        send(viber)
    assert viber.calls == []


def test_who_has_left_cannot_be_reached(viber: Viber) -> None:
    viber.left.add(YEN)
    with pytest.raises(GiveUp, match="has not subscribed"):
        send(viber, "a")
    with pytest.raises(GiveUp, match="no longer on Viber"):
        send(viber, "a", to="nobody")


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (2, Reauthorise, "token"),
        (3, GiveUp, "could not read"),
        (7, GiveUp, "blocked this bot"),
        (10, GiveUp, "connect the channel"),
        (12, Retry, "wait"),
        (13, GiveUp, "too old"),
        (15, Reauthorise, "not approved"),
        (24, GiveUp, "balance"),
        (99, GiveUp, "said by Viber"),
    ],
)
def test_a_status_means_what_it_says(viber: Viber, number: int, kind: type[Exception], words: str) -> None:
    viber.faults.append(status(number))
    with pytest.raises(kind, match=words) as raised:
        send(viber, "a")
    assert type(raised.value) is kind or kind is GiveUp
    assert not isinstance(raised.value, Uncertain)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", status=429, headers={"Retry-After": "7"}), Retry),
        (Fault("status", status=500), Retry),
        (Fault("status", status=502), Uncertain),
        (Fault("status", status=200, body={"half": "an answer"}), Uncertain),
        (Fault("status", status=401), Reauthorise),
        (Fault("status", status=404), GiveUp),
        (Fault("lost"), Uncertain),
        (Fault("cut"), Uncertain),
    ],
)
def test_a_failure_is_sorted_by_what_may_have_happened(viber: Viber, fault: Fault, kind: type[Exception]) -> None:
    viber.faults.append(fault)
    with pytest.raises(kind) as raised:
        send(viber, "a")
    assert kind is GiveUp or type(raised.value) is kind
    assert len(viber.sent()) == (fault.what == "lost")


def test_a_hundred_messages_to_somebody_silent_are_enough(viber: Viber) -> None:
    with pytest.raises(Retry):
        for number in range(101):
            send(viber, f"tin {number}")
    assert len(viber.sent()) == 100
    viber.lines.append(Line(id="1", person=YEN, direction="in", text="Dạ?"))
    send(viber, "Dạ đây ạ")


def test_the_simulator_refuses_a_wrong_token(viber: Viber) -> None:
    for token in ("another", "tiếng Việt"):
        with pytest.raises(Reauthorise):
            ADAPTER.send(channel(viber, auth_token=token), envelope("a"))
    assert viber.sent() == []


def test_a_file_of_a_customer_is_fetched(viber: Viber) -> None:
    event = viber.event(YEN, "", file=("a.pdf", "application/pdf", b"%PDF"))
    fetched = ADAPTER.fetch(channel(viber), {"url": event["message"]["media"]})
    assert (fetched.content, fetched.content_type) == (b"%PDF", "application/pdf")
    with pytest.raises(GiveUp):
        ADAPTER.fetch(channel(viber), {"url": "http://127.0.0.1:1/secret"})


def test_a_person_has_a_name_a_language_and_a_picture(viber: Viber, monkeypatch: pytest.MonkeyPatch) -> None:
    user = Viber._user
    monkeypatch.setattr(Viber, "_user", lambda self, person: user(self, person) | {"avatar": "https://a.viber.com/1"})
    picture = RemoteFile(
        source={"url": "https://a.viber.com/1"}, kind="image", filename="picture.jpg", content_type="image/jpeg"
    )
    assert ADAPTER.profile(channel(viber), YEN) == Profile(name="Ngô Hải Yến", language="vi", picture=picture)


def test_connecting_is_tried_by_viber_at_once(viber: Viber) -> None:
    tried: list[bytes] = []
    viber.transport = lambda url, body, headers, timeout=10: (tried.append(body) or 200, b"")
    here = f"http://127.0.0.1/hooks/{channel(viber).id}/"
    ADAPTER.connect(channel(viber), here)
    assert json.loads(tried[0])["event"] == "webhook"
    assert viber.hook["url"] == here and {"seen", "failed"} <= set(viber.hook["event_types"])
    probe = ADAPTER.probe(channel(viber))
    assert (probe.ok, probe.account) == (True, "Hoa Lư Store")
    viber.transport = lambda url, body, headers, timeout=10: (401, b"")
    with pytest.raises(GiveUp, match="https"):
        ADAPTER.connect(channel(viber), here)


@pytest.mark.parametrize(("url", "problem"), [("", "does not call"), ("https://old.example/", "another address")])
def test_what_is_wrong_with_the_way_to_us_is_said(viber: Viber, url: str, problem: str) -> None:
    viber.hook["url"] = url
    probe = ADAPTER.probe(channel(viber))
    assert not probe.ok and problem in probe.problem


def test_a_dead_token_is_a_problem_and_an_unreachable_provider_is_not(viber: Viber) -> None:
    assert "token" in ADAPTER.probe(channel(viber, auth_token="another")).problem
    viber.faults.append(Fault("status", status=502))
    with pytest.raises(Retry):
        ADAPTER.probe(channel(viber))
