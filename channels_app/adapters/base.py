"""What every adapter offers: recognise a raw receipt, read it, send."""

from typing import ClassVar, Protocol

from channels_app.contracts import Arrival, ChannelRef, InboundItem, OutboundEnvelope, SendResult


class Adapter(Protocol):
    """One kind of channel. Adapters do not know each other, and only the registry knows them."""

    kind: ClassVar[str]
    # Whether sending twice with one idempotency key reaches the customer once.
    idempotent: ClassVar[bool]

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        """The provider's id of this item; never empty."""

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        """What it says. Raises GiveUp only when nothing at all can be shown of it."""

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        """Send one part. Raises Retry (nothing left the house), Uncertain (it may have), or GiveUp."""
