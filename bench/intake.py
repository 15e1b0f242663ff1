"""Mails and chat messages from the wire to committed messages: rate, CPU, and the machine's limit beside them."""

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models import Max

from bench import limits, processes, words
from bench.desk import Browser, Desk
from bench.loader import House
from channels_app.models import InboundEvent
from helpdesk.core import relay
from tickets.enums import ACTIVE
from tickets.models import Message

DRAINED_WITHIN = 180.0
ATTACHMENT = 20 * 1024
Send = Callable[[Sequence[Any]], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What one run sends and over how many connections."""

    name: str
    connections: int
    items: Sequence[Any]
    send: Send


def measure(desk: Desk, house: House, *, mails: int, lines: int) -> dict[str, Any]:
    """Figures of each run; a run is over when every message is committed and every subscriber has read its events."""
    chance = random.Random(time.time())
    found: dict[str, Any] = {}
    warm = [_mail(chance) for _ in range(40)]
    _run(desk, Run("warm-up", 2, warm, _smtp(desk)))
    for name, connections, count, enclosed in (
        ("mail, 4 KB, 1 connection", 1, mails // 3, 0),
        ("mail, 4 KB, 4 connections", 4, mails, 0),
        ("mail with a 20 KB file, 1 connection", 1, mails // 5, ATTACHMENT),
        ("mail with a 20 KB file, 4 connections", 4, mails // 2, ATTACHMENT),
    ):
        items = _mails(chance, count, enclosed)
        found[name] = _run(desk, Run(name, connections, items, _smtp(desk)))
    if _visitor(desk, house) is None:
        found["chat"] = "not measured: the widget's address does not answer"
    else:
        for count in (1, 4):
            items = [words.question(chance) for _ in range(lines // (1 if count == 4 else 2))]
            name = f"chat message, {count} connection{'s' if count > 1 else ''}"
            found[name] = _run(desk, Run(name, count, items, _chat(desk, house)))
    found["limit"] = limits.inserts()
    return found


def _run(desk: Desk, run: Run) -> dict[str, float]:
    """Send everything at full speed, wait until it is all there."""
    before, top = processes.cpu_by_group(desk.pid), Message.objects.aggregate(top=Max("pk"))["top"] or 0
    begun = time.monotonic()
    shares = [run.items[start :: run.connections] for start in range(run.connections)]
    threads = [threading.Thread(target=run.send, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accepted = time.monotonic() - begun
    committed = wait(begun, lambda: not InboundEvent.objects.filter(state__in=("pending", "running")).exists())
    wait(begun, lambda: not relay.behind())
    after = processes.cpu_by_group(desk.pid)
    count = len(run.items)
    kept = Message.objects.filter(pk__gt=top, direction="in").count()
    if kept != count:
        raise SystemExit(f"{run.name}: {count} were sent and {kept} are there.\n{desk.last_words()}")
    spent = {group: round((after[group] - before.get(group, 0)) * 1000 / count, 2) for group in after}
    return {
        "count": count,
        "accepted_per_second": round(count / accepted, 1),
        "committed_per_second": round(count / committed, 1),
        "cpu_ms_each": round(sum(spent.values()), 2),
        "cpu_ms_by_role": spent,
    }


def wait(begun: float, done: Callable[[], bool]) -> float:
    """Seconds since `begun` when it became true."""
    while not done():
        if time.monotonic() - begun > DRAINED_WITHIN:
            raise SystemExit("The queues do not come to rest.")
        time.sleep(0.05)
    return time.monotonic() - begun


def _mails(chance: random.Random, count: int, enclosed: int) -> list[bytes]:
    """Sixty of a hundred from new people, twenty from known ones, twenty answers on open tickets."""
    known = _known(count)
    made = []
    for number in range(count):
        kind = number % 5
        sender, reference = known[number % len(known)] if known and kind > 2 else ("", "")
        made.append(_mail(chance, sender, f"<{reference}>" if kind == 4 and reference else "", enclosed))
    return made


def _mail(chance: random.Random, sender: str = "", in_reply_to: str = "", enclosed: int = 0) -> bytes:
    return on_the_wire(words.mail(chance, sender=sender, in_reply_to=in_reply_to, enclosed=enclosed))


def on_the_wire(raw: bytes) -> bytes:
    """As DATA wants it: CRLF, dots doubled, ended by a lone dot."""
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b"\r\n.\r\n"


def _known(count: int) -> list[tuple[str, str]]:
    """Addresses of customers with open tickets, each with a Message-ID to answer."""
    found = Message.objects.filter(ticket__status__in=ACTIVE, direction="in", channel_kind="email")
    return list(found.exclude(sender_address="").order_by("-pk").values_list("sender_address", "external_id")[:count])


def _smtp(desk: Desk) -> Send:
    """Over one connection, one mail after the other, each answered before the next: as a mail server does."""

    def send(mails: Sequence[bytes]) -> None:
        with socket.create_connection(("127.0.0.1", desk.mail_port)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = line.makefile("rb")
            expect(answers, b"220")
            say(line, answers, b"EHLO bench.test\r\n", b"250")
            for mail in mails:
                say(line, answers, b"MAIL FROM:<bounce@khach.test>\r\n", b"250")
                say(line, answers, b"RCPT TO:<" + words.SHOP.encode() + b">\r\n", b"250")
                say(line, answers, b"DATA\r\n", b"354")
                say(line, answers, mail, b"250")
            say(line, answers, b"QUIT\r\n", b"221")

    return send


def say(line: socket.socket, answers: Any, command: bytes, wanted: bytes) -> None:
    """One command and its answer. SystemExit for an answer of another kind."""
    line.sendall(command)
    expect(answers, wanted)


def expect(answers: Any, wanted: bytes) -> None:
    """Read one answer to its last line."""
    answer = answers.readline()
    while answer[3:4] == b"-":
        answer = answers.readline()
    if not answer.startswith(wanted):
        raise SystemExit(f"The mail listener says {answer!r}.")


def _chat(desk: Desk, house: House) -> Send:
    """Visitors who write five messages each over a kept connection."""

    def send(texts: Sequence[str]) -> None:
        for start in range(0, len(texts), 5):
            visitor = _visitor(desk, house)
            assert visitor is not None
            browser, headers = visitor
            for text in texts[start : start + 5]:
                body = {"client_id": str(uuid4()), "text": text}
                status, answer = browser.post_json(f"/widget/v1/{house.chat.pk}/messages", body, **headers)
                if status not in (200, 201, 202):
                    raise SystemExit(f"The widget's address answers {status}: {answer}")
            browser.connection.close()
        connection.close()

    return send


def _visitor(desk: Desk, house: House) -> tuple[Browser, dict[str, str]] | None:
    """A new visitor's connection and the header that proves who it is; None when there is no such address."""
    browser = Browser(desk.port)
    origin = {"Origin": f"http://127.0.0.1:{desk.port}"}
    status, content = browser.request(
        "POST", f"/widget/v1/{house.chat.pk}/session", b"{}", Content_Type="application/json", **origin
    )
    if status not in (200, 201):
        return None
    return browser, {"Authorization": f"Bearer {json.loads(content)['token']}", **origin}
