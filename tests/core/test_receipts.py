"""Receipts: accepted once, worked on under a lease, effect and receipt in one transaction."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils.timezone import now

from channels_app import inbound, ports
from channels_app.contracts import NewMessage, Origin
from channels_app.models import Channel, InboundEvent
from helpdesk.core import jobs, valkey
from helpdesk.core.errors import LostLease
from tests.core.conftest import effects_of, write_effect
from tests.core.doubles import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("effects")]


def arrive(channel: Channel, external_id: str, body: str = "hi") -> InboundEvent:
    assert inbound.accept(channel.pk, external_id, body.encode())
    return InboundEvent.objects.get(external_id=external_id)


def let_lease_end(event: InboundEvent) -> None:
    InboundEvent.objects.filter(pk=event.pk, state="running").update(due_at=now() - timedelta(seconds=1))


def plug(monkeypatch: pytest.MonkeyPatch, handler: ports.Handler) -> None:
    monkeypatch.setitem(ports._handlers, NewMessage, handler)


def test_twelve_repeats_at_once_are_one_receipt_and_one_wake(channel: Channel) -> None:
    raised = together(12, lambda: inbound.accept(channel.pk, "m1", b"hi"))
    assert raised == []
    assert InboundEvent.objects.count() == 1
    assert valkey.client().llen("inbound") == 1


def test_twelve_workers_make_one_effect_of_it(channel: Channel) -> None:
    event = arrive(channel, "m1")
    assert together(12, inbound.drain) == []
    event.refresh_from_db()
    assert (event.state, event.attempts, effects_of()) == ("done", 1, [("m1", event.pk)])
    inbound.drain()
    assert len(effects_of()) == 1


def test_many_receipts_and_many_workers_each_effect_once(channel: Channel) -> None:
    for number in range(120):
        inbound.accept(channel.pk, f"m{number}", b"hi")
    assert together(6, inbound.drain) == []
    assert sorted(who for who, _event in effects_of()) == sorted(f"m{number}" for number in range(120))
    assert set(InboundEvent.objects.values_list("state", "attempts")) == {("done", 1)}


def test_a_bug_rolls_everything_back_and_the_next_attempt_succeeds_once(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def flaky(item: NewMessage, origin: Origin) -> None:
        write_effect(item, origin)
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("bug after writing")

    plug(monkeypatch, flaky)
    event = arrive(channel, "m2")
    inbound.drain()
    event.refresh_from_db()
    assert (event.state, effects_of()) == ("pending", [])
    assert "bug after writing" in event.last_error
    wait = (event.due_at - now()).total_seconds()
    assert 10 < wait < 20  # 15 s with jitter, doubling from there
    InboundEvent.objects.update(due_at=now())
    inbound.drain()
    assert len(effects_of("m2")) == 1


def test_what_cannot_be_read_fails_visibly_at_once_and_can_be_revived(channel: Channel) -> None:
    event = arrive(channel, "m3", "poison")
    inbound.drain()
    event.refresh_from_db()
    assert (event.state, event.attempts, event.last_error) == ("failed", 1, "not parseable")
    assert inbound.retry(event.pk)
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("pending", 0)
    assert not inbound.retry(event.pk)


def test_a_worker_that_comes_too_late_is_fenced_off_and_its_writes_roll_back(channel: Channel) -> None:
    event = arrive(channel, "m4")
    [late] = jobs.claim(InboundEvent, 1, lease=timedelta(seconds=-1))
    inbound.drain()
    assert len(effects_of("m4")) == 1
    with pytest.raises(LostLease), transaction.atomic():
        write_effect(
            NewMessage(external_id="m4", thread_key="t", sender=None, occurred_at=now()),  # type: ignore[arg-type]
            Origin(channel=None, event_id=event.pk, received_at=now()),  # type: ignore[arg-type]
        )
        jobs.settle(late)
    assert len(effects_of("m4")) == 1


def test_a_stale_claim_can_neither_finish_nor_fail_nor_postpone_the_new_one(channel: Channel) -> None:
    event = arrive(channel, "m5")
    [stale] = jobs.claim(InboundEvent, 1, lease=timedelta(seconds=-1))
    [fresh] = jobs.claim(InboundEvent, 1)
    assert (stale.recovered, fresh.recovered) == (False, True)
    with pytest.raises(LostLease), transaction.atomic():
        jobs.settle(stale)
    jobs._give_up(stale, jobs.GiveUp("late"), None)
    jobs._postpone(stale, "late", None)
    event.refresh_from_db()
    assert (event.state, event.fence, event.last_error) == ("running", fresh.job.fence, "")
    jobs.settle(fresh)
    event.refresh_from_db()
    assert event.state == "done"


def test_a_lease_lost_in_the_middle_leaves_one_effect(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    event = arrive(channel, "m6")
    first = []

    def slow(item: NewMessage, origin: Origin) -> None:
        if not first:
            first.append(1)
            other = threading.Thread(target=lambda: (let_lease_end(event), inbound.drain(), connections.close_all()))
            other.start()
            other.join()
        write_effect(item, origin)

    plug(monkeypatch, slow)
    inbound.drain()
    event.refresh_from_db()
    assert (event.state, event.attempts, len(effects_of("m6"))) == ("done", 2, 1)


def test_nobody_may_touch_a_running_job_before_its_lease_ends(channel: Channel) -> None:
    event = arrive(channel, "m7")
    [held] = jobs.claim(InboundEvent, 1)
    assert jobs.claim(InboundEvent, 25) == []
    let_lease_end(event)
    [again] = jobs.claim(InboundEvent, 25)
    assert (again.recovered, again.job.fence) == (True, held.job.fence + 1)


def test_a_receipt_that_kills_its_worker_twelve_times_is_given_up_and_takes_no_neighbour_along(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadly(item: NewMessage, origin: Origin) -> None:
        if item.external_id == "deadly":
            raise SystemExit("out of memory")
        write_effect(item, origin)

    plug(monkeypatch, deadly)
    event = arrive(channel, "deadly")
    for number in range(5):
        inbound.accept(channel.pk, f"good{number}", b"hi")
    for _ in range(jobs.MAX_ATTEMPTS):
        with pytest.raises(SystemExit):
            inbound.drain()
        InboundEvent.objects.filter(state="running").update(due_at=now() - timedelta(seconds=1))
    inbound.drain()
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("failed", jobs.MAX_ATTEMPTS + 1)
    assert event.last_error == "every attempt took the worker down"
    assert sorted(who for who, _ in effects_of()) == [f"good{number}" for number in range(5)]
    assert not InboundEvent.objects.filter(state="failed").exclude(pk=event.pk).exists()


def test_orphans_are_claimed_alone(channel: Channel) -> None:
    for number in range(6):
        inbound.accept(channel.pk, f"m{number}", b"hi")
    assert len(jobs.claim(InboundEvent, 3, lease=timedelta(seconds=-1))) == 3
    sizes = []
    while held := jobs.claim(InboundEvent, 25):
        sizes.append(len(held))
    assert sizes == [1, 1, 1, 3]


def test_retries_run_out_after_twelve(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(item: NewMessage, origin: Origin) -> None:
        raise jobs.Retry("busy", after=0.001)

    plug(monkeypatch, busy)
    event = arrive(channel, "m8")
    for _ in range(jobs.MAX_ATTEMPTS + 3):
        InboundEvent.objects.filter(state="pending").update(due_at=now())
        inbound.drain()
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("failed", jobs.MAX_ATTEMPTS)


def test_the_hostile_id_and_meta_are_kept_without_what_postgres_refuses(channel: Channel) -> None:
    assert inbound.accept(channel.pk, "a\x00b\ud800", b"hi", {"peer": "x\x00", "deep": ["\udfff"]})
    event = InboundEvent.objects.get()
    assert (event.external_id, event.meta) == ("a\ufffdb\ufffd", {"peer": "x\ufffd", "deep": ["\ufffd"]})
    long = "x" * 300
    assert inbound.accept(channel.pk, long + "1", b"hi")
    assert inbound.accept(channel.pk, long + "2", b"hi"), "two long ids stay two"
    assert not inbound.accept(channel.pk, long + "2", b"hi")


def test_the_database_refuses_a_receipt_without_an_id(channel: Channel) -> None:
    with pytest.raises(ValueError, match="needs an id"):
        inbound.accept(channel.pk, "", b"hi")
    with pytest.raises(IntegrityError):
        InboundEvent.objects.create(channel=channel, external_id="")


def test_a_running_job_is_found_again_by_its_lease_alone(channel: Channel) -> None:
    """due_at is never null, so a running job without an end to its lease cannot exist."""
    event = arrive(channel, "m9")
    with pytest.raises(IntegrityError):
        InboundEvent.objects.filter(pk=event.pk).update(state="running", due_at=None)
