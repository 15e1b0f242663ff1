"""Files that lay with a provider: what became of them, on the messages they hang on."""

from channels_app.models import Media
from helpdesk.core.actor import Actor
from helpdesk.core.events import Recorded
from helpdesk.core.recorder import record
from tickets.lifecycle import standing
from tickets.lifecycle.actions import save
from tickets.lifecycle.queries import locked_survivor
from tickets.models import Message
from tickets.pokes import poke

_SYSTEM = Actor.system()


def arrived(event: Recorded) -> None:
    """Subscriber: what a message says of its file is what the file turned out to be; its screens hear of it."""
    media = Media.objects.filter(pk=event.payload["media_id"]).first()
    if media is None:
        return
    for message in Message.objects.filter(attachments__media=media).distinct().order_by("pk"):
        _tell(message, media)


def _tell(message: Message, media: Media) -> None:
    ticket = locked_survivor(_SYSTEM, message.ticket_id)
    before = standing.words(message, ticket.language)
    if media.state == Media.State.KEPT:
        hung = message.attachments.filter(media=media)
        hung.update(filename=media.filename, content_type=media.content_type, size=media.size)
    if ticket.subject and ticket.subject == before:
        ticket.subject = standing.words(message, ticket.language)
    standing.retell(ticket)
    save(ticket, "snippet", "subject")
    record(actor=_SYSTEM, pokes=[poke(ticket)])
