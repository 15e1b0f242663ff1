"""From recorded events to everyone who reacts: each subscriber reads the log at its own cursor."""

import logging
import time
from collections.abc import Callable, Collection
from functools import cache

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from helpdesk.core import jobs, waker
from helpdesk.core.events import Recorded
from helpdesk.core.models import Cursor, EventLog, Leftover

log = logging.getLogger(__name__)

BATCH = 100
FIRST_LOOK, LONGEST_LOOK = 0.02, 0.32  # seconds between two looks at events above the horizon
_LAST_ID = 2**62  # beyond every id
STRIDE = 1000  # transactions after which a cursor moves on though nothing came that its subscriber wants

# Before the first event of any log, also one that was restored.
START = -(2**62)
# A batch holds every row its subscribers have locked until it commits. It gives way long before PostgreSQL looks
# for a deadlock (one second), so that never a person's action but the relay is the one that starts again.
# Ids are given out before commit: below the oldest open transaction, the horizon, nothing can still appear.
_GIVE_WAY_AND_HORIZON = (
    "SELECT set_config('lock_timeout', '300ms', true), pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
)

React = Callable[[Recorded], None]


@cache
def subscribers() -> dict[str, frozenset[str]]:
    """Dotted path of each subscriber, and the topics it wants."""
    wanted: dict[str, set[str]] = {}
    for topic, paths in import_string(settings.SUBSCRIPTIONS).items():
        for path in paths:
            wanted.setdefault(path, set()).add(topic)
    return {path: frozenset(topics) for path, topics in wanted.items()}


def drain() -> None:
    """Bring every subscriber to the end of the log. One that is slow or broken holds up only itself."""
    with waker.gathered():
        for name in subscribers():
            try:
                _follow(name)
            except Exception:
                log.exception("subscriber %s", name)
            waker.flush()


def is_wanted(topic: str) -> bool:
    """Whether anybody reacts to it: an event nobody reads wakes nobody."""
    return any(topic in topics for topics in subscribers().values())


def drain_leftovers() -> None:
    """Retry the events that single subscribers failed on."""
    jobs.drain(Leftover, _retry, batch=10)


def behind() -> bool:
    """Whether any subscriber has events to read: the sweeper's question."""
    return any(_behind(name) for name in subscribers())


def reset_after_restore() -> None:
    """Start transaction numbers anew: a dump restored into another cluster carries foreign xids.

    Every event keeps its place in the order and counts as read by exactly those who had read it before.
    """
    with transaction.atomic(), connection.cursor() as sql:
        sql.execute(_RENUMBER, [START])


_RENUMBER = """
WITH placed AS (
    SELECT id, xid AS was, row_number() OVER (ORDER BY xid, id) - count(*) OVER () - 1 AS place FROM core_eventlog
), moved AS (
    UPDATE core_cursor c SET (xid, event_id) = (
        SELECT coalesce(max(p.place), %s), coalesce((array_agg(p.id ORDER BY p.place DESC))[1], 0)
        FROM placed p WHERE (p.was, p.id) <= (c.xid, c.event_id))
)
UPDATE core_eventlog e SET xid = p.place FROM placed p WHERE p.id = e.id
"""


def _follow(name: str) -> None:
    """Read on until nothing is left.

    Whoever finds the cursor locked goes home; so the holder looks once more *after* it let go
    (an event committed while it held the lock would otherwise wait for the sweeper). An event
    above the horizon waits for an older open transaction, which need not wake anybody when it
    ends: give it a moment.
    """
    stop, pause = time.monotonic() + jobs.BUDGET, FIRST_LOOK
    while time.monotonic() < stop:
        moved = _step(name)
        if moved is None or not (moved or _behind(name)):
            return
        if not moved:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)  # looking costs as much as working: while mail pours in, look less
        elif moved == BATCH:
            waker.wake("relay")  # a colleague takes the other subscribers meanwhile
            waker.flush()
    waker.wake("relay")


def _step(name: str) -> int | None:
    """One transaction: a batch of events handled and the cursor moved, so each has its effect once."""
    react, topics = import_string(name), subscribers()[name]
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update(skip_locked=True).filter(pk=name).first()
        if cursor is None:
            return None if Cursor.objects.filter(pk=name).exists() else _begin(name)
        with connection.cursor() as sql:
            sql.execute(_GIVE_WAY_AND_HORIZON)
            _, horizon = sql.fetchone()
        events = list(_beyond(cursor, topics).filter(xid__lt=horizon).order_by("xid", "id")[:BATCH])
        try:
            if events:
                with transaction.atomic():  # one savepoint for all: nearly always they all succeed
                    for event in events:
                        react(_recorded(event))
        except Exception:
            _one_by_one(name, react, events)
        _move(cursor, events, horizon)
        return len(events)


def _move(cursor: Cursor, events: list[EventLog], horizon: int) -> None:
    """Behind the batch; behind everything below the horizon when that held no more for this subscriber."""
    if len(events) == BATCH:
        cursor.xid, cursor.event_id = events[-1].xid, events[-1].pk
    elif events or horizon - cursor.xid > STRIDE:
        cursor.xid, cursor.event_id = horizon - 1, _LAST_ID
    else:
        return
    cursor.save(update_fields=["xid", "event_id"])


def _begin(name: str) -> int:
    """A new subscriber starts at the beginning of the log. Two workers may meet here: one row results."""
    Cursor.objects.bulk_create([Cursor(subscriber=name, xid=START)], ignore_conflicts=True)
    return 1


def _one_by_one(name: str, react: React, events: list[EventLog]) -> None:
    for event in events:
        try:
            with transaction.atomic():
                react(_recorded(event))
        except Exception as error:
            log.exception("%s: event %s", name, event.pk)
            jobs.wake(Leftover.objects.create(event=event, subscriber=name, attempts=1, last_error=repr(error)[:500]))


def _recorded(event: EventLog) -> Recorded:
    return Recorded(
        id=event.pk,
        topic=event.topic,
        payload=event.payload,
        actor_kind=event.actor_kind,
        actor_id=event.actor_id,
        created_at=event.created_at,
    )


def _beyond(cursor: Cursor, topics: Collection[str]) -> QuerySet[EventLog]:
    """What the subscriber has not read of its topics, above the horizon too."""
    later = Q(xid__gt=cursor.xid) | Q(xid=cursor.xid, id__gt=cursor.event_id)
    return EventLog.objects.filter(later, xid__gte=cursor.xid, topic__in=sorted(topics))


def _behind(name: str) -> bool:
    cursor = Cursor.objects.filter(pk=name).first() or Cursor(subscriber=name, xid=START)
    return _beyond(cursor, subscribers()[name]).exists()


def _retry(held: jobs.Claim) -> None:
    with transaction.atomic():
        import_string(held.job.subscriber)(_recorded(held.job.event))
        jobs.settle(held)
