"""Telephone calls and walk-ins, written down by hand: on the timeline and in the clocks, never sent."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from channels_app.contracts import Address
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Invalid, NotAllowed
from helpdesk.core.events import Event
from helpdesk.core.recorder import record
from helpdesk.core.text import storable
from tickets.customers import actions as customers
from tickets.customers.queries import customer_for, family, normal, survivor
from tickets.enums import ACTIVE, SPOKEN, CallOutcome, Direction, Kind, Visibility
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import standing
from tickets.lifecycle.queries import inbox, locked_survivor
from tickets.messages import answering
from tickets.models import Customer, Message, Ticket
from tickets.pokes import poke

KIND = "phone"  # what tickets and timelines call the channel of a call
LONGEST = 24 * 3600
MAX_TEXT = 60_000
OLDEST = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is known of a call: who began it, what came of it, how long it took in seconds."""

    direction: str  # in, out
    outcome: str  # CallOutcome
    seconds: int = 0


def log(*, ticket_id: int | str, call: Call, text: str = "", at: datetime | None = None, actor: Actor) -> Message:
    """A call or a walk-in of this ticket's customer, with notes for colleagues.

    Whoever was spoken with has been answered, as by a reply, at the time of the call. `at` is now when not given;
    refused for the future.
    """
    at = _checked(call, text, at)
    with transaction.atomic():
        ticket = locked_survivor(actor, ticket_id)
        return _put(ticket, call, text, at, actor, [])


def log_anew(
    *,
    call: Call,
    customer_id: int | str | None = None,
    phone: str = "",
    name: str = "",
    text: str = "",
    at: datetime | None = None,
    is_new: bool = False,
    actor: Actor,
) -> Message:
    """A call or a walk-in that no ticket is open for: by customer, by telephone number, or by name alone.

    It goes to the customer's open ticket as what they write would; is_new=True opens another one. A number that
    nobody has makes a new customer; it proves nothing.
    """
    at = _checked(call, text, at)
    with transaction.atomic():
        customer = _caller(customer_id, phone, name, actor)
        ticket = None if is_new else _open_ticket(customer, actor)
        if ticket is not None:
            return _put(ticket, call, text, at, actor, [])
        what = _("A visit") if call.outcome == CallOutcome.WALK_IN else _("A call")
        subject = text.strip().split("\n")[0][:80] or what
        team_id = next(iter(actor.team_ids)) if len(actor.team_ids) == 1 else None
        ticket, opened = lifecycle.open(
            customer=customer,
            subject=storable(subject),
            team_id=team_id,
            channel_id=None,
            channel_kind=KIND,
            at=at,
            arriving=lambda _ticket: [],
        )
        return _put(ticket, call, text, at, actor, opened)


def _checked(call: Call, text: str, at: datetime | None) -> datetime:
    """When it was; raises Invalid for a call that cannot have been."""
    if call.direction not in Direction.values:
        raise Invalid(fields={"direction": "unknown"})
    if call.outcome not in CallOutcome.values:
        raise Invalid(fields={"outcome": "unknown"})
    if call.outcome == CallOutcome.WALK_IN and call.direction != Direction.IN:
        raise Invalid(fields={"direction": "a_walk_in_comes_in"})
    if not 0 <= call.seconds <= LONGEST:
        raise Invalid(fields={"seconds": "out_of_range"})
    if len(text) > MAX_TEXT:
        raise Invalid(fields={"text": "too_long"})
    at = at or now()
    if at > now():
        raise Invalid(_("This moment lies ahead."), fields={"occurred_at": "in_the_future"})
    if at < now() - OLDEST:
        raise Invalid(_("This was too long ago."), fields={"occurred_at": "too_long_ago"})
    return at


def _caller(customer_id: int | str | None, phone: str, name: str, actor: Actor) -> Customer:
    """Who called, locked."""
    if not (actor.is_user or actor.is_machine):
        raise NotAllowed
    if customer_id is not None:
        return customer_for(actor, survivor(customer_for(actor, customer_id)).pk, lock=True)
    name = storable(name).strip()[:200]
    if normal("phone", phone):
        return customers.resolve(address=Address(kind="phone", value=phone.strip(), name=name))
    if phone.strip() or not name:
        raise Invalid(_("Who was it? A telephone number or a name is needed."), fields={"phone": "required"})
    return customers.make(name=name, actor=actor)


def _open_ticket(customer: Customer, actor: Actor) -> Ticket | None:
    """The customer's open ticket that the actor may see, locked; the latest active of several."""
    mine = inbox(actor).filter(customer__in=family(customer.pk), status__in=ACTIVE)
    found = mine.order_by("-last_message_at", "-pk").first()
    return locked_survivor(actor, found.pk) if found else None


def _put(ticket: Ticket, call: Call, text: str, at: datetime, actor: Actor, opened: list[Event]) -> Message:
    """The call on a locked ticket, with all that follows from it."""
    message = Message.objects.create(
        ticket=ticket,
        channel_kind=KIND,
        direction=call.direction,
        kind=Kind.CALL,
        visibility=Visibility.INTERNAL,
        customer_id=ticket.customer_id if call.direction == Direction.IN else None,
        author_id=actor.id if actor.is_user else None,
        sender_name=actor.name,
        sender_verified=True,
        text=storable(text).strip(),
        details={"call": asdict(call)},
        occurred_at=at,
    )
    events: list[Event] = [*opened, answering.added(ticket, message)]
    if call.outcome in SPOKEN:
        events += answering.answered(ticket, message)
        if ticket.assignee_id is None and actor.is_user:
            told = lifecycle.set_fields(ticket, {"assignee_id": actor.id})
            events += [told] if told else []
    if opened:
        ticket.unread = False
    standing.refresh(ticket)  # what was said after the call still waits
    lifecycle.save(ticket, *standing.FIELDS, "unread", "controller", "assignee", talked=True)
    record(*events, actor=actor, pokes=[poke(ticket)])
    return message
