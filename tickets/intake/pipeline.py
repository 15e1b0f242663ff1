"""One customer message becomes one ticket message: read it from top to bottom."""

from django.utils.translation import gettext as _

from channels_app import outbound, ports, threads
from channels_app.contracts import NewMessage, Origin, Receipt, Unknown
from helpdesk.core.actor import Actor
from helpdesk.core.events import Event
from tickets.customers import actions as customers
from tickets.customers.queries import is_blocked
from tickets.enums import Status
from tickets.intake import guards
from tickets.lifecycle import actions as lifecycle
from tickets.messages import receiving, threading
from tickets.models import Customer, Ticket
from tickets.understanding import language


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
        key=item.thread_key,
        address=item.sender.value,
        name=item.sender.name,
        at=item.occurred_at,
    )
    is_first = customer.is_fresh and thread.is_fresh
    if not is_first and receiving.already_here(item, thread):
        return
    match = threading.match(item, customer, thread)
    ticket, opened = match.ticket, []
    if ticket is None:
        ticket, opened = _open(
            match, item, customer, origin, quietly=verdict.quietly, is_spam=verdict.spam, spoken=spoken
        )
    elif match.reopen and not item.auto:
        lifecycle.reopen(ticket=ticket, actor=Actor.customer(customer.pk))
    receiving.receive(
        ticket=ticket,
        customer=customer,
        thread=thread,
        item=item,
        origin=origin,
        evidence=match.evidence,
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


def _open(
    match: threading.Match,
    item: NewMessage,
    customer: Customer,
    origin: Origin,
    *,
    quietly: bool,
    is_spam: bool,
    spoken: str,
) -> tuple[Ticket, list[Event]]:
    """A new ticket that already shows its first message in the list, and the events to record with that message."""
    return lifecycle.open(
        customer=customer,
        subject=item.subject or item.text.strip().split("\n")[0][:80],
        team_id=origin.channel.team_id,
        channel_id=origin.channel.id,
        channel_kind=origin.channel.kind,
        at=item.occurred_at,
        status=Status.SPAM if is_spam else Status.OPEN,
        language=spoken,
        linked_to=match.linked_to,
        link_reason=match.reason,
        arriving=lambda ticket: receiving.list_first(ticket, item, origin, quietly=quietly),
    )
