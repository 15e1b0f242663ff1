"""The relay: every subscriber gets every event once, in order, and one that is broken holds up only itself."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection, connections, transaction
from django.utils.timezone import now

from helpdesk.core import jobs, relay, valkey
from helpdesk.core.actor import Actor
from helpdesk.core.models import Cursor, EventLog, Leftover
from helpdesk.core.recorder import record
from tests.core.conftest import effects_of
from tests.core.doubles import broken, together
from tickets.events import TicketChanged, TicketReopened

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_valkey", "subscribed")]


def happen(count: int = 1, **named: Any) -> list[int]:
    """So many events, each in a transaction of its own; their ids."""
    for number in range(count):
        with transaction.atomic():
            record(TicketChanged(ticket_id=number + 1), actor=Actor.system(), **named)
    return list(EventLog.objects.order_by("pk").values_list("pk", flat=True))[-count:]


def seen_by(who: str) -> list[int]:
    return [event for _who, event in effects_of(who)]


def test_each_subscriber_gets_each_event_once_in_order() -> None:
    events = happen(5)
    with transaction.atomic():
        record(TicketReopened(ticket_id=1), actor=Actor.system())
    relay.drain()
    relay.drain()
    assert seen_by("first") == events
    assert seen_by("second") == [*events, EventLog.objects.latest("pk").pk]


def test_many_relays_at_once_and_more_than_a_batch_still_once_each() -> None:
    events = happen(relay.BATCH + 40)
    assert together(6, relay.drain) == []
    relay.drain()
    assert seen_by("first") == events
    assert seen_by("second") == events


def test_recording_while_relays_run_loses_nothing_and_doubles_nothing() -> None:
    stop = threading.Event()

    def follow() -> None:
        while not stop.is_set():
            relay.drain()
        connections.close_all()

    relays = [threading.Thread(target=follow) for _ in range(3)]
    for one in relays:
        one.start()
    assert together(4, lambda: happen(25)) == []
    stop.set()
    for one in relays:
        one.join()
    relay.drain()
    everything = sorted(EventLog.objects.values_list("pk", flat=True))
    assert len(everything) == 100
    assert sorted(seen_by("first")) == sorted(seen_by("second")) == everything


def test_an_event_above_an_open_transaction_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BUDGET", 0.1)  # a relay waits a moment for the older transaction
    opened, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            record(TicketChanged(ticket_id=77), actor=Actor.system())
            opened.set()
            finish.wait(20)
        connections.close_all()

    writer = threading.Thread(target=slow)
    writer.start()
    opened.wait(20)
    [later] = happen()
    relay.drain()
    assert seen_by("first") == [], "the older one may still appear below it"
    finish.set()
    writer.join()
    relay.drain()
    assert seen_by("first") == list(EventLog.objects.order_by("xid", "id").values_list("pk", flat=True))
    assert seen_by("first")[-1] == later


def test_a_crash_rolls_back_effect_and_cursor_together(monkeypatch: pytest.MonkeyPatch) -> None:
    [event] = happen()

    def die(told: object) -> None:
        raise SystemExit("killed")

    broken["second"] = die
    with pytest.raises(SystemExit):
        relay.drain()
    assert (seen_by("first"), seen_by("second")) == ([event], [])
    broken.clear()
    relay.drain()
    assert (seen_by("first"), seen_by("second")) == ([event], [event])


def test_what_a_subscriber_fails_on_becomes_a_leftover_and_the_rest_goes_on() -> None:
    events = happen(4)
    bad = events[1]

    def fail(told: Any) -> None:
        if told.id == bad:
            raise ValueError("cannot digest")

    broken["first"] = fail
    relay.drain()
    assert seen_by("first") == [events[0], *events[2:]]
    assert seen_by("second") == events
    leftover = Leftover.objects.get()
    assert (leftover.event_id, leftover.subscriber, leftover.state) == (bad, "tests.core.doubles.first", "pending")
    relay.drain_leftovers()
    leftover.refresh_from_db()
    assert (leftover.state, leftover.attempts) == ("pending", 2)
    broken.clear()
    Leftover.objects.update(due_at=now())
    assert together(5, relay.drain_leftovers) == []
    leftover.refresh_from_db()
    assert (leftover.state, seen_by("first").count(bad)) == ("done", 1)


def test_a_subscriber_that_fails_on_everything_gives_up_and_starves_nobody() -> None:
    events = happen(3)
    broken["first"] = lambda told: 1 / 0
    relay.drain()
    for _ in range(jobs.MAX_ATTEMPTS + 1):
        Leftover.objects.filter(state="pending").update(due_at=now())
        relay.drain_leftovers()
    assert set(Leftover.objects.values_list("state", flat=True)) == {"failed"}
    assert (seen_by("first"), seen_by("second")) == ([], events)
    assert not relay.behind()


def test_a_row_somebody_holds_makes_a_leftover_instead_of_a_deadlock(settings: Any) -> None:
    """A batch holds all it locked; it gives way before PostgreSQL would end a person's action as the victim."""
    last = happen(2)[-1]
    held, finish = threading.Event(), threading.Event()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO proof_effects VALUES ('somebody', 0)")

    def lock() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM proof_effects WHERE who = 'somebody' FOR UPDATE")

    def hold() -> None:
        with transaction.atomic():
            lock()
            held.set()
            finish.wait(20)
        connections.close_all()

    broken["first"] = lambda told: lock() if told.id == last else None
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(20)
    relay.drain()
    finish.set()
    holder.join()
    assert Leftover.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",), "the limit is the relay's alone"
    relay.drain_leftovers()
    assert len(seen_by("first")) == 2


