"""Work that must not be lost: rows in PostgreSQL, claimed in batches, each worked on under a lease."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

import structlog
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from helpdesk.core import waker
from helpdesk.core.errors import GiveUp, LostLease, Retry
from helpdesk.core.logs import request_id

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than the hard time limit of a drain
BUDGET = 10.0  # seconds one drain may go on starting batches; then it queues behind the others
MAX_ATTEMPTS = 12
TRIED = gettext_noop("every attempt failed")
OPEN = ("pending", "running")


class LeasedJob(models.Model):
    """A row of work. Subclasses add what the work needs and name their queue."""

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    QUEUE: ClassVar[str]  # what a drain is asked for; also the name of its wake flag

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(default=now)
    lane = models.CharField(max_length=120, blank=True)  # jobs in one lane keep their order
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # When a worker may take it. While it runs this is the end of the lease, so a running
    # job without a lease cannot exist and one partial index finds new, late and orphaned rows.
    due_at = models.DateTimeField(default=now)
    fence = models.PositiveIntegerField(default=0)  # grows with every claim
    last_error = models.CharField(max_length=500, blank=True)
    # Of the request that caused it: it follows into the worker's log lines.
    request_id = models.CharField(max_length=64, blank=True, default=request_id)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=OPEN), name="%(class)s_open"),
            models.Index(fields=["lane", "id"], condition=Q(state__in=OPEN) & ~Q(lane=""), name="%(class)s_lane"),
        ]


@dataclass(slots=True)
class Claim:
    """One job in one worker's hands, until its lease ends."""

    job: Any
    recovered: bool  # an earlier attempt stopped without saying how it ended


Work = Callable[[Claim], None]
Prepare = Callable[[list[Claim]], None]
Failed = Callable[[Any, GiveUp], None]


def drain(
    model: type[LeasedJob],
    do: Work,
    *,
    failed: Failed | None = None,
    prepare: Prepare | None = None,
    repeatable: bool = True,
    batch: int = 25,
) -> int:
    """Work the queue until nothing is due or the budget is spent. Returns how many were taken.

    do(claim) does the work and settles the claim in its own transaction. failed(job, error)
    runs in the transaction that gives the job up. prepare(claims) may read for a whole batch what
    each of its jobs needs. Say repeatable=False where an unforeseen
    error may have left effects outside the database: such jobs are claimed one at a time, so
    that a killed worker leaves exactly one in doubt, and the next claim of it is `recovered`.
    """
    stop, taken = time.monotonic() + BUDGET, 0
    with waker.gathered():  # the wakes of a whole batch leave as one
        while claims := claim(model, batch if repeatable else 1):
            if prepare:
                prepare(claims)
            for held in claims:
                _work(held, do, failed, repeatable)
            taken += len(claims)
            if (repeatable and len(claims) == batch) or (not repeatable and taken % batch == 0):
                waker.wake(model.QUEUE)  # there is more than one worker's worth: call a colleague
            waker.flush()
            if time.monotonic() > stop:
                waker.wake(model.QUEUE)
                break
    return taken


def settle(held: Claim, **fields: object) -> None:
    """Finish the job. Call it in the transaction that holds the effects; raises LostLease."""
    if not _held(held).update(state="done", last_error="", **fields):
        raise LostLease


def wake(job: LeasedJob) -> None:
    """Nudge a worker once the transaction commits. Losing the nudge is harmless."""
    wake_queue(job.QUEUE)


def wake_queue(queue: str) -> None:
    """Nudge a worker of this queue once the transaction commits."""
    transaction.on_commit(lambda: waker.wake(queue))


def revive(job: LeasedJob, **fields: object) -> bool:
    """Give a failed job a new life, in the caller's transaction. False when it has not failed."""
    fields = {"state": "pending", "attempts": 0, "due_at": now(), "last_error": ""} | fields
    revived = type(job)._base_manager.filter(pk=job.pk, state="failed").update(**fields)
    if revived:
        wake(job)
    return bool(revived)


def overdue(model: type[LeasedJob]) -> bool:
    """Whether the sweeper should wake this queue."""
    return model._base_manager.filter(state__in=OPEN, due_at__lte=now()).exists()


