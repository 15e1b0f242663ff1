"""A channel that can fail in every way, and subscribers that can be broken, for proofs of the job core."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

from channels_app.contracts import Address, Arrival, ChannelRef, InboundItem, NewMessage, OutboundEnvelope, SendResult
from helpdesk.core.errors import GiveUp, Retry
from helpdesk.core.events import Recorded


class FakeAdapter:
    """Sends into a list. `mode` says how the next sends go wrong."""

    kind = "fake"

    def __init__(self) -> None:
        self.idempotent = True
        self.sent: list[str] = []
        self.texts: list[str] = []
        self.mode = ""
        self.lock = threading.Lock()

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        return raw.decode()

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        text = arrival.raw.decode()
        if text.startswith("poison"):
            raise GiveUp("not parseable")
        sender = Address(kind="fake", value="someone")
        item = NewMessage(
            external_id=arrival.external_id,
            thread_key="someone",
            sender=sender,
            occurred_at=arrival.received_at,
            text=text,
        )
        return (item,)

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        assert not connection.in_atomic_block, "the network is outside any transaction"
        if self.mode == "retry":
            raise Retry("busy", after=5)
        if self.mode == "give up":
            raise GiveUp("no such person")
        time.sleep(0.02)
        with self.lock:
            self.sent.append(envelope.idempotency_key)
            self.texts.append(envelope.text)
        if self.mode == "killed":
            raise SystemExit("killed after the provider accepted it")
        return SendResult(provider_id=f"p{envelope.idempotency_key}")


FAKE = FakeAdapter()


def fake_adapter() -> FakeAdapter:
    """What the registry finds under the kind `fake`."""
    return FAKE


seen: list[tuple[str, int]] = []
broken: dict[str, Callable[[Recorded], Any]] = {}


def _react(name: str, event: Recorded) -> None:
    """The effect is a row, so that it rolls back with its transaction."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO proof_effects (who, event) VALUES (%s, %s)", [name, event.id])
    if name in broken:
        broken[name](event)


def first(event: Recorded) -> None:
    _react("first", event)


def second(event: Recorded) -> None:
    _react("second", event)


SUBSCRIPTIONS = {
    "ticket.changed": ["tests.core.doubles.first", "tests.core.doubles.second"],
    "ticket.reopened": ["tests.core.doubles.second"],
}
MISSPELT = {"ticket.chnaged": ["tests.core.doubles.first"], "ticket.changed": ["tests.core.doubles.frist"]}


def together(count: int, act: Callable[[], Any]) -> list[BaseException]:
    """The same act in so many threads at once, each with its own connection. What they raised."""
    raised: list[BaseException] = []
    gate = threading.Barrier(count)

    def run() -> None:
        try:
            gate.wait()
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised
