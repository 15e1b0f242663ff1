"""E-mail as the registry knows it."""

import hashlib
from typing import ClassVar

from channels_app.adapters.email import parse, smtp
from channels_app.contracts import Arrival, ChannelRef, InboundItem, OutboundEnvelope, SendResult


class EmailAdapter:
    """Reads any mail, sends through the way out that the settings name."""

    kind: ClassVar[str] = "email"
    idempotent: ClassVar[bool] = False  # a mail server takes the same mail twice

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        """`UIDVALIDITY:UID`, else the hash of the bytes: what is delivered again is a repeat, a forged id is not."""
        uid = meta.get("uid")
        return f"imap:{uid}" if isinstance(uid, str) and uid else "sha256:" + hashlib.sha256(raw).hexdigest()

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return parse.parse(arrival)

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        return smtp.send(channel, envelope)
