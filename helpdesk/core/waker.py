"""One Celery task for many rows: a queue that has been woken is not woken again until a drain begins."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from celery import current_app

from helpdesk.core import valkey

log = logging.getLogger(__name__)

# A flag whose task was lost must not silence the queue: it goes away by itself.
FLAG_SECONDS = 10
_held_back: ContextVar[set[str] | None] = ContextVar("held_back", default=None)


def wake(queue: str) -> None:
    """Ask for a drain of this queue. Never raises: a lost wake costs one sweep."""
    gathering = _held_back.get()
    if gathering is not None:
        gathering.add(queue)
        return
    try:
        if valkey.client().set(f"wake:{queue}", 1, nx=True, ex=FLAG_SECONDS):
            current_app.send_task(f"drain.{queue}", queue=queue, retry=False, ignore_result=True)
    except Exception:
        log.warning("could not wake %s; the sweeper will", queue)


def begin(queue: str) -> None:
    """First act of a drain: rows committed from here on ask for another one."""
    try:
        valkey.client().delete(f"wake:{queue}")
    except Exception:
        log.warning("the wake flag of %s stays until it runs out", queue)


@contextmanager
def gathered() -> Iterator[None]:
    """Hold wakes back until flush() or the end of the block."""
    token = _held_back.set(set())
    try:
        yield
    finally:
        queues = _held_back.get() or set()
        _held_back.reset(token)
        for queue in queues:
            wake(queue)


def flush() -> None:
    """Send what has been held back so far."""
    queues = _held_back.get() or set()
    token = _held_back.set(None)
    try:
        for queue in queues:
            wake(queue)
    finally:
        _held_back.reset(token)
        queues.clear()
