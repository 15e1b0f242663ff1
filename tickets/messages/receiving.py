"""Receiving: a customer's words become a message on a ticket."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.timezone import now

from channels_app import errands, media
from channels_app.contracts import File, NewMessage, Origin, RemoteFile
from channels_app.models import Media, Thread
from helpdesk.core.actor import Actor
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from helpdesk.core.rows import insert
from helpdesk.core.sanitize import clean
from helpdesk.core.text import short_id
from tickets.enums import Direction, Kind, Status
from tickets.events import ChannelSwitched, MessageAdded
from tickets.lifecycle import standing
from tickets.lifecycle.actions import save
from tickets.models import Attachment, Customer, Message, SlaClock, Ticket
from tickets.pokes import poke
from tickets.sla import policies

MAX_PARTICIPANTS = 50
MAX_ADDRESS = 254
_ANY = {"image": "image/*", "sticker": "image/*", "video": "video/*", "audio": "audio/*"}  # until the file is here
OUR_OWN = ("history", "number", "reacted", "echo")  # details that the desk writes itself


def own_id(item: NewMessage, thread: Thread) -> str | None:
    """The id it is kept under; None when it is on the timeline already, on this line or by another mailbox.

    A Message-ID alone proves nothing (it can be forged, and some programs use one twice): sender and body must
    agree too. Another mail on this line may bear the same one: nothing is lost for that, it gets a longer id.
    Chat lines have no such hash; their id is unique on their line.
    """
    kept = short_id(item.external_id)
    longer = short_id(f"{kept}#{item.content_hash}")
    bearers = Message.objects.filter(external_id__in=(kept, longer) if item.content_hash else (kept,))
    found = list(bearers.values_list("external_id", "thread_id", "sender_address", "content_hash"))
    is_taken = any(row[:2] == (kept, thread.pk) for row in found)
    if not item.content_hash:
        return None if is_taken else kept
    if any(row[2:] == (item.sender.value[:255], item.content_hash) for row in found):
        return None
    return longer if is_taken else kept


def receive(
    *,
    ticket: Ticket,
    customer: Customer,
    thread: Thread,
    item: NewMessage,
    origin: Origin,
    evidence: dict[str, Any],
    external_id: str,
    opened: Sequence[Event] = (),
    quietly: bool = False,
) -> Message:
    """Put a customer's message on a ticket, in the caller's transaction, which holds the ticket's lock.

    Quietly: stored and shown, but it neither starts a clock nor asks for attention. external_id: from own_id.
    opened: what remains to be recorded of a ticket that was opened for this message and shows it already.
    """
    message = _message(ticket, customer, thread, item, origin)
    message.external_id, message.evidence = external_id, evidence
    insert(message)
    attach(message, [_keep(file) for file in item.files])
    attach_remote(message, item.remote)
    words = standing.spoken(item.text, item.subject[:250]) or standing.words(message, ticket.language)
    events: list[Event] = [
        *opened,
        MessageAdded(
            ticket_id=ticket.pk,
            message_id=message.pk,
            direction=Direction.IN,
            visibility=message.visibility,
            kind=message.kind,
            channel_kind=origin.channel.kind,
            auto=item.auto,
            version=ticket.version if opened else ticket.version + 1,
        ),
    ]
    if not opened and ticket.channel_kind and ticket.channel_kind != origin.channel.kind:
        switched = ChannelSwitched(ticket_id=ticket.pk, before=ticket.channel_kind, after=origin.channel.kind)
        events.append(switched)
    if not opened:
        _touch(ticket, item, origin, words, quietly=quietly)
    elif ticket.snippet != words:  # it has no words of its own
        ticket.snippet, ticket.subject = words, ticket.subject or words
        ticket.save(update_fields=["snippet", "subject"])
    actor = Actor.customer(customer.pk)
    record(*events, actor=actor, pokes=[poke(ticket)])
    return message


def _message(ticket: Ticket, customer: Customer, thread: Thread, item: NewMessage, origin: Origin) -> Message:
    return Message(
        ticket=ticket,
        thread=thread,
        channel_id=origin.channel.id,
        channel_kind=origin.channel.kind,
        content_hash=item.content_hash,
        direction=Direction.IN,
        kind=Kind.COMMENT if item.is_comment else Kind.MESSAGE,
        customer_id=customer.own_id,
        sender_name=(item.sender.name or customer.name)[:200],
        sender_address=item.sender.value[:255],
        sender_verified=item.sender.verified,
        recipients=[name for name in item.recipients if len(name) <= MAX_ADDRESS][:MAX_PARTICIPANTS],
        subject=item.subject[:250],
        text=item.text,
        text_full=item.text_full if item.text_full != item.text else "",
        html=clean(item.html),
        details=details_of(item.details, item.remote),
        quotes=short_id(item.quotes),
        auto=item.auto,
        event_id=origin.event_id,
        occurred_at=_moment(item),
    )


def details_of(given: dict[str, Any], files: Sequence[RemoteFile]) -> dict[str, Any]:
    """What a door says of a message beside its words, to be kept with it."""
    kept = {key: value for key, value in given.items() if key not in OUR_OWN}
    if any(file.kind == "sticker" for file in files):
        kept.setdefault("sticker", {})
    return kept


def attach_remote(message: Message, files: Sequence[RemoteFile]) -> None:
    """Hang files on a message that lie with the provider: they show at once, and a job of each fetches it."""
    assert message.channel_id is not None
    coming = [errands.fetch_later(channel_id=message.channel_id, file=file) for file in files]
    for expected, file in zip(coming, files, strict=True):
        expected.content_type = expected.content_type or _ANY.get(file.kind, "")
    attach(message, coming)


def attach(message: Message, files: Sequence[Media]) -> None:
    """Hang kept files on a message."""
    rows = [
        Attachment(
            message=message,
            media=file,
            filename=file.filename,
            content_type=file.content_type,
            size=file.size,
            content_id=file.content_id,
        )
        for file in files
    ]
    insert(*rows)


def _keep(file: File) -> Media:
    return media.keep(
        content=file.content,
        filename=file.filename,
        content_type=file.content_type,
        content_id=file.content_id,
    )


def show_first(ticket: Ticket, item: NewMessage, origin: Origin, *, quietly: bool) -> list[SlaClock]:
    """What the first message shows on a ticket that is about to be written, and the clock it starts."""
    _show(ticket, item, origin, standing.spoken(item.text, item.subject[:250]), quietly=quietly)
    return [policies.first_clock(ticket, _moment(item))] if _asks(ticket, quietly) else []


def _touch(ticket: Ticket, item: NewMessage, origin: Origin, words: str, *, quietly: bool) -> None:
    """Bring the ticket's list fields and its clock up to date."""
    waited = ticket.waiting_since is not None and ticket.next_due_at is not None
    _show(ticket, item, origin, words, quietly=quietly)
    if _asks(ticket, quietly) and not waited:  # whose customer waits has a clock that runs already
        policies.customer_wrote(ticket, _moment(item))
    save(
        ticket,
        *("message_count", "language", "participants", "snippet", "last_direction", "last_message_at", "channel_id"),
        *("channel_kind", "unread", "snoozed_until", "status", "waiting_since", "next_due_at", "sla_state"),
        *("solved_at", "reopened_count"),
        talked=True,
    )


def _show(ticket: Ticket, item: NewMessage, origin: Origin, words: str, *, quietly: bool) -> None:
    at = _moment(item)
    ticket.message_count += 1
    if not ticket.language and item.language:
        ticket.language = item.language
    others = [item.sender.value, *item.recipients]
    seen = [one for one in others if 0 < len(one) <= MAX_ADDRESS and one not in origin.own_addresses]
    ticket.participants = list(dict.fromkeys([*ticket.participants, *seen]))[:MAX_PARTICIPANTS]
    if at >= ticket.last_message_at:
        ticket.snippet = words
        ticket.last_direction = Direction.IN
        ticket.last_message_at = at
    if _asks(ticket, quietly):
        ticket.channel_id, ticket.channel_kind = origin.channel.id, origin.channel.kind
        ticket.unread = True
        ticket.snoozed_until = None
        ticket.status = Status.OPEN
        ticket.waiting_since = min(ticket.waiting_since or at, at)


def _asks(ticket: Ticket, quietly: bool) -> bool:
    """Whether the message asks for attention."""
    return not quietly and ticket.status != Status.SPAM


def _moment(item: NewMessage) -> datetime:
    return min(item.occurred_at, now())
