"""One channel of every kind in front of its simulated provider, both ways over real HTTP or its exact bytes."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from django.conf import settings as desk
from django.test import Client

from channels_app import kinds, registry
from channels_app.models import Channel
from channels_app.simulators.base import Provider, serve

KINDS = ("messenger", "instagram", "whatsapp", "zalo", "telegram", "line", "viber", "sms", "open_api")

PICTURE = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0"
    b"\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82"
)


@dataclass
class Door:
    """A channel, its provider, and the first person who uses it."""

    channel: Channel
    provider: Provider
    person: str

    def fresh(self) -> Channel:
        self.channel.refresh_from_db()
        return self.channel


def provider_of(kind: str) -> type[Provider]:
    module = importlib.import_module(f"channels_app.simulators.{kind}")
    return next(
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Provider) and getattr(one, "kind", "") == kind
    )


def through_client(url: str, body: bytes, headers: dict[str, str], timeout: float = 10) -> tuple[int, bytes]:
    """A call at the hook with the very bytes and headers of the provider, without a socket between."""
    client = Client(raise_request_exception=True)
    path = "/" + url.split("://", 1)[1].partition("/")[2]
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    content_type = named.pop("HTTP_CONTENT_TYPE", "application/json")
    answer = client.post(path, data=body, content_type=content_type, **named)
    return answer.status_code, answer.content


def open_door(kind: str, settings: object) -> tuple[Door, object]:
    made = provider_of(kind)(hook_url=f"{desk.SITE_URL}/hooks/{provider_of(kind).channel_id}/")
    server = serve({kind: made})
    pair = f"127.0.0.1:{server.server_address[1]}"
    settings.ENV = replace(desk.ENV, helpdesk_allow_hosts=(*desk.ENV.helpdesk_allow_hosts, pair))  # type: ignore[attr-defined]
    config = dict(made.CONFIG)
    known = kinds.KEYS[kind][0]
    config |= {base: f"http://{pair}/{kind}" for base in (*kinds.BASES, "callback_url") if base in known}
    registry.forget()
    channel = Channel.objects.create(
        id=made.channel_id,
        kind=kind,
        name=f"Our {kind}",
        address=kinds.address_of(kind, "", config),
        config=config,
        secrets=dict(made.SECRETS),
    )
    made.transport = through_client
    return Door(channel, made, next(iter(made.PEOPLE))), server


@pytest.fixture(params=KINDS)
def door(request: pytest.FixtureRequest, db: None, settings: object) -> Iterator[Door]:
    made, server = open_door(request.param, settings)
    yield made
    server.shutdown()  # type: ignore[attr-defined]
    server.server_close()  # type: ignore[attr-defined]
    registry.forget()
