"""Calls of Viber at the door: signed over the raw bytes, and whatever else arrives there."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from channels_app import registry
from channels_app.adapters.base import dumped
from channels_app.contracts import Call, ChannelRef
from channels_app.models import Channel, Delivery, InboundEvent
from channels_app.simulators.viber import Viber
from helpdesk.core.errors import GiveUp
from tests.builders import an_actor, run_jobs
from tests.channels_app.viber.desk import ADAPTER, YEN, arrival, sent, simulated
from tickets.messages import actions as messages
from tickets.models import Message


@pytest.fixture
def viber(settings: Any) -> Iterator[Viber]:
    with simulated(settings) as provider:
        yield provider


@pytest.fixture
def bot(viber: Viber, transactional_db: None) -> Channel:
    registry.forget()
    config = Viber.CONFIG | {"api_base": viber.base_url}
    return Channel.objects.create(
        kind="viber", name="Bot", address="Hoa Lư Store", config=config, secrets=Viber.SECRETS
    )


def post(client: Client, bot: Channel, event: Any, signature: str | None = None) -> Any:
    body = event if isinstance(event, bytes) else dumped(event)
    if signature is None:
        signature = hmac.new(Viber.SECRETS["auth_token"].encode(), body, hashlib.sha256).hexdigest()
    headers = {"HTTP_X_VIBER_CONTENT_SIGNATURE": signature}
    return client.post(f"/hooks/{bot.pk}/", body, content_type="application/json", **headers)


def test_a_conversation_with_its_receipts(viber: Viber, bot: Channel, live_server: Any) -> None:
    """A customer writes over real HTTP, an agent answers, Viber says that it was delivered and seen."""
    viber.hook_url = f"{live_server.url}/hooks/{bot.pk}/"
    viber.says(YEN, "Shop ơi, còn hàng không?", times=3)
    assert [code for _body, code in viber.pushed] == [200, 200, 200]
    run_jobs()
    asked = Message.objects.get(channel_id=bot.pk)
    assert (asked.text, asked.ticket.customer_name) == ("Shop ơi, còn hàng không?", "Ngô Hải Yến")
    messages.reply(ticket_id=asked.ticket_id, text="Dạ còn ạ.", actor=an_actor("admin"))
    run_jobs()
    (line,) = viber.sent()
    assert Delivery.objects.get().provider_id == line.id
    for what, outcome in (("seen", "read"), ("delivered", "read")):  # they come out of order, too
        viber.receipt(line, what)
        run_jobs()
        assert Delivery.objects.get().outcome == outcome


def test_what_failed_on_the_phone_is_told(viber: Viber, bot: Channel, client: Client) -> None:
    post(client, bot, viber.event(YEN, "Alo"))
    run_jobs()
    messages.reply(ticket_id=Message.objects.get().ticket_id, text="Dạ.", actor=an_actor("admin"))
    run_jobs()
    token = int(viber.sent()[0].id)
    post(client, bot, {"event": "failed", "message_token": token, "user_id": YEN, "desc": "keyboard is invalid"})
    run_jobs()
    delivery = Delivery.objects.get()
    assert (delivery.outcome, delivery.last_error) == ("failed", "keyboard is invalid")


def test_the_test_call_is_answered_empty_and_kept_nowhere(client: Client, bot: Channel) -> None:
    response = post(client, bot, {"event": "webhook", "timestamp": 1, "message_token": 2})
    assert (response.status_code, response.content) == (200, b"")
    assert not InboundEvent.objects.exists()


def test_only_what_is_signed_is_heard(client: Client, bot: Channel) -> None:
    event = {"event": "message", "message_token": 3, **sent(type="text", text="a")}
    for wrong in ("", "0" * 64, "é"):
        assert post(client, bot, event, wrong).status_code == 401
    other = hmac.new(Viber.SECRETS["auth_token"].encode(), dumped(event) + b" ", hashlib.sha256).hexdigest()
    assert post(client, bot, event, other).status_code == 401
    assert client.get(f"/hooks/{bot.pk}/").status_code == 401
    assert not InboundEvent.objects.exists()


def test_a_channel_without_a_token_hears_nobody(client: Client, bot: Channel) -> None:
    Channel.objects.filter(pk=bot.pk).update(secrets={})
    registry.forget()
    body = b'{"event":"message"}'
    assert post(client, bot, body, hmac.new(b"", body, hashlib.sha256).hexdigest()).status_code == 401


def test_an_event_is_kept_once_however_often_it_comes(client: Client, bot: Channel) -> None:
    event = {"event": "message", "message_token": 5741311803571721087, **sent(type="text", text="a")}
    assert [post(client, bot, event).status_code for _ in range(3)] == [200, 200, 200]
    assert InboundEvent.objects.get().external_id == "message:5741311803571721087:"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_kept_whole(client: Client, bot: Channel, body: bytes) -> None:
    assert post(client, bot, body).status_code == 200
    assert bytes(InboundEvent.objects.get().inboundraw.body) == body
    run_jobs()
    assert InboundEvent.objects.get().state == "failed"


# --- fuzz: nothing that arrives raises anything but what the hook and the worker expect ------------------------------
NAMES = st.sampled_from(
    [
        *("event", "timestamp", "message_token", "sender", "user", "user_id", "message", "id", "name", "language"),
        *("type", "text", "media", "size", "file_name", "file_size", "sticker_id", "location", "lat", "lon", "contact"),
        *("phone_number", "tracking_data", "subscribed", "context", "desc", "choices"),
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["message", "seen", "failed", "subscribed", "conversation_started", "location", "sticker", YEN])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=8), max_leaves=30
)
EVENTS = st.dictionaries(NAMES, VALUES, max_size=8)
NEARLY = EVENTS.map(lambda odd: {"event": "message", "message_token": 5, **sent(**{"type": "text", **odd})})
REF = ChannelRef(id=UUID(int=8), kind="viber", name="", address="b", team_id=None, is_active=True)


def taken_apart(raw: bytes) -> None:
    call = Call(method="POST", url="", headers={}, query={}, body=raw)
    assert ADAPTER.identify(raw, {})
    try:
        items = ADAPTER.split(REF, call)
    except ValueError:
        return
    for item in items:
        assert item.external_id
        try:
            found = ADAPTER.parse(arrival(item.raw))
        except GiveUp:
            continue
        for one in found:
            assert getattr(one, "external_id", "x")


@given(EVENTS | NEARLY)
@hypothesis_settings(max_examples=200, deadline=None)
def test_no_event_raises_what_nobody_expects(event: dict[str, Any]) -> None:
    taken_apart(dumped(event))


@given(st.binary(max_size=200))
@hypothesis_settings(max_examples=100, deadline=None)
def test_no_bytes_raise_what_nobody_expects(raw: bytes) -> None:
    taken_apart(raw)
