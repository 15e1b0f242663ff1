"""Calls of Telegram at the door: over HTTP, signed by the secret, and whatever else arrives there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from channels_app import registry
from channels_app.adapters.base import dumped
from channels_app.contracts import Arrival, Call, ChannelRef
from channels_app.models import Channel, InboundEvent
from channels_app.simulators.telegram import Telegram
from helpdesk.core.errors import GiveUp
from tests.builders import an_actor, run_jobs
from tests.channels_app.telegram.desk import ADAPTER, LAN, message, simulated
from tickets.messages import actions as messages
from tickets.models import Message

SECRET = {"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": Telegram.SECRETS["secret_token"]}


@pytest.fixture
def telegram(settings: Any) -> Iterator[Telegram]:
    with simulated(settings) as provider:
        yield provider


@pytest.fixture
def bot(telegram: Telegram, transactional_db: None) -> Channel:
    registry.forget()
    config = Telegram.CONFIG | {"api_base": telegram.base_url}
    return Channel.objects.create(
        kind="telegram", name="Bot", address="hoalu_store_bot", config=config, secrets=Telegram.SECRETS
    )


def post(client: Client, bot: Channel, update: Any, **headers: str) -> Any:
    body = update if isinstance(update, bytes) else dumped(update)
    return client.post(f"/hooks/{bot.pk}/", body, content_type="application/json", **(headers or SECRET))


def test_a_conversation(telegram: Telegram, bot: Channel, live_server: Any) -> None:
    """A customer writes over real HTTP, an agent answers, the customer presses a button of the answer."""
    telegram.hook_url = f"{live_server.url}/hooks/{bot.pk}/"
    telegram.says(LAN, "Shop ơi, đơn 1024 tới đâu rồi?", times=3)
    assert [status for _body, status in telegram.pushed] == [200, 200, 200]
    run_jobs()
    asked = Message.objects.get(channel_id=bot.pk)
    assert (asked.text, asked.sender_address, asked.ticket.customer_name) == (
        "Shop ơi, đơn 1024 tới đâu rồi?", LAN, "Trần Minh Khoa",
    )  # fmt: skip
    messages.reply(ticket_id=asked.ticket_id, text="Dạ, mai tới ạ.", actor=an_actor("admin"))
    run_jobs()
    assert [line.text for line in telegram.sent()] == ["Dạ, mai tới ạ."]
    answer = Message.objects.get(channel_id=bot.pk, direction="out")
    assert answer.delivery_state == "sent"

    telegram.lines[-1].choices = ["Cảm ơn"]
    query = telegram.presses(LAN, telegram.sent()[0].id, "Cảm ơn")
    assert query not in telegram.queries, "the answer of the hook answered the button"
    run_jobs()
    assert Message.objects.filter(channel_id=bot.pk, direction="in").latest("pk").text == "Cảm ơn"


def test_an_update_is_kept_once_however_often_it_comes(client: Client, bot: Channel) -> None:
    update = {"update_id": 7, "message": message(text="a")}
    assert [post(client, bot, update).status_code for _ in range(3)] == [200, 200, 200]
    assert list(InboundEvent.objects.values_list("external_id", flat=True)) == [f"7:message:{LAN}:41"]


def test_only_who_knows_the_secret_is_heard(client: Client, bot: Channel) -> None:
    update = {"update_id": 7, "message": message(text="a")}
    for wrong in ("", "x", Telegram.SECRETS["secret_token"] + "x", "é"):
        assert post(client, bot, update, HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN=wrong).status_code == 401
    assert post(client, bot, update, HTTP_X_OTHER="1").status_code == 401
    assert client.get(f"/hooks/{bot.pk}/").status_code == 401
    assert not InboundEvent.objects.exists()


def test_a_channel_without_a_secret_hears_nobody(client: Client, bot: Channel) -> None:
    Channel.objects.filter(pk=bot.pk).update(secrets={"token": "1:x"})
    registry.forget()
    assert post(client, bot, {"update_id": 7}, HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN="").status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"update_id": "7"}', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_kept_whole(client: Client, bot: Channel, body: bytes) -> None:
    assert post(client, bot, body).status_code == 200
    assert bytes(InboundEvent.objects.get().inboundraw.body) == body
    run_jobs()
    assert InboundEvent.objects.get().state == "failed"


def test_an_odd_update_is_a_placeholder_and_stops_nothing(telegram: Telegram, client: Client, bot: Channel) -> None:
    post(client, bot, telegram.odd(LAN))
    post(client, bot, telegram.event(LAN, "Alo?"))
    run_jobs()
    texts = Message.objects.filter(channel_id=bot.pk).order_by("pk").values_list("text", flat=True)
    assert len(texts) == 2 and "telepathic_message" in texts[0] and texts[1] == "Alo?"


def test_zeros_and_halves_of_characters_stop_nothing(client: Client, bot: Channel) -> None:
    assert post(client, bot, b'{"update_id":8,"message":%s}' % dumped(message(text="a\x00b\ud83d"))).status_code == 200
    run_jobs()
    assert Message.objects.get(channel_id=bot.pk).text == "a\ufffdb\ufffd"


def test_a_megabyte_of_text_is_one_message(client: Client, bot: Channel) -> None:
    post(client, bot, {"update_id": 9, "message": message(text="ớ" * 1_000_000)})
    run_jobs()
    assert Message.objects.get(channel_id=bot.pk).text.startswith("ớớớ")


# --- fuzz: nothing that arrives raises anything but what the hook and the worker expect ------------------------------
NAMES = st.sampled_from(
    [
        *("message", "edited_message", "callback_query", "my_chat_member", "message_reaction", "business_message"),
        *("deleted_business_messages", "edited_business_message", "from", "chat", "id", "date", "text", "caption"),
        *("entities", "offset", "length", "url", "type", "text_link", "photo", "sticker", "document", "file_id"),
        *("location", "venue", "latitude", "longitude", "contact", "phone_number", "user_id", "poll", "options"),
        *("reply_to_message", "message_id", "message_ids", "new_reaction", "emoji", "new_chat_member", "status"),
        *("reply_markup", "inline_keyboard", "data", "migrate_to_chat_id", "business_connection_id", "width"),
        *("first_name", "title", "sender_chat", "is_animated", "file_size", "edit_date", "language_code", "dice"),
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["text_link", "emoji", "kicked", "5810234417", "/start x", "https://a.vn"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=8), max_leaves=40
)
UPDATES = st.dictionaries(NAMES, VALUES, max_size=3).map(lambda about: {"update_id": 5} | about)
# A message that is nearly right, so that the fuzz gets behind the first checks.
NEARLY = st.dictionaries(NAMES, VALUES, max_size=6).map(lambda odd: {"update_id": 5, "message": message(**odd)})
REF = ChannelRef(
    id=UUID(int=7), kind="telegram", name="", address="b", team_id=None, is_active=True, secrets=Telegram.SECRETS
)


def taken_apart(raw: bytes) -> None:
    call = Call(method="POST", url="", headers={}, query={}, body=raw)
    ADAPTER.answer(REF, call)
    assert ADAPTER.identify(raw, {})
    try:
        items = ADAPTER.split(REF, call)
    except ValueError:
        return
    for item in items:
        assert item.external_id
        arrival = Arrival(
            channel_id=REF.id, channel_address="b", external_id=item.external_id, raw=item.raw, meta={},
            received_at=datetime(2026, 11, 22, tzinfo=UTC),
        )  # fmt: skip
        try:
            found = ADAPTER.parse(arrival)
        except GiveUp:
            continue
        for one in found:
            assert one.thread_key and getattr(one, "external_id", "x")  # type: ignore[union-attr]


@given(UPDATES | NEARLY)
@hypothesis_settings(max_examples=200, deadline=None)
def test_no_update_raises_what_nobody_expects(update: dict[str, Any]) -> None:
    taken_apart(dumped(update))


@given(st.binary(max_size=200))
@hypothesis_settings(max_examples=100, deadline=None)
def test_no_bytes_raise_what_nobody_expects(raw: bytes) -> None:
    taken_apart(raw)
