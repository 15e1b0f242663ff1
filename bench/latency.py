"""From the acceptance of a mail to the poke on an agent's open screen."""

import json
import random
import socket
import threading
import time
from typing import Any

from websockets.sync.client import ClientConnection, connect

from bench import intake, words
from bench.desk import Browser, Desk
from bench.loader import PASSWORD, House
from tickets.models import Message

PAUSE = 0.25  # seconds between two mails: a gentle rate
WAIT = 10.0


def measure(desk: Desk, house: House, *, mails: int) -> dict[str, Any]:
    """Milliseconds between the listener's 250 and the first poke that carries the new ticket."""
    browser = Browser(desk.port)
    browser.sign_in(house.agent.email, PASSWORD)
    chance = random.Random(time.time())
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    took: list[float] = []
    with connect(
        f"ws://127.0.0.1:{desk.port}/ws/agent/",
        additional_headers={"Cookie": cookies},
        origin=f"http://127.0.0.1:{desk.port}",  # type: ignore[arg-type]
    ) as screen:
        heard = _Ear(screen)
        heard.start()
        time.sleep(0.5)
        for _ in range(mails):
            message_id, accepted = _send(desk, chance)
            ticket = _ticket_of(message_id)
            at = heard.wait_for(ticket)
            took.append((at - accepted) * 1000)
            time.sleep(PAUSE)
    took.sort()
    return {
        "mails": mails,
        "p50_ms": round(took[len(took) // 2], 1),
        "p95_ms": round(took[int(len(took) * 0.95)], 1),
        "max_ms": round(took[-1], 1),
    }


class _Ear(threading.Thread):
    """Notes when each ticket was first spoken of."""

    def __init__(self, screen: ClientConnection) -> None:
        super().__init__(daemon=True)
        self.screen = screen
        self.heard: dict[str, float] = {}
        self.news = threading.Condition()

    def run(self) -> None:
        for text in self.screen:
            at = time.monotonic()
            said = json.loads(text)
            with self.news:
                self.heard.setdefault(str(said.get("id")), at)
                self.news.notify_all()

    def wait_for(self, ticket: int) -> float:
        with self.news:
            if not self.news.wait_for(lambda: str(ticket) in self.heard, WAIT):
                raise SystemExit(f"No poke came for ticket {ticket} within {WAIT:.0f} s.")
            return self.heard[str(ticket)]


def _send(desk: Desk, chance: random.Random) -> tuple[str, float]:
    """One mail of a new person; its Message-ID and the moment of the 250."""
    raw = words.mail(chance)
    message_id = raw.split(b"Message-ID: <", 1)[1].split(b">", 1)[0].decode()
    with socket.create_connection(("127.0.0.1", desk.mail_port)) as line:
        answers = line.makefile("rb")
        intake.expect(answers, b"220")
        intake.say(line, answers, b"EHLO bench.test\r\n", b"250")
        intake.say(line, answers, b"MAIL FROM:<bounce@khach.test>\r\n", b"250")
        intake.say(line, answers, b"RCPT TO:<" + words.SHOP.encode() + b">\r\n", b"250")
        intake.say(line, answers, b"DATA\r\n", b"354")
        intake.say(line, answers, intake.on_the_wire(raw), b"250")
        return message_id, time.monotonic()


def _ticket_of(message_id: str) -> int:
    stop = time.monotonic() + WAIT
    while time.monotonic() < stop:
        found = Message.objects.filter(external_id=message_id).values_list("ticket_id", flat=True).first()
        if found is not None:
            return found
        time.sleep(0.01)
    raise SystemExit("An accepted mail did not become a message.")
