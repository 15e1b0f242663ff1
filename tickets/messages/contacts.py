"""Whether a customer can be reached on a line, and who they are by the provider's word."""

from dataclasses import replace

from django.db.models import Q
from django.utils.timezone import now

from channels_app.contracts import ContactChange, Origin, ProfileLearned
from channels_app.models import Thread
from helpdesk.core.actor import Actor
from helpdesk.core.recorder import record
from helpdesk.core.text import short_id
from tickets.customers import actions as customers
from tickets.customers.queries import survivor
from tickets.enums import Direction
from tickets.events import ContactChanged, CustomerChanged
from tickets.lifecycle.actions import save
from tickets.lifecycle.queries import locked_survivor
from tickets.messages.chat_by_mail import ticket_of_thread
from tickets.models import Customer, Message, Ticket
from tickets.pokes import poke

CLOSED = {"blocked": "blocked", "opted_out": "opted_out", "unfollowed": "unfollowed"}
OPENED = ("unblocked", "opted_in", "followed")
LANGUAGES = ("vi", "en")
_SYSTEM = Actor.system()


def change(item: ContactChange, *, origin: Origin) -> None:
    """The line can be used no more, can be used again, or goes on at another address; in the caller's transaction.

    Told on the ticket that was last spoken of there; somebody who never wrote changes nothing. Old news, from before
    the customer's latest words, close nothing.
    """
    lines = Thread.objects.select_for_update(no_key=True)
    thread = lines.filter(channel=origin.channel.id, key=short_id(item.thread_key)).first()
    if thread is None:
        return
    changed = _move(thread, item, origin) if item.what == "moved" else _open_or_close(thread, item)
    ticket = ticket_of_thread(thread.pk) if changed else None
    if ticket is None:
        return
    ticket = locked_survivor(_SYSTEM, ticket.pk)
    save(ticket)
    event = ContactChanged(ticket_id=ticket.pk, what=item.what, channel_kind=origin.channel.kind)
    record(event, actor=Actor.customer(ticket.customer_id), pokes=[poke(ticket)])


def learn(item: ProfileLearned) -> None:
    """What is missing of a customer's name, picture and language, in the caller's transaction; nothing is overwritten.

    A name that is only their address counts as missing. Their tickets are called by the new name.
    """
    spoken = Message.objects.filter(thread=item.thread_id).exclude(external_id="")
    message = spoken.select_related("customer", "thread", "ticket__customer").order_by("direction", "-pk").first()
    if message is None or message.thread is None:
        return
    writer = message.customer or message.ticket.customer
    if item.name:
        address = {"kind": message.channel_kind, "value": message.thread.address}
        customers.learn_name(customer_id=writer.pk, name=item.name, **address)
    found = survivor(writer)
    customer = Customer.objects.select_for_update(no_key=True).get(pk=found.pk)
    learned: dict[str, object] = {}
    if item.name and customer.name in ("", message.thread.address):
        learned["name"] = item.name[:200]
    if item.picture_id and customer.picture_id is None:
        learned["picture_id"] = item.picture_id
    if item.language[:2].lower() in LANGUAGES and not customer.language:
        learned["language"] = item.language[:2].lower()
    if not learned:
        return
    for name, value in learned.items():
        setattr(customer, name, value)
    customer.version, customer.updated_at = customer.version + 1, now()
    customer.save(update_fields=[*learned, "version", "updated_at"])
    if "name" in learned:
        unnamed = Message.objects.filter(thread=item.thread_id, direction=Direction.IN)
        unnamed.filter(sender_name__in=("", message.thread.address)).update(sender_name=customer.name)
    fields = [name.removesuffix("_id") for name in learned]
    record(CustomerChanged(customer_id=customer.pk, fields=fields), actor=_SYSTEM)
    _tell_tickets(customer, item)


def _open_or_close(thread: Thread, item: ContactChange) -> bool:
    state = CLOSED.get(item.what, "")
    if not state and item.what not in OPENED:
        return False
    if state and thread.last_inbound_at and item.occurred_at < thread.last_inbound_at:
        return False
    if thread.unreachable == state:
        return False
    thread.unreachable = state
    thread.save(update_fields=["unreachable"])
    return True


def _move(thread: Thread, item: ContactChange, origin: Origin) -> bool:
    """The provider vouches that this person is at another address now: it becomes theirs, and the line goes on there.

    Where a line at the new address exists already, that one goes on and this one ends.
    """
    if item.now is None or item.now.value == thread.address:
        return False
    vouched = replace(item.now, verified=True, evidence=item.now.evidence or origin.channel.kind)
    customers.prove(customer=customers.resolve(address=item.sender), address=vouched)
    key, address = short_id(item.now.value), item.now.value[:255]
    if Thread.objects.filter(channel=thread.channel_id, key=key).exists():
        thread.unreachable = "moved"
    else:
        thread.key = key if thread.key == short_id(item.sender.value) else thread.key
        thread.address, thread.unreachable = address, ""
    thread.save(update_fields=["key", "address", "unreachable"])
    return True


def _tell_tickets(customer: Customer, item: ProfileLearned) -> None:
    """Tickets that show the customer's name show the new one; their screens hear of it."""
    theirs = Ticket.objects.filter(Q(customer=customer) | Q(pk__in=_spoken_on(item)), merged_into__isnull=True)
    for ticket in theirs.select_for_update(no_key=True).order_by("pk"):
        if ticket.customer_id == customer.pk or not ticket.customer_name:
            ticket.customer_name = customer.name
        save(ticket, "customer_name")
        record(pokes=[poke(ticket)], actor=_SYSTEM)


def _spoken_on(item: ProfileLearned) -> list[int]:
    return list(Message.objects.filter(thread=item.thread_id).values_list("ticket_id", flat=True).distinct())