_CLAIM = """
WITH picked AS MATERIALIZED (
    SELECT id, state, attempts, row_number() OVER (ORDER BY due_at) AS place FROM (
        SELECT id, state, attempts, due_at FROM {table} c
        WHERE state IN ('pending', 'running') AND due_at <= now()
          AND (lane = '' OR NOT EXISTS (
              SELECT FROM {table} a WHERE a.lane = c.lane AND a.lane <> '' AND a.id < c.id
                AND a.state IN ('pending', 'running')))
        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) locked
), taken AS (
    -- A row that was orphaned may be the one that killed its worker: it travels alone.
    SELECT id, state FROM picked
    WHERE CASE WHEN EXISTS (SELECT FROM picked WHERE state = 'running')
               THEN id = (SELECT id FROM picked WHERE state = 'running' ORDER BY place LIMIT 1) ELSE true END
)
UPDATE {table} j SET state = 'running', attempts = j.attempts + 1, fence = j.fence + 1, due_at = now() + %s::interval
FROM taken WHERE j.id = taken.id
RETURNING {columns}, taken.state = 'running'
"""
_SQL: dict[type, str] = {}


def claim(model: type[LeasedJob], size: int, *, lease: timedelta | None = None) -> list[Claim]:
    """Take up to `size` due jobs, heads of their lanes only; the claim is on disk when this returns."""
    fields = model._meta.concrete_fields
    if model not in _SQL:
        columns = ", ".join(f'j."{field.column}"' for field in fields)
        _SQL[model] = _CLAIM.format(table=model._meta.db_table, columns=columns)
    with connection.cursor() as cursor:
        cursor.execute(_SQL[model], (size, str(lease or LEASE)))
        rows = cursor.fetchall()
    names, converters = [field.attname for field in fields], _converters(fields)
    claims = []
    for row in rows:
        values = [convert(value) if convert else value for convert, value in zip(converters, row, strict=False)]
        claims.append(Claim(model.from_db(connection.alias, names, values), row[-1]))
    return sorted(claims, key=lambda held: held.job.pk)


def _converters(fields: Any) -> list[Callable[[Any], Any] | None]:
    """What turns a driver's value into the field's, as a query would (JSON comes as text)."""
    found: list[Callable[[Any], Any] | None] = []
    for field in fields:
        convert = getattr(field, "from_db_value", None)
        found.append(partial(_converted, convert) if convert else None)
    return found


def _converted(convert: Callable[[Any, Any, Any], Any], value: Any) -> Any:
    return convert(value, None, connection)


def _work(held: Claim, do: Work, failed: Failed | None, repeatable: bool) -> None:
    with structlog.contextvars.bound_contextvars(request_id=held.job.request_id):
        _attempt(held, do, failed, repeatable)


def _attempt(held: Claim, do: Work, failed: Failed | None, repeatable: bool) -> None:
    job = held.job
    try:
        if job.attempts > MAX_ATTEMPTS:
            raise GiveUp(gettext_noop("every attempt took the worker down"))
        do(held)
    except LostLease:
        log.warning("%s %s: another worker finished it", job.QUEUE, job.pk)
    except GiveUp as error:
        _give_up(held, error, failed)
    except Retry as error:
        _postpone(held, str(error), failed, after=error.after)
    except Exception as error:
        log.exception("%s %s", job.QUEUE, job.pk)
        if repeatable:
            _postpone(held, repr(error), failed)


def _postpone(held: Claim, reason: str, failed: Failed | None, after: float | None = None) -> None:
    if held.job.attempts >= MAX_ATTEMPTS:
        _give_up(held, GiveUp(f"{TRIED}: {reason}"), failed)
        return
    delay = after or min(15 * 2 ** (held.job.attempts - 1), 3600) * random.uniform(1, 1.3)  # noqa: S311 - jitter
    _held(held).update(state="pending", due_at=now() + timedelta(seconds=delay), last_error=reason[:500])


def _give_up(held: Claim, error: GiveUp, failed: Failed | None) -> None:
    with transaction.atomic():
        if _held(held).update(state="failed", last_error=str(error)[:500]) and failed:
            failed(held.job, error)


def _held(held: Claim) -> Any:
    return type(held.job)._base_manager.filter(pk=held.job.pk, state="running", fence=held.job.fence)
