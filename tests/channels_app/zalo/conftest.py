"""A Zalo channel in front of the simulated Zalo, which calls the desk's hook in this very process."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from channels_app import registry
from channels_app.models import Channel
from channels_app.simulators.base import serve
from channels_app.simulators.zalo import Zalo

LAN = "8142639005581123456"


class Desk:
    """Calls the hook by Django's own client; what the provider does later waits until `settle`."""

    def __init__(self, zalo: Zalo, channel: Channel) -> None:
        self.zalo, self.channel = zalo, channel
        self.waiting: list[Callable[[], object]] = []
        self.client = Client(raise_request_exception=False)
        zalo.transport = self.post
        zalo.later = lambda act, seconds=0.2: self.waiting.append(act)  # type: ignore[method-assign]

    def post(self, url: str, body: bytes, headers: dict[str, str], timeout: float = 10) -> tuple[int, bytes]:
        reply = self.client.post(url, body, content_type="application/json", headers=headers)
        return reply.status_code, reply.content

    def settle(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def zalo(settings: Any) -> Iterator[Zalo]:
    provider = Zalo()
    provider.later = lambda act, seconds=0.2: None  # type: ignore[method-assign]
    server = serve({"zalo": provider})
    host = provider.base_url.split("/")[2]
    settings.ENV = replace(settings.ENV, helpdesk_allow_hosts=(host,))
    yield provider
    server.shutdown()
    server.server_close()


def a_zalo(zalo: Zalo, **fields: Any) -> Channel:
    """The channel as an admin would set it up, its key known to live for a day."""
    registry.forget()
    config = {**zalo.CONFIG, "api_base": zalo.base_url, "oauth_base": zalo.base_url}
    given: dict[str, Any] = {"secrets": dict(zalo.SECRETS), "address": zalo.CONFIG["oa_id"], "config": config} | fields
    channel = Channel.objects.create(kind="zalo", name="Zalo Hoa Lư", **given)
    zalo.hook_url = f"/hooks/{channel.pk}/"
    return channel


@pytest.fixture
def channel(zalo: Zalo, db: None) -> Channel:
    return a_zalo(zalo)


@pytest.fixture
def desk(zalo: Zalo, channel: Channel) -> Desk:
    return Desk(zalo, channel)
