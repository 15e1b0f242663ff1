"""One customer message becomes one ticket message: read it from top to bottom."""

from collections.abc import Callable
from functools import partial

from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels_app import errands, outbound, ports, threads
from channels_app.contracts import (
    ContactChange,
    Echo,
    Edit,
    NewMessage,
    Origin,
    ProfileLearned,
    Reaction,
    Receipt,
    Unknown,
    Unsend,
)
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
from tickets.messages import contacts, echoes, receiving, revising, threading
from tickets.models import Customer, Ticket
from tickets.understanding import language

MAX_TRIES = 5


def plug_in() -> None:
    """Called at start-up: the doors hand their items to these."""
    ports.plug(NewMessage, new_message)
    ports.plug(Echo, echo)
    ports.plug(Edit, lambda item, origin: revising.edit(item, origin=origin))
    ports.plug(Unsend, lambda item, origin: revising.unsend(item, origin=origin))
    ports.plug(Reaction, lambda item, origin: revising.react(item, origin=origin))
    ports.plug(ContactChange, contact_change)
    ports.plug(ProfileLearned, profile_learned)
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
        if _is_social(origin):
            revising.told_again(thread=thread, external_id=item.external_id, origin=origin)
        return
    match, ticket = _locked(partial(threading.match, item, customer, thread))
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
    _ask_who(thread, origin)


def echo(item: Echo, origin: Origin) -> None:
    """What left our side of the line: ours come back tells that it arrived; else somebody typed it elsewhere."""
    if outbound.recognise(item, channel_id=origin.channel.id):
        return
    customer = customers.resolve(address=item.to)  # locked: two echoes of one message cannot pass each other
    channel_id, key = origin.channel.id, short_id(item.thread_key)
    if echoes.is_known(item, channel_id=channel_id, key=key):
        return
    thread = threads.spoken_to(channel_id=channel_id, key=key, address=item.to.value[:255], name=item.to.name[:200])
    match, ticket = _locked(partial(threading.of_customer, customer, thread))
    opened: list[Event] = []
    if ticket is None:
        ticket, opened = lifecycle.open(
            customer=customer,
            subject=lifecycle.subject_of(item.text),
            team_id=origin.channel.team_id,
            channel_id=origin.channel.id,
            channel_kind=origin.channel.kind,
            at=min(item.occurred_at, now()),
            status=Status.PENDING,
            arriving=lambda ticket: [],
        )
    echoes.place(ticket=ticket, thread=thread, item=item, origin=origin, evidence=match.evidence, opened=opened)
    _ask_who(thread, origin)


def contact_change(item: ContactChange, origin: Origin) -> None:
    """Whether a customer can be reached on a line, or at which address now."""
    contacts.change(item, origin=origin)


def profile_learned(item: ProfileLearned, origin: Origin) -> None:
    """Who is on a line, by the provider's word."""
    contacts.learn(item)


def receipt(item: Receipt, origin: Origin) -> None:
    """What the other side says became of something we sent."""
    if not _is_social(origin):
        outbound.report(item)  # a bounce may come to another mailbox than the one that sent
        return
    outbound.report(item, channel_id=origin.channel.id)
    echoes.mark(item, origin=origin)


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


def _ask_who(thread: Thread, origin: Origin) -> None:
    """Have the provider asked for a name where the line has none."""
    if not thread.name and thread.profile_asked_at is None and _is_social(origin):
        errands.ask_who(thread)


def _is_social(origin: Origin) -> bool:
    """Whether a provider stands behind this channel that can be asked who somebody is."""
    return origin.channel.kind not in ("email", "webchat")


def _locked(find: Callable[[], threading.Match]) -> tuple[threading.Match, Ticket | None]:
    """The ticket it belongs to, locked, or None for a new one.

    The match is made without a lock: a ticket that was merged or closed meanwhile is looked up once more.
    """
    for _try in range(MAX_TRIES):
        match = find()
        if match.ticket is None:
            return match, None
        ticket = Ticket.objects.select_for_update(no_key=True).get(pk=match.ticket.pk)
        if threading.still(match, ticket):
            return match, ticket
    raise Retry(gettext_noop("the ticket changes again and again"), after=1)


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
        subject=item.subject or lifecycle.subject_of(item.text),
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
