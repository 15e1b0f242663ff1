"""A customer's line on a channel: found, or made by the first message on it."""

from datetime import datetime
from uuid import UUID

from django.db.models import F

from channels_app.models import Thread

_LINE = """
INSERT INTO channels_app_thread AS line
    (channel_id, key, address, name, last_inbound_at, last_seq, created_at, sent_since, quota, unreachable)
VALUES (%s, %s, %s, %s, %s, 0, now(), 0, '{}', '')
ON CONFLICT (channel_id, key) DO UPDATE
    SET last_inbound_at = greatest(line.last_inbound_at, excluded.last_inbound_at),
        name = CASE WHEN line.name = '' THEN excluded.name ELSE line.name END,
        -- Who writes can be answered again; but an opt-out is taken back only by saying so.
        unreachable = CASE WHEN line.unreachable = 'opted_out' THEN 'opted_out' ELSE '' END,
        -- The allowance begins anew with the customer's latest word; an old one that arrives late changes nothing.
        sent_since = CASE WHEN line.last_inbound_at >= excluded.last_inbound_at THEN line.sent_since ELSE 0 END,
        quota = CASE WHEN line.last_inbound_at >= excluded.last_inbound_at THEN line.quota ELSE '{}' END
RETURNING *, xmax = 0 AS is_fresh
"""


def line(*, channel_id: UUID, key: str, address: str, name: str, at: datetime) -> Thread:
    """The line with its last inbound moment brought up to `at`, in the caller's transaction; one statement.

    `is_fresh` says whether it was just made. Two first messages may meet here: one row results.
    """
    return Thread.objects.raw(_LINE, [channel_id, key, address, name, at])[0]


def spoken_to(*, channel_id: UUID, key: str, address: str, name: str) -> Thread:
    """The line on which somebody spoke to a customer in the provider's own app, in the caller's transaction.

    What was sent there counts against what may be sent.
    """
    thread, _fresh = Thread.objects.get_or_create(
        channel_id=channel_id, key=key, defaults={"address": address, "name": name}
    )
    Thread.objects.filter(pk=thread.pk).update(sent_since=F("sent_since") + 1)
    return thread
