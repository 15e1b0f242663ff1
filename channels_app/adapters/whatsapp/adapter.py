"""WhatsApp by the Cloud API: one number of a WhatsApp Business account is one channel."""

from typing import ClassVar
from urllib.parse import quote

from django.utils.translation import gettext_noop

from channels_app.adapters import graph
from channels_app.adapters.whatsapp import parse, refusals, send, split, templates
from channels_app.adapters.whatsapp.values import identifier, mapping, words
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
    Template,
)
from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise

LOST_FILE = gettext_noop("the provider no longer has this file")


class WhatsAppAdapter:
    """No key makes a send repeatable here; of one in doubt the receipts tell, which bring our own key back."""

    kind: ClassVar[str] = "whatsapp"
    idempotent: ClassVar[bool] = False

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        return split.identify(raw)

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return parse.parse(arrival)

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        return send.send(channel, envelope)

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        return graph.greet(channel, call)

    def verify(self, channel: ChannelRef, call: Call) -> None:
        graph.verify(channel, call)

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        return split.split(call.body)

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer()

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        """By its id an address that is good for five minutes, and from there the file; both want the key."""
        media = quote(source.get("media", ""), safe="")
        try:
            known = graph.call(channel, "GET", media, repeatable=True)
        except graph.Refused as refused:
            raise GiveUp(LOST_FILE) from refused
        url = known.get("url")
        if not isinstance(url, str) or not url:
            raise GiveUp(LOST_FILE)
        file = net.fetch(url, headers={"Authorization": f"Bearer {channel.secrets.get('access_token', '')}"})
        content_type = identifier(known.get("mime_type")) or file.content_type
        return Fetched(content=file.content, content_type=content_type, filename=file.filename)

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        """The name comes with each message; WhatsApp gives out nothing more of a person."""
        return Profile()

    def probe(self, channel: ChannelRef) -> Probe:
        """Ask for the number itself and whether it may send; its name and digits are what it is called."""
        number = quote(str(channel.config.get("phone_number_id") or channel.address), safe="")
        asked = {"fields": "id,display_phone_number,verified_name,health_status"}
        try:
            known = graph.call(channel, "GET", number, repeatable=True, params=asked)
        except Reauthorise as refused:
            return Probe(ok=False, problem=str(refused))
        except graph.Refused as refused:
            return Probe(ok=False, problem=str(refusals.meaning(refused.code, str(refused))))
        called = " ".join(filter(None, (words(known.get("verified_name")), words(known.get("display_phone_number")))))
        problem = refusals.standing(mapping(known.get("health_status")))
        return Probe(ok=not problem, problem=problem, account=called)

    def templates(self, channel: ChannelRef) -> list[Template]:
        return templates.templates(channel)
