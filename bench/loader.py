"""Many tickets at once by COPY, spread over states, teams, channels and half a year as a shop's are."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Max
from django.utils.timezone import now
from psycopg.types.json import Jsonb

from bench import words
from channels_app.models import Channel, Delivery, Thread
from helpdesk.accounts.models import Membership, Team, User
from helpdesk.core import relay
from helpdesk.core.models import Cursor, EventLog
from tickets.enums import Priority, Status
from tickets.models import Customer, Identity, Message, SlaClock, Ticket

TEAMS = ("Sales", "Orders", "Returns", "Technical", "VIP")
PASSWORD = "bench bench bench"
# Out of a hundred tickets: a quarter is open work, which is more than a well-run desk has.
STATES = ((Status.OPEN, 15), (Status.PENDING, 8), (Status.ON_HOLD, 2), (Status.SOLVED, 25), (Status.CLOSED, 48),
          (Status.SPAM, 2))  # fmt: skip
PRIORITIES = ((Priority.LOW, 10), (Priority.NORMAL, 70), (Priority.HIGH, 15), (Priority.URGENT, 5))
BATCH = 5_000
LONG_ONES, LONG = 20, 20  # tickets of each load that have this many messages: the ticket page is measured on them


@dataclass(slots=True)
class House:
    """Who works here and through which doors people come."""

    teams: list[Team]
    users: list[User]
    mailbox: Channel
    chat: Channel
    agent: User  # in two teams: the one who looks at the pages


def furnish() -> House:
    """Teams, twelve agents, a mailbox and a chat; what exists is kept."""
    teams = [Team.objects.get_or_create(name=name)[0] for name in TEAMS]
    users = []
    for number in range(12):
        email = f"agent{number}@desk.test"
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_user(email, PASSWORD, name=f"Agent {number}", language="vi")
            mine = {teams[number % 5], teams[(number + 1) % 5]}
            Membership.objects.bulk_create(Membership(user=user, team=team) for team in mine)
        users.append(user)
    mailbox, _ = Channel.objects.get_or_create(
        kind="email", address=words.SHOP, defaults={"name": "Support", "team": teams[0]}
    )
    chat, _ = Channel.objects.get_or_create(
        kind="webchat",
        defaults={
            "name": "Chat",
            "team": teams[1],
            "config": {"origins": [settings.SITE_URL], "greeting": "Xin chào!"},
        },
    )
    return House(teams, users, mailbox, chat, users[0])


def load(house: House, count: int, *, seed: int = 1) -> float:
    """Add `count` tickets of five messages each; the seconds it took, indexes and ANALYZE included."""
    begun = time.monotonic()
    _skip_for_subscribers()
    with _without_indexes(Message, Ticket, EventLog, Customer, Delivery):
        for start in range(0, count, BATCH):
            batch = _Batch(house, random.Random(f"{seed}.{start}"))
            for number in range(start, min(start + BATCH, count)):
                batch.add(LONG if number < LONG_ONES else 5)
            batch.write()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return time.monotonic() - begun


def _skip_for_subscribers() -> None:
    """What is loaded happened long ago: nobody reacts to it (its xid is 1)."""
    Cursor.objects.bulk_create([Cursor(subscriber=name) for name in relay.subscribers()], ignore_conflicts=True)
    Cursor.objects.filter(xid__lt=2).update(xid=2)


class _Table:
    """Rows of one model on their way into COPY: a template of the defaults and what differs."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.fields = list(model._meta.concrete_fields)
        self.names = {one.attname: place for place, one in enumerate(self.fields)}
        at = now()
        self.template = [at if isinstance(one, models.DateTimeField) and not one.null else one.get_default()
                         for one in self.fields]  # fmt: skip
        for place, one in enumerate(self.fields):
            if isinstance(one, models.JSONField):
                self.template[place] = Jsonb(self.template[place] or {})
        self.rows: list[list[Any]] = []
        self.next = (model._default_manager.aggregate(top=Max("pk"))["top"] or 0) + 1

    def add(self, **values: Any) -> int:
        row = list(self.template)
        key, self.next = self.next, self.next + 1
        row[0] = key
        for name, value in values.items():
            row[self.names[name]] = value
        self.rows.append(row)
        return key

    def write(self, cursor: Any) -> None:
        table = self.model._meta.db_table
        # The clock loop records events while this runs: nobody refers to an event, so the sequence numbers them.
        first = 1 if self.model is EventLog else 0
        columns = ", ".join(f'"{one.column}"' for one in self.fields[first:])
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in self.rows:
                copy.write_row(row[first:])
        if first:
            return
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), %s)", [self.next])


