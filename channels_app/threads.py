"""A customer's line on a channel: found, or made by the first message on it."""

from datetime import datetime
from uuid import UUID

from channels_app.models import Thread

_LINE = """
INSERT INTO channels_app_thread (channel_id, key, address, name, last_inbound_at, last_seq, created_at)
VALUES (%s, %s, %s, %s, %s, 0, now())
ON CONFLICT (channel_id, key) DO UPDATE
    SET last_inbound_at = greatest(channels_app_thread.last_inbound_at, excluded.last_inbound_at)
RETURNING *, xmax = 0 AS is_fresh
"""


def line(*, channel_id: UUID, key: str, address: str, name: str, at: datetime) -> Thread:
    """The line with its last inbound moment brought up to `at`, in the caller's transaction; one statement.

    `is_fresh` says whether it was just made. Two first messages may meet here: one row results.
    """
    return Thread.objects.raw(_LINE, [channel_id, key, address, name, at])[0]