def test_recording_wakes_the_relay_once_and_only_after_the_commit() -> None:
    with transaction.atomic():
        record(TicketChanged(ticket_id=1), actor=Actor.system())
        record(TicketChanged(ticket_id=2), actor=Actor.system())
        assert valkey.client().llen("relay") == 0
    assert valkey.client().llen("relay") == 1
    with pytest.raises(RuntimeError), transaction.atomic():
        record(TicketChanged(ticket_id=3), actor=Actor.system())
        raise RuntimeError
    assert EventLog.objects.count() == 2


def test_after_a_restore_each_subscriber_goes_on_exactly_where_it_was() -> None:
    read = happen(3)
    relay.drain()
    happen(2)
    broken["second"] = lambda told: (_ for _ in ()).throw(SystemExit("killed"))
    with pytest.raises(SystemExit):
        relay.drain()  # the first has read on, the second has not
    broken.clear()
    unread = happen(2)
    # Numbers of another cluster, far above ours, in another order than the ids.
    EventLog.objects.filter(pk=unread[1]).update(xid=2**40)
    EventLog.objects.filter(pk=unread[0]).update(xid=2**41)
    relay.reset_after_restore()
    later = happen(1)
    relay.drain()
    everything = list(EventLog.objects.order_by("pk").values_list("pk", flat=True))
    assert sorted(seen_by("first")) == sorted(seen_by("second")) == everything
    assert seen_by("first")[-3:] == [unread[1], unread[0], *later]
    assert seen_by("first")[:3] == read
    assert min(Cursor.objects.values_list("xid", flat=True)) < 2**40


def test_a_typo_in_the_table_of_subscribers_fails_the_system_check(settings: Any) -> None:
    assert [error.id for error in run_checks() if error.id and error.id.startswith("core.E")] == []
    settings.SUBSCRIPTIONS = "tests.core.doubles.MISSPELT"
    assert sorted(error.id or "" for error in run_checks() if (error.id or "").startswith("core.E")) == [
        "core.E001",
        "core.E002",
    ]


def test_a_relay_that_finds_the_cursor_held_goes_home_and_nothing_is_lost() -> None:
    events = happen(2)
    relay.drain()
    more = happen(2)
    held, finish = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Cursor.objects.select_for_update().get(pk="tests.core.doubles.first")
            held.set()
            finish.wait(20)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(20)
    relay.drain()
    assert seen_by("first") == events
    assert seen_by("second") == [*events, *more]
    finish.set()
    holder.join()
    assert relay.behind()
    relay.drain()
    assert seen_by("first") == [*events, *more]
    assert Leftover.objects.filter(due_at__lt=now() + timedelta(days=1)).count() == 0
