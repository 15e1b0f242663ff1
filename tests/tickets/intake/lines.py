"""Social lines for tests: a channel with its simple adapter, and what its provider tells of it."""

import itertools
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, transaction
from django.utils.timezone import now

from channels_app import ports, registry
from channels_app.contracts import (
    Address,
    Arrival,
    ChannelRef,
    Echo,
    Fetched,
    InboundItem,
    NewMessage,
    Origin,
    OutboundEnvelope,
    Profile,
    ProfileLearned,
    SendResult,
)
from channels_app.models import Channel, InboundEvent, InboundRaw
from helpdesk.core.errors import GiveUp
from tickets.models import Message

KIND = "zalo"
_numbers = itertools.count(1)


@dataclass
class Provider:
    """What a social adapter does, without a network: it keeps what was sent and gives out what it was given."""

    kind: ClassVar[str] = KIND
    idempotent: ClassVar[bool] = False
    files: dict[str, Fetched] = field(default_factory=dict)
    people: dict[str, Profile] = field(default_factory=dict)
    sent: list[OutboundEnvelope] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        return f"raw{next(_numbers)}"

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return ()

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        self.sent.append(envelope)
        return SendResult(provider_id=self.ids.pop(0) if self.ids else f"sent{next(_numbers)}")

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        if source["id"] not in self.files:
            raise GiveUp("the provider no longer has it")
        return self.files[source["id"]]

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        return self.people.get(address, Profile())


@dataclass
class Line:
    """One customer's line on one channel."""

    channel: Channel
    provider: Provider
    who: Address
    key: str

    def origin(self, raw: bytes = b"{}") -> Origin:
        """As of a receipt that was kept."""
        registry.forget()
        event = InboundEvent.objects.create(channel=self.channel, external_id=f"r{next(_numbers)}", state="done")
        InboundRaw.objects.create(event=event, body=raw)
        ref = registry.channel(UUID(str(self.channel.pk)))
        return Origin(channel=ref, event_id=event.pk, received_at=event.created_at)

    def tell(self, item: InboundItem | ProfileLearned, raw: bytes = b"{}", origin: Origin | None = None) -> None:
        """Hand it over as a worker would, in one transaction."""
        origin = origin or self.origin(raw)
        with transaction.atomic():
            ports.hand_over(item, origin)

    def says(self, text: str = "", *, raw: bytes = b"", **fields: Any) -> Message:
        """The customer writes; the message it became."""
        given: dict[str, Any] = {
            "external_id": f"in{next(_numbers)}",
            "thread_key": self.key,
            "sender": self.who,
            "occurred_at": now(),
            "text": text,
        } | fields
        self.tell(NewMessage(**given), raw or text.encode())
        return Message.objects.get(thread__key=self.key, external_id=given["external_id"])

    def typed(self, text: str = "", **fields: Any) -> Message | None:
        """Somebody answers in the provider's own app; the message it became, or None."""
        given: dict[str, Any] = {
            "external_id": f"out{next(_numbers)}",
            "thread_key": self.key,
            "to": self.who,
            "occurred_at": now(),
            "text": text,
        } | fields
        self.tell(Echo(**given), text.encode())
        return Message.objects.filter(thread__key=self.key, external_id=given["external_id"]).first()


def a_line(provider: Provider, name: str = "Lan", *, value: str = "7001", kind: str = KIND) -> Line:
    """A channel and a customer who can write on it."""
    registry.forget()
    channel = Channel.objects.create(kind=kind, name="Shop on Zalo", address=f"oa{next(_numbers)}")
    return Line(channel, provider, Address(kind=kind, value=value, scope=channel.address, name=name), value)


def everywhere(words: str) -> list[str]:
    """Which columns of the whole database hold these words."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name NOT LIKE 'pg_%'"
        )
        for table, column, kind in cursor.fetchall():
            shown = f"convert_from(\"{column}\", 'LATIN1')" if kind == "bytea" else f'"{column}"::text'
            wanted = words.encode().decode("latin-1") if kind == "bytea" else words
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE position(%s in {shown}) > 0', [wanted])
            if cursor.fetchone()[0]:
                found.append(f"{table}.{column}")
    return found
