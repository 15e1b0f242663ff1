"""A bot at a simulated Viber, and the channel that stands for it here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from channels_app.adapters.base import dumped
from channels_app.adapters.viber.adapter import ViberAdapter
from channels_app.contracts import Arrival, ChannelRef, InboundItem, OutboundEnvelope
from channels_app.simulators.base import serve
from channels_app.simulators.viber import Viber

ADAPTER = ViberAdapter()
YEN = "3aB7kQ9xTzW2m1Lp0RvYdg=="
RECEIVED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SENT = 1795334300123  # ms: 2026-11-22 07:58:20.123 UTC
TOKEN = 5741311803571721087  # a double would make it …088


@contextmanager
def simulated(settings: Any) -> Iterator[Viber]:
    """A simulated Viber that the desk may call. It tells what became of a message only where a test says so."""
    provider = Viber(hook_url="http://127.0.0.1:1/hooks/")
    provider.says_what_became = provider.fetches = False
    server = serve({"viber": provider})
    before = settings.ENV
    settings.ENV = replace(before, helpdesk_allow_hosts=(f"127.0.0.1:{server.server_address[1]}",))
    try:
        yield provider
    finally:
        settings.ENV = before
        threading.Thread(target=server.shutdown, daemon=True).start()  # it takes half a second, and nobody waits for it


def channel(provider: Viber, **secrets: str) -> ChannelRef:
    return ChannelRef(
        id=UUID(int=8),
        kind="viber",
        name="Bot",
        address="Hoa Lư Store",
        team_id=None,
        is_active=True,
        config=Viber.CONFIG | {"api_base": provider.base_url},
        secrets=Viber.SECRETS | secrets,
    )


def envelope(text: str = "", *, to: str = YEN, **more: Any) -> OutboundEnvelope:
    return OutboundEnvelope(idempotency_key="1", to=to, thread_key=to, text=text, **more)


def arrival(event: Any) -> Arrival:
    return Arrival(
        channel_id=UUID(int=8),
        channel_address="Hoa Lư Store",
        external_id="x",
        raw=event if isinstance(event, bytes) else dumped(event),
        meta={},
        received_at=RECEIVED,
    )


def read(event: str, **about: Any) -> tuple[InboundItem, ...]:
    """What an event says."""
    return ADAPTER.parse(arrival({"event": event, "timestamp": SENT, "message_token": TOKEN} | about))


def sent(**message: Any) -> dict[str, Any]:
    """What comes with a message of a customer."""
    sender = {"id": YEN, "name": "Ngô Hải Yến", "language": "vi", "country": "VN", "api_version": 10}
    return {"sender": sender, "message": message, "silent": False}