@dataclass(slots=True)
class _Batch:
    """Some thousand tickets with all that belongs to them."""

    house: House
    chance: random.Random
    tables: dict[type[models.Model], _Table] = field(default_factory=dict)
    people: list[tuple[int, str, str, dict[str, int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for model in (Customer, Identity, Thread, Ticket, Message, Delivery, SlaClock, EventLog):
            self.tables[model] = _Table(model)

    def write(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
            raw = cursor.cursor
            for table in self.tables.values():
                table.write(raw)
            cursor.execute("SET synchronous_commit = on")

    def add(self, length: int) -> None:
        """One ticket of a customer who may have written before."""
        chance, house = self.chance, self.house
        person, who, address, threads = self._person()
        channel = house.mailbox if chance.random() < 0.6 else house.chat
        status = Status.OPEN if length > 5 else _pick(chance, STATES)
        active = status in (Status.OPEN, Status.PENDING, Status.ON_HOLD)
        waits = status == Status.OPEN and (length > 5 or chance.random() < 0.6)
        age = timedelta(minutes=chance.uniform(10, 60 * 24 * (6 if active else 180)))
        opened = now() - age
        length += (length % 2 == 0) if waits else (length % 2)  # it ends with whose turn it is not
        moments = sorted(opened + age * 0.95 * chance.random() for _ in range(length - 1))
        moments = [opened, *moments]
        team = chance.choice([*house.teams, None]) if chance.random() < 0.2 else chance.choice(house.teams)
        assignee = None if status == Status.SPAM or (active and chance.random() < 0.4) else chance.choice(house.users)
        said = [words.question(chance) if turn % 2 == 0 else words.answer(chance) for turn in range(length)]
        replied = moments[1] if length > 1 else None
        number = self.tables[Ticket].add(
            customer_id=person, customer_name=who, subject=words.subject(chance), status=str(status),
            priority=int(_pick(chance, PRIORITIES)), team_id=team and team.pk, assignee_id=assignee and assignee.pk,
            channel_id=channel.pk, channel_kind=channel.kind, language="vi", controller="agent", tags=[],
            participants=[address], snippet=said[-1][:160], last_direction="in" if length % 2 else "out",
            last_message_at=moments[-1], message_count=length, unread=waits,
            waiting_since=moments[-1] if waits else None,
            next_due_at=moments[-1] + timedelta(minutes=5) if waits else None, sla_state="breached" if waits else "",
            first_replied_at=replied, solved_at=None if active or status == Status.SPAM else moments[-1],
            version=length, created_at=opened, updated_at=moments[-1],
        )  # fmt: skip
        self._clock(number, opened, replied)
        self._talk(number, person, who, address, threads[channel.kind], channel, moments, said, assignee)

    def _person(self) -> tuple[int, str, str, dict[str, int]]:
        chance = self.chance
        if self.people and chance.random() < 0.5:
            return chance.choice(self.people)
        who = words.name(chance)
        person = self.tables[Customer].add(name=who, language="vi", tags=[])
        address, visitor = f"k{person}@khach.test", f"v-{person}"
        self.tables[Identity].add(customer_id=person, kind="email", value=address, name=who)
        threads = {}
        for channel, key in ((self.house.mailbox, address), (self.house.chat, visitor)):
            threads[channel.kind] = self.tables[Thread].add(channel_id=channel.pk, key=key, address=key, name=who)
        self.people.append((person, who, address, threads))
        return self.people[-1]

    def _clock(self, ticket: int, opened: datetime, replied: datetime | None) -> None:
        due = opened + timedelta(seconds=settings.FIRST_REPLY_SECONDS)
        late = replied is None or replied > due
        self.tables[SlaClock].add(
            ticket_id=ticket, metric="first_reply", state="breached" if late else "met", started_at=opened, due_at=due,
            target_seconds=settings.FIRST_REPLY_SECONDS, warn_at=due - timedelta(seconds=120), met_at=replied,
            breached_at=due if late else None,
        )  # fmt: skip

    def _talk(
        self, ticket: int, person: int, who: str, address: str, thread: int, channel: Channel,
        moments: Sequence[datetime], said: Sequence[str], agent: User | None,
    ) -> None:  # fmt: skip
        log = self.tables[EventLog]
        about = {"xid": 1, "subject": f"ticket:{ticket}"}
        log.add(topic="ticket.opened", payload=Jsonb({"ticket_id": ticket}), created_at=moments[0], **about)
        for turn, (at, text) in enumerate(zip(moments, said, strict=True)):
            by = agent or self.house.users[0]
            inward = turn % 2 == 0
            message = self.tables[Message].add(
                ticket_id=ticket, thread_id=thread, channel_id=channel.pk, channel_kind=channel.kind,
                external_id=f"t{ticket}.{turn}.{self.chance.getrandbits(64):x}@khach.test",
                direction="in" if inward else "out", customer_id=person if inward else None,
                author_id=None if inward else by.pk, sender_name=who if inward else by.name,
                sender_address=address if inward else "", recipients=[], subject="", text=text,
                delivery_state="" if inward else "sent", occurred_at=at, created_at=at,
            )  # fmt: skip
            payload = {"ticket_id": ticket, "message_id": message, "direction": "in" if inward else "out"}
            log.add(topic="message.added", payload=Jsonb(payload), created_at=at, **about)
            if not inward:
                self.tables[Delivery].add(
                    channel_id=channel.pk, message_id=message, payload=Jsonb({"to": address, "text": text}),
                    lane=f"thread:{thread}", state="done", attempts=1, outcome="sent", due_at=at, created_at=at,
                )  # fmt: skip


def _pick(chance: random.Random, weighted: Sequence[tuple[Any, int]]) -> Any:
    return chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


@contextmanager
def _without_indexes(*tables: type[models.Model]) -> Iterator[None]:
    """Indexes that guard nothing are made anew afterwards: many times quicker than feeding them row by row."""
    names = [model._meta.db_table for model in tables]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
            "WHERE i.indrelid::regclass::text = ANY(%s) AND NOT i.indisunique AND NOT i.indisprimary",
            [names],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f"DROP INDEX {name}")
        try:
            yield
        finally:
            cursor.execute("SET maintenance_work_mem = '256MB'")
            for _, definition in found:
                cursor.execute(definition)
            cursor.execute("RESET maintenance_work_mem")
