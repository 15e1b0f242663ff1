"""Viber's bots: signed calls, one event each; receipts name what they are of."""

import hashlib
import hmac
from typing import ClassVar

from channels_app.adapters.base import Forged, digest, loaded, read, same
from channels_app.adapters.viber import account, parse, send
from channels_app.contracts import (
    Answer,
    Arrival,
    Call,
    ChannelRef,
    Fetched,
    InboundItem,
    Item,
    OutboundEnvelope,
    Probe,
    Profile,
    SendResult,
)
from helpdesk.core import net
from helpdesk.core.errors import GiveUp


class ViberAdapter:
    """One bot. A line is a person, by the id they have for this bot alone."""

    kind: ClassVar[str] = "viber"
    idempotent: ClassVar[bool] = False

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        try:
            return parse.event_id(read(raw)) or digest(raw)
        except GiveUp:
            return digest(raw)

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return parse.items(read(arrival.raw), arrival)

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        return send.send(channel, envelope)

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        """Viber never greets: it posts an event."""
        raise Forged

    def verify(self, channel: ChannelRef, call: Call) -> None:
        secret = str(channel.secrets.get("auth_token", ""))
        wanted = hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest()
        if not secret or not same(call.headers.get("x-viber-content-signature", ""), wanted):
            raise Forged

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        event = loaded(call.body)
        if not isinstance(event, dict):
            raise ValueError("an event is an object")
        if event.get("event") == "webhook":
            return []  # it tries whether we are there
        return [Item(external_id=parse.event_id(event) or digest(call.body), raw=call.body)]

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer()

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        file = net.fetch(source.get("url", ""))
        return Fetched(content=file.content, content_type=file.content_type, filename=file.filename)

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        return account.profile(channel, address)

    def probe(self, channel: ChannelRef) -> Probe:
        return account.probe(channel)

    def connect(self, channel: ChannelRef, hook_url: str) -> None:
        account.connect(channel, hook_url)
