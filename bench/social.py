"""Social messages from a provider's call to committed messages, and how long the provider waits for its 200."""

import http.client
import json
import threading
import time
from typing import Any

from bench import intake, processes
from bench.desk import Desk
from channels_app import kinds
from channels_app.models import Channel, InboundEvent
from channels_app.simulators.base import Provider, serve
from channels_app.simulators.messenger import Messenger
from channels_app.simulators.zalo import Zalo
from helpdesk.core import relay
from tickets.models import Message

PEOPLE = 400


def measure(desk: Desk, *, messages: int) -> dict[str, Any]:
    """Per provider and number of connections: ms until 200 (median, 99th, worst), calls and messages a second.

    The provider runs in this very process and on the same cores: it is asked for each person's name once.
    """
    made: dict[str, Provider] = {one.kind: one() for one in (Messenger, Zalo)}
    server = serve(made, port=desk.provider_port)
    found: dict[str, Any] = {}
    try:
        for kind, provider in made.items():
            channel = _channel(kind, provider)
            provider.hook_url = f"/hooks/{channel.pk}/"
            _run(desk, provider, 2, 40)
            for connections in (1, 8):
                name = f"{kind}, {connections} connection{'s' if connections > 1 else ''}"
                found[name] = _run(desk, provider, connections, messages if connections > 1 else messages // 3)
    finally:
        server.shutdown()
        server.server_close()
    return found


def _channel(kind: str, provider: Provider) -> Channel:
    config = dict(provider.CONFIG)
    known = kinds.KEYS[kind][0]
    config |= {base: provider.base_url for base in kinds.BASES if base in known}
    secrets: Any = dict(provider.SECRETS)
    address = kinds.address_of(kind, "", config)
    return Channel.objects.create(kind=kind, name=kind, address=address, config=config, secrets=secrets)


def _run(desk: Desk, provider: Provider, connections: int, count: int) -> dict[str, Any]:
    calls = [_call(provider, number) for number in range(count)]
    before, had = processes.cpu_by_group(desk.pid), Message.objects.filter(channel_kind=provider.kind).count()
    waits: list[float] = []
    begun = time.monotonic()
    threads = [
        threading.Thread(target=_post_all, args=(desk, provider.hook_url, calls[start::connections], waits))
        for start in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accepted = time.monotonic() - begun
    committed = intake.wait(begun, lambda: not InboundEvent.objects.filter(state__in=("pending", "running")).exists())
    intake.wait(begun, lambda: not relay.behind())
    after = processes.cpu_by_group(desk.pid)
    kept = Message.objects.filter(channel_kind=provider.kind).count() - had
    if kept != count:
        raise SystemExit(f"{provider.kind}: {count} were sent and {kept} are there.\n{desk.last_words()}")
    waits.sort()
    return {
        "count": count,
        "answered_ms": {
            "p50": round(waits[len(waits) // 2] * 1000, 1),
            "p99": round(waits[int(len(waits) * 0.99)] * 1000, 1),
            "worst": round(waits[-1] * 1000, 1),
        },
        "calls_per_second": round(count / accepted, 1),
        "committed_per_second": round(count / committed, 1),
        "cpu_ms_each": round(sum(after[group] - before.get(group, 0) for group in after) * 1000 / count, 2),
    }


def _call(provider: Provider, number: int) -> tuple[bytes, dict[str, str]]:
    """One message of one of many people, signed."""
    names = list(provider.PEOPLE)
    person = names[number % len(names)] if provider.kind == "zalo" else str(7_300_000_000_000_000 + number % PEOPLE)
    body = json.dumps(provider.envelope([provider.event(person, f"Shop ơi, đơn {number} đến đâu rồi ạ?")])).encode()
    return body, {"Content-Type": "application/json"} | provider.signed(body)


def _post_all(desk: Desk, path: str, calls: list[tuple[bytes, dict[str, str]]], waits: list[float]) -> None:
    """Over one kept connection, one call after the other, each answered before the next."""
    line = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=30)
    for body, headers in calls:
        begun = time.monotonic()
        line.request("POST", path, body, headers)
        answer = line.getresponse()
        answer.read()
        waits.append(time.monotonic() - begun)
        if answer.status != http.HTTPStatus.OK:
            raise SystemExit(f"The hook answers {answer.status}.")
    line.close()
