"""The bot itself: files, profiles, the connection test, and that its token stays where it belongs."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from channels_app import errands, registry
from channels_app.adapters.base import Connected, Fetcher, Hook, Probed
from channels_app.contracts import RemoteFile
from channels_app.models import Channel, Errand, Media
from channels_app.simulators.base import Fault
from channels_app.simulators.telegram import Telegram
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain
from tests.builders import run_jobs
from tests.channels_app.telegram.desk import ADAPTER, GROUP, LAN, channel, envelope, simulated
from tickets.models import Message

TOKEN = Telegram.SECRETS["token"]


@pytest.fixture
def telegram(settings: Any) -> Iterator[Telegram]:
    with simulated(settings) as provider:
        yield provider


def test_it_offers_all_that_a_bot_can() -> None:
    for ability in (Hook, Fetcher, Probed, Connected):
        assert isinstance(ADAPTER, ability)


def test_a_file_is_fetched_by_its_id(telegram: Telegram) -> None:
    file_id = telegram.hold("tôi.pdf", "application/pdf", b"%PDF-1.7 noi dung")
    fetched = ADAPTER.fetch(channel(telegram), {"file_id": file_id})
    assert fetched.content == b"%PDF-1.7 noi dung"
    assert fetched.content_type == ""  # the message said what it is; the file server says octets of everything


def test_a_file_larger_than_telegram_hands_out_is_given_up_in_words(telegram: Telegram) -> None:
    file_id = telegram.hold("phim.mp4", "video/mp4", b"\0" * (20 * 1024 * 1024 + 1))
    with pytest.raises(GiveUp, match="larger than 20 MB"):
        ADAPTER.fetch(channel(telegram), {"file_id": file_id})


def test_a_file_id_nobody_knows_is_given_up(telegram: Telegram) -> None:
    with pytest.raises(GiveUp):
        ADAPTER.fetch(channel(telegram), {"file_id": "gone"})
    with pytest.raises(GiveUp):
        ADAPTER.fetch(channel(telegram), {})


def test_a_person_has_a_name_and_a_picture(telegram: Telegram) -> None:
    telegram.pictures[LAN] = "pic-1"
    found = ADAPTER.profile(channel(telegram), LAN)
    assert found.name == "Trần Minh Khoa"
    assert found.picture == RemoteFile(
        source={"file_id": "pic-1"}, kind="image", filename="picture.jpg", content_type="image/jpeg"
    )


def test_a_group_has_a_name(telegram: Telegram) -> None:
    assert ADAPTER.profile(channel(telegram), GROUP).name == "Khách sỉ"


def connected(telegram: Telegram) -> None:
    ADAPTER.connect(channel(telegram), f"http://127.0.0.1/hooks/{channel(telegram).id}/")


def test_connecting_asks_for_everything_we_understand(telegram: Telegram) -> None:
    connected(telegram)
    given = telegram.calls[-1].json
    assert given["secret_token"] == Telegram.SECRETS["secret_token"]
    assert {"message_reaction", "deleted_business_messages", "my_chat_member"} <= set(given["allowed_updates"])


def test_connecting_says_what_is_wrong_in_words(telegram: Telegram) -> None:
    with pytest.raises(GiveUp):
        ADAPTER.connect(channel(telegram), "http://desk.example/hooks/x/")
    with pytest.raises(Reauthorise):
        ADAPTER.connect(channel(telegram, token="7012345678:AAH-another-token"), "https://desk.example/hooks/x/")


def test_a_desk_without_https_is_told_so() -> None:
    plain = channel(Telegram())
    plain.config.pop("api_base")
    with pytest.raises(GiveUp, match="https"):
        ADAPTER.connect(plain, "http://desk.example/hooks/x/")


def test_a_bot_that_is_well(telegram: Telegram) -> None:
    connected(telegram)
    probe = ADAPTER.probe(channel(telegram))
    assert (probe.ok, probe.problem, probe.account) == (True, "", "@hoalu_store_bot")


@pytest.mark.parametrize(
    ("hook", "problem"),
    [
        ({"url": ""}, "does not call this desk yet"),
        ({"url": "https://old.example/hook"}, "calls another address"),
        ({"last_error_date": 4102444800, "last_error_message": "SSL error {error:0A00}"}, "certificate"),
        (
            {"last_error_date": 4102444800, "last_error_message": "Wrong response from the webhook: 401"},
            "refused calls",
        ),
        ({"last_error_date": 4102444800, "last_error_message": "Connection timed out"}, "cannot reach"),
        ({"last_error_date": 1500000000, "last_error_message": "Connection timed out"}, ""),
    ],
)
def test_what_is_wrong_with_the_way_to_us_is_said(telegram: Telegram, hook: dict[str, Any], problem: str) -> None:
    connected(telegram)
    telegram.hook |= hook
    probe = ADAPTER.probe(channel(telegram))
    assert probe.ok == (not problem)
    assert problem in probe.problem and bool(problem) == bool(probe.problem)


def test_the_token_of_another_bot_is_noticed(telegram: Telegram) -> None:
    other = channel(telegram)
    other.config["bot_username"] = "@another_bot"
    assert "another bot" in ADAPTER.probe(other).problem


def test_a_dead_token_is_a_problem_and_an_unreachable_provider_is_not(telegram: Telegram) -> None:
    assert "token" in ADAPTER.probe(channel(telegram, token="7012345678:AAH-another-token")).problem
    telegram.faults.append(Fault("status", status=500))
    with pytest.raises(Retry):
        ADAPTER.probe(channel(telegram))


@pytest.mark.django_db(transaction=True)
def test_the_token_gets_into_no_log_line_and_no_row(
    telegram: Telegram, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything a bot does, and everything that goes wrong: then every table and every log line is searched."""
    registry.forget()
    config = Telegram.CONFIG | {"api_base": telegram.base_url}
    row = Channel.objects.create(
        kind="telegram", name="Bot", address="hoalu_store_bot", config=config, secrets=Telegram.SECRETS
    )
    ref, text = registry.reference(row), []
    with caplog.at_level(logging.DEBUG):
        telegram.pictures[LAN] = telegram.hold("p.jpg", "image/jpeg", b"\xff\xd8\xff")
        update = telegram.event(LAN, "", file=("đơn.pdf", "application/pdf", b"%PDF-1.7"))
        secret = {"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": Telegram.SECRETS["secret_token"]}
        client.post(f"/hooks/{row.pk}/", update, content_type="application/json", **secret)
        sources = [{"file_id": next(reversed(telegram.uploads))}, {"file_id": "gone"}]
        kept, lost = [errands.fetch_later(channel_id=row.pk, file=RemoteFile(source=one)) for one in sources]
        run_jobs()
        assert Media.objects.get(pk=kept.pk).state == "kept"
        assert Media.objects.get(pk=lost.pk).state == "lost"
        for fault in (Fault("status", status=500), Fault("lost"), Fault("cut"), Fault("status", status=502)):
            telegram.faults.append(fault)
            with pytest.raises((GiveUp, Retry, Uncertain)) as raised:
                ADAPTER.send(ref, envelope("a"))
            text.append(str(raised.value))
            telegram.faults.append(fault)
            with pytest.raises((GiveUp, Retry)) as raised:
                ADAPTER.fetch(ref, {"file_id": telegram.pictures[LAN]})
            text.append(str(raised.value))
    assert Message.objects.filter(channel_id=row.pk).exists() and Errand.objects.exists()
    assert TOKEN not in caplog.text and "AAH-made-up" not in "".join(text)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', [f"%{TOKEN.split(':')[1]}%"])
            assert cursor.fetchone()[0] == 0, table
