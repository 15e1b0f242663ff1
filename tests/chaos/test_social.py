"""kill -9 across three channels at once: events doubled and out of order, providers that lose answers.

Real processes: the web role takes the hooks, workers drain; both are killed as whole groups. The providers call again
whatever was not answered with 200, as the real ones do. Counted afterwards: n written = n in the threads, in each
customer's order, each exactly once; every answer arrived once, or stands as `unknown` and arrived at most once.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from channels_app import kinds, registry
from channels_app.models import Channel, Delivery, Errand, InboundEvent
from channels_app.simulators.base import Fault, Provider, serve
from helpdesk.core.errors import DomainError
from helpdesk.core.tasks import sweep
from tests.builders import an_actor
from tests.channels_app.contract.conftest import provider_of
from tests.chaos.test_chaos import Group, environment, groups, settle, threads  # noqa: F401 - fixtures
from tests.runtime.desk import free_port, waited
from tickets.messages import actions as messages
from tickets.models import Message, Ticket

KINDS = ("messenger", "whatsapp", "zalo")
ENOUGH = 8  # answers at least
ARRIVED = ("sent", "delivered", "read")


@dataclass
class Crowd:
    """One provider's people and what each of them wrote, in the order they wrote it."""

    provider: Provider
    written: dict[str, list[str]] = field(default_factory=dict)
    repeats: int = 0

    def write(self, count: int, seed: int) -> None:
        """`count` messages of every person, a second apart on their phones, delivered in disorder and some twice."""
        chance, events, began = random.Random(seed), [], time.time() - 3600
        for number in range(count):
            for person in self.provider.PEOPLE:
                text = f"{self.provider.kind} {person} #{number}"
                with mock.patch("time.time", lambda at=began + number: at):
                    events.append(self.provider.event(person, text))
                self.written.setdefault(person, []).append(text)
                self.provider.touched(person)
        for start in range(0, len(events), 12):  # disorder as real networks make it: near things change places
            batch = events[start : start + 12]
            chance.shuffle(batch)
            for event in batch:
                self._deliver(self.provider.envelope([event]), 2 if chance.random() < 0.3 else 1)

    def _deliver(self, call: Any, times: int) -> None:
        for _ in range(times):
            for _attempt in range(600):
                if self.provider.push(call) == 200:
                    break
                self.repeats += 1
                time.sleep(0.1)
            else:
                raise AssertionError("the hook never answered")


@pytest.fixture
def crowds(environment: dict[str, str]) -> Iterator[list[Crowd]]:  # noqa: F811
    port = free_port()
    environment |= {"HOST": "127.0.0.1", "PORT": str(port)}
    made = {kind: provider_of(kind)(hook_url="") for kind in KINDS}
    server = serve(made)
    pair = f"127.0.0.1:{server.server_address[1]}"
    environment["HELPDESK_ALLOW_HOSTS"] = pair
    registry.forget()
    for kind, provider in made.items():
        config = dict(provider.CONFIG)
        known = kinds.KEYS[kind][0]
        config |= {base: f"http://{pair}/{kind}" for base in kinds.BASES if base in known}
        channel = Channel.objects.create(
            kind=kind,
            name=kind,
            address=kinds.address_of(kind, "", config),
            config=config,
            secrets=dict(provider.SECRETS),
        )
        provider.hook_url = f"http://127.0.0.1:{port}/hooks/{channel.pk}/"
    yield [Crowd(provider) for provider in made.values()]
    server.shutdown()
    server.server_close()


def answer_some(chance: random.Random, agent: Any) -> int:
    """Answer whoever waits, on the channel they wrote on; one that is refused beforehand does not count."""
    answered = 0
    for ticket in Ticket.objects.filter(waiting_since__isnull=False, status="open").order_by("?")[:3]:
        try:
            messages.reply(ticket_id=ticket.pk, text=f"Dạ {ticket.pk}.{chance.getrandbits(40)}", actor=agent)
            answered += 1
        except DomainError:
            continue
    return answered


def prove(found: list[Group], crowds: list[Crowd], *, count: int, kills: int) -> dict[str, object]:
    worker = found[0]
    web = Group("web", worker.environment, worker.log.with_name("web.log"))
    chance, agent, answered, began = random.Random(count), an_actor("admin"), 0, time.monotonic()
    worker.start()
    web.start()
    try:
        speaking = threads(*(lambda one=one, seed=seed: one.write(count, seed) for seed, one in enumerate(crowds)))  # type: ignore[misc]
        while worker.deaths < kills or any(thread.is_alive() for thread in speaking) or answered < ENOUGH:
            sweep.run()
            answered += answer_some(chance, agent)
            for crowd in crowds:
                if chance.random() < 0.2:
                    crowd.provider.faults.append(chance.choice([Fault("lost"), Fault("status", 503), Fault("cut")]))
            time.sleep(chance.uniform(0.1, 0.6))
            if worker.deaths < kills and chance.random() < 0.4:
                worker.kill()
                worker.start()
            if web.deaths < max(kills // 2, 1) and chance.random() < 0.2:
                web.kill()
                web.start()
        for thread in speaking:
            thread.join()
        for crowd in crowds:
            crowd.provider.faults.clear()
        settle(180)
        waited(lambda: not Delivery.objects.filter(state__in=("pending", "running")).exists(), 60)
        time.sleep(2)  # the last receipts and echoes are on their way
        settle(60)
    finally:
        if web.process and web.process.poll() is None:
            web.kill()
    return _counted(crowds, found, web, answered) | {"seconds": round(time.monotonic() - began, 1)}


def _counted(crowds: list[Crowd], found: list[Group], web: Group, answered: int) -> dict[str, object]:
    written = sum(len(texts) for crowd in crowds for texts in crowd.written.values())
    assert Message.objects.filter(direction="in").count() == written, "each exactly once"
    for crowd in crowds:
        for texts in crowd.written.values():
            kept = Message.objects.filter(direction="in", text__in=texts).order_by("occurred_at", "pk")
            assert list(kept.values_list("text", flat=True)) == texts, "in each customer's order"
    assert not InboundEvent.objects.exclude(state="done").exists()
    assert not Errand.objects.filter(state__in=("pending", "running"), what="file").exists()
    arrived = Counter(line.text for crowd in crowds for line in crowd.provider.sent())
    out = Message.objects.filter(direction="out").exclude(author=None)
    assert out.count() == answered
    states = Counter(out.values_list("delivery_state", flat=True))
    for text, state in out.values_list("text", "delivery_state"):
        if state in ARRIVED:
            assert arrived[text] == 1, (text, state)
        else:
            assert arrived[text] <= 1, (text, state)
            assert state in ("unknown", "failed"), (text, state)
            assert state == "unknown" or arrived[text] == 0, "what arrived is never called failed"
    return {
        "written": written,
        "calls repeated by the providers": sum(crowd.repeats for crowd in crowds),
        "answers": answered,
        "states": dict(states),
        "why failed": dict(Counter(out.filter(delivery_state="failed").values_list("channel_kind", "delivery_reason"))),
        "kills": {group.role: group.deaths for group in (found[0], web)},
    }


@pytest.mark.django_db(transaction=True)
def test_three_channels_lose_and_double_nothing(groups: list[Group], crowds: list[Crowd], tmp_path: Path) -> None:  # noqa: F811
    print(prove(groups, crowds, count=15, kills=2))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_three_channels_under_constant_killing(groups: list[Group], crowds: list[Crowd], tmp_path: Path) -> None:  # noqa: F811
    print(prove(groups, crowds, count=200, kills=20))
