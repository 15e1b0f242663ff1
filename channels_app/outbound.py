"""From a promise to send to a settled delivery, and what is reported of it afterwards."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now

from channels_app import registry
from channels_app.contracts import OutboundEnvelope, OutboundFile, Receipt
from channels_app.events import DeliveryFailed, DeliveryReported, DeliveryRetried, DeliverySent
from channels_app.models import Delivery
from helpdesk.core import jobs, waker
from helpdesk.core.actor import Actor
from helpdesk.core.errors import GiveUp, Uncertain
from helpdesk.core.recorder import record

_SYSTEM = Actor.system()
_RANK = {"": 0, "sent": 1, "delivered": 2, "read": 3}


def enqueue(
    *,
    channel_id: UUID | None,
    message_id: int | None,
    envelope: OutboundEnvelope,
    part: int = 0,
    lane: str = "",
    due_at: datetime | None = None,
) -> Delivery:
    """Promise to send, in the caller's transaction. A second promise for one part breaks the constraint."""
    delivery = Delivery.objects.create(
        channel_id=channel_id,
        message_id=message_id,
        part=part,
        payload=asdict(envelope),
        lane=lane,
        due_at=due_at or now(),
    )
    if due_at is None:
        jobs.wake(delivery)
    return delivery


def drain() -> None:
    """Send what is due. The network call happens outside any transaction."""
    jobs.drain(Delivery, _send, failed=_tell, repeatable=False)


def due() -> datetime | None:
    """Clock finder: wakes the senders when a held or postponed delivery falls due; returns the next moment."""
    first = Delivery.objects.filter(state="pending").order_by("due_at").values_list("due_at", flat=True).first()
    if first and first <= now():
        waker.wake(Delivery.QUEUE)
        return None
    return first


def take_back(*, message_id: int) -> bool:
    """Stop what no worker has begun to send, in the caller's transaction. False when it is too late."""
    waiting = Delivery.objects.select_for_update().filter(message_id=message_id)
    if any(delivery.state != "pending" or delivery.attempts for delivery in waiting):
        return False
    return bool(waiting.update(state="done", outcome=Delivery.Outcome.TAKEN_BACK))


def retry(*, message_id: int, actor: Actor) -> int:
    """A new attempt for each failed part, in the caller's transaction; the parts that arrived stay. How many."""
    revived = 0
    for delivery in Delivery.objects.select_for_update().filter(message_id=message_id, state="failed"):
        if jobs.revive(delivery, outcome="", tries=delivery.tries + 1):
            revived += 1
            record(DeliveryRetried(delivery_id=delivery.pk, message_id=message_id), actor=actor)
    return revived


def report(receipt: Receipt) -> None:
    """What the other side says became of something we sent, in the caller's transaction."""
    if not receipt.reference:
        return
    for delivery in Delivery.objects.select_for_update().filter(provider_id=receipt.reference):
        outcome = receipt.state
        if outcome != "failed" and _RANK.get(outcome, 0) <= _RANK.get(delivery.outcome, 0):
            continue  # receipts come twice and out of order: the furthest one stands
        delivery.outcome = outcome
        delivery.last_error = receipt.reason[:500]
        if outcome == "failed":
            delivery.state = "failed"
        delivery.save(update_fields=["outcome", "last_error", "state"])
        event = DeliveryReported(delivery_id=delivery.pk, message_id=delivery.message_id, outcome=outcome)
        record(event, actor=_SYSTEM)


def _send(held: jobs.Claim) -> None:
    delivery: Delivery = held.job
    envelope = _envelope(delivery)
    kind = registry.channel(delivery.channel_id).kind if delivery.channel_id else "email"
    adapter = registry.adapter(kind)
    if held.recovered and not adapter.idempotent:
        raise Uncertain("an earlier attempt stopped half-way: it may have reached the customer")
    if delivery.channel_id is None:
        result = adapter.send(registry.first_mailbox(), envelope)
    else:
        channel = registry.channel(delivery.channel_id)
        if not channel.is_active:
            raise GiveUp("the channel has been retired")
        result = adapter.send(channel, envelope)
    with transaction.atomic():
        jobs.settle(held, provider_id=result.provider_id[:255], outcome=result.state)
        record(DeliverySent(delivery_id=delivery.pk, message_id=delivery.message_id), actor=_SYSTEM)


def _tell(delivery: Delivery, error: GiveUp) -> None:
    uncertain = isinstance(error, Uncertain)
    outcome = Delivery.Outcome.UNKNOWN if uncertain else Delivery.Outcome.FAILED
    Delivery.objects.filter(pk=delivery.pk).update(outcome=outcome)
    event = DeliveryFailed(delivery_id=delivery.pk, message_id=delivery.message_id, uncertain=uncertain)
    record(event, actor=_SYSTEM)


def _envelope(delivery: Delivery) -> OutboundEnvelope:
    payload = dict(delivery.payload)
    payload["files"] = tuple(OutboundFile(**file) for file in payload["files"])
    payload["references"] = tuple(payload["references"])
    payload["cc"] = tuple(payload["cc"])
    payload["idempotency_key"] = str(delivery.pk)
    return OutboundEnvelope(**payload)
