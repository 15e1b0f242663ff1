"""The door to a system of the shop's own: it speaks by the API or by signed calls, and is called back signed."""

from typing import ClassVar
from uuid import uuid4

from channels_app.adapters.base import Forged, dumped, loaded
from channels_app.adapters.open_api import parse, send, signing
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
from helpdesk.core.errors import GiveUp, Reauthorise


class OpenApiAdapter:
    """Messages, edits, unsends, reactions, receipts and changes of contact; see docs/channels/open-api.md."""

    kind: ClassVar[str] = parse.KIND
    idempotent: ClassVar[bool] = True  # the webhook-id is the delivery's id, and the receiver drops what it knows

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        return parse.event_id(loaded(raw), str(meta.get("webhook-id", "")), 0)

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return parse.items(arrival)

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer(status=405, body=b"POST only")

    def verify(self, channel: ChannelRef, call: Call) -> None:
        if not signing.is_signed(str(channel.secrets.get("signing_secret", "")), call.body, call.headers):
            raise Forged

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        """The body is one event, or {"events": […]}; a ping brings none."""
        said = loaded(call.body)
        if not isinstance(said, dict):
            raise ValueError("no object")
        events = said["events"] if isinstance(said.get("events"), list) else [said]
        call_id = call.headers.get("webhook-id", "")
        return [
            Item(external_id=parse.event_id(event, call_id, place), raw=dumped(event))
            for place, event in enumerate(events)
            if not (isinstance(event, dict) and event.get("type") == "ping")
        ]

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer(body=b'{"status":"accepted"}', content_type="application/json")

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        file = net.fetch(source["url"])
        return Fetched(content=file.content, content_type=file.content_type, filename=file.filename)

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        return Profile()  # the system says with every message who writes

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        return send.answer(channel, envelope)

    def probe(self, channel: ChannelRef) -> Probe:
        if not channel.config.get("callback_url"):
            return Probe(ok=True)
        try:
            send.post(channel, f"ping-{uuid4()}", {"type": "ping"})
        except (Reauthorise, GiveUp) as error:
            return Probe(ok=False, problem=str(error))
        return Probe(ok=True, account=str(channel.config["callback_url"]))
