"""Answering: replies, notes, drafts, taking back, sending again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from channels_app import abilities, media, outbound
from channels_app.models import Channel, Media
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, StaleVersion, TicketClosed
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from helpdesk.core.text import storable
from tickets.enums import DeliveryState, Direction, Kind, Status, Visibility
from tickets.events import ChannelSwitched, MessageTakenBack
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import standing
from tickets.lifecycle.actions import save
from tickets.lifecycle.queries import family, locked_survivor, ticket_for
from tickets.messages import answering, leaving, queries
from tickets.messages.failing import never_arrived
from tickets.messages.reach import COMMENT, Reach, channels_for, of_line
from tickets.messages.receiving import attach
from tickets.models import Draft, Message, Ticket
from tickets.pokes import poke
from tickets.sla import policies

MAX_TEXT = 60_000
MAX_FILES = 20


def reply(
    *,
    ticket_id: int | str,
    text: str,
    actor: Actor,
    channel_id: UUID | str | None = None,
    address: str = "",
    mode: str | None = None,
    template: dict[str, Any] | None = None,
    choices: tuple[str, ...] = (),
    quotes: int | str | None = None,
    media_ids: tuple[UUID | str, ...] = (),
    expected_version: int | None = None,
    status: str = "",
) -> Message:
    """Answer the customer on a channel that reaches them now; the best one when none is named.

    The message and its deliveries, one for each part, commit together. With expected_version, refused with
    StaleVersion when the thread has moved since; the error's fields hold the version and the new messages. Refused
    with WindowClosed, ChannelBlocked, Unreachable or FileTooLarge, and nothing written, when it would not arrive.
    mode: comment (in public, under the post), private (to who commented), "" (neither); template: {name, language,
    parameters[]} in place of text; quotes: id of the message it answers.
    """
    with transaction.atomic():
        ticket = locked_survivor(actor, ticket_id)
        _check(ticket, text, media_ids, expected_version, status, template)
        files = _uploads(media_ids, actor)
        said = leaving.Said(text=text, mode=mode, template=template, choices=choices, quotes=quotes)
        leave = leaving.checked(ticket, said, channel_id, address, files, actor)
        message = _create(ticket, actor, leave.text, Kind.COMMENT if leave.way.mode == COMMENT else Kind.MESSAGE)
        switched = _switched(ticket, leave.way)
        _address(message, ticket, leave, files, actor)
        _answered(ticket, message, actor, status)
        record(*switched, actor=actor)
        if actor.is_user:
            Draft.objects.filter(ticket=ticket, user_id=actor.user_id, kind=Kind.MESSAGE).delete()
    return message


def _address(message: Message, ticket: Ticket, leave: leaving.Leave, files: list[Media], actor: Actor) -> None:
    """Write a new answer with the promise to send each of its parts, in order."""
    way = leave.way
    channel = Channel.objects.get(pk=way.channel_id)
    hold = settings.UNDO_SECONDS.get(way.kind, 0) if actor.is_user else 0
    message.channel, message.channel_kind = channel, way.kind
    message.thread = leaving.thread_of(channel, way)
    message.recipients = [way.address]
    message.details, message.quotes = leave.details, leave.quoted
    message.delivery_state = DeliveryState.QUEUED
    message.held_until = message.occurred_at + timedelta(seconds=hold) if hold else None
    envelope = leaving.envelope(ticket, message, channel, leave, files, actor)
    message.external_id, message.subject = envelope.message_id, envelope.subject[:250]
    message.save(force_insert=True)
    attach(message, files)
    for part, one in enumerate(abilities.parts(way.kind, envelope)):
        outbound.enqueue(
            channel_id=channel.pk,
            message_id=message.pk,
            envelope=one,
            part=part,
            lane=f"thread:{message.thread_id}",
            due_at=message.held_until,
        )


def _switched(ticket: Ticket, way: Reach) -> list[Event]:
    """A hand-over from the channel that was spoken on last; nothing when it is the same one."""
    spoken = Message.objects.filter(ticket__in=family(ticket.pk), visibility=Visibility.PUBLIC)
    spoken = spoken.exclude(channel_kind="").exclude(delivery_state=DeliveryState.TAKEN_BACK)
    before = spoken.order_by("-occurred_at", "-pk").values_list("channel_kind", flat=True).first()
    if before is None or before == way.kind:
        return []
    return [ChannelSwitched(ticket_id=ticket.pk, before=before, after=way.kind, direction=Direction.OUT)]


def note(*, ticket_id: int | str, text: str, actor: Actor, media_ids: tuple[UUID | str, ...] = ()) -> Message:
    """Write something for colleagues only. Nothing leaves the house and no clock stops."""
    with transaction.atomic():
        ticket = locked_survivor(actor, ticket_id)
        _check_text(text, media_ids)
        files = _uploads(media_ids, actor)
        message = _create(ticket, actor, text, Kind.NOTE)
        message.visibility = Visibility.INTERNAL
        message.save(force_insert=True)
        attach(message, files)
        ticket.message_count += 1
        added = answering.added(ticket, message)
        save(ticket, "message_count", talked=True)
        record(added, actor=actor, pokes=[poke(ticket)])
        if actor.is_user:
            Draft.objects.filter(ticket=ticket, user_id=actor.user_id, kind=Kind.NOTE).delete()
    return message


def upload(*, content: bytes, filename: str, content_type: str, actor: Actor) -> Media:
    """Keep a file that its owner may send later; nobody else can see it until then."""
    return media.keep(content=content, filename=filename, content_type=content_type, owner=f"{actor.kind}:{actor.id}")


def save_draft(
    *,
    ticket_id: int | str,
    text: str,
    actor: Actor,
    kind: str = Kind.MESSAGE,
    channel_id: UUID | None = None,
    media_ids: tuple[str, ...] = (),
    seen_version: int | None = None,
    way: dict[str, Any] | None = None,
) -> Draft | None:
    """Keep what somebody has begun to write; an empty one is forgotten.

    way: {address, mode, template, choices, quotes} beside the channel, each where it was chosen.
    """
    ticket = ticket_for(actor, ticket_id)
    way = way or {}
    if not text.strip() and not media_ids and not way.get("template"):
        Draft.objects.filter(ticket=ticket, user_id=actor.user_id).delete()
        return None
    draft, _fresh = Draft.objects.update_or_create(
        ticket=ticket,
        user_id=actor.user_id,
        defaults={
            "text": storable(text)[:MAX_TEXT],
            "kind": kind,
            "channel_id": channel_id,
            "way": storable(way),
            "media_ids": [str(media_id) for media_id in media_ids],
            "seen_version": seen_version,
            "updated_at": now(),
        },
    )
    return draft


def take_back(*, message_id: int | str, actor: Actor) -> Message:
    """Stop a reply that is still held; refused once a worker has it. Its text becomes the writer's draft again."""
    with transaction.atomic():
        message = queries.message_for(actor, message_id)
        ticket, message = _locked(message, actor)
        held = message.held_until is not None and message.delivery_state == DeliveryState.QUEUED
        if not held or message.author_id != actor.id or not outbound.take_back(message_id=message.pk):
            raise Conflict(_("It is too late: this message has left."))
        message.delivery_state = DeliveryState.TAKEN_BACK
        message.save(update_fields=["delivery_state"])
        events: list[Event] = [MessageTakenBack(ticket_id=ticket.pk, message_id=message.pk)]
        events += never_arrived(ticket, message)
        files = tuple(str(pk) for pk in message.attachments.order_by("pk").values_list("media_id", flat=True))
        save_draft(
            ticket_id=ticket.pk,
            text="" if message.details.get("template") else message.text,
            actor=actor,
            channel_id=message.channel_id,
            media_ids=files,
            way=message.details | {"address": message.recipients[0] if message.recipients else ""},
        )
        record(*events, actor=actor, pokes=[poke(ticket)])
    return message


