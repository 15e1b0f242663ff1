"""Telegram through its Bot API: a secret in the header vouches for calls, one call brings one update."""

import json
from typing import ClassVar

from channels_app.adapters.base import Forged, digest, loaded, read, same
from channels_app.adapters.picking import ident, part
from channels_app.adapters.telegram import account, api, parse, send
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
from helpdesk.core.errors import GiveUp


class TelegramAdapter:
    """One bot. A line is a chat; in a group everybody is a sender of their own."""

    kind: ClassVar[str] = "telegram"
    idempotent: ClassVar[bool] = False

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        try:
            return parse.update_id(read(raw))
        except (GiveUp, ValueError):
            return digest(raw)

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return parse.items(read(arrival.raw), arrival)

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        return send.send(channel, envelope)

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        """Telegram never greets."""
        raise Forged

    def verify(self, channel: ChannelRef, call: Call) -> None:
        wanted = str(channel.secrets.get("secret_token", ""))
        if not wanted or not same(call.headers.get("x-telegram-bot-api-secret-token", ""), wanted):
            raise Forged

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        update = loaded(call.body)
        if not isinstance(update, dict):
            raise ValueError("an update is an object")
        return [Item(external_id=parse.update_id(update), raw=call.body)]

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        """A pressed button waits for a word on the customer's screen: it travels in the answer, nothing is called."""
        try:
            query = ident(part(loaded(call.body), "callback_query").get("id"))
        except ValueError:
            query = ""
        if not query:
            return Answer()
        body = json.dumps({"method": "answerCallbackQuery", "callback_query_id": query}).encode()
        return Answer(body=body, content_type="application/json")

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        return api.download(channel, source.get("file_id", ""))

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        return account.profile(channel, address)

    def probe(self, channel: ChannelRef) -> Probe:
        return account.probe(channel)

    def connect(self, channel: ChannelRef, hook_url: str) -> None:
        account.connect(channel, hook_url)
