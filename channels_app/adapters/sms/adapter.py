"""The door to SMS by Twilio; see docs/channels/sms.md."""

from typing import ClassVar

from django.utils.translation import gettext_noop

from channels_app.adapters.base import Forged, loaded
from channels_app.adapters.sms import calls, parse, signature
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
from helpdesk.core.errors import GiveUp, Reauthorise

NOTHING_TO_SAY = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


class SmsAdapter:
    """One message or one status a call. Nobody there tells who a number belongs to."""

    kind: ClassVar[str] = parse.KIND
    idempotent: ClassVar[bool] = False  # what is in doubt is cleared up by the status callback

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        kept = loaded(raw)
        params = kept.get("params") if isinstance(kept, dict) else None
        if not isinstance(params, dict):
            raise ValueError("no parameters")
        return parse.item_of({str(name): str(value) for name, value in params.items()}, "").external_id

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return parse.items(arrival)

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer(status=405, body=b"POST only")

    def verify(self, channel: ChannelRef, call: Call) -> None:
        if not signature.is_signed(str(channel.secrets.get("auth_token", "")), call):
            raise Forged

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        """One message, or what became of one; the fields of a form, or a JSON object of them."""
        if signature.is_form(call):
            given: object = dict(signature.fields(call))
        else:
            given = loaded(call.body)
        if not isinstance(given, dict):
            raise ValueError("no object")
        params = {name: value if isinstance(value, str) else str(value) for name, value in given.items()}
        return [parse.item_of(params, call.query.get("delivery", ""))]

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer(body=NOTHING_TO_SAY, content_type="text/xml; charset=utf-8")

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        file = calls.fetch(channel, source["url"])
        return Fetched(content=file.content, content_type=file.content_type, filename=file.filename)

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        return Profile()

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        return calls.send(channel, envelope)

    def probe(self, channel: ChannelRef) -> Probe:
        try:
            known = calls.account(channel)
        except (Reauthorise, GiveUp) as error:
            return Probe(ok=False, problem=str(error))
        name, status = str(known.get("friendly_name") or "")[:200], known.get("status")
        if status not in (None, "active"):
            return Probe(ok=False, problem=gettext_noop("the Twilio account is suspended"), account=name)
        return Probe(ok=True, account=name)
