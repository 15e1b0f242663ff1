"""A line can be read before its delivery is settled: then the receipt is given afterwards."""

from channels_app import outbound
from channels_app.contracts import Receipt
from channels_app.models import Delivery, Visitor
from helpdesk.core.events import Recorded


def already_read(event: Recorded) -> None:
    """Subscriber of delivery.sent: says `read` of a line that the visitor has before their eyes already."""
    reference = Delivery.objects.filter(pk=event.payload["delivery_id"]).values_list("provider_id", flat=True).first()
    kind, _, rest = (reference or "").partition(":")
    if kind != "chat":
        return
    thread_id, _, seq = rest.partition(":")
    # The lock waits for a reading that is just being marked: one of the two sees the other.
    visitor = Visitor.objects.select_for_update().filter(pk=int(thread_id)).first()
    if visitor is not None and visitor.seen_seq >= int(seq):
        outbound.report(Receipt(reference=str(reference), state="read"))
