"""One customer message becomes one ticket message: read it from top to bottom."""

from django.utils.timezone import now
from django.utils.translation import gettext as _

from channels_app import outbound, ports, threads
from channels_app.contracts import NewMessage, Origin, Receipt, Unknown
from channels_app.models import Thread
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Retry
from helpdesk.core.events import Event
from helpdesk.core.text import short_id
from tickets.customers import actions as customers
from tickets.customers.queries import is_blocked
from tickets.enums import Status
from tickets.intake import guards
from tickets.lifecycle import actions as lifecycle
from tickets.messages import receiving, threading
from tickets.models import Customer, Ticket
from tickets.understanding import language

MAX_TRIES = 5


def plug_in() -> None:
    """Called at start-up: the doors hand their items to these."""
    ports.plug(NewMessage, new_message)
    ports.plug(Receipt, receipt)
    ports.plug(Unknown, unknown)


def new_message(item: NewMessage, origin: Origin) -> None:
    """One customer message becomes one ticket message. The caller holds the transaction."""
    verdict = guards.judge(
        is_ours=item.loop,
        is_auto=item.auto,
        is_blocked=is_blocked(item.sender.kind, item.sender.value),
    )
    if verdict.drop:
        return
    spoken = language.guess(f"{item.subject} {item.text}")
    customer = customers.resolve(address=item.sender, also_known=item.also_known, language=spoken)
    thread = threads.line(
        channel_id=origin.channel.id,
        key=short_id(item.thread_key),
        address=item.sender.value[:255],
        name=item.sender.name[:200],
        at=item.occurred_at,
    )
    is_first = customer.is_fresh and thread.is_fresh
    external_id = short_id(item.external_id) if is_first else receiving.own_id(item, thread)
    if external_id is None:
        return
    match, ticket = _match(item, customer, thread)
    opened: list[Event] = []
    if ticket is None:
        ticket, opened = _open(match, item, customer, origin, verdict=verdict, spoken=spoken)
    elif match.reopen and not verdict.quietly:
        lifecycle.reopen(ticket=ticket, actor=Actor.customer(customer.pk))
    evidence = match.evidence | ({"quietly": verdict.reason} if verdict.quietly else {})
    receiving.receive(
        ticket=ticket,
        customer=customer,
        thread=thread,
        item=item,
        origin=origin,
        evidence=evidence,
        external_id=external_id,
        opened=opened,
        quietly=verdict.quietly,
    )


def receipt(item: Receipt, origin: Origin) -> None:
    """What the other side says became of something we sent."""
    outbound.report(item)


def unknown(item: Unknown, origin: Origin) -> None:
    """Something the adapter does not know: a placeholder on the timeline, quietly."""
    placeholder = NewMessage(
        external_id=item.external_id,
        thread_key=item.thread_key,
        sender=item.sender,
        occurred_at=item.occurred_at,
        text=_("A message of a kind the desk does not know yet: %(what)s") % {"what": item.what},
        auto=True,
    )
    new_message(placeholder, origin)


def _match(item: NewMessage, customer: Customer, thread: Thread) -> tuple[threading.Match, Ticket | None]:
    """The ticket it belongs to, locked, or None for a new one.

    The match is made without a lock: a ticket that was merged or closed meanwhile is looked up once more.
    """
    for _try in range(MAX_TRIES):
        match = threading.match(item, customer, thread)
        if match.ticket is None:
            return match, None
        ticket = Ticket.objects.select_for_update(no_key=True).get(pk=match.ticket.pk)
        if threading.still(match, ticket):
            return match, ticket
    raise Retry("the ticket changes again and again", after=1)


def _open(
    match: threading.Match,
    item: NewMessage,
    customer: Customer,
    origin: Origin,
    *,
    verdict: guards.Verdict,
    spoken: str,
) -> tuple[Ticket, list[Event]]:
    """A new ticket for what belongs to none, and what is to be recorded of it."""
    return lifecycle.open(
        customer=customer,
        subject=item.subject or item.text.strip().split("\n")[0][:80],
        team_id=origin.channel.team_id,
        channel_id=origin.channel.id,
        channel_kind=origin.channel.kind,
        at=min(item.occurred_at, now()),
        status=Status.SPAM if verdict.spam else Status.OPEN,
        language=spoken,
        linked_to=match.linked_to,
        link_reason=match.reason,
        arriving=lambda ticket: receiving.show_first(ticket, item, origin, quietly=verdict.quietly),
    )
