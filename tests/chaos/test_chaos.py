"""kill -9, again and again, while mail and chat come in and answers go out.

Real processes: workers (Celery, prefork) and the SMTP listener, each a group of its own that is killed as a whole;
mail comes by SMTP from senders who, like any mail server, send again what was not accepted. Counted afterwards:
every message present exactly once, every subscriber's effect once, no answer sent twice, and one that may or may not
have left counted as `unknown`. The figures of the long run stand in bench/PROOFS.md.
"""

import json
import os
import random
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as desk
from django.db import connection, connections
from django.utils.timezone import now

from channels_app import inbound
from channels_app.models import Channel, Delivery, InboundEvent
from helpdesk.core import jobs, relay, valkey
from helpdesk.core.models import EventLog, Leftover
from helpdesk.core.tasks import sweep
from tests.builders import a_chat, a_mail, a_mailbox, an_actor
from tests.runtime.desk import ROOT, free_port
from tickets.lifecycle import drift
from tickets.messages import actions as messages
from tickets.models import Message, SlaClock, Ticket

SENDERS = 4


@dataclass
class Group:
    """One role of the desk as a process group, started again whenever it was killed."""

    role: str
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", self.role],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.deaths += 1


@dataclass
class Load:
    """What was said, by whom, and what was accepted."""

    mailbox: Channel
    chat: Channel
    mail_port: int
    mails: int
    lines: int
    accepted: set[str] = field(default_factory=set)
    repeats: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send_mails(self, part: int) -> None:
        for number in range(part, self.mails, SENDERS):
            raw = a_mail(
                sender=f"c{number % (self.mails // 3)}@customer.test",
                message_id=f"<m{number}@customer.test>",
                text=f"Lời nhắn {number}",
            )
            for _ in range(300):
                try:
                    with smtplib.SMTP("127.0.0.1", self.mail_port, timeout=10) as server:
                        server.sendmail("x@customer.test", [self.mailbox.address], raw)
                    break
                except (OSError, smtplib.SMTPException):
                    time.sleep(0.1)  # an MTA sends again: whether it was kept or not is ours to tell apart
                    with self.lock:
                        self.repeats += 1
            with self.lock:
                self.accepted.add(f"m{number}@customer.test")

    def say_lines(self, part: int) -> None:
        for number in range(part, self.lines, SENDERS):
            key, client_id = f"v{number % (self.lines // 3)}", f"line{number}"
            line = {"thread_key": key, "client_id": client_id, "text": f"Câu {number}", "at": now().isoformat()}
            for _ in range(2):  # a widget that heard no answer says it again
                inbound.accept(self.chat.pk, f"{key}:{client_id}", json.dumps(line).encode())
            with self.lock:
                self.accepted.add(client_id)
            time.sleep(0.05)


@pytest.fixture
def environment(transactional_db: None, tmp_path: Path) -> dict[str, str]:
    """For processes that work on this test's database, Valkey and folder."""
    database = connection.settings_dict
    url = (
        f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@/{database['NAME']}"
        f"?host={quote(database['HOST'], safe='')}&port={database['PORT']}"
    )
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR", "SECRET_KEY"}}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
        "HELPDESK_VAR_DIR": str(desk.VAR_DIR),
        "DATABASE_URL": url,
        "VALKEY_URL": desk.VALKEY_URL,
        "MAIL_OUT": f"dir:{tmp_path}/out",
        "MAIL_PORT": str(free_port()),
        "WORKERS": "2",
        "DEMO": "0",
    }


@pytest.fixture
def groups(environment: dict[str, str], tmp_path: Path) -> Iterator[list[Group]]:
    found = [Group(role, environment, tmp_path / f"{role}.log") for role in ("worker", "mail")]
    valkey.client().flushdb()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE chaos_effects (event bigint)")
    yield found
    for one in found:
        if one.process and one.process.poll() is None:
            one.kill()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE chaos_effects")
    valkey.client().flushdb()


