"""Reading the conversation: the timeline, drafts, and the ways to reach the customer now."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.utils.timezone import now

from channels_app import templates_kept
from channels_app.contracts import Template
from channels_app.models import Channel, Delivery, Media
from helpdesk.core.actor import Actor
from helpdesk.core.errors import NotFound
from helpdesk.core.models import EventLog
from tickets.customers import queries as customers
from tickets.enums import DeliveryState
from tickets.lifecycle import queries as lifecycle
from tickets.messages.reach import Reach, channels_for
from tickets.models import Attachment, Customer, Draft, Message, Ticket

__all__ = ("Entry", "Reach", "channels_for")  # beside what is defined here

TOLD = (  # events that stand on the timeline as one line
    "ticket.opened",
    "ticket.reopened",
    "ticket.changed",
    "ticket.merged",
    "ticket.unmerged",
    "ticket.split",
    "ticket.undone",
    "message.moved",
    "ticket.channel_switched",
    "ticket.contact_changed",
    "sla.breached",
    "customer.merged",
    "customer.unmerged",
    "customer.merged_away",
    "customer.parted",
)

MAX_NEW = 50  # what a refusal for a moved thread shows at most


@dataclass(slots=True)
class Entry:
    """One thing on the timeline: a message or an event, never both."""

    at: datetime
    message: Message | None = None
    quoted: Message | None = None  # what the message answers, where that is known
    event: EventLog | None = None


def messages(ticket: Ticket, actor: Actor) -> QuerySet[Message]:
    """Every message of the conversation, merged tickets' too, oldest first; only the public ones for a customer."""
    found = Message.objects.filter(ticket__in=lifecycle.family(ticket.pk))
    if actor.kind == "customer":
        found = found.filter(visibility="public")
    return _with_files(found).order_by("occurred_at", "pk")


def _with_files(found: QuerySet[Message]) -> QuerySet[Message]:
    files = Attachment.objects.select_related("media").order_by("pk")
    return found.select_related("author", "channel").prefetch_related(Prefetch("attachments", files))


def timeline(ticket: Ticket, actor: Actor, *, limit: int = 500) -> list[Entry]:
    """The latest messages and what happened between them, by the provider's time, then id."""
    latest = list(messages(ticket, actor).reverse()[:limit])
    mark_sending(latest)
    subjects = [f"ticket:{ticket_id}" for ticket_id in {ticket.pk, *(message.ticket_id for message in latest)}]
    # What became of the customer themselves, as far as the ticket was there already.
    of_them = Q(subject=f"customer:{ticket.customer_id}", created_at__gte=ticket.created_at)
    rows = EventLog.objects.filter(Q(subject__in=subjects) | of_them, topic__in=TOLD).order_by("-pk")[:limit]
    happened = _naming_people(list(rows))
    answered = quoted(latest, actor)
    entries = [Entry(at=one.occurred_at, message=one, quoted=answered.get(one.pk)) for one in latest]
    entries += [Entry(at=event.created_at, event=event) for event in happened]
    return sorted(entries, key=lambda entry: (entry.at, entry.message.pk if entry.message else 0))


def _naming_people(happened: list[EventLog]) -> list[EventLog]:
    """The same events, those about another customer with that one's name now. One query, none without such."""
    others = {row.payload["other_id"] for row in happened if row.topic.startswith("customer.")}
    if others:
        names = dict(Customer.objects.filter(pk__in=others).values_list("pk", "name"))
        for row in happened:
            if row.topic.startswith("customer."):
                row.payload |= {"other_name": names.get(row.payload["other_id"], "")}
    return happened


def quoted(found: list[Message], actor: Actor) -> dict[int, Message]:
    """What these messages answer, by their ids. No query where everything is among them, else at most three."""
    answering = {one.pk: (one.thread_id, one.quotes) for one in found if one.quotes and one.thread_id}
    if not answering:
        return {}
    known = {(one.thread_id, one.external_id): one for one in found if one.external_id}
    missing = {key for key in answering.values() if key not in known}
    if missing:
        lines = {thread_id for thread_id, _external_id in missing}
        ids = [external_id for _thread_id, external_id in missing]
        seen = _with_files(Message.objects.filter(ticket__in=lifecycle.visible(actor), thread__in=lines))
        sent = Delivery.objects.filter(provider_id__in=ids, message_id__isnull=False)
        by_provider = dict(sent.values_list("message_id", "provider_id"))
        for one in seen.filter(Q(external_id__in=ids) | Q(pk__in=list(by_provider))):
            known[one.thread_id, one.external_id] = one
            if one.pk in by_provider:
                known[one.thread_id, by_provider[one.pk]] = one
    return {pk: known[key] for pk, key in answering.items() if key in known}


