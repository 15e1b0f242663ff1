"""Bringing the demo shop to life through the same doors and actions as real customers."""

import struct
import zlib
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any

from django.utils.timezone import now

from channels_app import inbound
from channels_app.models import Channel, InboundEvent, Thread
from helpdesk.accounts.models import Membership, Team, User
from helpdesk.accounts.queries import actor_for
from helpdesk.core.actor import Actor
from helpdesk.core.models import EventLog
from tickets.customers import actions as customers
from tickets.demo import doors
from tickets.demo.content import CONVERSATIONS, Conversation, Line
from tickets.lifecycle import actions as lifecycle
from tickets.messages import actions as messages
from tickets.messages.history import record_answer
from tickets.models import Identity, Message, SlaClock, Ticket

MAILBOX = "support@demo.test"
AUTHSERV = "mx.demo.test"
TEAMS = {"care": "Chăm sóc khách hàng", "billing": "Thanh toán", "tech": "Kỹ thuật"}
IDENTITY: Any = {"identity_secret": "demo-identity-secret"}
NAMES = {"admin": "Thảo Vy", "supervisor": "Ngọc Mai", "agent": "Hoàng Minh"}


def build(*, password: str, site_url: str) -> None:
    """Teams, people, doors and conversations. For an empty desk only."""
    teams = {key: Team.objects.create(name=name) for key, name in TEAMS.items()}
    people = {role: _person(role, password, teams) for role in NAMES}
    mailbox = Channel.objects.create(
        kind="email", name="Hỗ trợ", address=MAILBOX, team=teams["care"], config={"authserv_id": AUTHSERV}
    )
    Channel.objects.create(
        kind="webchat",
        name="Chat trên website",
        team=teams["care"],
        config={
            "origins": [site_url],
            "greeting": {"vi": "Xin chào! Shop giúp gì được cho anh/chị?", "en": "Hello! How can we help you?"},
        },
        secrets=IDENTITY,
    )
    doors.open_all(team=teams["care"])
    actors = {role: actor_for(user) for role, user in people.items()}
    for conversation in sorted(CONVERSATIONS, key=lambda story: -story.lines[0].minutes):
        _tell(conversation, mailbox, teams, people, actors)


def _person(role: str, password: str, teams: dict[str, Team]) -> User:
    user = User.objects.create_user(
        email=f"{role}@demo.test",
        password=password,
        name=NAMES[role],
        role=role,
        signature=f"{NAMES[role]}\nHoa Lư Store",
    )
    own = [teams["care"], teams["tech"]] if role == "agent" else list(teams.values())
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in own)
    return user


def _tell(
    story: Conversation, mailbox: Channel, teams: dict[str, Team], people: dict[str, User], actors: dict[str, Actor]
) -> None:
    """One conversation, step by step, each event at its own time."""
    ticket: Ticket | None = None
    for line in story.lines:
        at = now() - timedelta(minutes=line.minutes)
        mark = EventLog.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        if line.who == "customer":
            ticket = _write(story, line, mailbox, at)
            if line is story.lines[0]:
                _arrange(story, ticket, teams, people, actors["admin"], at)
        elif ticket is not None:
            _answer(ticket, line, at, actors)
        EventLog.objects.filter(pk__gt=mark).update(created_at=at)
    assert ticket is not None
    mark = EventLog.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    _end(story, ticket, actors)
    last = now() - timedelta(minutes=story.lines[-1].minutes)
    EventLog.objects.filter(pk__gt=mark).update(created_at=last)
    # A story that was answered late is history, not an alarm that goes off when the demo starts.
    SlaClock.objects.filter(ticket=ticket, met_at__isnull=False).update(look_at=None)
    Ticket.objects.filter(pk=ticket.pk).update(updated_at=last)


def _write(story: Conversation, line: Line, mailbox: Channel, at: datetime) -> Ticket:
    mail = EmailMessage()
    if story.verified:
        mail["Authentication-Results"] = f"{AUTHSERV}; dmarc=pass header.from={story.email.split('@')[1]}"
    mail["From"] = formataddr((story.name, story.email))
    mail["To"] = MAILBOX
    mail["Subject"] = story.subject if line is story.lines[0] else f"Re: {story.subject}"
    mail["Date"] = format_datetime(at)
    unique = zlib.crc32(f"{story.email}{line.minutes}".encode())
    mail["Message-ID"] = f"<{unique:x}@{story.email.split('@')[1]}>"
    mail.set_content(line.text)
    if line.file:
        mail.add_attachment(_picture(), maintype="image", subtype="png", filename=line.file)
    inbound.accept(mailbox.pk, f"demo:{story.email}:{line.minutes}", mail.as_bytes(), {"internaldate": at.isoformat()})
    inbound.drain()
    failed = InboundEvent.objects.exclude(state="done").first()
    if failed is not None:
        raise RuntimeError(f"the demo's mail could not be taken in: {failed.last_error}")
    message = Message.objects.filter(sender_address=story.email).order_by("-pk").first()
    assert message is not None
    Message.objects.filter(pk=message.pk).update(created_at=at)
    return Ticket.objects.get(pk=message.ticket_id)


def _arrange(
    story: Conversation,
    ticket: Ticket,
    teams: dict[str, Team],
    people: dict[str, User],
    admin: Actor,
    at: datetime,
) -> None:
    """What a rule or a colleague would have set when it came in."""
    lifecycle.set_team(ticket_id=ticket.pk, team_id=teams[story.team].pk, actor=admin)
    lifecycle.set_priority(ticket_id=ticket.pk, priority=story.priority, actor=admin)
    lifecycle.tag(ticket_id=ticket.pk, add=story.tags, actor=admin)
    if story.assignee:
        lifecycle.assign(ticket_id=ticket.pk, assignee_id=people[story.assignee].pk, actor=admin)
    known = {"form_of_address": story.form_of_address, "tier": story.tier, "notes": story.notes}
    customers.change(customer_id=ticket.customer_id, actor=admin, **known)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=at)
    Identity.objects.filter(customer_id=ticket.customer_id).update(created_at=at)


def _answer(ticket: Ticket, line: Line, at: datetime, actors: dict[str, Actor]) -> None:
    if line.who == "note":
        note = messages.note(ticket_id=ticket.pk, text=line.text, actor=actors["supervisor"])
        Message.objects.filter(pk=note.pk).update(occurred_at=at, created_at=at)
        return
    thread = Thread.objects.filter(pk__in=ticket.messages.values("thread_id")).first()
    record_answer(ticket_id=ticket.pk, text=line.text, at=at, actor=actors[line.who], thread=thread)


def _end(story: Conversation, ticket: Ticket, actors: dict[str, Actor]) -> None:
    admin = actors["admin"]
    if story.end:
        lifecycle.set_status(ticket_id=ticket.pk, status=story.end, actor=admin)
    if story.snooze_hours:
        until = now() + timedelta(hours=story.snooze_hours)
        lifecycle.snooze(ticket_id=ticket.pk, until=until, actor=admin)


def _picture() -> bytes:
    """A small picture of a type plate: grey with a lighter label, as PNG."""
    width, height = 320, 200
    rows = b"".join(
        b"\0" + bytes(230 if 40 < x < 280 and 60 < y < 140 else 120 for x in range(width)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
