"""What happens to deliveries and channels."""

from dataclasses import dataclass
from typing import ClassVar

from helpdesk.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEvent(Event):
    delivery_id: int
    message_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySent(DeliveryEvent):
    topic: ClassVar[str] = "delivery.sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed(DeliveryEvent):
    """It will not be tried again by itself. `uncertain`: it may have reached the customer."""

    topic: ClassVar[str] = "delivery.failed"
    uncertain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReported(DeliveryEvent):
    """The other side told what became of it: delivered, read, failed."""

    topic: ClassVar[str] = "delivery.reported"
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRetried(DeliveryEvent):
    topic: ClassVar[str] = "delivery.retried"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChanged(Event):
    topic: ClassVar[str] = "channel.changed"
    channel_id: str
    change: str  # created, updated, retired, connected

    @property
    def subject(self) -> str:
        return f"channel:{self.channel_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRetried(Event):
    """Somebody gave a receipt that could not be read another chance."""

    topic: ClassVar[str] = "inbound.retried"
    event_id: int
    channel_id: str

    @property
    def subject(self) -> str:
        return f"channel:{self.channel_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileArrived(Event):
    """A file that lay with a provider is here, or will never be."""

    topic: ClassVar[str] = "file.arrived"
    media_id: str
    is_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTroubled(Event):
    """Something is wrong with a channel, or right again where `kind` is empty."""

    topic: ClassVar[str] = "channel.troubled"
    channel_id: str
    kind: str  # auth, silent, other

    @property
    def subject(self) -> str:
        return f"channel:{self.channel_id}"
