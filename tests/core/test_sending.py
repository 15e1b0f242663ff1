"""The outbox: one send at a time, never twice blindly, in order within a lane, failures told as they are recorded."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from channels_app import outbound
from channels_app.contracts import OutboundEnvelope, Receipt
from channels_app.models import Channel, Delivery
from helpdesk.core import jobs, valkey
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Retry
from helpdesk.core.models import EventLog
from tests.core.doubles import FakeAdapter, together

pytestmark = pytest.mark.django_db(transaction=True)
_messages = count(1)


def promise(channel: Channel, text: str = "x", lane: str = "", message_id: int = 0, part: int = 0) -> Delivery:
    envelope = OutboundEnvelope(idempotency_key="", to="someone", text=text)
    with transaction.atomic():
        return outbound.enqueue(
            channel_id=channel.pk,
            message_id=message_id or next(_messages),
            envelope=envelope,
            lane=lane,
            part=part,
        )


def let_lease_end(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk, state="running").update(due_at=now() - timedelta(seconds=1))


def told(topic: str, delivery: Delivery) -> int:
    return EventLog.objects.filter(topic=topic, payload__delivery_id=delivery.pk).count()


def state(delivery: Delivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.outcome


def test_twelve_senders_at_once_send_once(channel: Channel, fake: FakeAdapter) -> None:
    delivery = promise(channel)
    assert together(12, outbound.drain) == []
    assert (state(delivery), fake.sent) == (("done", "sent"), [str(delivery.pk)])
    assert told("delivery.sent", delivery) == 1


def test_a_part_is_promised_once(channel: Channel) -> None:
    delivery = promise(channel)
    assert delivery.message_id
    with pytest.raises(IntegrityError):
        promise(channel, message_id=delivery.message_id)
    promise(channel, message_id=delivery.message_id, part=1)


def test_a_rollback_drops_the_promise_and_the_wake(channel: Channel) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        outbound.enqueue(
            channel_id=channel.pk, message_id=1, envelope=OutboundEnvelope(idempotency_key="", to="someone")
        )
        raise RuntimeError
    assert Delivery.objects.count() == 0
    assert valkey.client().llen("deliver") == 0


def test_killed_after_the_send_an_idempotent_channel_sends_again_under_the_same_key(
    channel: Channel, fake: FakeAdapter
) -> None:
    delivery = promise(channel)
    fake.mode = "killed"
    with pytest.raises(SystemExit):
        outbound.drain()
    assert state(delivery)[0] == "running"
    fake.mode = ""
    outbound.drain()
    assert len(fake.sent) == 1, "its lease protects it"
    let_lease_end(delivery)
    outbound.drain()
    assert state(delivery) == ("done", "sent")
    assert fake.sent == [str(delivery.pk)] * 2


def test_killed_after_the_send_any_other_channel_says_unknown_and_never_repeats(
    channel: Channel, fake: FakeAdapter
) -> None:
    fake.idempotent = False
    delivery = promise(channel)
    fake.mode = "killed"
    with pytest.raises(SystemExit):
        outbound.drain()
    fake.mode = ""
    let_lease_end(delivery)
    outbound.drain()
    outbound.drain()
    assert state(delivery) == ("failed", "unknown")
    assert len(fake.sent) == 1
    assert told("delivery.failed", delivery) == 1
    assert EventLog.objects.get(topic="delivery.failed").payload["uncertain"] is True


def test_a_killed_worker_leaves_exactly_one_send_in_doubt(channel: Channel, fake: FakeAdapter) -> None:
    fake.idempotent = False
    waiting = [promise(channel) for _ in range(4)]
    fake.mode = "killed"
    with pytest.raises(SystemExit):
        outbound.drain()
    assert Delivery.objects.filter(state="running").count() == 1
    fake.mode = ""
    Delivery.objects.filter(state="running").update(due_at=now() - timedelta(seconds=1))
    outbound.drain()
    assert sorted(state(one)[1] for one in waiting) == ["sent", "sent", "sent", "unknown"]


def test_an_error_after_the_send_leaves_the_lease_and_ends_as_unknown(
    channel: Channel, fake: FakeAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.idempotent = False
    delivery = promise(channel)

    def bug(*events: object, **named: object) -> None:
        raise RuntimeError("bug while recording")

    with monkeypatch.context() as patched:
        patched.setattr(outbound, "record", bug)
        outbound.drain()
    assert state(delivery)[0] == "running"
    let_lease_end(delivery)
    outbound.drain()
    assert (state(delivery), len(fake.sent)) == (("failed", "unknown"), 1)


def test_an_error_before_the_send_is_no_doubt_and_is_tried_again(
    channel: Channel, fake: FakeAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.idempotent = False
    delivery = promise(channel)
    with monkeypatch.context() as patched:
        patched.setattr(outbound, "_envelope", lambda row: 1 / 0)
        outbound.drain()
    assert state(delivery) == ("pending", "")
    Delivery.objects.update(due_at=now())
    outbound.drain()
    assert (state(delivery), len(fake.sent)) == (("done", "sent"), 1)


def test_a_refusal_fails_at_once_and_busy_is_tried_twelve_times_and_both_are_told_once(
    channel: Channel, fake: FakeAdapter
) -> None:
    refused, busy = promise(channel), promise(channel)
    fake.mode = "retry"
    Delivery.objects.filter(pk=refused.pk).update(due_at=now() + timedelta(hours=1))
    for _ in range(jobs.MAX_ATTEMPTS + 2):
        Delivery.objects.filter(pk=busy.pk, state="pending").update(due_at=now())
        outbound.drain()
    busy.refresh_from_db()
    assert (busy.state, busy.outcome, busy.attempts) == ("failed", "failed", jobs.MAX_ATTEMPTS)
    assert told("delivery.failed", busy) == 1
    fake.mode = "give up"
    Delivery.objects.filter(pk=refused.pk).update(due_at=now())
    outbound.drain()
    refused.refresh_from_db()
    assert (refused.state, refused.outcome, refused.attempts) == ("failed", "failed", 1)
    assert refused.last_error == "no such person"
    assert told("delivery.failed", refused) == 1
    assert fake.sent == []


def test_a_later_answer_waits_for_an_earlier_one_and_other_lanes_do_not(channel: Channel, fake: FakeAdapter) -> None:
    first, second = promise(channel, "1", lane="t1"), promise(channel, "2", lane="t1")
    other = promise(channel, "3", lane="t2")
    fake.mode = "retry"
    Delivery.objects.filter(pk=other.pk).update(due_at=now() + timedelta(hours=1))
    outbound.drain()
    Delivery.objects.filter(pk=first.pk).update(due_at=now() + timedelta(hours=1))
    Delivery.objects.filter(pk=other.pk).update(due_at=now())
    fake.mode = ""
    outbound.drain()
    assert fake.texts == ["3"]
    assert state(second)[0] == "pending"
    Delivery.objects.filter(pk=first.pk).update(due_at=now())
    assert together(6, outbound.drain) == []
    assert fake.texts == ["3", "1", "2"]


def test_lanes_keep_their_order_under_retries_and_many_senders(channel: Channel, fake: FakeAdapter) -> None:
    sent_before = [promise(channel, f"{lane}:{number}", lane=lane) for number in range(5) for lane in "abc"]
    fake.mode = "retry"
    for _ in range(3):
        Delivery.objects.filter(state="pending").update(due_at=now())
        outbound.drain()
    fake.mode = ""
    Delivery.objects.filter(state="pending").update(due_at=now())
    for _ in range(3):
        assert together(4, outbound.drain) == []
    assert {state(one) for one in sent_before} == {("done", "sent")}
    for lane in "abc":
        mine = [text for text in fake.texts if text.startswith(lane)]
        assert mine == [f"{lane}:{number}" for number in range(5)]


def test_a_head_that_is_given_up_or_unknown_does_not_block_its_lane(channel: Channel, fake: FakeAdapter) -> None:
    fake.idempotent = False
    first, second, third = (promise(channel, str(number), lane="z") for number in range(3))
    fake.mode = "give up"
    Delivery.objects.filter(pk__in=[second.pk, third.pk]).update(due_at=now() + timedelta(hours=1))
    outbound.drain()
    Delivery.objects.filter(pk=second.pk).update(due_at=now())
    fake.mode = "killed"
    with pytest.raises(SystemExit):
        outbound.drain()
    let_lease_end(second)
    Delivery.objects.filter(pk=third.pk).update(due_at=now())
    fake.mode = ""
    outbound.drain()
    assert [state(one)[1] for one in (first, second, third)] == ["failed", "unknown", "sent"]


def test_retry_sends_only_the_parts_that_failed(channel: Channel, fake: FakeAdapter) -> None:
    @transaction.atomic
    def ask_again() -> int:
        return outbound.retry(message_id=900_001, actor=Actor.system())

    arrived = promise(channel, "arrived", message_id=900_001)
    outbound.drain()
    fake.mode = "give up"
    failed = promise(channel, "failed", message_id=900_001, part=1)
    outbound.drain()
    Delivery.objects.filter(pk=promise(channel, "doubt", message_id=900_001, part=2).pk).update(
        state="failed", outcome="unknown"
    )
    fake.mode = ""
    assert ask_again() == 1
    outbound.drain()
    assert fake.texts == ["arrived", "failed"]
    assert (state(arrived), state(failed)) == (("done", "sent"), ("done", "sent"))
    assert ask_again() == 1, "now the doubtful one, because somebody asks for it"
    outbound.drain()
    assert fake.texts == ["arrived", "failed", "doubt"]
    assert ask_again() == 0


def test_take_back_wins_before_a_worker_has_it_and_loses_after(channel: Channel, fake: FakeAdapter) -> None:
    early, late = promise(channel), promise(channel)
    assert early.message_id
    assert late.message_id
    Delivery.objects.filter(pk=late.pk).update(due_at=now() - timedelta(seconds=9))
    jobs.claim(Delivery, 1)
    with transaction.atomic():
        assert not outbound.take_back(message_id=late.message_id)
        assert outbound.take_back(message_id=early.message_id)
    outbound.drain()
    assert (state(early), fake.sent) == (("done", "taken_back"), [])


def test_take_back_and_the_senders_never_both_win(channel: Channel, fake: FakeAdapter) -> None:
    for _ in range(8):
        delivery = promise(channel)
        assert delivery.message_id
        won = []

        def race(delivery: Delivery = delivery, won: list[bool] = won) -> None:
            with transaction.atomic():
                if outbound.take_back(message_id=delivery.message_id or 0):
                    won.append(True)
            outbound.drain()

        assert together(3, race) == []
        assert len(won) + fake.sent.count(str(delivery.pk)) == 1


def test_reports_stand_by_the_furthest_and_wait_for_a_running_send(channel: Channel, fake: FakeAdapter) -> None:
    delivery = promise(channel)
    Delivery.objects.update(provider_id="ref")
    [held] = jobs.claim(Delivery, 1)
    with pytest.raises(Retry), transaction.atomic():
        outbound.report(Receipt(reference="ref", state="failed"))
    jobs.settle(held, provider_id="ref", outcome="sent")
    for said, stands in (("read", "read"), ("delivered", "read"), ("failed", "failed"), ("delivered", "delivered")):
        with transaction.atomic():
            outbound.report(Receipt(reference="ref", state=said, reason="why"))
        assert state(delivery)[1] == stands
        assert delivery.state == ("failed" if stands == "failed" else "done")


def test_the_retired_channel_gives_up_and_says_why(channel: Channel) -> None:
    Channel.objects.update(is_active=False)
    delivery = promise(channel)
    outbound.drain()
    assert state(delivery) == ("failed", "failed")
    assert "retired" in delivery.last_error
