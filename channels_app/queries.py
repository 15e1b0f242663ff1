"""Reading the doors: channels, what failed at them, the bytes a message came as."""

from uuid import UUID

from django.db.models import QuerySet

from channels_app.models import Channel, InboundEvent, InboundRaw
from helpdesk.core.actor import Actor
from helpdesk.core.errors import NotAllowed, NotFound
from helpdesk.core.text import short_id, storable


def original_of(event_id: int | None) -> bytes:
    """The raw receipt a message came from, as it came; raises NotFound when none is kept."""
    row = InboundRaw.objects.only("body").filter(pk=event_id).first() if event_id else None
    if row is None:
        raise NotFound
    return bytes(row.body)


def channels(actor: Actor) -> QuerySet[Channel]:
    """Every channel in use, with its team. Supervisors and admins only; raises NotAllowed."""
    _ensure_supervisor(actor)
    return Channel.objects.filter(is_active=True).select_related("team")


def channel_for(actor: Actor, channel_id: UUID | str, *, lock: bool = False) -> Channel:
    """One channel, retired or not, for supervisors and admins; raises NotAllowed, NotFound. lock=True locks it."""
    _ensure_supervisor(actor)
    found = Channel.objects.filter(pk=channel_id)
    channel = (found.select_for_update() if lock else found.select_related("team")).first()
    if channel is None:
        raise NotFound
    return channel


def failed_inbound(actor: Actor) -> QuerySet[InboundEvent]:
    """What came in and was given up on, with its channel. Supervisors and admins only; raises NotAllowed."""
    _ensure_supervisor(actor)
    return InboundEvent.objects.filter(state=InboundEvent.State.FAILED).select_related("channel")


def receipt_of(channel_id: UUID, external_id: str) -> InboundEvent:
    """What was kept of the item that came under this id."""
    return InboundEvent.objects.get(channel_id=channel_id, external_id=short_id(storable(external_id)))


def _ensure_supervisor(actor: Actor) -> None:
    if not (actor.is_supervisor or actor.kind == "system"):
        raise NotAllowed


def demo_channels(kinds: list[str]) -> QuerySet[Channel]:
    """The channels in use that stand in front of the demo's simulated providers of these kinds."""
    return Channel.objects.filter(kind__in=kinds, is_active=True).order_by("created_at")