def retry(*, message_id: int | str, actor: Actor) -> Message:
    """Send the parts that failed once more; what arrived is not repeated."""
    with transaction.atomic():
        message = queries.message_for(actor, message_id)
        ticket, message = _locked(message, actor)
        past_window = _still_reaches(ticket, message)
        if not outbound.retry(message_id=message.pk, actor=actor, past_window=past_window):
            raise Conflict(_("There is nothing to send again."))
        message.delivery_state, message.delivery_reason = DeliveryState.QUEUED, ""
        message.held_until = None
        message.save(update_fields=["delivery_state", "delivery_reason", "held_until"])
        events: list[Event] = []
        if not message.auto and standing.of(ticket).waiting_since is None:
            events = policies.answered(ticket, message, now())  # only now is it on its way
        standing.refresh(ticket)
        save(ticket, *standing.FIELDS)
        record(*events, actor=actor, pokes=[poke(ticket)])
    return message


def _still_reaches(ticket: Ticket, message: Message) -> bool:
    """Whether it goes as a person's words past the usual window; raises the refusals of reply when it no longer may."""
    if message.thread is None or not message.thread.channel.is_active:
        return False  # the sending itself will say what is wrong
    details = message.details
    way = of_line(message.thread, details.get("mode", ""), besides=message.pk)
    ways = channels_for(ticket)
    leaving.ensure(way, ways, person=not message.auto, template=bool(details.get("template")))
    return way.window.state == "human" and not details.get("template")


