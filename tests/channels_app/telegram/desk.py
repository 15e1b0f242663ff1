"""A bot at a simulated Telegram, and the channel that stands for it here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from channels_app.adapters.base import dumped
from channels_app.adapters.telegram.adapter import TelegramAdapter
from channels_app.contracts import Arrival, ChannelRef, InboundItem, OutboundEnvelope
from channels_app.simulators.base import serve
from channels_app.simulators.telegram import Telegram

ADAPTER = TelegramAdapter()
LAN, HA = "5810234417", "6120987354"
GROUP = "-1001987654321"
RECEIVED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SENT = 1795334300  # 2026-11-22 07:58:20 UTC


@contextmanager
def simulated(settings: Any) -> Iterator[Telegram]:
    """A simulated Telegram that the desk may call."""
    provider = Telegram()
    provider.groups[GROUP] = "Khách sỉ"
    server = serve({"telegram": provider})
    before = settings.ENV
    settings.ENV = replace(before, helpdesk_allow_hosts=(f"127.0.0.1:{server.server_address[1]}",))
    try:
        yield provider
    finally:
        settings.ENV = before
        threading.Thread(target=server.shutdown, daemon=True).start()  # it takes half a second, and nobody waits for it


def channel(provider: Telegram, **secrets: str) -> ChannelRef:
    return ChannelRef(
        id=UUID(int=7),
        kind="telegram",
        name="Bot",
        address="hoalu_store_bot",
        team_id=None,
        is_active=True,
        config=Telegram.CONFIG | {"api_base": provider.base_url},
        secrets=Telegram.SECRETS | secrets,
    )


def envelope(text: str = "", *, to: str = LAN, **more: Any) -> OutboundEnvelope:
    return OutboundEnvelope(idempotency_key="1", to=to, thread_key=more.pop("thread_key", to), text=text, **more)


def arrival(update: dict[str, Any]) -> Arrival:
    return Arrival(
        channel_id=UUID(int=7),
        channel_address="hoalu_store_bot",
        external_id="x",
        raw=dumped(update),
        meta={},
        received_at=RECEIVED,
    )


def read(**update: Any) -> tuple[InboundItem, ...]:
    """What an update says."""
    return ADAPTER.parse(arrival({"update_id": 900100, **update}))


def message(**content: Any) -> dict[str, Any]:
    """A message as Telegram sends one of a private chat."""
    person = {"id": 5810234417, "first_name": "Lan", "last_name": "Trần", "username": "lan_tran"}
    return {
        "message_id": 41,
        "from": person | {"is_bot": False, "language_code": "vi"},
        "chat": person | {"type": "private"},
        "date": SENT,
        **content,
    }
