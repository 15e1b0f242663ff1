"""The door to a LINE official account; see docs/channels/line.md."""

import base64
import hashlib
import hmac
from typing import ClassVar

from channels_app.adapters.base import Forged, dumped, loaded, same
from channels_app.adapters.line import calls, parse
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
    RemoteFile,
    SendResult,
)
from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise


class LineAdapter:
    """Events in batches, answers by push; LINE tells nothing of what becomes of an answer."""

    kind: ClassVar[str] = parse.KIND
    idempotent: ClassVar[bool] = True  # X-Line-Retry-Key

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        return parse.event_id(loaded(raw))

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return parse.items(arrival)

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer(status=405, body=b"POST only")

    def verify(self, channel: ChannelRef, call: Call) -> None:
        secret = str(channel.secrets.get("channel_secret", ""))
        wanted = base64.b64encode(hmac.new(secret.encode(), call.body, hashlib.sha256).digest()).decode()
        if not secret or not same(call.headers.get("x-line-signature", ""), wanted):
            raise Forged

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        """The events of a call; none when LINE only tries the address."""
        said = loaded(call.body)
        events = said.get("events") if isinstance(said, dict) else None
        if not isinstance(events, list):
            raise ValueError("no events")
        return [Item(external_id=parse.event_id(event), raw=dumped(event)) for event in events]

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer(body=b"{}", content_type="application/json")

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        file = calls.content(channel, source["message"]) if "message" in source else net.fetch(source["url"])
        return Fetched(content=file.content, content_type=file.content_type, filename=file.filename)

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        known = calls.profile(channel, address)
        url, language = str(known.get("pictureUrl") or ""), str(known.get("language") or "")
        picture = RemoteFile(source={"url": url}, kind="image") if url.startswith(("https://", "http://")) else None
        return Profile(name=str(known.get("displayName") or "")[:200], language=language[:2], picture=picture)

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        return calls.push(channel, envelope)

    def probe(self, channel: ChannelRef) -> Probe:
        try:
            known = calls.account(channel)
        except (Reauthorise, GiveUp) as error:
            return Probe(ok=False, problem=str(error))
        return Probe(ok=True, account=str(known.get("displayName") or known.get("basicId") or "")[:200])
