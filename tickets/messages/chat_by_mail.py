"""Chat answers that the visitor did not come back to read, as one mail whose answer joins the conversation."""

import uuid
from collections.abc import Sequence

from django.utils import translation
from django.utils.translation import gettext as _

from channels_app import outbound, reply_tokens
from channels_app.contracts import OutboundEnvelope
from channels_app.models import Channel
from helpdesk.core import crypto
from helpdesk.core.actor import Actor
from helpdesk.core.recorder import record
from tickets.events import ChatMailed
from tickets.lifecycle.queries import survivor
from tickets.messages import compose
from tickets.models import Message, Ticket
from tickets.pokes import poke


def ticket_of_thread(thread_id: int) -> Ticket | None:
    """The ticket on which this line was last spoken, following merges."""
    last = Message.objects.filter(thread=thread_id).exclude(external_id="").select_related("ticket").order_by("-pk")
    message = last.first()
    return survivor(message.ticket) if message else None


def send_unseen(*, to: str, thread_id: int, lines: Sequence[tuple[str, str]], language: str) -> bool:
    """Promise the mail, in the caller's transaction. False without a mailbox or a ticket to answer to."""
    ticket = ticket_of_thread(thread_id)
    mailboxes = Channel.objects.filter(kind=Channel.Kind.EMAIL, is_active=True).order_by("created_at")
    own_team = mailboxes.filter(team_id=ticket.team_id).first() if ticket and ticket.team_id else None
    mailbox = own_team or mailboxes.first()
    if ticket is None or mailbox is None:
        return False
    with translation.override(language or ticket.language or None):
        envelope = OutboundEnvelope(
            idempotency_key="",
            to=to,
            to_name=ticket.customer_name,
            subject=compose.reply_subject(ticket.subject, ticket.number),
            text=_text(lines),
            message_id=compose.message_id(ticket.pk, uuid.uuid4().hex, mailbox.address.rpartition("@")[2]),
            reply_to=reply_tokens.address(mailbox.address, reply_tokens.make(ticket.pk, crypto.key("reply tokens"))),
            auto=True,
            thread_key=to,
        )
    outbound.enqueue(channel_id=mailbox.pk, message_id=None, envelope=envelope)
    event = ChatMailed(ticket_id=ticket.pk, count=len(lines))
    record(event, actor=Actor.system(), pokes=[poke(ticket)])
    return True


def _text(lines: Sequence[tuple[str, str]]) -> str:
    said = [f"{author}: {text}" if author else text for author, text in lines]
    first = _("You had left the chat before our answer came. Here it is:")
    last = _("Just answer this e-mail, or come back to the chat: it is one conversation.")
    return "\n\n".join([first, *said, last])
