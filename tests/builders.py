"""What tests need in the database, made by the actions the desk itself uses."""

import itertools
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from django.utils.timezone import now

from channels_app import errands, inbound, outbound, registry
from channels_app.models import Channel, Delivery, Errand, InboundEvent
from helpdesk.accounts.models import Membership, Team, User
from helpdesk.accounts.queries import actor_for
from helpdesk.core import relay
from helpdesk.core.actor import Actor
from helpdesk.core.models import Leftover
from tickets.models import Message, Ticket

_numbers = itertools.count(1)


def a_team(name: str = "") -> Team:
    return Team.objects.create(name=name or f"Team {next(_numbers)}")


def a_user(role: str = "agent", *, teams: tuple[Team, ...] = (), **fields: Any) -> User:
    number = next(_numbers)
    fields = {"email": f"{role}{number}@desk.test", "name": f"{role.title()} {number}"} | fields
    user = User.objects.create_user(password="correct horse", role=role, **fields)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    return user


def an_actor(role: str = "agent", *, teams: tuple[Team, ...] = (), **fields: Any) -> Actor:
    return actor_for(a_user(role, teams=teams, **fields))


def a_mailbox(address: str = "support@shop.test", *, team: Team | None = None, **fields: Any) -> Channel:
    registry.forget()
    return Channel.objects.create(kind="email", name="Support", address=address, team=team, **fields)


def a_chat(*, team: Team | None = None, **fields: Any) -> Channel:
    registry.forget()
    config = {"origins": ["http://shop.test"], "greeting": "Xin chào!"} | fields.pop("config", {})
    secrets = {"identity_secret": "host-secret"}
    return Channel.objects.create(kind="webchat", name="Chat", team=team, config=config, secrets=secrets, **fields)


def a_mail(
    *,
    sender: str = "Lan Nguyễn <lan@customer.test>",
    to: str = "support@shop.test",
    subject: str = "Đơn hàng 1024",
    text: str = "Shop ơi, đơn của mình đâu rồi?",
    message_id: str = "",
    dmarc: bool = False,
    at: datetime | None = None,
    **headers: str,
) -> bytes:
    """A mail's bytes. dmarc=True stamps it as our own receiver would when DMARC passes."""
    mail = EmailMessage()
    if dmarc:
        mail["Authentication-Results"] = "mx.shop.test; dmarc=pass header.from=customer.test"
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(at or now())
    mail["Message-ID"] = message_id or f"<m{next(_numbers)}.{now().timestamp()}@customer.test>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def receive(channel: Channel, raw: bytes, *, meta: dict[str, Any] | None = None) -> Message | None:
    """The mail by its whole way: accepted, drained. The message it became, or None."""
    known = set(Message.objects.values_list("pk", flat=True))
    external_id = registry.adapter(channel.kind).identify(raw, meta or {})
    inbound.accept(channel.pk, external_id, raw, meta or {})
    inbound.drain()
    assert not InboundEvent.objects.filter(state="pending").exists(), InboundEvent.objects.values("last_error")
    return Message.objects.exclude(pk__in=known).order_by("-pk").first()


def a_ticket(*, channel: Channel | None = None, **mail: Any) -> Ticket:
    """A ticket as a mail makes it."""
    channel = channel or Channel.objects.filter(kind="email").first() or a_mailbox()
    number = next(_numbers)
    mail = {"sender": f"Khách {number} <c{number}@customer.test>", "to": channel.address} | mail
    message = receive(channel, a_mail(**mail))
    assert message is not None
    return message.ticket


def run_jobs() -> None:
    """Drain every queue in this process until nothing is due: the real path without a worker."""
    for _ in range(20):
        inbound.drain()
        outbound.drain()
        errands.drain()
        relay.drain()
        relay.drain_leftovers()
        due = [m.objects.filter(state="pending", due_at__lte=now()) for m in (InboundEvent, Delivery, Errand, Leftover)]
        if not relay.behind() and not any(rows.exists() for rows in due):
            return
    raise AssertionError("the queues do not come to rest")
