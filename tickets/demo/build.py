"""Bringing the demo shop to life through the same doors and actions as real customers."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any

from django.db.models import F, Model
from django.utils.timezone import now

from channels_app import inbound
from channels_app.models import Channel, InboundEvent, Thread
from helpdesk.accounts.models import Membership, Team, User
from helpdesk.accounts.queries import actor_for
from helpdesk.core.actor import Actor
from helpdesk.core.models import EventLog
from tickets.customers import actions as customers
from tickets.demo import doors, pictures, talks
from tickets.demo.content import CONVERSATIONS, Conversation, Line
from tickets.demo.social import SOCIAL
from tickets.enums import CallOutcome, DeliveryState, Direction
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import joining
from tickets.lifecycle.people import join
from tickets.messages import actions as messages
from tickets.messages import calls
from tickets.messages.history import record_answer
from tickets.models import Identity, Message, SlaClock, Ticket

MAILBOX = "support@demo.test"
AUTHSERV = "mx.demo.test"
TEAMS = {"care": "Chăm sóc khách hàng", "billing": "Thanh toán", "tech": "Kỹ thuật"}
IDENTITY: Any = {"identity_secret": "demo-identity-secret"}
NAMES = {"admin": "Thảo Vy", "supervisor": "Ngọc Mai", "agent": "Hoàng Minh"}


@dataclass(frozen=True, slots=True)
class Shop:
    """The doors and those behind them, by the names that the stories use."""

    mailbox: Channel
    providers: dict[str, Any]  # simulated, by kind
    teams: dict[str, Team]
    people: dict[str, User]
    actors: dict[str, Actor]


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
    providers = doors.open_all(team=teams["care"])
    shop = Shop(mailbox, providers, teams, people, {role: actor_for(user) for role, user in people.items()})
    stories = [*CONVERSATIONS, *(SOCIAL if providers else ())]
    with talks.listening(providers):
        for story in sorted(stories, key=lambda story: -story.lines[0].minutes):
            _tell(story, shop)


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


def _tell(story: Conversation, shop: Shop) -> None:
    """One conversation, step by step, each event at its own time."""
    ticket: Ticket | None = None
    for line in story.lines:
        at = now() - timedelta(minutes=line.minutes)
        mark = _last(EventLog)
        if line.who == "customer":
            ticket = _hear(story, line, shop, at, ticket)
            if line is story.lines[0]:
                _arrange(story, ticket, shop, at)
        elif ticket is not None:
            _act(ticket, line, shop, at)
        EventLog.objects.filter(pk__gt=mark).update(created_at=at)
    assert ticket is not None
    mark = _last(EventLog)
    _end(story, ticket, shop.actors["admin"])
    last = now() - timedelta(minutes=story.lines[-1].minutes)
    EventLog.objects.filter(pk__gt=mark).update(created_at=last)
    # A story that was answered late is history, not an alarm that goes off when the demo starts.
    SlaClock.objects.filter(ticket=ticket, met_at__isnull=False).update(look_at=None)
    Ticket.objects.filter(pk=ticket.pk).update(updated_at=last)


def _hear(story: Conversation, line: Line, shop: Shop, at: datetime, ticket: Ticket | None) -> Ticket:
    """What the customer does comes in; from a second channel, somebody says at once who it is."""
    mark = _last(Message)
    if line.channel == "email":
        _mail(story, line, shop.mailbox, at)
    else:
        answered = ticket.messages.filter(direction=Direction.OUT).order_by("-pk").first() if ticket else None
        talks.say(shop.providers[line.channel], story.people[line.channel], line, at, answered)
    failed = InboundEvent.objects.exclude(state="done").first()
    if failed is not None:
        raise RuntimeError(f"what the demo's customers say could not be taken in: {failed.last_error}")
    message = Message.objects.filter(pk__gt=mark).select_related("ticket").first()
    if message is None:  # a reaction
        assert ticket is not None
        return ticket
    Message.objects.filter(pk=message.pk).update(created_at=at)
    heard = message.ticket
    if ticket is None or heard.pk == ticket.pk:
        return heard
    agent = shop.actors["agent"]
    join(survivor_id=ticket.customer_id, loser_id=heard.customer_id, actor=agent)
    Ticket.objects.filter(pk=heard.pk).update(created_at=at)
    SlaClock.objects.filter(ticket=heard).update(look_at=None)
    return joining.merge(survivor_id=ticket.pk, loser_id=heard.pk, actor=agent)


def _mail(story: Conversation, line: Line, mailbox: Channel, at: datetime) -> None:
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
        mail.add_attachment(pictures.plate(), maintype="image", subtype="png", filename=line.file)
    inbound.accept(mailbox.pk, f"demo:{story.email}:{line.minutes}", mail.as_bytes(), {"internaldate": at.isoformat()})
    inbound.drain()


def _arrange(story: Conversation, ticket: Ticket, shop: Shop, at: datetime) -> None:
    """What a rule or a colleague would have set when it came in."""
    admin = shop.actors["admin"]
    lifecycle.set_team(ticket_id=ticket.pk, team_id=shop.teams[story.team].pk, actor=admin)
    lifecycle.set_priority(ticket_id=ticket.pk, priority=story.priority, actor=admin)
    lifecycle.tag(ticket_id=ticket.pk, add=story.tags, actor=admin)
    if story.assignee:
        lifecycle.assign(ticket_id=ticket.pk, assignee_id=shop.people[story.assignee].pk, actor=admin)
    known = {"form_of_address": story.form_of_address, "tier": story.tier, "notes": story.notes}
    customers.change(customer_id=ticket.customer_id, actor=admin, **known)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=at)
    Identity.objects.filter(customer_id=ticket.customer_id).update(created_at=at)


def _act(ticket: Ticket, line: Line, shop: Shop, at: datetime) -> None:
    """What somebody at the desk does: a note, a call, or an answer on the line the customer wrote on last."""
    if line.who == "note":
        note = messages.note(ticket_id=ticket.pk, text=line.text, actor=shop.actors["supervisor"])
        Message.objects.filter(pk=note.pk).update(occurred_at=at, created_at=at)
        return
    if line.who == "call":
        call = calls.Call(direction=Direction.OUT, outcome=CallOutcome.REACHED, seconds=260)
        calls.log(ticket_id=ticket.pk, call=call, text=line.text, at=at, actor=shop.actors["supervisor"])
        return
    heard = Message.objects.filter(ticket__in=ticket.family(), direction=Direction.IN).order_by("-occurred_at").first()
    thread = heard.thread if heard else None
    told = record_answer(ticket_id=ticket.pk, text=line.text, at=at, actor=shop.actors[line.who], thread=thread)
    if line.channel != "email" and thread is not None:
        Message.objects.filter(pk=told.pk).update(external_id=f"demo-{told.pk}", delivery_state=DeliveryState.READ)
        Thread.objects.filter(pk=thread.pk).update(sent_since=F("sent_since") + 1)


def _last(table: type[Model]) -> int:
    return table._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0


def _end(story: Conversation, ticket: Ticket, admin: Actor) -> None:
    if story.end:
        lifecycle.set_status(ticket_id=ticket.pk, status=story.end, actor=admin)
    if story.snooze_hours:
        until = now() + timedelta(hours=story.snooze_hours)
        lifecycle.snooze(ticket_id=ticket.pk, until=until, actor=admin)
