"""Wakes: one task for many rows, lost with no harm, and never anybody's error."""

from typing import Any

import pytest
from django.conf import settings as desk
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry as NoRetry

from channels_app import inbound
from channels_app.models import Channel, InboundEvent
from helpdesk.core import jobs, tasks, valkey, waker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_valkey", "effects")]


@pytest.fixture
def dead_valkey(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    gone = Redis.from_url(f"unix://{tmp_path}/nobody.sock", retry=NoRetry(NoBackoff(), 0))
    monkeypatch.setattr(valkey, "client", lambda: gone)


def tasks_in(queue: str) -> int:
    return int(valkey.client().llen(queue))


def test_a_woken_queue_is_not_woken_again_until_its_drain_begins() -> None:
    for _ in range(5):
        waker.wake("inbound")
    assert tasks_in("inbound") == 1
    waker.begin("inbound")
    waker.wake("inbound")
    assert tasks_in("inbound") == 2


def test_a_flag_whose_task_was_lost_goes_away_by_itself() -> None:
    waker.wake("inbound")
    assert 0 < int(valkey.client().ttl("wake:inbound")) <= waker.FLAG_SECONDS


def test_the_wakes_of_a_batch_leave_as_one() -> None:
    with waker.gathered():
        for _ in range(5):
            waker.wake("relay")
        assert tasks_in("relay") == 0
        waker.flush()
        assert tasks_in("relay") == 1
    assert tasks_in("relay") == 1


def test_with_valkey_dead_work_is_accepted_and_the_sweeper_finds_it(
    channel: Channel, dead_valkey: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert inbound.accept(channel.pk, "m1", b"hi")
    waker.begin("inbound")
    assert jobs.overdue(InboundEvent)
    monkeypatch.undo()  # Valkey is back
    assert tasks_in("inbound") == 0
    tasks.sweep.run()
    assert tasks_in("inbound") == 1


def test_every_queue_of_rows_has_a_drain_and_a_celery_queue() -> None:
    from django.apps import apps

    queues = {model.QUEUE for model in apps.get_models() if issubclass(model, jobs.LeasedJob)} | {"relay"}
    assert queues == set(desk.DRAINS)
    assert queues <= set(desk.CELERY_QUEUES)
