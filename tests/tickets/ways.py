"""Social channels and customers who wrote on them, for tests of how they can be answered."""

from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from channels_app import registry
from channels_app.contracts import Address
from channels_app.models import Channel, Thread
from tests.tickets.saying import heard
from tickets.enums import Kind
from tickets.models import Customer, Identity, Message

TEMPLATES = {
    "at": "2026-11-22T09:00:00+00:00",
    "list": [
        {
            "name": "order_late",
            "language": "vi",
            "category": "utility",
            "body": "Chào {{1}}, đơn {{2}} sẽ tới muộn.",
            "parameters": 2,
            "names": [],
        },
        {
            "name": "hello",
            "language": "en",
            "category": "utility",
            "body": "Hello again, {{first_name}}.",
            "parameters": 1,
            "names": ["first_name"],
        },
    ],
}


def a_door(kind: str, *, address: str = "", **fields: Any) -> Channel:
    """A channel of a social kind, connected and well."""
    registry.forget()
    return Channel.objects.create(kind=kind, name=kind.title(), address=address or f"{kind}-1", **fields)


def wrote(channel: Channel, value: str = "u1", *, ago: timedelta = timedelta(0), **fields: Any) -> Message:
    """What a customer wrote there some time ago, with the ticket it made or joined."""
    sender = Address(kind=channel.kind, value=value, scope=channel.address, name="Lan")
    message = heard(channel, sender, occurred_at=now() - ago, **fields)
    # A line remembers its latest word only; tests say how long ago that was.
    Thread.objects.filter(pk=message.thread_id).update(last_inbound_at=now() - ago)
    return message


def commented(channel: Channel, value: str = "u1", *, ago: timedelta = timedelta(0), **fields: Any) -> Message:
    """A public comment: on a line of its own, under a post."""
    given = {"thread_key": f"comment:{value}", "details": {"post": {"id": "p1"}}, "is_comment": True} | fields
    message = wrote(channel, value, ago=ago, **given)
    Message.objects.filter(pk=message.pk).update(kind=Kind.COMMENT)
    message.refresh_from_db()
    return message


def known_as(customer: Customer, kind: str, value: str, *, scope: str = "", verified: bool = True) -> Identity:
    """A further address of the customer."""
    at = now() if verified else None
    return Identity.objects.create(customer=customer, kind=kind, value=value, scope=scope, verified_at=at)
