"""A simulated provider of Meta's on a port of its own, and a channel in front of it."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from channels_app import registry
from channels_app.adapters.base import dumped
from channels_app.contracts import Arrival, Call, ChannelRef, InboundItem, OutboundEnvelope
from channels_app.models import Channel
from channels_app.simulators.base import serve
from channels_app.simulators.graph import GraphProvider

RECEIVED = datetime(2027, 1, 1, tzinfo=UTC)


class Played:
    """A provider that does what it does later only when told to: nothing happens behind a test's back."""

    def __init__(self, provider: GraphProvider, host: str) -> None:
        self.provider, self.host = provider, host
        self.waiting: list[Callable[[], object]] = []
        provider.later = lambda act, seconds=0.2: self.waiting.append(act)  # type: ignore[method-assign]

    def channel(self, **config: Any) -> ChannelRef:
        """The channel as adapters see it."""
        own = self.provider
        return ChannelRef(
            id=uuid.UUID(int=7),
            kind=own.kind,
            name="Demo",
            address=own.account_id,
            team_id=None,
            is_active=True,
            config=dict(own.CONFIG) | {"api_base": own.base_url} | config,
            secrets={name: own.account[name] for name in own.SECRETS},
        )

    def row(self, **fields: Any) -> Channel:
        """The channel in the database, its hook called by the provider through the test client."""
        registry.forget()
        own = self.channel()
        row = Channel.objects.create(
            kind=own.kind,
            name="Demo",
            address=own.address,
            config=own.config,
            secrets=own.secrets,  # type: ignore[misc]
            **fields,
        )
        self.provider.hook_url = f"/hooks/{row.pk}/"
        self.provider.transport = hook_call
        return row

    def item(self, event: dict[str, Any]) -> dict[str, Any]:
        """One event as `split` keeps it."""
        own = self.provider
        content = {"change": event} if "field" in event else {"event": event}
        return {"object": own.OBJECT, "id": own.account_id, "time": 1795334400000} | content

    def act(self) -> None:
        """Do what was put off: receipts and echoes go out."""
        while self.waiting:
            self.waiting.pop(0)()


def hook_call(url: str, body: bytes, headers: dict[str, str], timeout: float = 10) -> tuple[int, bytes]:
    """A call at our hook by the test client, in this very process and transaction: status and answer."""
    names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    names.pop("HTTP_CONTENT_TYPE", None)
    answer = Client().post(url, body, content_type="application/json", **names)  # type: ignore[arg-type]
    return answer.status_code, answer.content


@contextmanager
def played(provider: GraphProvider, settings: Any) -> Iterator[Played]:
    """The provider listening, its address allowed for the desk's calls."""
    server = serve({provider.kind: provider})
    host = f"127.0.0.1:{server.server_address[1]}"
    settings.ENV = replace(settings.ENV, helpdesk_allow_hosts=(host,))
    try:
        yield Played(provider, host)
    finally:
        server.shutdown()
        server.server_close()


def parsed(kind: str, account: str, item: dict[str, Any] | bytes, **config: Any) -> tuple[InboundItem, ...]:
    """What the adapter makes of one item as `split` would keep it."""
    arrival = Arrival(
        channel_id=uuid.UUID(int=7),
        channel_address=account,
        external_id="item-1",
        raw=item if isinstance(item, bytes) else dumped(item),
        meta={},
        received_at=RECEIVED,
        config=config,
    )
    return registry.adapter(kind).parse(arrival)


def envelope(**changes: Any) -> OutboundEnvelope:
    """An answer; its key is 31."""
    return OutboundEnvelope(**({"idempotency_key": "31", "to": "", "text": "Dạ có ạ 👋"} | changes))


def called(body: bytes, **headers: str) -> Call:
    """A call at the hook."""
    return Call(method="POST", url="", headers=headers, query={}, body=body)
