"""Words of customers as the doors hand them over, for tests of what the work makes of them."""

import itertools
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now

from channels_app import ports, registry
from channels_app.contracts import Address, NewMessage, Origin
from channels_app.models import Channel
from tickets.models import Message

_numbers = itertools.count(1)


def mail_from(value: str, *, verified: bool = False, name: str = "") -> Address:
    return Address(kind="email", value=value, name=name, verified=verified, evidence="dmarc" if verified else "")


def visitor(key: str, channel: Channel, name: str = "") -> Address:
    return Address(kind="webchat", value=key, name=name, scope=str(channel.pk))


def signed(value: str, kind: str = "email") -> Address:
    """An address that the host site vouches for."""
    return Address(kind=kind, value=value, verified=True, evidence="host-signature")


def item(sender: Address, **fields: Any) -> NewMessage:
    number = next(_numbers)
    given: dict[str, Any] = {
        "external_id": f"x{number}@customer.test",
        "thread_key": sender.value,
        "sender": sender,
        "occurred_at": now(),
        "subject": "Đơn hàng" if sender.kind == "email" else "",
        "text": f"Lời nhắn {number}",
        "content_hash": f"{number:064d}" if sender.kind == "email" else "",
    }
    return NewMessage(**given | fields)


def hear(channel: Channel, sender: Address, **fields: Any) -> Message | None:
    """Hand it over as a worker would, in one transaction; the message it became, or None."""
    registry.forget()
    origin = Origin(
        channel=registry.channel(UUID(str(channel.pk))),
        event_id=next(_numbers),
        received_at=now(),
        own_addresses=registry.own_addresses(),
    )
    with transaction.atomic():
        ports.hand_over(item(sender, **fields), origin)
    return Message.objects.filter(event_id=origin.event_id, direction="in").order_by("-pk").first()


def heard(channel: Channel, sender: Address, **fields: Any) -> Message:
    """As hear, where a message must come of it."""
    message = hear(channel, sender, **fields)
    assert message is not None
    return message


def moments_ago(seconds: float) -> datetime:
    from datetime import timedelta

    return now() - timedelta(seconds=seconds)
