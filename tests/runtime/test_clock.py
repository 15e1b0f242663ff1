"""The clock loop: asks everybody, sleeps until the next is due, survives what breaks."""

import time
from datetime import timedelta
from threading import Thread

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from helpdesk.runtime import clock
from helpdesk.runtime.stop import Stop


@pytest.fixture
def usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "is_usable", lambda: True, raising=False)


def test_it_sleeps_until_the_next_is_due_and_never_longer_than_a_second() -> None:
    soon = now() + timedelta(seconds=0.4)
    assert 0.2 < clock.look([lambda: None, lambda: soon]) <= 0.4
    assert clock.look([lambda: None]) == clock.LONGEST_SLEEP
    assert clock.look([lambda: now() + timedelta(hours=1)]) == clock.LONGEST_SLEEP
    assert 0 < clock.look([lambda: now() - timedelta(hours=1)]) < 0.1


def test_a_broken_finder_stops_no_other() -> None:
    asked = []

    def broken() -> None:
        raise ValueError("broken")

    assert clock.look([broken, lambda: asked.append(1)]) == clock.LONGEST_SLEEP
    assert asked == [1]


def test_a_dead_database_is_waited_for_with_a_growing_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    answers = iter([OperationalError("gone"), OperationalError("gone"), OperationalError("gone"), None])

    class Recorded(Stop):
        def wait(self, seconds: float) -> bool:
            if seconds:
                pauses.append(seconds)
            return super().wait(0)

    stop = Recorded()

    def finder() -> None:
        try:
            answer = next(answers)
        except StopIteration:
            stop.set()
            return
        if answer:
            raise answer

    monkeypatch.setattr(connection, "is_usable", lambda: False, raising=False)
    monkeypatch.setattr(connection, "close", lambda: None)
    clock.run([finder], stop)
    assert pauses == [0.5, 1.0, 2.0, clock.LONGEST_SLEEP, clock.LONGEST_SLEEP]


def test_it_stops_at_once_when_told() -> None:
    stop = Stop()
    loop = Thread(target=clock.run, args=([lambda: None], stop))
    loop.start()
    begun = time.monotonic()
    stop.set()
    loop.join(5)
    assert not loop.is_alive()
    assert time.monotonic() - begun < 0.5