def mark_sending(found: list[Message]) -> None:
    """Show what is on its way as it is at this moment: held, queued or sending. One query, none when nothing is."""
    waiting = {message.pk: message for message in found if message.delivery_state == DeliveryState.QUEUED}
    if not waiting:
        return
    for message in waiting.values():
        if message.held_until and message.held_until > now():
            message.delivery_state = DeliveryState.HELD
    running = Delivery.objects.filter(message_id__in=waiting, state="running").values_list("message_id", flat=True)
    for message_id in running:
        if message_id is not None:
            waiting[message_id].delivery_state = DeliveryState.SENDING


def message_for(actor: Actor, message_id: int | str) -> Message:
    """The message if the actor may see its ticket; raises NotFound."""
    found = Message.objects.filter(ticket__in=lifecycle.visible(actor)).select_related("ticket", "channel", "author")
    if actor.kind == "customer":
        found = found.filter(visibility="public")
    try:
        return found.get(pk=int(message_id))
    except (Message.DoesNotExist, ValueError, TypeError, OverflowError):
        raise NotFound from None


def undelivered(actor: Actor) -> QuerySet[Message]:
    """Answers that did not arrive, or of which nobody knows it, newest first, on tickets the actor may see."""
    lost = (DeliveryState.FAILED, DeliveryState.UNKNOWN)
    found = Message.objects.filter(ticket__in=lifecycle.visible(actor), delivery_state__in=lost)
    return found.select_related("ticket").order_by("-pk")


def attachment_for(actor: Actor, attachment_id: int | str) -> Attachment:
    """The attachment if the actor may see its ticket; raises NotFound."""
    found = Attachment.objects.filter(message__ticket__in=lifecycle.visible(actor)).select_related("media", "message")
    if actor.kind == "customer":
        found = found.filter(message__visibility="public")
    try:
        return found.get(pk=int(attachment_id))
    except (Attachment.DoesNotExist, ValueError, TypeError, OverflowError):
        raise NotFound from None


def upload_for(actor: Actor, upload_id: UUID) -> Media:
    """The actor's own upload; raises NotFound."""
    found = Media.objects.filter(pk=upload_id, owner=f"{actor.kind}:{actor.id}").first()
    if found is None:
        raise NotFound
    return found


def draft_for(ticket: Ticket, actor: Actor) -> Draft | None:
    """What the actor has begun to write on this ticket."""
    return Draft.objects.filter(ticket=ticket, user_id=actor.user_id).first()


def new_since(ticket: Ticket, at: datetime) -> QuerySet[Message]:
    """Messages that came after a moment, for the warning that the thread has moved."""
    found = Message.objects.filter(ticket__in=lifecycle.family(ticket.pk), created_at__gt=at)
    return found.select_related("author").order_by("created_at", "pk")


def new_since_version(ticket: Ticket, version: int, actor: Actor) -> QuerySet[Message]:
    """What was said on a ticket after the version a reader saw, oldest first."""
    added = EventLog.objects.filter(subject=f"ticket:{ticket.pk}", topic="message.added", payload__version__gt=version)
    ids = list(added.values_list("payload__message_id", flat=True)[:MAX_NEW])
    return messages(ticket, actor).filter(pk__in=ids)


def said_with(customer_id: int, actor: Actor) -> QuerySet[Message]:
    """Every message with a customer on the tickets the actor may see, also those that came by merging customers."""
    tickets = lifecycle.visible(actor).filter(customer__in=customers.family(customer_id))
    return _with_files(Message.objects.filter(ticket__in=tickets))


def templates_for(ways: list[Reach]) -> dict[UUID, list[Template]]:
    """The approved templates of the channels among these ways that take them, by channel: one statement."""
    wanted = {way.channel_id for way in ways if way.ability.templates and not way.mode}
    channels = Channel.objects.filter(pk__in=wanted) if wanted else ()
    return {channel.pk: templates_kept.templates_of(channel) for channel in channels}