def threads(*acts: Callable[[], None]) -> list[threading.Thread]:
    def closing(act: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                act()
            finally:
                connections.close_all()

        return run

    started = [threading.Thread(target=closing(act)) for act in acts]
    for thread in started:
        thread.start()
    return started


def rage(groups: list[Group], load: Load, speaking: list[threading.Thread], *, kills: int, seed: int) -> int:
    """Kill and start again while work is being done, so many times; meanwhile sweep, and answer what has come in."""
    chance, answered, agent = random.Random(seed), 0, an_actor("admin")
    worker, mail = groups
    before, after = Message.objects.count(), chance.randint(5, 25)
    while worker.deaths < kills or any(thread.is_alive() for thread in speaking):
        sweep.run()
        for ticket in Ticket.objects.filter(first_replied_at=None, status="open").order_by("pk")[:8]:
            messages.reply(ticket_id=ticket.pk, text=f"Dạ {ticket.pk}", actor=agent)
            answered += 1
        done = Message.objects.filter(direction="in").count()
        spoken = not any(thread.is_alive() for thread in speaking)
        idle = spoken and not any(_open(table) for table in (InboundEvent, Delivery, Leftover))
        if worker.deaths < kills and (done - before >= after or idle):
            worker.kill()
            worker.start()
            if worker.deaths % 3 == 0:
                mail.kill()
                mail.start()
            before, after = done, chance.randint(5, 25)
        time.sleep(chance.uniform(0.02, 0.15))
    return answered


def settle(seconds: float) -> None:
    """Until nothing is due, running or unread."""
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        sweep.run()
        waits = [_open(table) for table in (InboundEvent, Delivery, Leftover)]
        if not any(waits) and not _chaos_behind():
            return
        time.sleep(0.5)
    raise AssertionError(f"not at rest: {waits}, {Counter(InboundEvent.objects.values_list('state', 'last_error'))}")


def _open(table: type[jobs.LeasedJob]) -> bool:
    return table._base_manager.filter(state__in=jobs.OPEN).exists()


def _chaos_behind() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM chaos_effects")
        return cursor.fetchone()[0] < EventLog.objects.filter(topic="message.added").count() or relay.behind()


def prove(groups: list[Group], tmp_path: Path, *, mails: int, lines: int, kills: int) -> dict[str, object]:
    worker, mail = groups
    load = Load(a_mailbox(), a_chat(), int(mail.environment["MAIL_PORT"]), mails, lines)
    began = time.monotonic()
    worker.start()
    mail.start()
    speaking = threads(
        *(lambda part=part: load.send_mails(part) for part in range(SENDERS)),  # type: ignore[misc]
        *(lambda part=part: load.say_lines(part) for part in range(SENDERS)),  # type: ignore[misc]
    )
    answered = rage(groups, load, speaking, kills=kills, seed=mails)
    for thread in speaking:
        thread.join()
    settle(120)
    kept = Counter(Message.objects.filter(direction="in").values_list("external_id", flat=True))
    assert len(load.accepted) == mails + lines
    assert kept == Counter(dict.fromkeys(load.accepted, 1)), "every one, exactly once"
    assert not InboundEvent.objects.exclude(state="done").exists()

    with connection.cursor() as cursor:
        cursor.execute("SELECT event FROM chaos_effects")
        effects = Counter(event for (event,) in cursor.fetchall())
    recorded = EventLog.objects.filter(topic="message.added").values_list("pk", flat=True)
    assert effects == Counter(dict.fromkeys(recorded, 1)), "every effect once"

    outcomes = Counter(Delivery.objects.values_list("channel__kind", "outcome"))
    sent = Counter(
        message_from_bytes(file.read_bytes())["Message-ID"].strip("<>") for file in (tmp_path / "out").glob("*.eml")
    )
    for delivery in Delivery.objects.filter(channel__kind="email"):
        expected = {"sent": {1}, "unknown": {0, 1}}[delivery.outcome]
        assert sent[delivery.payload["message_id"]] in expected
    assert set(outcomes) <= {("email", "sent"), ("email", "unknown"), ("webchat", "sent")}
    assert Message.objects.filter(direction="out").count() == answered == sum(outcomes.values())
    assert [str(one) for one in drift.everywhere()] == []
    met = SlaClock.objects.filter(met_by__isnull=False).count()
    assert met > 0, (answered, outcomes)
    return {
        "mails": mails,
        "chat lines": lines,
        "answers": answered,
        "kills": {group.role: group.deaths for group in groups},
        "mails sent again by their senders": load.repeats,
        "attempts cut short": InboundEvent.objects.filter(attempts__gt=1).count(),
        "answers unknown": outcomes["email", "unknown"],
        "seconds": round(time.monotonic() - began, 1),
    }


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_twice(groups: list[Group], tmp_path: Path) -> None:
    print(prove(groups, tmp_path, mails=150, lines=150, kills=4))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_thousand_messages_under_constant_killing(groups: list[Group], tmp_path: Path) -> None:
    print(prove(groups, tmp_path, mails=1000, lines=1000, kills=25))
