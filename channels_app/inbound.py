"""From raw bytes at the door to a settled receipt."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models.functions import Length
from django.utils.timezone import now

from channels_app import health, ports, registry
from channels_app.contracts import Arrival, Item, Origin
from channels_app.models import Channel, InboundEvent, InboundRaw
from helpdesk.core import jobs
from helpdesk.core.logs import request_id
from helpdesk.core.text import short_id, storable

SMALL_BODY = 256 * 1024  # bytes
_marked: dict[UUID, float] = {}  # when this process last said so of a channel

_ACCEPT = """
WITH event AS (
    INSERT INTO channels_app_inboundevent
        (channel_id, external_id, meta, created_at, lane, state, attempts, due_at, fence, last_error, request_id)
    VALUES (%s, %s, %s, now(), '', 'pending', 0, now(), 0, '', %s)
    ON CONFLICT (channel_id, external_id) DO NOTHING RETURNING id)
INSERT INTO channels_app_inboundraw (event_id, body) SELECT id, %s FROM event RETURNING event_id
"""

# The items of one call keep their order: the ids of their receipts grow with it.
_ACCEPT_ALL = """
WITH given AS (
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bytea[])
        WITH ORDINALITY AS item (channel_id, external_id, body, nr)),
event AS (
    INSERT INTO channels_app_inboundevent
        (channel_id, external_id, meta, created_at, lane, state, attempts, due_at, fence, last_error, request_id)
    SELECT channel_id, external_id, '{}', now(), '', 'pending', 0, now(), 0, '', %s FROM given ORDER BY nr
    ON CONFLICT (channel_id, external_id) DO NOTHING RETURNING id, channel_id, external_id)
INSERT INTO channels_app_inboundraw (event_id, body)
    SELECT event.id, given.body FROM event JOIN given USING (channel_id, external_id)
"""


def accept(channel_id: UUID, external_id: str, raw: bytes, meta: dict[str, Any] | None = None) -> bool:
    """Keep the bytes before anybody is answered. True when they are new, False for a repeat.

    Durable when it returns, unless the caller holds a transaction: then when that commits.
    One statement, one commit: the receipt and its bytes appear together.
    """
    if not external_id:
        raise ValueError("an inbound item needs an id")
    kept_id, known = short_id(storable(external_id)), json.dumps(storable(meta or {}))
    with connection.cursor() as cursor:
        cursor.execute(_ACCEPT, [channel_id, kept_id, known, request_id() or uuid4().hex, raw])
        fresh = cursor.fetchone() is not None
    if fresh:
        jobs.wake_queue(InboundEvent.QUEUE)
    return fresh


def accept_all(arrived: Sequence[tuple[UUID, Item]]) -> int:
    """Keep every item of a provider's call at once, each for its channel. How many are new; durable as in `accept`."""
    if not arrived:
        return 0
    unique = {(channel_id, short_id(storable(item.external_id))): item.raw for channel_id, item in arrived}
    channels = [channel_id for channel_id, _id in unique]
    ids = [external_id for _channel, external_id in unique]
    if not all(ids):
        raise ValueError("an inbound item needs an id")
    with connection.cursor() as cursor:
        cursor.execute(_ACCEPT_ALL, [channels, ids, list(unique.values()), request_id() or uuid4().hex])
        fresh = cursor.rowcount
    if fresh:
        jobs.wake_queue(InboundEvent.QUEUE)
    return fresh


def drain() -> None:
    """Turn every kept receipt that is due into ticket changes, each exactly once."""
    jobs.drain(InboundEvent, _hand_over, prepare=_read_bodies)


def retry(event_id: int) -> bool:
    """Give a failed receipt another chance. False when it has not failed."""
    with transaction.atomic():
        event = InboundEvent.objects.filter(pk=event_id).first()
        return event is not None and jobs.revive(event)


def forget(event_ids: Sequence[int]) -> None:
    """Blank the kept bytes of receipts whose words were taken back, in the caller's transaction; the receipts stay."""
    InboundRaw.objects.filter(event_id__in=event_ids).update(body=b"")


def _hand_over(held: jobs.Claim) -> None:
    event = held.job
    channel = registry.channel(event.channel_id)
    own = registry.own_addresses()
    arrival = Arrival(
        channel_id=channel.id,
        channel_address=channel.address,
        external_id=event.external_id,
        raw=event.body if event.body is not None else bytes(InboundRaw.objects.get(pk=event.pk).body),
        meta=event.meta,
        received_at=event.created_at,
        config=channel.config,
        own_addresses=own,
    )
    items = registry.adapter(channel.kind).parse(arrival)
    origin = Origin(channel=channel, event_id=event.pk, received_at=event.created_at, own_addresses=own)
    with transaction.atomic():
        for item in items:
            ports.hand_over(item, origin)
        jobs.settle(held)  # the effects and the receipt commit together
    _mark_alive(channel.id, event.created_at)


def _read_bodies(claims: list[jobs.Claim]) -> None:
    """The bytes of a batch at once; a large one is read when its turn comes, so that a batch fits into memory."""
    events = {held.job.pk: held.job for held in claims}
    small = InboundRaw.objects.alias(size=Length("body")).filter(pk__in=events, size__lte=SMALL_BODY)
    for event_id, body in small.values_list("pk", "body"):
        events[event_id].body = bytes(body)


def _mark_alive(channel_id: UUID, at: datetime) -> None:
    """Remember, once a minute at most, that the channel brought something."""
    if _marked.get(channel_id, float("-inf")) > monotonic() - 60:
        return
    _marked[channel_id] = monotonic()
    minute_ago = now() - timedelta(minutes=1)
    if Channel.objects.filter(pk=channel_id).exclude(last_inbound_at__gt=minute_ago).exists():
        health.heard(channel_id=channel_id, at=at)