def _locked(message: Message, actor: Actor) -> tuple[Ticket, Message]:
    """The ticket on which a message is shown, then the message, both locked."""
    ticket = locked_survivor(actor, message.ticket_id)
    message = Message.objects.select_for_update(no_key=True).get(pk=message.pk)
    if message.ticket_id not in ticket.family():
        raise Conflict  # it was moved at this very moment
    return ticket, message


def _check(
    ticket: Ticket,
    text: str,
    media_ids: tuple[Any, ...],
    expected_version: int | None,
    status: str,
    template: dict[str, Any] | None,
) -> None:
    if not template:
        _check_text(text, media_ids)
    if status and status not in (Status.OPEN, Status.PENDING, Status.SOLVED):
        raise Invalid(fields={"status": "unknown"})
    if ticket.status == Status.CLOSED:
        raise TicketClosed
    if expected_version is not None and not ticket.talked_version <= expected_version <= ticket.version:
        raise StaleVersion(fields={"version": ticket.version, "expected_version": expected_version})


def _check_text(text: str, media_ids: tuple[Any, ...]) -> None:
    if not text.strip() and not media_ids:
        raise Invalid(fields={"text": "empty"})
    if len(text) > MAX_TEXT:
        raise Invalid(fields={"text": "too_long"})
    if len(media_ids) > MAX_FILES:
        raise Invalid(fields={"attachments": "too_many"})


def _uploads(media_ids: tuple[UUID | str, ...], actor: Actor) -> list[Media]:
    """The actor's own uploads, in the order given."""
    try:
        wanted = [UUID(str(media_id)) for media_id in media_ids]
    except ValueError:
        raise Invalid(fields={"attachments": "unknown"}) from None
    own = Media.objects.filter(pk__in=wanted, owner=f"{actor.kind}:{actor.id}").in_bulk()
    if len(own) != len(set(wanted)):
        raise Invalid(fields={"attachments": "unknown"})
    return [own[media_id] for media_id in dict.fromkeys(wanted)]


def _create(ticket: Ticket, actor: Actor, text: str, kind: Kind) -> Message:
    at = now()
    return Message(
        ticket=ticket,
        direction=Direction.OUT,
        kind=kind,
        author_id=actor.id if actor.is_user else None,
        sender_name=actor.name,
        sender_verified=True,
        text=storable(text).strip(),
        auto=not actor.is_user,
        occurred_at=at,
        created_at=at,
    )


def _answered(ticket: Ticket, message: Message, actor: Actor, status: str) -> None:
    """The ticket's list fields and clocks after a public reply, with its events."""
    answering.show(ticket, message)
    events: list[Event] = [answering.added(ticket, message)]
    if actor.is_user:
        events += answering.answered(ticket, message)
    wanted = status or (Status.OPEN if ticket.status == Status.SOLVED else ticket.status)
    changed = lifecycle.status_fields(ticket, wanted)
    if ticket.assignee_id is None and actor.is_user:
        changed["assignee_id"] = actor.id
    if told := lifecycle.set_fields(ticket, changed):
        events.append(told)
    save(ticket, *answering.FIELDS, *changed, talked=True)
    record(*events, actor=actor, pokes=[poke(ticket)])
