"""From a promise to send to a settled delivery, and what is reported of it afterwards."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app import health, registry, tokens
from channels_app.contracts import Echo, OutboundEnvelope, OutboundFile, Receipt, SendResult
from channels_app.events import DeliveryFailed, DeliveryReported, DeliveryRetried, DeliverySent
from channels_app.models import Delivery, Thread
from helpdesk.core import jobs, waker
from helpdesk.core.actor import Actor
from helpdesk.core.errors import DomainError, GiveUp, Reauthorise, Retry, Uncertain
from helpdesk.core.recorder import record
from helpdesk.core.text import short_id, storable

_SYSTEM = Actor.system()
_RANK = {"": 0, "sent": 1, "failed": 1, "delivered": 2, "read": 3}  # a late "sent" does not undo a failure


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
        payload=storable(asdict(envelope)),
        thread_key=short_id(storable(envelope.thread_key)),
        provider_id=envelope.message_id[:255],  # a bounce may be quicker than the end of our own sending
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


def retry(*, message_id: int, actor: Actor, past_window: bool = False) -> int:
    """A new attempt for each failed part, in the caller's transaction; the parts that arrived stay. How many.

    A part that may have arrived is sent again only when nothing else failed: then that is what the actor asks for.
    past_window: the usual window has closed meanwhile, as in the envelope.
    """
    revived = 0
    stuck = list(Delivery.objects.select_for_update().filter(message_id=message_id, state="failed").order_by("pk"))
    failed = [delivery for delivery in stuck if delivery.outcome != Delivery.Outcome.UNKNOWN]
    for delivery in failed or stuck:
        payload = delivery.payload | {"past_window": past_window}
        if jobs.revive(delivery, outcome="", tries=delivery.tries + 1, payload=payload):
            revived += 1
            record(DeliveryRetried(delivery_id=delivery.pk, message_id=message_id), actor=actor)
    return revived


def report(receipt: Receipt, *, channel_id: UUID | None = None) -> None:
    """What the other side says became of something we sent, in the caller's transaction.

    By the provider's id, by the key we gave when sending, or everything on a line up to a moment (then channel_id is
    needed). Raises Retry while the sending has not come to its end: the two would overwrite each other.
    """
    told = _told(receipt, channel_id)
    if receipt.reference and receipt.thread_key and told is not None and not told.exists():
        _ensure_nothing_leaves(receipt.thread_key, channel_id)
    for delivery in told.select_for_update().order_by("pk") if told is not None else ():
        if delivery.state == "running":
            if not receipt.reference and not receipt.our_key:
                continue  # it was not there yet when everything before was read
            raise Retry(gettext_noop("what it speaks of is still being sent"), after=2)
        if delivery.state == "pending":
            continue  # it speaks of an earlier attempt; the next one is on its way
        known = delivery.provider_id if receipt.our_key and receipt.reference and delivery.state == "done" else ""
        if known and known != receipt.reference[:255]:
            continue  # of an earlier attempt, or of somebody else's message that bears the same key
        outcome = receipt.state
        if outcome != "failed" and _RANK.get(outcome, 0) <= _RANK.get(delivery.outcome, 0):
            continue  # receipts come twice and out of order: the furthest one stands
        delivery.outcome = outcome
        delivery.last_error = receipt.reason[:500]
        delivery.state = "failed" if outcome == "failed" else "done"
        delivery.provider_id = receipt.reference[:255] or delivery.provider_id
        delivery.save(update_fields=["outcome", "last_error", "state", "provider_id"])
        event = DeliveryReported(delivery_id=delivery.pk, message_id=delivery.message_id, outcome=outcome)
        record(event, actor=_SYSTEM)
        if receipt.stops_channel and delivery.channel_id:
            health.trouble(channel_id=delivery.channel_id, kind=health.AUTH, problem=receipt.reason)


def message_of(provider_id: str, *, channel_id: UUID) -> int | None:
    """Which message of ours the provider calls so on this channel; None when none."""
    own = Delivery.objects.filter(channel_id=channel_id, provider_id=provider_id[:255], message_id__isnull=False)
    return own.order_by("-pk").values_list("message_id", flat=True).first() if provider_id else None


def forget(*, message_id: int) -> None:
    """Blank what was sent of a message that was taken back, in the caller's transaction; what became of it stays.

    A part that has not left never will.
    """
    for delivery in Delivery.objects.select_for_update().filter(message_id=message_id):
        delivery.payload = delivery.payload | {"text": "", "html": "", "subject": "", "files": [], "client": {}}
        if delivery.state == "pending":
            delivery.state, delivery.outcome = "done", Delivery.Outcome.TAKEN_BACK
        delivery.save(update_fields=["payload", "state", "outcome"])


def recognise(echo: Echo, *, channel_id: UUID) -> bool:
    """Whether an echo is of something we sent, in the caller's transaction; one that was in doubt has then arrived.

    By our key or the provider's id; else by the same words on the same line, among what is in doubt. Raises Retry
    while something on this line is just being sent: its id is not known yet.
    """
    own = Delivery.objects.select_for_update().filter(channel_id=channel_id)
    if echo.our_key:
        found = own.filter(pk=int(echo.our_key)).first() if echo.our_key.isdecimal() else None
    else:
        found = own.filter(provider_id=echo.external_id[:255]).first()
    on_line = Q(thread_key=short_id(echo.thread_key))
    if found is None:
        _ensure_nothing_leaves(echo.thread_key, channel_id)
    if found is None:
        doubtful = own.filter(on_line, outcome=Delivery.Outcome.UNKNOWN, payload__text=echo.text)
        found = doubtful.order_by("pk").first()
    if found is None:
        return False
    reference = Receipt(reference=echo.external_id, state="sent", our_key=str(found.pk))
    report(reference, channel_id=channel_id)
    return True


def _ensure_nothing_leaves(thread_key: str, channel_id: UUID | None) -> None:
    """A receipt may be quicker than the end of our own sending; raises Retry while something leaves on this line."""
    line = Delivery.objects.filter(thread_key=short_id(thread_key), state="running")
    if channel_id and line.filter(channel_id=channel_id).exists():
        raise Retry(gettext_noop("something on this line is still being sent"), after=2)


def _told(receipt: Receipt, channel_id: UUID | None) -> QuerySet[Delivery] | None:
    """Which deliveries a receipt speaks of; None when it speaks of none."""
    own = Delivery.objects.filter(channel_id=channel_id) if channel_id else Delivery.objects.all()
    if receipt.our_key:
        return own.filter(pk=int(receipt.our_key)) if receipt.our_key.isdecimal() else None
    if receipt.reference:
        return own.filter(provider_id=receipt.reference[:255])
    if receipt.thread_key and receipt.up_to and channel_id:
        line = own.filter(thread_key=short_id(receipt.thread_key))
        lower = [state for state, rank in _RANK.items() if 0 < rank < _RANK.get(receipt.state, 0)]
        sent_before = receipt.up_to + jobs.LEASE  # due_at is when the lease of the attempt that sent it ends
        return line.filter(state="done", outcome__in=lower, due_at__lte=sent_before)
    return None


def _send(held: jobs.Claim) -> None:
    delivery: Delivery = held.job
    try:
        send = _prepare(held)
    except GiveUp:
        raise
    except DomainError as error:
        raise GiveUp(str(error)) from error
    except Exception as error:
        raise Retry(repr(error)) from error  # nothing has left the house yet
    result = send()
    with transaction.atomic():
        jobs.settle(held, provider_id=result.provider_id[:255], outcome=result.state)
        _count_down(delivery, result)
        record(DeliverySent(delivery_id=delivery.pk, message_id=delivery.message_id), actor=_SYSTEM)


def _count_down(delivery: Delivery, result: SendResult) -> None:
    """Keep on the line what a send uses up of what may be sent."""
    if delivery.channel_id is None or not delivery.thread_key:
        return
    line = Thread.objects.filter(channel_id=delivery.channel_id, key=delivery.thread_key)
    changed: dict[str, Any] = {"sent_since": F("sent_since") + 1}
    if result.quota:
        changed["quota"] = result.quota
    line.update(**changed)


def _prepare(held: jobs.Claim) -> Callable[[], SendResult]:
    """All that can go wrong before anything leaves the house; what it returns sends."""
    delivery: Delivery = held.job
    channel = registry.channel(delivery.channel_id) if delivery.channel_id else registry.first_mailbox()
    adapter = registry.adapter(channel.kind)
    if held.recovered and not adapter.idempotent:
        raise Uncertain(gettext_noop("an earlier attempt stopped half-way, it may have reached the customer"))
    if not channel.is_active:
        raise GiveUp(gettext_noop("the channel has been retired"))
    envelope = _envelope(delivery)
    return lambda: tokens.with_key(channel, lambda keyed: adapter.send(keyed, envelope))


def _tell(delivery: Delivery, error: GiveUp) -> None:
    uncertain = isinstance(error, Uncertain)
    outcome = Delivery.Outcome.UNKNOWN if uncertain else Delivery.Outcome.FAILED
    Delivery.objects.filter(pk=delivery.pk).update(outcome=outcome)
    event = DeliveryFailed(delivery_id=delivery.pk, message_id=delivery.message_id, uncertain=uncertain)
    record(event, actor=_SYSTEM)
    if isinstance(error, Reauthorise) and delivery.channel_id:
        health.trouble(channel_id=delivery.channel_id, kind="auth", problem=str(error))


def _envelope(delivery: Delivery) -> OutboundEnvelope:
    payload = dict(delivery.payload)
    payload["files"] = tuple(OutboundFile(**file) for file in payload["files"])
    payload["references"] = tuple(payload["references"])
    payload["cc"] = tuple(payload["cc"])
    payload["choices"] = tuple(payload.get("choices", ()))
    payload["idempotency_key"] = str(delivery.pk)
    return OutboundEnvelope(**payload)
