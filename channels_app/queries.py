"""Reading the doors: the bytes a message came as."""

from channels_app.models import InboundRaw
from helpdesk.core.errors import NotFound


def original_of(event_id: int | None) -> bytes:
    """The raw receipt a message came from, as it came; raises NotFound when none is kept."""
    row = InboundRaw.objects.only("body").filter(pk=event_id).first() if event_id else None
    if row is None:
        raise NotFound
    return bytes(row.body)
