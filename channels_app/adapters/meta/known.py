"""What earlier calls have told us: who wrote a comment."""

from channels_app.adapters.base import read
from channels_app.adapters.meta.content import ident, obj
from channels_app.adapters.meta.split import comment_key
from channels_app.contracts import Arrival
from channels_app.models import InboundRaw
from helpdesk.core.errors import GiveUp
from helpdesk.core.text import short_id, storable


def author_of(arrival: Arrival, comment: str) -> str:
    """The id of who wrote a comment, or a post on the wall; empty when no call of this channel brought it here."""
    kept_id = short_id(storable(comment_key(comment)))
    found = InboundRaw.objects.filter(event__channel_id=arrival.channel_id, event__external_id=kept_id)
    body = found.values_list("body", flat=True).first()
    if body is None:
        return ""
    try:
        value = obj(obj(read(bytes(body)).get("change")).get("value"))
    except GiveUp:
        return ""
    return ident(obj(value.get("from")).get("id"))
