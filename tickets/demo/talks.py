"""What is said on a simulated channel, taken in as a provider's call would be; the provider itself need not run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.timezone import now

from channels_app import errands, inbound, registry
from channels_app.contracts import Call
from channels_app.models import Errand
from tickets.demo import pictures
from tickets.demo.content import Line
from tickets.models import Message

_MOMENTS = frozenset({"timestamp", "time", "created_time"})
_HUE = {"latitude": 16.4637, "longitude": 107.5909}
_PLACES = {
    "messenger": {"lat": _HUE["latitude"], "long": _HUE["longitude"]},
    "whatsapp": {
        "latitude": 16.0678,
        "longitude": 108.2245,
        "name": "Hotel Bạch Đằng",
        "address": "50 Bạch Đằng, Đà Nẵng",
    },
}


def say(provider: Any, person: str, line: Line, at: datetime, answered: Message | None) -> None:
    """The person does what the line says, at that moment; `answered` is our last answer to them."""
    provider.transport = lambda _url, body, _headers: _hand_in(provider, body, at)
    reference = answered.external_id if answered else ""
    match line.what:
        case "text":
            provider.says(person, line.text)
        case "photo":
            file = (line.file, "image/png", pictures.parcel())
            provider.push(provider.envelope([provider.event(person, line.text, file=file)]))
        case "place" if line.channel == "whatsapp":
            provider.acts(person, "location", _PLACES["whatsapp"])
        case "place":
            pin = {"type": "location", "payload": {"coordinates": _PLACES["messenger"]}}
            provider.does(person, message={"mid": provider.new_id(), "attachments": [pin]})
        case "comment":
            comment = replace(provider.EARLIER[0], text=line.text)
            provider.push(provider.envelope([provider.comment_event(comment)]))
        case "quote":
            event = provider.event(person, line.text)
            event["message"]["quote_msg_id"] = reference
            provider.push(provider.envelope([event]))
        case "reaction" if line.channel == "zalo":
            provider.reacts(person, reference)
        case "reaction":
            provider.does(person, reaction={"mid": reference, "action": "react", "emoji": line.text})
    inbound.drain()
    _fetch()


def _fetch() -> None:
    """What the provider is asked for after a message, done at once: names and files, and pictures named with names."""
    for _round in ("names and files", "the pictures that came with the names"):
        # Due long ago: the clock of the transaction that all of this happens in stands still.
        Errand.objects.filter(state="pending").update(due_at=now() - timedelta(hours=1))
        errands.drain()


def _hand_in(provider: Any, body: bytes, at: datetime) -> tuple[int, bytes]:
    """A call of the provider's as the hook takes it, as if it had come at that moment."""
    body = json.dumps(_dated(json.loads(body), at)).encode()
    channel = registry.channel(UUID(str(provider.channel_id)))
    headers = {name.lower(): value for name, value in provider.signed(body).items()}
    call = Call(method="POST", url="", headers=headers, query={}, body=body)
    adapter: Any = registry.adapter(channel.kind)
    adapter.verify(channel, call)
    inbound.accept_all([(channel.id, item) for item in adapter.split(channel, call)])
    return 200, b""


def _dated(value: Any, at: datetime) -> Any:
    """The payload with every moment of it moved there, each written as it was: number or text, seconds or less."""
    if isinstance(value, list):
        return [_dated(one, at) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _moment(one, at) if name in _MOMENTS else _dated(one, at) for name, one in value.items()}


def _moment(written: Any, at: datetime) -> Any:
    moved = int(at.timestamp() * (1000 if len(str(written)) > 10 else 1))
    return str(moved) if isinstance(written, str) else moved


@contextmanager
def listening(providers: dict[str, Any]) -> Iterator[None]:
    """The providers answer while the stories are told; none of it is heard of again."""
    if not providers:
        yield
        return
    serve = import_string(f"{settings.SIMULATORS}.base.serve")
    server = serve(providers, port=settings.SIMULATORS_PORT)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
